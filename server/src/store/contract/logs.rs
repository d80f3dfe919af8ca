//! The stories of the logs.

use std::sync::Arc;

use bytes::Bytes;
use kith_protocol::{DeviceId, Timestamp, Uuid};
use tokio::task::JoinSet;

use super::{
    super::{Counts, Direction, Head, Kind, LogRange, Record, Store, WriteError},
    anonymous, append, conversation, head, message, redact, user, whole,
};
use crate::clock;

pub(super) async fn an_empty_store_has_nothing(store: &dyn Store) {
    let (log, other) = (conversation(), conversation());
    assert_eq!(store.heads(vec![log, other]).await, Ok(vec![None, None]));
    assert_eq!(store.heads(vec![]).await, Ok(vec![]));
    assert_eq!(whole(store, log).await, []);
    assert_eq!(store.find(log, user(), clock::uuid()).await, Ok(None));
    assert_eq!(append(store, log, 0, vec![]).await, Ok(()));
    assert_eq!(append(store, log, 1, vec![]).await, Err(WriteError::Conflict { head: 0 }));
}

pub(super) async fn what_is_appended_is_read_as_it_was(store: &dyn Store) {
    let (log, sender) = (conversation(), user());
    let records: Vec<Record> = Kind::ALL
        .into_iter()
        .zip(1..)
        .map(|(kind, seq)| Record {
            seq,
            kind,
            sender: if seq % 3 == 0 { user() } else { sender },
            device: (seq % 2 == 0).then(|| DeviceId::new(clock::uuid())),
            client_id: (seq % 4 > 1).then(clock::uuid),
            at: Timestamp::from_millis(seq * 1000),
            true_at: (seq % 7 == 0).then(|| Timestamp::from_millis(seq * 500)),
            expires_at: (seq % 5 == 0).then(|| Timestamp::from_millis(seq)),
            counts: Counts { messages: seq * 1_000_000, mentioning: seq, rev: u64::MAX - seq },
            body: Bytes::from(vec![b'x'; [0, 1, 300, 5000, crate::limits::BODY_BYTES][seq as usize % 5]]),
        })
        .collect();
    append(store, log, 0, records[..1].to_vec()).await.unwrap();
    append(store, log, 1, records[1..].to_vec()).await.unwrap();
    assert_eq!(whole(store, log).await, records);
    let last = records.last().unwrap();
    let end = Head { seq: last.seq, at: last.at, counts: last.counts };
    assert_eq!(store.heads(vec![conversation(), log, log]).await, Ok(vec![None, Some(end), Some(end)]));
    for record in &records {
        if let Some(client_id) = record.client_id {
            assert_eq!(store.find(log, record.sender, client_id).await, Ok(Some(record.seq)));
        }
    }
}

pub(super) async fn a_head_that_moved_is_a_conflict(store: &dyn Store) {
    let (log, sender) = (conversation(), user());
    let one = |expected: u64| append(store, log, expected, vec![message(expected + 1, sender, clock::uuid())]);
    assert_eq!(one(1).await, Err(WriteError::Conflict { head: 0 }));
    assert_eq!(one(0).await, Ok(()));
    assert_eq!(one(0).await, Err(WriteError::Conflict { head: 1 }));
    assert_eq!(one(2).await, Err(WriteError::Conflict { head: 1 }));
    let refused = message(3, sender, clock::uuid());
    let client_id = refused.client_id.unwrap();
    assert_eq!(append(store, log, 2, vec![refused]).await, Err(WriteError::Conflict { head: 1 }));
    assert_eq!(store.find(log, sender, client_id).await, Ok(None), "what was refused is not known");
    assert_eq!(append(store, log, 1, vec![message(2, sender, client_id)]).await, Ok(()));
    assert_eq!(head(store, log).await, 2);
}

pub(super) async fn what_is_known_is_told_before_a_conflict(store: &dyn Store) {
    let (log, sender, client_id) = (conversation(), user(), clock::uuid());
    append(store, log, 0, vec![message(1, sender, client_id)]).await.unwrap();
    append(store, log, 1, vec![anonymous(2, sender, "more")]).await.unwrap();
    for expected in [0, 1, 2, 3] {
        let again = append(store, log, expected, vec![message(expected + 1, sender, client_id)]).await;
        assert_eq!(again, Err(WriteError::Known(vec![(0, 1)])), "at {expected}");
    }
    assert_eq!(head(store, log).await, 2);
}

