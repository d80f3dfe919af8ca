//! The room that each user's media take, and the media of all.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use kith_protocol::{Code, MediaId, UploadId, UserId};

use super::Media;
use crate::{
    Error, clock, limits,
    store::{
        self, Change, Condition, Direction, RowKey, StoreExt as _,
        schema::{self, Upload, User, Value, user},
    },
};

impl Media {
    /// Counts the media of all users, where they are bounded together. Before anybody is served.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn count_all(&self) -> Result<(), Error> {
        if self.settings.total_bytes.is_none() {
            return Ok(());
        }
        let mut total = 0;
        for byte in schema::name::first_bytes() {
            let prefix = char::from(byte).to_string();
            let (partition, mut range) = (schema::name::partition(&prefix), schema::name::range(&prefix, None));
            loop {
                let ascending = Direction::Ascending;
                let names = self.store.scan(partition.clone(), range.clone(), ascending, limits::SCAN_ROWS).await?;
                let Some(last) = names.last() else { break };
                range.from = schema::behind(&last.key);
                let of = || "the row of a name".to_owned();
                let owners =
                    names.iter().filter_map(|name| store::unless_damaged(of, schema::name::user_of(&name.value)));
                let bytes_of = |owner| RowKey { partition: user::partition(owner), key: user::media_bytes() };
                for bytes in self.store.get(owners.map(bytes_of).collect()).await?.into_iter().flatten() {
                    let of = || "the bytes of the media of a user".to_owned();
                    total += store::unless_damaged(of, user::size_of(&bytes)).unwrap_or_default();
                }
            }
        }
        self.total.store(total, Ordering::Relaxed);
        Ok(())
    }

    /// Takes room for a media of a user who is there, instead of what it has if it has some; together with the upload that
    /// `begins` so, if there is one.
    ///
    /// # Errors
    /// `quota_exceeded`; `storage_full`; `unauthenticated` for who is gone.
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
            let row = profile.as_deref().map(User::decode).transpose()?.filter(|row| !row.erased);
            let (Some(row), Some(profile)) = (row, profile) else { return Err(Code::Unauthenticated.into()) };
            let trust = self.settings.newness.trust(row.created_at, row.vouched, clock::now());
            let quota_bytes = trust.share(self.settings.quota_bytes);
            let used = total.as_deref().map_or(Ok(0), user::size_of)?;
            let before = own.as_deref().map_or(Ok(0), user::size_of)?;
            let used = used.saturating_sub(before).saturating_add(size);
            if used > quota_bytes {
                let detail = format!("All your media may have {quota_bytes} bytes.");
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
            // Taken before it is written, so that those who come at the same time find it taken.
            let taken = self.take_of_all(size, before)?;
            let done = self.store.change_if(user::partition(owner), changes, conditions).await;
            if done == Ok(true) {
                self.give_back_of_all(before.saturating_sub(size));
                return Ok(());
            }
            self.give_back_of_all(taken);
            done?;
        }
        Err(Code::Overloaded.into())
    }

    /// Gives a media's room back, if it has any.
    pub(super) async fn give_back(&self, owner: UserId, id: MediaId) -> Result<(), Error> {
        for _ in 0..limits::COMMIT_TRIES {
            let [_, total, own] = self.room(owner, id).await?;
            let Some(own) = own else { return Ok(()) };
            let gives = user::size_of(&own)?;
            let used = total.as_deref().map_or(Ok(0), user::size_of)?.saturating_sub(gives);
            let changes =
                vec![Change::Delete(user::media(id)), Change::Put(user::media_bytes(), user::size_value(used))];
            let conditions = vec![unchanged(total), Condition::Equals(user::media(id), own)];
            if self.store.change_if(user::partition(owner), changes, conditions).await? {
                self.give_back_of_all(gives);
                return Ok(());
            }
        }
        Err(Code::Overloaded.into())
    }

    /// Takes what a media of `size` bytes needs beyond what it has of the bytes of all users; how much that is.
    fn take_of_all(&self, size: u64, has: u64) -> Result<u64, Error> {
        let (taken, most) = (size.saturating_sub(has), self.settings.total_bytes.unwrap_or(u64::MAX));
        let more = |total: u64| total.checked_add(taken).filter(|total| taken == 0 || *total <= most);
        let took = self.total.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        took.map(|_| taken).map_err(|_| {
            let detail = format!("All media on this server may have {most} bytes.");
            Error::new(Code::StorageFull).because(detail)
        })
    }

    fn give_back_of_all(&self, bytes: u64) {
        let less = |total: u64| Some(total.saturating_sub(bytes));
        let _ = self.total.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
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
