//! The threads that read, each with a connection of its own.

use std::{collections::VecDeque, ops::ControlFlow, sync::Arc};

use bytes::Bytes;
use kith_protocol::{ConversationId, DeviceId, UserId, Uuid};
use parking_lot::{Condvar, Mutex};
use rusqlite::{Connection, OptionalExtension as _};

use super::{
    chain::{self, Tip},
    dedup::{self, Place},
    entry::Stored,
    failure::{DieWithThread, of_reading},
    ids::Names,
    rows::{self, bounds, full_key},
};
use crate::{
    limits,
    page_bytes::PageBytes,
    store::{Direction, Error, Head, KeyRange, LogRange, Record, Row, RowKey},
};

/// A question, with the answer's way back inside.
pub(super) type Job = Box<dyn FnOnce(&mut Reader<'_>) + Send>;

/// Jobs that one transaction answers at most: what it costs to begin is shared, and none lasts long.
const JOBS_TOGETHER: usize = 32;

/// The questions that wait. Who puts one in holds a permit, so their number is bounded.
#[derive(Default)]
pub(super) struct Questions {
    waiting: Mutex<Waiting>,
    asked: Condvar,
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    stop: bool,
}

impl Questions {
    pub(super) fn ask(&self, job: Job) {
        self.waiting.lock().jobs.push_back(job);
        self.asked.notify_one();
    }

    pub(super) fn stop(&self) {
        self.waiting.lock().stop = true;
        self.asked.notify_all();
    }

    /// Waits for questions and takes a share of them; none when it is over.
    fn take(&self, jobs: &mut Vec<Job>) {
        let mut waiting = self.waiting.lock();
        self.asked.wait_while(&mut waiting, |waiting| waiting.jobs.is_empty() && !waiting.stop);
        let share = waiting.jobs.len().div_ceil(limits::STORE_READERS).min(JOBS_TOGETHER);
        jobs.extend(waiting.jobs.drain(..share));
    }
}

/// Answers questions until there are no more.
pub(super) fn run(connection: &Connection, questions: &Arc<Questions>) {
    let _die = DieWithThread("a reader panicked");
    let mut reader = Reader::new(connection);
    let mut jobs = Vec::new();
    loop {
        questions.take(&mut jobs);
        if jobs.is_empty() {
            return;
        }
        // All of them were asked before this begins, so each sees what was committed before it was asked. Should it not
        // begin, each statement reads on its own and says what is wrong.
        let began = connection.execute_batch("BEGIN").is_ok();
        for job in jobs.drain(..) {
            job(&mut reader);
        }
        if began && let Err(error) = connection.execute_batch("COMMIT") {
            tracing::warn!(%error, "a read did not end");
        }
    }
}

/// One connection that reads, and the identifiers that it met.
pub(crate) struct Reader<'c> {
    connection: &'c Connection,
    names: Names,
}

impl<'c> Reader<'c> {
    pub(crate) fn new(connection: &'c Connection) -> Self {
        connection.set_prepared_statement_cache_capacity(32);
        Self { connection, names: Names::new() }
    }

    fn number(&mut self, uuid: Uuid) -> Result<Option<i64>, Error> {
        self.names.number(self.connection, uuid)
    }

    pub(super) fn name(&mut self, id: i64) -> Result<Uuid, Error> {
        self.names.name(self.connection, id)
    }

    /// The conversation whose number is `id`.
    pub(crate) fn conversation(&mut self, id: i64) -> Result<ConversationId, Error> {
        self.name(id).map(ConversationId::new)
    }

    /// The user whose number is `id`.
    pub(crate) fn user(&mut self, id: i64) -> Result<UserId, Error> {
        self.name(id).map(UserId::new)
    }

