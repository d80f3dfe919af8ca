//! A data directory as it is at one moment, whoever works in it: for `kith inspect`, `verify` and `backup`.

use std::{fs::File, path::Path};

use kith_protocol::ConversationId;
use rusqlite::Connection;

use super::{
    backup, chain,
    dedup::{self, Remembered},
    entry::Stored,
    failure::of_reading,
    open::{self, OpenError},
    reader::Reader,
    rows::split_key,
};
use crate::store::Error;

/// Entries of a log that are read at a time.
const ENTRIES_TOGETHER: u64 = 32 * chain::STRIDE;

/// What was committed when it was opened, and nothing later.
pub struct Snapshot {
    connection: Connection,
    /// Where nobody works in the directory, nobody may begin to.
    _lock: Option<File>,
}

/// An entry as the table holds it.
pub(in crate::store) struct Raw<'a> {
    pub(in crate::store) log: ConversationId,
    pub(in crate::store) seq: u64,
    pub(in crate::store) stored: Stored<'a>,
}

impl Snapshot {
    /// Opens a directory that may be in use, for reading.
    ///
    /// # Errors
    /// [`OpenError`], also where there is no such directory or nothing in it.
    pub fn open(dir: &Path) -> Result<Snapshot, OpenError> {
        let (connection, lock) = open::reader_alone(dir)?;
        let wrong = |error| OpenError::of_database(&open::database(dir), &error);
        connection.execute_batch("BEGIN").map_err(wrong)?;
        connection.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(())).map_err(wrong)?;
        Ok(Snapshot { connection, _lock: lock })
    }

    /// Writes a copy of the directory as of now to `to`, which must be new or empty. Blocks until it is durable.
    ///
    /// # Errors
    /// [`OpenError`] where one of the two cannot be read or written.
    pub fn backup(dir: &Path, to: &Path) -> Result<(), OpenError> {
        let (connection, _lock) = open::reader_alone(dir)?;
        backup::copy(&connection, to)
    }

    pub(in crate::store) fn reader(&self) -> Reader<'_> {
        Reader::new(&self.connection)
    }

    /// What SQLite finds wrong with its own structures.
    pub(in crate::store) fn integrity(&self) -> Result<Vec<String>, Error> {
        self.ask(|connection| {
            let mut check = connection.prepare("PRAGMA integrity_check(100)")?;
            let found: Vec<String> = check.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
            Ok(found.into_iter().filter(|line| line != "ok").collect())
        })
    }

    /// How many entries, rows and remembered client_ids there are.
    pub(in crate::store) fn sizes(&self) -> Result<[u64; 3], Error> {
        self.ask(|connection| {
            let count = |table: &str| {
                connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0))
            };
            let mut remembered = count("dedup_other")?;
            for day in dedup::days(connection)? {
                remembered += count(&dedup::table_of(day))?;
            }
            Ok([count("entries")?, count("rows")?, remembered].map(|count| count as u64))
        })
    }

    /// Shows every entry, log by log, in the order of their seqs.
    pub(in crate::store) fn each_entry(&self, mut see: impl FnMut(Raw<'_>)) -> Result<(), Error> {
        let mut reader = self.reader();
        let mut select = self.connection.prepare("SELECT conv FROM heads ORDER BY conv").map_err(of_reading)?;
        let mut rows = select.query([]).map_err(of_reading)?;
        while let Some(row) = rows.next().map_err(of_reading)? {
            let conv = row.get(0).map_err(of_reading)?;
            let log = ConversationId::new(reader.name(conv)?);
            let Some(tip) = chain::tip(&self.connection, conv).map_err(of_reading)? else { continue };
            let mut entries = Vec::new();
            for first in (1..=tip.seq).step_by(ENTRIES_TOGETHER as usize) {
                let last = tip.seq.min(first + ENTRIES_TOGETHER - 1);
                chain::backwards(&self.connection, (log, conv), (first, last), tip, |passed| {
                    entries.push((passed.seq, passed.data.to_vec()));
                    Ok(())
                })?;
                for (seq, data) in entries.drain(..).rev() {
                    see(Raw { log, seq, stored: Stored::decode(&data)? });
                }
            }
        }
        Ok(())
    }

    /// How many entries are not where a log says that they are, or not said to be where they should.
    pub(in crate::store) fn misplaced(&self) -> Result<u64, Error> {
        let count = |sql: &str| self.ask(|connection| connection.query_row(sql, [], |row| row.get::<_, i64>(0)));
        let elsewhere = count(
            "SELECT count(*) FROM milestones LEFT JOIN entries ON entries.id = milestones.entry
             WHERE entries.conv IS NOT milestones.conv OR entries.seq IS NOT milestones.seq",
        )?;
        let [expected, kept] = chain::counts().map(|sql| count(&sql));
        let (expected, kept) = (expected?, kept?);
        Ok(elsewhere.unsigned_abs() + expected.abs_diff(kept))
    }

    /// Shows every row: its partition, its key, its value.
    pub(in crate::store) fn each_row(&self, mut see: impl FnMut(&[u8], &[u8], &[u8])) -> Result<(), Error> {
        self.ask(|connection| {
            let mut select = connection.prepare("SELECT key, value FROM rows ORDER BY key")?;
            let mut rows = select.query([])?;
            while let Some(row) = rows.next()? {
                let (full, value) = (row.get_ref(0)?.as_blob()?, row.get_ref(1)?.as_blob()?);
                let (partition, key) = split_key(full).unwrap_or_default();
                see(partition, key, value);
            }
            Ok(())
        })
    }

    /// Shows what is remembered of every client_id, and whether its entry is there and the one that it was.
    pub(in crate::store) fn each_remembered(&self, mut see: impl FnMut(&Remembered, bool)) -> Result<(), Error> {
        let mut reader = self.reader();
        let days = self.ask(dedup::days)?;
        for day in days.into_iter().map(Some).chain([None]) {
            let table = day.map_or("dedup_other".to_owned(), dedup::table_of);
            let sql = format!("SELECT key, entry FROM {table}");
            let mut select = self.connection.prepare(&sql).map_err(of_reading)?;
            let mut rows = select.query([]).map_err(of_reading)?;
            while let Some(row) = rows.next().map_err(of_reading)? {
                let (key, entry) = (row.get(0).map_err(of_reading)?, row.get(1).map_err(of_reading)?);
                let remembered = Remembered { day, key };
                let place = reader.place_of(entry)?;
                see(&remembered, place.is_some_and(|place| remembered.is_of(place)));
            }
        }
        Ok(())
    }

    fn ask<T>(&self, question: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Error> {
        question(&self.connection).map_err(of_reading)
    }
}
