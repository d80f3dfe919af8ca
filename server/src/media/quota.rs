//! How much room each user's media take.

use bytes::Bytes;
use kith_protocol::{Code, MediaId, UploadId, UserId};

use super::Media;
use crate::{
    Error, limits,
    store::{
        Change, CommitError, Condition, RowKey,
        schema::{self, Upload, User, Value, user},
    },
};

impl Media {
    /// Takes room for a media of a user who is there, instead of what it has if it has some; together with the upload that
    /// `begins` so, if there is one.
    ///
    /// # Errors
    /// `quota_exceeded`; `unauthenticated` for who is gone.
    pub(super) async fn reserve(
        &self,
        owner: UserId,
        id: MediaId,
        size: u64,
        begins: Option<&Upload>,
    ) -> Result<(), Error> {
        for _ in 0..limits::COMMIT_TRIES {
            let [profile, total, own] = self.room(owner, id).await?;
            // Who is being erased gets nothing new that would stay behind.
            let living = profile.as_deref().map(User::decode).transpose()?.is_some_and(|row| !row.erased);
            let Some(profile) = profile.filter(|_| living) else { return Err(Code::Unauthenticated.into()) };
            let used = total.as_deref().map_or(Ok(0), user::size_of)?;
            let before = own.as_deref().map_or(Ok(0), user::size_of)?;
            let used = used.saturating_sub(before).saturating_add(size);
            if used > self.settings.quota_bytes {
                let detail = format!("All your media may have {} bytes.", self.settings.quota_bytes);
                return Err(Error::new(Code::QuotaExceeded).because(detail));
            }
            let mut changes = vec![
                Change::Put(user::media(id), user::size_value(size)),
                Change::Put(user::media_bytes(), user::size_value(used)),
            ];
            if let Some(upload) = begins {
                // After the room was looked at: another that begins at the same time changes that.
                self.may_begin(owner).await?;
                changes.push(Change::Put(user::upload(UploadId::new(id.uuid())), upload.encode()));
            }
            let conditions = vec![unchanged(total), Condition::Equals(user::profile(), profile)];
            match self.store.commit(user::partition(owner), changes, conditions).await {
                Ok(()) => return Ok(()),
                Err(CommitError::Condition { .. }) => {}
                Err(CommitError::Store(error)) => return Err(error.into()),
            }
        }
        Err(Code::Overloaded.into())
    }

    /// Gives a media's room back, if it has any.
    pub(super) async fn give_back(&self, owner: UserId, id: MediaId) -> Result<(), Error> {
        for _ in 0..limits::COMMIT_TRIES {
            let [_, total, own] = self.room(owner, id).await?;
            let Some(own) = own else { return Ok(()) };
            let used = total.as_deref().map_or(Ok(0), user::size_of)?.saturating_sub(user::size_of(&own)?);
            let changes =
                vec![Change::Delete(user::media(id)), Change::Put(user::media_bytes(), user::size_value(used))];
            let conditions = vec![unchanged(total), Condition::Equals(user::media(id), own)];
            match self.store.commit(user::partition(owner), changes, conditions).await {
                Ok(()) => return Ok(()),
                Err(CommitError::Condition { .. }) => {}
                Err(CommitError::Store(error)) => return Err(error.into()),
            }
        }
        Err(Code::Overloaded.into())
    }

    /// The owner's profile, how much room they have taken, and how much of it this media has.
    async fn room(&self, owner: UserId, id: MediaId) -> Result<[Option<Bytes>; 3], Error> {
        let keys = [user::profile(), user::media_bytes(), user::media(id)];
        let rows = keys.into_iter().map(|key| RowKey { partition: user::partition(owner), key }).collect();
        let found = self.store.get(rows).await?;
        found.try_into().map_err(|_| Error::new(Code::Internal))
    }
}

fn unchanged(total: Option<Bytes>) -> Condition {
    let key = schema::user::media_bytes();
    match total {
        Some(total) => Condition::Equals(key, total),
        None => Condition::Absent(key),
    }
}