    pub(crate) fn find(&mut self, log: ConversationId, user: UserId, client_id: Uuid) -> Result<Option<u64>, Error> {
        let (Some(conv), Some(sender)) = (self.number(log.uuid())?, self.number(user.uuid())?) else {
            return Ok(None);
        };
        let candidates = dedup::candidates(self.connection, Place::new(log, user, client_id)).map_err(of_reading)?;
        let select = "SELECT conv, seq, data, sum FROM entries WHERE id = ?1";
        let mut select = self.connection.prepare_cached(select).map_err(of_reading)?;
        for row in candidates {
            let found = select.query_row((row,), |row| {
                let seq = row.get::<_, i64>(1)? as u64;
                if row.get::<_, i64>(0)? != conv {
                    return Ok(Ok(None));
                }
                let stored = Stored::read(log, seq, row.get_ref(2)?.as_blob()?, row.get(3)?);
                Ok(stored.map(|it| (it.sender == sender && it.client_id == Some(client_id)).then_some(seq)))
            });
            if let Some(seq) = found.map_err(of_reading)?? {
                return Ok(Some(seq));
            }
        }
        Ok(None)
    }

    /// Returns the place where the client_id of the entry in `row` is remembered, if there is such an entry and it has one.
    pub(super) fn place_of(&mut self, row: i64) -> Result<Option<Place>, Error> {
        let select = "SELECT conv, seq, data, sum FROM entries WHERE id = ?1";
        let mut select = self.connection.prepare_cached(select).map_err(of_reading)?;
        let mut rows = select.query((row,)).map_err(of_reading)?;
        let Some(row) = rows.next().map_err(of_reading)? else { return Ok(None) };
        let number = |column| row.get::<_, i64>(column).map_err(of_reading);
        let log = ConversationId::new(self.names.name(self.connection, number(0)?)?);
        let data = row.get_ref(2).map_err(of_reading)?.as_blob().map_err(|error| of_reading(error.into()))?;
        let Stored { sender, client_id, .. } = Stored::read(log, number(1)? as u64, data, number(3)?)?;
        let Some(client_id) = client_id else { return Ok(None) };
        let user = UserId::new(self.names.name(self.connection, sender)?);
        Ok(Some(Place::new(log, user, client_id)))
    }

    /// The records of a range that a page takes.
    pub(crate) fn read(&mut self, range: &LogRange, page: &mut PageBytes) -> Result<Vec<Record>, Error> {
        if page.is_cut() {
            return Ok(Vec::new());
        }
        let Some((conv, tip)) = self.tip(range.log)? else { return Ok(Vec::new()) };
        let (mut first, mut last) = (*range.seqs.start().max(&1), *range.seqs.end().min(&tip.seq));
        if first > last || range.limit == 0 {
            return Ok(Vec::new());
        }
        let further = range.limit as u64 - 1;
        match range.direction {
            Direction::Ascending => last = last.min(first.saturating_add(further)),
            Direction::Descending => first = first.max(last.saturating_sub(further)),
        }
        match range.direction {
            Direction::Ascending => self.oldest((range.log, conv), (first, last), tip, page),
            Direction::Descending => self.newest((range.log, conv), (first, last), tip, page),
        }
    }

    /// The records from seq `last` back to `first` that a page takes.
    fn newest(
        &mut self,
        log: (ConversationId, i64),
        (first, last): (u64, u64),
        tip: Tip,
        page: &mut PageBytes,
    ) -> Result<Vec<Record>, Error> {
        let mut records = Vec::new();
        chain::backwards_while(self.connection, log, (first, last), tip, |passed| {
            let stored = passed.stored()?;
            if !page.takes(stored.body.len()) {
                return Ok(ControlFlow::Break(()));
            }
            records.push(self.record(passed.seq, &stored)?);
            Ok::<_, Error>(ControlFlow::Continue(()))
        })?;
        Ok(records)
    }

