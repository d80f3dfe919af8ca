//! The only place that chooses engines.

use std::{future::Future, path::Path, sync::Arc};

pub use crate::store::sqlite::OpenError;
use crate::{
    search::fts::Index,
    store::{Store, sqlite::Sqlite},
};

/// The engines of this process.
pub struct Backends {
    sqlite: Arc<Sqlite>,
    index: Arc<Index>,
}

impl Backends {
    /// Opens the data directory, which is made if it is not there.
    ///
    /// # Errors
    /// [`OpenError`], one line for a person; nothing was changed then.
    pub fn open(dir: &Path) -> Result<Self, OpenError> {
        let sqlite = Sqlite::open(dir)?;
        let index = Index::new(dir, sqlite.clone());
        Ok(Self { sqlite, index })
    }

    /// Where logs and rows are kept.
    pub fn store(&self) -> Arc<dyn Store> {
        self.sqlite.clone()
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

    /// Copies what is kept into an empty directory, as of one moment, while everybody goes on. Blocks the thread.
    ///
    /// # Errors
    /// [`OpenError`], one line for a person.
    pub fn backup(&self, to: &Path) -> Result<(), OpenError> {
        self.sqlite.backup(to)
    }
}
