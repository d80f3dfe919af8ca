//! Changing a directory that nobody works in, row by row and all at once: for `kith repair`.

use std::{path::Path, sync::Arc};

use kith_protocol::{ConversationId, Timestamp, UserId, Uuid};
use rusqlite::{Connection, Row, ToSql};

use super::{
    Ground, OpenError, RawEntry, RawRow, Scrub, Snapshot, chain,
    dedup::{Dedup, Place, Remembered, table_of},
    entry::Stored,
    open,
    rows::{full_key, split_key},
    sum,
};
use crate::store::{
    Error, Kind, RowKey,
    schema::{self, shown},
};

/// Entries or rows that are given their checksums at a time.
const SUMMED_TOGETHER: u32 = 10_000;

impl Snapshot {
    /// Opens a directory of which nobody makes use, to change it. What is changed is kept by [`Snapshot::keep`] only.
    ///
    /// # Errors
    /// [`OpenError`], also where there is nothing, or another process has it.
    pub(crate) fn to_change(dir: &Path) -> Result<Snapshot, OpenError> {
        drop(open::reader_alone(dir)?);
        let lock = open::lock(dir)?;
        let connection = open::writer(dir, &Ground::default())?;
        let begun = connection.execute_batch("BEGIN IMMEDIATE");
        begun.map_err(|error| OpenError::of_database(&open::database(dir), &error))?;
        Ok(Snapshot { connection, _lock: Some(lock) })
    }

    /// Makes the changes so far durable.
    pub(crate) fn keep(&self) -> Result<(), Error> {
        self.ask(|connection| {
            connection.execute_batch("COMMIT")?;
            connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
            connection.execute_batch("BEGIN IMMEDIATE")
        })
    }

    /// Makes the changes durable, with nothing left of what they replaced.
    ///
    /// # Errors
    /// [`OpenError`] where the disk does not take them.
    pub(crate) fn finish(self, dir: &Path) -> Result<(), OpenError> {
        let wrong = |error| OpenError::of_database(&open::database(dir), &error);
        self.connection.execute_batch("COMMIT").map_err(wrong)?;
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(wrong)?;
        // It outlives the connection, whose locks its closing would give up.
        let database = Arc::new(open::file(dir)?);
        let mut scrub = Scrub::new(database.clone(), open::log(dir));
        scrub.note_all();
        scrub.clean().map_err(|error| OpenError::of_file(&open::database(dir), &error))?;
        drop(self);
        drop(database);
        Ok(())
    }

    /// Gives entries, rows and identifiers from before there were checksums theirs, and keeps them: how many. What is no
    /// entry or no row is left as it is.
    pub(crate) fn sum_up(&self) -> Result<u64, Error> {
        let mut reader = self.reader();
        let sql = "SELECT id, conv, seq, data FROM entries WHERE sum = 0 AND id > ?1 ORDER BY id LIMIT ?2";
        let entries = self.sum_up_each(sql, "UPDATE entries SET sum = ?2 WHERE id = ?1", 0, |row| {
            let (id, conv, seq, data): (i64, i64, i64, Vec<u8>) = row.try_into()?;
            let log = reader.conversation(conv).ok().filter(|_| Stored::decode(&data).is_ok());
            Ok((id, log.map(|log| sum::of_entry(log, seq as u64, &data))))
        })?;
        let sql = "SELECT id, uuid FROM ids WHERE sum = 0 AND id > ?1 ORDER BY id LIMIT ?2";
        let ids = self.sum_up_each(sql, "UPDATE ids SET sum = ?2 WHERE id = ?1", 0, |row| {
            let (id, uuid): (i64, [u8; 16]) = row.try_into()?;
            Ok((id, Some(sum::of_id(id, Uuid::from_bytes(uuid)))))
        })?;
        let sql = "SELECT key, value FROM rows WHERE sum = 0 AND key > ?1 ORDER BY key LIMIT ?2";
        let rows = self.sum_up_each(sql, "UPDATE rows SET sum = ?2 WHERE key = ?1", Vec::new(), |row| {
            let (key, value): (Vec<u8>, Vec<u8>) = row.try_into()?;
            let (partition, name) = split_key(&key).unwrap_or_default();
            let is_row = schema::place(partition, name).is_ok_and(|place| shown(place, &value).is_ok());
            let sum = is_row.then(|| sum::of_row(&key, &value));
            Ok((key, sum))
        })?;
        Ok(entries + ids + rows)
    }

