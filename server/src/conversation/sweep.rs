//! Work that no request asks for: folding what a crash left unfolded, and taking what has expired.

use tokio::sync::oneshot;

use super::{Command, Conversations};
use crate::{
    Error, clock,
    store::{Change, Direction, schema},
};

/// Conversations or messages that one look takes from a shard.
const AT_ONCE: usize = 256;

impl Conversations {
    /// Wakes every conversation that was awake in a crash, so that its rows reflect its log again; how many there were.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn recover(&self) -> Result<usize, Error> {
        let mut recovered = 0;
        for shard in 0..schema::SHARDS {
            let mut range = crate::store::KeyRange::default();
            loop {
                let partition = schema::active::partition(shard);
                let rows = self.context.store.scan(partition, range, Direction::Ascending, AT_ONCE).await?;
                let Some(last) = rows.last() else { break };
                range = crate::store::KeyRange { from: [&last.key[..], &[0]].concat(), to: None };
                for row in &rows {
                    let id = schema::active::conversation_of(&row.key)?;
                    self.ask(id, Command::Recover).await?;
                    recovered += 1;
                }
            }
        }
        Ok(recovered)
    }

    /// Takes the content of every message whose time is over; how many there were.
    ///
    /// # Errors
    /// When the store does not answer; the next look goes on where this one stopped.
    pub async fn expire(&self) -> Result<usize, Error> {
        let mut expired = 0;
        for shard in 0..schema::SHARDS {
            let range = schema::expiring::until(clock::now());
            let partition = schema::expiring::partition(shard);
            let rows = self.context.store.scan(partition.clone(), range, Direction::Ascending, AT_ONCE).await?;
            let mut done = Vec::with_capacity(rows.len());
            for row in rows {
                let (id, seq) = schema::expiring::message_of(&row.key)?;
                let (reply, answer) = oneshot::channel();
                self.context.post(id, Command::Expire(seq, reply)).map_err(|(_, error)| error)?;
                super::answered(answer).await?;
                done.push(Change::Delete(row.key));
            }
            expired += done.len();
            if !done.is_empty() {
                self.context.store.commit(partition, done, Vec::new()).await?;
            }
        }
        Ok(expired)
    }
}
