//! Entries of a later version keep their place in a log, and nothing that reads logs ends at it.

use kith::{
    backends::Backends,
    operator::{inspect::inspect, verify::verify},
    store::{Counts, Head, Kind, Record, Turn},
};
use kith_client::rest::{Paging, Place, Search};
use kith_protocol::{Body, ConversationId, entry::ConversationKind};
use serde_json::json;

use crate::world::{MOMENT, Person, World};

/// Appends one entry of each reserved kind, and the rest of a sealed message, while the server does not run.
async fn write_as_later(world: &World, log: ConversationId, sender: &Person) -> u64 {
    let backends = Backends::open(world.data_dir()).unwrap();
    let Head { seq: head, at, counts } = backends.store().heads(vec![log]).await.unwrap()[0].unwrap();
    let bodies = [
        (Kind::Sealed, json!({ "epoch": 1, "mls": "AAAA", "box": "AAAA" })),
        (Kind::Commit, json!({ "group": "g", "epoch": 1, "commit": "AAAA", "changes": [] })),
        (Kind::DevicesChanged, json!({ "user": sender.id, "n": 2, "hash": "AAAA", "add": [], "remove": [] })),
        (Kind::Redacted, json!({ "was": "sealed" })),
    ];
    let record = |(n, (kind, body)): (u64, &(Kind, serde_json::Value))| Record {
        seq: head + n,
        kind: *kind,
        sender: sender.id,
        device: Some(sender.device),
        client_id: None,
        at,
        true_at: None,
        expires_at: None,
        // The sealed message counts.
        counts: Counts { messages: counts.messages + 1, ..counts },
        body: body.to_string().into(),
    };
    let records = (1..).zip(&bodies).map(record).collect();
    backends.store().write(log, head, Turn::append(records)).await.unwrap();
    let released = backends.released();
    drop(backends);
    released.await;
    head
}

#[tokio::test]
async fn kinds_that_are_reserved_are_passed_by_all_that_reads_a_log() {
    let mut world = World::start().await;
    let [mut anna, mut bela] = world.people(["anna", "bela"]).await;
    let group = anna.begin(ConversationKind::Group, Some("a group"), &[&bela]).await.id;
    anna.say(group, "before").await;
    world.stop().await;
    let head = write_as_later(&world, group, &anna).await;
    world.restart(&mut [&mut anna, &mut bela]).await;

    // The conversation is as open as before, and they keep their places.
    let last = anna.rest.conversations(&Paging::default()).await.unwrap().items[0].last.clone();
    assert_eq!((last.seq, last.body), (head + 4, Body::Unknown));
    let after = anna.say(group, "after").await;
    assert_eq!(after.seq, head + 5);
    let log = bela.rest.log(group, Place::After(head), None).await.unwrap();
    let seqs: Vec<_> = log.items.iter().map(|entry| entry.seq).collect();
    assert_eq!(seqs, (head + 1..=head + 5).collect::<Vec<_>>());
    assert!(log.items[..4].iter().all(|entry| entry.body == Body::Unknown));
    let shown = bela.rest.messages(group, Place::After(head - 1), None).await.unwrap();
    let shown: Vec<_> = shown.items.iter().map(|message| message.entry.seq).collect();
    assert_eq!(shown, [head, head + 5]);

    // The index goes on behind them.
    let asked = Search { words: "after".to_owned(), ..Search::default() };
    while bela.rest.search(&asked, &Paging::default()).await.unwrap().items.is_empty() {
        tokio::time::sleep(MOMENT).await;
    }
    world.stop().await;
    let report = verify(world.data_dir(), |_| {}).unwrap();
    assert!(report.is_clean(), "{report:?}");
    let mut lines = Vec::new();
    inspect(world.data_dir(), &group.to_string().parse().unwrap(), |line| lines.push(line.to_owned())).unwrap();
    for kind in Kind::RESERVED {
        assert!(lines.iter().any(|line| line.contains(kind.name())), "{kind:?} in {lines:?}");
    }
}
