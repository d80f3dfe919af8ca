//! Requests: what strangers bring a person into waits apart, and the person's other chats do not notice.

use std::time::Instant;

use kith::{
    backends::Backends,
    operator::verify::verify,
    store::{
        Change, Direction,
        schema::{self, Request, Value},
    },
};
use kith_client::{
    Method, StatusCode,
    rest::{Paging, Place},
};
use kith_protocol::{
    ClientFrame, Code, ConversationId, ServerFrame, Timestamp, UserId,
    entry::ConversationKind,
    frame::{NewMessage, TypingIn},
    rest::{ConversationItem, DeleteUser, NewParticipant, PresenceState, RequestAnswer},
};
use serde_json::{Value as Json, json};

use crate::world::{MOMENT, PASSWORD, Person, SOON, Wire, World, code, text, words};

/// A server with the limits on strangers that one has by default.
async fn guarded() -> World {
    World::with(|config| {
        config.limits.stranger_directs_per_day = 3;
        config.limits.stranger_groups_per_day = 0;
    })
    .await
}

async fn requests(person: &Person) -> Vec<ConversationItem> {
    person.rest.requests().await.unwrap().items
}

async fn chats(person: &Person) -> Vec<ConversationId> {
    let page = person.rest.conversations(&Paging { limit: Some(200), ..Default::default() }).await.unwrap();
    page.items.iter().map(|item| item.head.id).collect()
}

async fn members(person: &Person, conversation: ConversationId) -> Vec<UserId> {
    let page = person.rest.participants(conversation, &Paging::default()).await.unwrap();
    page.items.iter().map(|participant| participant.member.user).collect()
}

/// The next message that a socket brings.
async fn heard(wire: &mut Wire) -> String {
    wire.find(|frame| match frame {
        ServerFrame::Entry(it) => Some(words(&it.entry).to_owned()).filter(|words| !words.is_empty()),
        _ => None,
    })
    .await
}

/// Waits until something is so.
async fn until(what: &str, mut so: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + SOON;
    while !so().await {
        assert!(Instant::now() < end, "{what}");
        tokio::time::sleep(MOMENT).await;
    }
}

fn is_requests(frame: &ServerFrame) -> bool {
    matches!(frame, ServerFrame::Requests(_))
}

#[tokio::test]
async fn who_is_added_to_many_groups_sees_a_hundred_requests_and_nothing_else() {
    let world = guarded().await;
    let [anna, bert, carol, mallory] = world.people(["anna", "bert", "carol", "mallory"]).await;
    let chat = bert.direct(&anna).await;
    bert.say(chat, "hello").await;
    let (mut wire, mut annas) = (bert.connect().await, anna.connect().await);
    let of_carol = carol.group(&[&bert]).await;
    let mut groups = Vec::new();
    for number in 0..120 {
        let group = mallory.group(&[&bert]).await;
        let loud = NewMessage { mentions: vec![bert.id], ..text(format!("come {number}")) };
        mallory.rest.send_message(group, &loud).await.unwrap();
        groups.push(group);
        if number % 40 == 0 {
            // Meanwhile the others are at home.
            annas.tell(chat, text(format!("still here {number}"))).await;
            assert_eq!(heard(&mut wire).await, format!("still here {number}"));
        }
    }
    let add = NewParticipant { user: bert.id, role: None };
    let late = mallory.group(&[]).await;
    mallory.rest.add_participant(late, &add).await.unwrap();

    until("the oldest made room", async || requests(&bert).await.len() == 100).await;
    let waiting = requests(&bert).await;
    assert_eq!(waiting[0].head.id, late);
    assert_eq!(waiting[0].request.map(|request| request.from), Some(mallory.id));
    assert_eq!(waiting[1].head.id, groups[119]);
    // Who asks once is not pushed out by who asks often.
    assert_eq!(waiting[99].head.id, of_carol);
    until("bert is out of the oldest", async || !members(&mallory, groups[0]).await.contains(&bert.id)).await;
    assert!(members(&mallory, groups[119]).await.contains(&bert.id));

    assert_eq!(chats(&bert).await, [chat]);
    let so_far = wire.so_far().await;
    assert!(so_far.iter().all(is_requests), "{so_far:?}");
    let heads = bert.connect().await.heads;
    assert_eq!(heads.iter().map(|head| (head.id, head.unread)).collect::<Vec<_>>(), [(chat, 3)]);
    assert!(bert.rest.mentions(&Paging::default()).await.unwrap().items.is_empty());
    let found = bert.raw(Method::GET, "/v1/search?q=come", None).await;
    assert_eq!((found.0, &found.1["items"]), (StatusCode::OK, &json!([])));

    let mut world = world;
    world.stop().await;
    let report = verify(world.data_dir(), |_| {}).unwrap();
    assert!(report.is_clean(), "{report}");
}

