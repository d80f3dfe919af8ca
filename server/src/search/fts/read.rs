//! The reader of the index.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    ops::Bound,
    time::{Duration, Instant},
};

use kith_protocol::{ConversationId, Timestamp, UserId};
use rusqlite::{Connection, OptionalExtension as _};

use super::{Trouble, terms};
use crate::{limits, search::query::Query};

/// A question to the index.
#[derive(Debug, Clone)]
pub struct Question {
    /// The words to find.
    pub query: Query,
    /// The conversations to look into, each from a seq on.
    pub readable: HashMap<ConversationId, u64>,
    /// By whom; by anybody where absent.
    pub from: Option<UserId>,
    /// The place up to which to look: the end of the last answer.
    pub up_to: Bound<Place>,
    /// Only those before this time.
    pub before: Option<Timestamp>,
}

/// The place of a message among all that are found: the newest is the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The time of its entry; within a conversation never before that of the message in front of it.
    pub at: Timestamp,
    /// Its conversation.
    pub conversation: ConversationId,
    /// Its place there.
    pub seq: u64,
}

/// A message that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// The place of the message.
    pub place: Place,
    /// The rank of the answer ([`Query::rank`]).
    pub rank: u8,
}

/// Messages that were found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Newest first, [`limits::SEARCH_CANDIDATES`] at most.
    pub candidates: Vec<Candidate>,
    /// True where there may be older ones.
    pub more: bool,
    /// The work of the search.
    pub work: Work,
}

/// The work of a search. It depends on the caller's conversations and on what is said in them, and on nothing else.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Work {
    /// Conversations of which FTS5 was asked.
    pub conversations: u64,
    /// Rows that it answered with.
    pub rows: u64,
}

/// A conversation to look into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ahead {
    id: ConversationId,
    number: i64,
    /// The first seq to look at.
    since: u64,
    /// The seq up to which it is indexed.
    indexed: u64,
    /// The time of its newest message.
    newest: Timestamp,
}

/// A search that looks into one conversation after the other, in as many turns as it needs. It keeps the newest matches.
pub(super) struct Look {
    question: Question,
    /// The conversations that are left, the one with the newest message last; unknown before the first turn.
    ahead: Option<Vec<Ahead>>,
    /// The places found, with their rows.
    newest: BinaryHeap<Reverse<(Place, i64)>>,
    found: Found,
}

impl Look {
    pub(super) fn new(question: Question) -> Self {
        let found = Found { candidates: Vec::new(), more: false, work: Work::default() };
        Self { question, ahead: None, newest: BinaryHeap::new(), found }
    }

    /// Looks on for one turn; the answer, once there is nothing left. A step within FTS5 cannot be interrupted, so the time
    /// is looked at between any two conversations.
    pub(super) fn go_on(&mut self, connection: &Connection) -> Result<Option<Found>, Trouble> {
        let until = Instant::now() + Duration::from_millis(limits::SEARCH_LOOK_MS);
        // One reading for all of the turn.
        let reading = connection.unchecked_transaction()?;
        let mut ahead = match self.ahead.take() {
            Some(ahead) => ahead,
            None => self.conversations(&reading)?,
        };
        let by = self.question.from.map(|from| number_of(&reading, from)).transpose()?;
        while let Some(next) = ahead.pop() {
            if self.oldest().is_some_and(|(oldest, _)| next.newest < oldest.at) {
                self.found.more = true;
                break;
            }
            self.look_into(&reading, next, by)?;
            if Instant::now() >= until && !ahead.is_empty() {
                self.ahead = Some(ahead);
                return Ok(None);
            }
        }
        self.rank(&reading).map(Some)
    }

