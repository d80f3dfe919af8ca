//! One handle on a store that other handles share: it loses answers, refuses, conflicts, delays and dies, by a seed.

use std::{
    future::{Future, pending},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use kith_protocol::{ConversationId, UserId, Uuid};
use parking_lot::Mutex;
use tokio::task::yield_now;

use super::{
    Answer, Change, CommitError, Condition, Direction, Error, Head, KeyRange, LogRange, Raise, Record, Row, RowKey,
    Store, Turn, WriteError,
};

/// Numbers that follow from a seed: the same at every run.
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// The numbers of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number (SplitMix64: Steele, Lea and Flood, 2014).
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// The next number below `bound`, which is not 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.number() % bound
    }

    /// Returns true `per_mille` times of a thousand.
    pub fn hits(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }
}

/// The odds of each fault, in thousandths of the calls.
#[derive(Debug, Clone, Copy, Default)]
pub struct Odds {
    /// Writes that happen, and whose answer is lost.
    pub answer_lost: u64,
    /// Writes that are lost themselves.
    pub write_lost: u64,
    /// Writes that are refused because there is no room.
    pub full: u64,
    /// Turns of which it is said that another appended first, although nobody did.
    pub conflict: u64,
    /// Reads that are not answered.
    pub read_lost: u64,
    /// The number of times that others may go on before, and again after, a call has its effect, at most.
    pub delay: u64,
}

/// The faults at all handles of one test.
#[derive(Debug, Default)]
pub struct Counts {
    /// Turns that found another head.
    pub conflicts: AtomicU64,
    /// Turns of which the caller cannot know the outcome.
    pub unknown: AtomicU64,
}

impl Counts {
    /// Conflicts and unknown outcomes so far.
    pub fn both(&self) -> u64 {
        self.conflicts.load(Ordering::Relaxed) + self.unknown.load(Ordering::Relaxed)
    }
}

/// One handle on a store.
pub struct Faulty {
    inner: Arc<dyn Store>,
    chance: Mutex<Chance>,
    odds: Mutex<Odds>,
    counts: Arc<Counts>,
    dead: AtomicBool,
}

/// The fate of a write.
enum Fate {
    Happens,
    AnswerLost,
    WriteLost,
    Full,
    Conflict,
}

fn lost() -> Error {
    Error::Unavailable("no answer".to_owned())
}

impl Faulty {
    /// A handle on `inner` whose faults follow from `seed`.
    pub fn new(inner: Arc<dyn Store>, seed: u64, odds: Odds, counts: Arc<Counts>) -> Arc<Self> {
        let (chance, odds, dead) = (Mutex::new(Chance::new(seed)), Mutex::new(odds), AtomicBool::new(false));
        Arc::new(Self { inner, chance, odds, counts, dead })
    }

    /// Has other things go wrong from now on.
    pub fn set_odds(&self, odds: Odds) {
        *self.odds.lock() = odds;
    }

    /// Ends it, as a crash does: no call is answered from now on, and none has an effect, but that one under way may have had
    /// it.
    pub fn kill(&self) {
        self.dead.store(true, Ordering::Relaxed);
    }

    /// Lets others go on for a while.
    async fn pass(&self) {
        let delay = self.odds.lock().delay;
        let turns = self.chance.lock().below(delay + 1);
        for _ in 0..turns {
            yield_now().await;
        }
        if self.dead.load(Ordering::Relaxed) {
            pending::<()>().await;
        }
    }

    fn fate(&self) -> Fate {
        let (odds, chance) = (*self.odds.lock(), self.chance.lock().below(1000));
        let kinds = [
            (odds.answer_lost, Fate::AnswerLost),
            (odds.write_lost, Fate::WriteLost),
            (odds.full, Fate::Full),
            (odds.conflict, Fate::Conflict),
        ];
        let mut below = 0;
        for (part, fate) in kinds {
            below += part;
            if chance < below {
                return fate;
            }
        }
        Fate::Happens
    }

