//! The one thread that writes: it takes everything that waits and makes it one durable transaction.
//!
//! Each request is checked before it changes anything, within the transaction and so after those before it in the
//! batch: a refused one needs no savepoint and disturbs nobody. Answers go out after the sync.

use std::{sync::Arc, time::Instant};

use kith_protocol::{ConversationId, Timestamp};
use rusqlite::{Connection, Statement};
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::{
    checkpoint::Checkpoints,
    dedup::Dedup,
    failure::{DieWithThread, Failure, die},
    log::Logs,
    rows::Rows,
};
use crate::{
    clock, gather, limits,
    store::{Change, CommitError, Condition, Error, Raise, Turn, WriteError, schema},
};

/// Something to write, and who waits for it.
pub(super) enum Request {
    Write {
        log: ConversationId,
        expected_head: u64,
        turn: Turn,
        answer: oneshot::Sender<Result<(), WriteError>>,
    },
    Raise {
        rows: Vec<Raise>,
        answer: oneshot::Sender<Result<(), Error>>,
    },
    Commit {
        partition: Vec<u8>,
        changes: Vec<Change>,
        conditions: Vec<Condition>,
        answer: oneshot::Sender<Result<(), CommitError>>,
    },
    Ready {
        answer: oneshot::Sender<Result<(), Error>>,
    },
}

impl Request {
    /// The number of changes for which it counts.
    pub(super) fn changes(&self) -> usize {
        let changes = match self {
            Request::Write { turn, .. } => turn.changes(),
            Request::Raise { rows, .. } => rows.len(),
            Request::Commit { changes, .. } => changes.len(),
            Request::Ready { .. } => 1,
        };
        changes.clamp(1, limits::STORE_BATCH)
    }

    fn bytes(&self) -> usize {
        match self {
            Request::Write { turn, .. } => turn.bytes(),
            Request::Raise { rows, .. } => rows.iter().map(Raise::bytes).sum(),
            Request::Commit { changes, .. } => changes.iter().map(Change::bytes).sum(),
            Request::Ready { .. } => 0,
        }
    }

    /// Tells who waits. Nobody may: they are free to stop waiting.
    fn answer(self, outcome: Outcome) {
        match (self, outcome) {
            (Request::Write { answer, .. }, Outcome::Write(result)) => drop(answer.send(result)),
            (Request::Write { answer, .. }, Outcome::Refused(error)) => drop(answer.send(Err(error.into()))),
            (Request::Commit { answer, .. }, Outcome::Commit(result)) => drop(answer.send(result)),
            (Request::Commit { answer, .. }, Outcome::Refused(error)) => drop(answer.send(Err(error.into()))),
            (Request::Raise { answer, .. } | Request::Ready { answer }, Outcome::Done) => drop(answer.send(Ok(()))),
            (Request::Raise { answer, .. } | Request::Ready { answer }, Outcome::Refused(error)) => {
                drop(answer.send(Err(error)));
            }
            _ => unreachable!("each request has its own outcome"),
        }
    }
}

impl Change {
    fn bytes(&self) -> usize {
        match self {
            Change::Put(key, value) => key.len() + value.len(),
            Change::Delete(key) => key.len(),
        }
    }
}

/// The outcome of a request.
#[derive(Clone)]
enum Outcome {
    Write(Result<(), WriteError>),
    Commit(Result<(), CommitError>),
    Done,
    Refused(Error),
}

/// The state that the writer shares with the rest of the engine.
pub(super) struct Shared {
    pub(super) requests: mpsc::UnboundedReceiver<Request>,
    /// One permit for each change that may still wait.
    pub(super) permits: Arc<Semaphore>,
    pub(super) checkpoints: Arc<Checkpoints>,
}

/// Writes until nobody can ask any more.
pub(super) fn run(connection: &Connection, shared: Shared) {
    let _die = DieWithThread("the writer panicked");
    let Shared { mut requests, permits, checkpoints } = shared;
    let mut writer = match Writer::new(connection) {
        Ok(writer) => writer,
        Err(error) => die(&error.to_string()),
    };
    let commit_seconds = metrics::histogram!("kith_store_commit_seconds");
    let batch_changes = metrics::histogram!("kith_store_batch_changes");
    let queue_changes = metrics::gauge!("kith_store_queue_changes");
    let mut batch = Vec::new();
    let mut next = None;
    while let Some(first) = next.take().or_else(|| requests.blocking_recv()) {
        let (mut changes, mut bytes) = (first.changes(), first.bytes());
        batch.push(first);
        while changes < limits::STORE_BATCH && bytes < limits::STORE_BATCH_BYTES {
            let Ok(request) = requests.try_recv() else { break };
            if changes + request.changes() > limits::STORE_BATCH {
                next = Some(request);
                break;
            }
            changes += request.changes();
            bytes += request.bytes();
            batch.push(request);
        }
        permits.add_permits(changes);
        queue_changes.set((limits::STORE_QUEUE - permits.available_permits().min(limits::STORE_QUEUE)) as f64);
        batch_changes.record(changes as f64);

        let began = Instant::now();
        let outcomes = writer.write(&batch, &checkpoints);
        commit_seconds.record(began.elapsed().as_secs_f64());
        gather::together(|| {
            for (request, outcome) in batch.drain(..).zip(outcomes) {
                request.answer(outcome);
            }
        });
    }
}

