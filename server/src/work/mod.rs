//! Work that is due at a time: finds the rows of [`schema::due`] whose time has come, and has each of them done.
//!
//! Each kind of work has a [`Schedule`], to which its rows are given, and a [`Job`], which does one of them. A row is done at
//! least once: it is deleted after its work, and a crash in between has it done again. What fails is tried again, what meets
//! damage much later, and neither keeps anything behind it waiting. This process does the work of every bucket.

mod backoff;
mod cursors;
#[cfg(test)]
mod tests;

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use kith_protocol::Timestamp;
use tokio::time::sleep;

pub use self::backoff::Backoff;
use self::cursors::Cursors;
use crate::{
    Error, clock, limits,
    store::{
        self, Change, Direction, KeyRange, Row, RowKey, Store, StoreExt as _,
        schema::{
            self,
            due::{self, Kind, Task},
        },
    },
    telemetry,
};

/// The period at which a schedule is looked at where nothing is known to be due before.
const LOOK: Duration = Duration::from_secs(1);
/// The rest between two passes where there is more to be done than one pass does.
const REST: Duration = Duration::from_millis(10);
/// The longest pause after a pass that failed.
const RETRY: Duration = Duration::from_secs(10);

/// A job that does the tasks of one kind.
pub trait Job: Sync {
    /// Does a task. It may be done already.
    ///
    /// # Errors
    /// A task that met damage is tried again [`limits::DAMAGE_AGAIN_S`] later, any other that failed soon.
    fn perform(&self, task: Task, value: Bytes) -> impl Future<Output = Result<(), Error>> + Send;

    /// Returns true while no task of this kind may be done.
    fn is_held(&self) -> bool {
        false
    }
}

/// The tasks of one kind, and how far they are done.
pub struct Schedule {
    store: Arc<dyn Store>,
    kind: Kind,
    /// Before this time nothing is due, in milliseconds.
    next_ms: AtomicU64,
    cursors: Cursors,
}

/// The outcome of a pass, or of a part of it.
#[derive(Default)]
struct Pass {
    done: u64,
    postponed: u64,
    failed: u64,
    /// The first error of a task that failed.
    error: Option<Error>,
    /// The time of the first row that is due and was not done.
    undone: Option<Timestamp>,
    /// The time of the first row that was seen and is not due.
    next: Option<Timestamp>,
}

impl Schedule {
    /// A schedule of what `store` has of a kind.
    pub fn new(store: Arc<dyn Store>, kind: Kind) -> Self {
        describe_metrics();
        Self { store, kind, next_ms: AtomicU64::new(0), cursors: Cursors::new(kind) }
    }

