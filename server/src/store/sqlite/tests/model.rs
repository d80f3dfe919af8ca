//! Whatever is asked, the engine answers as the model in memory does.

use bytes::Bytes;
use kith_protocol::{ConversationId, DeviceId, Timestamp, UserId, Uuid};
use proptest::{collection::vec, option, prelude::*};
use tempfile::tempdir;

use super::super::Sqlite;
use crate::store::{
    Change, Condition, Counts, Direction, KeyRange, Kind, LogRange, Raise, Record, RowKey, RowWrite, Store, Turn,
    memory::Memory,
};

#[derive(Debug, Clone)]
enum Call {
    /// Into which log, how far beside the head, and what: entries, redactions and rows.
    Write(u8, i8, Vec<Entry>, Vec<(u64, Entry)>, Vec<Written>),
    Raise(Vec<(u8, Vec<u8>, u64, u8)>),
    Find(u8, u8, u8),
    Read(u8, u64, u64, bool, usize, usize),
    Get(u8, Vec<u8>),
    Scan(u8, Vec<u8>, Option<Vec<u8>>, bool, usize),
    Commit(u8, Vec<(Vec<u8>, Option<u8>)>, Vec<(Vec<u8>, Option<u8>)>),
    Reopen,
}

#[derive(Debug, Clone)]
enum Written {
    Put(u8, Vec<u8>, u8),
    Delete(u8, Vec<u8>),
    Raise(u8, Vec<u8>, u64, u8),
}

#[derive(Debug, Clone)]
struct Entry {
    kind: usize,
    sender: u8,
    device: Option<u8>,
    client_id: Option<u8>,
    expires: Option<u32>,
    body: Vec<u8>,
}

fn entry() -> impl Strategy<Value = Entry> {
    let body = prop_oneof![9 => vec(any::<u8>(), 0..40), 1 => vec(any::<u8>(), 4000..9000)];
    (0..Kind::ALL.len(), 0..3u8, option::of(0..3u8), option::of(0..12u8), option::of(any::<u32>()), body).prop_map(
        |(kind, sender, device, client_id, expires, body)| Entry { kind, sender, device, client_id, expires, body },
    )
}

fn key() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![Just(0u8), Just(1), Just(255)], 0..3)
}

fn rank() -> impl Strategy<Value = u64> {
    prop_oneof![4 => 0..4u64, 1 => any::<u64>()]
}

fn written() -> impl Strategy<Value = Written> {
    prop_oneof![
        (0..3u8, key(), 0..3u8).prop_map(|(part, key, to)| Written::Put(part, key, to)),
        (0..3u8, key()).prop_map(|(part, key)| Written::Delete(part, key)),
        (0..3u8, key(), rank(), 0..3u8).prop_map(|(part, key, rank, to)| Written::Raise(part, key, rank, to)),
    ]
}

fn call() -> impl Strategy<Value = Call> {
    let beside = prop_oneof![6 => Just(0i8), 1 => -2..3i8];
    let row = || (key(), option::of(0..3u8));
    prop_oneof![
        8 => (0..3u8, beside, vec(entry(), 0..4), vec((1..12u64, entry()), 0..2), vec(written(), 0..3)).prop_map(
            |(log, beside, entries, redacted, rows)| Call::Write(log, beside, entries, redacted, rows)
        ),
        1 => vec((0..3u8, key(), rank(), 0..3u8), 0..3).prop_map(Call::Raise),
        2 => (0..3u8, 0..3u8, 0..12u8).prop_map(|(log, user, id)| Call::Find(log, user, id)),
        2 => (0..4u8, 0..12u64, 0..20u64, any::<bool>(), 0..9usize, prop_oneof![0..200usize, 4000..30_000usize])
            .prop_map(|(log, from, to, up, limit, bytes)| Call::Read(log, from, to, up, limit, bytes)),
        1 => (0..3u8, key()).prop_map(|(part, key)| Call::Get(part, key)),
        2 => (0..3u8, key(), option::of(key()), any::<bool>(), 0..5usize)
            .prop_map(|(part, from, to, up, limit)| Call::Scan(part, from, to, up, limit)),
        5 => (0..3u8, vec(row(), 0..4), vec(row(), 0..3))
            .prop_map(|(part, changes, conditions)| Call::Commit(part, changes, conditions)),
        1 => Just(Call::Reopen),
    ]
}

fn id(space: u8, number: u8) -> Uuid {
    Uuid::from_u128(u128::from(space) << 8 | u128::from(number))
}

fn log(number: u8) -> ConversationId {
    ConversationId::new(id(1, number))
}

fn partition(number: u8) -> Vec<u8> {
    vec![255; usize::from(number)]
}

