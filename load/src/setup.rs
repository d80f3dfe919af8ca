//! Makes the users and conversations that a measurement needs, all of it over REST.

use kith_protocol::{ConversationId, UserId, entry::ConversationKind, rest::NewConversation};
use serde::Deserialize;

use crate::{
    error::{Error, Result},
    gather::gather,
    rest::Pool,
    target::Target,
};

#[derive(Deserialize)]
struct Named<T> {
    id: T,
}

/// Prepares over a pool of kept connections.
#[derive(Debug, Clone)]
pub struct Setup {
    pool: Pool,
    at_once: usize,
}

/// Conversations to make: the members of each by their number, its maker first.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The kind of the conversations.
    pub kind: ConversationKind,
    /// Their members.
    pub members: Vec<Vec<usize>>,
}

impl Setup {
    /// Prepares on the server of `target`.
    pub fn new(target: &Target) -> Self {
        Self { pool: Pool::new(target), at_once: target.rest }
    }

    /// Asks the server who each of the first `count` users is.
    ///
    /// # Errors
    /// One of them was not imported.
    pub async fn users(&self, count: usize) -> Result<Vec<UserId>> {
        let pool = self.pool.clone();
        gather(count, self.at_once, async move |user| id(&pool.ask(user, "GET", "/v1/users/me", "").await?)).await
    }

    /// Makes the conversations, each by its first member.
    ///
    /// # Errors
    /// The server refuses one.
    pub async fn conversations(&self, plan: Plan, users: Vec<UserId>) -> Result<Vec<ConversationId>> {
        let pool = self.pool.clone();
        gather(plan.members.len(), self.at_once, async move |index| {
            let (maker, others) = (plan.members[index][0], &plan.members[index][1..]);
            let new = NewConversation {
                kind: plan.kind,
                members: others.iter().map(|user| users[*user]).collect(),
                title: (plan.kind != ConversationKind::Direct).then(|| format!("load {index}")),
                expire_after_s: None,
                encryption: None,
            };
            let body = serde_json::to_string(&new).map_err(|error| Error::Refused(error.to_string()))?;
            id(&pool.ask(maker, "POST", "/v1/conversations", &body).await?)
        })
        .await
    }

    /// Lets every user but the first join the channel that the first one made.
    ///
    /// # Errors
    /// The server refuses one.
    pub async fn join(&self, channel: ConversationId, users: Vec<UserId>) -> Result<()> {
        let pool = self.pool.clone();
        let path = format!("/v1/conversations/{channel}/participants");
        gather(users.len().saturating_sub(1), self.at_once, async move |index| {
            let body = format!(r#"{{"user":"{}"}}"#, users[index + 1]);
            pool.ask(index + 1, "POST", &path, &body).await.map(drop)
        })
        .await
        .map(drop)
    }
}

fn id<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T> {
    serde_json::from_slice::<Named<T>>(body)
        .map(|named| named.id)
        .map_err(|error| Error::Protocol(format!("an answer without its id: {error}")))
}