    /// Reads how far the work is done. Before the first row is written.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn open(&self) -> Result<(), Error> {
        Ok(self.cursors.open(&*self.store).await?)
    }

    /// The row that has a task done at a time, or now where that is over. It is [noted](Self::note) once it was written.
    pub fn row(&self, at: Timestamp, task: Task) -> RowKey {
        debug_assert_eq!(task.kind(), self.kind, "a task has its own schedule");
        due::row(at.max(clock::now()), task)
    }

    /// Has a row of [`row`](Self::row) done that may have been written.
    pub fn note(&self, row: &RowKey) {
        if let Ok((at, task)) = due::of_key(self.kind, &row.key) {
            self.cursors.note(task.bucket(), at);
            self.next_ms.fetch_min(at.millis(), Ordering::SeqCst);
        }
    }

    /// Writes the row that has a task done at a time.
    ///
    /// # Errors
    /// When the store does not do it, or does not say.
    pub async fn put(&self, at: Timestamp, task: Task, value: Bytes) -> Result<(), store::Error> {
        let row = self.row(at, task);
        let put = self.store.put(row.clone(), value).await;
        self.note(&row);
        put
    }

    /// Does what is due, for ever; once at a time.
    pub async fn run(&self, job: &impl Job) {
        let mut backoff = Backoff::new(LOOK, RETRY);
        loop {
            let pause = match self.pass(job).await {
                Ok(_) if job.is_held() => LOOK,
                Ok(_) => {
                    backoff = Backoff::new(LOOK, RETRY);
                    let next = Timestamp::from_millis(self.next_ms.load(Ordering::SeqCst));
                    next.since(clock::forget_until()).clamp(REST, LOOK)
                }
                Err(error) => {
                    tracing::warn!(work = self.kind.name(), %error, "due work waits");
                    backoff.pause()
                }
            };
            sleep(pause).await;
        }
    }

    /// Does what is due now; how many tasks were done. Where nothing is, it looks at a number and not at the store.
    ///
    /// # Errors
    /// When the store does not answer, or a task failed: the others were done, and the next pass tries it again.
    pub async fn pass(&self, job: &impl Job) -> Result<u64, Error> {
        let now = clock::forget_until();
        if now.millis() < self.next_ms.load(Ordering::SeqCst) || job.is_held() {
            return Ok(0);
        }
        self.open().await?;
        self.next_ms.store(u64::MAX, Ordering::SeqCst);
        let pass = self.pass_buckets(job, now).await;
        self.next_ms.fetch_min(self.cursors.next_ms(), Ordering::SeqCst);
        let pass = pass?;
        self.count(&pass);
        self.cursors.keep(&*self.store, now).await?;
        pass.error.map_or(Ok(pass.done), Err)
    }

    async fn pass_buckets(&self, job: &impl Job, now: Timestamp) -> Result<Pass, Error> {
        let mut all = Pass::default();
        for bucket in due::buckets() {
            // What is noted from here on is seen by the next pass.
            let Some(from) = self.cursors.begin(bucket, now) else { continue };
            let pass = self.pass_bucket(job, bucket, (from, now)).await;
            let window_end = self.kind.begin(self.kind.window(now) + 1);
            let (undone, next) = match &pass {
                Ok(pass) => (pass.undone, pass.next.unwrap_or(window_end)),
                Err(_) => (Some(from), window_end),
            };
            self.cursors.end(bucket, undone, next);
            let Pass { done, postponed, failed, error, .. } = pass?;
            (all.done, all.postponed, all.failed) = (all.done + done, all.postponed + postponed, all.failed + failed);
            all.error = all.error.or(error);
        }
        Ok(all)
    }

    /// Does what is due in a bucket between two times, [`limits::DUE_ROWS_PER_PASS`] rows at most.
    async fn pass_bucket(
        &self,
        job: &impl Job,
        bucket: u8,
        (from, now): (Timestamp, Timestamp),
    ) -> Result<Pass, Error> {
        let (mut pass, mut left) = (Pass::default(), limits::DUE_ROWS_PER_PASS);
        for window in self.kind.window(from)..=self.kind.window(now) {
            let partition = due::partition(self.kind, bucket, window);
            let mut range = due::from(from);
            while pass.next.is_none() {
                let rows = self.scan(&partition, &range).await?;
                let Some(last) = rows.last() else { break };
                range.from = schema::behind(&last.key);
                let is_last = rows.len() < limits::DUE_ROWS;
                left = left.saturating_sub(rows.len());
                if left == 0 {
                    pass.leave(due::of_key(self.kind, &last.key).map_or(from, |(at, _)| at));
                }
                self.perform(job, &partition, rows, now, &mut pass).await?;
                if left == 0 {
                    return Ok(pass);
                }
                if is_last {
                    break;
                }
            }
        }
        Ok(pass)
    }

    async fn scan(&self, partition: &[u8], range: &KeyRange) -> Result<Vec<Row>, store::Error> {
        self.store.scan(partition.to_vec(), range.clone(), Direction::Ascending, limits::DUE_ROWS).await
    }

    /// Does the tasks of rows as far as they are due, and deletes those that are done.
    async fn perform(
        &self,
        job: &impl Job,
        partition: &[u8],
        rows: Vec<Row>,
        now: Timestamp,
        pass: &mut Pass,
    ) -> Result<(), Error> {
        let mut done = Vec::with_capacity(rows.len());
        // A damaged one may be another's: it stays until it is repaired.
        for row in rows.into_iter().filter(|row| !row.is_damaged()) {
            let (at, task) = match due::of_key(self.kind, &row.key) {
                Ok(task) => task,
                Err(error) => {
                    telemetry::damage(&format!("what is due: {error}"));
                    continue;
                }
            };
            if at > now {
                pass.next = Some(at);
                break;
            }
            match job.perform(task, row.value.clone()).await {
                Ok(()) => pass.done += 1,
                Err(error) if error.damaged => {
                    self.put(store::later(), task, row.value).await?;
                    pass.postponed += 1;
                }
                Err(error) => {
                    pass.fail(at, error);
                    continue;
                }
            }
            done.push(Change::Delete(row.key));
        }
        if !done.is_empty() {
            self.store.change(partition.to_vec(), done).await?;
        }
        Ok(())
    }

    /// Shows every row that is due up to a time, and is not known to be done.
    ///
    /// # Errors
    /// When the store does not answer, or `see` fails.
    pub async fn each(
        &self,
        until: Timestamp,
        mut see: impl AsyncFnMut(&[u8], Row) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.open().await?;
        for bucket in due::buckets() {
            let from = self.cursors.done(bucket);
            for window in self.kind.window(from)..=self.kind.window(until) {
                let partition = due::partition(self.kind, bucket, window);
                let mut range = due::from(from);
                loop {
                    let rows = self.scan(&partition, &range).await?;
                    let Some(last) = rows.last() else { break };
                    range.from = schema::behind(&last.key);
                    for row in rows {
                        see(&partition, row).await?;
                    }
                }
            }
        }
        Ok(())
    }

    fn count(&self, pass: &Pass) {
        let work = self.kind.name();
        for (outcome, count) in [("done", pass.done), ("postponed", pass.postponed), ("failed", pass.failed)] {
            metrics::counter!("kith_work_total", "work" => work, "outcome" => outcome).increment(count);
        }
        metrics::counter!("kith_postponed_total").increment(pass.postponed);
    }
}

impl Pass {
    /// Notes that what is due from a time on was not done.
    fn leave(&mut self, at: Timestamp) {
        self.undone = Some(self.undone.map_or(at, |undone| undone.min(at)));
    }

    fn fail(&mut self, at: Timestamp, error: Error) {
        self.failed += 1;
        self.error.get_or_insert(error);
        self.leave(at);
    }
}

fn describe_metrics() {
    use metrics::Unit;
    let help = "Tasks that were due, by what became of each.";
    metrics::describe_counter!("kith_work_total", Unit::Count, help);
    let help = "Work that met damage and is tried again later.";
    metrics::describe_counter!("kith_postponed_total", Unit::Count, help);
}
