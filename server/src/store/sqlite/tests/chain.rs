//! An entry that is not where its log says that it is is told, never read as another.

use bytes::Bytes;
use kith_protocol::{ConversationId, Timestamp, UserId};
use rusqlite::Connection;
use tempfile::tempdir;

use super::super::{Ground, Snapshot, Sqlite, open};
use crate::{
    clock,
    store::{Counts, Direction, Error, Kind, LogRange, Record, Store as _, Turn},
};

fn record(seq: u64) -> Record {
    Record {
        seq,
        kind: Kind::Message,
        sender: UserId::from_bytes([1; 16]),
        device: None,
        client_id: None,
        at: Timestamp::from_millis(seq),
        true_at: None,
        expires_at: None,
        counts: Counts::default(),
        body: Bytes::from_static(b"{}"),
    }
}

#[tokio::test]
async fn what_is_misplaced_is_told() {
    let dir = tempdir().unwrap();
    let store = Sqlite::open_on(dir.path(), &Ground { sync: false, ..Ground::default() }).unwrap();
    let logs = [ConversationId::new(clock::uuid()), ConversationId::new(clock::uuid())];
    for seq in 0..200 {
        for log in logs {
            store.write(log, seq, Turn::append(vec![record(seq + 1)])).await.unwrap();
        }
    }
    let read = async |first: u64| {
        let range = LogRange { log: logs[0], seqs: first..=first + 9, direction: Direction::Ascending, limit: 10 };
        store.read(vec![range]).await.map(|records| records[0].iter().map(|record| record.seq).collect::<Vec<_>>())
    };
    let misplaced = || Snapshot::open(dir.path()).unwrap().misplaced().unwrap();
    let damage = Connection::open(open::database(dir.path())).unwrap();
    assert_eq!((misplaced(), read(50).await), (0, Ok((50..=59).collect())));
    // The milestone of the other log.
    damage.execute_batch("UPDATE milestones SET entry = entry + 1 WHERE seq = 64 AND conv = 1").unwrap();
    assert_eq!(misplaced(), 1);
    assert!(matches!(read(50).await, Err(Error::Corrupt(why)) if why.contains("is not the entry")));
    assert_eq!(read(20).await, Ok((20..=29).collect()), "what does not pass there is read");
    damage.execute_batch("DELETE FROM milestones WHERE seq = 64 AND conv = 1").unwrap();
    assert_eq!(misplaced(), 1);
    assert!(matches!(read(50).await, Err(Error::Corrupt(_))));
    // A link that leads too far back.
    damage.execute_batch("UPDATE entries SET back = back + 2 WHERE conv = 1 AND seq = 90").unwrap();
    assert!(matches!(read(85).await, Err(Error::Corrupt(_))));
    assert_eq!(read(91).await, Ok((91..=100).collect()));
}

/// Appends, of a log and from its head on.
async fn grow(store: &Sqlite, log: ConversationId, head: u64, count: u64) {
    let records = (head + 1..=head + count).map(record).collect();
    store.write(log, head, Turn::append(records)).await.unwrap();
}

/// Checks that each entry is found, on a page of its own and of ten.
async fn found(store: &Sqlite, log: ConversationId, head: u64) {
    for first in 1..=head {
        for count in [1, 10] {
            let seqs = first..=(first + count - 1).min(head);
            let range = LogRange { log, seqs: seqs.clone(), direction: Direction::Ascending, limit: 10 };
            let read = store.read(vec![range]).await.unwrap();
            assert_eq!(read[0].iter().map(|record| record.seq).collect::<Vec<_>>(), seqs.collect::<Vec<_>>());
        }
    }
}

#[tokio::test]
async fn milestones_are_kept_also_when_their_entries_were_written_before_a_restart() {
    let dir = tempdir().unwrap();
    let open = || Sqlite::open_on(dir.path(), &Ground { sync: false, ..Ground::default() }).unwrap();
    let logs: Vec<_> = (0..3).map(|_| ConversationId::new(clock::uuid())).collect();
    let mut head = 0;
    // One by one, several that pass a place where milestones are kept, and more than are kept at a time.
    for count in [1, 1, 37, 90, 1, 64, 200, 5, 31, 33] {
        let store = open();
        for log in &logs {
            grow(&store, *log, head, count).await;
        }
        head += count;
        drop(store);
        assert_eq!(Snapshot::open(dir.path()).unwrap().misplaced(), Ok(0), "at {head}");
    }
    let store = open();
    for log in logs {
        found(&store, log, head).await;
    }
}

#[tokio::test]
async fn a_directory_of_the_first_layout_is_read_and_goes_on() {
    let dir = tempdir().unwrap();
    let open = || Sqlite::open_on(dir.path(), &Ground { sync: false, ..Ground::default() }).unwrap();
    let logs: Vec<_> = (0..3).map(|_| ConversationId::new(clock::uuid())).collect();
    let store = open();
    for log in &logs {
        grow(&store, *log, 0, 300).await;
    }
    drop(store);
    let older = Connection::open(open::database(dir.path())).unwrap();
    older.execute_batch("REPLACE INTO milestones SELECT conv, seq, id FROM entries WHERE seq % 32 = 0").unwrap();
    open::make_first(&older).unwrap();
    drop(older);
    let misplaced = || Snapshot::open(dir.path()).unwrap().misplaced();
    assert_eq!(misplaced(), Ok(0));
    let store = open();
    for log in &logs {
        grow(&store, *log, 300, 200).await;
        found(&store, *log, 500).await;
    }
    drop(store);
    assert_eq!(misplaced(), Ok(0));
    let layout = Connection::open(open::database(dir.path())).unwrap();
    assert_eq!(layout.pragma_query_value(None, "user_version", |row| row.get(0)), Ok(2));
}
