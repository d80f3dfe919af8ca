//! Presence and typing: who is there, when they were last there, who may know, and who is writing.

use kith_client::{Rest, Socket};
use kith_protocol::{
    ClientFrame, ServerFrame, Timestamp,
    entry::ConversationKind,
    frame::{Ping, TypingIn, Watch},
    rest::{Audience, ChangePrivacy, ChangeProfile, PresenceState},
};

use crate::world::{Person, World};

async fn show_to(who: &Person, audience: Audience) {
    let privacy = ChangePrivacy { last_seen: Some(audience), ..Default::default() };
    who.rest.change_profile(&ChangeProfile { privacy: Some(privacy), ..Default::default() }).await.unwrap();
}

async fn last_seen(viewer: &Rest, of: &Person) -> Option<Timestamp> {
    let presence = viewer.presence(of.id).await.unwrap();
    assert_eq!(presence.state, PresenceState::Offline);
    presence.last_seen
}

#[tokio::test]
async fn one_is_there_while_a_device_is_connected() {
    let world = World::start().await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let other = world.device(&bela).await;
    let mut annas = anna.connect().await;
    annas.watch(&[bela.id], &[]).await;
    assert_eq!(annas.presence().await.state, PresenceState::Offline);
    let first = bela.connect().await;
    assert_eq!(annas.presence().await.state, PresenceState::Online);
    let second = other.connect().await;
    first.socket.close(1000).await;
    assert_eq!(anna.rest.presence(bela.id).await.unwrap().state, PresenceState::Online);
    annas.quiet().await;
    second.socket.close(1001).await;
    assert_eq!(annas.presence().await.state, PresenceState::Offline, "the last device left");
    annas.say(ClientFrame::Unwatch(Watch { users: vec![bela.id], conversations: Vec::new() })).await;
    annas.so_far().await;
    let _there = bela.connect().await;
    assert_eq!(anna.rest.presence(bela.id).await.unwrap().state, PresenceState::Online);
    annas.quiet().await;
}

#[tokio::test]
async fn a_broken_connection_is_not_gone_at_once() {
    let world = World::start().await;
    let [anna, bela, cora] = world.people(["anna", "bela", "cora"]).await;
    let mut annas = anna.connect().await;
    annas.watch(&[bela.id, cora.id], &[]).await;
    annas.presence().await;
    annas.presence().await;
    let (belas, coras) = (bela.connect().await, cora.connect().await);
    annas.presence().await;
    annas.presence().await;
    drop(belas.socket);
    // One who leaves cleanly after him is told at once; he is not.
    coras.socket.close(1000).await;
    let told = annas.presence().await;
    assert_eq!((told.user, told.state), (cora.id, PresenceState::Offline));
    assert_eq!(anna.rest.presence(bela.id).await.unwrap().state, PresenceState::Online);
    annas.quiet().await;
    // Who comes back within the grace was never away.
    let _again = bela.connect().await;
    annas.quiet().await;
}

#[tokio::test]
async fn last_seen_moves_with_what_a_person_does() {
    let mut world = World::start().await;
    let [mut anna, mut bela] = world.people(["anna", "bela"]).await;
    let direct = anna.direct(&bela).await;
    anna.say(direct, "hello").await;
    // An app that comes, pings and acknowledges by itself is not a person.
    let mut wire = bela.connect().await;
    wire.delivered(direct, 2).await;
    wire.so_far().await;
    wire.socket.close(1000).await;
    let mut annas = anna.connect().await;
    annas.watch(&[bela.id], &[]).await;
    assert_eq!(annas.presence().await.last_seen, None);
    let mut before = Timestamp::default();
    for what in 0..3 {
        let mut wire = bela.connect().await;
        let came = annas.presence().await;
        assert_eq!((came.state, came.last_seen), (PresenceState::Online, None));
        match what {
            0 => wire.read(direct, 2).await,
            1 => wire.say(ClientFrame::Ping(Ping { active: true })).await,
            _ => drop(wire.tell(direct, crate::world::text("hello")).await),
        }
        wire.so_far().await;
        wire.socket.close(1000).await;
        let told = annas.find(|it| if let ServerFrame::Presence(it) = it { Some(*it) } else { None }).await;
        assert_eq!(told.state, PresenceState::Offline);
        let seen = told.last_seen.expect("a person did something");
        assert!(seen > before, "{what}: {seen} is not after {before}");
        assert_eq!(last_seen(&anna.rest, &bela).await, Some(seen));
        before = seen;
    }
    world.restart(&mut [&mut anna, &mut bela]).await;
    assert_eq!(last_seen(&anna.rest, &bela).await, Some(before));
}

