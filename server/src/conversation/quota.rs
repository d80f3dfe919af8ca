//! Bounds the bytes of entries that a user causes in a day (of UTC), so that one user does not fill the disk with texts.
//!
//! The counts are in memory, for the current day alone. A row follows a count at every [`limits::ENTRY_BYTES_NOTED`] and when
//! it reaches the bound: a restart forgets less than that of a user, and nobody who may write no more. A count is looked at
//! before an entry is appended and raised after that, so that what is under way at the bound may pass it.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use kith_protocol::{Code, Timestamp, UserId};
use parking_lot::Mutex;

use crate::{
    Error, clock, limits,
    store::{self, Change, Direction, Record, Store, StoreExt as _, schema},
    trust::Trust,
};

const SHARDS: usize = 64;
const DAY_MS: u64 = 24 * 3600 * 1000;

/// Counts the bytes of entries that each user has caused today.
pub(super) struct Quota {
    store: Arc<dyn Store>,
    bytes_per_day: u64,
    shards: Box<[Mutex<Today>]>,
    hasher: RandomState,
    /// The last day on which somebody reached the bound of who is new: on any other nobody needs to be looked up.
    full_on: AtomicU64,
}

/// Holds the counts of one day; the first entry of a later day clears them.
#[derive(Default)]
struct Today {
    day: u64,
    bytes: HashMap<UserId, u64>,
}

