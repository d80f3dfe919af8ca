//! The path of a new media.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use kith_protocol::{Code, MediaId, UserId, limits::MEDIA_NAME_BYTES};
use object_store::PutPayload;

use super::{
    Media, Row, Settings, kind,
    objects::Part,
    picture::{self, Kept},
};
use crate::{
    Error,
    account::sha256,
    clock, limits,
    store::{
        Change, CommitError, Condition,
        schema::{self, Collect, Picture, Value},
    },
};

/// Bytes that somebody sends.
pub struct New {
    /// Who.
    pub owner: UserId,
    /// What they say that it is.
    pub content_type: String,
    /// What they call it.
    pub name: Option<String>,
    /// The bytes.
    pub bytes: Bytes,
}

/// Bytes of which is known what they are.
struct Ready {
    content_type: String,
    bytes: Bytes,
    sha256: [u8; 32],
    picture: Option<Picture>,
    thumbnail: Option<Bytes>,
}

/// That a user sends a media in one request; ends when it is dropped.
pub struct Sending {
    of: Arc<parking_lot::Mutex<std::collections::HashMap<UserId, usize>>>,
    user: UserId,
}

impl Drop for Sending {
    fn drop(&mut self) {
        let mut sending = self.of.lock();
        if let Some(count) = sending.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                sending.remove(&self.user);
            }
        }
    }
}

impl Media {
    /// Lets a user send one more media now: each is in memory as far as it has come.
    ///
    /// # Errors
    /// `overloaded` where they, or all, send too many.
    pub fn admit(&self, user: UserId) -> Result<Sending, Error> {
        let mut sending = self.sending.lock();
        let own = sending.get(&user).copied().unwrap_or(0);
        if own >= limits::MEDIA_SENDING_EACH || sending.values().sum::<usize>() >= limits::MEDIA_SENDING {
            return Err(Error::new(Code::Overloaded).after(Duration::from_secs(1)));
        }
        *sending.entry(user).or_default() += 1;
        Ok(Sending { of: self.sending.clone(), user })
    }

    /// Makes a media of bytes. When it answers, the media survives the loss of power.
    ///
    /// # Errors
    /// `unsupported_media_type` for bytes that are not what they are said to be, `quota_exceeded`.
    pub async fn add(&self, new: New) -> Result<(MediaId, Row), Error> {
        let Ready { content_type, bytes, sha256, picture, thumbnail } = self.ready(new.bytes, new.content_type).await?;
        let row = Row {
            owner: new.owner,
            sha256,
            size: bytes.len() as u64,
            content_type,
            name: new.name.as_deref().and_then(named),
            picture,
            created_at: clock::now(),
            doomed: false,
        };
        let id = MediaId::new(clock::uuid());
        self.begin(id, &row).await?;
        match self.finish(id, &row, bytes.into(), thumbnail).await {
            Ok(()) => Ok((id, row)),
            Err(error) => {
                // What cannot be taken back now is found by the note.
                if let Err(error) = self.remove(id, row.owner, &row.sha256).await {
                    tracing::warn!(%id, %error, "an unfinished media waits to be removed");
                }
                Err(error)
            }
        }
    }

    /// Finds out what bytes are; of a picture what it shows, without what it says besides.
    async fn ready(&self, bytes: Bytes, declared: String) -> Result<Ready, Error> {
        let content_type = kind::of(&bytes, &declared)?;
        let picture = kind::is_picture(&content_type);
        // Reading a picture takes memory, and hashing takes time: neither on the threads that serve.
        let permit = match picture {
            true => Some(self.reading.clone().acquire_owned().await.map_err(|_| Error::new(Code::Internal))?),
            false => None,
        };
        let made = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            if !picture {
                return Ok(Ready { sha256: sha256(&bytes), content_type, bytes, picture: None, thumbnail: None });
            }
            let Kept { bytes, picture, thumbnail } = picture::kept(&content_type, &bytes)?;
            let (picture, thumbnail) = (Some(picture), Some(thumbnail.into()));
            Ok(Ready { sha256: sha256(&bytes), content_type, bytes: bytes.into(), picture, thumbnail })
        });
        made.await.map_err(|_| Error::new(Code::Internal))?
    }

    async fn begin(&self, id: MediaId, row: &Row) -> Result<(), Error> {
        let Settings { keep_s, .. } = self.settings;
        let at = clock::now().plus(Duration::from_secs(keep_s));
        self.look_at(at, id, &Collect { owner: row.owner, sha256: row.sha256 }).await?;
        self.reserve(row.owner, id, row.size).await
    }

    async fn finish(&self, id: MediaId, row: &Row, bytes: PutPayload, thumbnail: Option<Bytes>) -> Result<(), Error> {
        self.own(id, &row.sha256).await?;
        if let Some(thumbnail) = thumbnail {
            self.objects.put(&row.sha256, Part::Thumbnail, thumbnail.into()).await?;
        }
        self.objects.put(&row.sha256, Part::Whole, bytes).await?;
        self.put(schema::media::partition(id), vec![Change::Put(schema::media::about(), row.encode())]).await
    }

    /// Says that the bytes are this media's, so that nobody removes them; waits while somebody does.
    async fn own(&self, id: MediaId, sha256: &[u8; 32]) -> Result<(), Error> {
        for _ in 0..limits::COMMIT_TRIES {
            let change = Change::Put(schema::media::bytes_of(id), Bytes::new());
            let kept = Condition::Absent(schema::media::removing());
            match self.store.commit(schema::media::bytes_partition(sha256), vec![change], vec![kept]).await {
                Ok(()) => return Ok(()),
                Err(CommitError::Condition { .. }) => tokio::time::sleep(Duration::from_millis(50)).await,
                Err(CommitError::Store(error)) => return Err(error.into()),
            }
        }
        Err(Error::new(Code::Unavailable).after(Duration::from_secs(1)))
    }
}

/// A name as it may stand in a header, in a message and in a folder; none where nothing is left of it.
fn named(name: &str) -> Option<String> {
    let base = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let mut name: String = base.chars().filter(|char| !char.is_control() && !matches!(char, '"' | '\\')).collect();
    while name.len() > MEDIA_NAME_BYTES {
        name.pop();
    }
    let name = name.trim();
    (!name.is_empty() && name != "." && name != "..").then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_path() {
        for (given, kept) in [
            ("holiday.jpg", Some("holiday.jpg")),
            ("/etc/passwd", Some("passwd")),
            ("C:\\photos\\a\"b\r\n.png", Some("ab.png")),
            ("..", None),
            (" \t", None),
        ] {
            assert_eq!(named(given).as_deref(), kept);
        }
        assert!(named(&"ä".repeat(300)).is_some_and(|name| name.len() <= MEDIA_NAME_BYTES));
    }
}
