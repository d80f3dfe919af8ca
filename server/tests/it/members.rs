//! Members of a conversation: direct, group, channel; roles, limits, coming and going; and one's own settings of them.

use kith_client::{Method, rest::Paging};
use kith_protocol::{
    Code, ConversationId, ServerFrame, Timestamp, UserId,
    entry::{Body, ConversationKind, Role, Writers},
    frame::Change,
    rest::{ChangeConversation, ChangePersonal, NewConversation, NewParticipant},
};

use crate::world::{Person, World, code, text};

fn add(user: UserId) -> NewParticipant {
    NewParticipant { user, role: None }
}

fn new(kind: ConversationKind, title: Option<&str>, members: &[UserId]) -> NewConversation {
    NewConversation {
        kind,
        members: members.to_vec(),
        title: title.map(str::to_owned),
        expire_after_s: None,
        encryption: None,
    }
}

async fn roles(who: &Person, conversation: ConversationId) -> Vec<(UserId, Role)> {
    let items = who.rest.participants(conversation, &Paging::default()).await.unwrap().items;
    items.iter().map(|item| (item.member.user, item.member.role)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_people_have_one_direct_conversation() {
    let mut world = World::start().await;
    let [mut anna, mut bela, cora] = world.people(["anna", "bela", "cora"]).await;
    let (mut annas, mut belas) = (anna.connect().await, bela.connect().await);
    // Both at once, both ways.
    let with = ([&bela], [&anna]);
    let made = tokio::join!(
        anna.begin(ConversationKind::Direct, None, &with.0),
        bela.begin(ConversationKind::Direct, None, &with.1),
        anna.begin(ConversationKind::Direct, None, &with.0),
    );
    let direct = made.0.id;
    assert_eq!((made.1.id, made.2.id), (direct, direct));
    for wire in [&mut annas, &mut belas] {
        let told = wire.change().await;
        assert_eq!((told.id, told.rev, told.change), (direct, 1, Change::Added));
    }
    world.restart(&mut [&mut anna, &mut bela]).await;
    let (status, again) = bela
        .raw(
            Method::POST,
            "/v1/conversations",
            Some(serde_json::to_value(new(ConversationKind::Direct, None, &[anna.id])).unwrap()),
        )
        .await;
    assert_eq!((status.as_u16(), again["id"].as_str()), (200, Some(direct.to_string().as_str())));
    assert_eq!(anna.log(direct).await.iter().filter(|entry| matches!(entry.body, Body::Created(_))).count(), 1);
    assert_eq!(anna.log(direct).await.len(), 1);
    let item = anna.rest.conversations(&Paging::default()).await.unwrap().items.remove(0);
    assert_eq!((item.peer_user, item.title, item.head.id), (Some(bela.id), None, direct));
    // It has its two members for ever.
    let tried = [
        code(anna.rest.add_participant(direct, &add(cora.id)).await),
        code(anna.rest.remove_participant(direct, bela.id).await),
        code(anna.rest.remove_participant(direct, anna.id).await),
        code(anna.rest.change_role(direct, bela.id, Role::Owner).await.map(drop)),
    ];
    assert!(tried.iter().all(|code| code.is_some()), "{tried:?}");
    assert_eq!(roles(&bela, direct).await.len(), 2);
    for bad in [
        new(ConversationKind::Direct, None, &[]),
        new(ConversationKind::Direct, None, &[anna.id]),
        new(ConversationKind::Direct, None, &[bela.id, cora.id]),
        new(ConversationKind::Direct, Some("titled"), &[bela.id]),
        new(ConversationKind::Direct, None, &[UserId::from_bytes([1; 16])]),
        new(ConversationKind::Channel, None, &[]),
        NewConversation { encryption: Some("mls".into()), ..new(ConversationKind::Direct, None, &[bela.id]) },
    ] {
        assert_eq!(code(anna.rest.create_conversation(&bad).await), Some(Code::InvalidRequest), "{bad:?}");
    }
}

#[tokio::test]
async fn a_group_has_room_for_so_many() {
    let world = World::with(|config| config.limits.group_members = 3).await;
    let [anna, bela, cora, dora] = world.people(["anna", "bela", "cora", "dora"]).await;
    let too_many = new(ConversationKind::Group, None, &[bela.id, cora.id, dora.id]);
    assert_eq!(code(anna.rest.create_conversation(&too_many).await), Some(Code::ConversationFull));
    let group = anna.group(&[&bela]).await;
    anna.rest.add_participant(group, &add(cora.id)).await.unwrap();
    assert_eq!(code(anna.rest.add_participant(group, &add(dora.id)).await), Some(Code::ConversationFull));
    // Who is there already is no further one.
    anna.rest.add_participant(group, &add(bela.id)).await.unwrap();
    assert_eq!(anna.log(group).await.len(), 2);
    cora.rest.remove_participant(group, cora.id).await.unwrap();
    anna.rest.add_participant(group, &add(dora.id)).await.unwrap();
    assert_eq!(roles(&dora, group).await.len(), 3);
}

#[tokio::test]
async fn everybody_concerned_hears_who_comes_and_goes() {
    let world = World::start().await;
    let [anna, bela, cora] = world.people(["anna", "bela", "cora"]).await;
    let (mut annas, mut belas, mut coras) = (anna.connect().await, bela.connect().await, cora.connect().await);
    let group = anna.group(&[&bela]).await;
    for wire in [&mut annas, &mut belas] {
        assert_eq!(wire.change().await.change, Change::Added);
    }
    coras.quiet().await;

    anna.rest.add_participant(group, &NewParticipant { user: cora.id, role: Some(Role::Admin) }).await.unwrap();
    for wire in [&mut annas, &mut belas, &mut coras] {
        let entry = wire.entry().await;
        let Body::MemberAdded(it) = entry.body else { panic!("{entry:?}") };
        assert_eq!((entry.seq, it.user, it.role, it.by), (2, cora.id, Role::Admin, anna.id));
    }
    assert_eq!(annas.change().await.change, Change::Changed);
    coras.find(|frame| added(frame, group)).await;

    cora.rest.change_role(group, bela.id, Role::Admin).await.unwrap();
    let title = ChangeConversation { title: Some("retitled".into()), topic: Some("tea".into()), ..Default::default() };
    bela.rest.change_conversation(group, &title).await.unwrap();
    let entry = annas.entry().await;
    assert!(matches!(entry.body, Body::RoleChanged(it) if it.user == bela.id && it.by == cora.id), "{entry:?}");
    let entry = annas.entry().await;
    assert!(matches!(&entry.body, Body::ConversationChanged(it) if *it == title), "{entry:?}");
    let told = annas.change().await;
    assert_eq!((told.rev, told.change), (4, Change::Changed));
    let info = cora.rest.conversation(group).await.unwrap();
    assert_eq!((info.title.as_deref(), info.topic.as_deref(), info.rev), (Some("retitled"), Some("tea"), 4));

    anna.rest.remove_participant(group, cora.id).await.unwrap();
    // Their removal is the last entry that they get.
    let last = coras
        .find(|frame| match frame {
            ServerFrame::Entry(it) if it.entry.seq == 5 => Some(it.entry.clone()),
            _ => None,
        })
        .await;
    assert!(matches!(last.body, Body::MemberRemoved(it) if it.user == cora.id && it.by == anna.id));
    let left = coras.change().await;
    assert_eq!((left.id, left.change), (group, Change::Left));
    anna.say(group, "without her").await;
    coras.quiet().await;
    assert_eq!(belas.find(|frame| entry_of(frame, 6)).await, anna.id);
    assert_eq!(cora.connect().await.heads, []);
    assert_eq!(cora.rest.conversations(&Paging::default()).await.unwrap().items, []);
}

fn added(frame: &ServerFrame, group: ConversationId) -> Option<()> {
    let told = matches!(frame, ServerFrame::Conversation(it) if it.id == group && it.change == Change::Added);
    told.then_some(())
}

fn entry_of(frame: &ServerFrame, seq: u64) -> Option<UserId> {
    match frame {
        ServerFrame::Entry(it) if it.entry.seq == seq => Some(it.entry.sender),
        _ => None,
    }
}

#[tokio::test]
async fn the_last_owner_leaves_an_heir() {
    let mut world = World::start().await;
    let [mut anna, mut bela, mut cora, mut dora] = world.people(["anna", "bela", "cora", "dora"]).await;
    let group = anna.group(&[]).await;
    for (who, role) in [(&bela, Role::Member), (&cora, Role::Admin), (&dora, Role::Admin)] {
        anna.rest.add_participant(group, &NewParticipant { user: who.id, role: Some(role) }).await.unwrap();
    }
    // An admin removes neither an admin nor the owner; a group keeps an owner.
    assert_eq!(code(cora.rest.remove_participant(group, dora.id).await), Some(Code::NotAdmin));
    assert_eq!(code(cora.rest.remove_participant(group, anna.id).await), Some(Code::NotAdmin));
    assert_eq!(code(cora.rest.change_role(group, cora.id, Role::Owner).await), Some(Code::NotAdmin));
    assert_eq!(code(anna.rest.change_role(group, anna.id, Role::Member).await), Some(Code::InvalidRequest));
    anna.rest.remove_participant(group, anna.id).await.unwrap();
    for _ in 0..2 {
        let all = roles(&bela, group).await;
        assert!(all.contains(&(cora.id, Role::Owner)), "the longest-serving admin: {all:?}");
        assert!(all.contains(&(dora.id, Role::Admin)) && all.contains(&(bela.id, Role::Member)) && all.len() == 3);
        world.restart(&mut [&mut anna, &mut bela, &mut cora, &mut dora]).await;
    }
    cora.rest.remove_participant(group, cora.id).await.unwrap();
    dora.rest.remove_participant(group, dora.id).await.unwrap();
    assert_eq!(
        roles(&bela, group).await,
        [(bela.id, Role::Owner)],
        "where there is no admin, the longest-serving member"
    );
    bela.rest.remove_participant(group, bela.id).await.unwrap();
    assert_eq!(code(bela.rest.conversation(group).await), Some(Code::NotFound));
}

#[tokio::test]
async fn a_channel_is_found_and_joined_by_anybody() {
    let world = World::start().await;
    let [anna, bela, cora] = world.people(["anna", "bela", "cora"]).await;
    let channel = anna.begin(ConversationKind::Channel, Some("Gardening"), &[]).await.id;
    anna.begin(ConversationKind::Channel, Some("News"), &[]).await;
    anna.begin(ConversationKind::Group, Some("Garden party, private"), &[]).await;
    let found = bela.rest.channels("gard", &Paging::default()).await.unwrap().items;
    assert_eq!(found.iter().map(|item| (item.id, item.title.as_str())).collect::<Vec<_>>(), [(channel, "Gardening")]);
    let one = bela.rest.channels("", &Paging { limit: Some(1), cursor: None }).await.unwrap();
    assert_eq!(one.items.len(), 1);
    let next = bela.rest.channels("", &Paging { limit: Some(1), cursor: one.next_cursor }).await.unwrap();
    assert_eq!((next.items.len(), next.next_cursor), (1, None));
    assert_ne!(next.items[0].id, one.items[0].id);

    anna.say(channel, "of old").await;
    // Before one has joined it is not there, and one does not join as its owner.
    assert_eq!(code(bela.rest.conversation(channel).await), Some(Code::NotFound));
    let owner = NewParticipant { user: bela.id, role: Some(Role::Owner) };
    assert_eq!(code(bela.rest.add_participant(channel, &owner).await), Some(Code::NotAdmin));
    bela.rest.add_participant(channel, &add(bela.id)).await.unwrap();
    assert_eq!(bela.rest.conversation(channel).await.unwrap().role, Role::Member);
    assert_eq!(bela.log(channel).await.len(), 3, "all of its history");
    assert_eq!(code(bela.rest.add_participant(channel, &add(cora.id)).await), Some(Code::NotAdmin));
    bela.say(channel, "hello").await;

    let admins = ChangeConversation { writers: Some(Writers::Admins), ..Default::default() };
    assert_eq!(code(bela.rest.change_conversation(channel, &admins).await), Some(Code::NotAdmin));
    anna.rest.change_conversation(channel, &admins).await.unwrap();
    assert_eq!(code(bela.rest.send_message(channel, &text("let me")).await), Some(Code::NotAdmin));
    let mut belas = bela.connect().await;
    belas.send(channel, text("let me")).await;
    assert_eq!(belas.error().await.code, Code::NotAdmin);
    anna.say(channel, "announcement").await;
    anna.rest.change_role(channel, bela.id, Role::Admin).await.unwrap();
    bela.say(channel, "another").await;

    // A new title is where it is found.
    let title = ChangeConversation { title: Some("Vegetables".into()), ..Default::default() };
    anna.rest.change_conversation(channel, &title).await.unwrap();
    assert_eq!(cora.rest.channels("gard", &Paging::default()).await.unwrap().items, []);
    assert_eq!(cora.rest.channels("VEG", &Paging::default()).await.unwrap().items.len(), 1);
    bela.rest.remove_participant(channel, bela.id).await.unwrap();
    bela.rest.add_participant(channel, &add(bela.id)).await.unwrap();
    assert_eq!(bela.rest.conversation(channel).await.unwrap().role, Role::Member);
}

#[tokio::test]
async fn own_settings_are_on_all_of_one_s_devices_and_nobody_else_s() {
    let mut world = World::start().await;
    let [mut anna, mut bela] = world.people(["anna", "bela"]).await;
    let mut other = world.device(&anna).await;
    let direct = anna.direct(&bela).await;
    let (mut others, mut belas) = (other.connect().await, bela.connect().await);
    let mute = Timestamp::MAX;
    let change = ChangePersonal { muted_until: Some(mute), pinned: Some(true), archived: None };
    anna.rest.change_personal(direct, &change).await.unwrap();
    let told = others.change().await;
    assert_eq!((told.id, told.change), (direct, Change::Changed));
    belas.quiet().await;
    let of = async |who: &Person| {
        let item = who.rest.conversations(&Paging::default()).await.unwrap().items.remove(0);
        (item.muted_until, item.pinned, item.archived)
    };
    for _ in 0..2 {
        assert_eq!(of(&other).await, (Some(mute), true, false));
        assert_eq!(of(&bela).await, (None, false, false));
        world.restart(&mut [&mut anna, &mut bela, &mut other]).await;
    }
    // What is absent stays as it is; a time that has passed unmutes.
    let archive = ChangePersonal { archived: Some(true), ..Default::default() };
    other.rest.change_personal(direct, &archive).await.unwrap();
    assert_eq!(of(&anna).await, (Some(mute), true, true));
    let unmute = ChangePersonal { muted_until: Some(Timestamp::default()), pinned: Some(false), ..Default::default() };
    other.rest.change_personal(direct, &unmute).await.unwrap();
    assert_eq!(of(&anna).await, (None, false, true));
    // Nothing of it is in the log.
    assert_eq!(anna.log(direct).await.len(), 1);
}

#[tokio::test]
async fn the_list_has_the_newest_activity_first() {
    let world = World::start().await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(anna.group(&[&bela]).await);
    }
    let mut order = made.clone();
    order.reverse();
    for index in [2, 0, 4] {
        // A millisecond apart, so that their times differ.
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        bela.say(made[index], "activity").await;
        order.retain(|id| *id != made[index]);
        order.insert(0, made[index]);
    }
    let mut listed = Vec::new();
    let mut cursor = None;
    loop {
        let page = anna.rest.conversations(&Paging { limit: Some(2), cursor }).await.unwrap();
        listed.extend(page.items);
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    let ids: Vec<_> = listed.iter().map(|item| item.head.id).collect();
    assert_eq!(ids[..3], order[..3]);
    assert_eq!(ids.len(), 5);
    assert_eq!((listed[0].head.unread, listed[0].last.seq, listed[0].title.as_deref()), (1, 2, Some("a group")));
}
