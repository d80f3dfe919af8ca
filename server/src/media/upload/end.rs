//! The end of an upload: it becomes a media.

use kith_protocol::{UploadId, UserId};

use super::{Standing, media_of, metadata::Metadata, turns::Turn};
use crate::{
    Error,
    media::{
        Media,
        add::{New, Source},
    },
    store::{
        Change, RowKey, StoreExt as _,
        schema::{self, Upload, Value},
    },
};

impl Media {
    /// Makes a media of an upload of which all has come. What is refused is gone; what could not be done now is not, and
    /// is tried again when the upload is next asked for.
    pub(super) async fn end(&self, turn: &Turn, owner: UserId, standing: Standing) -> Result<Standing, Error> {
        turn.ends();
        let _share = self.uploads.ending.take(owner, 0).await?;
        let id = standing.id;
        let Metadata { name, content_type } = match standing.metadata.as_str() {
            "" => Metadata::default(),
            text => Metadata::parse(text)?,
        };
        let source = Source::File { path: self.objects.parts.file(id), size: standing.length };
        let new = New { owner, content_type: content_type.unwrap_or_default(), name, source };
        match self.keep(media_of(id), new).await {
            Ok(media) => {
                self.settle(owner, &standing).await?;
                Ok(Standing { media: Some(media), ..standing })
            }
            Err(error) if error.code.retryable() => Err(error),
            Err(error) => {
                self.forget(owner, id).await?;
                Err(error)
            }
        }
    }

    /// Moves an upload that has become a media to those that have, and removes its file.
    pub(super) async fn settle(&self, owner: UserId, standing: &Standing) -> Result<(), Error> {
        let Standing { id, length, metadata, .. } = standing;
        let row = Upload { length: *length, metadata: metadata.clone() };
        let (open, ended) = (schema::user::upload(*id), schema::user::uploaded(*id));
        let changes = vec![Change::Delete(open.clone()), Change::Put(ended, row.encode())];
        let partition = schema::user::partition(owner);
        let open = RowKey { partition: partition.clone(), key: open };
        // Who has erased their account meanwhile has erased it too.
        if let Some(there) = self.store.still(open, &row).await? {
            self.store.change_if(partition, changes, vec![there]).await?;
        }
        self.objects.parts.remove(*id).await
    }

    /// Removes all of an upload, whatever there is of it; not the media that it has become, which keeps its room.
    pub(super) async fn forget(&self, owner: UserId, id: UploadId) -> Result<(), Error> {
        self.objects.parts.remove(id).await?;
        if self.maybe(media_of(id)).await?.is_none() {
            self.give_back(owner, media_of(id)).await?;
        }
        let rows = [schema::user::upload(id), schema::user::uploaded(id)];
        self.put(schema::user::partition(owner), rows.into_iter().map(Change::Delete).collect()).await
    }
}
