//! Limits what one user may begin and have: conversations in all, and those begun on one day.

use std::time::Duration;

use kith_protocol::{Code, ConversationId, Timestamp, UserId};

use super::Conversations;
use crate::{
    Error, clock, limits,
    store::{
        Change, CommitError, Condition, RowKey,
        schema::{self, Today, Value},
    },
};

/// The milliseconds of a day.
const DAY_MS: u64 = 24 * 3600 * 1000;

impl Today {
    /// What was done on the day of `now`, by the row that is there.
    fn as_of(row: Option<Today>, now: Timestamp) -> Today {
        let day = now.millis() / DAY_MS;
        row.filter(|row| row.day == day).unwrap_or(Today { day, ..Today::default() })
    }
}

impl Conversations {
    /// Counts a conversation that a user is about to begin; the count outlives a restart.
    ///
    /// # Errors
    /// `rate_limited` until the next day, `too_many` until the user leaves one.
    pub(super) async fn count_begun(&self, user: UserId) -> Result<(), Error> {
        let trust = self.context.accounts.trust(user);
        let at_most = trust.share(self.context.limits.begins_per_day.into());
        let (partition, key) = (schema::user::partition(user), schema::user::today());
        for _ in 0..limits::COMMIT_TRIES {
            let row = RowKey { partition: partition.clone(), key: key.clone() };
            let before = self.context.store.get(vec![row]).await?.pop().flatten();
            let now = clock::now();
            let mut today = Today::as_of(before.as_ref().map(|row| Today::decode(row)).transpose()?, now);
            if u64::from(today.begun) >= at_most {
                let detail = format!("{at_most} conversations may be begun on one day.");
                let tomorrow = Duration::from_millis(DAY_MS - now.millis() % DAY_MS);
                return Err(Error::new(Code::RateLimited).because(detail).after(tomorrow));
            }
            self.has_room(user).await?;
            today.begun += 1;
            let condition = before.map_or(Condition::Absent(key.clone()), |row| Condition::Equals(key.clone(), row));
            let put = Change::Put(key.clone(), today.encode());
            match self.context.store.commit(partition.clone(), vec![put], vec![condition]).await {
                Ok(()) => return Ok(()),
                Err(CommitError::Condition { .. }) => {}
                Err(CommitError::Store(error)) => return Err(error.into()),
            }
        }
        Err(Error::new(Code::Overloaded))
    }

    /// Returns an error where a user has as many conversations as they may have, and this one is not among them.
    ///
    /// # Errors
    /// `too_many`.
    pub(super) async fn may_join(&self, user: UserId, conversation: ConversationId) -> Result<(), Error> {
        let row = RowKey { partition: schema::user::partition(user), key: schema::user::listed(conversation) };
        match self.context.store.get(vec![row]).await?.pop().flatten() {
            Some(_) => Ok(()),
            None => self.has_room(user).await,
        }
    }

    /// Returns an error where a user has as many conversations as they may have.
    async fn has_room(&self, user: UserId) -> Result<(), Error> {
        let at_most = self.context.limits.conversations as usize;
        if self.listed(user, None, at_most).await?.len() < at_most {
            return Ok(());
        }
        let detail = format!("A user has {at_most} conversations at most. Leave one first.");
        Err(Error::new(Code::TooMany).because(detail))
    }
}