pub(super) async fn one_known_record_keeps_all_of_a_batch_out(store: &dyn Store) {
    let (log, sender) = (conversation(), user());
    let ids: Vec<Uuid> = (0..6).map(|_| clock::uuid()).collect();
    append(store, log, 0, vec![message(1, sender, ids[0]), message(2, sender, ids[1])]).await.unwrap();
    let batch = [ids[2], ids[1], ids[3], ids[0], ids[4]];
    let records = batch.into_iter().zip(3..).map(|(id, seq)| message(seq, sender, id)).collect();
    assert_eq!(append(store, log, 2, records).await, Err(WriteError::Known(vec![(1, 2), (3, 1)])));
    assert_eq!(head(store, log).await, 2);
    for id in &ids[2..] {
        assert_eq!(store.find(log, sender, *id).await, Ok(None), "none of the batch is known");
    }
    let records = ids[2..].iter().zip(3..).map(|(id, seq)| message(seq, sender, *id)).collect();
    assert_eq!(append(store, log, 2, records).await, Ok(()));
    assert_eq!(store.find(log, sender, ids[5]).await, Ok(Some(6)));
}

pub(super) async fn a_client_id_is_one_user_s_in_one_log(store: &dyn Store) {
    let (log, other_log, sender, other, client_id) = (conversation(), conversation(), user(), user(), clock::uuid());
    append(store, log, 0, vec![message(1, sender, client_id)]).await.unwrap();
    assert_eq!(append(store, log, 1, vec![message(2, other, client_id)]).await, Ok(()));
    assert_eq!(append(store, other_log, 0, vec![message(1, sender, client_id)]).await, Ok(()));
    assert_eq!(store.find(log, sender, client_id).await, Ok(Some(1)));
    assert_eq!(store.find(log, other, client_id).await, Ok(Some(2)));
    assert_eq!(store.find(other_log, sender, client_id).await, Ok(Some(1)));
    assert_eq!(store.find(other_log, other, client_id).await, Ok(None));
}

/// A client's clock may be anywhere, and a client may not know UUIDv7.
pub(super) async fn any_uuid_is_remembered(store: &dyn Store) {
    let (log, sender) = (conversation(), user());
    let now = u128::from(clock::now().millis());
    let day = 24 * 3600 * 1000;
    let v7 = |millis: u128, random: u128| Uuid::from_u128(millis << 80 | 0x7000_8000_0000_0000_0000 | random);
    let mut ids = vec![Uuid::nil(), Uuid::max(), Uuid::from_u128(1), v7(0, 1), v7((1 << 48) - 1, 1)];
    for days in [0, 1, 2, 6, 7, 8, 14, 15, 30, 400] {
        ids.push(v7(now - days * day, days));
        ids.push(v7(now + days * day, 1000 + days));
    }
    for (id, seq) in ids.iter().zip(1..) {
        assert_eq!(append(store, log, seq - 1, vec![message(seq, sender, *id)]).await, Ok(()), "{id}");
    }
    let end = ids.len() as u64;
    for (id, seq) in ids.iter().zip(1..) {
        assert_eq!(store.find(log, sender, *id).await, Ok(Some(seq)), "{id}");
        let again = append(store, log, end, vec![message(end + 1, sender, *id)]).await;
        assert_eq!(again, Err(WriteError::Known(vec![(0, seq)])), "{id}");
    }
    assert_eq!(head(store, log).await, end);
}

pub(super) async fn a_batch_that_repeats_itself_is_found_at_its_first(store: &dyn Store) {
    let (log, sender) = (conversation(), user());
    for (client_id, base) in [(clock::uuid(), 0), (Uuid::nil(), 2)] {
        let twins = vec![message(base + 1, sender, client_id), message(base + 2, sender, client_id)];
        assert_eq!(append(store, log, base, twins).await, Ok(()));
        assert_eq!(store.find(log, sender, client_id).await, Ok(Some(base + 1)));
    }
    assert_eq!(head(store, log).await, 4);
}

