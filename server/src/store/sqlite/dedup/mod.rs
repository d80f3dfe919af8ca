//! Remembered client_ids, each with its entry.
//!
//! A client_id is a UUIDv7, so it carries the time that made it, and one table for each day of that time keeps the
//! places of those written close together; a table is dropped whole. The key is the millisecond of the day and 29 bits
//! of a hash, which is a rowid of 8 bytes; the value is the entry's row, whose conversation, sender and client_id decide
//! when a key is taken. So remembering is one insert, looking up one probe, and a commit touches few pages.
//!
//! An identifier whose time is further than [`BEFORE_DAYS`] before or [`AFTER_DAYS`] after its acceptance goes to
//! `dedup_other`, by the day of its acceptance. A look-up asks the table of the identifier's own day and `dedup_other`,
//! whatever the time: an entry taken within the last 7 days is in one of the two.

use std::collections::BTreeMap;

use kith_protocol::{ConversationId, Timestamp, UserId, Uuid};
use rusqlite::{Connection, Statement};
use xxhash_rust::xxh3::xxh3_64;

const DAY_MS: u64 = 24 * 3600 * 1000;
/// The age at which a client_id may be taken and still go to the table of its day.
const BEFORE_DAYS: u64 = kith_protocol::limits::IDEMPOTENCY_S / 86_400;
/// The number of days that its clock may be ahead.
const AFTER_DAYS: u64 = 1;
/// After so many days a table of client_ids is dropped: the last of them was taken by the seventh, and is to be known
/// for seven more.
const KEPT_DAYS: u64 = 2 * BEFORE_DAYS;
/// Places in which an entry may be remembered where others have taken the first.
const PROBES: i64 = 8;
/// With the 27 bits that count the milliseconds of a day, 56: the longest rowid that takes 8 bytes.
const HASH_BITS: u32 = 29;

/// The place where a client_id is remembered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// The day of its own time.
    day: u64,
    /// Its key in the table of that day.
    key: i64,
    /// Its key in `dedup_other`.
    other: i64,
}

impl Place {
    pub(super) fn new(log: ConversationId, user: UserId, client_id: Uuid) -> Self {
        let mut named = [0; 48];
        named[..16].copy_from_slice(&log.bytes());
        named[16..32].copy_from_slice(&user.bytes());
        named[32..].copy_from_slice(client_id.as_bytes());
        let hash = xxh3_64(&named);
        let millis = (client_id.as_u128() >> 80) as u64;
        let time = millis % DAY_MS;
        // One that is no UUIDv7 gets a day that no table has, since none is that old or that young.
        let day = if client_id.get_version_num() == 7 { millis / DAY_MS } else { u64::MAX };
        let key = (time << HASH_BITS | hash >> (64 - HASH_BITS)) as i64;
        Self { day, key, other: (hash >> 8) as i64 }
    }

    fn has_own_day(&self, now: Timestamp) -> bool {
        let today = now.millis() / DAY_MS;
        self.day != u64::MAX && self.day + BEFORE_DAYS >= today && self.day <= today + AFTER_DAYS
    }
}

/// A row of a table of client_ids, for those who check them.
#[derive(Debug)]
pub(crate) struct Remembered {
    /// The day of the table; `dedup_other` where there is none.
    pub(super) day: Option<u64>,
    pub(super) key: i64,
}

impl Remembered {
    /// Returns true if a look-up of `place` finds it.
    pub(super) fn is_of(&self, place: Place) -> bool {
        let (here, first) = match self.day {
            Some(day) => (day == place.day, place.key),
            None => (true, place.other),
        };
        here && (first..first + PROBES).contains(&self.key)
    }
}

/// The table of a day.
pub(super) fn table_of(day: u64) -> String {
    format!("dedup_{day}")
}

/// The days that have a table.
pub(super) fn days(connection: &Connection) -> rusqlite::Result<Vec<u64>> {
    let mut select = connection.prepare_cached("SELECT name FROM sqlite_master WHERE name GLOB 'dedup_[0-9]*'")?;
    let names = select.query_map([], |row| row.get::<_, String>(0))?;
    let days = names.map(|name| Ok(name?.strip_prefix("dedup_").and_then(|day| day.parse().ok())));
    Ok(days.collect::<rusqlite::Result<Vec<Option<u64>>>>()?.into_iter().flatten().collect())
}

/// The rows of the entries that may be the one of `place`, by a reader's connection.
pub(super) fn candidates(connection: &Connection, place: Place) -> rusqlite::Result<Vec<i64>> {
    let mut entries = Vec::new();
    let mut ask = |table: &str, key: i64| -> rusqlite::Result<()> {
        let mut select = connection.prepare_cached(&select(table))?;
        for entry in select.query_map((key, key + PROBES), |row| row.get(0))? {
            entries.push(entry?);
        }
        Ok(())
    };
    let table = table_of(place.day);
    let mut exists = connection.prepare_cached("SELECT 1 FROM sqlite_master WHERE name = ?1")?;
    if place.day != u64::MAX && exists.exists((&table,))? {
        ask(&table, place.key)?;
    }
    ask("dedup_other", place.other)?;
    Ok(entries)
}

fn select(table: &str) -> String {
    format!("SELECT entry FROM {table} WHERE key >= ?1 AND key < ?2")
}

struct Table<'c> {
    insert: Statement<'c>,
    select: Statement<'c>,
    delete: Statement<'c>,
}

impl<'c> Table<'c> {
    fn open(connection: &'c Connection, name: &str, insert: &str) -> rusqlite::Result<Self> {
        Ok(Self {
            insert: connection.prepare(&format!("INSERT OR IGNORE INTO {name} {insert}"))?,
            select: connection.prepare(&select(name))?,
            delete: connection.prepare(&format!("DELETE FROM {name} WHERE key = ?1"))?,
        })
    }
}

