//! Pages are cut by their bytes: whoever fills a conversation with the largest texts closes nobody's socket and leaves
//! nobody without what follows.

use std::collections::BTreeSet;

use kith::store::{Counts, Kind, Record, Store as _, Turn, sqlite::Sqlite};
use kith_client::{
    Method, StatusCode,
    rest::{Paging, Place, Search},
};
use kith_protocol::{
    Body, ClientFrame, Code, ConversationId, MessageId, ServerFrame, UserId,
    entry::ConversationKind,
    frame,
    id::PollId,
    limits::{PAGE_BYTES, RESUME_BYTES},
    rest::{EditMessage, NewParticipant},
};
use serde_json::json;

use crate::world::{MOMENT, Person, SOON, World, code, raw, text, words};

/// Bytes of the largest item, with what is around it.
const ITEM: usize = 128 * 1024;
/// Characters that take two bytes each in JSON: the most that a new text can.
const QUOTES: usize = 16 * 1024;

/// Puts entries into a log as a version did that took control characters, each of which takes six bytes.
async fn say_as_of_old(world: &mut World, log: ConversationId, sender: UserId, count: u64) {
    world.stop().await;
    let store = loop {
        match Sqlite::open(world.data_dir()) {
            Ok(store) => break store,
            Err(_) => tokio::time::sleep(MOMENT).await,
        }
    };
    let head = store.heads(vec![log]).await.unwrap()[0].unwrap();
    let body: bytes::Bytes = serde_json::to_vec(&json!({ "text": "\u{1}".repeat(10_800) })).unwrap().into();
    let record = |n: u64| Record {
        seq: head.seq + n,
        kind: Kind::Message,
        sender,
        device: None,
        client_id: None,
        at: head.at,
        true_at: None,
        expires_at: None,
        counts: Counts { messages: head.counts.messages + n, ..head.counts },
        body: body.clone(),
    };
    for n in 1..=count {
        store.write(log, head.seq + n - 1, Turn::append(vec![record(n)])).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_worst_texts_close_no_socket_and_all_of_them_are_had() {
    let mut world = World::start().await;
    let [mut anna, mut bela] = world.people(["anna", "bela"]).await;
    let group = anna.group(&[&bela]).await;
    say_as_of_old(&mut world, group, anna.id, 200).await;
    world.restart(&mut [&mut anna, &mut bela]).await;
    let brought = bela.connect_with(vec![(group, 1)]).await.entries().await;
    let bytes = serde_json::to_vec(&brought).unwrap().len();
    assert!(bytes <= RESUME_BYTES && brought.entries.len() > 1 && brought.more, "{bytes}");
    let (mut wire, mut annas) = (bela.connect().await, anna.connect().await);
    let (mut after, mut pages) = (1, 0);
    loop {
        let page = wire.sync(group, after, Some(200)).await;
        let bytes = serde_json::to_vec(&page).unwrap().len();
        assert!(bytes <= PAGE_BYTES + ITEM, "{bytes}");
        assert_eq!(page.entries.first().map(|entry| entry.seq), Some(after + 1), "the page begins behind the seq");
        assert_eq!(words(&page.entries[0]).chars().count(), 10_800, "what was stored stays readable");
        after = page.entries.last().unwrap().seq;
        pages += 1;
        assert_eq!(page.more, after < page.head);
        if !page.more {
            break;
        }
    }
    assert_eq!(after, 201);
    assert!((10..40).contains(&pages), "{pages}");
    // A device that asks for two pages at a time has both, and the others are not held up.
    for _ in 0..2 {
        wire.say(ClientFrame::Sync(frame::Sync { conversation: group, after: 1, limit: None })).await;
    }
    let said = annas.tell(group, text("still here")).await;
    assert_eq!(wire.entry().await.seq, said.seq);
    let heard = bela.say(group, "and so am I").await;
    assert_eq!(annas.entry().await.seq, heard.seq);
    // The same of what is in memory.
    for _ in 0..60 {
        annas.tell(group, text("\"".repeat(QUOTES))).await;
    }
    let page = annas.sync(group, heard.seq, None).await;
    assert!(serde_json::to_vec(&page).unwrap().len() <= PAGE_BYTES + ITEM && page.more);
    assert_eq!(page.entries[0].seq, heard.seq + 1);
}

/// Reads all of a history in one direction: the seqs of each page, as they came, each page bounded.
async fn pages(who: &Person, what: &str, group: ConversationId, from: &str, first: u64) -> Vec<Vec<u64>> {
    let mut pages: Vec<Vec<u64>> = Vec::new();
    let mut at = first;
    loop {
        let path = format!("/v1/conversations/{group}/{what}?{from}={at}&limit=200");
        let answer = raw(&who.rest, Method::GET, &path, &[], None).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(answer.body.len() <= PAGE_BYTES + ITEM, "{what} {from} {}", answer.body.len());
        let page: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        let seqs: Vec<u64> =
            page["items"].as_array().unwrap().iter().map(|item| item["seq"].as_u64().unwrap()).collect();
        let more = page["more"].as_bool().expect("it says whether there is more");
        assert!(!more || !seqs.is_empty(), "one item at least");
        if let Some(end) = if from == "after" { seqs.last() } else { seqs.first() } {
            at = *end;
        }
        pages.push(seqs);
        if !more {
            return pages;
        }
        assert!(pages.len() < 100, "it does not end");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_history_of_the_largest_texts_is_read_in_both_directions() {
    let mut world = World::start().await;
    let [mut anna, mut bela] = world.people(["anna", "bela"]).await;
    let group = anna.group(&[&bela]).await;
    say_as_of_old(&mut world, group, anna.id, 60).await;
    world.restart(&mut [&mut anna, &mut bela]).await;
    // Small texts that became large ones: what a page shows is not what it was sent as.
    let mut small = Vec::new();
    for n in 0..40 {
        small.push(anna.say(group, format!("{n}")).await.id);
    }
    for id in &small {
        let edit = EditMessage { text: "\"".repeat(QUOTES), mentions: Vec::new() };
        anna.rest.edit(*id, &edit).await.unwrap();
        bela.rest.react(*id, "👍").await.unwrap();
    }
    let shown: Vec<u64> = (1..=101).collect();
    let forth = pages(&bela, "messages", group, "after", 0).await;
    assert_eq!(forth.concat(), shown);
    assert!(forth.len() > 5, "{}", forth.len());
    let mut back = pages(&bela, "messages", group, "before", 1_000_000).await;
    assert_eq!(back[0].last(), Some(&101), "the page stays next to its seq");
    back.reverse();
    assert_eq!(back.concat(), shown);
    let log = pages(&bela, "log", group, "after", 0).await;
    assert_eq!(log.concat(), (1..=181).collect::<Vec<_>>());
    // Cut at both ends, with what was asked for in it.
    for seq in [1, 2, 30, 70, 101] {
        let page = bela.rest.messages(group, Place::Around(seq), Some(200)).await.unwrap();
        let seqs: Vec<u64> = page.items.iter().map(|message| message.entry.seq).collect();
        assert!(seqs.contains(&seq) && page.more == Some(true), "{seq} {seqs:?}");
        assert!(seqs.windows(2).all(|pair| pair[0] + 1 == pair[1]), "without a hole: {seqs:?}");
        assert!(serde_json::to_vec(&page).unwrap().len() <= PAGE_BYTES + 2 * ITEM);
        assert!(seq < 3 || seqs[0] < seq, "what is before it too: {seqs:?}");
        assert!(seq > 99 || seqs.last().unwrap() > &seq, "and behind it: {seqs:?}");
    }
    // A page that has all there is says so.
    let page = bela.rest.messages(group, Place::After(95), None).await.unwrap();
    assert_eq!((page.items.len(), page.more), (6, Some(false)));
    assert_eq!(bela.rest.messages(group, Place::Before(3), Some(2)).await.unwrap().more, Some(false));
    assert_eq!(bela.rest.messages(group, Place::Before(4), Some(2)).await.unwrap().more, Some(true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_of_the_largest_texts_are_cut_and_go_on() {
    let world = World::start().await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let mut all = BTreeSet::new();
    for _ in 0..45 {
        let group = anna.group(&[&bela]).await;
        let mut message = text(format!("needle {}", "\"".repeat(QUOTES - 7)));
        message.mentions = vec![bela.id];
        all.insert(anna.rest.send_message(group, &message).await.unwrap().id);
    }
    let seen = |page: usize, known: &mut BTreeSet<MessageId>, ids: Vec<MessageId>, next: &Option<String>| {
        assert!(page > 0 || next.is_some() && ids.len() < all.len(), "the first page is cut");
        assert!(!ids.is_empty() && ids.len() * 2 * QUOTES <= PAGE_BYTES + ITEM);
        for id in ids {
            assert!(known.insert(id), "{id} comes twice");
        }
    };
    let paging = |cursor| Paging { limit: Some(200), cursor };
    let (mut known, mut cursor) = (BTreeSet::new(), None);
    for page in 0.. {
        let list = bela.rest.conversations(&paging(cursor)).await.unwrap();
        seen(page, &mut known, list.items.iter().map(|item| item.last.id).collect(), &list.next_cursor);
        cursor = list.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(known, all);
    let (mut known, mut cursor) = (BTreeSet::new(), None);
    for page in 0.. {
        let list = bela.rest.mentions(&paging(cursor)).await.unwrap();
        seen(page, &mut known, list.items.iter().map(|message| message.entry.id).collect(), &list.next_cursor);
        cursor = list.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(known, all);
    let search = Search { words: "needle".into(), ..Search::default() };
    let until = std::time::Instant::now() + SOON;
    loop {
        let (mut known, mut cursor) = (BTreeSet::new(), None);
        loop {
            let list = bela.rest.search(&search, &paging(cursor)).await.unwrap();
            let bytes = serde_json::to_vec(&list).unwrap().len();
            assert!(bytes <= PAGE_BYTES + ITEM, "{bytes}");
            known.extend(list.items.iter().map(|item| item.message.entry.id));
            cursor = list.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        if known == all {
            break;
        }
        assert!(std::time::Instant::now() < until, "{} are found", known.len());
        tokio::time::sleep(MOMENT).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poll_brings_what_waits_page_by_page() {
    let world = World::start().await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let direct = anna.direct(&bela).await;
    let poll: PollId = bela.rest.open_poll().await.unwrap().poll;
    for _ in 0..60 {
        anna.say(direct, "\"".repeat(QUOTES)).await;
    }
    let (mut after, mut seqs, mut answers) = (0, Vec::new(), 0);
    while seqs.len() < 60 {
        let path = format!("/v1/polls/{poll}?after={after}&wait_s=5");
        let answer = raw(&bela.rest, Method::GET, &path, &[], None).await;
        assert!(answer.body.len() <= PAGE_BYTES + ITEM, "{}", answer.body.len());
        let frames: kith_protocol::rest::Frames = serde_json::from_slice(&answer.body).unwrap();
        answers += 1;
        assert!(!frames.items.is_empty() && answers < 70);
        for item in frames.items {
            assert_eq!(item.n, after + 1);
            after = item.n;
            if let ServerFrame::Entry(frame) = item.frame {
                seqs.push(frame.entry.seq);
            }
        }
    }
    assert_eq!(seqs, (2..=61).collect::<Vec<_>>());
    assert!(answers > 1, "{answers}");
}

#[tokio::test]
async fn a_text_loses_what_nobody_sees() {
    let world = World::start().await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let direct = anna.direct(&bela).await;
    let mut belas = bela.connect().await;
    let given = "a\u{0}\u{1}\u{1b}[1m\r\n\tb\u{7f}\u{85}\u{9f}ü\u{200d}";
    let kept = "a[1m\n\tbü\u{200d}";
    let said = anna.say(direct, given).await;
    assert_eq!((words(&said), words(&belas.entry().await)), (kept, kept));
    let mut annas = anna.connect().await;
    annas.tell(direct, text(given)).await;
    assert_eq!(words(&belas.entry().await), kept);
    let edit = |text: &str| EditMessage { text: text.into(), mentions: Vec::new() };
    let edited = anna.rest.edit(said.id, &edit(&format!("{given}2"))).await.unwrap();
    assert!(matches!(&edited.entry.body, Body::Message(it) if it.text == format!("{kept}2")));
    // What remains empty is refused like what was.
    assert_eq!(code(anna.rest.send_message(direct, &text("\u{1}\u{2}")).await), Some(Code::InvalidRequest));
    assert_eq!(code(anna.rest.edit(said.id, &edit("\u{1}")).await), Some(Code::InvalidRequest));
    annas.send(direct, text("\u{1}")).await;
    assert_eq!(annas.error().await.pointer.as_deref(), Some("/text"));
    assert_eq!(anna.log(direct).await.len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn read_receipts_come_in_pages_and_of_a_channel_as_counts() {
    let world = World::start().await;
    let [anna, bela, cora, dora] = world.people(["anna", "bela", "cora", "dora"]).await;
    let group = anna.group(&[&bela, &cora, &dora]).await;
    let said = anna.say(group, "hello").await;
    bela.rest.read(said.id).await.unwrap();
    let page = async |cursor| anna.rest.read_receipts(said.id, &Paging { limit: Some(2), cursor }).await.unwrap();
    let first = page(None).await;
    let second = page(first.next_cursor.clone()).await;
    let users: Vec<UserId> = first.items.iter().chain(&second.items).map(|item| item.user).collect();
    assert_eq!(users, [bela.id, cora.id, dora.id]);
    assert_eq!((first.items.len(), second.next_cursor.as_deref()), (2, None));
    for page in [&first, &second] {
        assert_eq!((page.delivered, page.read, page.total), (1, 1, 3));
    }
    let path = format!("/v1/messages/{}/read_receipts", said.id);
    for query in ["cursor=x", "limit=0", "limit=201"] {
        assert_eq!(anna.raw(Method::GET, &format!("{path}?{query}"), None).await.0, StatusCode::BAD_REQUEST);
    }

    let channel = anna.begin(ConversationKind::Channel, Some("news"), &[]).await.id;
    for who in [&bela, &cora, &dora] {
        who.rest.add_participant(channel, &NewParticipant { user: who.id, role: None }).await.unwrap();
    }
    let said = anna.say(channel, "to all").await;
    bela.rest.read(said.id).await.unwrap();
    cora.connect().await.delivered(channel, said.seq).await;
    let until = std::time::Instant::now() + SOON;
    loop {
        let counted = bela.rest.read_receipts(said.id, &Paging::default()).await.unwrap();
        assert_eq!((counted.items, counted.next_cursor, counted.total), (vec![], None, 3), "but its sender");
        if (counted.delivered, counted.read) == (2, 1) {
            break;
        }
        assert!(std::time::Instant::now() < until, "{} {}", counted.delivered, counted.read);
        tokio::time::sleep(MOMENT).await;
    }
    // One who asks without end holds nobody up.
    let asking = tokio::spawn({
        let rest = dora.rest.clone();
        async move { while rest.read_receipts(said.id, &Paging::default()).await.is_ok() {} }
    });
    let (mut annas, mut belas) = (anna.connect().await, bela.connect().await);
    for n in 0..20 {
        let sent = annas.tell(channel, text(format!("{n}"))).await;
        assert_eq!(belas.entry().await.seq, sent.seq);
    }
    asking.abort();
}
