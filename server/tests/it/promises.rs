//! The six promises of the protocol, a story for each.

use std::{collections::HashMap, time::Instant};

use kith_protocol::{
    ClientFrame, Code, ConversationId, Entry, ServerFrame, Timestamp, UserId, Uuid,
    frame::{NewMessage, Ping, Sent},
};

use crate::world::{SOON, Wire, World, client_id, code, text, words};

/// Reads a socket until its own and others' entries of `conversation` reach `head`: each seq in its turn, with the text
/// where somebody else said it.
async fn read_to(wire: &mut Wire, conversation: ConversationId, after: u64, head: u64) -> Vec<(u64, Option<String>)> {
    let mut seen = Vec::new();
    while seen.last().map_or(after, |(seq, _)| *seq) < head {
        match wire.next().await {
            ServerFrame::Entry(it) if it.conversation == conversation => {
                seen.push((it.entry.seq, Some(words(&it.entry).to_owned())));
            }
            ServerFrame::Sent(it) if it.conversation == conversation => seen.push((it.seq, None)),
            ServerFrame::Error(error) => panic!("{error:?}"),
            _ => {}
        }
    }
    seen
}

fn dense(entries: &[Entry], first: u64) {
    for (entry, seq) in entries.iter().zip(first..) {
        assert_eq!(entry.seq, seq);
    }
}

/// 1. Two entries of a conversation have one order, by seq, for everybody, for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_has_the_same_order() {
    const EACH: usize = 40;
    let mut world = World::start().await;
    let [mut anna, mut bela, mut cora] = world.people(["anna", "bela", "cora"]).await;
    let annas_other = world.device(&anna).await;
    let group = anna.group(&[&bela, &cora]).await;
    let mut wires = Vec::new();
    for who in [&anna, &annas_other, &bela, &cora] {
        wires.push((who.device, who.connect().await));
    }
    let mut tasks = Vec::new();
    for (name, mut wire) in wires {
        tasks.push(tokio::spawn(async move {
            for n in 0..EACH {
                wire.send(group, text(format!("{name} {n}"))).await;
            }
            read_to(&mut wire, group, 1, 1 + 4 * EACH as u64).await
        }));
    }
    let mut said: HashMap<u64, String> = HashMap::new();
    for task in tasks {
        let seen = task.await.unwrap();
        assert_eq!(seen.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), (2..=1 + 4 * EACH as u64).collect::<Vec<_>>());
        assert_eq!(seen.iter().filter(|(_, text)| text.is_none()).count(), EACH);
        for (seq, text) in seen.into_iter().filter_map(|(seq, text)| Some((seq, text?))) {
            assert_eq!(said.entry(seq).or_insert(text.clone()), &text, "two devices disagree about {seq}");
        }
    }
    assert_eq!(said.len(), 4 * EACH);
    let before = anna.log(group).await;
    dense(&before, 1);
    for entry in &before[1..] {
        assert_eq!(said[&entry.seq], words(entry));
    }
    assert!(before.is_sorted_by_key(|entry| entry.at));
    world.restart(&mut [&mut anna, &mut bela, &mut cora]).await;
    for who in [&anna, &bela, &cora] {
        assert_eq!(who.log(group).await, before);
    }
}

/// 2. A `client_id` of a user in a conversation has one seq, whatever has failed, restarted, or who has left in between.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_sent_again_is_the_first() {
    let mut world = World::start().await;
    let [mut anna, mut bela] = world.people(["anna", "bela"]).await;
    let other = world.device(&bela).await;
    let group = anna.group(&[&bela]).await;
    let message = text("once");
    let (mut one, mut two) = (bela.connect().await, other.connect().await);
    let (first, second, third) = tokio::join!(
        one.tell(group, message.clone()),
        two.tell(group, message.clone()),
        bela.rest.send_message(group, &message),
    );
    assert_eq!((first.seq, second.seq, third.unwrap().seq), (2, 2, 2));
    // Many at once in one burst, mixed with others.
    for _ in 0..10 {
        one.send(group, message.clone()).await;
    }
    let twice = text("twice");
    one.send(group, twice.clone()).await;
    for _ in 0..11 {
        let sent = one.find(|frame| if let ServerFrame::Sent(sent) = frame { Some(*sent) } else { None }).await;
        let seq = if sent.client_id == twice.client_id { 3 } else { 2 };
        assert_eq!(sent.seq, seq, "each is answered, with the place of the first");
    }
    one.quiet().await;
    let told = read_to(&mut anna.connect_with(vec![(group, 3)]).await, group, 3, 3).await;
    assert_eq!(told, []);

    world.restart(&mut [&mut anna, &mut bela]).await;
    let mut wire = bela.connect().await;
    assert_eq!(wire.tell(group, message.clone()).await.seq, 2);
    assert_eq!(bela.rest.send_message(group, &message).await.unwrap().seq, 2);
    // The same key of another user, and in another conversation, is another message.
    assert_eq!(anna.rest.send_message(group, &message).await.unwrap().seq, 4);
    let direct = bela.direct(&anna).await;
    assert_eq!(bela.rest.send_message(direct, &message).await.unwrap().seq, 2);

    bela.rest.remove_participant(group, bela.id).await.unwrap();
    assert_eq!(wire.tell(group, message.clone()).await.seq, 2);
    assert_eq!(bela.rest.send_message(group, &message).await.unwrap().seq, 2);
    assert_eq!(code(bela.rest.send_message(group, &text("late")).await), Some(Code::NotFound));
    let texts: Vec<String> = anna.log(group).await.iter().map(|entry| words(entry).to_owned()).collect();
    assert_eq!(texts, ["", "once", "twice", "once", ""]);

    // A direct message that was sent before the block is found behind it.
    anna.rest.block(bela.id).await.unwrap();
    assert_eq!(bela.rest.send_message(direct, &message).await.unwrap().seq, 2);
    assert_eq!(code(bela.rest.send_message(direct, &text("late")).await), Some(Code::Blocked));
}

