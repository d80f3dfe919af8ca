//! The only place that chooses engines.

use std::{
    fs::{self, DirBuilder, File},
    future::Future,
    io,
    os::unix::fs::DirBuilderExt as _,
    path::Path,
    sync::Arc,
};

use object_store::local::LocalFileSystem;

pub use crate::store::sqlite::{OpenError, UNFINISHED};
use crate::{
    media::{objects::Objects, parts::Parts},
    room,
    search::fts::Index,
    store::{Store, sqlite::Sqlite},
};

/// The folder of the data directory that has the bytes of media.
pub const MEDIA: &str = "media";
/// The folder of the data directory that has what has come of uploads.
pub const UPLOADS: &str = "uploads";

/// The engines of this process.
pub struct Backends {
    sqlite: Arc<Sqlite>,
    objects: Arc<Objects>,
    index: Arc<Index>,
}

impl Backends {
    /// Opens the data directory, which is made if it is not there.
    ///
    /// # Errors
    /// [`OpenError`], one line for a person; nothing was changed then.
    pub fn open(dir: &Path) -> Result<Self, OpenError> {
        room::make_way(dir);
        let sqlite = Sqlite::open(dir)?;
        let media = dir.join(MEDIA);
        let wrong = |why: String| OpenError::Io { path: media.clone(), why };
        folder(&media).and_then(|()| clear(&media)).map_err(|error| wrong(error.to_string()))?;
        let store = LocalFileSystem::new_with_prefix(&media).map_err(|error| wrong(error.to_string()))?;
        let uploads = dir.join(UPLOADS);
        folder(&uploads).map_err(|error| OpenError::Io { path: uploads.clone(), why: error.to_string() })?;
        let objects = Arc::new(Objects::new(Arc::new(store.with_fsync(true)), Parts::new(uploads)));
        let index = Index::new(dir, sqlite.clone());
        Ok(Self { sqlite, objects, index })
    }

    /// Returns the store of logs and rows.
    pub fn store(&self) -> Arc<dyn Store> {
        self.sqlite.clone()
    }

    /// Returns the object store of media.
    pub fn objects(&self) -> Arc<Objects> {
        self.objects.clone()
    }

    /// By what messages are searched.
    pub fn index(&self) -> Arc<Index> {
        self.index.clone()
    }

    /// Ends once nobody in this process uses the engines any longer and another may have the data directory.
    pub fn released(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut released = self.sqlite.released();
        async move { while released.changed().await.is_ok() {} }
    }

    /// A copy of the database as of now, while everybody goes on; see [`Sqlite::backup`]. Blocks the thread.
    ///
    /// # Errors
    /// [`OpenError`], one line for a person.
    pub fn backup(&self) -> Result<File, OpenError> {
        self.sqlite.backup()
    }

    /// The bytes that such a copy needs at most.
    pub fn backup_bytes(&self) -> u64 {
        self.sqlite.bytes()
    }
}

/// Returns true for a file that was being written.
fn is_unfinished(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().contains('#'))
}

fn folder(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Removes what a crash left of files that were being written.
fn clear(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            clear(&path)?;
        } else if is_unfinished(&path) {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}
