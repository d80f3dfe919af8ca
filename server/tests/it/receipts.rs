//! Receipts: what was delivered and read, who is told of it, and what is unread.

use kith_client::rest::Paging;
use kith_protocol::{
    ConversationId,
    rest::{ChangePrivacy, ChangeProfile, NewParticipant},
};

use crate::world::{Person, Wire, World, message, text};

/// Everything that the wire said has come to the conversation.
async fn settled(wire: &mut Wire, who: &Person, conversation: ConversationId) {
    wire.so_far().await;
    who.rest.conversation(conversation).await.unwrap();
}

/// The standing of the conversation for somebody: read, delivered, unread.
async fn stands(who: &Person) -> (u64, u64, u64) {
    let head = who.rest.conversations(&Paging::default()).await.unwrap().items[0].head;
    (head.read, head.delivered, head.unread)
}

#[tokio::test]
async fn pointers_only_move_on_and_never_past_the_head() {
    let mut world = World::start().await;
    let [mut anna, mut bela] = world.people(["anna", "bela"]).await;
    let direct = anna.direct(&bela).await;
    for n in 0..5 {
        anna.say(direct, format!("{n}")).await;
    }
    assert_eq!(stands(&bela).await.2, 5);
    let (mut annas, mut belas) = (anna.connect().await, bela.connect().await);
    belas.delivered(direct, 4).await;
    let told = annas.receipt().await;
    assert_eq!((told.user, told.delivered), (bela.id, 4));
    belas.read(direct, 3).await;
    let told = annas.receipt().await;
    assert_eq!((told.delivered, told.read), (4, 3));
    // Lower ones are ignored.
    belas.read(direct, 2).await;
    belas.delivered(direct, 1).await;
    settled(&mut belas, &bela, direct).await;
    annas.quiet().await;
    assert_eq!(stands(&bela).await, (3, 4, 3));
    // A read is also a delivery; above the head means the head.
    belas.read(direct, 5).await;
    assert_eq!(annas.receipt().await.delivered, 5);
    belas.read(direct, u64::MAX).await;
    let told = annas.receipt().await;
    assert_eq!((told.delivered, told.read), (6, 6));
    for _ in 0..2 {
        assert_eq!(stands(&bela).await, (6, 6, 0));
        let head = anna.connect().await.heads[0];
        assert_eq!(head.peer.map(|peer| (peer.read, peer.delivered)), Some((6, 6)));
        world.restart(&mut [&mut anna, &mut bela]).await;
    }
    // What comes after is not read; a send reads up to itself.
    anna.say(direct, "more").await;
    assert_eq!(stands(&bela).await, (6, 6, 1));
    let said = bela.say(direct, "answer").await;
    assert_eq!(stands(&bela).await.2, 0);
    assert_eq!(stands(&bela).await.0, said.seq);
}

#[tokio::test]
async fn one_s_own_devices_always_know_what_is_read() {
    let world = World::start().await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let other = world.device(&bela).await;
    let group = anna.group(&[&bela]).await;
    let said = anna.say(group, "hello").await;
    let (mut annas, mut belas, mut others) = (anna.connect().await, bela.connect().await, other.connect().await);
    belas.read(group, said.seq).await;
    let told = others.receipt().await;
    assert_eq!((told.user, told.read), (bela.id, said.seq));
    settled(&mut belas, &bela, group).await;
    // In a group nobody else is told who does not watch it.
    annas.quiet().await;
    // Over REST, all of one's sockets are told.
    let said = anna.say(group, "again").await;
    bela.rest.read(said.id).await.unwrap();
    assert_eq!(belas.receipt().await.read, said.seq);
    assert_eq!(others.receipt().await.read, said.seq);
}

