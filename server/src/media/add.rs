//! The path of a new media.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use kith_protocol::{
    Code, MediaId, UserId,
    limits::{MEDIA_NAME_BYTES, PICTURE_BYTES},
    visible,
};
use sha2::{Digest as _, Sha256};

use super::{
    Media, Row, Settings, kind,
    objects::Part,
    parts,
    picture::{self, Kept},
};
use crate::{
    Error, clock, limits,
    store::{
        Change, Condition, StoreExt as _,
        schema::{self, Collect, Picture, Value},
    },
};

/// Bytes that somebody sends.
pub struct New {
    /// The user who sends it.
    pub owner: UserId,
    /// The content type that the user declares.
    pub content_type: String,
    /// The name that the user gives it.
    pub name: Option<String>,
    /// The bytes.
    pub source: Source,
}

/// The place of the bytes.
pub enum Source {
    /// In memory.
    Bytes(Bytes),
    /// In a file, which may be larger than memory.
    File {
        /// The path of the file.
        path: PathBuf,
        /// Its length.
        size: u64,
    },
}

impl Source {
    const fn size(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File { size, .. } => *size,
        }
    }
}

/// Bytes of which is known what they are.
struct Ready {
    content_type: String,
    source: Source,
    sha256: [u8; 32],
    picture: Option<Picture>,
    thumbnail: Option<Bytes>,
}

impl Media {
    /// Makes a media of bytes. When it answers, the media survives the loss of power.
    ///
    /// # Errors
    /// `unsupported_media_type` for bytes that are not what they are said to be, `too_large` for a picture that is,
    /// `quota_exceeded`, `storage_full`.
    pub async fn add(&self, new: New) -> Result<(MediaId, Row), Error> {
        let id = MediaId::new(clock::uuid());
        self.keep(id, new).await.map(|row| (id, row))
    }

