//! Work that no request asks for: folding what a crash left unfolded, and taking what has expired.

use std::sync::atomic::Ordering;

use super::{Command, Conversations};
use crate::{
    Error, clock,
    store::{Change, Direction, KeyRange, schema},
};

/// Conversations or messages that one look takes from a shard.
const AT_ONCE: usize = 256;

impl Conversations {
    /// Takes up what each user has written today, and wakes every conversation that was awake in a crash, so that its rows
    /// reflect its log again; how many there were.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn recover(&self) -> Result<usize, Error> {
        self.context.quota.open(clock::now()).await?;
        let mut recovered = 0;
        for shard in 0..schema::SHARDS {
            let mut range = KeyRange::default();
            loop {
                let partition = schema::active::partition(shard);
                let rows = self.context.store.scan(partition, range, Direction::Ascending, AT_ONCE).await?;
                let Some(last) = rows.last() else { break };
                range = KeyRange { from: [&last.key[..], &[0]].concat(), to: None };
                for row in rows.iter().filter(|row| schema::active::is_active(&row.key)) {
                    let id = schema::active::conversation_of(&row.key)?;
                    self.ask(id, Command::Recover).await?;
                    recovered += 1;
                }
            }
        }
        Ok(recovered)
    }

    /// Takes the content of every message whose time is over; how many there were. An idle node looks at a number for that,
    /// not at its store.
    ///
    /// # Errors
    /// When the store does not answer; the next look goes on where this one stopped.
    pub async fn expire(&self) -> Result<usize, Error> {
        let next = &self.context.expires_ms;
        if clock::forget_until().millis() < next.load(Ordering::Relaxed) {
            return Ok(0);
        }
        next.store(u64::MAX, Ordering::Relaxed);
        let expired = self.expire_due().await;
        if expired.is_err() {
            next.store(0, Ordering::Relaxed);
        }
        expired
    }

    async fn expire_due(&self) -> Result<usize, Error> {
        let mut expired = 0;
        for shard in 0..schema::SHARDS {
            let partition = schema::expiring::partition(shard);
            let all = KeyRange::default();
            let rows = self.context.store.scan(partition.clone(), all, Direction::Ascending, AT_ONCE).await?;
            let mut done = Vec::with_capacity(rows.len());
            let mut next_ms = if rows.len() == AT_ONCE { 0 } else { u64::MAX };
            for row in rows {
                let at = schema::expiring::at_of(&row.key)?;
                let (id, seq) = schema::expiring::message_of(&row.key)?;
                if at > clock::forget_until() {
                    next_ms = at.millis();
                    break;
                }
                self.ask(id, |reply| Command::Expire(seq, reply)).await?;
                done.push(Change::Delete(row.key));
            }
            self.context.expires_ms.fetch_min(next_ms, Ordering::Relaxed);
            expired += done.len();
            if !done.is_empty() {
                self.context.store.commit(partition, done, Vec::new()).await?;
            }
        }
        Ok(expired)
    }
}
