//! Opening the index's file, and deleting it.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags};

use super::Trouble;
use crate::{limits, sqlite::scrub::PAGE};

/// `KiSe` in ASCII, the application's number in the file's header.
const APPLICATION: i32 = 0x4b69_5365;
/// The version of the tables below and of the words in them. An index of another one is made anew.
const LAYOUT: i32 = 2;
// A row's number and the words in it begin with the number of the conversation (see `terms`). FTS5 keeps no copy of them:
// the text in `messages` says which to take out, and how well it answers.
const TABLES: &str = r#"
    CREATE TABLE conversations (
        id INTEGER PRIMARY KEY, uuid BLOB NOT NULL UNIQUE, seq INTEGER NOT NULL, newest INTEGER NOT NULL
    );
    CREATE TABLE senders (id INTEGER PRIMARY KEY, uuid BLOB NOT NULL UNIQUE);
    CREATE TABLE messages (
        id INTEGER PRIMARY KEY, sender INTEGER NOT NULL, at INTEGER NOT NULL, expires INTEGER, text TEXT NOT NULL
    );
    CREATE INDEX expiring ON messages (expires) WHERE expires IS NOT NULL;
    CREATE TABLE walk (name TEXT NOT NULL);
    INSERT INTO walk (name) VALUES ('');
    CREATE VIRTUAL TABLE words USING fts5(text, content = '', columnsize = 0, tokenize = "ascii tokenchars '_-'");
    INSERT INTO words (words, rank) VALUES ('secure-delete', 1);
"#;
const BUSY: Duration = Duration::from_secs(2);

/// The connection that writes, and the file itself, which must be closed after it.
pub(super) fn writer(path: &Path) -> Result<(Connection, File), Trouble> {
    if let Some(opened) = existing(path)? {
        return Ok(opened);
    }
    tracing::info!("the search index is of another version and is made anew");
    delete(path)?;
    existing(path)?.ok_or_else(|| Trouble::Damaged("it cannot be made".to_owned()))
}

/// The file with our tables, made where it is empty; none where it has others.
fn existing(path: &Path) -> Result<Option<(Connection, File)>, Trouble> {
    // SQLite would let everybody read it.
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    if file.metadata()?.len() == 0 && log_is_empty(path) {
        connection.pragma_update(None, "page_size", PAGE as i64)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        let make =
            format!("BEGIN; PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {LAYOUT}; {TABLES} COMMIT;");
        connection.execute_batch(&make)?;
    } else if pragma("application_id")? != APPLICATION || pragma("user_version")? != LAYOUT {
        return Ok(None);
    }
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // Seldom and much at once would keep the disk from those who talk.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "secure_delete", "ON")?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    Ok(Some((connection, file)))
}

fn log_is_empty(path: &Path) -> bool {
    fs::metadata(log(path)).map_or(true, |file| file.len() == 0)
}

/// A connection that cannot write.
pub(super) fn reader(path: &Path) -> Result<Connection, Trouble> {
    Ok(connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?)
}

fn connect(path: &Path, access: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -limits::SEARCH_CACHE_KIB)?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

/// The write-ahead log of the index.
pub(super) fn log(path: &Path) -> PathBuf {
    beside(path, "-wal")
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Deletes the index's files. Nobody has them open.
pub(super) fn delete(path: &Path) -> io::Result<()> {
    for ending in ["", "-wal", "-shm", "-journal"] {
        match fs::remove_file(beside(path, ending)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