    /// Makes a media of bytes under a name. What it failed to do may be tried again, under the same name.
    pub(super) async fn keep(&self, id: MediaId, new: New) -> Result<Row, Error> {
        // A file is there for another try, and had its room when it came.
        let may_go_on = matches!(new.source, Source::File { .. });
        self.room.for_media(if may_go_on { 0 } else { new.source.size() })?;
        let Ready { content_type, source, sha256, picture, thumbnail } =
            self.ready(new.owner, new.source, new.content_type).await?;
        let row = Row {
            owner: new.owner,
            sha256,
            size: source.size(),
            content_type,
            name: new.name.as_deref().and_then(named),
            picture,
            created_at: clock::now(),
            doomed: false,
        };
        self.begin(id, &row).await?;
        match self.finish(id, &row, source, thumbnail).await {
            Ok(()) => Ok(row),
            Err(error) if may_go_on && error.code.retryable() => Err(error),
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
    async fn ready(&self, owner: UserId, source: Source, declared: String) -> Result<Ready, Error> {
        let (source, content_type) = aside(move || {
            let content_type = match &source {
                Source::Bytes(bytes) => kind::of(bytes, &declared)?,
                Source::File { path, .. } => kind::of(&beginning(path)?, &declared)?,
            };
            Ok((source, content_type))
        })
        .await?;
        if !kind::is_picture(&content_type) {
            return aside(move || {
                let sha256 = hashed(&source)?;
                Ok(Ready { content_type, source, sha256, picture: None, thumbnail: None })
            })
            .await;
        }
        if source.size() > PICTURE_BYTES {
            let detail = format!("A picture may have {PICTURE_BYTES} bytes.");
            return Err(Error::new(Code::TooLarge).because(detail));
        }
        let (source, content_type, look) = aside(move || {
            let look = match &source {
                Source::Bytes(bytes) => picture::look(&content_type, io::Cursor::new(bytes))?,
                Source::File { path, .. } => {
                    let file = File::open(path).map_err(|error| parts::failed(&error))?;
                    picture::look(&content_type, io::BufReader::new(file))?
                }
            };
            Ok((source, content_type, look))
        })
        .await?;
        // Its own are there twice for a moment.
        let own = 2 * source.size();
        let allowed = if self.reading.has(own + look.bytes) { look.bytes } else { 0 };
        let share = self.reading.take(owner, own + allowed).await?;
        aside(move || {
            let _share = share;
            let bytes = match source {
                Source::Bytes(bytes) => bytes,
                Source::File { path, .. } => fs::read(path).map_err(|error| parts::failed(&error))?.into(),
            };
            let Kept { bytes, picture, thumbnail } = picture::kept(&content_type, bytes, allowed)?;
            let (picture, thumbnail) = (Some(picture), thumbnail.map(Bytes::from));
            Ok(Ready {
                sha256: Sha256::digest(&bytes).into(),
                content_type,
                source: Source::Bytes(bytes.into()),
                picture,
                thumbnail,
            })
        })
        .await
    }

    async fn begin(&self, id: MediaId, row: &Row) -> Result<(), Error> {
        let Settings { keep_s, .. } = self.settings;
        let at = clock::now().plus(Duration::from_secs(keep_s));
        self.look_at(at, id, &Collect { owner: row.owner, sha256: row.sha256 }).await?;
        self.reserve(row.owner, id, row.size, None).await
    }

    async fn finish(&self, id: MediaId, row: &Row, source: Source, thumbnail: Option<Bytes>) -> Result<(), Error> {
        self.own(id, &row.sha256).await?;
        if let Some(thumbnail) = thumbnail {
            self.objects.put(&row.sha256, Part::Thumbnail, thumbnail.into()).await?;
        }
        match source {
            Source::Bytes(bytes) => self.objects.put(&row.sha256, Part::Whole, bytes.into()).await?,
            Source::File { path, size } => self.objects.put_file(&row.sha256, &path, size).await?,
        }
        self.put(schema::media::partition(id), vec![Change::Put(schema::media::about(), row.encode())]).await
    }

    /// Says that the bytes are this media's, so that nobody removes them; waits while somebody does.
    async fn own(&self, id: MediaId, sha256: &[u8; 32]) -> Result<(), Error> {
        for _ in 0..limits::COMMIT_TRIES {
            let change = Change::Put(schema::media::bytes_of(id), Bytes::new());
            let kept = Condition::Absent(schema::media::removing());
            if self.store.change_if(schema::media::bytes_partition(sha256), vec![change], vec![kept]).await? {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err(Error::new(Code::Unavailable).after(Duration::from_secs(1)))
    }
}

/// Does what takes time or memory on none of the threads that serve.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Error::new(Code::Internal))?
}

/// As much of a file as says what it is.
fn beginning(path: &Path) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(limits::UPLOAD_BEGINNING_BYTES).read_to_end(&mut bytes));
    read.map_err(|error| parts::failed(&error)).map(|_| bytes)
}

/// SHA-256 of all bytes, of which a piece at a time is in memory.
fn hashed(source: &Source) -> Result<[u8; 32], Error> {
    let path = match source {
        Source::Bytes(bytes) => return Ok(Sha256::digest(bytes).into()),
        Source::File { path, .. } => path,
    };
    let mut hasher = Sha256::new();
    let mut hash = || {
        let (mut file, mut piece) = (File::open(path)?, vec![0; limits::UPLOAD_WRITE_BYTES]);
        loop {
            match file.read(&mut piece)? {
                0 => return Ok(()),
                read => hasher.update(&piece[..read]),
            }
        }
    };
    hash().map_err(|error: io::Error| parts::failed(&error))?;
    Ok(hasher.finalize().into())
}

/// A name as it may stand in a header, in a message and in a folder; none where nothing is seen of it.
fn named(name: &str) -> Option<String> {
    let base = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let mut name = visible::file_name(&base.replace('"', ""))?;
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
            ("holiday\u{202e}gpj.exe", Some("holidaygpj.exe")),
            ("\u{3164}\u{200b}", None),
        ] {
            assert_eq!(named(given).as_deref(), kept);
        }
        assert!(named(&"ä".repeat(300)).is_some_and(|name| name.len() <= MEDIA_NAME_BYTES));
    }
}
