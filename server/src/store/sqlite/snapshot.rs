//! A data directory as it is at one moment, whoever works in it: for `kith inspect` and `verify`.

use std::{fs::File, path::Path};

use kith_protocol::ConversationId;
use rusqlite::{Connection, OptionalExtension as _};

use super::{
    chain,
    dedup::{self, Remembered},
    entry::Stored,
    failure::of_reading,
    open::{self, OpenError},
    reader::Reader,
    rows::split_key,
    sum,
};
use crate::store::Error;

/// Entries of a log that are read at a time.
const ENTRIES_TOGETHER: u64 = 32 * chain::STRIDE;
/// Problems that SQLite looks for at most.
const PROBLEMS: u32 = 100;

/// A reading of the directory as it was when it was opened, and of nothing later.
pub struct Snapshot {
    pub(super) connection: Connection,
    /// The lock by which nobody may begin to work in a directory in which nobody works.
    pub(super) _lock: Option<File>,
}

/// A thing met on the way through the logs.
pub(crate) enum Met<'a> {
    /// An entry, or what is wrong with it.
    Entry {
        log: ConversationId,
        seq: u64,
        stored: Result<Stored<'a>, Error>,
        /// True if it was written before there were checksums.
        unchecked: bool,
        raw: RawEntry<'a>,
    },
    /// Entries of the log with that number that are not found, and why.
    Gap(i64, Error),
}

/// The row of an entry.
#[derive(Clone, Copy)]
pub(crate) struct RawEntry<'a> {
    pub(crate) row: i64,
    pub(crate) data: &'a [u8],
    /// Its checksum.
    pub(crate) sum: i64,
}

