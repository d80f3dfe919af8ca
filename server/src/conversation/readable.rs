//! The messages that a user may read: for who finds messages by another way than through a conversation.

use std::collections::HashMap;

use kith_protocol::{Code, ConversationId, Message, MessageId, UserId};

use super::Conversations;
use crate::{
    Error, clock, limits,
    store::{
        self, RowKey,
        schema::{self, Member, Value},
    },
};

impl Conversations {
    /// The conversations of a user and the seq from which on they may read each, as the rows say it: what was found with it
    /// is asked for with [`Conversations::shown`] before it is told.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn readable(&self, user: UserId) -> Result<HashMap<ConversationId, u64>, Error> {
        let mut readable = HashMap::new();
        let mut after = None;
        loop {
            let page = self.listed(user, after, limits::SCAN_ROWS).await?;
            let Some(last) = page.last() else { return Ok(readable) };
            after = Some(*last);
            let member = |id: &ConversationId| RowKey {
                partition: schema::conversation::partition(*id),
                key: schema::conversation::member(user),
            };
            let rows = self.context.store.get(page.iter().map(member).collect()).await?;
            for (id, row) in page.into_iter().zip(rows) {
                let of = || format!("the row of {user} as a member of {id}");
                if let Some(member) = row.and_then(|row| store::unless_damaged(of, Member::decode(&row))) {
                    readable.insert(id, member.log.since);
                }
            }
        }
    }

    /// The seq from which on a member may read a conversation.
    ///
    /// # Errors
    /// `not_found` for who is no member.
    pub async fn readable_from(&self, user: UserId, conversation: ConversationId) -> Result<u64, Error> {
        Ok(self.access(user, conversation).await?.since)
    }

    /// A folded message, if it is there for the user now, can be read, and has not been deleted or expired.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn shown(&self, user: UserId, message: MessageId) -> Result<Option<Message>, Error> {
        match self.message(user, message).await {
            Ok(message) => {
                let expired = message.entry.expires_at.is_some_and(|at| at <= clock::now());
                Ok(Some(message).filter(|message| !message.deleted && !expired))
            }
            Err(error) if error.code == Code::NotFound || error.damaged => Ok(None),
            Err(error) => Err(error),
        }
    }
}