    async fn read<T>(&self, read: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        self.pass().await;
        let is_lost = self.chance.lock().hits(self.odds.lock().read_lost);
        let answer = read.await;
        self.pass().await;
        if is_lost { Err(lost()) } else { answer }
    }

    /// Makes a write, perhaps (a future does nothing before it is asked); one that may answer with a conflict is given what that says.
    async fn change<E: From<Error>>(
        &self,
        write: impl Future<Output = Result<(), E>>,
        conflict: impl Future<Output = Option<E>>,
    ) -> Result<(), E> {
        self.pass().await;
        let fate = self.fate();
        let answer = match fate {
            Fate::Happens => write.await,
            Fate::AnswerLost => write.await.and(Err(lost().into())),
            Fate::WriteLost => Err(lost().into()),
            Fate::Full => Err(Error::Full("by chance".to_owned()).into()),
            Fate::Conflict => match conflict.await {
                Some(error) => Err(error),
                None => write.await,
            },
        };
        self.pass().await;
        answer
    }

    async fn conflict(&self, log: ConversationId) -> Option<WriteError> {
        let head = self.inner.heads(vec![log]).await.ok()?.pop().flatten();
        Some(WriteError::Conflict { head: head.map_or(0, |head| head.seq) })
    }
}

impl Store for Faulty {
    fn write(&self, log: ConversationId, expected_head: u64, turn: Turn) -> Answer<'_, (), WriteError> {
        Box::pin(async move {
            let write = async { self.inner.write(log, expected_head, turn).await };
            let written = self.change(write, self.conflict(log)).await;
            match &written {
                Err(WriteError::Conflict { .. }) => drop(self.counts.conflicts.fetch_add(1, Ordering::Relaxed)),
                Err(error) if error.is_unknown() => drop(self.counts.unknown.fetch_add(1, Ordering::Relaxed)),
                _ => {}
            }
            written
        })
    }

    fn confirm(&self, log: ConversationId, head: u64) -> Answer<'_, (), WriteError> {
        Box::pin(async move {
            // An engine that only one process can open need not look; of several handles each must.
            let heads = self.read(async move { self.inner.heads(vec![log]).await }).await?;
            let now = heads.into_iter().flatten().next().map_or(0, |head| head.seq);
            if now == head { Ok(()) } else { Err(WriteError::Conflict { head: now }) }
        })
    }

    fn find(&self, log: ConversationId, user: UserId, client_id: Uuid) -> Answer<'_, Option<u64>> {
        Box::pin(self.read(async move { self.inner.find(log, user, client_id).await }))
    }

    fn read_within(&self, ranges: Vec<LogRange>, bytes: usize) -> Answer<'_, Vec<Vec<Record>>> {
        Box::pin(self.read(async move { self.inner.read_within(ranges, bytes).await }))
    }

    fn heads(&self, logs: Vec<ConversationId>) -> Answer<'_, Vec<Option<Head>>> {
        Box::pin(self.read(async move { self.inner.heads(logs).await }))
    }

    fn get(&self, rows: Vec<RowKey>) -> Answer<'_, Vec<Option<Bytes>>> {
        Box::pin(self.read(async move { self.inner.get(rows).await }))
    }

    fn scan(&self, partition: Vec<u8>, range: KeyRange, direction: Direction, limit: usize) -> Answer<'_, Vec<Row>> {
        Box::pin(self.read(async move { self.inner.scan(partition, range, direction, limit).await }))
    }

    fn commit(
        &self,
        partition: Vec<u8>,
        changes: Vec<Change>,
        conditions: Vec<Condition>,
    ) -> Answer<'_, (), CommitError> {
        Box::pin(self.change(async move { self.inner.commit(partition, changes, conditions).await }, async { None }))
    }

    fn raise(&self, rows: Vec<Raise>) -> Answer<'_, ()> {
        Box::pin(self.change(async move { self.inner.raise(rows).await }, async { None }))
    }

    fn ready(&self) -> Answer<'_, ()> {
        self.inner.ready()
    }
}
