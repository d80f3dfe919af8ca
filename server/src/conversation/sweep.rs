//! Takes the content of messages that have expired.

use bytes::Bytes;

use super::{Command, Conversations};
use crate::{Error, store::schema::due::Task, work::Job};

impl Conversations {
    /// Takes the content of every message whose time is over, for ever.
    pub async fn expire(&self) {
        self.context.expiries.run(&Expiry(self)).await;
    }
}

/// Expires messages.
struct Expiry<'c>(&'c Conversations);

impl Job for Expiry<'_> {
    async fn perform(&self, task: Task, _: Bytes) -> Result<(), Error> {
        let Task::Expiry(conversation, seq) = task else { return Ok(()) };
        self.0.ask(conversation, |reply| Command::Expire(seq, reply)).await
    }
}
