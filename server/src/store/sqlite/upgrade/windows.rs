//! The step to version 4: what is due lies in the window of its time, no longer in 16 shards.

use std::collections::BTreeMap;

use kith_protocol::Timestamp;
use rusqlite::{Connection, Statement};

use crate::{
    clock,
    store::{
        RowKey,
        schema::{self, due, due::Task},
        sqlite::{
            rows::{full_key, split_key},
            sum,
        },
    },
};

/// The letters of the partitions of version 3: messages that expire, requests, media and uploads to look at.
const LETTERS: [u8; 4] = *b"xegw";
/// Rows that are moved at a time.
const TOGETHER: i64 = 10_000;

/// The key in the table, the value and the checksum of a row.
type Raw = (Vec<u8>, Vec<u8>, i64);

/// Moves the rows to their windows. The cursor of a bucket begins at the first of its rows. A row that is damaged stays where
/// it is until it is repaired.
pub(super) fn move_due(connection: &Connection) -> rusqlite::Result<()> {
    let mut put = connection.prepare("REPLACE INTO rows (key, value, sum) VALUES (?1, ?2, ?3)")?;
    let mut delete = connection.prepare("DELETE FROM rows WHERE key = ?1")?;
    let mut first: BTreeMap<(due::Kind, u8), Timestamp> = BTreeMap::new();
    for letter in LETTERS {
        let (mut from, to) = (vec![2, letter], vec![2, letter + 1]);
        loop {
            let rows = rows(connection, &from, &to)?;
            let Some((last, ..)) = rows.last() else { break };
            from = last.clone();
            for (key, value, kept) in rows {
                let Some((at, task)) = task(&key, &value, kept) else { continue };
                delete.execute((&key,))?;
                insert(&mut put, &due::row(at, task), &value)?;
                let first = first.entry((task.kind(), task.bucket())).or_insert(at);
                *first = at.min(*first);
            }
        }
    }
    for ((kind, bucket), at) in first {
        let cursor = RowKey { partition: due::cursors(), key: due::cursor(kind, bucket) };
        insert(&mut put, &cursor, &schema::user::time_value(at))?;
    }
    insert(&mut put, &due::since(), &schema::user::time_value(clock::now()))
}

fn rows(connection: &Connection, from: &[u8], to: &[u8]) -> rusqlite::Result<Vec<Raw>> {
    let sql = "SELECT key, value, sum FROM rows WHERE key > ?1 AND key < ?2 ORDER BY key LIMIT ?3";
    let mut select = connection.prepare_cached(sql)?;
    let rows = select.query_map((from, to, TOGETHER), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    rows.collect()
}

/// The time and the task of a row; none where it is damaged.
fn task(key: &[u8], value: &[u8], kept: i64) -> Option<(Timestamp, Task)> {
    if !sum::holds(kept, sum::of_row(key, value)) {
        return None;
    }
    let (partition, key) = split_key(key)?;
    due::of_row(partition, key)?.ok()
}

fn insert(put: &mut Statement<'_>, row: &RowKey, value: &[u8]) -> rusqlite::Result<()> {
    let key = full_key(&row.partition, &row.key);
    let sum = sum::of_row(&key, value);
    put.execute((key, value, sum)).map(drop)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use kith_protocol::{ConversationId, MediaId};
    use tempfile::tempdir;

    use super::*;
    use crate::store::{
        Direction, KeyRange, Row, Store as _,
        sqlite::{Sqlite, open},
    };

    #[tokio::test]
    async fn what_was_due_is_due_at_its_time_and_what_is_damaged_stays() {
        let dir = tempdir().unwrap();
        drop(Sqlite::open(dir.path()).unwrap());
        let connection = Connection::open(open::database(dir.path())).unwrap();
        open::set_version(&connection, 3).unwrap();
        let (conversation, media) = (ConversationId::from_bytes([7; 16]), MediaId::from_bytes([8; 16]));
        let ms = |ms: u64| ms.to_be_bytes();
        let old = |letter: u8, key: Vec<u8>| full_key(&[letter, 5], &key);
        let expiring = |at: u64| old(b'x', [&ms(at)[..], &conversation.bytes(), &9u64.to_be_bytes()].concat());
        let looked = old(b'g', [&ms(10_000_000)[..], &media.bytes()].concat());
        let put = |key: &[u8], value: &[u8], sum: i64| {
            let sql = "INSERT INTO rows (key, value, sum) VALUES (?1, ?2, ?3)";
            connection.execute(sql, (key, value, sum)).unwrap();
        };
        let (early, late) = (expiring(9_000_000), expiring(20_000_000));
        put(&early, b"", 0);
        put(&late, b"", sum::of_row(&late, b""));
        put(&looked, b"value", sum::of_row(&looked, b"value"));
        let damaged = expiring(21_000_000);
        put(&damaged, b"", 4711);
        connection.close().unwrap();

        let store = Sqlite::open(dir.path()).unwrap();
        let rows = async |partition: Vec<u8>| {
            store.scan(partition, KeyRange::default(), Direction::Ascending, 10).await.unwrap()
        };
        for at in [9_000_000, 20_000_000] {
            let RowKey { partition, key } = due::row(Timestamp::from_millis(at), Task::Expiry(conversation, 9));
            assert_eq!(rows(partition).await, [Row { key, value: Bytes::new() }]);
        }
        let RowKey { partition, key } = due::row(Timestamp::from_millis(10_000_000), Task::Media(media));
        assert_eq!(rows(partition).await, [Row { key, value: Bytes::from_static(b"value") }]);
        assert_eq!(rows(vec![b'x', 5]).await.len(), 1, "the damaged one");
        assert!(rows(vec![b'g', 5]).await.is_empty());
        let cursors = rows(due::cursors()).await;
        assert_eq!(cursors.len(), 3, "one that says since when, and one for each bucket");
        let cursor =
            cursors.iter().find(|row| due::cursor_of(&row.key).is_some_and(|(kind, _)| kind == due::Kind::Expiry));
        assert_eq!(cursor.unwrap().value, schema::user::time_value(Timestamp::from_millis(9_000_000)));
    }
}