#[tokio::test]
async fn only_who_may_know_sees_who_is_there() {
    let world = World::start().await;
    let [anna, bela, cora] = world.people(["anna", "bela", "cora"]).await;
    // Cora is a contact of anna's: anna has written to her. Bela has written to anna, which makes him none.
    let direct = anna.direct(&cora).await;
    let mut coras = cora.connect().await;
    anna.say(direct, "hello").await;
    coras.entry().await;
    let other = bela.direct(&anna).await;
    bela.say(other, "let me in").await;
    let mut belas = bela.connect().await;
    let _annas = anna.connect().await;
    for (audience, contact, stranger) in [
        (Audience::Everyone, PresenceState::Online, PresenceState::Online),
        (Audience::Contacts, PresenceState::Online, PresenceState::Offline),
        (Audience::Nobody, PresenceState::Offline, PresenceState::Offline),
    ] {
        show_to(&anna, audience).await;
        for (wire, who, expected) in [(&mut coras, &cora, contact), (&mut belas, &bela, stranger)] {
            assert_eq!(who.rest.presence(anna.id).await.unwrap().state, expected, "{audience:?} as {}", who.name);
            wire.watch(&[anna.id], &[]).await;
            assert_eq!(wire.presence().await.state, expected);
        }
        assert_eq!(anna.rest.presence(anna.id).await.unwrap().state, PresenceState::Online);
    }
}

#[tokio::test]
async fn the_others_see_who_is_writing() {
    let world = World::start().await;
    let [anna, bela, cora] = world.people(["anna", "bela", "cora"]).await;
    let group = anna.group(&[&bela]).await;
    let direct = anna.direct(&bela).await;
    let channel = anna.begin(ConversationKind::Channel, Some("news"), &[&bela, &cora]).await.id;
    let other = world.device(&anna).await;
    let (mut annas, mut others) = (anna.connect().await, other.connect().await);
    let (mut belas, mut coras) = (bela.connect().await, cora.connect().await);
    coras.watch(&[], &[channel]).await;
    coras.so_far().await;
    cora.rest.conversation(channel).await.unwrap();
    for conversation in [group, direct] {
        annas.say(ClientFrame::Typing(TypingIn { conversation })).await;
        let told = belas.find(|it| if let ServerFrame::Typing(it) = it { Some(*it) } else { None }).await;
        assert_eq!((told.conversation, told.user), (conversation, anna.id));
    }
    // In a channel only those who look at it.
    annas.say(ClientFrame::Typing(TypingIn { conversation: channel })).await;
    let told = coras.find(|it| if let ServerFrame::Typing(it) = it { Some(*it) } else { None }).await;
    assert_eq!(told.conversation, channel);
    belas.quiet().await;
    annas.quiet().await;
    others.quiet().await;
    assert_eq!(anna.log(group).await.len(), 1, "nothing of it is kept");
}

/// A socket that says no hello is nobody, and nobody is there.
#[tokio::test]
async fn a_socket_alone_is_nobody() {
    let world = World::start().await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let _open = Socket::connect(bela.rest.server()).await.unwrap();
    assert_eq!(anna.rest.presence(bela.id).await.unwrap().state, PresenceState::Offline);
}
