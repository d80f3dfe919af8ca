//! The bytes of media, as objects that are named by their SHA-256: written once, never changed.

use std::{
    fmt::Write as _,
    ops::Range,
    path::{Path as FilePath, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, stream::BoxStream};
use kith_protocol::Code;
use object_store::{GetOptions, ObjectStore, ObjectStoreExt as _, PutPayload, path::Path};
use tokio::io::AsyncReadExt as _;

use super::parts::{self, Parts};
use crate::{Error, limits};

/// Bytes as they are read, piece by piece.
pub type Bytestream = BoxStream<'static, Result<Bytes, object_store::Error>>;

/// The content of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The bytes themselves.
    Whole,
    /// A small picture of them.
    Thumbnail,
}

/// The object store of the bytes of media. An object that was put survives the loss of power.
pub struct Objects {
    store: Arc<dyn ObjectStore>,
    /// The files of uploads that are not whole yet.
    pub(super) parts: Parts,
    copying: AtomicUsize,
}

/// The guard of a copy of all objects; until it is dropped none is removed.
pub struct Copying(Arc<Objects>);

impl Drop for Copying {
    fn drop(&mut self) {
        self.0.copying.fetch_sub(1, Ordering::SeqCst);
    }
}

/// SHA-256 as it is written.
pub fn hexadecimal(sha256: &[u8; 32]) -> String {
    let mut text = String::with_capacity(64);
    sha256.iter().for_each(|byte| write!(text, "{byte:02x}").expect("a String takes all"));
    text
}

/// The name of an object, a folder and a file with `/` between them.
pub fn name(sha256: &[u8; 32], part: Part) -> String {
    let text = hexadecimal(sha256);
    let (folder, ending) = (&text[..2], if part == Part::Thumbnail { ".thumbnail" } else { "" });
    format!("{folder}/{text}{ending}")
}

/// The object of a name; `None` for a text that is the name of none.
pub fn named(text: &str) -> Option<([u8; 32], Part)> {
    let file = text.get(3..)?;
    let (digits, part) =
        file.strip_suffix(".thumbnail").map_or((file, Part::Whole), |digits| (digits, Part::Thumbnail));
    let sha256 = sha256_of(digits)?;
    (name(&sha256, part) == text).then_some((sha256, part))
}

/// SHA-256 from its hexadecimal form in small letters.
pub fn sha256_of(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> = text.chars().map(|char| char.to_digit(16).map(|digit| digit as u8)).collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    bytes.try_into().ok().filter(|sha256| hexadecimal(sha256) == text)
}

/// The file of the bytes below the folder of all objects, where that is what keeps them.
pub fn file_of(folder: &FilePath, sha256: &[u8; 32], part: Part) -> PathBuf {
    folder.join(name(sha256, part))
}

impl Objects {
    /// For tests without uploads: gone with the process.
    #[cfg(test)]
    pub fn in_memory() -> Self {
        Self::new(Arc::new(object_store::memory::InMemory::new()), Parts::new("/nowhere".into()))
    }

    /// The objects that `store` keeps, and the files of unfinished uploads.
    pub fn new(store: Arc<dyn ObjectStore>, parts: Parts) -> Self {
        Self { store, parts, copying: AtomicUsize::new(0) }
    }

    /// Keeps every object where it is until the answer is dropped.
    pub fn copying(self: &Arc<Self>) -> Copying {
        self.copying.fetch_add(1, Ordering::SeqCst);
        Copying(self.clone())
    }

    /// Returns true if objects may be removed now.
    pub(super) fn may_remove(&self) -> bool {
        self.copying.load(Ordering::SeqCst) == 0
    }

    /// Makes bytes durable under their name, if they are not there.
    pub(super) async fn put(&self, sha256: &[u8; 32], part: Part, bytes: PutPayload) -> Result<(), Error> {
        let path = Path::from(name(sha256, part));
        if self.has(&path, bytes.content_length() as u64).await? {
            return Ok(());
        }
        self.store.put(&path, bytes).await.map(drop).map_err(|error| failed(&error))
    }

