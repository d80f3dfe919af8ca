//! The rows, as the writer changes them: one table in the order of the partition's length, the partition, the key.

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension as _, Statement};

use super::{failure::Failure, sum};
use crate::{
    store::{Change, CommitError, Condition, DAMAGED, KeyRange, Raise, RowKey, RowWrite, schema},
    telemetry,
};

/// The key in the table of a row, or of the first that a range can hold.
pub(super) fn full_key(partition: &[u8], key: &[u8]) -> Vec<u8> {
    let mut full = Vec::with_capacity(1 + partition.len() + key.len());
    full.push(u8::try_from(partition.len()).expect("a partition's name has 255 bytes at most"));
    full.extend_from_slice(partition);
    full.extend_from_slice(key);
    full
}

/// The key of a named row in the table.
fn full_key_of(row: &RowKey) -> Vec<u8> {
    full_key(&row.partition, &row.key)
}

/// The keys of a range: the first, and the one after the last.
pub(super) fn bounds(partition: &[u8], range: &KeyRange) -> (Vec<u8>, Vec<u8>) {
    let from = full_key(partition, &range.from);
    let to = match &range.to {
        Some(to) => full_key(partition, to),
        None => after(full_key(partition, &[])),
    };
    (from, to)
}

/// The least key above all that begin with `prefix`, whose first byte, a length, decides whether there is one.
fn after(mut prefix: Vec<u8>) -> Vec<u8> {
    while let Some(last) = prefix.pop() {
        if last < u8::MAX {
            prefix.push(last + 1);
            return prefix;
        }
    }
    // Only the partition of 255 bytes 0xff gets here; no key is this long.
    vec![u8::MAX; 1 << 16]
}

/// The partition and the key of a row in the table.
pub(crate) fn split_key(full: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&length, rest) = full.split_first()?;
    rest.split_at_checked(usize::from(length))
}

/// The value of the row with `key` in the table, which has the checksum `kept`; [`DAMAGED`] where it is not what was written,
/// which is logged with the name of the row.
pub(super) fn read(key: &[u8], value: &[u8], kept: i64) -> Bytes {
    if sum::holds(kept, sum::of_row(key, value)) {
        return Bytes::copy_from_slice(value);
    }
    let (partition, key) = split_key(key).unwrap_or_default();
    telemetry::damage(&format!("{}: its checksum is wrong", schema::named(partition, key)));
    Bytes::from_static(DAMAGED)
}

/// The statements that change rows.
pub(super) struct Rows<'c> {
    select: Statement<'c>,
    put: Statement<'c>,
    delete: Statement<'c>,
}

impl<'c> Rows<'c> {
    pub(super) fn open(connection: &'c Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            select: connection.prepare("SELECT value, sum FROM rows WHERE key = ?1")?,
            put: connection.prepare("REPLACE INTO rows (key, value, sum) VALUES (?1, ?2, ?3)")?,
            delete: connection.prepare("DELETE FROM rows WHERE key = ?1")?,
        })
    }

    fn current(&mut self, key: &[u8]) -> Result<Option<Bytes>, Failure> {
        let value = self.select.query_row((key,), |row| Ok(read(key, row.get_ref(0)?.as_blob()?, row.get(1)?)));
        Ok(value.optional()?)
    }

    /// Makes all changes or none; see [`crate::store::Store::commit`].
    pub(super) fn commit(
        &mut self,
        partition: &[u8],
        changes: &[Change],
        conditions: &[Condition],
    ) -> Result<Result<(), CommitError>, Failure> {
        for (index, condition) in conditions.iter().enumerate() {
            let (key, wanted) = match condition {
                Condition::Absent(key) => (key, None),
                Condition::Equals(key, value) => (key, Some(value)),
            };
            let current = self.current(&full_key(partition, key))?;
            if current.as_ref() != wanted {
                return Ok(Err(CommitError::Condition { index, current }));
            }
        }
        for change in changes {
            match change {
                Change::Put(key, value) => self.put(full_key(partition, key), value)?,
                Change::Delete(key) => self.delete(&full_key(partition, key))?,
            }
        }
        Ok(Ok(()))
    }

    /// Makes one change of a turn.
    pub(super) fn write(&mut self, row: &RowWrite) -> Result<(), Failure> {
        match row {
            RowWrite::Put(row, value) => self.put(full_key_of(row), value),
            RowWrite::Delete(row) => self.delete(&full_key_of(row)),
            RowWrite::Raise(raise) => self.raise(raise),
        }
    }

    /// Raises one row; see [`crate::store::Store::raise`].
    pub(super) fn raise(&mut self, raise: &Raise) -> Result<(), Failure> {
        let key = full_key_of(&raise.row);
        let current = self.current(&key)?;
        if raise.exceeds(current.as_deref()) { self.put(key, &raise.stored()) } else { Ok(()) }
    }

    fn put(&mut self, key: Vec<u8>, value: &[u8]) -> Result<(), Failure> {
        let sum = sum::of_row(&key, value);
        self.put.execute((key, value, sum))?;
        Ok(())
    }

    fn delete(&mut self, key: &[u8]) -> Result<(), Failure> {
        self.delete.execute((key,))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key() -> impl Strategy<Value = Vec<u8>> {
        proptest::collection::vec(prop_oneof![Just(0u8), Just(255), any::<u8>()], 0..6)
    }

    proptest! {
        #[test]
        fn an_open_range_holds_the_whole_partition_and_nothing_else(part in key(), other in key(), key in key()) {
            let (from, to) = bounds(&part, &KeyRange::default());
            let inside = full_key(&part, &key);
            prop_assert!(from <= inside && inside < to);
            prop_assert_eq!(split_key(&inside), Some((&part[..], &key[..])));
            let full = full_key(&other, &key);
            prop_assert_eq!(from <= full && full < to, other == part);
        }
    }
}