fn value(number: u8) -> Bytes {
    vec![number; usize::from(number) * 700].into()
}

/// A third of the client_ids are of now, so that both ways of remembering are taken.
fn client_id(number: u8) -> Uuid {
    let now = u128::from(crate::clock::now().millis()) / 86_400_000 * 86_400_000;
    if number.is_multiple_of(3) {
        Uuid::from_u128(now << 80 | 0x7000_8000_0000_0000_0000 | u128::from(number))
    } else {
        id(4, number)
    }
}

fn record(seq: u64, entry: Entry) -> Record {
    Record {
        seq,
        kind: Kind::ALL[entry.kind],
        sender: UserId::new(id(2, entry.sender)),
        device: entry.device.map(|device| DeviceId::new(id(3, device))),
        client_id: entry.client_id.map(client_id),
        at: Timestamp::from_millis(seq * 300),
        true_at: None,
        expires_at: entry.expires.map(|at| Timestamp::from_millis(at.into())),
        counts: Counts { messages: seq, mentioning: seq * 200, rev: 3 },
        body: entry.body.into(),
    }
}

fn direction(up: bool) -> Direction {
    if up { Direction::Ascending } else { Direction::Descending }
}

fn raise(part: u8, key: Vec<u8>, rank: u64, to: u8) -> Raise {
    Raise { row: RowKey { partition: partition(part), key }, rank, value: value(to) }
}

fn row_write(written: Written) -> RowWrite {
    match written {
        Written::Put(part, key, to) => RowWrite::Put(RowKey { partition: partition(part), key }, value(to)),
        Written::Delete(part, key) => RowWrite::Delete(RowKey { partition: partition(part), key }),
        Written::Raise(part, key, rank, to) => RowWrite::Raise(raise(part, key, rank, to)),
    }
}

/// The answer of a store, as text, which is as good as any for comparing.
async fn ask(store: &dyn Store, call: Call) -> String {
    match call {
        Call::Write(to, beside, entries, redacted, rows) => {
            let head = store.heads(vec![log(to)]).await.unwrap()[0].map_or(0, |head| head.seq);
            let expected = head.saturating_add_signed(beside.into());
            let turn = Turn {
                append: entries.into_iter().zip(expected + 1..).map(|(entry, seq)| record(seq, entry)).collect(),
                redact: redacted.into_iter().map(|(seq, entry)| record(seq, entry)).collect(),
                rows: rows.into_iter().map(row_write).collect(),
            };
            format!("{:?}", store.write(log(to), expected, turn).await)
        }
        Call::Raise(rows) => {
            let rows = rows.into_iter().map(|(part, key, rank, to)| raise(part, key, rank, to));
            format!("{:?}", store.raise(rows.collect()).await)
        }
        Call::Find(of, user, number) => {
            format!("{:?}", store.find(log(of), UserId::new(id(2, user)), client_id(number)).await)
        }
        Call::Read(of, from, to, up, limit, bytes) => {
            let whole = LogRange { log: log(of), seqs: from..=to, direction: direction(up), limit };
            let both = vec![whole.clone(), LogRange { log: log(0), ..whole }];
            let mut answer = format!("{:?}", store.read(both.clone()).await);
            answer.push_str(&format!("{:?}", store.read_within(both, bytes).await));
            answer.push_str(&format!("{:?}", store.heads(vec![log(of), log(0)]).await));
            answer
        }
        Call::Get(part, key) => format!("{:?}", store.get(vec![RowKey { partition: partition(part), key }]).await),
        Call::Scan(part, from, to, up, limit) => {
            format!("{:?}", store.scan(partition(part), KeyRange { from, to }, direction(up), limit).await)
        }
        Call::Commit(part, changes, conditions) => {
            let changes = changes.into_iter().map(|(key, to)| match to {
                Some(to) => Change::Put(key, value(to)),
                None => Change::Delete(key),
            });
            let conditions = conditions.into_iter().map(|(key, is)| match is {
                Some(is) => Condition::Equals(key, value(is)),
                None => Condition::Absent(key),
            });
            format!("{:?}", store.commit(partition(part), changes.collect(), conditions.collect()).await)
        }
        Call::Reopen => String::new(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn any_calls_are_answered_as_the_model_answers_them(calls in vec(call(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let dir = tempdir().unwrap();
            let model = Memory::new();
            let mut store = Sqlite::open(dir.path()).unwrap();
            for call in calls {
                if matches!(call, Call::Reopen) {
                    drop(store);
                    store = Sqlite::open(dir.path()).unwrap();
                }
                prop_assert_eq!(ask(&*store, call.clone()).await, ask(&model, call.clone()).await, "{:?}", call);
            }
            Ok(())
        })?;
    }
}