/// A row as the table holds it.
pub(crate) struct RawRow<'a> {
    /// Its key in the table.
    pub(crate) full: &'a [u8],
    pub(crate) partition: &'a [u8],
    pub(crate) key: &'a [u8],
    pub(crate) value: &'a [u8],
    /// Its checksum.
    pub(crate) sum: i64,
    /// True if its checksum allows it to be read.
    pub(crate) holds: bool,
    /// True if it was written before there were checksums.
    pub(crate) unchecked: bool,
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

    pub(crate) fn reader(&self) -> Reader<'_> {
        Reader::new(&self.connection)
    }

    /// The problems that SQLite finds in its own structures.
    pub(crate) fn integrity(&self) -> Result<Vec<String>, Error> {
        self.ask(integrity)
    }

    /// The numbers of entries, rows and remembered client_ids.
    pub(crate) fn sizes(&self) -> Result<[u64; 3], Error> {
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

    /// Shows every entry, log by log, in the order of their seqs, and goes on behind what is damaged.
    pub(crate) fn each_entry(&self, mut see: impl FnMut(Met<'_>)) -> Result<(), Error> {
        let mut reader = self.reader();
        let mut select = self.connection.prepare("SELECT conv FROM heads ORDER BY conv").map_err(of_reading)?;
        let mut rows = select.query([]).map_err(of_reading)?;
        while let Some(row) = rows.next().map_err(of_reading)? {
            let conv = row.get(0).map_err(of_reading)?;
            let log = match reader.name(conv) {
                Ok(name) => ConversationId::new(name),
                Err(error) => {
                    see(Met::Gap(conv, error));
                    continue;
                }
            };
            if let Some(tip) = self.true_tip((log, conv), &mut see)? {
                for first in (1..=tip.seq).step_by(ENTRIES_TOGETHER as usize) {
                    self.entries((log, conv), (first, tip.seq.min(first + ENTRIES_TOGETHER - 1)), tip, &mut see);
                }
            }
        }
        Ok(())
    }

    /// The last entry of a log: that of its head, or where that leads elsewhere, the last one that the table has.
    fn true_tip(
        &self,
        (log, conv): (ConversationId, i64),
        see: &mut impl FnMut(Met<'_>),
    ) -> Result<Option<chain::Tip>, Error> {
        let Some(tip) = chain::tip(&self.connection, conv).map_err(of_reading)? else { return Ok(None) };
        let found = chain::backwards(&self.connection, (log, conv), (tip.seq, tip.seq), tip, |_| Ok::<_, Error>(()));
        let Err(error) = found else { return Ok(Some(tip)) };
        see(Met::Gap(conv, error));
        self.ask(|connection| {
            let sql = "SELECT seq, id FROM entries WHERE conv = ?1 ORDER BY id DESC LIMIT 1";
            let tip = |row: &rusqlite::Row<'_>| Ok(chain::Tip { seq: row.get::<_, i64>(0)? as u64, row: row.get(1)? });
            connection.query_row(sql, (conv,), tip).optional()
        })
    }

    /// Shows the entries of a log between two seqs; where the way to them is broken, those to which another leads.
    fn entries(
        &self,
        log: (ConversationId, i64),
        (first, last): (u64, u64),
        tip: chain::Tip,
        see: &mut impl FnMut(Met<'_>),
    ) {
        let mut entries = Vec::new();
        // The one in front of them is passed too, for the way to it.
        let found = chain::backwards(&self.connection, log, (first.max(2) - 1, last), tip, |passed| {
            if passed.seq >= first {
                entries.push((passed.seq, passed.row, passed.data.to_vec(), passed.sum));
            }
            Ok::<_, Error>(())
        });
        if found.is_err() && last - first >= chain::STRIDE {
            for leg in (first..=last).step_by(chain::STRIDE as usize) {
                self.entries(log, (leg, last.min(leg + chain::STRIDE - 1)), tip, see);
            }
            return;
        }
        if let Err(error) = found {
            see(Met::Gap(log.1, error));
        }
        for (seq, row, data, kept) in entries.iter().rev() {
            let stored = Stored::read(log.0, *seq, data, *kept);
            let raw = RawEntry { row: *row, data, sum: *kept };
            see(Met::Entry { log: log.0, seq: *seq, stored, unchecked: sum::is_none(*kept), raw });
        }
    }

    /// The number of entries that are not where a log says that they are, or not said to be where they should.
    pub(crate) fn misplaced(&self) -> Result<u64, Error> {
        let count = |sql: &str| self.ask(|connection| connection.query_row(sql, [], |row| row.get::<_, i64>(0)));
        let elsewhere = count(
            "SELECT count(*) FROM milestones LEFT JOIN entries ON entries.id = milestones.entry
             WHERE entries.conv IS NOT milestones.conv OR entries.seq IS NOT milestones.seq",
        )?;
        let [expected, kept] = chain::counts().map(|sql| count(&sql));
        let (expected, kept) = (expected?, kept?);
        Ok(elsewhere.unsigned_abs() + expected.abs_diff(kept))
    }

    /// Shows every row in the order of its key; where the table is broken, all but those between the places where it is.
    ///
    /// # Errors
    /// [`Error`] where some were not shown.
    pub(crate) fn each_row(&self, mut see: impl FnMut(RawRow<'_>)) -> Result<(), Error> {
        let mut last = Vec::new();
        let upwards = self.rows("SELECT key, value, sum FROM rows WHERE key > ?1 ORDER BY key", &[], |full, row| {
            last.clear();
            last.extend_from_slice(full);
            see(row);
        });
        if upwards.is_err() {
            let downwards = "SELECT key, value, sum FROM rows WHERE key > ?1 ORDER BY key DESC";
            self.rows(downwards, &last, |_, row| see(row))?;
        }
        upwards
    }

    fn rows(&self, sql: &str, above: &[u8], mut see: impl FnMut(&[u8], RawRow<'_>)) -> Result<(), Error> {
        self.ask(|connection| {
            let mut select = connection.prepare(sql)?;
            let mut rows = select.query((above,))?;
            while let Some(row) = rows.next()? {
                let (full, value, kept) = (row.get_ref(0)?.as_blob()?, row.get_ref(1)?.as_blob()?, row.get(2)?);
                let (partition, key) = split_key(full).unwrap_or_default();
                let holds = sum::holds(kept, sum::of_row(full, value));
                see(full, RawRow { full, partition, key, value, sum: kept, holds, unchecked: sum::is_none(kept) });
            }
            Ok(())
        })
    }

    /// Shows what is remembered of every client_id, and whether its entry is there and the one that it was.
    pub(crate) fn each_remembered(&self, mut see: impl FnMut(&Remembered, bool)) -> Result<(), Error> {
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
                match reader.place_of(entry) {
                    Ok(place) => see(&remembered, place.is_some_and(|place| remembered.is_of(place))),
                    // It was shown with its log.
                    Err(Error::Corrupt(_)) => see(&remembered, true),
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    pub(super) fn ask<T>(&self, question: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Error> {
        question(&self.connection).map_err(of_reading)
    }
}

/// The problems that SQLite finds in its structures: a line each, with the table and the page where it knows them.
pub(super) fn integrity(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut tables = connection.prepare("SELECT rootpage, name FROM main.sqlite_master WHERE rootpage > 0")?;
    let tables: Vec<(i64, String)> =
        tables.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
    let mut check = connection.prepare(&format!("PRAGMA integrity_check({PROBLEMS})"))?;
    let mut found: Vec<String> = Vec::new();
    for lines in check.query_map([], |row| row.get::<_, String>(0))? {
        match lines {
            // The first of several lines names the database.
            Ok(lines) => found.extend(lines.lines().filter(|line| !line.starts_with("***")).map(str::to_owned)),
            Err(error) if found.is_empty() => return Err(error),
            // It meets what it has told.
            Err(_) => break,
        }
    }
    let named = |line: String| {
        let root = line.strip_prefix("Tree ").and_then(|rest| rest.split(' ').next()?.parse().ok());
        match tables.iter().find(|(page, _)| Some(*page) == root) {
            Some((_, table)) => format!("{table}: {line}"),
            None => line,
        }
    };
    Ok(found.into_iter().filter(|line| line != "ok").map(named).collect())
}
