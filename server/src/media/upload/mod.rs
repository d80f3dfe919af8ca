//! Uploads: media that are sent in parts, so that what is interrupted goes on (tus 1.0.0).
//!
//! An upload is the media that it will become: both have the same 16 bytes as their identifier, and what it will take of
//! its owner's room is reserved under that from the beginning. What has come of it is a file ([`super::parts`]), and the
//! length of that file is how far it is. It has ended when the media is there.
//!
//! The order of a new one ([`create`]): a note to look at it, its file, and then its row together with its room. One
//! request at a time writes ([`turns`], [`append`]). The order of its end ([`end`]): the media, the row's move to those
//! that have ended, then the file goes. Whatever a crash leaves of either the next start or the note removes ([`expire`]).

mod append;
mod create;
mod end;
mod expire;
pub mod metadata;
pub(super) mod turns;

use std::{sync::Arc, time::Duration};

use kith_protocol::{Code, MediaId, Timestamp, UploadId, UserId};

use self::turns::Turns;
use super::{
    Media, Row, described,
    fair::{Fair, Supply},
};
use crate::{
    Error, clock, limits,
    store::{
        RowKey, Store,
        schema::{self, Upload, Value, due::Kind},
    },
    work::Schedule,
};

pub use self::append::{Broken, Going};

/// The uploads under way.
pub struct Uploads {
    turns: Arc<Turns>,
    /// The places of uploads that end now.
    ending: Arc<Fair>,
    /// The times at which each is looked at.
    looks: Schedule,
}

impl Uploads {
    /// The uploads in `store`.
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        let ending = Fair::new(Supply {
            places: limits::UPLOADS_ENDING,
            each: limits::UPLOADS_ENDING_EACH,
            bytes: 0,
            waiting: limits::UPLOADING,
            wait: Duration::from_secs(limits::UPLOADING_S),
        });
        Self { turns: Arc::default(), ending, looks: Schedule::new(store, Kind::Upload) }
    }
}

/// The state of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its identifier.
    pub id: UploadId,
    /// Bytes of all of it.
    pub length: u64,
    /// Bytes that have come.
    pub offset: u64,
    /// The time at which it is forgotten, unless more come.
    pub expires_at: Timestamp,
    /// The metadata, as its user sent them.
    pub metadata: String,
    /// The media that it has become.
    pub media: Option<Row>,
}

impl Standing {
    /// As clients see it.
    pub fn described(&self) -> kith_protocol::media::Upload {
        kith_protocol::media::Upload {
            id: self.id,
            length: self.length,
            offset: self.offset,
            expires_at: self.expires_at,
            media: self.media.as_ref().map(|row| described(media_of(self.id), row)),
        }
    }

    /// Returns true if all has come and nothing has been made of it.
    fn is_due(&self) -> bool {
        self.media.is_none() && self.offset == self.length
    }
}

/// The media that an upload becomes.
const fn media_of(id: UploadId) -> MediaId {
    MediaId::new(id.uuid())
}

impl Media {
    /// Bytes that an upload may have.
    pub fn upload_bytes(&self) -> u64 {
        self.settings.upload_bytes
    }

    /// Returns the state of an upload to whoever is about to go on with it. Whoever still writes to it stops: mostly the same
    /// client before its network was lost.
    ///
    /// # Errors
    /// `not_found` where the user has no such upload, and what refuses it where all of it has come just now.
    pub async fn resume(self: &Arc<Self>, owner: UserId, id: UploadId) -> Result<Standing, Error> {
        self.uploads_row(owner, id).await?;
        self.uploads.turns.interrupt(id).await;
        self.settled(owner, id).await
    }

    /// Returns the state of an upload. Where it is about to become a media, this waits for that.
    ///
    /// # Errors
    /// As [`resume`](Self::resume).
    pub async fn upload(self: &Arc<Self>, owner: UserId, id: UploadId) -> Result<Standing, Error> {
        self.uploads_row(owner, id).await?;
        self.uploads.turns.ended(id).await;
        self.settled(owner, id).await
    }

    /// Returns true while somebody writes to the upload that is to become this media, or makes it one.
    pub(super) fn is_ending(&self, id: MediaId) -> bool {
        self.uploads.turns.is_taken(UploadId::new(id.uuid()))
    }

    /// Returns the state of an upload, after doing what a crash or a full disk kept it from.
    async fn settled(self: &Arc<Self>, owner: UserId, id: UploadId) -> Result<Standing, Error> {
        let standing = self.standing(owner, id).await?;
        if !standing.is_due() {
            return Ok(standing);
        }
        let Ok(turn) = self.uploads.turns.take(owner, id) else { return Ok(standing) };
        // On its own, so that it ends in order when the one who asked hangs up.
        let media = self.clone();
        let ended = tokio::spawn(async move {
            // Another may have ended it before it was this one's turn.
            let standing = media.standing(owner, id).await?;
            if standing.is_due() { media.end(&turn, owner, standing).await } else { Ok(standing) }
        });
        ended.await.map_err(|_| Error::new(Code::Internal))?
    }

    /// Forgets an upload; whoever writes to it stops. The media stays that it has become.
    ///
    /// # Errors
    /// `not_found` where the user has no such upload; `upload_in_use` where it ends just now.
    pub async fn terminate(self: &Arc<Self>, owner: UserId, id: UploadId) -> Result<(), Error> {
        self.uploads_row(owner, id).await?;
        self.uploads.turns.interrupt(id).await;
        let _turn = self.uploads.turns.take(owner, id)?;
        self.standing(owner, id).await?;
        self.forget(owner, id).await
    }

    async fn standing(&self, owner: UserId, id: UploadId) -> Result<Standing, Error> {
        let (row, has_ended) = self.uploads_row(owner, id).await?;
        let keep = Duration::from_secs(self.settings.keep_uploads_s);
        let Upload { length, metadata } = row;
        let media = self.maybe(media_of(id)).await?;
        let (offset, at) = match &media {
            Some(media) if !media.doomed => (length, media.created_at),
            // What it became was removed, or a backup had only its row.
            Some(_) => return Err(Code::NotFound.into()),
            None if has_ended => return Err(Code::NotFound.into()),
            None => {
                let come = self.objects.parts.come(id).await?.ok_or(Error::new(Code::NotFound))?;
                (come.size, come.at)
            }
        };
        let expires_at = at.plus(keep);
        if expires_at <= clock::forget_until() {
            return Err(Code::NotFound.into());
        }
        Ok(Standing { id, length, offset, expires_at, metadata, media })
    }

    /// The row of a user's upload, and whether it is one of those that have ended.
    async fn uploads_row(&self, owner: UserId, id: UploadId) -> Result<(Upload, bool), Error> {
        let partition = schema::user::partition(owner);
        let keys = [schema::user::upload(id), schema::user::uploaded(id)];
        let rows = keys.into_iter().map(|key| RowKey { partition: partition.clone(), key }).collect();
        let found = self.store.get(rows).await?;
        let found = found.into_iter().enumerate().find_map(|(place, value)| Some((value?, place == 1)));
        let (value, has_ended) = found.ok_or(Error::new(Code::NotFound))?;
        Ok((Upload::decode(&value)?, has_ended))
    }
}
