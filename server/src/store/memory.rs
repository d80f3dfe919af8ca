//! A model of the contract in memory: so simple that it is right by reading it. For tests and simulations.

use std::collections::BTreeMap;

use bytes::Bytes;
use kith_protocol::{ConversationId, UserId, Uuid};
use parking_lot::Mutex;

use super::{
    Answer, Change, CommitError, Condition, Direction, Head, KeyRange, LogRange, Raise, Record, Row, RowKey, RowWrite,
    Store, Turn, WriteError,
};
use crate::page_bytes::PageBytes;

/// A store that forgets everything when it is dropped, and nothing before.
#[derive(Default)]
pub struct Memory {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    logs: BTreeMap<ConversationId, Vec<Record>>,
    known: BTreeMap<(ConversationId, UserId, Uuid), u64>,
    rows: BTreeMap<(Vec<u8>, Vec<u8>), Bytes>,
}

impl Memory {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }
}

/// An answer that is there.
fn now<'a, T: Send + 'a, E: Send + 'a>(result: Result<T, E>) -> Answer<'a, T, E> {
    Box::pin(std::future::ready(result))
}

impl State {
    fn write(&mut self, log: ConversationId, expected: u64, turn: Turn) -> Result<(), WriteError> {
        turn.check(expected)?;
        let id = |record: &Record| record.client_id.map(|client_id| (log, record.sender, client_id));
        let seq_of = |record: &Record| id(record).and_then(|id| self.known.get(&id).copied());
        let known: Vec<(usize, u64)> =
            turn.append.iter().enumerate().filter_map(|(index, record)| Some((index, seq_of(record)?))).collect();
        if !known.is_empty() {
            return Err(WriteError::Known(known));
        }
        let entries = self.logs.entry(log).or_default();
        if entries.len() as u64 != expected {
            return Err(WriteError::Conflict { head: entries.len() as u64 });
        }
        for record in turn.redact {
            if let Some(entry) = entries.iter_mut().find(|entry| entry.seq == record.seq) {
                *entry = Record { sender: entry.sender, client_id: entry.client_id, ..record };
            }
        }
        for record in turn.append {
            if let Some(id) = id(&record) {
                self.known.entry(id).or_insert(record.seq);
            }
            entries.push(record);
        }
        for row in turn.rows {
            match row {
                RowWrite::Put(row, value) => drop(self.rows.insert((row.partition, row.key), value)),
                RowWrite::Delete(row) => drop(self.rows.remove(&(row.partition, row.key))),
                RowWrite::Raise(raise) => self.raise(raise),
            }
        }
        Ok(())
    }

    fn confirm(&self, log: ConversationId, head: u64) -> Result<(), WriteError> {
        let now = self.logs.get(&log).map_or(0, Vec::len) as u64;
        if now == head { Ok(()) } else { Err(WriteError::Conflict { head: now }) }
    }

    fn raise(&mut self, raise: Raise) {
        let row = (raise.row.partition.clone(), raise.row.key.clone());
        if raise.exceeds(self.rows.get(&row).map(|value| &value[..])) {
            self.rows.insert(row, raise.stored());
        }
    }

    fn read(&self, range: &LogRange, page: &mut PageBytes) -> Vec<Record> {
        let entries = self.logs.get(&range.log).map_or(&[][..], Vec::as_slice);
        let within = entries.iter().filter(|record| range.seqs.contains(&record.seq)).cloned();
        let records = directed(within, range.direction, range.limit).into_iter();
        records.take_while(|record| page.takes(record.body.len())).collect()
    }

    fn head(&self, log: ConversationId) -> Option<Head> {
        let last = self.logs.get(&log)?.last()?;
        Some(Head { seq: last.seq, at: last.at, counts: last.counts })
    }

    fn scan(&self, partition: &[u8], range: &KeyRange, direction: Direction, limit: usize) -> Vec<Row> {
        let within = self.rows.iter().filter(|((of, key), _)| {
            of == partition && *key >= range.from && range.to.as_ref().is_none_or(|to| key < to)
        });
        let rows = within.map(|((_, key), value)| Row { key: key.clone(), value: value.clone() });
        directed(rows, direction, limit)
    }

    fn commit(
        &mut self,
        partition: &[u8],
        changes: Vec<Change>,
        conditions: Vec<Condition>,
    ) -> Result<(), CommitError> {
        for (index, condition) in conditions.into_iter().enumerate() {
            let (key, wanted) = match condition {
                Condition::Absent(key) => (key, None),
                Condition::Equals(key, value) => (key, Some(value)),
            };
            let current = self.rows.get(&(partition.to_vec(), key)).cloned();
            if current != wanted {
                return Err(CommitError::Condition { index, current });
            }
        }
        for change in changes {
            match change {
                Change::Put(key, value) => drop(self.rows.insert((partition.to_vec(), key), value)),
                Change::Delete(key) => drop(self.rows.remove(&(partition.to_vec(), key))),
            }
        }
        Ok(())
    }
}

fn directed<T>(items: impl DoubleEndedIterator<Item = T>, direction: Direction, limit: usize) -> Vec<T> {
    match direction {
        Direction::Ascending => items.take(limit).collect(),
        Direction::Descending => items.rev().take(limit).collect(),
    }
}

impl Store for Memory {
    fn write(&self, log: ConversationId, expected_head: u64, turn: Turn) -> Answer<'_, (), WriteError> {
        now(self.state.lock().write(log, expected_head, turn))
    }

    fn confirm(&self, log: ConversationId, head: u64) -> Answer<'_, (), WriteError> {
        now(self.state.lock().confirm(log, head))
    }

    fn find(&self, log: ConversationId, user: UserId, client_id: Uuid) -> Answer<'_, Option<u64>> {
        now(Ok(self.state.lock().known.get(&(log, user, client_id)).copied()))
    }

    fn read_within(&self, ranges: Vec<LogRange>, bytes: usize) -> Answer<'_, Vec<Vec<Record>>> {
        let (state, mut page) = (self.state.lock(), PageBytes::new(bytes));
        now(Ok(ranges.iter().map(|range| state.read(range, &mut page)).collect()))
    }

    fn heads(&self, logs: Vec<ConversationId>) -> Answer<'_, Vec<Option<Head>>> {
        let state = self.state.lock();
        now(Ok(logs.into_iter().map(|log| state.head(log)).collect()))
    }

    fn get(&self, rows: Vec<RowKey>) -> Answer<'_, Vec<Option<Bytes>>> {
        let state = self.state.lock();
        now(Ok(rows.into_iter().map(|row| state.rows.get(&(row.partition, row.key)).cloned()).collect()))
    }

    fn scan(&self, partition: Vec<u8>, range: KeyRange, direction: Direction, limit: usize) -> Answer<'_, Vec<Row>> {
        now(Ok(self.state.lock().scan(&partition, &range, direction, limit)))
    }

    fn commit(
        &self,
        partition: Vec<u8>,
        changes: Vec<Change>,
        conditions: Vec<Condition>,
    ) -> Answer<'_, (), CommitError> {
        now(self.state.lock().commit(&partition, changes, conditions))
    }

    fn raise(&self, rows: Vec<Raise>) -> Answer<'_, ()> {
        let mut state = self.state.lock();
        rows.into_iter().for_each(|raise| state.raise(raise));
        now(Ok(()))
    }

    fn ready(&self) -> Answer<'_, ()> {
        now(Ok(()))
    }
}
