//! The stories of turns and of what is raised.

use std::sync::Arc;

use bytes::Bytes;
use kith_protocol::UserId;
use tokio::task::JoinSet;

use super::{
    super::{Change, Kind, Raise, Record, RowKey, RowWrite, Store, Turn, WriteError, ranked},
    anonymous, append, conversation, head, message, user, whole,
};
use crate::{clock, limits};

/// A row in one of two partitions.
fn row(partition: &[u8], key: &str) -> RowKey {
    RowKey { partition: partition.to_vec(), key: key.as_bytes().to_vec() }
}

fn put(row: RowKey, value: &str) -> RowWrite {
    RowWrite::Put(row, Bytes::copy_from_slice(value.as_bytes()))
}

fn raise(row: RowKey, rank: u64, value: &str) -> Raise {
    Raise { row, rank, value: Bytes::copy_from_slice(value.as_bytes()) }
}

async fn value(store: &dyn Store, row: RowKey) -> Option<Bytes> {
    store.get(vec![row]).await.unwrap().remove(0)
}

/// The rank and the value of a row that was raised.
async fn rank(store: &dyn Store, row: RowKey) -> Option<(u64, String)> {
    let stored = value(store, row).await?;
    let (rank, value) = ranked(&stored).unwrap();
    Some((rank, String::from_utf8(value.to_vec()).unwrap()))
}

pub(super) async fn a_turn_changes_entries_and_rows_together(store: &dyn Store) {
    let (log, sender) = (conversation(), user());
    let (one, two, gone) = (row(b"one", "a"), row(b"two", "a"), row(b"two", "gone"));
    append(store, log, 0, vec![anonymous(1, sender, "one"), anonymous(2, sender, "two")]).await.unwrap();
    store.commit(gone.partition.clone(), vec![Change::Put(gone.key.clone(), "there".into())], vec![]).await.unwrap();
    let redacted = Record { kind: Kind::Redacted, ..anonymous(1, sender, "{}") };
    let turn = Turn {
        append: vec![anonymous(3, sender, "three")],
        redact: vec![redacted.clone()],
        rows: vec![
            put(one.clone(), "first"),
            RowWrite::Delete(gone.clone()),
            put(two.clone(), "1"),
            RowWrite::Raise(raise(row(b"one", "pointer"), 7, "seven")),
            put(one.clone(), "the last of one row stays"),
        ],
    };
    assert_eq!(store.write(log, 2, turn).await, Ok(()));
    let log = whole(store, log).await;
    assert_eq!(log, [redacted, anonymous(2, sender, "two"), anonymous(3, sender, "three")]);
    assert_eq!(value(store, one).await, Some("the last of one row stays".into()));
    assert_eq!((value(store, two).await, value(store, gone).await), (Some("1".into()), None));
    assert_eq!(rank(store, row(b"one", "pointer")).await, Some((7, "seven".into())));
}

pub(super) async fn a_turn_that_is_refused_changes_nothing(store: &dyn Store) {
    let (log, sender, client_id) = (conversation(), user(), clock::uuid());
    let (kept, new, pointer) = (row(b"one", "kept"), row(b"two", "new"), row(b"one", "pointer"));
    let first = Turn {
        append: vec![message(1, sender, client_id), anonymous(2, sender, "two"), anonymous(3, sender, "three")],
        redact: vec![],
        rows: vec![put(kept.clone(), "kept"), RowWrite::Raise(raise(pointer.clone(), 3, "three"))],
    };
    store.write(log, 0, first).await.unwrap();
    let before = whole(store, log).await;
    let changes = |append: Vec<Record>| Turn {
        append,
        redact: vec![Record { kind: Kind::Redacted, ..anonymous(2, sender, "") }],
        rows: vec![
            put(new.clone(), "new"),
            RowWrite::Delete(kept.clone()),
            RowWrite::Raise(raise(pointer.clone(), 9, "nine")),
        ],
    };
    // Who missed an entry, who sees one that is not there, who sends again; with entries or without.
    for expected in [0, 2, 4] {
        for append in [vec![], vec![anonymous(expected + 1, sender, "late")]] {
            let refused = store.write(log, expected, changes(append)).await;
            assert_eq!(refused, Err(WriteError::Conflict { head: 3 }), "at {expected}");
        }
    }
    let again = store.write(log, 3, changes(vec![anonymous(4, sender, "new"), message(5, sender, client_id)])).await;
    assert_eq!(again, Err(WriteError::Known(vec![(1, 1)])));
    assert_eq!(whole(store, log).await, before);
    assert_eq!((value(store, kept.clone()).await, value(store, new.clone()).await), (Some("kept".into()), None));
    assert_eq!(rank(store, pointer.clone()).await, Some((3, "three".into())));
    // Without entries it is as good as any other where the head is right.
    assert_eq!(store.write(log, 3, changes(vec![])).await, Ok(()));
    assert_eq!((value(store, kept).await, value(store, new).await), (None, Some("new".into())));
    assert_eq!(head(store, log).await, 3);
    assert_eq!(whole(store, log).await[1].kind, Kind::Redacted);
    // A log that has no entry yet has rows of its own making too.
    let empty = conversation();
    assert_eq!(store.write(empty, 0, Turn::rows(vec![put(row(b"two", "empty"), "0")])).await, Ok(()));
    assert_eq!(value(store, row(b"two", "empty")).await, Some("0".into()));
}