    /// The same with the bytes of a file, of which a piece at a time is in memory.
    pub(super) async fn put_file(&self, sha256: &[u8; 32], file: &FilePath, size: u64) -> Result<(), Error> {
        let path = Path::from(name(sha256, Part::Whole));
        if self.has(&path, size).await? {
            return Ok(());
        }
        let mut file = tokio::fs::File::open(file).await.map_err(|error| parts::failed(&error))?;
        let mut upload = self.store.put_multipart(&path).await.map_err(|error| failed(&error))?;
        let copied = async {
            loop {
                let mut piece = BytesMut::with_capacity(limits::UPLOAD_PIECE_BYTES);
                let room = limits::UPLOAD_PIECE_BYTES as u64;
                while (piece.len() as u64) < room {
                    let read = (&mut file).take(room - piece.len() as u64).read_buf(&mut piece).await;
                    if read.map_err(|error| parts::failed(&error))? == 0 {
                        break;
                    }
                }
                if piece.is_empty() {
                    break;
                }
                upload.put_part(piece.freeze().into()).await.map_err(|error| failed(&error))?;
            }
            upload.complete().await.map(drop).map_err(|error| failed(&error))
        };
        let copied = copied.await;
        if copied.is_err()
            && let Err(error) = upload.abort().await
        {
            // The next start removes what is left of it.
            tracing::warn!(%error, "a part of an object stays");
        }
        copied
    }

    /// Returns true if an object is there, as a whole.
    async fn has(&self, path: &Path, size: u64) -> Result<bool, Error> {
        match self.store.head(path).await {
            Ok(found) => Ok(found.size == size),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(failed(&error)),
        }
    }

    /// Reads a part of the bytes.
    ///
    /// # Errors
    /// `internal` where they should be there and are not.
    pub async fn read(&self, sha256: &[u8; 32], part: Part, range: Option<Range<u64>>) -> Result<Found, Error> {
        let path = Path::from(name(sha256, part));
        let options = GetOptions { range: range.map(Into::into), ..GetOptions::default() };
        let found = self.store.get_opts(&path, options).await.map_err(|error| failed(&error))?;
        Ok(Found { size: found.meta.size, range: found.range.clone(), bytes: found.into_stream().boxed() })
    }

    /// The objects whose SHA-256 begins with this byte, in the order of their names: the name and the length in bytes of
    /// each.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub async fn list(&self, first: u8) -> Result<Vec<(String, u64)>, Error> {
        let mut found = self.store.list(Some(&Path::from(format!("{first:02x}"))));
        let mut objects = Vec::new();
        while let Some(object) = found.next().await {
            let object = object.map_err(|error| failed(&error))?;
            let name = object.location.to_string();
            if named(&name).is_some() {
                objects.push((name, object.size));
            }
        }
        objects.sort();
        Ok(objects)
    }

    /// Removes bytes and what was made of them; that they are not there is as good.
    pub(super) async fn remove(&self, sha256: &[u8; 32]) -> Result<(), Error> {
        for part in [Part::Thumbnail, Part::Whole] {
            match self.store.delete(&Path::from(name(sha256, part))).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(failed(&error)),
            }
        }
        Ok(())
    }
}

/// Bytes that were found.
pub struct Found {
    /// Bytes of the whole object.
    pub size: u64,
    /// These of them follow.
    pub range: Range<u64>,
    /// Piece by piece.
    pub bytes: Bytestream,
}

pub(super) fn failed(error: &object_store::Error) -> Error {
    tracing::warn!(%error, "the media folder failed");
    if matches!(error, object_store::Error::NotFound { .. }) {
        return Code::Internal.into();
    }
    // Why stands behind what the folder was doing.
    let first = std::error::Error::source(error);
    let file = std::iter::successors(first, |error| error.source()).find_map(|error| error.downcast_ref());
    file.map_or(Code::Unavailable, parts::code_of).into()
}
