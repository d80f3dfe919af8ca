//! The meaning of SQLite's errors to those who wait.

use std::{
    cell::OnceCell,
    fs,
    path::{Path, PathBuf},
};

use rusqlite::{ErrorCode, ffi};

use crate::store::Error;

/// The reason why a transaction did not happen.
#[derive(Debug)]
pub(super) enum Failure {
    /// There is no room; it was rolled back.
    Full(String),
    /// A row or an entry that the request needs does not decode, or is not where it should be. The database itself is whole.
    Damaged(String),
    /// Nobody knows what is on the disk.
    Lost(String),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            _ if is_full(&error) => Failure::Full(error.to_string()),
            // It is not SQLite that fails: what it read is not of the type that it was written as.
            None => Failure::Damaged(error.to_string()),
            Some(_) => Failure::Lost(error.to_string()),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Corrupt(why) => Failure::Damaged(why),
            error => Failure::Lost(error.to_string()),
        }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        of_reading(error)
    }
}

/// Returns true if SQLite only lacked room. Its shared-memory file grows by writing a byte to each new page, and a failure of
/// just that (`SQLITE_IOERR_SHMSIZE`) is how a full disk shows there.
pub(super) fn is_full(error: &rusqlite::Error) -> bool {
    match error.sqlite_error() {
        Some(error) => error.code == ErrorCode::DiskFull || error.extended_code == ffi::SQLITE_IOERR_SHMSIZE,
        None => false,
    }
}

/// The error that a reader is told. A failed read endangers nothing that was promised, so the process goes on.
pub(super) fn of_reading(error: rusqlite::Error) -> Error {
    let damaged =
        matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) | None);
    if damaged { Error::Corrupt(error.to_string()) } else { Error::Unavailable(error.to_string()) }
}

thread_local! {
    /// The data directory for which this thread works.
    static WORKS_FOR: OnceCell<PathBuf> = const { OnceCell::new() };
}

/// This thread works for a data directory: should it end the process, the next start knows why.
pub(super) fn work_for(dir: &Path) {
    WORKS_FOR.with(|works_for| drop(works_for.set(dir.to_owned())));
}

/// The file that says why the process was ended, while nobody has looked since whether the database is whole.
pub(super) fn mark(dir: &Path) -> PathBuf {
    dir.join("store.failed")
}

/// Ends the process: what was promised can no longer be kept, and only opening the files anew tells what they hold.
pub(super) fn die(what: &str) -> ! {
    tracing::error!("the store cannot go on, the server ends: {what}");
    // Where the disk does not take that either, the next start meets the same.
    let _ = WORKS_FOR.with(|dir| dir.get().map(|dir| fs::write(mark(dir), what)));
    std::process::exit(EXIT_CODE)
}

/// `EX_SOFTWARE` of sysexits.h: a restart may help.
const EXIT_CODE: i32 = 70;

/// Ends the process when its thread panics, so that nobody waits for a thread that is gone.
pub(super) struct DieWithThread(pub(super) &'static str);

impl Drop for DieWithThread {
    fn drop(&mut self) {
        if std::thread::panicking() {
            die(self.0);
        }
    }
}