const INSERT: &str = "(key, entry) VALUES (?1, ?2)";
const INSERT_OTHER: &str = "(key, entry, day) VALUES (?1, ?2, ?3)";

/// The writer's side.
pub(super) struct Dedup<'c> {
    connection: &'c Connection,
    days: BTreeMap<u64, Table<'c>>,
    other: Table<'c>,
    /// Rows of `dedup_other`: while there are none, nobody looks there.
    others: u64,
    /// The day on which the old ones were forgotten last.
    pruned: u64,
}

/// A row that a request made, to be taken back if the request is refused.
pub(super) enum Made {
    Day(u64, i64),
    Other(i64),
}

impl<'c> Dedup<'c> {
    pub(super) fn open(connection: &'c Connection) -> rusqlite::Result<Self> {
        let mut tables = BTreeMap::new();
        for day in days(connection)? {
            tables.insert(day, Table::open(connection, &table_of(day), INSERT)?);
        }
        let other = Table::open(connection, "dedup_other", INSERT_OTHER)?;
        let others: i64 = connection.query_row("SELECT count(*) FROM dedup_other", [], |row| row.get(0))?;
        Ok(Self { connection, days: tables, other, others: others as u64, pruned: 0 })
    }

    /// The rows of the entries that may be the one of `place`.
    pub(super) fn candidates(&mut self, place: Place, entries: &mut Vec<i64>) -> rusqlite::Result<()> {
        entries.clear();
        if let Some(table) = self.days.get_mut(&place.day) {
            take(&mut table.select, place.key, entries)?;
        }
        self.others(place, entries)
    }

    fn others(&mut self, place: Place, entries: &mut Vec<i64>) -> rusqlite::Result<()> {
        if self.others > 0 { take(&mut self.other.select, place.other, entries) } else { Ok(()) }
    }

    /// Remembers that `entry` is the one of `place`, in one insert, if that needs no look at other entries.
    pub(super) fn remember_at_once(
        &mut self,
        place: Place,
        entry: i64,
        now: Timestamp,
    ) -> rusqlite::Result<Option<Made>> {
        if self.others > 0 || !place.has_own_day(now) {
            return Ok(None);
        }
        self.insert_by_day(place, place.key, entry)
    }

    /// Remembers that `entry` is the one of `place`, which is known to be new.
    pub(super) fn remember(&mut self, place: Place, entry: i64, now: Timestamp) -> rusqlite::Result<Option<Made>> {
        for probe in 0..PROBES {
            let made = if place.has_own_day(now) {
                self.insert_by_day(place, place.key + probe, entry)?
            } else {
                let key = place.other + probe;
                let inserted = self.other.insert.execute((key, entry, (now.millis() / DAY_MS) as i64))? == 1;
                self.others += u64::from(inserted);
                inserted.then_some(Made::Other(key))
            };
            if made.is_some() {
                return Ok(made);
            }
        }
        // Eight others in one millisecond with the same 29 bits: it goes without being remembered.
        tracing::warn!("no place to remember a client_id");
        Ok(None)
    }

    fn insert_by_day(&mut self, place: Place, key: i64, entry: i64) -> rusqlite::Result<Option<Made>> {
        if !self.days.contains_key(&place.day) {
            let name = table_of(place.day);
            let sql = format!("CREATE TABLE {name} (key INTEGER PRIMARY KEY, entry INTEGER NOT NULL)");
            self.connection.execute(&sql, [])?;
            self.days.insert(place.day, Table::open(self.connection, &name, INSERT)?);
        }
        let table = self.days.get_mut(&place.day).expect("the table was just made");
        Ok((table.insert.execute((key, entry))? == 1).then_some(Made::Day(place.day, key)))
    }

    /// Takes back what a refused request made.
    pub(super) fn take_back(&mut self, made: Made) -> rusqlite::Result<()> {
        match made {
            Made::Day(day, key) => {
                let table = self.days.get_mut(&day).expect("the row was made in this transaction");
                table.delete.execute((key,))?;
            }
            Made::Other(key) => {
                self.other.delete.execute((key,))?;
                self.others -= 1;
            }
        }
        Ok(())
    }

    /// Forgets, once a day, what is older than was promised. Outside of a transaction.
    pub(super) fn prune(&mut self, now: Timestamp) -> rusqlite::Result<()> {
        let today = now.millis() / DAY_MS;
        if self.pruned == today {
            return Ok(());
        }
        // These tables hold no content: their pages need not be overwritten, which makes the drop cheap.
        self.connection.pragma_update(None, "secure_delete", "OFF")?;
        let dropped = self.drop_before(today);
        self.connection.pragma_update(None, "secure_delete", "ON")?;
        dropped?;
        self.pruned = today;
        Ok(())
    }

    fn drop_before(&mut self, today: u64) -> rusqlite::Result<()> {
        let old: Vec<u64> = self.days.keys().copied().filter(|day| day + KEPT_DAYS < today).collect();
        for day in old {
            // A table cannot go while its statements are there.
            self.days.remove(&day);
            self.connection.execute(&format!("DROP TABLE {}", table_of(day)), [])?;
        }
        if self.others > 0 {
            let last = today.saturating_sub(BEFORE_DAYS) as i64;
            let gone = self.connection.execute("DELETE FROM dedup_other WHERE day < ?1", (last,))?;
            self.others -= gone as u64;
        }
        Ok(())
    }
}

fn take(select: &mut Statement<'_>, key: i64, entries: &mut Vec<i64>) -> rusqlite::Result<()> {
    for entry in select.query_map((key, key + PROBES), |row| row.get(0))? {
        entries.push(entry?);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
