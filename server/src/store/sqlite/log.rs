//! The logs, as the writer changes them.

use kith_protocol::{ConversationId, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Statement};

use super::{
    cache::Cache,
    chain::{self, Pending, Tip},
    dedup::{Dedup, Made, Place},
    entry::Stored,
    failure::Failure,
    ids::Numbers,
    sum,
};
use crate::{
    limits,
    store::{Error, Record, WriteError},
};

/// Entries, their heads, and the numbers of whoever they name.
pub(super) struct Logs<'c> {
    connection: &'c Connection,
    numbers: Numbers<'c>,
    ends: Cache<i64, (Tip, Pending)>,
    /// The row of the next entry: rows are in the order of their commits.
    next: i64,
    data: Vec<u8>,
    candidates: Vec<i64>,
    insert: Statement<'c>,
    put_milestone: Statement<'c>,
    put_head: Statement<'c>,
    update: Statement<'c>,
    select_row: Statement<'c>,
}

impl<'c> Logs<'c> {
    pub(super) fn open(connection: &'c Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            connection,
            numbers: Numbers::new(connection)?,
            ends: Cache::new(limits::STORE_HEADS),
            next: next_row(connection)?,
            data: Vec::new(),
            candidates: Vec::new(),
            insert: connection
                .prepare("INSERT INTO entries (id, conv, seq, back, data, sum) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?,
            // The first layout has some of them already.
            put_milestone: connection.prepare("REPLACE INTO milestones (conv, seq, entry) VALUES (?1, ?2, ?3)")?,
            put_head: connection.prepare("REPLACE INTO heads (conv, seq, entry) VALUES (?1, ?2, ?3)")?,
            update: connection.prepare("UPDATE entries SET data = ?2, sum = ?3 WHERE id = ?1")?,
            select_row: connection.prepare("SELECT conv, seq, data, sum FROM entries WHERE id = ?1")?,
        })
    }

    /// Forgets what a transaction did that was rolled back.
    pub(super) fn reload(&mut self) -> rusqlite::Result<()> {
        self.numbers.reload()?;
        self.ends.clear();
        self.next = next_row(self.connection)?;
        Ok(())
    }

    /// The last entry of a log, seq 0 where there is none, and its milestones that are not kept yet.
    fn end(&mut self, conv: Option<i64>) -> rusqlite::Result<(Tip, Pending)> {
        let none = Tip { seq: 0, row: 0 };
        let Some(conv) = conv else { return Ok((none, Pending::default())) };
        if let Some(end) = self.ends.get(&conv) {
            return Ok(end);
        }
        let end = (chain::tip(self.connection, conv)?.unwrap_or(none), Pending::default());
        self.ends.put(conv, end);
        Ok(end)
    }

    /// Appends all records or none; see [`crate::store::Store::write`].
    pub(super) fn append(
        &mut self,
        dedup: &mut Dedup<'_>,
        log: ConversationId,
        expected_head: u64,
        records: &[Record],
        now: Timestamp,
    ) -> Result<Result<(), WriteError>, Failure> {
        let conv = self.numbers.find(log.uuid())?;
        let (mut tip, mut pending) = self.end(conv)?;
        let head = tip.seq;
        let mut made = Vec::new();
        let refused = match self.remember(dedup, log, records, now, head == expected_head, &mut made)? {
            Ok(known) if known.is_empty() => (head != expected_head).then_some(WriteError::Conflict { head }),
            Ok(known) => Some(WriteError::Known(known)),
            Err(damaged) => Some(damaged.into()),
        };
        if let Some(refused) = refused {
            for made in made {
                dedup.take_back(made)?;
            }
            return Ok(Err(refused));
        }
        if records.is_empty() {
            return Ok(Ok(()));
        }
        let conv = match conv {
            Some(conv) => conv,
            None => self.numbers.give(log.uuid())?,
        };
        for record in records {
            let sender = self.numbers.give(record.sender.uuid())?;
            let device = record.device.map(|device| self.numbers.give(device.uuid())).transpose()?;
            Stored::of(record, sender, device).encode(&mut self.data);
            let (row, seq) = (self.next, record.seq as i64);
            let back = if tip.row == 0 { 0 } else { row - tip.row };
            let sum = sum::of_entry(log, record.seq, &self.data);
            self.insert.execute((row, conv, seq, back, &self.data, sum))?;
            tip = Tip { seq: record.seq, row };
            self.next += 1;
            for (seq, row) in pending.append::<Failure>(self.connection, (log, conv), tip)? {
                self.put_milestone.execute((conv, seq as i64, row))?;
            }
        }
        self.put_head.execute((conv, tip.seq as i64, tip.row))?;
        self.ends.put(conv, (tip, pending));
        Ok(Ok(()))
    }

    /// Finds which records are known, and remembers the others for the rows that they are going to have if `insert`. The
    /// error is that of an entry which may be one of them and cannot be read: nobody can tell, and none may be there twice.
    fn remember(
        &mut self,
        dedup: &mut Dedup<'_>,
        log: ConversationId,
        records: &[Record],
        now: Timestamp,
        insert: bool,
        made: &mut Vec<Made>,
    ) -> Result<Result<Vec<(usize, u64)>, Error>, Failure> {
        let mut known = Vec::new();
        for (index, record) in records.iter().enumerate() {
            let Some(client_id) = record.client_id else { continue };
            let place = Place::new(log, record.sender, client_id);
            let row = self.next + index as i64;
            let insert = insert && known.is_empty();
            if insert && let Some(row) = dedup.remember_at_once(place, row, now)? {
                made.push(row);
                continue;
            }
            dedup.candidates(place, &mut self.candidates)?;
            let mut twin = false;
            for candidate in std::mem::take(&mut self.candidates) {
                if candidate >= self.next {
                    // One of this very request: where it repeats itself, the first is the one to be found.
                    let other = &records[(candidate - self.next) as usize];
                    twin |= other.sender == record.sender && other.client_id == record.client_id;
                } else {
                    match self.is_same(candidate, log, record)? {
                        Ok(Some(seq)) => {
                            known.push((index, seq));
                            break;
                        }
                        Ok(None) => {}
                        Err(damaged) => return Ok(Err(damaged)),
                    }
                }
            }
            if insert && known.is_empty() && !twin {
                made.extend(dedup.remember(place, row, now)?);
            }
        }
        Ok(Ok(known))
    }

    /// The seq of the entry in `row`, if its log, sender and client_id are those of `record`; an error where it is of the log
    /// and cannot be read.
    fn is_same(
        &mut self,
        row: i64,
        log: ConversationId,
        record: &Record,
    ) -> Result<Result<Option<u64>, Error>, Failure> {
        let conv = self.numbers.find(log.uuid())?;
        let sender = self.numbers.find(record.sender.uuid())?;
        let found = self.select_row.query_row((row,), |row| {
            let seq = row.get::<_, i64>(1)? as u64;
            if Some(row.get::<_, i64>(0)?) != conv {
                return Ok(Ok(None));
            }
            let stored = Stored::read(log, seq, row.get_ref(2)?.as_blob()?, row.get(3)?);
            Ok(stored.map(|it| (Some(it.sender) == sender && it.client_id == record.client_id).then_some(seq)))
        });
        let gone = || Error::Corrupt(format!("{log}: a client_id is remembered for the row {row}, which is not there"));
        Ok(found.optional()?.unwrap_or_else(|| Err(gone())))
    }

    /// Replaces an entry's content; see [`crate::store::Turn::redact`].
    pub(super) fn redact(&mut self, log: ConversationId, record: &Record) -> Result<(), Failure> {
        let Some(conv) = self.numbers.find(log.uuid())? else { return Ok(()) };
        let (tip, _) = self.end(Some(conv))?;
        if !(1..=tip.seq).contains(&record.seq) {
            return Ok(());
        }
        let mut kept = None;
        chain::backwards(self.connection, (log, conv), (record.seq, record.seq), tip, |passed| {
            let stored = passed.stored()?;
            kept = Some((passed.row, stored.sender, stored.client_id));
            Ok::<_, Failure>(())
        })?;
        let Some((id, sender, client_id)) = kept else { return Ok(()) };
        let device = record.device.map(|device| self.numbers.give(device.uuid())).transpose()?;
        let stored = Stored { client_id, ..Stored::of(record, sender, device) };
        stored.encode(&mut self.data);
        self.update.execute((id, &self.data, sum::of_entry(log, record.seq, &self.data)))?;
        Ok(())
    }
}

fn next_row(connection: &Connection) -> rusqlite::Result<i64> {
    let last: Option<i64> = connection.query_row("SELECT max(id) FROM entries", [], |row| row.get(0))?;
    Ok(last.unwrap_or(0) + 1)
}
