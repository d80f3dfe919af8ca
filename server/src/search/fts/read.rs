//! What asks the index.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use kith_protocol::{ConversationId, Timestamp, UserId, Uuid};
use rusqlite::{Connection, OptionalExtension as _};

use super::{Trouble, write::ROWS_IN_MS};
use crate::limits;

/// What to find.
#[derive(Debug, Clone)]
pub struct Question {
    /// In the language of FTS5.
    pub matching: String,
    /// In which conversations, from which seq on.
    pub readable: HashMap<ConversationId, u64>,
    /// By whom; by anybody where absent.
    pub from: Option<UserId>,
    /// Only those below this row, where the last question ended.
    pub below: Option<i64>,
    /// Only those before this time.
    pub before: Option<Timestamp>,
}

/// A message that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its row: the later, the higher.
    pub row: i64,
    /// Its conversation.
    pub conversation: ConversationId,
    /// Its place there.
    pub seq: u64,
    /// Its words, as they are indexed.
    pub words: String,
}

/// Messages that were found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Newest first, [`limits::SEARCH_CANDIDATES`] at most.
    pub candidates: Vec<Candidate>,
    /// Where to go on, if not all was looked at: below this row.
    pub rest: Option<i64>,
}

/// Looks from the newest match on, until there are enough or the time is over. A step within FTS5 cannot be interrupted,
/// so the time is looked at between any two.
pub(super) fn find(connection: &Connection, question: &Question) -> Result<Found, Trouble> {
    let until = Instant::now() + Duration::from_millis(limits::SEARCH_LOOK_MS);
    let mut found = Found { candidates: Vec::new(), rest: None };
    let sender = match question.from {
        None => None,
        Some(from) => match sender(connection, from)? {
            // Who wrote nothing has no number.
            None => return Ok(found),
            known => known,
        },
    };
    let before = question.before.map_or(i64::MAX, |before| before.millis() as i64 * ROWS_IN_MS);
    let below = question.below.unwrap_or(i64::MAX).min(before);
    let mut select = connection.prepare_cached(
        "SELECT words.rowid, messages.conversation, messages.seq, messages.sender
         FROM words CROSS JOIN messages ON messages.id = words.rowid
         WHERE words MATCH ?1 AND words.rowid < ?2 ORDER BY words.rowid DESC",
    )?;
    let mut text = connection.prepare_cached("SELECT text FROM words WHERE rowid = ?1")?;
    let mut conversations = HashMap::new();
    let mut rows = select.query((&question.matching, below))?;
    while let Some(row) = rows.next()? {
        let (id, number, seq, by): (i64, i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        let conversation = match conversations.get(&number) {
            Some(known) => *known,
            None => *conversations.entry(number).or_insert(conversation(connection, number)?),
        };
        let since = question.readable.get(&conversation);
        if since.is_some_and(|since| seq as u64 >= *since) && sender.is_none_or(|sender| sender == by) {
            let words = text.query_row((id,), |row| row.get(0))?;
            found.candidates.push(Candidate { row: id, conversation, seq: seq as u64, words });
        }
        if found.candidates.len() == limits::SEARCH_CANDIDATES || Instant::now() >= until {
            found.rest = Some(id);
            break;
        }
    }
    Ok(found)
}

fn sender(connection: &Connection, user: UserId) -> rusqlite::Result<Option<i64>> {
    let mut select = connection.prepare_cached("SELECT id FROM senders WHERE uuid = ?1")?;
    select.query_row((user.bytes(),), |row| row.get(0)).optional()
}

fn conversation(connection: &Connection, number: i64) -> rusqlite::Result<ConversationId> {
    let mut select = connection.prepare_cached("SELECT uuid FROM conversations WHERE id = ?1")?;
    select
        .query_row((number,), |row| row.get::<_, [u8; 16]>(0))
        .map(|bytes| ConversationId::new(Uuid::from_bytes(bytes)))
}