/// 3. If A's `sent` came before B sent, B's seq is higher.
#[tokio::test]
async fn what_was_sent_later_stands_later() {
    let world = World::start().await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let group = anna.group(&[&bela]).await;
    let (mut annas, mut belas) = (anna.connect().await, bela.connect().await);
    let mut last = (1, Timestamp::default());
    for n in 0..60 {
        let (seq, at) = match n % 3 {
            0 => place(annas.tell(group, text("a")).await),
            1 => place(belas.tell(group, text("b")).await),
            _ => {
                let entry = bela.say(group, "c").await;
                (entry.seq, entry.at)
            }
        };
        assert!(seq > last.0 && at >= last.1, "{seq} came after {last:?}");
        last = (seq, at);
    }
    assert_eq!(last.0, 61);
}

/// 4. What was `sent` is in every later read of the history, after any restart.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_sent_is_in_every_later_read() {
    let mut world = World::start().await;
    let [mut anna, mut bela] = world.people(["anna", "bela"]).await;
    let group = anna.group(&[&bela]).await;
    let mut sent: HashMap<u64, Uuid> = HashMap::new();
    for round in 0..3 {
        let mut wire = anna.connect().await;
        for n in 0..30 {
            let message = text(format!("{round} {n}"));
            let answer = wire.tell(group, message.clone()).await;
            assert_eq!(sent.insert(answer.seq, message.client_id), None, "one seq, one message");
            if n % 10 == 0 {
                assert_eq!(bela.log(group).await.last().map(|entry| entry.seq), Some(answer.seq));
            }
        }
        // Some that nobody waits for: they are there entirely or not at all, and what was `sent` is.
        for n in 0..30 {
            wire.send(group, text(format!("{round} late {n}"))).await;
        }
        world.restart(&mut [&mut anna, &mut bela]).await;
        for who in [&anna, &bela] {
            let log = who.log(group).await;
            dense(&log, 1);
            for (seq, client_id) in &sent {
                assert_eq!(log[*seq as usize - 1].client_id, Some(*client_id));
            }
        }
        let mut wire = bela.connect().await;
        let mut synced = Vec::new();
        loop {
            let page = wire.sync(group, synced.len() as u64, Some(50)).await;
            synced.extend(page.entries);
            if !page.more {
                break;
            }
        }
        assert_eq!(synced, bela.log(group).await);
    }
}

/// 5. On one socket the entries of a conversation, with `sent` for one's own, come in the order of their seqs, without gap.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_come_in_order_also_into_a_hello() {
    const BURST: u64 = 300;
    let world = World::start().await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let group = anna.group(&[&bela]).await;
    let mut speaker = anna.connect().await;
    let speaking = tokio::spawn(async move {
        for n in 0..BURST {
            speaker.send(group, text(format!("{n}"))).await;
            if n % 16 == 0 {
                tokio::task::yield_now().await;
            }
        }
        read_to(&mut speaker, group, 1, 1 + BURST).await
    });
    // Hellos that race with the burst: what the heads tell, then every entry above.
    let mut tasks = Vec::new();
    for _ in 0..6 {
        let mut wire = bela.connect().await;
        let head = wire.heads[0].head;
        tasks.push(tokio::spawn(async move {
            let seen = read_to(&mut wire, group, head, 1 + BURST).await;
            let seqs: Vec<u64> = seen.into_iter().map(|(seq, _)| seq).collect();
            assert_eq!(seqs, (head + 1..=1 + BURST).collect::<Vec<_>>());
        }));
    }
    // And one that has a little: entries up to the head that was told, then every entry above.
    let mut wire = bela.connect_with(vec![(group, 1)]).await;
    let head = wire.heads[0].head;
    let seqs: Vec<u64> =
        if head > 1 { wire.entries().await.entries.iter().map(|entry| entry.seq).collect() } else { Vec::new() };
    assert_eq!(seqs, (2..=head.min(101)).collect::<Vec<_>>());
    tasks.push(tokio::spawn(async move {
        let seen = read_to(&mut wire, group, head, 1 + BURST).await;
        let seqs: Vec<u64> = seen.into_iter().map(|(seq, _)| seq).collect();
        assert_eq!(seqs, (head + 1..=1 + BURST).collect::<Vec<_>>());
    }));
    for task in tasks {
        task.await.unwrap();
    }
    let own = speaking.await.unwrap();
    assert_eq!(own, (2..=1 + BURST).map(|seq| (seq, None)).collect::<Vec<_>>());
}

