//! After a crash: wakes every conversation that was awake, so that its rows reflect its log again.
//!
//! Nobody waits for it: whoever asks for a conversation wakes it, and what it derives is there then. Rows that are read
//! without waking one, as those of mentions, are read once all of them have been recovered.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use kith_protocol::{Code, ConversationId};
use parking_lot::Mutex;
use tokio::{sync::watch, task::JoinSet, time::sleep};

use super::{Command, Conversations};
use crate::{
    Error, clock, limits,
    store::{Direction, KeyRange, schema},
};

/// The time for which a conversation that cannot be recovered now is left alone.
const AGAIN: Duration = Duration::from_secs(1);
/// The time for which those wait who need all of them.
const PATIENCE: Duration = Duration::from_secs(10);

/// The conversations that a crash left awake.
pub(super) struct Recovery {
    left: Mutex<Vec<ConversationId>>,
    total: AtomicUsize,
    done: AtomicUsize,
    ended: watch::Sender<bool>,
}

impl Default for Recovery {
    /// The recovery of a server that was not killed.
    fn default() -> Self {
        let (total, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { left: Mutex::default(), total, done, ended: watch::Sender::new(true) }
    }
}

impl Conversations {
    /// Takes up what each user has written today, and finds the conversations that are to be recovered. Before anybody is
    /// served.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn open(&self) -> Result<(), Error> {
        self.context.expiries.open().await?;
        self.context.request_ends.open().await?;
        self.context.quota.open(clock::now()).await?;
        let mut left = Vec::new();
        for shard in 0..schema::SHARDS {
            let mut range = KeyRange::default();
            loop {
                let partition = schema::active::partition(shard);
                let rows =
                    self.context.store.scan(partition, range.clone(), Direction::Ascending, limits::SCAN_ROWS).await?;
                let Some(last) = rows.last() else { break };
                range.from = schema::behind(&last.key);
                for row in rows.iter().filter(|row| schema::active::is_active(&row.key)) {
                    left.push(schema::active::conversation_of(&row.key)?);
                }
            }
        }
        let recovery = &self.context.recovery;
        recovery.total.store(left.len(), Ordering::Relaxed);
        recovery.ended.send_replace(left.is_empty());
        *recovery.left.lock() = left;
        Ok(())
    }

    /// Wakes the conversations that are to be recovered, [`limits::RECOVERED_TOGETHER`] at a time, so that one sync of the disk
    /// is for many; returns how many there were. Those that are damaged are closed.
    pub async fn recover(&self) -> usize {
        let recovery = &self.context.recovery;
        let mut left = std::mem::take(&mut *recovery.left.lock()).into_iter();
        let mut waking = JoinSet::new();
        loop {
            while waking.len() < limits::RECOVERED_TOGETHER
                && let Some(id) = left.next()
            {
                let conversations = self.clone();
                waking.spawn(async move { conversations.recover_one(id).await });
            }
            if waking.join_next().await.is_none() {
                break;
            }
            recovery.done.fetch_add(1, Ordering::Relaxed);
        }
        recovery.ended.send_replace(true);
        recovery.total.load(Ordering::Relaxed)
    }

    async fn recover_one(&self, id: ConversationId) {
        while let Err(error) = self.ask(id, Command::Recover).await {
            if error.damaged || !error.code.retryable() {
                return;
            }
            sleep(AGAIN).await;
        }
    }

    /// Returns how many of how many conversations have been recovered, while that goes on.
    pub fn recovering(&self) -> Option<(usize, usize)> {
        let recovery = &self.context.recovery;
        let count = |number: &AtomicUsize| number.load(Ordering::Relaxed);
        (!*recovery.ended.borrow()).then(|| (count(&recovery.done), count(&recovery.total)))
    }

    /// Waits until every conversation has been recovered.
    ///
    /// # Errors
    /// `unavailable` where that takes long.
    pub(super) async fn recovered(&self) -> Result<(), Error> {
        let mut ended = self.context.recovery.ended.subscribe();
        let waited = tokio::time::timeout(PATIENCE, ended.wait_for(|ended| *ended)).await;
        waited.map(drop).map_err(|_| Error::new(Code::Unavailable).after(AGAIN))
    }
}
