//! Removes the uploads that do not go on, and what a crash left of those that never began or have ended.

use std::time::Duration;

use bytes::Bytes;
use kith_protocol::{Code, Timestamp, UploadId, UserId};

use super::media_of;
use crate::{
    Error, clock, limits,
    media::Media,
    store::{
        Change, Direction, Row,
        schema::{
            self,
            due::{self, Kind, Task},
        },
    },
    work::Job,
};

/// The least time ahead for which uploads are recovered, whatever the operator has them kept now.
const LEAST: Duration = Duration::from_secs(24 * 3600);

/// Looks at uploads.
struct UploadLooks<'m>(&'m Media);

impl Job for UploadLooks<'_> {
    async fn perform(&self, task: Task, value: Bytes) -> Result<(), Error> {
        let Task::Upload(id) = task else { return Ok(()) };
        self.0.look_at_due(schema::media::user_of(&value)?, id).await
    }
}

impl Media {
    /// Has an upload looked at when it is `at`.
    pub(super) async fn look_at_upload(&self, at: Timestamp, owner: UserId, id: UploadId) -> Result<(), Error> {
        Ok(self.uploads.looks.put(at, Task::Upload(id), schema::media::user_value(owner)).await?)
    }

    /// Finishes what a crash interrupted, as far as it would be looked at within the time for which uploads are kept.
    /// Before anybody can send.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn recover_uploads(&self) -> Result<(), Error> {
        self.looks.open().await?;
        let kept = Duration::from_secs(self.settings.keep_uploads_s).max(LEAST);
        let recover = async |partition: &[u8], row| match self.recover_upload(partition, row).await {
            // Its time comes, and it is looked at again.
            Err(error) if error.damaged => Ok(()),
            recovered => recovered,
        };
        self.uploads.looks.each(clock::now().plus(kept), recover).await
    }

    async fn recover_upload(&self, partition: &[u8], Row { key, value }: Row) -> Result<(), Error> {
        let (_, Task::Upload(id)) = due::of_key(Kind::Upload, &key)? else { return Ok(()) };
        let owner = schema::media::user_of(&value)?;
        match self.uploads_row(owner, id).await {
            // It is the note that goes last, so that a crash here is the same again.
            Err(error) if error.code == Code::NotFound => {
                self.forget(owner, id).await?;
                self.put(partition.to_vec(), vec![Change::Delete(key)]).await
            }
            Ok((_, false)) if self.maybe(media_of(id)).await?.is_some() => match self.standing(owner, id).await {
                Ok(standing) => self.settle(owner, &standing).await,
                Err(_) => Ok(()),
            },
            Ok((_, true)) => self.objects.parts.remove(id).await,
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Removes the uploads that do not go on, for ever.
    pub async fn collect_uploads(&self) {
        self.uploads.looks.run(&UploadLooks(self)).await;
    }

    /// Removes an upload unless it goes on.
    async fn look_at_due(&self, owner: UserId, id: UploadId) -> Result<(), Error> {
        // Who is in the middle of it is not disturbed.
        let Ok(_turn) = self.uploads.turns.take(owner, id) else {
            let later = clock::now().plus(Duration::from_secs(1));
            return self.look_at_upload(later, owner, id).await;
        };
        match self.standing(owner, id).await {
            Ok(standing) => self.look_at_upload(standing.expires_at, owner, id).await,
            Err(error) if error.code == Code::NotFound => {
                self.forget(owner, id).await?;
                tracing::debug!(%id, "an upload was removed");
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Removes all uploads of a user who leaves.
    pub(in crate::media) async fn erase_uploads(&self, owner: UserId) -> Result<(), Error> {
        loop {
            let (partition, range) = (schema::user::partition(owner), schema::user::all_uploads());
            let rows = self.store.scan(partition, range, Direction::Ascending, limits::SCAN_ROWS).await?;
            if rows.is_empty() {
                return Ok(());
            }
            for row in rows {
                let id = schema::user::upload_of(&row.key)?;
                self.uploads.turns.interrupt(id).await;
                self.forget(owner, id).await?;
            }
        }
    }
}
