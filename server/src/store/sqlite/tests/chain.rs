//! An entry that is not where its log says that it is is told, never read as another.

use bytes::Bytes;
use kith_protocol::{ConversationId, Timestamp, UserId};
use rusqlite::Connection;
use tempfile::tempdir;

use super::super::{Ground, Snapshot, Sqlite, open};
use crate::{
    clock,
    store::{Counts, Direction, Error, Kind, LogRange, Record, Store as _},
};

fn record(seq: u64) -> Record {
    Record {
        seq,
        kind: Kind::Message,
        sender: UserId::from_bytes([1; 16]),
        device: None,
        client_id: None,
        at: Timestamp::from_millis(seq),
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
    for seq in 0..100 {
        for log in logs {
            store.append(log, seq, vec![record(seq + 1)]).await.unwrap();
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
