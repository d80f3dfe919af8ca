//! Whom users block, and whom they have written to.

use kith_protocol::{Code, UserId};

use super::Accounts;
use crate::{
    Error, limits,
    store::{Change, RowKey, schema},
};

impl Accounts {
    /// Blocks `other`; to block twice is to block once.
    ///
    /// # Errors
    /// `not_found` where there is no such user; `invalid_request` for oneself, and for more than
    /// [`limits::BLOCKED_USERS`].
    pub async fn block(&self, user: UserId, other: UserId) -> Result<(), Error> {
        if user == other {
            return Err(Error::new(Code::InvalidRequest).because("Nobody can block themselves."));
        }
        let theirs = self.card(other).await?;
        if !theirs.exists || theirs.erased {
            return Err(Error::new(Code::NotFound));
        }
        let mine = self.card(user).await?;
        if !mine.blocked.contains(&other) && mine.blocked.len() >= limits::BLOCKED_USERS {
            let detail = format!("A user may block {} others at most.", limits::BLOCKED_USERS);
            return Err(Error::new(Code::InvalidRequest).because(detail));
        }
        self.mark(user, Change::Put(schema::user::blocked(other), bytes::Bytes::new())).await
    }

    /// Blocks `other` no longer, if they were blocked.
    pub async fn unblock(&self, user: UserId, other: UserId) -> Result<(), Error> {
        self.mark(user, Change::Delete(schema::user::blocked(other))).await
    }

    /// Remembers that the user has written to `other`.
    pub async fn add_contact(&self, user: UserId, other: UserId) -> Result<(), Error> {
        self.mark(user, Change::Put(schema::user::contact(other), bytes::Bytes::new())).await
    }

    /// Whether the user has written to `other`.
    pub async fn is_contact(&self, user: UserId, other: UserId) -> Result<bool, Error> {
        let row = RowKey { partition: schema::user::partition(user), key: schema::user::contact(other) };
        Ok(self.row(row).await?.is_some())
    }

    /// Whom the user has written to.
    pub async fn contacts(&self, user: UserId) -> Result<Vec<UserId>, Error> {
        let rows = self.all(schema::user::partition(user), schema::user::contacts()).await?;
        Ok(rows.iter().map(|row| schema::user::user_of(&row.key)).collect::<Result<_, _>>()?)
    }

    async fn mark(&self, user: UserId, change: Change) -> Result<(), Error> {
        let done = self.put(schema::user::partition(user), vec![change]).await;
        self.cards.forget(user);
        done
    }
}