/// 5, with two who speak at once: each has `sent` exactly where the other has the entry.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sent_stands_where_the_own_entry_would() {
    const EACH: usize = 100;
    let world = World::start().await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let direct = anna.direct(&bela).await;
    let head = 1 + 2 * EACH as u64;
    let speak = async |id: UserId, mut wire: Wire| {
        for n in 0..EACH {
            wire.send(direct, text(format!("{id} {n}"))).await;
        }
        let seen = read_to(&mut wire, direct, 1, head).await;
        assert_eq!(seen.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), (2..=head).collect::<Vec<_>>());
        seen
    };
    let (annas, belas) = (anna.connect().await, bela.connect().await);
    let (one, other) = tokio::join!(speak(anna.id, annas), speak(bela.id, belas));
    for (one, other) in one.into_iter().zip(other) {
        assert_ne!(one.1.is_some(), other.1.is_some(), "{} is one's own of exactly one", one.0);
    }
}

/// 6. What was `sent` reaches every connected device of every member, even if nothing more is said.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_device_of_every_member_gets_it() {
    let world = World::start().await;
    let [anna, bela, cora, dora] = world.people(["anna", "bela", "cora", "dora"]).await;
    let (annas_other, belas_other) = (world.device(&anna).await, world.device(&bela).await);
    let group = anna.group(&[&bela, &cora]).await;
    let mut speaker = anna.connect().await;
    let mut same_device = anna.connect().await;
    let mut stranger = dora.connect().await;
    let mut devices = Vec::new();
    for who in [&annas_other, &bela, &belas_other, &cora] {
        devices.push(who.connect().await);
    }
    let poll = cora.rest.open_poll().await.unwrap().poll;
    let said = Instant::now();
    let sent = speaker.tell(group, text("hello, all")).await;
    for device in devices.iter_mut().chain([&mut same_device]) {
        let entry = device.entry().await;
        assert_eq!((entry.seq, words(&entry), entry.client_id), (sent.seq, "hello, all", Some(sent.client_id)));
    }
    let mut after = 0;
    loop {
        let frames = cora.rest.poll(poll, after, 5).await.unwrap().items;
        assert!(!frames.is_empty(), "the poll gets it too");
        after = frames.last().map_or(after, |frame| frame.n);
        let got = |frame: &ServerFrame| matches!(frame, ServerFrame::Entry(it) if it.entry.seq == sent.seq);
        if frames.iter().any(|numbered| got(&numbered.frame)) {
            break;
        }
    }
    assert!(said.elapsed() < SOON);
    // Not a second time to who sent it, and not to strangers.
    speaker.quiet().await;
    stranger.quiet().await;
    // What is sent over REST comes to all sockets, the sender's too.
    let entry = anna.say(group, "from REST").await;
    for device in devices.iter_mut().chain([&mut same_device, &mut speaker]) {
        assert_eq!(device.entry().await, entry);
    }
}

/// A ping between sends is answered in its turn, and changes nothing.
#[tokio::test]
async fn pings_between_sends_do_not_reorder_them() {
    let world = World::start().await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let direct = anna.direct(&bela).await;
    let mut wire = anna.connect().await;
    let ids: Vec<Uuid> = (0..50).map(|_| client_id()).collect();
    for id in &ids {
        wire.send(direct, NewMessage { client_id: *id, ..text("x") }).await;
        wire.say(ClientFrame::Ping(Ping::default())).await;
    }
    let mut sent = Vec::new();
    while sent.len() < ids.len() {
        if let ServerFrame::Sent(it) = wire.next().await {
            sent.push((it.client_id, it.seq));
        }
    }
    assert_eq!(sent, ids.into_iter().zip(2..).collect::<Vec<_>>());
}

fn place(sent: Sent) -> (u64, Timestamp) {
    (sent.seq, sent.at)
}