    fn sum_up_each<K: ToSql + Clone>(
        &self,
        select: &str,
        update: &str,
        mut after: K,
        mut sum: impl FnMut(&Row<'_>) -> rusqlite::Result<(K, Option<i64>)>,
    ) -> Result<u64, Error> {
        let mut done = 0;
        loop {
            let lot: Vec<(K, Option<i64>)> = self.ask(|connection| {
                connection.prepare_cached(select)?.query_map((&after, SUMMED_TOGETHER), &mut sum)?.collect()
            })?;
            let Some((last, _)) = lot.last() else { return Ok(done) };
            after = last.clone();
            for (key, sum) in &lot {
                if sum.is_some() {
                    self.change(update, (key, sum))?;
                    done += 1;
                }
            }
            self.keep()?;
        }
    }

    /// The client_ids that are remembered and lead to no entry that has them: the day of each one's table and its key.
    pub(crate) fn strays(&self) -> Result<Vec<(Option<u64>, i64)>, Error> {
        let mut strays = Vec::new();
        self.each_remembered(|Remembered { day, key }, holds| strays.extend((!holds).then_some((*day, *key))))?;
        Ok(strays)
    }

    /// Remembers the client_id of the entry in `row`, taken at `at`.
    pub(crate) fn remember(
        &self,
        (log, sender, client_id): (ConversationId, UserId, Uuid),
        row: i64,
        at: Timestamp,
    ) -> Result<(), Error> {
        self.ask(|connection| Dedup::open(connection)?.remember(Place::new(log, sender, client_id), row, at).map(drop))
    }

    /// Forgets client_ids.
    pub(crate) fn forget(&self, client_ids: &[(Option<u64>, i64)]) -> Result<(), Error> {
        client_ids.iter().try_for_each(|(day, key)| {
            let table = day.map_or("dedup_other".to_owned(), table_of);
            self.change(&format!("DELETE FROM {table} WHERE key = ?1"), (key,))
        })
    }

    /// Writes what an entry says.
    pub(crate) fn put_entry(&self, (log, seq): (ConversationId, u64), row: i64, data: &[u8]) -> Result<(), Error> {
        let sum = sum::of_entry(log, seq, data);
        self.change("UPDATE entries SET data = ?2, sum = ?3 WHERE id = ?1", (row, data, sum))
    }

    /// Writes a row.
    pub(crate) fn put_row(&self, row: &RowKey, value: &[u8]) -> Result<(), Error> {
        let key = full_key(&row.partition, &row.key);
        let sum = sum::of_row(&key, value);
        self.change("REPLACE INTO rows (key, value, sum) VALUES (?1, ?2, ?3)", (key, value, sum))
    }

    /// The key in the table of a row.
    pub(crate) fn key_of(row: &RowKey) -> Vec<u8> {
        full_key(&row.partition, &row.key)
    }

    /// Removes the row with that key in the table.
    pub(crate) fn delete_row(&self, full: &[u8]) -> Result<(), Error> {
        self.change("DELETE FROM rows WHERE key = ?1", (full,))
    }

    /// The numbers of identifiers whose checksum is wrong: each row as it is, and as it was before one bit was flipped, if
    /// that is all that happened to it.
    pub(crate) fn wrong_numbers(&self) -> Result<Vec<(Numbered, Option<Numbered>)>, Error> {
        self.ask(|connection| {
            let mut wrong = Vec::new();
            let mut select = connection.prepare("SELECT id, uuid, sum FROM ids NOT INDEXED ORDER BY id")?;
            let mut rows = select.query([])?;
            while let Some(row) = rows.next()? {
                let (id, bytes, kept): (i64, Vec<u8>, i64) = row.try_into()?;
                let of = |bytes: &[u8]| Numbered::of(bytes).map_or(0, |it| sum::of_id(it.id, it.uuid));
                let all = [&id.to_be_bytes()[..], &bytes].concat();
                if !sum::holds(kept, of(&all)) {
                    let back = sum::one_bit_back(&all, kept, of).and_then(|back| Numbered::of(&back));
                    let uuid = Uuid::from_slice(&bytes).unwrap_or_default();
                    wrong.push((Numbered { id, uuid }, back));
                }
            }
            Ok(wrong)
        })
    }

    /// Writes the number of an identifier and the identifier in the place of a row.
    pub(crate) fn put_number(&self, row: i64, Numbered { id, uuid }: Numbered) -> Result<(), Error> {
        let sql = "UPDATE ids SET id = ?2, uuid = ?3, sum = ?4 WHERE id = ?1";
        self.change(sql, (row, id, uuid.as_bytes(), sum::of_id(id, uuid)))
    }

    /// Makes the index of the identifiers anew.
    pub(crate) fn reindex(&self) -> Result<(), Error> {
        self.change("REINDEX ids", ())
    }

    /// The logs of which something leads elsewhere than to their entries, beside those to whose entries nothing leads.
    pub(crate) fn unlinked(&self) -> Result<Vec<i64>, Error> {
        let sql = "SELECT DISTINCT conv FROM entries WHERE conv NOT IN (SELECT conv FROM heads)
             UNION SELECT milestones.conv FROM milestones LEFT JOIN entries ON entries.id = milestones.entry
             WHERE entries.conv IS NOT milestones.conv OR entries.seq IS NOT milestones.seq";
        self.ask(|connection| connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect())
    }

    /// The rows of all entries of a log in their order, where the table has them all.
    pub(crate) fn dense(&self, conv: i64) -> Result<Option<Vec<i64>>, Error> {
        self.ask(|connection| {
            let mut select = connection.prepare("SELECT id, seq FROM entries WHERE conv = ?1 ORDER BY id")?;
            let entries = select.query_map((conv,), |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)))?;
            let entries: Vec<(i64, i64)> = entries.collect::<rusqlite::Result<_>>()?;
            let dense = !entries.is_empty() && entries.iter().zip(1..).all(|((_, seq), expected)| *seq == expected);
            Ok(dense.then(|| entries.into_iter().map(|(row, _)| row).collect()))
        })
    }

    /// Writes anew where the entries of a log lie, whose rows these are, and forgets where those of no log do.
    pub(crate) fn relink(&self, conv: i64, rows: &[i64]) -> Result<(), Error> {
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

/// The number of an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Numbered {
    /// The number.
    pub(crate) id: i64,
    /// The identifier.
    pub(crate) uuid: Uuid,
}