pub(super) async fn a_turn_too_large_changes_nothing(store: &dyn Store) {
    let (log, sender, client_id) = (conversation(), user(), clock::uuid());
    let (one, two) = (row(b"one", "large"), row(b"two", "large"));
    append(store, log, 0, vec![message(1, sender, client_id)]).await.unwrap();
    let beside = 2 * (one.partition.len() + one.key.len()) + limits::BODY_BYTES + 10;
    let turn = |bytes: usize| Turn {
        append: vec![Record { body: vec![b'a'; limits::BODY_BYTES].into(), ..message(2, sender, client_id) }],
        redact: vec![anonymous(1, sender, "0123456789")],
        rows: vec![
            RowWrite::Put(one.clone(), vec![b'b'; 100_000].into()),
            RowWrite::Put(two.clone(), vec![b'b'; bytes - beside - 100_000].into()),
        ],
    };
    assert_eq!(turn(limits::STORE_TURN_BYTES).bytes(), limits::STORE_TURN_BYTES);
    let before = whole(store, log).await;
    // It is told first, whatever else is wrong with it.
    for expected in [0, 1, 2] {
        let mut large = turn(limits::STORE_TURN_BYTES + 1);
        large.append[0].seq = expected + 1;
        assert_eq!(store.write(log, expected, large).await, Err(WriteError::TooLarge), "at {expected}");
    }
    assert_eq!(whole(store, log).await, before);
    assert_eq!((value(store, one.clone()).await, value(store, two.clone()).await), (None, None));
    let mut fits = turn(limits::STORE_TURN_BYTES);
    fits.append[0].client_id = None;
    assert_eq!(store.write(log, 1, fits).await, Ok(()));
    assert_eq!(head(store, log).await, 2);
    assert_eq!(value(store, one).await.unwrap().len(), 100_000);
}

pub(super) async fn what_is_raised_never_goes_back(store: &dyn Store) {
    let ranks = [0, 1, 2, u64::MAX];
    let mut orders = vec![vec![]];
    for _ in ranks {
        let longer = |order: &Vec<u64>| {
            let order = order.clone();
            ranks.into_iter().filter(|rank| !order.contains(rank)).map(|rank| [&order[..], &[rank]].concat()).collect()
        };
        orders = orders.iter().flat_map(|order| -> Vec<Vec<u64>> { longer(order) }).collect();
    }
    assert_eq!(orders.len(), 24);
    let log = conversation();
    for (number, order) in orders.iter().enumerate() {
        let pointer = row(b"one", &format!("pointer {number}"));
        let mut highest = None;
        for (place, of) in order.iter().enumerate() {
            // By a turn or alone.
            let raised = raise(pointer.clone(), *of, &format!("{of}"));
            if place % 2 == 0 {
                assert_eq!(store.raise(vec![raised]).await, Ok(()));
            } else {
                assert_eq!(store.write(log, 0, Turn::rows(vec![RowWrite::Raise(raised)])).await, Ok(()));
            }
            highest = highest.max(Some(*of));
            let expected = highest.map(|rank| (rank, rank.to_string()));
            assert_eq!(rank(store, pointer.clone()).await, expected, "{order:?}");
        }
    }
    // Of two of one rank the first stays; several rows at once, and one of them twice.
    let (one, two) = (row(b"one", "one"), row(b"two", "two"));
    let rows = [(&one, 5, "first"), (&two, 2, "two"), (&one, 5, "second"), (&one, 4, "lower"), (&two, 3, "three")];
    let rows = rows.map(|(row, rank, value)| raise(row.clone(), rank, value));
    assert_eq!(store.raise(rows.to_vec()).await, Ok(()));
    assert_eq!(rank(store, one.clone()).await, Some((5, "first".into())));
    assert_eq!(rank(store, two).await, Some((3, "three".into())));
    assert_eq!(store.raise(vec![]).await, Ok(()));
    // One that was deleted begins anew.
    store.commit(one.partition.clone(), vec![Change::Delete(one.key.clone())], vec![]).await.unwrap();
    assert_eq!(rank(store, one.clone()).await, None);
    assert_eq!(store.raise(vec![raise(one.clone(), 1, "again")]).await, Ok(()));
    assert_eq!(rank(store, one).await, Some((1, "again".into())));
}