struct Writer<'c> {
    begin: Statement<'c>,
    commit: Statement<'c>,
    rollback: Statement<'c>,
    logs: Logs<'c>,
    rows: Rows<'c>,
    dedup: Dedup<'c>,
    connection: &'c Connection,
    /// True if the last attempt found no room.
    full: bool,
    /// True while nothing as large as a message was written since one found no room.
    short: bool,
}

impl<'c> Writer<'c> {
    fn new(connection: &'c Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            begin: connection.prepare("BEGIN IMMEDIATE")?,
            commit: connection.prepare("COMMIT")?,
            rollback: connection.prepare("ROLLBACK")?,
            logs: Logs::open(connection)?,
            rows: Rows::open(connection)?,
            dedup: Dedup::open(connection)?,
            connection,
            full: false,
            short: false,
        })
    }

    /// Makes the batch one durable write, or each request its own where there is no room for all of them, or one of them
    /// meets damage.
    fn write(&mut self, batch: &[Request], checkpoints: &Checkpoints) -> Vec<Outcome> {
        let turn = checkpoints.turn();
        let outcomes = match self.attempt(batch) {
            Ok(outcomes) => outcomes,
            Err(why) if batch.len() == 1 => vec![Outcome::Refused(why)],
            Err(_) => {
                let mut outcomes = Vec::with_capacity(batch.len());
                for request in batch {
                    match self.attempt(std::slice::from_ref(request)) {
                        Ok(outcome) => outcomes.extend(outcome),
                        Err(why) => outcomes.push(Outcome::Refused(why)),
                    }
                }
                outcomes
            }
        };
        turn.end();
        if self.full {
            checkpoints.make_room()
        } else {
            checkpoints.wrote()
        }
        outcomes
    }

    /// One transaction; the error is that of a full disk, or of what a request needs and does not decode. Every other ends the
    /// process.
    fn attempt(&mut self, batch: &[Request]) -> Result<Vec<Outcome>, Error> {
        match self.transaction(batch) {
            Ok(outcomes) => {
                self.full = false;
                // What is asked probes while it is short of room.
                self.short &= !batch.iter().any(|request| matches!(request, Request::Ready { .. }));
                Ok(outcomes)
            }
            Err(Failure::Full(why)) => {
                self.roll_back();
                (self.full, self.short) = (true, true);
                Err(Error::Full(why))
            }
            Err(Failure::Damaged(why)) => {
                self.roll_back();
                Err(Error::Corrupt(why))
            }
            Err(Failure::Lost(why)) => die(&why),
        }
    }

    fn transaction(&mut self, batch: &[Request]) -> Result<Vec<Outcome>, Failure> {
        let now = clock::now();
        self.dedup.prune(clock::forget_until())?;
        self.begin.execute([])?;
        let mut outcomes = Vec::with_capacity(batch.len());
        for request in batch {
            outcomes.push(self.apply(request, now)?);
        }
        self.commit.execute([])?;
        Ok(outcomes)
    }

    fn apply(&mut self, request: &Request, now: Timestamp) -> Result<Outcome, Failure> {
        Ok(match request {
            Request::Write { log, expected_head, turn, .. } => {
                Outcome::Write(self.take_turn(*log, *expected_head, turn, now)?)
            }
            Request::Raise { rows, .. } => {
                for raise in rows {
                    self.rows.raise(raise)?;
                }
                Outcome::Done
            }
            Request::Commit { partition, changes, conditions, .. } => {
                Outcome::Commit(self.rows.commit(partition, changes, conditions)?)
            }
            Request::Ready { .. } => {
                if self.short {
                    self.probe()?;
                }
                Outcome::Done
            }
        })
    }

    /// Writes a turn, or nothing of it: it is refused, if at all, before anything is changed.
    fn take_turn(
        &mut self,
        log: ConversationId,
        expected_head: u64,
        turn: &Turn,
        now: Timestamp,
    ) -> Result<Result<(), WriteError>, Failure> {
        if let Err(refused) = self.logs.append(&mut self.dedup, log, expected_head, &turn.append, now)? {
            return Ok(Err(refused));
        }
        for record in turn.redact.iter().filter(|record| record.seq <= expected_head) {
            self.logs.redact(log, record)?;
        }
        for row in &turn.rows {
            self.rows.write(row)?;
        }
        Ok(Ok(()))
    }

    /// Writes more than a message has, to see whether there is room again: where there is none for that, the smaller
    /// writes that find some say nothing.
    fn probe(&mut self) -> Result<(), Failure> {
        for size in [limits::STORE_PROBE_BYTES, 0] {
            let changes = [Change::Put(schema::server::probe(), vec![0; size].into())];
            self.rows.commit(&schema::server::partition(), &changes, &[])?.expect("it has no condition");
        }
        Ok(())
    }

    /// Undoes the transaction, on the disk and in memory.
    fn roll_back(&mut self) {
        // SQLite may have rolled back by itself.
        if !self.connection.is_autocommit()
            && let Err(error) = self.rollback.execute([])
        {
            die(&error.to_string());
        }
        let reloaded = self.logs.reload().and_then(|()| Dedup::open(self.connection));
        match reloaded {
            Ok(dedup) => self.dedup = dedup,
            Err(error) => die(&error.to_string()),
        }
    }
}
