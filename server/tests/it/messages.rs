//! Messages and their later life: edits, deletions, reactions, replies, mentions, disappearing; and reading it all again.

use std::time::{Duration, Instant};

use kith_client::{Method, StatusCode, rest::Paging, rest::Place};
use kith_protocol::{
    Code, ConversationId, Entry,
    entry::{Body, RedactedKind},
    rest::{ChangeConversation, EditMessage, NewConversation, NewParticipant},
};
use serde_json::json;

use crate::world::{MOMENT, Person, SOON, World, code, message, text, words};

/// The time within which the server has to have deleted content off its disk.
const SCRUBBED: Duration = Duration::from_secs(60);

fn edit(text: &str) -> EditMessage {
    EditMessage { text: text.into(), mentions: Vec::new() }
}

fn seqs(entries: &[Entry]) -> Vec<u64> {
    entries.iter().map(|entry| entry.seq).collect()
}

async fn folded(who: &Person, conversation: ConversationId, place: Place, limit: u32) -> Vec<u64> {
    let page = who.rest.messages(conversation, place, Some(limit)).await.unwrap();
    page.items.iter().map(|message| message.entry.seq).collect()
}

#[tokio::test]
async fn an_edit_changes_the_text_for_everybody() {
    let mut world = World::start().await;
    let [mut anna, mut bela] = world.people(["anna", "bela"]).await;
    let direct = anna.direct(&bela).await;
    let said = anna.say(direct, "helo").await;
    let mut belas = bela.connect().await;
    anna.rest.edit(said.id, &edit("hello")).await.unwrap();
    let told = belas.entry().await;
    let Body::Edit(body) = &told.body else { panic!("{told:?}") };
    assert_eq!((told.seq, body.target, body.text.as_str()), (3, 2, "hello"));
    // The same text again is no edit.
    anna.rest.edit(said.id, &edit("hello")).await.unwrap();
    belas.quiet().await;
    anna.rest.edit(said.id, &edit("hello!")).await.unwrap();
    let last = belas.entry().await;
    for _ in 0..2 {
        let message = bela.rest.message(said.id).await.unwrap();
        assert_eq!((words(&message.entry), message.edited_at, message.deleted), ("hello!", Some(last.at), false));
        let page = bela.rest.messages(direct, Place::End, None).await.unwrap();
        assert_eq!(page.head, 4);
        // Edits do not show by themselves.
        assert_eq!(page.items.iter().map(|it| it.entry.seq).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(page.items[1], message);
        // The log tells all of it.
        assert_eq!(bela.log(direct).await.iter().map(words).collect::<Vec<_>>(), ["", "helo", "hello", "hello!"]);
        world.restart(&mut [&mut anna, &mut bela]).await;
    }
    // Not what is no message, nor with nothing, nor with too much.
    assert_eq!(code(anna.rest.edit(message(direct, 3), &edit("x")).await), Some(Code::NotFound));
    assert_eq!(code(anna.rest.edit(message(direct, 99), &edit("x")).await), Some(Code::NotFound));
    assert_eq!(code(anna.rest.edit(said.id, &edit("")).await), Some(Code::InvalidRequest));
    assert_eq!(code(anna.rest.edit(said.id, &edit(&"x".repeat(16_385))).await), Some(Code::InvalidRequest));
    assert_eq!(anna.log(direct).await.len(), 4);
}

#[tokio::test]
async fn what_is_deleted_leaves_the_disk() {
    let (first, second) = ("marker-of-the-first-text-5b1f", "marker-of-its-edit-77aa");
    let mut world = World::start().await;
    let [mut anna, mut bela] = world.people(["anna", "bela"]).await;
    let group = anna.group(&[&bela]).await;
    let said = anna.say(group, first).await;
    bela.rest.react(said.id, "👍").await.unwrap();
    anna.rest.edit(said.id, &edit(second)).await.unwrap();
    let kept = anna.say(group, "what stays").await;
    assert!(!world.files_with(first).is_empty(), "the marker can be found at all");
    assert!(!world.files_with(second).is_empty());
    let mut belas = bela.connect().await;
    anna.rest.delete(said.id).await.unwrap();
    let told = belas.entry().await;
    assert!(matches!(told.body, Body::Delete(target) if target.target == 2), "{told:?}");
    // Deleting it once more changes nothing.
    anna.rest.delete(said.id).await.unwrap();
    belas.quiet().await;
    for _ in 0..2 {
        let log = bela.log(group).await;
        assert_eq!(seqs(&log), [1, 2, 3, 4, 5, 6]);
        let Body::Redacted(what) = &log[1].body else { panic!("{:?}", log[1]) };
        assert_eq!((what.was, log[1].sender, log[1].at), (RedactedKind::Message, anna.id, said.at));
        let Body::Redacted(what) = &log[3].body else { panic!("{:?}", log[3]) };
        assert_eq!(what.was, RedactedKind::Edit);
        let page = bela.rest.messages(group, Place::End, None).await.unwrap();
        assert_eq!(
            page.items.iter().map(|it| (it.entry.seq, it.deleted)).collect::<Vec<_>>(),
            [(1, false), (2, true), (5, false)]
        );
        assert_eq!((page.items[1].reactions.len(), page.items[1].edited_at), (0, None));
        let synced = bela.connect().await.sync(group, 0, None).await.entries;
        assert_eq!(synced, log);
        world.restart(&mut [&mut anna, &mut bela]).await;
    }
    assert_eq!(code(anna.rest.edit(said.id, &edit("back")).await), Some(Code::NotFound));
    assert_eq!(code(bela.rest.react(said.id, "👍").await), Some(Code::NotFound));
    assert_eq!(words(&anna.rest.message(kept.id).await.unwrap().entry), "what stays");
    world.forgets(first, SCRUBBED).await;
    world.forgets(second, SCRUBBED).await;
    assert!(!world.files_with("what stays").is_empty(), "what was not deleted is still there");
}

/// Without a restart, and with a resend that must not bring it back.
#[tokio::test]
async fn a_resend_does_not_bring_a_deleted_text_back() {
    let marker = "marker-of-a-text-that-is-sent-again-09c2";
    let world = World::start().await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let direct = anna.direct(&bela).await;
    let message = text(marker);
    let said = anna.rest.send_message(direct, &message).await.unwrap();
    anna.rest.delete(said.id).await.unwrap();
    let again = anna.rest.send_message(direct, &message).await.unwrap();
    assert_eq!((again.seq, words(&again)), (2, ""));
    assert!(matches!(again.body, Body::Redacted(_)));
    assert_eq!(anna.connect().await.tell(direct, message).await.seq, 2);
    assert_eq!(bela.log(direct).await.len(), 3);
    world.forgets(marker, SCRUBBED).await;
}

#[tokio::test]
async fn reactions_are_put_and_taken_back() {
    let mut world = World::start().await;
    let [mut anna, mut bela, cora] = world.people(["anna", "bela", "cora"]).await;
    let group = anna.group(&[&bela, &cora]).await;
    let said = anna.say(group, "cake?").await;
    let mut annas = anna.connect().await;
    for (who, emoji) in [(&bela, "🎂"), (&cora, "🎂"), (&anna, "❤️"), (&bela, "👨‍👩‍👧")] {
        who.rest.react(said.id, emoji).await.unwrap();
        let told = annas.entry().await;
        assert!(matches!(&told.body, Body::Reaction(it) if it.on && it.emoji == emoji && it.target == 2), "{told:?}");
    }
    // Twice is once.
    bela.rest.react(said.id, "🎂").await.unwrap();
    cora.rest.unreact(said.id, "👍").await.unwrap();
    annas.quiet().await;
    let shown = |message: &kith_protocol::Message| -> Vec<(String, Vec<kith_protocol::UserId>)> {
        message.reactions.iter().map(|reaction| (reaction.emoji.clone(), reaction.users.clone())).collect()
    };
    for _ in 0..2 {
        assert_eq!(
            shown(&anna.rest.message(said.id).await.unwrap()),
            [
                ("🎂".to_owned(), vec![bela.id, cora.id]),
                ("❤️".to_owned(), vec![anna.id]),
                ("👨‍👩‍👧".to_owned(), vec![bela.id])
            ]
        );
        world.restart(&mut [&mut anna, &mut bela]).await;
    }
    bela.rest.unreact(said.id, "🎂").await.unwrap();
    anna.rest.unreact(said.id, "❤️").await.unwrap();
    let left = anna.rest.messages(group, Place::End, None).await.unwrap().items.pop().unwrap();
    assert_eq!(shown(&left), [("🎂".to_owned(), vec![cora.id]), ("👨‍👩‍👧".to_owned(), vec![bela.id])]);
    for bad in ["x", "two words", "", "👍👍👍👍👍👍👍👍👍👍👍👍👍👍👍👍👍"] {
        let refused = bela.rest.react(said.id, bad).await;
        assert!(matches!(code(refused), Some(Code::InvalidRequest | Code::NotFound)), "{bad}");
    }
    assert_eq!(code(bela.rest.react(message(group, 1), "👍").await), Some(Code::NotFound));
}

#[tokio::test]
async fn a_reply_names_a_message_of_the_same_conversation() {
    let world = World::start().await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let direct = anna.direct(&bela).await;
    anna.say(direct, "tea?").await;
    let mut reply = text("yes");
    reply.reply_to = Some(2);
    let said = bela.rest.send_message(direct, &reply).await.unwrap();
    assert!(matches!(&anna.log(direct).await[2].body, Body::Message(it) if it.reply_to == Some(2)));
    assert_eq!(said.seq, 3);
    for nowhere in [0, 4, u64::MAX] {
        let mut reply = text("to nothing");
        reply.reply_to = Some(nowhere);
        let (status, problem) = bela
            .raw(
                Method::POST,
                &format!("/v1/conversations/{direct}/messages"),
                Some(serde_json::to_value(&reply).unwrap()),
            )
            .await;
        assert_eq!((status, &problem["errors"][0]["pointer"]), (StatusCode::BAD_REQUEST, &json!("/reply_to")));
    }
    assert_eq!(anna.log(direct).await.len(), 3);
}

#[tokio::test]
async fn mentions_are_listed_and_counted() {
    let mut world = World::start().await;
    let [mut anna, mut bela, mut cora] = world.people(["anna", "bela", "cora"]).await;
    let group = anna.group(&[&bela]).await;
    let other = anna.group(&[&bela, &cora]).await;
    let mention = |words: &str, who: &[&Person]| {
        let mut message = text(words);
        message.mentions = who.iter().map(|who| who.id).collect();
        message
    };
    let first = anna.rest.send_message(group, &mention("first", &[&bela])).await.unwrap();
    anna.say(group, "nobody").await;
    let second = anna.rest.send_message(other, &mention("second", &[&bela, &cora])).await.unwrap();
    // Who is no member is not mentioned, whatever the message says; nor does one mention oneself.
    anna.rest.send_message(group, &mention("third", &[&cora, &anna])).await.unwrap();
    let fourth = cora.rest.send_message(other, &mention("fourth", &[&bela])).await.unwrap();

    // A mention is listed soon after its message is `sent`.
    let lists = async |who: &Person, expected: &[kith_protocol::MessageId]| {
        let until = Instant::now() + SOON;
        loop {
            let page = who.rest.mentions(&Paging::default()).await.unwrap();
            let listed: Vec<_> = page.items.iter().map(|message| message.entry.id).collect();
            if listed == expected {
                return;
            }
            assert!(Instant::now() < until, "{listed:?} is not {expected:?}");
            tokio::time::sleep(MOMENT).await;
        }
    };
    for _ in 0..2 {
        lists(&bela, &[fourth.id, second.id, first.id]).await;
        lists(&cora, &[second.id]).await;
        let heads = bela.connect().await.heads;
        let count = |id| heads.iter().find(|head| head.id == id).map(|head| (head.unread, head.mentions));
        assert_eq!((count(group), count(other)), (Some((3, 1)), Some((2, 2))));
        world.restart(&mut [&mut anna, &mut bela, &mut cora]).await;
    }
    let page = bela.rest.mentions(&Paging { limit: Some(2), cursor: None }).await.unwrap();
    assert_eq!(page.items.len(), 2);
    let rest = bela.rest.mentions(&Paging { limit: Some(2), cursor: page.next_cursor }).await.unwrap();
    assert_eq!(rest.items.iter().map(|message| message.entry.id).collect::<Vec<_>>(), [first.id]);

    // Reading takes them from the count, not from the list; deleting and leaving take them from the list.
    bela.rest.read(second.id).await.unwrap();
    let list = bela.rest.conversations(&Paging::default()).await.unwrap().items;
    let of = |id| list.iter().find(|item| item.head.id == id).map(|item| (item.head.unread, item.head.mentions));
    assert_eq!((of(group), of(other)), (Some((3, 1)), Some((1, 1))));
    lists(&bela, &[fourth.id, second.id, first.id]).await;
    anna.rest.delete(second.id).await.unwrap();
    lists(&bela, &[fourth.id, first.id]).await;
    lists(&cora, &[]).await;
    bela.rest.remove_participant(group, bela.id).await.unwrap();
    lists(&bela, &[fourth.id]).await;
}

#[tokio::test]
async fn what_disappears_is_gone_in_time() {
    let marker = "marker-of-what-disappears-c0de";
    let world = World::start().await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let new = NewConversation {
        kind: kith_protocol::entry::ConversationKind::Direct,
        members: vec![bela.id],
        title: None,
        expire_after_s: Some(1),
        encryption: None,
    };
    let direct = anna.rest.create_conversation(&new).await.unwrap();
    assert_eq!(direct.expire_after_s, Some(1));
    let said = anna.say(direct.id, marker).await;
    assert_eq!(said.expires_at, Some(said.at.plus(Duration::from_secs(1))));
    let until = Instant::now() + SOON;
    while !bela.rest.message(said.id).await.unwrap().deleted {
        assert!(Instant::now() < until, "it did not expire");
        tokio::time::sleep(MOMENT).await;
    }
    let log = bela.log(direct.id).await;
    assert_eq!(seqs(&log), [1, 2]);
    assert!(matches!(log[1].body, Body::Redacted(_)));
    // From when it is changed, messages stay again.
    let stay = ChangeConversation { expire_after_s: Some(0), ..Default::default() };
    anna.rest.change_conversation(direct.id, &stay).await.unwrap();
    assert_eq!(anna.say(direct.id, "what stays").await.expires_at, None);
    world.forgets(marker, SCRUBBED).await;
}

/// One that expires while the server is down is taken when it is up again.
#[tokio::test]
async fn what_expires_while_the_server_is_down_is_gone_after() {
    let marker = "marker-of-what-expires-in-the-dark-8d41";
    let mut world = World::start().await;
    let [mut anna, mut bela] = world.people(["anna", "bela"]).await;
    let direct = anna.direct(&bela).await;
    let short = ChangeConversation { expire_after_s: Some(1), ..Default::default() };
    anna.rest.change_conversation(direct, &short).await.unwrap();
    let said = anna.say(direct, marker).await;
    world.restart(&mut [&mut anna, &mut bela]).await;
    let until = Instant::now() + SOON;
    while !bela.rest.message(said.id).await.unwrap().deleted {
        assert!(Instant::now() < until, "it did not expire");
        tokio::time::sleep(MOMENT).await;
    }
    world.forgets(marker, SCRUBBED).await;
}

#[tokio::test]
async fn history_is_read_from_anywhere() {
    let world = World::start().await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let group = anna.group(&[&bela]).await;
    let mut wire = anna.connect().await;
    for n in 2..=30 {
        wire.tell(group, text(format!("{n}"))).await;
    }
    // 31 to 33: what does not show by itself.
    anna.rest.edit(message(group, 10), &edit("ten")).await.unwrap();
    bela.rest.react(message(group, 11), "👍").await.unwrap();
    anna.rest.delete(message(group, 12)).await.unwrap();
    let last = anna.say(group, "34").await;
    assert_eq!(last.seq, 34);

    let range = |range: std::ops::RangeInclusive<u64>| range.collect::<Vec<_>>();
    let raw = async |place, limit| seqs(&bela.rest.log(group, place, Some(limit)).await.unwrap().items);
    assert_eq!(raw(Place::End, 5).await, range(30..=34));
    assert_eq!(raw(Place::Before(10), 4).await, range(6..=9));
    assert_eq!(raw(Place::Before(3), 4).await, range(1..=2));
    assert_eq!(raw(Place::Before(1000), 2).await, range(33..=34));
    assert_eq!(raw(Place::After(10), 4).await, range(11..=14));
    assert_eq!(raw(Place::After(0), 200).await, range(1..=34));
    assert_eq!(raw(Place::After(34), 4).await, [0u64; 0]);
    assert_eq!(raw(Place::After(u64::MAX), 4).await, [0u64; 0]);
    assert_eq!(raw(Place::Around(10), 5).await, range(8..=12));
    assert_eq!(raw(Place::Around(1), 4).await, range(1..=4));
    assert_eq!(raw(Place::Around(34), 4).await, range(32..=34));

    assert_eq!(folded(&bela, group, Place::End, 3).await, [29, 30, 34]);
    assert_eq!(folded(&bela, group, Place::Before(34), 2).await, [29, 30]);
    assert_eq!(folded(&bela, group, Place::After(29), 5).await, [30, 34]);
    assert_eq!(folded(&bela, group, Place::After(10), 3).await, [11, 12, 13]);
    assert_eq!(folded(&bela, group, Place::Around(32), 4).await, [29, 30, 34]);
    assert_eq!(bela.rest.messages(group, Place::Before(5), None).await.unwrap().head, 34);
    assert_eq!(bela.rest.messages(group, Place::End, None).await.unwrap().items.len(), 31);

    // By time: the first at or after it, in the middle.
    let log = bela.log(group).await;
    let twentieth = log[19].at;
    let first = log.iter().find(|entry| entry.at >= twentieth).unwrap().seq;
    assert_eq!(raw(Place::At(twentieth), 2).await, [first - 1, first]);
    assert_eq!(raw(Place::At(kith_protocol::Timestamp::default()), 2).await, range(1..=2));
    assert_eq!(raw(Place::At(kith_protocol::Timestamp::MAX), 2).await, range(33..=34));

    let path = format!("/v1/conversations/{group}/log");
    for (query, pointer) in [
        ("limit=0", "?limit"),
        ("limit=201", "?limit"),
        ("limit=x", "?limit"),
        ("before=x", "?before"),
        ("at=yesterday", "?at"),
        ("before=1&after=2", "?before"),
    ] {
        let (status, problem) = bela.raw(Method::GET, &format!("{path}?{query}"), None).await;
        assert_eq!((status, &problem["errors"][0]["pointer"]), (StatusCode::BAD_REQUEST, &json!(pointer)), "{query}");
    }
}

#[tokio::test]
async fn in_a_group_history_begins_where_one_came() {
    let mut world = World::start().await;
    let [mut anna, mut bela, mut cora] = world.people(["anna", "bela", "cora"]).await;
    let group = anna.group(&[&bela]).await;
    let old = anna.say(group, "of old").await;
    let mut mentioning = text("of old, to one who will come");
    mentioning.mentions = vec![cora.id];
    anna.rest.send_message(group, &mentioning).await.unwrap();
    anna.rest.add_participant(group, &NewParticipant { user: cora.id, role: None }).await.unwrap();
    let new = anna.say(group, "welcome").await;
    for _ in 0..2 {
        assert_eq!(cora.rest.conversation(group).await.unwrap().since, 4);
        assert_eq!(seqs(&cora.log(group).await), [4, 5]);
        assert_eq!(folded(&cora, group, Place::Around(1), 50).await, [4, 5]);
        assert_eq!(folded(&cora, group, Place::Before(4), 50).await, Vec::<u64>::new());
        assert_eq!(folded(&cora, group, Place::At(old.at), 50).await, [4, 5]);
        assert_eq!(cora.rest.mentions(&Paging::default()).await.unwrap().items, []);
        let head = cora.connect().await.heads[0];
        assert_eq!((head.head, head.unread, head.mentions), (5, 1, 0), "nothing of before is unread");
        world.restart(&mut [&mut anna, &mut bela, &mut cora]).await;
    }
    // Who comes back begins anew.
    anna.rest.remove_participant(group, cora.id).await.unwrap();
    assert_eq!(code(cora.rest.message(new.id).await), Some(Code::NotFound));
    anna.rest.add_participant(group, &NewParticipant { user: cora.id, role: None }).await.unwrap();
    assert_eq!(seqs(&cora.log(group).await), [7]);
    assert_eq!(seqs(&bela.log(group).await), [1, 2, 3, 4, 5, 6, 7]);
    // In a channel everybody has all of it.
    let channel = anna.begin(kith_protocol::entry::ConversationKind::Channel, Some("news"), &[]).await.id;
    anna.say(channel, "of old").await;
    cora.rest.add_participant(channel, &NewParticipant { user: cora.id, role: None }).await.unwrap();
    assert_eq!(seqs(&cora.log(channel).await), [1, 2, 3]);
}