impl Quota {
    /// Returns a quota of which nobody has used anything.
    pub fn new(store: Arc<dyn Store>, bytes_per_day: u64) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { store, bytes_per_day, shards, hasher: RandomState::new(), full_on: AtomicU64::new(u64::MAX) }
    }

    /// Takes up the counts that rows have of today, and removes those of other days.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn open(&self, now: Timestamp) -> Result<(), Error> {
        let today = now.millis() / DAY_MS;
        self.forget_before(now.min(clock::forget_until()).millis() / DAY_MS).await?;
        let mut range = schema::quota::from(today);
        loop {
            let partition = schema::quota::partition();
            let rows = self.store.scan(partition, range, Direction::Ascending, limits::SCAN_ROWS).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            range = schema::quota::behind(&last.key);
            for row in &rows {
                let (day, user) = schema::quota::of_key(&row.key)?;
                let of = || format!("what {user} has written on day {day}");
                let bytes = store::unless_damaged(of, schema::user::size_of(&row.value));
                self.add(day, user, bytes.unwrap_or_default());
            }
        }
    }

    /// Lets a user cause another entry; how far they are trusted is asked only once somebody is near their bound.
    ///
    /// # Errors
    /// `quota_exceeded` where they have caused as much as they may today, with when the day ends.
    pub fn check(&self, user: UserId, now: Timestamp, trust: impl FnOnce() -> Trust) -> Result<(), Error> {
        let today = now.millis() / DAY_MS;
        if self.full_on.load(Ordering::Relaxed) != today {
            return Ok(());
        }
        let most = trust().share(self.bytes_per_day);
        if self.of(user, today) < most {
            return Ok(());
        }
        metrics::counter!("kith_rate_limited_total", "bucket" => "entry_bytes").increment(1);
        let detail =
            format!("you have written {most} bytes today, as much as you may; at midnight UTC you may write again");
        let until_midnight = Duration::from_millis((today + 1) * DAY_MS - now.millis());
        Err(Error::new(Code::QuotaExceeded).because(detail).after(until_midnight))
    }

    /// Counts what was appended against those whose doing it is.
    pub fn count(self: &Arc<Self>, records: &[Record]) {
        for record in records {
            let day = record.time().millis() / DAY_MS;
            let bytes = record.body.len() as u64 + limits::ENTRY_BYTES_BESIDE;
            let (before, now) = self.add(day, record.sender, bytes);
            let passed = |bound: u64| before < bound && bound <= now;
            if before / limits::ENTRY_BYTES_NOTED != now / limits::ENTRY_BYTES_NOTED
                || [Trust::New, Trust::Full].iter().any(|trust| passed(trust.share(self.bytes_per_day)))
            {
                let (quota, user) = (self.clone(), record.sender);
                tokio::spawn(async move {
                    if let Err(error) = quota.note(user, day).await {
                        tracing::warn!(%user, %error, "what a user has written today was not noted");
                    }
                });
            }
        }
    }

    fn shard(&self, user: UserId) -> &Mutex<Today> {
        &self.shards[self.hasher.hash_one(user) as usize % SHARDS]
    }

    /// Returns the bytes of a user on a day, if that is the current one.
    fn of(&self, user: UserId, day: u64) -> u64 {
        let today = self.shard(user).lock();
        if today.day == day { today.bytes.get(&user).copied().unwrap_or_default() } else { 0 }
    }

    /// Raises a count, and returns what it was and what it is.
    fn add(&self, day: u64, user: UserId, bytes: u64) -> (u64, u64) {
        let mut today = self.shard(user).lock();
        if day > today.day {
            *today = Today { day, ..Today::default() };
        }
        let count = today.bytes.entry(user).or_default();
        let before = *count;
        *count += bytes;
        if *count >= Trust::New.share(self.bytes_per_day) {
            self.full_on.store(today.day, Ordering::Relaxed);
        }
        (before, before + bytes)
    }

    /// Writes the row of a user's count, and removes those of days that are over.
    async fn note(&self, user: UserId, day: u64) -> Result<(), store::Error> {
        self.forget_before(day).await?;
        let put = Change::Put(schema::quota::key(day, user), schema::user::size_value(self.of(user, day)));
        self.store.change(schema::quota::partition(), vec![put]).await
    }

    async fn forget_before(&self, day: u64) -> Result<(), store::Error> {
        let partition = schema::quota::partition();
        loop {
            let range = schema::quota::before(day);
            let rows = self.store.scan(partition.clone(), range, Direction::Ascending, limits::SCAN_ROWS).await?;
            if rows.is_empty() {
                return Ok(());
            }
            let deletes = rows.into_iter().map(|row| Change::Delete(row.key)).collect();
            self.store.change(partition.clone(), deletes).await?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Counts, Kind, memory::Memory};

    const HOUR_MS: u64 = 3600 * 1000;

    fn record(user: UserId, at: Timestamp, bytes: usize) -> Record {
        Record {
            seq: 1,
            kind: Kind::Message,
            sender: user,
            device: None,
            client_id: None,
            at,
            true_at: None,
            expires_at: None,
            counts: Counts::default(),
            body: vec![b'x'; bytes].into(),
        }
    }

    #[tokio::test]
    async fn a_day_ends_at_midnight_and_begins_with_nothing() {
        let quota = Arc::new(Quota::new(Arc::new(Memory::default()), 1000));
        let [anna, bela] = [1, 2].map(|byte| UserId::from_bytes([byte; 16]));
        let evening = Timestamp::from_millis(20_000 * DAY_MS - 2 * HOUR_MS);
        let morning = Timestamp::from_millis(20_000 * DAY_MS + HOUR_MS);
        quota.check(anna, evening, || Trust::Full).unwrap();
        quota.count(&[record(anna, evening, 900)]);
        let refused = quota.check(anna, evening, || Trust::Full).unwrap_err();
        assert_eq!((refused.code, refused.retry_after), (Code::QuotaExceeded, Some(Duration::from_secs(2 * 3600))));
        quota.check(bela, evening, || Trust::Full).unwrap();
        quota.check(anna, morning, || Trust::Full).unwrap();
        quota.count(&[record(anna, morning, 100)]);
        quota.check(anna, morning, || Trust::Full).unwrap();
        assert_eq!(quota.of(anna, 20_000), 100 + limits::ENTRY_BYTES_BESIDE);
        let kept: usize = quota.shards.iter().map(|shard| shard.lock().bytes.len()).sum();
        assert_eq!(kept, 1, "yesterday takes no memory");
    }

    #[tokio::test]
    async fn who_is_new_causes_a_tenth() {
        let quota = Arc::new(Quota::new(Arc::new(Memory::default()), 10_000));
        let (anna, at) = (UserId::from_bytes([1; 16]), Timestamp::from_millis(20_000 * DAY_MS));
        quota.check(anna, at, || Trust::New).unwrap();
        quota.count(&[record(anna, at, 1000)]);
        quota.check(anna, at, || Trust::New).unwrap_err();
        quota.check(anna, at, || Trust::Full).unwrap();
    }

    #[tokio::test]
    async fn a_restart_forgets_less_than_what_is_noted_at_a_time() {
        let store = Arc::new(Memory::default());
        let anna = UserId::from_bytes([1; 16]);
        let at = Timestamp::from_millis(20_000 * DAY_MS + HOUR_MS);
        let quota = Arc::new(Quota::new(store.clone(), 1 << 40));
        let noted = limits::ENTRY_BYTES_NOTED;
        for _ in 0..5 {
            quota.count(&[record(anna, at, (noted / 2) as usize)]);
        }
        for day in [20_000, 19_999] {
            quota.note(anna, day).await.unwrap();
        }
        let again = Quota::new(store.clone(), 1 << 40);
        again.open(at).await.unwrap();
        let count = again.of(anna, 20_000);
        assert!(count <= quota.of(anna, 20_000) && count > quota.of(anna, 20_000) - noted, "{count}");
        let rows = store.scan(schema::quota::partition(), Default::default(), Direction::Ascending, 10).await.unwrap();
        assert_eq!(rows.len(), 1, "an earlier day leaves nothing");
    }
}