    /// The caller's conversations that the index knows.
    fn conversations(&self, connection: &Connection) -> Result<Vec<Ahead>, Trouble> {
        let mut select = connection.prepare_cached("SELECT id, seq, newest FROM conversations WHERE uuid = ?1")?;
        let mut ahead = Vec::with_capacity(self.question.readable.len());
        for (id, since) in &self.question.readable {
            let known = select.query_row((id.bytes(),), |row| {
                let (number, indexed, newest): (_, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
                let newest = Timestamp::from_millis(newest as u64);
                Ok(Ahead { id: *id, number, since: *since, indexed: indexed as u64, newest })
            });
            ahead.extend(known.optional()?);
        }
        ahead.sort_unstable_by_key(|ahead| (ahead.newest, ahead.id));
        Ok(ahead)
    }

    /// The oldest of the matches that are kept, if there is no room for more.
    fn oldest(&self) -> Option<(Place, i64)> {
        self.newest.peek().filter(|_| self.newest.len() == limits::SEARCH_CANDIDATES).map(|Reverse(oldest)| *oldest)
    }

    /// Takes the matches of one conversation, from its newest on, as long as they are among the newest of all.
    fn look_into(&mut self, connection: &Connection, ahead: Ahead, by: Option<i64>) -> Result<(), Trouble> {
        let last = self.last_seq(connection, ahead)?;
        let Some((first, last)) = terms::row(ahead.number, ahead.since).zip(terms::row(ahead.number, last)) else {
            return Ok(());
        };
        if first > last {
            return Ok(());
        }
        let mut matching = self.question.query.fts5(&terms::beginning(ahead.number));
        if let Some(by) = by {
            matching.push_str(&format!(" AND \"{}\"", terms::sender(ahead.number, by)));
        }
        let mut select = connection.prepare_cached(
            "SELECT words.rowid, messages.at FROM words CROSS JOIN messages ON messages.id = words.rowid
             WHERE words MATCH ?1 AND words.rowid BETWEEN ?2 AND ?3 ORDER BY words.rowid DESC",
        )?;
        let mut rows = select.query((matching, first, last))?;
        self.found.work.conversations += 1;
        while let Some(row) = rows.next()? {
            self.found.work.rows += 1;
            let (row, at): (i64, i64) = (row.get(0)?, row.get(1)?);
            let (at, seq) = (Timestamp::from_millis(at as u64), terms::seq_of(row));
            let place = Place { at, conversation: ahead.id, seq };
            if let Some((oldest, _)) = self.oldest() {
                self.found.more = true;
                if place < oldest {
                    break;
                }
                self.newest.pop();
            }
            self.newest.push(Reverse((place, row)));
        }
        Ok(())
    }

    /// Returns the seq up to which messages of a conversation are asked for.
    fn last_seq(&self, connection: &Connection, ahead: Ahead) -> Result<u64, Trouble> {
        let (up_to, from) = match self.question.up_to {
            Bound::Unbounded => return self.last_before(connection, ahead, self.question.before),
            Bound::Included(place) => (place, place.seq + 1),
            Bound::Excluded(place) => (place, place.seq),
        };
        // Of those of the same time, the ones in lower conversations are lower.
        let later = up_to.at.millis() + u64::from(ahead.id <= up_to.conversation);
        let before = self.question.before.map_or(later, |before| before.millis().min(later));
        let last = self.last_before(connection, ahead, Some(Timestamp::from_millis(before)))?;
        Ok(if ahead.id == up_to.conversation { last.min(from.saturating_sub(1)) } else { last })
    }

    /// The seq behind which no message of a conversation is from before a time.
    fn last_before(&self, connection: &Connection, ahead: Ahead, time: Option<Timestamp>) -> Result<u64, Trouble> {
        let Some(time) = time.filter(|time| ahead.newest >= *time) else { return Ok(terms::last_seq()) };
        let mut select = connection
            .prepare_cached("SELECT id, at FROM messages WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT 1")?;
        // Up to `low` all are from before; above `high` none is.
        let (mut low, mut high) = (0, ahead.indexed.min(terms::last_seq()));
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            let between = (terms::row(ahead.number, low + 1), terms::row(ahead.number, middle));
            let found = select.query_row(between, |row| Ok((row.get(0)?, row.get::<_, i64>(1)?))).optional()?;
            match found {
                Some((row, at)) if at as u64 >= time.millis() => high = terms::seq_of(row) - 1,
                _ => low = middle,
            }
        }
        Ok(low)
    }

    /// The answer, with how well each match answers.
    fn rank(&mut self, connection: &Connection) -> Result<Found, Trouble> {
        let mut select = connection.prepare_cached("SELECT text FROM messages WHERE id = ?1")?;
        for Reverse((place, row)) in std::mem::take(&mut self.newest).into_sorted_vec() {
            let words: Option<String> = select.query_row((row,), |row| row.get(0)).optional()?;
            let rank = words.map_or(0, |words| self.question.query.rank(&words));
            self.found.candidates.push(Candidate { place, rank });
        }
        Ok(std::mem::replace(&mut self.found, Found { candidates: Vec::new(), more: false, work: Work::default() }))
    }
}

/// The small number of a sender; 0, which nobody has, for who wrote nothing: an answer that came sooner would tell that.
fn number_of(connection: &Connection, user: UserId) -> rusqlite::Result<i64> {
    let mut select = connection.prepare_cached("SELECT id FROM senders WHERE uuid = ?1")?;
    Ok(select.query_row((user.bytes(),), |row| row.get(0)).optional()?.unwrap_or(0))
}
