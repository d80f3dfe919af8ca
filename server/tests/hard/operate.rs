//! Operating a server that people are using: its end, its users, its backups, its probes.

use std::{collections::HashMap, fmt::Write};

use kith::config::Config;
use kith_client::{Client, Error, Event, Socket};
use kith_protocol::{
    ClientFrame, Code, ConversationId, ServerFrame, Uuid, entry::ConversationKind, frame, rest::NewSession,
};
use sha2::{Digest, Sha256};

use super::{
    people::Person,
    program::{LIFTED, Program, alone, until},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_told_to_end_says_so_and_finishes_what_was_begun() {
    let _alone = alone().await;
    let mut program = Program::started("drain_s = 3");
    let people = Person::several(&program, 2).await;
    let conversation = people[0].converse(ConversationKind::Direct, &[&people[1]]).await;
    let mut stays = people[0].socket(&program).await;
    let mut leaves = people[1].socket(&program).await;
    program.tell_to_end();
    for socket in [&mut stays, &mut leaves] {
        let goaway = loop {
            if let ServerFrame::Goaway(goaway) = socket.receive().await.unwrap() {
                break goaway;
            }
        };
        assert!(goaway.spread_ms > 0, "everybody would come back at once");
    }
    leaves.close(1000).await;
    // Who is still there is still served.
    let message = kith_client::connection::message("a last word");
    stays.send(&ClientFrame::Send(frame::Send { conversation, message: message.clone() })).await.unwrap();
    let mut sent = None;
    let closed = loop {
        match stays.receive().await {
            Ok(ServerFrame::Sent(frame)) => sent = Some(frame.seq),
            Ok(_) => {}
            Err(Error::Closed(closed)) => break closed,
            Err(error) => panic!("{error}"),
        }
    };
    assert_eq!(closed.code, 4101);
    assert_eq!(program.ended().code(), Some(0));
    assert!(Socket::connect(&program.server()).await.is_err());
    program.verify(program.data());
    program.start();
    let log = people[1].log(conversation).await;
    assert_eq!(log.iter().find(|entry| entry.client_id == Some(message.client_id)).map(|entry| entry.seq), sent);
    assert!(sent.is_some(), "the last word was not taken");
}

#[test]
fn the_example_is_a_configuration() {
    let program = Program::new("");
    let example = program.done(&["config"]);
    assert_eq!(Config::parse(&example, "example").unwrap(), Config::default());
    assert!(!program.data().exists(), "printing it touched something");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_are_imported_listed_reset_and_removed_beside_a_running_server() {
    let _alone = alone().await;
    const COUNT: usize = 2000;
    let program = Program::started(LIFTED);
    let anna = Person::new(&program, "anna").await;
    let token = |index: usize| format!("kith_{index:043}");
    let mut lines = String::new();
    for index in 0..COUNT {
        let hash = Sha256::digest(token(index)).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        let password =
            "$argon2id$v=19$m=19456,t=2,p=1$a2l0aC1sb2FkLWtpdGgtbA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        let line = r#"{"username":"many-INDEX","password_hash":"PASSWORD","token_hash":"HASH"}"#;
        let line = line.replace("INDEX", &index.to_string()).replace("PASSWORD", password).replace("HASH", &hash);
        writeln!(lines, "{line}").unwrap();
    }
    let file = program.home().join("users");
    std::fs::write(&file, lines).unwrap();
    let file = file.to_str().unwrap();
    assert!(program.done(&["users", "import", file]).contains("2000 users made"));
    assert!(program.done(&["users", "import", file]).contains("2000 were there already"));
    let listed = program.done(&["user", "list"]);
    assert_eq!(listed.lines().filter(|line| line.starts_with("many-")).count(), COUNT);

    // They are users like others.
    let last = program.rest().with_token(&token(COUNT - 1)).unwrap();
    let me = last.me().await.unwrap();
    assert_eq!(me.username.as_deref(), Some("many-1999"));
    let mut socket = Socket::connect(&program.server()).await.unwrap();
    socket.hello(&token(COUNT - 1), Vec::new()).await.unwrap();
    assert!(matches!(socket.receive().await.unwrap(), ServerFrame::Ready(_)));

    // A reset signs out, and its password signs in.
    let password = program.done(&["user", "reset", "many-1999"]).trim().to_owned();
    until("the socket is closed", async || match socket.receive().await {
        Ok(_) => false,
        Err(Error::Closed(closed)) => closed.code == 4100,
        Err(error) => panic!("{error}"),
    })
    .await;
    assert_eq!(last.me().await.unwrap_err().code(), Some(Code::Unauthenticated));
    let session = NewSession { username: "many-1999".to_owned(), password, device: None, device_secret: None };
    assert_eq!(program.rest().sign_in(&session).await.unwrap().user.id, me.id);

    program.done(&["user", "remove", "many-0"]);
    assert!(!program.done(&["user", "list"]).lines().any(|line| line.starts_with("many-0\t")));
    assert_eq!(program.command(&["user", "remove", "many-0"]).status.code(), Some(1));
    assert_eq!(anna.rest.me().await.unwrap().username.as_deref(), Some("anna"));
    program.verify(program.data());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_under_load_holds_what_was_acknowledged_before_it() {
    let _alone = alone().await;
    let mut program = Program::started(LIFTED);
    let people = Person::several(&program, 4).await;
    let others: Vec<&Person> = people[1..].iter().collect();
    let group = people[0].converse(ConversationKind::Group, &others).await;
    let mut load = Load::start(&program, &people, group);
    until("there is some history", async || load.acknowledged().len() > 300).await;
    let before = load.acknowledged();
    let to = program.home().join("backup");
    program.done(&["backup", to.to_str().unwrap()]);
    let after = load.acknowledged();
    assert!(after.len() > before.len(), "nothing was sent meanwhile");
    program.verify(&to);
    // It does not write over what is there.
    let again = program.command(&["backup", to.to_str().unwrap()]);
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&again.stderr).contains("is not empty"));
    load.stop().await;
    assert_eq!(program.end().code(), Some(0));

    let mut restored = Program::on(tempfile::tempdir().unwrap(), to, LIFTED);
    restored.start();
    let rest = restored.rest().with_token(&people[1].token).unwrap();
    let reader = Person { rest, ..people[1].clone() };
    let log = reader.log(group).await;
    for (client_id, seq) in before {
        assert_eq!(log[seq as usize - 1].client_id, Some(client_id));
    }
    // It goes on from there, and a repeat of what it has is still known as one.
    let known = log.iter().rev().find(|entry| entry.sender == people[1].id && entry.client_id.is_some()).unwrap();
    let mut repeat = kith_client::connection::message("once more");
    repeat.client_id = known.client_id.unwrap();
    assert_eq!(reader.rest.send_message(group, &repeat).await.unwrap().seq, known.seq);
    let next = reader.rest.send_message(group, &kith_client::connection::message("on")).await.unwrap();
    assert_eq!(next.seq, log.len() as u64 + 1);
    assert_eq!(restored.end().code(), Some(0));
    restored.verify(restored.data());
}

/// People who write without pause.
struct Load {
    writers: tokio::task::JoinSet<()>,
    acknowledged: std::sync::Arc<parking_lot::Mutex<HashMap<Uuid, u64>>>,
}

impl Load {
    fn start(program: &Program, people: &[Person], conversation: ConversationId) -> Self {
        let acknowledged = std::sync::Arc::<parking_lot::Mutex<HashMap<Uuid, u64>>>::default();
        let mut writers = tokio::task::JoinSet::new();
        for person in people {
            let config = kith_client::Config::new(person.token.clone());
            let (client, mut events) = Client::connect(program.server(), config);
            let acknowledged = acknowledged.clone();
            writers.spawn(async move {
                loop {
                    while client.unsent() < 8 && client.send(conversation, "a text of some length").is_ok() {}
                    let Some(event) = events.recv().await else { return };
                    if let Event::Sent(sent) = event {
                        acknowledged.lock().insert(sent.client_id, sent.seq);
                    }
                }
            });
        }
        Self { writers, acknowledged }
    }

    fn acknowledged(&self) -> HashMap<Uuid, u64> {
        self.acknowledged.lock().clone()
    }

    async fn stop(&mut self) {
        self.writers.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_probes_tell_how_it_is() {
    let _alone = alone().await;
    let program = Program::started("drain_s = 0\n[limits]\nsends_per_s = 1\nsends_burst = 2\n");
    let people = Person::several(&program, 2).await;
    let conversation = people[0].converse(ConversationKind::Direct, &[&people[1]]).await;
    let mut limited = 0;
    let socket = people[1].socket(&program).await;
    for _ in 0..6 {
        let message = kith_client::connection::message("hello");
        let sent = people[0].rest.send_message(conversation, &message).await;
        limited += usize::from(sent.is_err_and(|error| error.code() == Some(Code::RateLimited)));
    }
    assert!(limited > 0);
    assert_eq!(program.probe("/healthz").await.0, 200);
    assert_eq!(program.probe("/readyz").await.0, 200);
    until("it has counted", async || program.metric("kith_connections").await == Some(1.0)).await;
    let (status, text) = program.probe("/metrics").await;
    assert_eq!(status, 200);
    for name in [
        "kith_connections",
        "kith_messages_total",
        "kith_deliveries_total",
        "kith_store_commit_seconds_bucket",
        "kith_store_batch_changes",
        "kith_outbox_bytes",
        "kith_shed_level",
        "kith_rate_limited_total",
    ] {
        assert!(text.lines().any(|line| line.starts_with(name)), "{name} is missing from\n{text}");
    }
    let messages = program.metric("kith_messages_total").await.unwrap() as usize;
    assert_eq!(messages, 6 - limited);
    assert_eq!(program.metric("kith_deliveries_total").await, Some(messages as f64));
    // Nobody's name, and nothing that people said, is a label.
    assert!(!text.contains("user0") && !text.contains("hello"));
    // People do not reach it on their address.
    let answer = program.rest().request(kith_client::Method::GET, "/metrics", &[], "").await.unwrap();
    assert_eq!(answer.status.as_u16(), 404);
    socket.close(1000).await;
    until("who left is not counted", async || program.metric("kith_connections").await == Some(0.0)).await;
}
