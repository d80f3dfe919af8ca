//! Media: bytes that users send to the server, to show them in messages or as avatars.
//!
//! The bytes are objects named by their SHA-256 ([`objects`]), so that the same bytes are kept once; each time that
//! somebody sends them makes a media of its own, with its owner and its name. A media lives as long as something refers
//! to it: [`Media::refer`] comes before the message or the profile that does, and [`Media::release`] after. What a crash
//! leaves between the two is found by [`Media::collect`], which asks those that are said to refer to it.
//!
//! The order of a new media ([`Media::add`]): a note to look at it tomorrow, its place in its owner's quota, that the
//! bytes are its own, the bytes, and then the row that makes it one. Whatever a crash leaves of that, the note removes.
//!
//! Who may read a media, and what a message is, is not known here: see `conversation/shown`.

mod add;
mod collect;
mod fair;
pub mod kind;
pub mod memory;
pub mod objects;
mod pace;
pub mod parts;
mod picture;
mod quota;
mod references;
mod senders;
mod sign;
pub mod strip;
#[cfg(test)]
mod tests;
pub mod upload;

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use kith_protocol::{Code, MediaId, UserId};
use tokio::sync::Mutex;

pub use self::{
    add::{New, Source},
    senders::Sending,
};
use self::{
    fair::{Fair, Supply},
    objects::{Found, Objects, Part, hexadecimal},
    senders::Senders,
    upload::Uploads,
};
pub use crate::store::schema::{Media as Row, media::Reference};
use crate::{
    Error, limits,
    room::Room,
    store::{
        Change, Store, StoreExt as _,
        schema::{self, due::Kind},
    },
    trust::Newness,
    work::Schedule,
};

/// The operator's settings of media.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settings {
    /// Bytes of all media of one user.
    pub quota_bytes: u64,
    /// The rule by which accounts are new, and so have less of that.
    pub newness: Newness,
    /// Bytes of a media that is sent in parts.
    pub upload_bytes: u64,
    /// Seconds for which an upload waits for its next byte.
    pub keep_uploads_s: u64,
    /// Seconds for which a media that nothing refers to is kept.
    pub keep_s: u64,
    /// Bytes of the media of all users together, where they are bounded.
    pub total_bytes: Option<u64>,
}

/// The media of the server.
pub struct Media {
    /// The room on the disk, which texts share.
    pub room: Arc<Room>,
    store: Arc<dyn Store>,
    objects: Arc<Objects>,
    settings: Settings,
    /// Bytes of the media of all users, counted where they are bounded.
    total: AtomicU64,
    /// The times at which each is looked at.
    looks: Schedule,
    /// The senders of media in one request.
    sending: Arc<parking_lot::Mutex<Senders>>,
    /// The memory in which pictures are read.
    reading: Arc<Fair>,
    /// The uploads in parts.
    uploads: Uploads,
    /// The key that signs urls, once it was needed.
    key: Mutex<Option<[u8; 32]>>,
}

/// The type of a media's thumbnail, if it has one.
pub fn thumbnail_type(row: &Row) -> Option<&str> {
    row.picture.as_ref()?.thumbnail.as_deref()
}

/// Describes a media for clients.
pub fn described(id: MediaId, row: &Row) -> kith_protocol::Media {
    let picture = row.picture.as_ref();
    kith_protocol::Media {
        id,
        content_type: row.content_type.clone(),
        size: row.size,
        sha256: hexadecimal(&row.sha256),
        width: picture.map(|picture| picture.width),
        height: picture.map(|picture| picture.height),
        thumbhash: picture
            .filter(|picture| !picture.thumbhash.is_empty())
            .map(|picture| BASE64_STANDARD.encode(&picture.thumbhash)),
        thumbnail: picture.is_some_and(|picture| picture.thumbnail.is_some()),
        name: row.name.clone(),
    }
}

impl Media {
    /// Opens the media in `store`, whose bytes are in `objects`, as long as there is `room` for more.
    pub fn new(store: Arc<dyn Store>, objects: Arc<Objects>, room: Arc<Room>, settings: Settings) -> Self {
        Self {
            room,
            looks: Schedule::new(store.clone(), Kind::Media),
            uploads: Uploads::new(store.clone()),
            store,
            objects,
            settings,
            total: AtomicU64::new(0),
            sending: Arc::default(),
            reading: Fair::new(Supply {
                places: limits::PICTURES_AT_ONCE,
                each: limits::PICTURES_EACH,
                bytes: memory::for_pictures(),
                waiting: limits::PICTURES_WAITING,
                wait: Duration::from_secs(limits::PICTURE_WAIT_S),
            }),
            key: Mutex::new(None),
        }
    }

    /// A media, whoever asks.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn row(&self, id: MediaId) -> Result<Row, Error> {
        self.maybe(id).await?.filter(|row| !row.doomed).ok_or(Error::new(Code::NotFound))
    }

    /// A media, and those of its own media that a user may make an avatar.
    ///
    /// # Errors
    /// `invalid_request` for `/avatar`.
    pub async fn avatar(&self, owner: UserId, id: &str) -> Result<(MediaId, Row), Error> {
        let wrong = || Error::field("/avatar", "must be a picture of your own");
        let id = id.parse().map_err(|_| wrong())?;
        let row = self.maybe(id).await?.filter(|row| !row.doomed && row.owner == owner);
        row.filter(|row| kind::is_picture(&row.content_type)).map(|row| (id, row)).ok_or_else(wrong)
    }

    /// The bytes of a media.
    ///
    /// # Errors
    /// `not_found` for the thumbnail of what has none.
    pub async fn read(&self, row: &Row, part: Part, range: Option<std::ops::Range<u64>>) -> Result<Found, Error> {
        if part == Part::Thumbnail && thumbnail_type(row).is_none() {
            return Err(Code::NotFound.into());
        }
        self.objects.read(&row.sha256, part, range).await
    }

    async fn maybe(&self, id: MediaId) -> Result<Option<Row>, Error> {
        Ok(self.store.value(schema::media::row(id)).await?)
    }

    async fn put(&self, partition: Vec<u8>, changes: Vec<Change>) -> Result<(), Error> {
        Ok(self.store.change(partition, changes).await?)
    }
}
