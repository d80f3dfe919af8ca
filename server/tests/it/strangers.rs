//! Strangers: what they can do to a person, and how much one person can begin.

use kith_client::{Method, StatusCode, rest::Paging};
use kith_protocol::{
    Code,
    entry::ConversationKind,
    rest::{Adders, ChangePrivacy, ChangeProfile, NewConversation, NewParticipant},
};
use serde_json::json;

use crate::world::{Person, World, code, raw};

fn group(members: &[&Person]) -> NewConversation {
    NewConversation {
        kind: ConversationKind::Group,
        members: members.iter().map(|member| member.id).collect(),
        title: Some("a group".into()),
        expire_after_s: None,
        encryption: None,
    }
}

async fn lets_add(person: &Person, groups: Adders) {
    let privacy = ChangePrivacy { groups: Some(groups), ..Default::default() };
    let change = ChangeProfile { privacy: Some(privacy), ..Default::default() };
    let own = person.rest.change_profile(&change).await.unwrap();
    assert_eq!(own.privacy.map(|privacy| privacy.groups), Some(groups));
}

async fn chats(person: &Person) -> usize {
    person.rest.conversations(&Paging::default()).await.unwrap().items.len()
}

#[tokio::test]
async fn who_wants_it_is_added_by_contacts_only() {
    let world = World::start().await;
    let [anna, bert, mallory] = world.people(["anna", "bert", "mallory"]).await;
    let with = bert.direct(&anna).await;
    bert.say(with, "hello").await;
    let before = chats(&bert).await;
    lets_add(&bert, Adders::Contacts).await;

    assert_eq!(code(mallory.rest.create_conversation(&group(&[&anna, &bert])).await), Some(Code::NotContact));
    let club = mallory.group(&[&anna]).await;
    let add = NewParticipant { user: bert.id, role: None };
    assert_eq!(code(mallory.rest.add_participant(club, &add).await), Some(Code::NotContact));
    let channel = mallory.begin(ConversationKind::Channel, Some("news"), &[]).await.id;
    assert_eq!(code(mallory.rest.add_participant(channel, &add).await), Some(Code::NotContact));
    // To have been written to is not to have been answered.
    mallory.say(mallory.direct(&bert).await, "let me").await;
    assert_eq!(code(mallory.rest.add_participant(club, &add).await), Some(Code::NotContact));
    // A block shows in nothing that a stranger is answered.
    bert.rest.block(mallory.id).await.unwrap();
    assert_eq!(code(mallory.rest.add_participant(club, &add).await), Some(Code::NotContact));
    bert.rest.unblock(mallory.id).await.unwrap();
    assert_eq!(chats(&bert).await, before + 1);

    anna.group(&[&bert]).await;
    // A channel is joined by oneself all the same.
    bert.rest.add_participant(channel, &add).await.unwrap();
    assert_eq!(chats(&bert).await, before + 3);
    lets_add(&bert, Adders::Everyone).await;
    mallory.rest.add_participant(club, &add).await.unwrap();
}

#[tokio::test]
async fn one_user_begins_so_many_conversations_on_one_day() {
    let mut world = World::with(|config| config.limits.begins_per_day = 3).await;
    let [mut anna, mut bert, mallory] = world.people(["anna", "bert", "mallory"]).await;
    let first = mallory.direct(&bert).await;
    for _ in 0..2 {
        mallory.group(&[&bert]).await;
    }
    let before = chats(&bert).await;
    let new = json!({"kind": "group", "members": [bert.id], "title": "one more"});
    for _ in 0..20 {
        let refused = raw(&mallory.rest, Method::POST, "/v1/conversations", &[], Some(new.clone())).await;
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
        let wait: u64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=24 * 3600).contains(&wait), "{wait} s until the next day");
    }
    assert_eq!(chats(&bert).await, before);
    // What is there already is no beginning, and neither is what others do.
    assert_eq!(mallory.direct(&bert).await, first);
    mallory.say(first, "hello").await;
    bert.say(anna.direct(&bert).await, "hello").await;

    let mut mallory = mallory;
    world.restart(&mut [&mut anna, &mut bert, &mut mallory]).await;
    assert_eq!(code(mallory.rest.create_conversation(&group(&[&anna])).await), Some(Code::RateLimited));
    anna.group(&[&bert]).await;
}

#[tokio::test]
async fn one_user_has_so_many_conversations() {
    let world = World::with(|config| config.limits.conversations = 4).await;
    let [anna, mallory] = world.people(["anna", "mallory"]).await;
    let mut channels = Vec::new();
    for title in ["news", "sport", "weather"] {
        channels.push(anna.begin(ConversationKind::Channel, Some(title), &[]).await.id);
    }
    let own = [mallory.group(&[]).await, mallory.group(&[]).await];
    let join = NewParticipant { user: mallory.id, role: None };
    mallory.rest.add_participant(channels[0], &join).await.unwrap();
    mallory.rest.add_participant(channels[1], &join).await.unwrap();
    assert_eq!(code(mallory.rest.add_participant(channels[2], &join).await), Some(Code::TooMany));
    assert_eq!(code(mallory.rest.create_conversation(&group(&[&anna])).await), Some(Code::TooMany));
    // To join twice is to join once.
    mallory.rest.add_participant(channels[1], &join).await.unwrap();
    assert_eq!((chats(&mallory).await, chats(&anna).await), (4, 3));
    anna.group(&[]).await;

    mallory.rest.remove_participant(own[0], mallory.id).await.unwrap();
    assert_eq!(chats(&mallory).await, 3);
    mallory.rest.add_participant(channels[2], &join).await.unwrap();
}