pub(super) async fn ranges_are_read_from_either_end(store: &dyn Store) {
    let (log, other, sender) = (conversation(), conversation(), user());
    let records: Vec<Record> = (1..=20).map(|seq| anonymous(seq, sender, &format!("{seq}"))).collect();
    for (record, seq) in records.iter().zip(0..) {
        append(store, log, seq, vec![record.clone()]).await.unwrap();
        append(store, other, seq, vec![anonymous(seq + 1, sender, "noise")]).await.unwrap();
    }
    // From, to, how many, and which are found from the front.
    let cases: [(u64, u64, usize, &[u64]); 10] = [
        (1, 20, 100, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]),
        (5, 8, 100, &[5, 6, 7, 8]),
        (5, 8, 2, &[5, 6]),
        (19, u64::MAX, 100, &[19, 20]),
        (0, 2, 100, &[1, 2]),
        (21, 30, 100, &[]),
        (3, 3, 1, &[3]),
        (1, 20, 0, &[]),
        (18, 20, usize::MAX, &[18, 19, 20]),
        (8, 5, 100, &[]),
    ];
    for (first, last, limit, expected) in cases {
        let seqs = first..=last;
        let range = |direction| LogRange { log, seqs: seqs.clone(), direction, limit };
        let found = store.read(vec![range(Direction::Ascending), range(Direction::Descending)]).await.unwrap();
        let seqs_of = |found: &[Record]| found.iter().map(|record| record.seq).collect::<Vec<_>>();
        assert_eq!(seqs_of(&found[0]), expected, "{seqs:?} {limit}");
        let mut from_end: Vec<u64> = (first.max(1)..=last.min(20)).rev().collect();
        from_end.truncate(limit);
        assert_eq!(seqs_of(&found[1]), from_end, "{seqs:?} {limit} descending");
        assert!(found[0].iter().all(|record| *record == records[record.seq as usize - 1]));
    }
}

pub(super) async fn a_reading_ends_where_its_bytes_do(store: &dyn Store) {
    let (logs, sender) = ([conversation(), conversation()], user());
    for log in logs {
        // Ten bytes each, and a hundred those in the middle.
        let sizes = (1..=70).map(|seq| (seq, if seq == 35 { 100 } else { 10 }));
        let records = sizes.map(|(seq, bytes)| anonymous(seq, sender, &"x".repeat(bytes))).collect();
        append(store, log, 0, records).await.unwrap();
    }
    let both = |direction, limit| logs.map(|log| LogRange { log, seqs: 1..=70, direction, limit }).to_vec();
    // Of two ranges, how many records of so many bytes: one at least, and none behind the one that was too much.
    let cases: [(Direction, usize, usize, [usize; 2]); 10] = [
        (Direction::Ascending, 200, 0, [1, 0]),
        (Direction::Ascending, 200, 9, [1, 0]),
        (Direction::Ascending, 200, 50, [5, 0]),
        (Direction::Ascending, 200, 439, [34, 0]),
        (Direction::Ascending, 200, 440, [35, 0]),
        (Direction::Ascending, 20, 450, [20, 20]),
        (Direction::Ascending, 200, 790 + 25, [70, 2]),
        (Direction::Descending, 200, 0, [1, 0]),
        (Direction::Descending, 200, 455, [36, 0]),
        (Direction::Descending, 20, 399, [20, 19]),
    ];
    for (direction, limit, bytes, expected) in cases {
        let found = store.read_within(both(direction, limit), bytes).await.unwrap();
        let whole = store.read(both(direction, limit)).await.unwrap();
        for ((found, whole), expected) in found.iter().zip(&whole).zip(expected) {
            assert_eq!(found[..], whole[..expected], "{direction:?} {limit} {bytes}");
        }
        assert_eq!(found.len(), 2);
    }
    let middle = LogRange { log: logs[0], seqs: 35..=36, direction: Direction::Ascending, limit: 9 };
    assert_eq!(store.read_within(vec![middle], 1).await.unwrap()[0].len(), 1, "the first, whatever its size");
}

pub(super) async fn logs_that_grow_side_by_side_are_read_apart(store: &dyn Store) {
    let (logs, sender) = ([conversation(), conversation(), conversation()], user());
    let text = |log: usize, seq: u64| anonymous(seq, sender, &format!("{log}.{seq}"));
    // Batches of one, two and three, so that the logs are of different lengths.
    for batch in 0..40 {
        for (log, id) in logs.iter().enumerate() {
            let (size, before) = (log as u64 + 1, batch * (log as u64 + 1));
            let records = (before + 1..=before + size).map(|seq| text(log, seq)).collect();
            append(store, *id, before, records).await.unwrap();
        }
    }
    for (log, id) in logs.iter().enumerate() {
        let head = 40 * (log as u64 + 1);
        assert_eq!(whole(store, *id).await, (1..=head).map(|seq| text(log, seq)).collect::<Vec<_>>());
        for first in [1, 2, 31, 32, 33, 39, 40, 41, 63, 64, 65, 95, 96, 97, 119, 120, 121] {
            for (length, limit) in [(1, 1), (2, 9), (32, 40), (70, 33), (500, 5)] {
                let ends = (first, (first + length - 1).min(head));
                let mut expected: Vec<_> = (ends.0..=ends.1).map(|seq| text(log, seq)).collect();
                for direction in [Direction::Ascending, Direction::Descending] {
                    let range = LogRange { log: *id, seqs: first..=first + length - 1, direction, limit };
                    let read = store.read(vec![range]).await.unwrap().remove(0);
                    assert_eq!(read, expected[..limit.min(expected.len())], "{log}: {first} {length} {limit}");
                    expected.reverse();
                }
            }
        }
        let edited = Record { kind: Kind::Redacted, ..text(log, 33) };
        redact(store, *id, edited.clone()).await.unwrap();
        assert_eq!(whole(store, *id).await[32], edited);
    }
}