    /// The records from seq `first` on to `last` that a page takes. A log is walked from its end, so where the page does
    /// not take all of them only their rows are looked up on the way, and they are read from the other side.
    fn oldest(
        &mut self,
        log: (ConversationId, i64),
        (first, last): (u64, u64),
        tip: Tip,
        page: &mut PageBytes,
    ) -> Result<Vec<Record>, Error> {
        let (mut records, mut rows, mut whole) = (Vec::new(), Vec::new(), page.clone());
        let mut at = last;
        chain::backwards_while(self.connection, log, (first, last), tip, |passed| {
            rows.push(passed.row);
            at = passed.seq;
            let stored = passed.stored()?;
            if !whole.takes(stored.body.len()) {
                return Ok(ControlFlow::Break(()));
            }
            records.push(self.record(passed.seq, &stored)?);
            Ok::<_, Error>(ControlFlow::Continue(()))
        })?;
        if !whole.is_cut() {
            *page = whole;
            records.reverse();
            return Ok(records);
        }
        records.clear();
        if let Some(row) = rows.pop() {
            chain::rows(self.connection, log, (first, at), row, &mut rows)?;
        }
        let mut select =
            self.connection.prepare_cached("SELECT data, sum FROM entries WHERE id = ?1").map_err(of_reading)?;
        for (row, seq) in rows.into_iter().rev().zip(first..) {
            let mut found = select.query((row,)).map_err(of_reading)?;
            let entry = found.next().map_err(of_reading)?.ok_or_else(|| chain::broken(log.0, row))?;
            let data = entry.get_ref(0).map_err(of_reading)?.as_blob().map_err(|error| of_reading(error.into()))?;
            let stored = Stored::read(log.0, seq, data, entry.get(1).map_err(of_reading)?)?;
            if !page.takes(stored.body.len()) {
                break;
            }
            records.push(self.record(seq, &stored)?);
        }
        Ok(records)
    }

    fn tip(&mut self, log: ConversationId) -> Result<Option<(i64, Tip)>, Error> {
        let Some(conv) = self.number(log.uuid())? else { return Ok(None) };
        Ok(chain::tip(self.connection, conv).map_err(of_reading)?.map(|tip| (conv, tip)))
    }

    fn record(&mut self, seq: u64, stored: &Stored<'_>) -> Result<Record, Error> {
        let device = stored.device.map(|device| self.name(device)).transpose()?;
        Ok(Record {
            seq,
            kind: stored.kind,
            sender: self.user(stored.sender)?,
            device: device.map(DeviceId::new),
            client_id: stored.client_id,
            at: stored.at,
            true_at: stored.true_at,
            expires_at: stored.expires_at,
            counts: stored.counts,
            body: Bytes::copy_from_slice(stored.body),
        })
    }

    pub(crate) fn head(&mut self, log: ConversationId) -> Result<Option<Head>, Error> {
        let Some((conv, tip)) = self.tip(log)? else { return Ok(None) };
        let mut head = None;
        chain::backwards(self.connection, (log, conv), (tip.seq, tip.seq), tip, |passed| {
            head = Some(passed.stored()?.head(passed.seq));
            Ok::<_, Error>(())
        })?;
        Ok(head)
    }

    pub(crate) fn get(&mut self, row: &RowKey) -> Result<Option<Bytes>, Error> {
        let select = "SELECT value, sum FROM rows WHERE key = ?1";
        let mut select = self.connection.prepare_cached(select).map_err(of_reading)?;
        let key = full_key(&row.partition, &row.key);
        let value = select.query_row((&key,), |row| Ok(rows::read(&key, row.get_ref(0)?.as_blob()?, row.get(1)?)));
        value.optional().map_err(of_reading)
    }

    pub(crate) fn scan(
        &mut self,
        partition: &[u8],
        range: &KeyRange,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<Row>, Error> {
        let order = match direction {
            Direction::Ascending => {
                "SELECT key, value, sum FROM rows WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT ?3"
            }
            Direction::Descending => {
                "SELECT key, value, sum FROM rows WHERE key >= ?1 AND key < ?2 ORDER BY key DESC LIMIT ?3"
            }
        };
        let mut select = self.connection.prepare_cached(order).map_err(of_reading)?;
        let (from, to) = bounds(partition, range);
        let skip = 1 + partition.len();
        let rows = select.query_map((from, to, number(limit as u64)), |row| {
            let key = row.get_ref(0)?.as_blob()?;
            let value = rows::read(key, row.get_ref(1)?.as_blob()?, row.get(2)?);
            // Within the bounds there are keys of the partition only.
            Ok(Row { key: key.get(skip..).unwrap_or_default().to_vec(), value })
        });
        rows.and_then(Iterator::collect).map_err(of_reading)
    }
}

/// SQLite's numbers end at 2⁶³; no seq gets there.
fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
