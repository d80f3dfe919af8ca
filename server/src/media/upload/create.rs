//! The beginning of an upload.

use std::time::Duration;

use kith_protocol::{Code, UploadId, UserId, limits::UPLOADS_OPEN};

use super::{Standing, media_of, metadata::Metadata};
use crate::{
    Error, clock,
    media::Media,
    store::{
        Direction,
        schema::{self, Upload},
    },
};

impl Media {
    /// Begins an upload, whose room is taken from here on. When it answers, the upload survives the loss of power.
    ///
    /// # Errors
    /// `too_large`; `invalid_request` for no bytes, or for metadata that are not of their form;
    /// `quota_exceeded` where they have no room, or too many of the user's uploads are unfinished; `storage_full`.
    pub async fn create(&self, owner: UserId, length: u64, metadata: Option<String>) -> Result<Standing, Error> {
        if length == 0 {
            return Err(Error::new(Code::InvalidRequest).because("A media has at least one byte."));
        }
        if length > self.settings.upload_bytes {
            let detail = format!("An upload may have {} bytes.", self.settings.upload_bytes);
            return Err(Error::new(Code::TooLarge).because(detail));
        }
        self.room.for_media(length)?;
        metadata.as_deref().map(Metadata::parse).transpose()?;
        let (id, metadata) = (UploadId::new(clock::uuid()), metadata.unwrap_or_default());
        let row = Upload { length, metadata };
        self.may_begin(owner).await?;
        self.look_at_upload(clock::now().plus(Duration::from_secs(self.settings.keep_uploads_s)), owner, id).await?;
        self.objects.parts.begin(id).await?;
        if let Err(error) = self.reserve(owner, media_of(id), length, Some(&row)).await {
            if let Err(error) = self.forget(owner, id).await {
                tracing::warn!(%id, %error, "an upload that did not begin waits to be removed");
            }
            return Err(error);
        }
        self.standing(owner, id).await
    }

    /// Checks that the user may have another unfinished upload.
    pub(in crate::media) async fn may_begin(&self, owner: UserId) -> Result<(), Error> {
        let (partition, range) = (schema::user::partition(owner), schema::user::open_uploads());
        let open = self.store.scan(partition, range, Direction::Ascending, UPLOADS_OPEN).await?;
        if open.len() < UPLOADS_OPEN {
            return Ok(());
        }
        let detail = format!("{UPLOADS_OPEN} of your uploads are unfinished: end or delete some of them.");
        Err(Error::new(Code::QuotaExceeded).because(detail))
    }
}
