//! Cursors: the progress of the tasks of a kind, bucket by bucket.
//!
//! In memory a cursor is exact. The stored one lags [`limits::DUE_SLACK_S`] behind, so that a row is never put behind it by a
//! write that takes long, and is written when it comes to another window only: after a crash a little is looked at again.

use std::time::Duration;

use kith_protocol::Timestamp;
use parking_lot::Mutex;
use tokio::sync::OnceCell;

use crate::{
    clock, limits,
    store::{
        self, Change, CommitError, Condition, Direction, Store, StoreExt as _,
        schema::{
            due::{self, Kind},
            user,
        },
    },
};

const BUCKETS: usize = 256;
const NEVER: Timestamp = Timestamp::MAX;

/// The cursors of a kind.
pub(super) struct Cursors {
    kind: Kind,
    opened: OnceCell<()>,
    state: Mutex<State>,
}

struct State {
    buckets: [Bucket; BUCKETS],
    /// The first window in which a stored cursor lies.
    kept: u64,
}

#[derive(Clone, Copy)]
struct Bucket {
    /// The time before which all that is due is done.
    done: Timestamp,
    /// Before this nothing else is due.
    next: Timestamp,
}

impl Cursors {
    pub fn new(kind: Kind) -> Self {
        let buckets = [Bucket { done: NEVER, next: NEVER }; BUCKETS];
        Self { kind, opened: OnceCell::new(), state: Mutex::new(State { buckets, kept: u64::MAX }) }
    }

    /// Reads the stored cursors, the first time.
    pub async fn open(&self, store: &dyn Store) -> Result<(), store::Error> {
        self.opened.get_or_try_init(async || self.read(store).await).await.copied()
    }

    async fn read(&self, store: &dyn Store) -> Result<(), store::Error> {
        let now = clock::now();
        let since = since(store, now).await?;
        let range = due::cursors_of(self.kind);
        let mut stored = [since; BUCKETS];
        for row in store.scan(due::cursors(), range, Direction::Ascending, BUCKETS).await? {
            let of = || format!("a cursor of {}", self.kind.name());
            let at = store::unless_damaged(of, user::time_of(&row.value));
            // One ahead of the clock was written by a clock that was wrong, and says nothing.
            if let (Some((_, bucket)), Some(at)) = (due::cursor_of(&row.key), at.filter(|at| *at <= now)) {
                stored[usize::from(bucket)] = at;
            }
        }
        let mut state = self.state.lock();
        state.kept = stored.iter().map(|at| self.kind.window(*at)).min().unwrap_or(0);
        for (bucket, at) in state.buckets.iter_mut().zip(stored) {
            bucket.done = bucket.done.min(at);
            bucket.next = bucket.next.min(at);
        }
        Ok(())
    }

    /// Notes that something is due in a bucket at a time.
    pub fn note(&self, bucket: u8, at: Timestamp) {
        let bucket = &mut self.state.lock().buckets[usize::from(bucket)];
        bucket.done = bucket.done.min(at);
        bucket.next = bucket.next.min(at);
    }

    /// Begins with a bucket, if anything may be due there; from when on.
    pub fn begin(&self, bucket: u8, now: Timestamp) -> Option<Timestamp> {
        let bucket = &mut self.state.lock().buckets[usize::from(bucket)];
        let from = bucket.done;
        (bucket.next <= now && from <= now).then(|| {
            *bucket = Bucket { done: now, next: NEVER };
            from
        })
    }

    /// Notes what was left in a bucket that was begun, and when something else is due there.
    pub fn end(&self, bucket: u8, undone: Option<Timestamp>, next: Timestamp) {
        let bucket = &mut self.state.lock().buckets[usize::from(bucket)];
        bucket.done = bucket.done.min(undone.unwrap_or(NEVER));
        bucket.next = bucket.next.min(undone.unwrap_or(next)).min(next);
    }

    /// Returns the time up to which a bucket is done.
    pub fn done(&self, bucket: u8) -> Timestamp {
        self.state.lock().buckets[usize::from(bucket)].done
    }

    /// Before this time nothing is due in any bucket, in milliseconds.
    pub fn next_ms(&self) -> u64 {
        self.state.lock().buckets.iter().map(|bucket| bucket.next.millis()).min().unwrap_or(0)
    }

    /// Stores the cursors if they have come to a later window.
    pub async fn keep(&self, store: &dyn Store, now: Timestamp) -> Result<(), store::Error> {
        let until = Timestamp::from_millis(now.millis().saturating_sub(limits::DUE_SLACK_S * 1000));
        let window = self.kind.window(until);
        let puts: Vec<_> = {
            let state = self.state.lock();
            if window <= state.kept {
                return Ok(());
            }
            let put = |(bucket, Bucket { done, .. }): (u8, &Bucket)| {
                Change::Put(due::cursor(self.kind, bucket), user::time_value(until.min(*done)))
            };
            due::buckets().zip(&state.buckets).map(put).collect()
        };
        store.change(due::cursors(), puts).await?;
        self.state.lock().kept = window;
        Ok(())
    }
}

/// Since when there is anything due: since now in a new directory. Where that cannot be read, or a wrong clock said it, for
/// [`limits::DUE_BACK_S`].
async fn since(store: &dyn Store, now: Timestamp) -> Result<Timestamp, store::Error> {
    let row = due::since();
    let put = Change::Put(row.key.clone(), user::time_value(now));
    let kept = match store.commit(row.partition, vec![put], vec![Condition::Absent(row.key)]).await {
        Ok(()) => return Ok(now),
        Err(CommitError::Condition { current, .. }) => current.unwrap_or_default(),
        Err(CommitError::Store(error)) => return Err(error),
    };
    let since = store::unless_damaged(|| "since when work is due".to_owned(), user::time_of(&kept));
    let back = Duration::from_secs(limits::DUE_BACK_S).as_millis() as u64;
    Ok(since.filter(|since| *since <= now).unwrap_or(Timestamp::from_millis(now.millis().saturating_sub(back))))
}
