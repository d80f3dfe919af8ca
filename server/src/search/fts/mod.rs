//! The index: SQLite's FTS5 in a file of its own, `search.db`, beside the store.
//!
//! Nothing in it is the only copy of anything. It is opened when it is first used, made where it is not there, and replaced
//! by `clear`; while it is damaged every call answers [`Trouble::Damaged`]. One connection writes and
//! [`limits::SEARCHES_AT_ONCE`] read, each on a thread that may block; who writes runs where a core is idle, and who reads
//! has a turn ([`turns`]).
//!
//! Invariant: outside the store's engine, only this folder names rusqlite.

mod open;
mod quiet;
mod read;
mod terms;
#[cfg(test)]
mod tests;
mod turns;
mod write;

use std::{
    any::Any,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use kith_protocol::{ConversationId, Timestamp, UserId};
use parking_lot::Mutex;
use rusqlite::{Connection, ErrorCode};
use tokio::sync::RwLock;

pub use self::read::{Candidate, Found, Place, Question, Work};
use self::{
    quiet::Quiet,
    read::Look,
    turns::{Turn, Turns},
    write::Writer,
};

/// The reason why the index did not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// Its file is not what was written; it must be made anew.
    #[error("the search index is damaged: {0}")]
    Damaged(String),
    /// The index cannot be read or written now, as on a full disk. Nothing was changed.
    #[error("the search index cannot be used: {0}")]
    Unavailable(String),
    /// Too many wait for it.
    #[error("too many searches wait")]
    Overloaded,
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            // What is not SQLite's own code is a value that is not as it was written.
            None | Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Trouble::Damaged(error.to_string()),
            Some(_) => Trouble::Unavailable(error.to_string()),
        }
    }
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Trouble::Unavailable(error.to_string())
    }
}

/// The change of the index that an entry causes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A message says this now.
    Put(Text),
    /// The message with this seq is gone.
    Remove(u64),
}

/// A message as it is indexed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// Its place.
    pub seq: u64,
    /// The user who wrote it.
    pub sender: UserId,
    /// The time of its entry.
    pub at: Timestamp,
    /// The time at which it expires.
    pub expires_at: Option<Timestamp>,
    /// Its text.
    pub text: String,
}

/// The index in a data directory that this process owns.
pub struct Index {
    path: PathBuf,
    readers: Mutex<Vec<Connection>>,
    writer: Mutex<Option<Writer>>,
    turns: Arc<Turns>,
    /// Held while somebody reads, and alone by who replaces the file.
    reading: Arc<RwLock<()>>,
    damaged: AtomicBool,
    quiet: Quiet,
    /// After the connections: nobody else gets into the directory before they are closed.
    _directory: Arc<dyn Any + Send + Sync>,
}

impl Index {
    /// The index of a data directory. Nothing is opened yet. Who holds `directory` has the data directory for themselves.
    pub fn new(dir: &Path, directory: Arc<dyn Any + Send + Sync>) -> Arc<Self> {
        Arc::new(Self {
            path: dir.join("search.db"),
            writer: Mutex::default(),
            readers: Mutex::default(),
            turns: Arc::default(),
            reading: Arc::default(),
            damaged: AtomicBool::new(false),
            quiet: Quiet::new(),
            _directory: directory,
        })
    }

    /// Deletes it, whatever is wrong with it, and makes an empty one.
    ///
    /// # Errors
    /// [`Trouble`] where the file cannot be made.
    pub async fn clear(self: &Arc<Self>) -> Result<(), Trouble> {
        // Nobody reads meanwhile.
        let alone = self.reading.write().await;
        self.damaged.store(false, Ordering::Relaxed);
        let cleared = self.blocking(|index| {
            let mut writer = index.writer.lock();
            index.readers.lock().clear();
            *writer = None;
            open::delete(&index.path)?;
            *writer = Some(Writer::open(&index.path)?);
            Ok(())
        });
        let cleared = cleared.await;
        drop(alone);
        cleared
    }

