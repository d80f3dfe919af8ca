//! Schedules on the model of the store.

use kith_protocol::{Code, ConversationId};
use parking_lot::Mutex;

use super::*;
use crate::store::{
    memory::Memory,
    schema::{self, user},
};

const DAY_S: u64 = 24 * 3600;

/// Does tasks by noting them, but for those that are to fail.
#[derive(Default)]
struct Notes {
    done: Mutex<Vec<u64>>,
    /// The seqs of the tasks that fail, and whether for damage.
    failing: Mutex<Vec<(u64, bool)>>,
}

impl Notes {
    fn take(&self) -> Vec<u64> {
        let mut done = std::mem::take(&mut *self.done.lock());
        done.sort_unstable();
        done
    }
}

impl Job for Notes {
    async fn perform(&self, task: Task, _: Bytes) -> Result<(), Error> {
        let Task::Expiry(_, seq) = task else { unreachable!("an expiry") };
        match self.failing.lock().iter().find(|(failing, _)| *failing == seq) {
            Some((_, true)) => Err(Error::damaged("it is damaged")),
            Some((_, false)) => Err(Code::Unavailable.into()),
            None => {
                self.done.lock().push(seq);
                Ok(())
            }
        }
    }
}

fn task(seq: u64) -> Task {
    // Each of a conversation of its own, and so in buckets of all kinds.
    Task::Expiry(ConversationId::from_bytes([seq as u8; 16]), seq)
}

fn ago(seconds: u64) -> Timestamp {
    Timestamp::from_millis(clock::now().millis() - seconds * 1000)
}

fn schedule(store: &Arc<Memory>) -> Schedule {
    Schedule::new(store.clone(), Kind::Expiry)
}

/// Writes rows as an earlier run did, since `since`.
async fn earlier(store: &Memory, since: Timestamp, rows: impl IntoIterator<Item = (Timestamp, u64)>) {
    let row = due::since();
    store.commit(row.partition, vec![Change::Put(row.key, user::time_value(since))], Vec::new()).await.unwrap();
    for (at, seq) in rows {
        let row = due::row(at, task(seq));
        store.change(row.partition, vec![Change::Put(row.key, Bytes::new())]).await.unwrap();
    }
}

/// The seqs of the rows that are left, with when each is due.
async fn left(store: &Memory) -> Vec<(u64, Timestamp)> {
    let mut left = Vec::new();
    for bucket in due::buckets() {
        for window in Kind::Expiry.window(ago(4 * DAY_S))..=Kind::Expiry.window(clock::now()) + 2 {
            let partition = due::partition(Kind::Expiry, bucket, window);
            for row in store.scan(partition, KeyRange::default(), Direction::Ascending, 9999).await.unwrap() {
                let (at, Task::Expiry(_, seq)) = due::of_key(Kind::Expiry, &row.key).unwrap() else { unreachable!() };
                left.push((seq, at));
            }
        }
    }
    left.sort_unstable();
    left
}

#[tokio::test]
async fn all_that_is_due_is_done_once_whenever_it_was_due_and_nothing_before_its_time() {
    let (store, notes) = (Arc::new(Memory::new()), Notes::default());
    let later = clock::now().plus(Duration::from_secs(3600));
    let rows = [(ago(3 * DAY_S), 1), (ago(2 * DAY_S), 2), (ago(5000), 3), (ago(1), 4), (later, 5)];
    earlier(&store, ago(3 * DAY_S), rows).await;
    let schedule = schedule(&store);
    schedule.put(ago(9 * DAY_S), task(6), Bytes::new()).await.unwrap();
    assert_eq!(schedule.pass(&notes).await, Ok(5));
    assert_eq!(notes.take(), [1, 2, 3, 4, 6], "that of before the beginning is due now");
    assert_eq!(left(&store).await, [(5, later)]);
    assert_eq!(schedule.pass(&notes).await, Ok(0));
}

#[tokio::test]
async fn what_fails_is_tried_again_and_keeps_nothing_waiting() {
    let (store, notes) = (Arc::new(Memory::new()), Notes::default());
    // One after the other in one bucket.
    let rows = (0..3).map(|n| (ago(9000 - n), 1 + 256 * n));
    earlier(&store, ago(DAY_S), rows.clone()).await;
    let schedule = schedule(&store);
    notes.failing.lock().extend([(1, false), (257, true)]);
    assert!(schedule.pass(&notes).await.is_err());
    assert_eq!(notes.take(), [513]);
    let postponed = left(&store).await[1];
    assert!(postponed.0 == 257 && postponed.1 > clock::now().plus(Duration::from_secs(limits::DAMAGE_AGAIN_S - 60)));
    notes.failing.lock().clear();
    assert_eq!(schedule.pass(&notes).await, Ok(1));
    assert_eq!(notes.take(), [1]);
    assert_eq!(left(&store).await, [postponed]);
}

