//! The embedded engine: SQLite in one directory.
//!
//! ```text
//!   write, commit ──▶ queue ─▶ writer ── one transaction ──▶ store.db-wal ─▶ checkpoints ─▶ store.db
//!   read, get, scan ─▶ queue ─▶ readers ◀──────────────────────────┴────────────────────────┘
//! ```
//! One thread writes, [`limits::STORE_READERS`] read, one makes the checkpoints. A commit is one write and one sync of
//! the write-ahead log, however many requests it holds. Entries lie in the order of their commits; `chain` finds them by
//! conversation and seq.
//!
//! Invariant: no other module names rusqlite.

mod backup;
mod cache;
mod chain;
mod checkpoint;
mod dedup;
mod entry;
mod failure;
mod ids;
mod instance;
mod log;
mod mend;
mod open;
mod reader;
mod rows;
mod snapshot;
mod sum;
#[cfg(test)]
mod tests;
pub mod upgrade;
mod writer;

use std::{fs::File, path::Path, sync::Arc, thread::JoinHandle};

use bytes::Bytes;
use kith_protocol::{ConversationId, UserId, Uuid};
use rusqlite::Connection;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

use self::{
    checkpoint::Checkpoints,
    reader::Questions,
    writer::{Request, Shared},
};
pub(crate) use self::{
    entry::Stored,
    mend::Numbered,
    reader::Reader,
    snapshot::{Met, RawEntry, RawRow},
};
pub use self::{
    open::{Ground, OpenError, UNFINISHED},
    snapshot::Snapshot,
};
use super::{
    Answer, Change, CommitError, Condition, Direction, Error, Head, KeyRange, LogRange, Raise, Record, Row, RowKey,
    Store, Turn, WriteError,
};
use crate::{limits, page_bytes::PageBytes, sqlite::scrub::Scrub};

/// A data directory that this process owns.
pub struct Sqlite {
    dir: std::path::PathBuf,
    /// None once it is being closed.
    requests: Option<mpsc::UnboundedSender<Request>>,
    write_permits: Arc<Semaphore>,
    questions: Arc<Questions>,
    read_permits: Arc<Semaphore>,
    checkpoints: Arc<Checkpoints>,
    /// The writer, the readers, the one that makes the checkpoints.
    threads: Vec<JoinHandle<()>>,
    /// Closed after the threads' connections, whose locks its closing would give up.
    _database: Arc<File>,
    /// Last, so that nobody gets in before the threads are gone.
    _lock: File,
    /// After the lock: who waits for this to be gone finds the directory free.
    released: watch::Sender<()>,
}

impl Sqlite {
    /// Opens the directory, and makes it if there is none.
    ///
    /// # Errors
    /// [`OpenError`]; nothing was changed then.
    pub fn open(dir: &Path) -> Result<Arc<Sqlite>, OpenError> {
        Self::open_on(dir, &Ground::default())
    }

    /// Opens the directory on another ground than the operating system's files.
    ///
    /// # Errors
    /// As [`Sqlite::open`].
    pub fn open_on(dir: &Path, ground: &Ground) -> Result<Arc<Sqlite>, OpenError> {
        describe_metrics();
        let lock = open::lock(dir)?;
        backup::clear(dir)?;
        open::look_after_failure(dir, ground)?;
        let writer = open::writer(dir, ground)?;
        let readers = (0..limits::STORE_READERS).map(|_| open::reader(dir, ground));
        let readers = readers.collect::<Result<Vec<Connection>, OpenError>>()?;
        let checkpointer = open::checkpointer(dir, ground)?;
        let database = Arc::new(open::file(dir)?);
        let scrub = Scrub::new(database.clone(), open::log(dir));

        let (requests, waiting) = mpsc::unbounded_channel();
        let write_permits = Arc::new(Semaphore::new(limits::STORE_QUEUE));
        let checkpoints = Arc::<Checkpoints>::default();
        let questions = Arc::<Questions>::default();
        let mut threads = Vec::new();
        let mut spawn = |name: &str, thread: Box<dyn FnOnce() + Send>| {
            let works_for = dir.to_owned();
            let work = move || {
                failure::work_for(&works_for);
                thread();
            };
            let made = std::thread::Builder::new().name(name.to_owned()).spawn(work);
            threads.push(made.map_err(|error| OpenError::Io { path: dir.into(), why: error.to_string() })?);
            Ok(())
        };
        let shared = Shared { requests: waiting, permits: write_permits.clone(), checkpoints: checkpoints.clone() };
        spawn("store-writer", Box::new(move || writer::run(&writer, shared)))?;
        for connection in readers {
            let questions = questions.clone();
            spawn("store-reader", Box::new(move || reader::run(&connection, &questions)))?;
        }
        let (thread_checkpoints, longest) = (checkpoints.clone(), ground.wal_bytes);
        let run = move || checkpoint::run(&checkpointer, scrub, longest, &thread_checkpoints);
        spawn("store-checkpoint", Box::new(run))?;
        // What a crash left in the log is to leave it as if it had just been written.
        checkpoints.wrote();

        Ok(Arc::new(Sqlite {
            dir: dir.into(),
            requests: Some(requests),
            write_permits,
            questions,
            read_permits: Arc::new(Semaphore::new(limits::STORE_READS)),
            checkpoints,
            threads,
            _database: database,
            _lock: lock,
            released: watch::Sender::new(()),
        }))
    }

