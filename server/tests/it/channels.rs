//! A large channel: its entries reach those of its members who are connected, whenever they came.

use std::{fmt::Write as _, fs, process::Command};

use kith_client::Rest;
use kith_protocol::{ConversationId, ServerFrame, UserId, entry::ConversationKind, rest::NewParticipant};
use sha2::{Digest, Sha256};
use tokio::task::JoinSet;

use crate::world::{Wire, World, text, words};

/// More than a conversation asks for each of whether they are connected.
const MEMBERS: usize = kith::limits::MEMBERS_ASKED + 10;

/// Makes users by an import, and has each join the channel.
async fn join_many(world: &World, channel: ConversationId) {
    let token = |index: usize| format!("kith_{index:043}");
    let mut lines = String::new();
    for index in 0..MEMBERS {
        let hash: String = Sha256::digest(token(index)).iter().map(|byte| format!("{byte:02x}")).collect();
        let password =
            "$argon2id$v=19$m=8192,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        let user = format!(r#"{{"username":"many-{index}","password_hash":"{password}","token_hash":"{hash}"}}"#);
        writeln!(lines, "{user}").unwrap();
    }
    let file = world.data_dir().with_file_name("users.jsonl");
    fs::write(&file, lines).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_kith"));
    command.args(["users", "import"]).arg(&file).arg("--data").arg(world.data_dir());
    let done = tokio::task::spawn_blocking(move || command.status()).await.unwrap().unwrap();
    assert!(done.success());
    let mut joins = JoinSet::new();
    for index in 0..MEMBERS {
        let rest = world.guest().with_token(&token(index)).unwrap();
        joins.spawn(async move {
            let id = rest.me().await.unwrap().id;
            join(&rest, channel, id).await;
        });
        if joins.len() == 8 {
            joins.join_next().await.unwrap().unwrap();
        }
    }
    joins.join_all().await;
}

async fn join(rest: &Rest, channel: ConversationId, user: UserId) {
    rest.add_participant(channel, &NewParticipant { user, role: None }).await.unwrap();
}

/// The texts of the channel that have come up to now.
async fn heard(wire: &mut Wire) -> Vec<String> {
    let texts = wire.so_far().await.into_iter().filter_map(|frame| match frame {
        ServerFrame::Entry(it) if matches!(it.entry.body, kith_protocol::Body::Message(_)) => {
            Some(words(&it.entry).to_owned())
        }
        _ => None,
    });
    texts.collect()
}

#[tokio::test]
async fn who_is_connected_gets_what_is_said_in_a_large_channel_whenever_they_came() {
    let world = World::start().await;
    let [anna, bela, cora, dora] = world.people(["anna", "bela", "cora", "dora"]).await;
    let channel = anna.begin(ConversationKind::Channel, Some("News"), &[]).await.id;
    for person in [&bela, &cora] {
        join(&person.rest, channel, person.id).await;
    }
    join_many(&world, channel).await;

    let (mut annas, mut belas, mut doras) = (anna.connect().await, bela.connect().await, dora.connect().await);
    annas.tell(channel, text("one")).await;
    assert_eq!(heard(&mut belas).await, ["one"]);
    // Somebody comes later, and so does another device; somebody who was connected becomes a member.
    let (mut coras, mut belas_other) = (cora.connect().await, world.device(&bela).await.connect().await);
    annas.tell(channel, text("two")).await;
    join(&dora.rest, channel, dora.id).await;
    annas.tell(channel, text("three")).await;
    for wire in [&mut belas, &mut coras, &mut belas_other] {
        assert_eq!(heard(wire).await, ["two", "three"]);
    }
    assert_eq!(heard(&mut doras).await, ["three"]);
    // Somebody goes and comes back, and somebody is a member no longer.
    drop(coras);
    anna.rest.remove_participant(channel, dora.id).await.unwrap();
    annas.tell(channel, text("four")).await;
    let mut coras = cora.connect().await;
    annas.tell(channel, text("five")).await;
    assert_eq!(heard(&mut belas).await, ["four", "five"]);
    assert_eq!(heard(&mut coras).await, ["five"]);
    assert_eq!(heard(&mut doras).await, Vec::<String>::new());
}