#[tokio::test]
async fn a_few_strangers_a_day_are_heard_and_the_others_wait() {
    let mut world = guarded().await;
    let [mut bert, s1, s2, s3, mut late] = world.people(["bert", "sam", "sue", "sid", "late"]).await;
    let mut wire = bert.connect().await;
    for stranger in [&s1, &s2, &s3] {
        stranger.say(stranger.direct(&bert).await, "hello").await;
        assert_eq!(heard(&mut wire).await, "hello");
    }
    assert_eq!(chats(&bert).await.len(), 3);
    wire.so_far().await;

    let mut lates = late.connect().await;
    let apart = late.direct(&bert).await;
    lates.tell(apart, text("you do not know me")).await;
    let told = wire.find(|frame| if let ServerFrame::Requests(it) = frame { Some(it.waiting) } else { None }).await;
    assert_eq!(told, 1);
    assert_eq!(chats(&bert).await.len(), 3);
    let waiting = requests(&bert).await;
    assert_eq!((waiting.len(), waiting[0].kind, waiting[0].peer_user), (1, ConversationKind::Direct, Some(late.id)));
    assert_eq!(words(&waiting[0].last), "you do not know me");

    // To look at it tells the stranger nothing, and neither does being there.
    let page = bert.rest.messages(apart, Place::End, None).await.unwrap();
    assert_eq!(page.items.len(), 2);
    wire.delivered(apart, 2).await;
    wire.read(apart, 2).await;
    wire.say(ClientFrame::Typing(TypingIn { conversation: apart })).await;
    wire.so_far().await;
    lates.watch(&[bert.id], &[apart]).await;
    assert_eq!(lates.presence().await.state, PresenceState::Offline);
    lates.quiet().await;
    assert_eq!(late.rest.presence(bert.id).await.unwrap().state, PresenceState::Offline);
    assert_eq!(s1.rest.presence(bert.id).await.unwrap().state, PresenceState::Online);
    let receipts = late
        .rest
        .read_receipts(kith_protocol::MessageId { conversation: apart, seq: 2 }, &Paging::default())
        .await
        .unwrap();
    assert!(receipts.items.iter().all(|item| !item.delivered && !item.read), "{receipts:?}");

    world.restart(&mut [&mut bert, &mut late]).await;
    let mut wire = bert.connect().await;
    assert_eq!(wire.heads.len(), 3);
    assert_eq!(requests(&bert).await.len(), 1);
    late.say(apart, "are you there?").await;
    wire.quiet().await;

    bert.rest.answer_request(apart, RequestAnswer::Accepted).await.unwrap();
    assert_eq!(wire.change().await.id, apart);
    assert_eq!(chats(&bert).await[0], apart);
    assert!(requests(&bert).await.is_empty());
    assert_eq!(code(bert.rest.answer_request(apart, RequestAnswer::Accepted).await), Some(Code::NotFound));
    assert_eq!(late.rest.presence(bert.id).await.unwrap().state, PresenceState::Online);
    let again = bert.connect().await;
    let head = again.heads.iter().find(|head| head.id == apart).copied().unwrap();
    assert_eq!((head.unread, head.read), (2, 1));
    late.say(apart, "thank you").await;
    assert_eq!(heard(&mut wire).await, "thank you");
    // Whom one has accepted is no stranger.
    until("late is a contact", async || {
        late.group(&[&bert]).await;
        chats(&bert).await.len() > 4
    })
    .await;
    world.restart(&mut [&mut bert]).await;
    assert!(bert.connect().await.heads.iter().any(|head| head.id == apart));
}

#[tokio::test]
async fn to_write_is_to_accept_and_to_decline_is_to_hear_no_more() {
    let world = World::with(|config| {
        config.limits.stranger_directs_per_day = 0;
        config.limits.stranger_groups_per_day = 0;
    })
    .await;
    let [bert, mallory, carol, eve] = world.people(["bert", "mallory", "carol", "eve"]).await;
    let [direct, group] = [mallory.direct(&bert).await, mallory.group(&[&bert, &carol]).await];
    mallory.say(direct, "one").await;
    assert_eq!(requests(&bert).await.len(), 2);
    let mut wire = bert.connect().await;

    // A group that is declined is left, a direct conversation stays and is silent.
    bert.rest.answer_request(group, RequestAnswer::Declined).await.unwrap();
    assert!(!members(&mallory, group).await.contains(&bert.id));
    bert.rest.answer_request(direct, RequestAnswer::Declined).await.unwrap();
    mallory.say(direct, "two").await;
    assert!(wire.so_far().await.iter().all(is_requests));
    assert!(requests(&bert).await.is_empty() && chats(&bert).await.is_empty());
    // Until one begins it oneself.
    assert_eq!(bert.direct(&mallory).await, direct);
    assert_eq!(chats(&bert).await, [direct]);
    mallory.say(direct, "three").await;
    assert_eq!(heard(&mut wire).await, "three");

    let of_carol = carol.direct(&bert).await;
    carol.say(of_carol, "may I?").await;
    assert_eq!(requests(&bert).await.len(), 1);
    bert.say(of_carol, "you may").await;
    assert!(requests(&bert).await.is_empty());
    assert_eq!(chats(&bert).await[0], of_carol);

    let again = eve.group(&[&bert]).await;
    bert.rest.answer_request(again, RequestAnswer::Blocked).await.unwrap();
    assert!(!members(&eve, again).await.contains(&bert.id));
    let add = NewParticipant { user: bert.id, role: None };
    assert_eq!(code(eve.rest.add_participant(again, &add).await), Some(Code::Blocked));
    let bad = bert.raw(Method::PUT, &format!("/v1/users/me/requests/{again}"), Some(json!({"answer": "maybe"}))).await;
    assert_eq!((bad.0, &bad.1["code"]), (StatusCode::BAD_REQUEST, &Json::from("invalid_request")));
}