    /// Returns the seq up to which each conversation is indexed; 0 where nothing is.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn progress(self: &Arc<Self>, conversations: Vec<ConversationId>) -> Result<Vec<u64>, Trouble> {
        self.write(move |writer| conversations.iter().map(|id| writer.progress(*id)).collect()).await
    }

    /// Makes changes of one conversation, in their order; it is indexed up to `seq` then. Durable, all or none.
    ///
    /// # Errors
    /// [`Trouble`]; nothing was changed.
    pub async fn apply(
        self: &Arc<Self>,
        conversation: ConversationId,
        seq: u64,
        changes: Vec<Change>,
    ) -> Result<(), Trouble> {
        self.write(move |writer| writer.apply(conversation, seq, &changes)).await
    }

    /// Returns the name of the user up to whom the walk through all conversations has come: empty before the first, none once
    /// it is over.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn walked(self: &Arc<Self>) -> Result<Option<String>, Trouble> {
        self.write(|writer| writer.walked()).await
    }

    /// Notes how far the walk has come.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn walk(self: &Arc<Self>, to: Option<String>) -> Result<(), Trouble> {
        self.write(move |writer| writer.walk(to.as_deref())).await
    }

    /// Takes out what has expired, and has what was taken out leave the file.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn tidy(self: &Arc<Self>, now: Timestamp) -> Result<(), Trouble> {
        self.write(move |writer| writer.expire(now).and_then(|()| writer.empty_log())).await
    }

    /// Returns the number of messages in the index.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn messages(self: &Arc<Self>) -> Result<u64, Trouble> {
        self.write(|writer| writer.messages()).await
    }

    /// Waits for a turn of a user's searches.
    ///
    /// # Errors
    /// [`Trouble::Overloaded`].
    pub async fn turn(&self, user: UserId) -> Result<Turn, Trouble> {
        self.turns.take(user).await
    }

    /// Finds messages, newest first, in this turn and those that follow it; returns the last turn, for what is made of them.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn find(self: &Arc<Self>, mut turn: Turn, question: Question) -> Result<(Found, Turn), Trouble> {
        let mut look = Look::new(question);
        loop {
            let reading = self.reading.clone().read_owned().await;
            // It looks on where nobody waits for it any longer, so it holds its turn itself.
            let looked = self.blocking(move |index| {
                let reader = index.reader()?;
                let found = look.go_on(&reader);
                index.readers.lock().push(reader);
                drop(reading);
                Ok((found?, look, turn))
            });
            let (found, unfinished, ended) = looked.await?;
            if let Some(found) = found {
                return Ok((found, ended));
            }
            (look, turn) = (unfinished, ended.again().await?);
        }
    }

    /// A connection that reads and that nobody uses.
    fn reader(&self) -> Result<Connection, Trouble> {
        if let Some(reader) = self.readers.lock().pop() {
            return Ok(reader);
        }
        // The writer makes the file.
        self.with_writer(|_| Ok(()))?;
        open::reader(&self.path)
    }

    async fn write<T: Send + 'static>(
        self: &Arc<Self>,
        job: impl FnOnce(&mut Writer) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, Trouble> {
        let job = self.watched(|index| index.with_writer(job))?;
        self.quiet.run(job).await.unwrap_or_else(|error| Err(Trouble::Unavailable(error.to_string())))
    }

    fn with_writer<T>(&self, job: impl FnOnce(&mut Writer) -> Result<T, Trouble>) -> Result<T, Trouble> {
        let mut writer = self.writer.lock();
        let open = match writer.take() {
            Some(open) => open,
            None => Writer::open(&self.path)?,
        };
        job(writer.insert(open))
    }

    /// Does it on a thread that may block, for somebody who waits.
    async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        job: impl FnOnce(&Self) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, Trouble> {
        let done = tokio::task::spawn_blocking(self.watched(job)?).await;
        done.unwrap_or_else(|error| Err(Trouble::Unavailable(error.to_string())))
    }

    /// The job, if the index is not known to be damaged; it notes that where it finds it.
    fn watched<T, J: FnOnce(&Self) -> Result<T, Trouble>>(
        self: &Arc<Self>,
        job: J,
    ) -> Result<impl FnOnce() -> Result<T, Trouble> + use<T, J>, Trouble> {
        let index = self.clone();
        if index.damaged.load(Ordering::Relaxed) {
            return Err(Trouble::Damaged("it is waiting to be made anew".to_owned()));
        }
        Ok(move || {
            let done = job(&index);
            if let Err(Trouble::Damaged(why)) = &done
                && !index.damaged.swap(true, Ordering::Relaxed)
            {
                tracing::error!("the search index is damaged, run `kith reindex`: {why}");
            }
            done
        })
    }
}
