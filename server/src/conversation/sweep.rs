//! Work that no request asks for: taking what has expired.

use std::sync::atomic::Ordering;

use super::{Command, Conversations};
use crate::{
    Error, clock,
    store::{self, Change, Direction, KeyRange, schema},
};

/// Messages that one look takes from a shard.
const AT_ONCE: usize = 256;

impl Conversations {
    /// Takes the content of every message whose time is over; how many there were. An idle node looks at a number for that,
    /// not at its store.
    ///
    /// # Errors
    /// When the store does not answer, or a conversation has no time; the next look tries again what was not done. What meets
    /// damage is tried again later.
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
        let (mut expired, mut failed) = (0, None);
        for shard in 0..schema::SHARDS {
            let partition = schema::expiring::partition(shard);
            let all = KeyRange::default();
            let rows = self.context.store.scan(partition.clone(), all, Direction::Ascending, AT_ONCE).await?;
            let mut done = Vec::with_capacity(rows.len());
            let mut next_ms = if rows.len() == AT_ONCE { 0 } else { u64::MAX };
            for row in rows.into_iter().filter(|row| !row.is_damaged()) {
                let at = schema::expiring::at_of(&row.key)?;
                let (id, seq) = schema::expiring::message_of(&row.key)?;
                if at > clock::forget_until() {
                    next_ms = at.millis();
                    break;
                }
                match self.ask(id, |reply| Command::Expire(seq, reply)).await {
                    Ok(()) => done.push(Change::Delete(row.key)),
                    Err(error) if error.damaged => {
                        let at = store::later();
                        next_ms = next_ms.min(at.millis());
                        store::postpone(&*self.context.store, row, schema::expiring::row(at, id, seq)).await?;
                    }
                    Err(error) => failed = Some(error),
                }
            }
            self.context.expires_ms.fetch_min(next_ms, Ordering::Relaxed);
            expired += done.len();
            if !done.is_empty() {
                self.context.store.commit(partition, done, Vec::new()).await?;
            }
        }
        failed.map_or(Ok(expired), Err)
    }
}
