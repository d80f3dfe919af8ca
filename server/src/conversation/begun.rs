//! Limits what one user may begin and have, and how much of strangers reaches one user at once: conversations in all, and
//! those of one day.

use std::time::Duration;

use kith_protocol::{Code, ConversationId, Timestamp, UserId, entry::ConversationKind, limits::Limits};

use super::{Context, Conversations};
use crate::{
    Error, clock, limits,
    store::{
        self, Change, Condition, Direction, RowKey, StoreExt as _,
        schema::{self, Today, Value},
    },
};

/// The milliseconds of a day.
const DAY_MS: u64 = 24 * 3600 * 1000;

impl Today {
    /// Returns the counts of the day of `now`: those of the row where it is of that day, else none.
    fn as_of(row: Option<Today>, now: Timestamp) -> Today {
        let day = now.millis() / DAY_MS;
        row.filter(|row| row.day == day).unwrap_or(Today { day, ..Today::default() })
    }
}

impl Context {
    /// Changes what a user did today, where `count` lets it; asked again when another changed it meanwhile.
    async fn count<T: Send>(
        &self,
        user: UserId,
        mut count: impl FnMut(&mut Today, Timestamp) -> Result<T, Error> + Send,
    ) -> Result<T, Error> {
        let (partition, key) = (schema::user::partition(user), schema::user::today());
        for _ in 0..limits::COMMIT_TRIES {
            let row = RowKey { partition: partition.clone(), key: key.clone() };
            let before = self.store.one(row).await?;
            let now = clock::now();
            let of = || format!("what is counted today of {user}");
            let mut today =
                Today::as_of(before.as_ref().and_then(|row| store::unless_damaged(of, Today::decode(row))), now);
            let counted = count(&mut today, now)?;
            let condition = before.map_or(Condition::Absent(key.clone()), |row| Condition::Equals(key.clone(), row));
            let put = Change::Put(key.clone(), today.encode());
            if self.store.change_if(partition.clone(), vec![put], vec![condition]).await? {
                return Ok(counted);
            }
        }
        Err(Error::new(Code::Overloaded))
    }

    /// Counts what a stranger begins with a user; false where as many have reached the user today as may.
    pub(super) async fn count_stranger(&self, kind: ConversationKind, user: UserId) -> Result<bool, Error> {
        let direct = kind == ConversationKind::Direct;
        let Limits { stranger_directs_per_day, stranger_groups_per_day, .. } = self.limits;
        let at_most = if direct { stranger_directs_per_day } else { stranger_groups_per_day };
        if at_most == 0 {
            return Ok(false);
        }
        self.count(user, |today, _| {
            let counted = if direct { &mut today.stranger_directs } else { &mut today.stranger_groups };
            let arrives = *counted < at_most;
            *counted += u32::from(arrives);
            Ok(arrives)
        })
        .await
    }

    /// Returns true where a user may have one more conversation.
    pub(super) async fn has_room(&self, user: UserId) -> Result<bool, Error> {
        let at_most = self.limits.conversations as usize;
        let (partition, listed) = (schema::user::partition(user), schema::user::all_listed());
        Ok(self.store.scan(partition, listed, Direction::Ascending, at_most).await?.len() < at_most)
    }

    /// Returns an error where a user has as many conversations as they may have.
    pub(super) async fn room_for_one_more(&self, user: UserId) -> Result<(), Error> {
        if self.has_room(user).await? {
            return Ok(());
        }
        let detail = format!("A user has {} conversations at most. Leave one first.", self.limits.conversations);
        Err(Error::new(Code::TooMany).because(detail))
    }
}

impl Conversations {
    /// Counts a conversation that a user is about to begin; the count outlives a restart.
    ///
    /// # Errors
    /// `rate_limited` until the next day, `too_many` until the user leaves one.
    pub(super) async fn count_begun(&self, user: UserId) -> Result<(), Error> {
        let at_most = self.context.accounts.trust(user).share(self.context.limits.begins_per_day.into());
        self.context.room_for_one_more(user).await?;
        let begin = |today: &mut Today, now: Timestamp| {
            if u64::from(today.begun) >= at_most {
                return Err(tomorrow(now, format!("{at_most} conversations may be begun on one day.")));
            }
            today.begun += 1;
            Ok(())
        };
        self.context.count(user, begin).await
    }

    /// Counts a report that a user is about to make.
    ///
    /// # Errors
    /// `rate_limited` until the next day.
    pub async fn count_report(&self, user: UserId) -> Result<(), Error> {
        let report = |today: &mut Today, now: Timestamp| {
            if today.reports >= limits::REPORTS_PER_DAY {
                return Err(tomorrow(now, format!("{} reports may be made on one day.", limits::REPORTS_PER_DAY)));
            }
            today.reports += 1;
            Ok(())
        };
        self.context.count(user, report).await
    }

    /// Returns an error where a user has as many conversations as they may have, and this one is not among them.
    ///
    /// # Errors
    /// `too_many`.
    pub(super) async fn may_join(&self, user: UserId, conversation: ConversationId) -> Result<(), Error> {
        let row = RowKey { partition: schema::user::partition(user), key: schema::user::listed(conversation) };
        match self.context.store.one(row).await? {
            Some(_) => Ok(()),
            None => self.context.room_for_one_more(user).await,
        }
    }
}

/// The refusal of what one has done as often today as one may.
fn tomorrow(now: Timestamp, detail: String) -> Error {
    let rest = Duration::from_millis(DAY_MS - now.millis() % DAY_MS);
    Error::new(Code::RateLimited).because(detail).after(rest)
}
