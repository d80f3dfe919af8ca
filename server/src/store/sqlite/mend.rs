//! Changing a directory that nobody works in, row by row and all at once: for `kith repair`.

use std::path::Path;

use kith_protocol::ConversationId;
use rusqlite::Connection;

use super::{
    Ground, OpenError, RawEntry, RawRow, Snapshot, chain,
    entry::Stored,
    open,
    rows::{full_key, split_key},
    sum,
};
use crate::store::{Error, Kind, RowKey};

impl Snapshot {
    /// Opens a directory of which nobody makes use, to change it. What is changed is kept by [`Snapshot::keep`] only.
    ///
    /// # Errors
    /// [`OpenError`], also where there is nothing, or another process has it.
    pub(in crate::store) fn to_change(dir: &Path) -> Result<Snapshot, OpenError> {
        drop(open::reader_alone(dir)?);
        let lock = open::lock(dir)?;
        let connection = open::writer(dir, &Ground::default())?;
        let begun = connection.execute_batch("BEGIN IMMEDIATE");
        begun.map_err(|error| OpenError::of_database(&open::database(dir), &error))?;
        Ok(Snapshot { connection, _lock: Some(lock) })
    }

    /// Makes the changes so far durable.
    pub(in crate::store) fn keep(&self) -> Result<(), Error> {
        self.ask(|connection| connection.execute_batch("COMMIT; BEGIN IMMEDIATE"))
    }

    /// Writes what an entry says.
    pub(in crate::store) fn put_entry(
        &self,
        (log, seq): (ConversationId, u64),
        row: i64,
        data: &[u8],
    ) -> Result<(), Error> {
        let sum = sum::of_entry(log, seq, data);
        self.change("UPDATE entries SET data = ?2, sum = ?3 WHERE id = ?1", (row, data, sum))
    }

    /// Writes a row.
    pub(in crate::store) fn put_row(&self, row: &RowKey, value: &[u8]) -> Result<(), Error> {
        let key = full_key(&row.partition, &row.key);
        let sum = sum::of_row(&key, value);
        self.change("REPLACE INTO rows (key, value, sum) VALUES (?1, ?2, ?3)", (key, value, sum))
    }

    /// The key in the table of a row.
    pub(in crate::store) fn key_of(row: &RowKey) -> Vec<u8> {
        full_key(&row.partition, &row.key)
    }

    /// Removes the row with that key in the table.
    pub(in crate::store) fn delete_row(&self, full: &[u8]) -> Result<(), Error> {
        self.change("DELETE FROM rows WHERE key = ?1", (full,))
    }

    /// Makes the index of the identifiers anew.
    pub(in crate::store) fn reindex(&self) -> Result<(), Error> {
        self.change("REINDEX ids", ())
    }

    /// The logs of which something leads elsewhere than to their entries, beside those to whose entries nothing leads.
    pub(in crate::store) fn unlinked(&self) -> Result<Vec<i64>, Error> {
        let sql = "SELECT DISTINCT conv FROM entries WHERE conv NOT IN (SELECT conv FROM heads)
             UNION SELECT milestones.conv FROM milestones LEFT JOIN entries ON entries.id = milestones.entry
             WHERE entries.conv IS NOT milestones.conv OR entries.seq IS NOT milestones.seq";
        self.ask(|connection| connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect())
    }

    /// The rows of all entries of a log in their order, where the table has them all.
    pub(in crate::store) fn dense(&self, conv: i64) -> Result<Option<Vec<i64>>, Error> {
        self.ask(|connection| {
            let mut select = connection.prepare("SELECT id, seq FROM entries WHERE conv = ?1 ORDER BY id")?;
            let entries = select.query_map((conv,), |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)))?;
            let entries: Vec<(i64, i64)> = entries.collect::<rusqlite::Result<_>>()?;
            let dense = !entries.is_empty() && entries.iter().zip(1..).all(|((_, seq), expected)| *seq == expected);
            Ok(dense.then(|| entries.into_iter().map(|(row, _)| row).collect()))
        })
    }

    /// Writes anew where the entries of a log lie, whose rows these are, and forgets where those of no log do.
    pub(in crate::store) fn relink(&self, conv: i64, rows: &[i64]) -> Result<(), Error> {
        let before = std::iter::once(None).chain(rows.iter().map(Some));
        for (row, before) in rows.iter().zip(before) {
            let back = before.map_or(0, |before| row - before);
            self.change("UPDATE entries SET back = ?2 WHERE id = ?1 AND back <> ?2", (row, back))?;
        }
        let last = rows.len() as u64;
        self.change("DELETE FROM milestones WHERE conv = ?1", (conv,))?;
        for seq in chain::kept(conv, last) {
            let row = rows[seq as usize - 1];
            self.change("INSERT INTO milestones (conv, seq, entry) VALUES (?1, ?2, ?3)", (conv, seq as i64, row))?;
        }
        let head = (conv, last as i64, rows.last());
        self.change("REPLACE INTO heads (conv, seq, entry) VALUES (?1, ?2, ?3)", head)?;
        self.change("DELETE FROM heads WHERE conv NOT IN (SELECT conv FROM entries)", ())?;
        self.change("DELETE FROM milestones WHERE conv NOT IN (SELECT conv FROM entries)", ())
    }

    fn change(&self, sql: &str, values: impl rusqlite::Params) -> Result<(), Error> {
        self.ask(|connection: &Connection| connection.prepare_cached(sql)?.execute(values).map(drop))
    }
}

impl RawEntry<'_> {
    /// What it said before one bit was flipped, if that is all that happened to it.
    pub(in crate::store) fn one_bit_back(&self, log: ConversationId, seq: u64) -> Option<Vec<u8>> {
        let back = sum::one_bit_back(self.data, self.sum, |data| sum::of_entry(log, seq, data))?;
        Stored::decode(&back).is_ok().then_some(back)
    }

    /// The same entry without what it said: `body` says what it was.
    pub(in crate::store) fn redacted(&self, body: &[u8]) -> Result<Vec<u8>, Error> {
        let mut data = Vec::new();
        Stored { kind: Kind::Redacted, expires_at: None, body, ..Stored::decode(self.data)? }.encode(&mut data);
        Ok(data)
    }
}

impl RawRow<'_> {
    /// The row that it was before one bit was flipped, if that is all that happened to it.
    pub(in crate::store) fn one_bit_back(&self) -> Option<(RowKey, Vec<u8>)> {
        let length = self.full.len();
        let of = |bytes: &[u8]| sum::of_row(&bytes[..length], &bytes[length..]);
        let back = sum::one_bit_back(&[self.full, self.value].concat(), self.sum, of)?;
        let (key, value) = back.split_at(length);
        let (partition, key) = split_key(key)?;
        Some((RowKey { partition: partition.to_vec(), key: key.to_vec() }, value.to_vec()))
    }
}
