//! The files of unfinished uploads: one each, to which bytes are added at its end and nowhere else.
//!
//! The length of a file says how much has come, and the time of its last change says when. Nothing else says either, so
//! nothing can say more than there is.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::UNIX_EPOCH,
};

use bytes::Bytes;
use kith_protocol::{Code, Timestamp, UploadId};

use crate::Error;

/// The folder of such files.
pub struct Parts {
    folder: PathBuf,
}

/// The progress of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Come {
    /// Its bytes.
    pub size: u64,
    /// The time of the last write.
    pub at: Timestamp,
}

/// One to which bytes are added.
#[derive(Clone)]
pub struct Part(Arc<File>);

/// The file of an upload in the folder of all.
pub fn part_of(folder: &Path, id: UploadId) -> PathBuf {
    folder.join(id.to_string())
}

impl Parts {
    /// The files in a folder that is there.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The file of an upload.
    pub(super) fn file(&self, id: UploadId) -> PathBuf {
        part_of(&self.folder, id)
    }

    /// Makes an empty one. It survives the loss of power.
    pub(super) async fn begin(&self, id: UploadId) -> Result<(), Error> {
        let (file, folder) = (self.file(id), self.folder.clone());
        blocking(move || {
            File::options().append(true).create_new(true).mode(0o600).open(file)?;
            File::open(folder)?.sync_all()
        })
        .await
    }

    /// The progress of an upload; none where it is not there.
    pub(super) async fn come(&self, id: UploadId) -> Result<Option<Come>, Error> {
        let file = self.file(id);
        blocking(move || {
            let about = match fs::metadata(file) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                about => about?,
            };
            let since = about.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
            let at = Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
            Ok(Some(Come { size: about.len(), at }))
        })
        .await
    }

    /// One to be added to.
    pub(super) async fn open(&self, id: UploadId) -> Result<Part, Error> {
        let file = self.file(id);
        blocking(move || File::options().append(true).open(file).map(|file| Part(Arc::new(file)))).await
    }

    /// Removes one; that it is not there is as good.
    pub(super) async fn remove(&self, id: UploadId) -> Result<(), Error> {
        let file = self.file(id);
        blocking(move || match fs::remove_file(file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        })
        .await
    }
}

impl Part {
    /// Adds bytes. Where it fails the first of them may be there.
    pub(super) async fn add(&self, bytes: Bytes) -> Result<(), Error> {
        let file = self.0.clone();
        blocking(move || (&*file).write_all(&bytes)).await
    }

    /// Waits until what was added survives the loss of power.
    pub(super) async fn sync(&self) -> Result<(), Error> {
        let file = self.0.clone();
        blocking(move || file.sync_all()).await
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await.map_err(|_| Error::new(Code::Internal))?;
    done.map_err(|error| failed(&error))
}

/// Tells an error of the folder: mostly that it is full.
pub(super) fn failed(error: &io::Error) -> Error {
    tracing::warn!(%error, "the folder of uploads failed");
    code_of(error).into()
}

/// The code of an error of a file.
pub(super) fn code_of(error: &io::Error) -> Code {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Code::StorageFull,
        _ => Code::Unavailable,
    }
}