impl Numbered {
    /// Reads the bytes of a number and of its identifier.
    fn of(bytes: &[u8]) -> Option<Self> {
        let (id, uuid) = bytes.split_first_chunk()?;
        Some(Self { id: i64::from_be_bytes(*id), uuid: Uuid::from_slice(uuid).ok()? })
    }
}

impl RawEntry<'_> {
    /// The contents before one bit was flipped, if that is all that happened to it.
    pub(crate) fn one_bit_back(&self, log: ConversationId, seq: u64) -> Option<Vec<u8>> {
        let back = sum::one_bit_back(self.data, self.sum, |data| sum::of_entry(log, seq, data))?;
        Stored::decode(&back).is_ok().then_some(back)
    }

    /// The same entry without what it said: `body` says what it was.
    pub(crate) fn redacted(&self, body: &[u8]) -> Result<Vec<u8>, Error> {
        let mut data = Vec::new();
        Stored { kind: Kind::Redacted, expires_at: None, body, ..Stored::decode(self.data)? }.encode(&mut data);
        Ok(data)
    }
}

impl RawRow<'_> {
    /// The row that it was before one bit was flipped, if that is all that happened to it.
    pub(crate) fn one_bit_back(&self) -> Option<(RowKey, Vec<u8>)> {
        let length = self.full.len();
        let of = |bytes: &[u8]| sum::of_row(&bytes[..length], &bytes[length..]);
        let back = sum::one_bit_back(&[self.full, self.value].concat(), self.sum, of)?;
        let (key, value) = back.split_at(length);
        let (partition, key) = split_key(key)?;
        Some((RowKey { partition: partition.to_vec(), key: key.to_vec() }, value.to_vec()))
    }
}