#[tokio::test]
async fn what_waits_is_outside_ones_own_bound() {
    let world = World::with(|config| {
        config.limits.conversations = 2;
        config.limits.stranger_groups_per_day = 0;
    })
    .await;
    let [bert, mallory] = world.people(["bert", "mallory"]).await;
    let first = mallory.group(&[&bert]).await;
    let second = bert.group(&[]).await;
    bert.group(&[]).await;
    assert_eq!(code(bert.rest.answer_request(first, RequestAnswer::Accepted).await), Some(Code::TooMany));
    assert_eq!(code(bert.rest.send_message(first, &text("in")).await), Some(Code::TooMany));
    assert_eq!(requests(&bert).await.len(), 1);
    bert.rest.remove_participant(second, bert.id).await.unwrap();
    bert.rest.answer_request(first, RequestAnswer::Accepted).await.unwrap();
    assert!(chats(&bert).await.contains(&first));
}

#[tokio::test]
async fn a_request_is_over_after_a_while_and_with_the_account() {
    let mut world = World::with(|config| {
        config.limits.stranger_directs_per_day = 0;
        config.limits.stranger_groups_per_day = 0;
    })
    .await;
    let [mut bert, mut mallory, mut dora] = world.people(["bert", "mallory", "dora"]).await;
    let [old, young] = [mallory.group(&[&bert, &dora]).await, mallory.group(&[&bert, &dora]).await];
    let direct = mallory.direct(&bert).await;
    mallory.say(direct, "hello").await;
    world.stop().await;
    age(&world, bert.id, &[old, direct]).await;
    world.restart(&mut [&mut bert, &mut mallory, &mut dora]).await;
    let waiting: Vec<_> = requests(&bert).await.iter().map(|item| item.head.id).collect();
    assert_eq!(waiting, [young]);
    until("bert is out of the old group", async || !members(&mallory, old).await.contains(&bert.id)).await;
    assert!(members(&mallory, young).await.contains(&bert.id));
    mallory.say(direct, "still here").await;
    assert_eq!((requests(&bert).await.len(), chats(&bert).await.len()), (1, 0));

    dora.rest.delete_user(&DeleteUser { password: PASSWORD.into() }).await.unwrap();
    assert!(!members(&mallory, young).await.contains(&dora.id));
    world.stop().await;
    let report = verify(world.data_dir(), |_| {}).unwrap();
    assert!(report.is_clean(), "{report}");
}

/// Lets the time of some requests be over, as it would be a month later.
async fn age(world: &World, user: UserId, requests: &[ConversationId]) {
    let end = Instant::now() + SOON;
    let backends = loop {
        match Backends::open(world.data_dir()) {
            Ok(backends) => break backends,
            // The server's last connections still say goodbye.
            Err(error) => assert!(Instant::now() < end, "{error}"),
        }
        tokio::time::sleep(MOMENT).await;
    };
    let store = backends.store();
    let past = Timestamp::from_millis(1);
    let rows =
        store.scan(schema::user::partition(user), schema::user::requests(), Direction::Ascending, 10).await.unwrap();
    for row in rows {
        let id = schema::user::conversation_of(&row.key).unwrap();
        if !requests.contains(&id) {
            continue;
        }
        let over = Request { until: past, ..Request::decode(&row.value).unwrap() };
        let put = Change::Put(row.key, over.encode());
        store.commit(schema::user::partition(user), vec![put], Vec::new()).await.unwrap();
        let due = schema::due::row(kith::clock::now(), schema::due::Task::Request(user, id));
        store.commit(due.partition, vec![Change::Put(due.key, Default::default())], Vec::new()).await.unwrap();
    }
}