    /// Becomes an error once nobody uses the store any longer, all is on the disk and another process may have it.
    pub fn released(&self) -> watch::Receiver<()> {
        self.released.subscribe()
    }

    /// A copy of the database as of now, while the store goes on: a file in the data directory that is gone once it is
    /// closed. One at a time; it needs as much room as [`Sqlite::bytes`] says. Blocks the thread.
    ///
    /// # Errors
    /// [`OpenError`] where it cannot be read or written.
    pub fn backup(&self) -> Result<File, OpenError> {
        backup::copy(&open::reader(&self.dir, &Ground::default())?, &self.dir)
    }

    /// The length of the database and its write-ahead log, in bytes.
    pub fn bytes(&self) -> u64 {
        let lengths = [open::database(&self.dir), open::log(&self.dir)].map(std::fs::metadata);
        lengths.into_iter().flatten().map(|file| file.len()).sum()
    }

    /// Queues a request and waits for its answer.
    async fn queue<T, E: From<Error>>(
        &self,
        request: impl FnOnce(oneshot::Sender<Result<T, E>>) -> Request,
    ) -> Result<T, E> {
        let (answer, answered) = oneshot::channel();
        let request = request(answer);
        let permits = self.write_permits.acquire_many(request.changes() as u32).await.expect("it is never closed");
        // The writer gives them back when it takes the request out.
        permits.forget();
        let requests = self.requests.as_ref().expect("it is closed by the last owner only");
        requests.send(request).map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    /// Queues a question and waits for its answer.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Reader<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (answer, answered) = oneshot::channel();
        let _permit = self.read_permits.acquire().await.expect("it is never closed");
        self.questions.ask(Box::new(move |reader| drop(answer.send(question(reader)))));
        answered.await.map_err(|_| gone())?
    }
}

fn gone() -> Error {
    Error::Unavailable("it is being closed".to_owned())
}

fn describe_metrics() {
    use metrics::Unit;
    metrics::describe_histogram!("kith_store_commit_seconds", Unit::Seconds, "How long a durable write took.");
    metrics::describe_histogram!("kith_store_batch_changes", Unit::Count, "Changes in one durable write.");
    metrics::describe_gauge!("kith_store_queue_changes", Unit::Count, "Changes that wait for the writer.");
    metrics::describe_gauge!(
        "kith_store_wal_bytes",
        Unit::Bytes,
        "Bytes of the write-ahead log that are not in the database yet."
    );
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        // One after the other: the last connection to be closed writes back the log and deletes it, but where two are
        // closed at the same time neither may find itself the last, and what was erased would stay in the log.
        self.questions.stop();
        join(self.threads.drain(1..=limits::STORE_READERS));
        self.requests = None;
        join(self.threads.drain(..1));
        self.checkpoints.stop();
        join(self.threads.drain(..));
    }
}

fn join(threads: impl Iterator<Item = JoinHandle<()>>) {
    for thread in threads {
        // One that panicked has ended the process.
        let _ = thread.join();
    }
}

impl Store for Sqlite {
    fn write(&self, log: ConversationId, expected_head: u64, turn: Turn) -> Answer<'_, (), WriteError> {
        Box::pin(async move {
            turn.check(expected_head)?;
            self.queue(move |answer| Request::Write { log, expected_head, turn, answer }).await
        })
    }

    fn confirm(&self, _: ConversationId, _: u64) -> Answer<'_, (), WriteError> {
        // Nobody else can have the directory open.
        Box::pin(std::future::ready(Ok(())))
    }

    fn find(&self, log: ConversationId, user: UserId, client_id: Uuid) -> Answer<'_, Option<u64>> {
        Box::pin(self.ask(move |reader| reader.find(log, user, client_id)))
    }

    fn read_within(&self, ranges: Vec<LogRange>, bytes: usize) -> Answer<'_, Vec<Vec<Record>>> {
        Box::pin(self.ask(move |reader| {
            let mut page = PageBytes::new(bytes);
            ranges.iter().map(|range| reader.read(range, &mut page)).collect()
        }))
    }

    fn heads(&self, logs: Vec<ConversationId>) -> Answer<'_, Vec<Option<Head>>> {
        Box::pin(self.ask(move |reader| logs.iter().map(|log| reader.head(*log)).collect()))
    }

    fn get(&self, rows: Vec<RowKey>) -> Answer<'_, Vec<Option<Bytes>>> {
        Box::pin(self.ask(move |reader| rows.iter().map(|row| reader.get(row)).collect()))
    }

    fn scan(&self, partition: Vec<u8>, range: KeyRange, direction: Direction, limit: usize) -> Answer<'_, Vec<Row>> {
        Box::pin(self.ask(move |reader| reader.scan(&partition, &range, direction, limit)))
    }

    fn commit(
        &self,
        partition: Vec<u8>,
        changes: Vec<Change>,
        conditions: Vec<Condition>,
    ) -> Answer<'_, (), CommitError> {
        Box::pin(self.queue(move |answer| Request::Commit { partition, changes, conditions, answer }))
    }

    fn raise(&self, rows: Vec<Raise>) -> Answer<'_, ()> {
        Box::pin(self.queue(move |answer| Request::Raise { rows, answer }))
    }

    fn ready(&self) -> Answer<'_, ()> {
        Box::pin(self.queue(|answer| Request::Ready { answer }))
    }
}
