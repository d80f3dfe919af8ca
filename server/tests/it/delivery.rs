//! Delivery to devices: resume, catching up, slow readers, long polls.

use std::time::{Duration, Instant};

use kith_client::{Error, Method, StatusCode};
use kith_protocol::{
    ClientFrame, Code, ConversationId, ServerFrame,
    entry::ConversationKind,
    frame::{Change, Ping},
    id::PollId,
    limits::{HEADS_CONVERSATIONS, RESUME_BYTES, RESUME_ENTRIES},
    rest::PresenceState,
};
use serde_json::json;

use crate::world::{Person, SOON, Wire, World, code, text, words};

/// The entries frames that come before the answer to a ping.
async fn resumed(wire: &mut Wire) -> Vec<kith_protocol::frame::Entries> {
    let mut entries = Vec::new();
    for frame in wire.so_far().await {
        match frame {
            ServerFrame::Entries(it) => entries.push(it),
            frame => panic!("{frame:?}"),
        }
    }
    entries
}

#[tokio::test]
async fn a_device_that_comes_back_gets_what_it_lacks_in_one_round_trip() {
    let mut world = World::start().await;
    let [mut anna, mut bela, cora] = world.people(["anna", "bela", "cora"]).await;
    let (one, other) = (anna.direct(&bela).await, bela.group(&[&anna]).await);
    let quiet = anna.direct(&cora).await;
    let mut belas = bela.connect().await;
    for n in 0..3 {
        belas.tell(one, text(format!("one {n}"))).await;
        belas.tell(other, text(format!("other {n}"))).await;
    }
    for round in 0..2 {
        let mut wire = anna.connect_with(vec![(other, 2), (one, 3), (quiet, 1)]).await;
        let heads: Vec<_> = wire.heads.iter().map(|head| (head.id, head.head)).collect();
        assert_eq!(heads.len(), 3);
        assert!(heads.contains(&(one, 4)) && heads.contains(&(other, 4)) && heads.contains(&(quiet, 1)));
        let entries = resumed(&mut wire).await;
        let told: Vec<_> = entries
            .iter()
            .map(|it| (it.conversation, it.entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(), it.head, it.more))
            .collect();
        assert_eq!(told, [(other, vec![3, 4], 4, false), (one, vec![4], 4, false)], "in the order of have");
        assert_eq!(words(&entries[1].entries[0]), "one 2");
        // What is up to date, and what is not asked for, is not told.
        let mut wire = anna.connect_with(vec![(one, 4), (quiet, 1)]).await;
        assert_eq!(resumed(&mut wire).await, []);
        // Nor twice the same conversation.
        let mut wire = anna.connect_with(vec![(one, 3), (one, 1)]).await;
        assert_eq!(resumed(&mut wire).await.len(), 1);
        if round == 0 {
            // The same from the disk, with all conversations asleep.
            world.restart(&mut [&mut anna, &mut bela]).await;
        }
    }
}

#[tokio::test]
async fn a_resume_is_bounded_and_says_what_is_left() {
    let world = World::start().await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let long = anna.group(&[&bela]).await;
    let mut belas = bela.connect().await;
    for n in 0..150 {
        belas.send(long, text(format!("{n}"))).await;
    }
    belas.tell(long, text("the last")).await;
    let mut have = vec![(long, 1)];
    // Ten conversations of 64 KiB: more than one hello brings.
    for _ in 0..10 {
        let big = bela.group(&[&anna]).await;
        for _ in 0..4 {
            belas.tell(big, text("x".repeat(16 * 1024))).await;
        }
        have.push((big, 1));
    }
    let mut wire = anna.connect_with(have.clone()).await;
    let entries = resumed(&mut wire).await;
    assert_eq!(entries[0].entries.len(), RESUME_ENTRIES);
    assert_eq!((entries[0].entries[0].seq, entries[0].head, entries[0].more), (2, 152, true));
    let bytes: usize = entries.iter().map(|it| serde_json::to_string(it).unwrap().len()).sum();
    assert!(bytes <= RESUME_BYTES, "{bytes}");
    assert!((3..8).contains(&entries.len()), "{}", entries.len());
    // The rest is pulled.
    let rest = wire.sync(long, 101, None).await;
    assert_eq!((rest.entries.len(), rest.more), (51, false));
    let lacking = have[10].0;
    assert!(!entries.iter().any(|it| it.conversation == lacking));
    assert_eq!(wire.sync(lacking, 1, None).await.entries.len(), 4);
    let some = wire.sync(long, 0, Some(10)).await;
    assert_eq!((some.entries.len(), some.head, some.more), (10, 152, true));
}