#[tokio::test]
async fn a_bucket_with_more_than_a_pass_does_is_done_by_several() {
    let (store, notes) = (Arc::new(Memory::new()), Notes::default());
    let all = limits::DUE_ROWS_PER_PASS as u64 + 10;
    // The last byte, and so the bucket, is that of all.
    earlier(&store, ago(DAY_S), (0..all).map(|n| (ago(9000), 1 + 256 * n))).await;
    let schedule = schedule(&store);
    assert_eq!(schedule.pass(&notes).await, Ok(all - 10));
    assert_eq!(schedule.pass(&notes).await, Ok(10));
    assert_eq!(notes.take().len() as u64, all);
    assert_eq!(left(&store).await, []);
}

#[tokio::test]
async fn a_start_goes_on_from_the_stored_cursors_and_skips_nothing() {
    let (store, notes) = (Arc::new(Memory::new()), Notes::default());
    earlier(&store, ago(3 * DAY_S), [(ago(2 * DAY_S), 1)]).await;
    notes.failing.lock().push((1, false));
    assert!(schedule(&store).pass(&notes).await.is_err());
    let cursors = store.scan(due::cursors(), due::cursors_of(Kind::Expiry), Direction::Ascending, 999).await.unwrap();
    assert_eq!(cursors.len(), 256);
    let stored = |bucket: u8| {
        let key = due::cursor(Kind::Expiry, bucket);
        user::time_of(&cursors.iter().find(|row| row.key == key).unwrap().value).unwrap()
    };
    let (stuck, other) = (task(1).bucket(), task(2).bucket());
    assert!(stored(stuck) <= ago(2 * DAY_S) && stored(other) > ago(2 * limits::DUE_SLACK_S));
    assert!(stored(other) <= ago(limits::DUE_SLACK_S), "a write that is under way is not behind it");
    // Another run.
    notes.failing.lock().clear();
    let row = due::row(ago(limits::DUE_SLACK_S - 60), task(2));
    store.change(row.partition, vec![Change::Put(row.key, Bytes::new())]).await.unwrap();
    assert_eq!(schedule(&store).pass(&notes).await, Ok(2));
    assert_eq!(notes.take(), [1, 2]);
}

#[tokio::test]
async fn a_cursor_that_a_wrong_clock_wrote_says_nothing() {
    let (store, notes) = (Arc::new(Memory::new()), Notes::default());
    earlier(&store, ago(2 * DAY_S), [(ago(DAY_S), 1)]).await;
    let ahead = schema::user::time_value(clock::now().plus(Duration::from_secs(DAY_S)));
    let puts = due::buckets().map(|bucket| Change::Put(due::cursor(Kind::Expiry, bucket), ahead.clone())).collect();
    store.change(due::cursors(), puts).await.unwrap();
    assert_eq!(schedule(&store).pass(&notes).await, Ok(1));
}

/// Gives its own schedule more to do while it works.
struct Again<'s>(&'s Schedule, Mutex<u64>);

impl Job for Again<'_> {
    async fn perform(&self, _: Task, _: Bytes) -> Result<(), Error> {
        let next = {
            let mut count = self.1.lock();
            *count += 1;
            *count
        };
        if next < 4 {
            // The bucket that is worked at, and one that this pass has behind it or before it.
            self.0.put(clock::now(), task(1), Bytes::new()).await?;
            self.0.put(clock::now(), task(next), Bytes::new()).await?;
        }
        Ok(())
    }
}

#[tokio::test]
async fn what_becomes_due_during_a_pass_is_done_by_a_later_one() {
    let store = Arc::new(Memory::new());
    let schedule = schedule(&store);
    schedule.put(clock::now(), task(1), Bytes::new()).await.unwrap();
    let again = Again(&schedule, Mutex::new(0));
    while !left(&store).await.is_empty() {
        schedule.pass(&again).await.unwrap();
    }
    assert!(*again.1.lock() >= 4);
}
