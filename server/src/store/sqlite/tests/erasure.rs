//! Erasure: a text that was redacted, deleted or overwritten is in no file any more.

use std::{fs, path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use kith_protocol::{ConversationId, Timestamp, UserId};
use rusqlite::Connection;
use tempfile::tempdir;

use super::super::{Ground, Sqlite};
use crate::{
    clock,
    store::{Change, Counts, Kind, Record, Store as _, Turn},
};

const ENTRIES: u64 = 2000;
const CUT: Duration = Duration::from_secs(crate::limits::CHECKPOINT_S);
const MARKER: &str = "the eagle has landed";

fn holds_marker(dir: &Path) -> bool {
    fs::read_dir(dir).unwrap().any(|file| {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        bytes.windows(MARKER.len()).any(|window| window == MARKER.as_bytes())
    })
}

/// Waits for the checkpoints as long as is promised, which is generous, and less than a test may take.
async fn is_erased(dir: &Path) -> bool {
    for _ in 0..crate::limits::SCRUB_S * 10 {
        if !holds_marker(dir) {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    false
}

/// A store that waits for no disk, and not for its time to empty the log.
fn open(dir: &Path) -> Arc<Sqlite> {
    Sqlite::open_on(dir, &Ground { wal_bytes: 0, sync: false, ..Ground::default() }).unwrap()
}

fn secret(place: u64) -> Bytes {
    // Of all sizes, some longer than a page.
    let length = if place.is_multiple_of(17) { 9000 } else { 100 + place * 37 % 700 };
    format!("{MARKER} {place} {}", "x".repeat(length as usize)).into()
}

fn record(seq: u64, kind: Kind, body: Bytes) -> Record {
    Record {
        seq,
        kind,
        sender: UserId::new(clock::uuid()),
        device: None,
        client_id: None,
        at: Timestamp::from_millis(seq),
        true_at: None,
        expires_at: None,
        counts: Counts::default(),
        body,
    }
}

async fn fill(store: &Arc<Sqlite>, log: ConversationId, entries: u64) {
    for seq in 1..=entries {
        store.write(log, seq - 1, Turn::append(vec![record(seq, Kind::Message, secret(seq))])).await.unwrap();
        // In random places, so that pages split.
        let key = clock::random::<16>().to_vec();
        let put = |value| vec![Change::Put(key.clone(), value)];
        store.commit(b"part".to_vec(), put(secret(seq)), vec![]).await.unwrap();
        // Among rows that stay, so that no page is given up as a whole.
        let stays = Change::Put(clock::random::<16>().to_vec(), "harmless ".repeat(1 + seq as usize % 40).into());
        store.commit(b"part".to_vec(), vec![stays], vec![]).await.unwrap();
        if seq % 3 == 0 {
            store.commit(b"part".to_vec(), put("erased".into()), vec![]).await.unwrap();
        }
    }
}

async fn erase(store: &Arc<Sqlite>, log: ConversationId, entries: u64) {
    for seq in 1..=entries {
        store.write(log, entries, Turn::redact(record(seq, Kind::Redacted, Bytes::new()))).await.unwrap();
    }
    let rows = store.scan(b"part".to_vec(), Default::default(), crate::store::Direction::Ascending, usize::MAX).await;
    for row in rows.unwrap().into_iter().filter(|row| !row.value.starts_with(b"harmless")) {
        store.commit(b"part".to_vec(), vec![Change::Delete(row.key)], vec![]).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_redacted_or_deleted_leaves_every_file_while_the_store_goes_on() {
    let dir = tempdir().unwrap();
    let store = open(dir.path());
    let log = ConversationId::new(clock::uuid());
    fill(&store, log, ENTRIES).await;
    assert!(holds_marker(dir.path()));
    erase(&store, log, ENTRIES).await;
    assert!(is_erased(dir.path()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_closed_leaves_nothing_either() {
    let dir = tempdir().unwrap();
    let ground = Ground { sync: false, ..Ground::default() };
    let store = Sqlite::open_on(dir.path(), &ground).unwrap();
    let log = ConversationId::new(clock::uuid());
    fill(&store, log, ENTRIES).await;
    drop(store);
    assert!(holds_marker(dir.path()));
    let store = Sqlite::open_on(dir.path(), &ground).unwrap();
    erase(&store, log, ENTRIES).await;
    drop(store);
    assert!(!holds_marker(dir.path()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_takes_its_time_only_delays_that() {
    let dir = tempdir().unwrap();
    let store = open(dir.path());
    let log = ConversationId::new(clock::uuid());
    fill(&store, log, 3).await;
    let slow = Connection::open(super::super::open::database(dir.path())).unwrap();
    slow.execute_batch("BEGIN; SELECT count(*) FROM entries").unwrap();
    erase(&store, log, 3).await;
    let waited = tokio::time::timeout(Duration::from_secs(2), is_erased(dir.path())).await;
    assert!(waited.is_err(), "the reader's view is in the log");
    slow.execute_batch("COMMIT").unwrap();
    assert!(is_erased(dir.path()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_writer_writes_over_it_and_its_log_is_never_cut_to_nothing() {
    let dir = tempdir().unwrap();
    let wal_bytes = 256 * 1024;
    let store = Sqlite::open_on(dir.path(), &Ground { wal_bytes, sync: false, ..Ground::default() }).unwrap();
    let log = ConversationId::new(clock::uuid());
    // So much at once that the logs that follow do not reach its end.
    let slow = Connection::open(super::super::open::database(dir.path())).unwrap();
    slow.execute_batch("BEGIN; SELECT count(*) FROM entries").unwrap();
    fill(&store, log, ENTRIES).await;
    erase(&store, log, ENTRIES).await;
    slow.execute_batch("COMMIT").unwrap();
    assert!(holds_marker(dir.path()));

    let file = super::super::open::log(dir.path());
    let length = || fs::metadata(&file).unwrap().len();
    let (began, longest) = (std::time::Instant::now(), length());
    let mut shortest = longest;
    let mut erased = false;
    while !erased || began.elapsed() < CUT * 3 / 2 {
        assert!(began.elapsed() < Duration::from_secs(crate::limits::SCRUB_S), "it is erased");
        let harmless = Change::Put(clock::random::<16>().to_vec(), vec![7; 30_000].into());
        store.commit(b"part".to_vec(), vec![harmless], vec![]).await.unwrap();
        shortest = shortest.min(length());
        erased = erased || !holds_marker(dir.path());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(shortest > wal_bytes && shortest < longest, "{shortest} of {longest} bytes");
}