pub(super) async fn a_redacted_entry_stays_where_it_is_and_known(store: &dyn Store) {
    let (log, sender, client_id) = (conversation(), user(), clock::uuid());
    let records = vec![anonymous(1, sender, "one"), message(2, sender, client_id), anonymous(3, sender, "three")];
    append(store, log, 0, records.clone()).await.unwrap();
    // However short or long what replaces it is, and whoever it says sent it.
    for body in ["", "{}", &"longer ".repeat(2000), "short"] {
        let redacted = Record { kind: Kind::Redacted, ..anonymous(2, user(), body) };
        assert_eq!(redact(store, log, redacted.clone()).await, Ok(()));
        let kept = Record { sender, client_id: Some(client_id), ..redacted };
        assert_eq!(whole(store, log).await, [records[0].clone(), kept, records[2].clone()]);
        assert_eq!(store.find(log, sender, client_id).await, Ok(Some(2)));
        let again = append(store, log, 3, vec![message(4, sender, client_id)]).await;
        assert_eq!(again, Err(WriteError::Known(vec![(0, 2)])));
    }
    let last = Record { counts: records[2].counts, ..anonymous(3, sender, "") };
    redact(store, log, last).await.unwrap();
    assert_eq!(head(store, log).await, 3);
}

pub(super) async fn a_redaction_above_the_head_changes_nothing(store: &dyn Store) {
    let (log, sender) = (conversation(), user());
    assert_eq!(redact(store, log, anonymous(1, sender, "nothing")).await, Ok(()));
    assert_eq!(head(store, log).await, 0);
    append(store, log, 0, vec![anonymous(1, sender, "one")]).await.unwrap();
    assert_eq!(redact(store, log, anonymous(2, sender, "nothing")).await, Ok(()));
    assert_eq!(redact(store, conversation(), anonymous(1, sender, "nothing")).await, Ok(()));
    assert_eq!(whole(store, log).await, [anonymous(1, sender, "one")]);
}

const WRITERS: u64 = 8;
const EACH: u64 = 12;

/// Each takes the head that a conflict tells and tries again; every third one loses its answer and sends once more.
pub(super) async fn many_who_append_leave_a_dense_log(store: Arc<dyn Store>) {
    let log = conversation();
    let mut writers = JoinSet::new();
    for _ in 0..WRITERS {
        let store = store.clone();
        writers.spawn(async move {
            let sender = user();
            let mut expected = 0;
            let mut seqs = Vec::new();
            for turn in 0..EACH {
                let client_id = clock::uuid();
                let mut attempts = if turn % 3 == 0 { 2 } else { 1 };
                while attempts > 0 {
                    match append(&*store, log, expected, vec![message(expected + 1, sender, client_id)]).await {
                        Ok(()) => seqs.push(expected + 1),
                        Err(WriteError::Conflict { head }) => {
                            expected = head;
                            continue;
                        }
                        Err(WriteError::Known(known)) => {
                            assert_eq!(Some(&known[0].1), seqs.last())
                        }
                        Err(error) => panic!("{error}"),
                    }
                    attempts -= 1;
                }
                assert_eq!(store.find(log, sender, client_id).await.unwrap(), seqs.last().copied());
            }
            (sender, seqs)
        });
    }
    let records = whole(&*store, log).await;
    assert!(records.iter().zip(1..).all(|(record, seq)| record.seq == seq), "dense at every moment");
    let mut told = Vec::new();
    for (sender, seqs) in writers.join_all().await {
        assert!(seqs.is_sorted());
        told.extend(seqs.into_iter().map(|seq| (seq, sender)));
    }
    told.sort_unstable();
    let there: Vec<_> = whole(&*store, log).await.iter().map(|record| (record.seq, record.sender)).collect();
    assert_eq!(told, there);
    assert!(there.iter().zip(1..=WRITERS * EACH).all(|((at, _), seq)| *at == seq));
    assert_eq!(there.len() as u64, WRITERS * EACH);
}
