//! The writer of the index.

use std::{fs::File, path::Path, sync::Arc};

use kith_protocol::{ConversationId, Timestamp, Uuid};
use rusqlite::{Connection, OptionalExtension as _, Transaction};

use super::{
    Change, Text, Trouble, open,
    terms::{self, row},
};
use crate::{limits, search::words, sqlite::scrub::Scrub};

/// The connection that writes.
pub(super) struct Writer {
    connection: Connection,
    scrub: Scrub,
    /// True while something that was taken out is still in the write-ahead log.
    erased: bool,
    /// The file, closed after the connection, whose locks its closing would give up.
    _file: Arc<File>,
}

impl Writer {
    pub(super) fn open(path: &Path) -> Result<Self, Trouble> {
        let (connection, file) = open::writer(path)?;
        let file = Arc::new(file);
        let scrub = Scrub::new(file.clone(), open::log(path));
        // What a crash left in the log is to leave it as if it had just been written.
        Ok(Self { connection, scrub, erased: true, _file: file })
    }

    pub(super) fn progress(&self, conversation: ConversationId) -> Result<u64, Trouble> {
        let mut select = self.connection.prepare_cached("SELECT seq FROM conversations WHERE uuid = ?1")?;
        let seq = select.query_row((conversation.bytes(),), |row| row.get::<_, i64>(0)).optional()?;
        Ok(seq.unwrap_or(0) as u64)
    }

    pub(super) fn messages(&self) -> Result<u64, Trouble> {
        Ok(self.connection.query_row("SELECT count(*) FROM messages", [], |row| row.get::<_, i64>(0))? as u64)
    }

    pub(super) fn walked(&self) -> Result<Option<String>, Trouble> {
        Ok(self.connection.query_row("SELECT name FROM walk", [], |row| row.get(0)).optional()?)
    }

    pub(super) fn walk(&mut self, to: Option<&str>) -> Result<(), Trouble> {
        let transaction = self.connection.transaction()?;
        transaction.execute("DELETE FROM walk", [])?;
        if let Some(to) = to {
            transaction.execute("INSERT INTO walk (name) VALUES (?1)", (to,))?;
        }
        Ok(transaction.commit()?)
    }

    pub(super) fn apply(&mut self, conversation: ConversationId, seq: u64, changes: &[Change]) -> Result<(), Trouble> {
        let transaction = self.connection.transaction()?;
        let id = number(&transaction, "conversations", conversation.uuid())?;
        let (mut erased, mut newest) = (false, Timestamp::default());
        for change in changes {
            erased |= match change {
                Change::Put(text) => {
                    newest = newest.max(text.at);
                    put(&transaction, id, text)?
                }
                Change::Remove(seq) => row(id, *seq).map_or(Ok(false), |row| remove(&transaction, row))?,
            };
        }
        transaction.execute(
            "UPDATE conversations SET seq = ?2, newest = max(newest, ?3) WHERE id = ?1",
            (id, seq as i64, newest.millis() as i64),
        )?;
        transaction.commit()?;
        self.erased |= erased;
        Ok(())
    }

    /// Takes out what has expired.
    pub(super) fn expire(&mut self, now: Timestamp) -> Result<(), Trouble> {
        let transaction = self.connection.transaction()?;
        let rows: Vec<i64> = transaction
            .prepare_cached("SELECT id FROM messages WHERE expires IS NOT NULL AND expires <= ?1")?
            .query_map((now.millis() as i64,), |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        if rows.is_empty() {
            return Ok(());
        }
        for row in rows {
            remove(&transaction, row)?;
        }
        transaction.commit()?;
        self.erased = true;
        Ok(())
    }

    /// Moves the write-ahead log into the file and cuts it, if something was taken out or it is long; then what was taken
    /// out is in neither. Where a search reads from the log, the next call does it.
    pub(super) fn empty_log(&mut self) -> Result<(), Trouble> {
        let noted = self.checkpoint("NOOP")?.1;
        if !self.erased && noted * PAGE_BYTES < limits::SEARCH_WAL_BYTES {
            return Ok(());
        }
        self.scrub.note(noted)?;
        let (_, pages, copied) = self.checkpoint("PASSIVE")?;
        self.scrub.clean()?;
        // Where a part was not copied, all is noted again.
        self.scrub.noted_all();
        if copied < pages {
            return Ok(());
        }
        let (busy, ..) = self.checkpoint("TRUNCATE")?;
        self.erased &= busy;
        Ok(())
    }

    /// A checkpoint: whether somebody was in its way, the pages of the log, and those of them that are in the file.
    fn checkpoint(&self, mode: &str) -> Result<(bool, u64, u64), Trouble> {
        Ok(self.connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| {
            // Both are -1 where there is no log.
            let count = |column| row.get::<_, i64>(column).map(|pages| pages.max(0) as u64);
            Ok((row.get::<_, i64>(0)? != 0, count(1)?, count(2)?))
        })?)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // SQLite would do it without cleaning the pages.
        if let Err(error) = self.empty_log() {
            tracing::warn!(%error, "the search index was not tidied");
        }
    }
}

const PAGE_BYTES: u64 = crate::sqlite::scrub::PAGE as u64;

/// The small number of an identifier, given where it has none.
fn number(transaction: &Transaction<'_>, table: &str, uuid: Uuid) -> rusqlite::Result<i64> {
    let select = format!("SELECT id FROM {table} WHERE uuid = ?1");
    let known = transaction.prepare_cached(&select)?.query_row((uuid.as_bytes(),), |row| row.get(0)).optional()?;
    if let Some(id) = known {
        return Ok(id);
    }
    let insert = match table {
        "conversations" => "INSERT INTO conversations (uuid, seq, newest) VALUES (?1, 0, 0)",
        _ => "INSERT INTO senders (uuid) VALUES (?1)",
    };
    transaction.prepare_cached(insert)?.insert((uuid.as_bytes(),))
}

/// Puts a message in, in the place of what it said before; whether it said something.
fn put(transaction: &Transaction<'_>, conversation: i64, text: &Text) -> rusqlite::Result<bool> {
    let Some(row) = row(conversation, text.seq) else { return Ok(false) };
    let erased = remove(transaction, row)?;
    let words = words::indexed(&text.text);
    if words.is_empty() {
        return Ok(erased);
    }
    let sender = number(transaction, "senders", text.sender.uuid())?;
    let expires = text.expires_at.map(|at| at.millis() as i64);
    transaction
        .prepare_cached("INSERT INTO messages (id, sender, at, expires, text) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute((row, sender, text.at.millis() as i64, expires, &words))?;
    transaction
        .prepare_cached("INSERT INTO words (rowid, text) VALUES (?1, ?2)")?
        .execute((row, terms::indexed(conversation, sender, &words)))?;
    Ok(erased)
}

/// Takes a message out; whether it was there. FTS5 is told each term that it has of it.
fn remove(transaction: &Transaction<'_>, row: i64) -> rusqlite::Result<bool> {
    let mut select = transaction.prepare_cached("SELECT sender, text FROM messages WHERE id = ?1")?;
    let known = select.query_row((row,), |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))).optional()?;
    let Some((sender, words)) = known else { return Ok(false) };
    transaction
        .prepare_cached("INSERT INTO words (words, rowid, text) VALUES ('delete', ?1, ?2)")?
        .execute((row, terms::indexed(terms::conversation_of(row), sender, &words)))?;
    transaction.prepare_cached("DELETE FROM messages WHERE id = ?1")?.execute((row,))?;
    Ok(true)
}