pub(super) async fn what_many_raise_ends_at_the_highest(store: Arc<dyn Store>) {
    let pointer = row(b"one", "pointer");
    let mut raising = JoinSet::new();
    for who in 0..8u64 {
        let (store, pointer) = (store.clone(), pointer.clone());
        raising.spawn(async move {
            for step in 0..12 {
                let of = (who * 37 + step * 53) % 97;
                store.raise(vec![raise(pointer.clone(), of, &of.to_string())]).await.unwrap();
                assert!(rank(&*store, pointer.clone()).await.unwrap().0 >= of, "what was acknowledged is seen");
            }
        });
    }
    raising.join_all().await;
    let highest = (0..8).flat_map(|who| (0..12).map(move |step| (who * 37 + step * 53) % 97)).max();
    let highest = highest.map(|rank: u64| (rank, rank.to_string()));
    assert_eq!(rank(&*store, pointer).await, highest);
}

const TURNS: u64 = 15;

/// Each believes that it alone keeps the log, and goes on from the head that a conflict tells: the rows that travel with the
/// entries say of every entry what its own turn wrote, however the turns fall.
pub(super) async fn two_who_keep_one_log_leave_what_the_log_says(store: Arc<dyn Store>) {
    let log = conversation();
    let mut keepers = JoinSet::new();
    for _ in 0..2 {
        let store = store.clone();
        keepers.spawn(async move {
            let (sender, mut believed) = (user(), 0);
            for _ in 0..TURNS {
                loop {
                    match store.write(log, believed, counted(believed, sender)).await {
                        Ok(()) => break believed += 2,
                        Err(WriteError::Conflict { head }) => {
                            assert_ne!(head, believed);
                            believed = head;
                        }
                        Err(error) => panic!("{error}"),
                    }
                }
            }
        });
    }
    keepers.join_all().await;
    let entries = whole(&*store, log).await;
    assert_eq!(entries.len() as u64, 2 * 2 * TURNS);
    let last = Bytes::from(entries.len().to_string());
    assert_eq!(value(&*store, row(b"one", "head")).await, Some(last.clone()));
    assert_eq!(value(&*store, row(b"two", "head")).await, Some(last));
    for pair in entries.chunks(2) {
        let [first, second] = pair else { panic!("a turn is there by half") };
        assert_eq!(first.sender, second.sender);
        let by = value(&*store, row(b"one", &format!("turn {}", second.seq))).await;
        assert_eq!(by, Some(Bytes::from(second.sender.to_string())));
        // The turn behind it has redacted its second entry.
        let expected = if second.seq == entries.len() as u64 { Kind::Message } else { Kind::Redacted };
        assert_eq!((first.kind, second.kind), (Kind::Message, expected), "{}", second.seq);
    }
}

/// Two entries, the redaction of the one before them, and rows in two partitions that say so.
fn counted(head: u64, sender: UserId) -> Turn {
    let to = (head + 2).to_string();
    Turn {
        append: vec![message(head + 1, sender, clock::uuid()), message(head + 2, sender, clock::uuid())],
        redact: (head > 0)
            .then(|| Record { kind: Kind::Redacted, ..anonymous(head, sender, "{}") })
            .into_iter()
            .collect(),
        rows: vec![
            put(row(b"one", "head"), &to),
            put(row(b"two", "head"), &to),
            put(row(b"one", &format!("turn {to}")), &sender.to_string()),
        ],
    }
}

pub(super) async fn a_head_that_nobody_moved_is_confirmed(store: &dyn Store) {
    let (log, sender) = (conversation(), user());
    assert_eq!(store.confirm(log, 0).await, Ok(()));
    for seq in 1..=3 {
        append(store, log, seq - 1, vec![anonymous(seq, sender, "more")]).await.unwrap();
        assert_eq!(store.confirm(log, seq).await, Ok(()));
    }
}
