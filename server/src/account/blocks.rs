//! The people whom users block, and those to whom they have written.

use kith_protocol::{
    Code, UserId,
    rest::{Adders, Page, Profile},
};

use super::{Accounts, profile};
use crate::{
    Error, limits,
    store::{
        self, Change, RowKey, StoreExt as _,
        schema::{self, User, Value},
    },
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

    /// Returns the people whom the user blocks, after `after` in the order of their identifiers; as others see them.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn blocked(&self, user: UserId, after: Option<UserId>, limit: usize) -> Result<Page<Profile>, Error> {
        let mut ids: Vec<_> = self.card(user).await?.blocked.iter().copied().collect();
        ids.retain(|id| after.is_none_or(|after| *id > after));
        ids.sort_unstable();
        let next_cursor = ids.get(limit).map(|_| ids[limit - 1].to_string());
        ids.truncate(limit);
        let found = self.store.get(ids.iter().map(|id| schema::user::profile_row(*id)).collect()).await?;
        let mut items = Vec::with_capacity(ids.len());
        for (id, value) in ids.into_iter().zip(found) {
            let of = || format!("the profile of {id}");
            let row = value.and_then(|value| store::unless_damaged(of, User::decode(&value)));
            items.extend(row.map(|row| profile::seen(id, &row)));
        }
        Ok(Page { items, next_cursor })
    }

    /// Remembers that the user has written to `other`.
    pub async fn add_contact(&self, user: UserId, other: UserId) -> Result<(), Error> {
        self.mark(user, Change::Put(schema::user::contact(other), bytes::Bytes::new())).await
    }

    /// Returns true if the user has written to `other`.
    pub async fn is_contact(&self, user: UserId, other: UserId) -> Result<bool, Error> {
        let row = RowKey { partition: schema::user::partition(user), key: schema::user::contact(other) };
        Ok(self.store.one(row).await?.is_some())
    }

    /// Returns an error where `user` does not let `adder` add them to groups and channels. A stranger to one who is added by
    /// contacts only hears that, whether or not they are blocked.
    ///
    /// # Errors
    /// `not_contact`, `blocked`.
    pub async fn may_add(&self, adder: UserId, user: UserId) -> Result<(), Error> {
        let card = self.card(user).await?;
        if card.privacy.groups == Adders::Contacts && !self.is_contact(user, adder).await? {
            return Err(Error::new(Code::NotContact));
        }
        if card.blocked.contains(&adder) { Err(Error::new(Code::Blocked)) } else { Ok(()) }
    }

    /// Returns the people to whom the user has written.
    pub async fn contacts(&self, user: UserId) -> Result<Vec<UserId>, Error> {
        let rows = self.store.all(schema::user::partition(user), schema::user::contacts()).await?;
        Ok(rows.iter().map(|row| schema::user::user_of(&row.key)).collect::<Result<_, _>>()?)
    }

    async fn mark(&self, user: UserId, change: Change) -> Result<(), Error> {
        let done = self.store.change(schema::user::partition(user), vec![change]).await;
        self.cards.forget(user);
        Ok(done?)
    }
}