#[tokio::test]
async fn who_is_ahead_of_the_log_is_told() {
    let world = World::start().await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let direct = anna.direct(&bela).await;
    bela.say(direct, "hello").await;
    let mut wire = anna.connect_with(vec![(direct, 900)]).await;
    let entries = resumed(&mut wire).await;
    assert_eq!((entries[0].ahead, entries[0].head, entries[0].entries.len(), entries.len()), (true, 2, 0, 1));
    let synced = wire.sync(direct, 3, None).await;
    assert_eq!((synced.ahead, synced.head), (true, 2));
    assert!(!wire.sync(direct, 2, None).await.ahead);
}

#[tokio::test]
async fn an_open_socket_resumes_without_a_token() {
    let world = World::start().await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let direct = anna.direct(&bela).await;
    let mut wire = anna.connect().await;
    bela.say(direct, "one").await;
    bela.say(direct, "two").await;
    wire.entry().await;
    wire.entry().await;
    wire.resume(vec![(direct, 2)]).await;
    let ServerFrame::Heads(heads) = wire.next().await else { panic!("heads come first") };
    assert_eq!((heads.conversations[0].head, heads.more), (3, false));
    assert_eq!(wire.entries().await.entries.len(), 1);
    // And goes on as before.
    bela.say(direct, "three").await;
    assert_eq!(wire.entry().await.seq, 4);
    wire.resume(vec![(direct, 1); 501]).await;
    assert_eq!(wire.error().await.pointer.as_deref(), Some("/have"));
    wire.quiet().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_conversations_come_in_pages() {
    const MANY: usize = 2000;
    let mut world = World::start().await;
    let [mut anna, mut bela] = world.people(["anna", "bela"]).await;
    let mut made: Vec<ConversationId> = Vec::with_capacity(MANY);
    let making = Instant::now();
    while made.len() < MANY {
        let with = [&bela];
        let some = (0..16).map(|_| anna.begin(ConversationKind::Group, None, &with));
        made.extend(futures_util::future::join_all(some).await.into_iter().map(|info| info.id));
    }
    println!("{MANY} conversations in {:?}", making.elapsed());
    for round in 0..2 {
        let wire = bela.connect().await;
        assert_eq!(wire.heads.len(), MANY, "round {round}");
        assert!(wire.pages <= MANY / HEADS_CONVERSATIONS + 1, "{} pages", wire.pages);
        let mut told: Vec<_> = wire.heads.iter().map(|head| head.id).collect();
        told.sort_unstable();
        told.dedup();
        assert_eq!(told.len(), MANY, "each of them once");
        assert!(wire.heads.iter().all(|head| head.head == 1));
        let said = anna.say(made[7], "in one of them").await;
        let mut wire = bela.connect_with(made[..500].iter().map(|id| (*id, 1)).collect()).await;
        let entries = resumed(&mut wire).await;
        assert_eq!(entries.len(), 1);
        assert_eq!(entries[0].entries.last(), Some(&said));
        anna.rest.delete(said.id).await.unwrap();
        if round == 0 {
            world.restart(&mut [&mut anna, &mut bela]).await;
            made.remove(7);
            made.insert(7, anna.begin(ConversationKind::Group, None, &[&bela]).await.id);
            bela.rest.remove_participant(entries[0].conversation, bela.id).await.unwrap();
        }
    }
}

#[tokio::test]
async fn who_was_away_catches_up() {
    let world = World::start().await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let mut wire = bela.connect().await;
    let direct = anna.direct(&bela).await;
    assert_eq!(wire.change().await.change, Change::Added);
    anna.say(direct, "are you there?").await;
    let seen = wire.entry().await.seq;
    wire.socket.close(1000).await;
    for n in 0..5 {
        anna.say(direct, format!("away {n}")).await;
    }
    let mut wire = bela.connect_with(vec![(direct, seen)]).await;
    assert_eq!((wire.heads[0].head, wire.heads[0].unread), (7, 6));
    let entries = wire.entries().await.entries;
    assert_eq!(entries.iter().map(words).collect::<Vec<_>>(), ["away 0", "away 1", "away 2", "away 3", "away 4"]);
    // A device that is new has nothing, and sees where everything stands.
    let new = world.device(&bela).await;
    let wire = new.connect().await;
    assert_eq!((wire.heads[0].head, wire.heads[0].unread), (7, 6));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_reader_is_cut_off_and_loses_nothing() {
    const LONG: usize = 16 * 1024;
    let world = World::start().await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let group = anna.group(&[&bela]).await;
    let mut slow = bela.connect().await;
    let mut quick = anna.connect().await;
    // What the kernel's buffers and the server's queue hold is some 16 MiB at the most.
    let mut last = 1;
    for n in 0..2000 {
        last = quick.tell(group, text(format!("{n} {}", "x".repeat(LONG - 5)))).await.seq;
    }
    let mut got = 1;
    let closed = loop {
        match tokio::time::timeout(SOON, slow.socket.receive()).await.expect("something comes soon") {
            Ok(ServerFrame::Entry(it)) => {
                assert_eq!(it.entry.seq, got + 1, "in order up to the cut");
                got += 1;
            }
            Ok(frame) => panic!("{frame:?}"),
            Err(Error::Closed(closed)) => break closed.code,
            Err(error) => panic!("{error}"),
        }
    };
    assert!(got < last, "nobody was slow");
    assert!(matches!(closed, 4103 | 1006), "{closed}");
    let mut wire = bela.connect_with(vec![(group, got)]).await;
    let mut entries: Vec<u64> =
        resumed(&mut wire).await.into_iter().flat_map(|it| it.entries).map(|it| it.seq).collect();
    while *entries.last().unwrap_or(&got) < last {
        let after = *entries.last().unwrap_or(&got);
        entries.extend(wire.sync(group, after, None).await.entries.iter().map(|entry| entry.seq));
    }
    assert_eq!(entries, (got + 1..=last).collect::<Vec<_>>());
}

/// The frames of a poll after `after`, and the number of the last.
async fn fetch(who: &Person, poll: PollId, after: u64, wait_s: u64) -> Vec<(u64, ServerFrame)> {
    let frames = who.rest.poll(poll, after, wait_s).await.unwrap();
    frames.items.into_iter().map(|numbered| (numbered.n, numbered.frame)).collect()
}

#[tokio::test]
async fn a_long_poll_has_the_frames_of_the_socket() {
    let world = World::start().await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let direct = anna.direct(&bela).await;
    anna.say(direct, "before").await;
    let body = json!({ "have": [[direct.to_string(), 1]] });
    let (status, made) = bela.raw(Method::POST, "/v1/polls", Some(body)).await;
    assert_eq!(status, StatusCode::CREATED);
    let poll: PollId = made["poll"].as_str().unwrap().parse().unwrap();
    let first = fetch(&bela, poll, 0, 0).await;
    assert_eq!(first.iter().map(|(n, _)| *n).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(matches!(first[0].1, ServerFrame::Ready(_)) && matches!(first[1].1, ServerFrame::Heads(_)));
    assert!(matches!(&first[2].1, ServerFrame::Entries(it) if it.entries.len() == 1));
    // Repeated until it is acknowledged.
    assert_eq!(fetch(&bela, poll, 0, 0).await, first);
    assert_eq!(fetch(&bela, poll, 1, 0).await, first[1..]);
    assert_eq!(fetch(&bela, poll, 3, 0).await, []);
    assert_eq!(fetch(&bela, poll, 0, 0).await, [], "what was acknowledged is gone");

    // A GET that waits is woken.
    let waiting = tokio::spawn({
        let rest = bela.rest.clone();
        async move { rest.poll(poll, 3, 30).await.unwrap().items }
    });
    let said = anna.say(direct, "wake up").await;
    let woken = waiting.await.unwrap();
    assert_eq!(woken.len(), 1);
    assert!(matches!(&woken[0].frame, ServerFrame::Entry(it) if it.entry == said));
    assert_eq!(woken[0].n, 4);

    // A second GET ends the first.
    let waiting = tokio::spawn({
        let rest = bela.rest.clone();
        async move { rest.poll(poll, 4, 50).await.unwrap().items }
    });
    let began = Instant::now();
    let mut ended = false;
    while !ended {
        assert!(began.elapsed() < SOON, "the first GET was not ended");
        assert_eq!(fetch(&bela, poll, 4, 0).await, []);
        tokio::time::sleep(Duration::from_millis(20)).await;
        ended = waiting.is_finished();
    }
    assert_eq!(waiting.await.unwrap(), []);

    // Commands are answered in the poll, a send with `sent` in place of the entry.
    let message = text("from a poll");
    let send = ClientFrame::Send(kith_protocol::frame::Send { conversation: direct, message: message.clone() });
    let items = json!({ "items": [send, ClientFrame::Ping(Ping::default())] });
    let (status, _) = bela.raw(Method::POST, &format!("/v1/polls/{poll}/commands"), Some(items)).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (mut after, mut sent, mut pong) = (4, 0, false);
    while sent == 0 || !pong {
        let frames = fetch(&bela, poll, after, 5).await;
        assert!(!frames.is_empty(), "an answer comes");
        for (n, frame) in frames {
            after = n;
            match frame {
                ServerFrame::Sent(it) if it.client_id == message.client_id => sent = it.seq,
                ServerFrame::Pong(_) => pong = true,
                // Who sends has read what came before.
                ServerFrame::Receipt(it) => assert_eq!((it.user, it.read), (bela.id, 4)),
                frame => panic!("{frame:?}"),
            }
        }
    }
    assert_eq!((sent, words(&anna.log(direct).await[3])), (4, "from a poll"));

    bela.rest.close_poll(poll).await.unwrap();
    assert_eq!(code(bela.rest.poll(poll, after, 0).await), Some(Code::NotFound));
}

#[tokio::test]
async fn a_poll_counts_as_a_device_that_is_there() {
    let world = World::start().await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let mut annas = anna.connect().await;
    annas.watch(&[bela.id], &[]).await;
    assert_eq!(annas.presence().await.state, PresenceState::Offline);
    let poll = bela.rest.open_poll().await.unwrap().poll;
    assert_eq!(annas.presence().await.state, PresenceState::Online);
    bela.rest.close_poll(poll).await.unwrap();
    assert_eq!(annas.presence().await.state, PresenceState::Offline);
    // One whose device is revoked ends.
    let lost = world.device(&bela).await;
    let poll = lost.rest.open_poll().await.unwrap().poll;
    bela.rest.revoke(lost.device).await.unwrap();
    assert_eq!(code(lost.rest.poll(poll, 0, 0).await), Some(Code::Unauthenticated));
    assert_eq!(annas.presence().await.state, PresenceState::Online);
    assert_eq!(annas.presence().await.state, PresenceState::Offline);
}

#[tokio::test]
async fn a_server_that_stops_says_where_to_go() {
    let mut world = World::start().await;
    let anna = world.person("anna").await;
    let mut wire = anna.connect().await;
    let stopping = world.stop();
    let told = async {
        let goaway = wire.find(|frame| matches!(frame, ServerFrame::Goaway(_)).then_some(())).await;
        (goaway, wire.closed().await)
    };
    let ((), ((), closed)) = tokio::join!(stopping, told);
    assert_eq!(closed, 4101);
}