#[tokio::test]
async fn only_who_watches_a_group_gets_its_receipts() {
    let world = World::start().await;
    let [anna, bela, cora] = world.people(["anna", "bela", "cora"]).await;
    let group = anna.group(&[&bela, &cora]).await;
    let said = anna.say(group, "hello").await;
    let (mut annas, mut belas, mut coras) = (anna.connect().await, bela.connect().await, cora.connect().await);
    annas.watch(&[], &[group]).await;
    settled(&mut annas, &anna, group).await;
    belas.read(group, said.seq).await;
    let told = annas.receipt().await;
    assert_eq!((told.user, told.delivered, told.read), (bela.id, said.seq, said.seq));
    coras.quiet().await;
    annas
        .say(kith_protocol::ClientFrame::Unwatch(kith_protocol::frame::Watch {
            users: Vec::new(),
            conversations: vec![group],
        }))
        .await;
    coras.watch(&[], &[group]).await;
    settled(&mut annas, &anna, group).await;
    settled(&mut coras, &cora, group).await;
    let said = anna.say(group, "again").await;
    bela.rest.read(said.id).await.unwrap();
    while coras.receipt().await.user != bela.id {}
    let seen = annas.so_far().await;
    assert!(!seen.iter().any(|it| matches!(it, kith_protocol::ServerFrame::Receipt(it) if it.user == bela.id)));
}

#[tokio::test]
async fn who_hides_read_receipts_neither_sends_nor_sees_them() {
    let world = World::start().await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let direct = anna.direct(&bela).await;
    let hide = ChangeProfile {
        privacy: Some(ChangePrivacy { read_receipts: Some(false), ..Default::default() }),
        ..Default::default()
    };
    bela.rest.change_profile(&hide).await.unwrap();
    let hers = anna.say(direct, "hello").await;
    let (mut annas, mut belas) = (anna.connect().await, bela.connect().await);
    belas.read(direct, hers.seq).await;
    let told = annas.receipt().await;
    assert_eq!((told.delivered, told.read), (hers.seq, 0), "that it came is no secret");
    let item = anna.rest.read_receipts(hers.id, &Paging::default()).await.unwrap().items.remove(0);
    assert_eq!((item.user, item.delivered, item.read, item.read_at), (bela.id, true, false, None));
    let peer = anna.connect().await.heads[0].peer.unwrap();
    assert_eq!((peer.read, peer.delivered), (0, hers.seq));
    // And the other way round.
    let his = belas.tell(direct, text("hello back")).await;
    annas.read(direct, his.seq).await;
    settled(&mut annas, &anna, direct).await;
    let told = belas.receipt().await;
    assert_eq!((told.user, told.read), (anna.id, 0));
    let item = bela.rest.read_receipts(message(direct, his.seq), &Paging::default()).await.unwrap().items.remove(0);
    assert_eq!((item.delivered, item.read), (true, false));
    // For oneself they still count.
    assert_eq!(stands(&bela).await.2, 0);
}

#[tokio::test]
async fn read_receipts_say_who_and_when() {
    let world = World::start().await;
    let [anna, bela, cora, dora] = world.people(["anna", "bela", "cora", "dora"]).await;
    let group = anna.group(&[&bela, &cora]).await;
    let first = anna.say(group, "first").await;
    anna.rest.add_participant(group, &NewParticipant { user: dora.id, role: None }).await.unwrap();
    bela.rest.read(first.id).await.unwrap();
    let second = anna.say(group, "second").await;
    bela.rest.read(second.id).await.unwrap();
    let mut coras = cora.connect().await;
    coras.delivered(group, second.seq).await;
    settled(&mut coras, &cora, group).await;
    let of = async |id| anna.rest.read_receipts(id, &Paging::default()).await.unwrap().items;
    let (one, two) = (of(first.id).await, of(second.id).await);
    // Not who said it, nor who came later.
    let users = |items: &[kith_protocol::rest::ReadReceipt]| items.iter().map(|it| it.user).collect::<Vec<_>>();
    assert_eq!(users(&one), [bela.id, cora.id]);
    assert_eq!(users(&two), [bela.id, cora.id, dora.id]);
    assert!(one[0].read && one[0].read_at.unwrap() >= first.at && one[0].read_at <= two[0].read_at);
    assert_eq!((two[1].delivered, two[1].read, two[1].read_at), (true, false, None));
    assert!(two[1].delivered_at.unwrap() >= second.at);
    assert_eq!((two[2].delivered, two[2].delivered_at), (false, None));
}
