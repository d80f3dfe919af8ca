//! Search: messages by their words.
//!
//! ```text
//!   conversation ─▶ store ◀── feed ─▶ fts (search.db)
//!                                      ▲
//!   http ─▶ Search::find ──────────────┘ candidates, each asked for again as the member who asks sees it now
//! ```
//! `feed` reads the logs in the background and keeps the index up to date; a message never waits for it. The index is
//! derived and may be lost. It only proposes: what a caller is shown is read from the conversation, with its last edit, and
//! only if it still has the words. `words` says what a word is, `query` what a person may type.

mod feed;
pub mod fts;
mod query;
mod words;

use std::{cmp::Reverse, collections::HashMap, sync::Arc};

use kith_protocol::{
    Body, Code, ConversationId, Message, MessageId, Timestamp, UserId,
    rest::{Highlight, Page, SearchItem},
};
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};

use self::{
    fts::{Candidate, Index, Question, Trouble},
    query::Query,
};
use crate::{Error, conversation::Conversations, store::Store};

/// What a user asks for.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// The words.
    pub text: String,
    /// In which conversation; in all of the user's where absent.
    pub conversation: Option<ConversationId>,
    /// By whom.
    pub from: Option<UserId>,
    /// Before when.
    pub before: Option<Timestamp>,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// So many messages at most.
    pub limit: usize,
}

/// Who waits for the index to be made anew: told how many messages it holds.
type Reindexed = oneshot::Sender<Result<u64, Error>>;

/// The search of a node.
pub struct Search {
    store: Arc<dyn Store>,
    conversations: Conversations,
    index: Arc<Index>,
    /// Those who want it to be made anew.
    wanted: Mutex<Vec<Reindexed>>,
    called: Notify,
}

impl Search {
    /// Searches what `store` keeps by means of `index`.
    pub fn new(store: Arc<dyn Store>, conversations: Conversations, index: Arc<Index>) -> Self {
        feed::describe_metrics();
        Self { store, conversations, index, wanted: Mutex::default(), called: Notify::new() }
    }

    /// The messages that have the words and that the user may read, best first.
    ///
    /// Of the newest [`crate::limits::SEARCH_CANDIDATES`], those come first that have whole words, then those where they follow
    /// one another, then the newer ones; the same of the next newest, and so on. A page may have fewer messages than asked
    /// for, or none, and still a next one.
    ///
    /// # Errors
    /// The field that is not valid; `not_found` for a conversation that is not the user's; `unavailable` where the index is
    /// damaged; `overloaded`.
    pub async fn find(&self, user: UserId, asked: &Asked) -> Result<Page<SearchItem>, Error> {
        let query = Query::read(&asked.text).map_err(|bad| Error::field("?q", bad.to_string()))?;
        let cursor = asked.cursor.as_deref().map(Cursor::read).transpose()?.unwrap_or_default();
        let readable = match asked.conversation {
            Some(id) => HashMap::from([(id, self.conversations.readable_from(user, id).await?)]),
            None => self.conversations.readable(user).await?,
        };
        let question =
            Question { matching: query.fts5(), readable, from: asked.from, below: cursor.below, before: asked.before };
        let found = self.index.find(question).await?;
        // The next page must have the same in the same places, whatever is said meanwhile.
        let below = cursor.below.or(found.candidates.first().map(|newest| newest.row + 1));
        let mut ranked: Vec<(u8, Candidate)> =
            found.candidates.into_iter().map(|candidate| (query.rank(&candidate.words), candidate)).collect();
        ranked.sort_by_key(|(rank, candidate)| Reverse((*rank, candidate.row)));
        let mut looked = cursor.skip;
        let mut items = Vec::new();
        for (_, Candidate { conversation, seq, .. }) in ranked.iter().skip(cursor.skip) {
            if items.len() == asked.limit {
                break;
            }
            looked += 1;
            let shown = self.conversations.shown(user, MessageId { conversation: *conversation, seq: *seq }).await?;
            items.extend(shown.and_then(|message| item(&query, message)));
        }
        let next = match found.rest {
            _ if looked < ranked.len() => Some(Cursor { below, skip: looked }),
            Some(rest) => Some(Cursor { below: Some(rest), skip: 0 }),
            None => None,
        };
        Ok(Page { items, next_cursor: next.map(Cursor::write) })
    }

    /// Has the index made anew from the logs, and waits until it is: how many messages it holds. [`Search::run`] does it.
    ///
    /// # Errors
    /// When the index cannot be written, or the store does not answer.
    pub async fn reindex(&self) -> Result<u64, Error> {
        let (done, waits) = oneshot::channel();
        self.wanted.lock().push(done);
        self.called.notify_one();
        waits.await.unwrap_or_else(|_| Err(Error::new(Code::Internal)))
    }
}

/// A message that still has the words, with their places.
fn item(query: &Query, message: Message) -> Option<SearchItem> {
    let Body::Message(text) = &message.entry.body else { return None };
    let places = query.places(&text.text);
    let (mut units, mut at) = (0, 0);
    let mut utf16 = |to: usize| {
        units += text.text[at..to].encode_utf16().count() as u32;
        at = to;
        units
    };
    let highlights: Vec<_> =
        places.into_iter().map(|place| Highlight { start: utf16(place.start), end: utf16(place.end) }).collect();
    (!highlights.is_empty()).then_some(SearchItem { message, highlights })
}

/// Where a page ends: so many of the messages below a row, or above all, have been looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Cursor {
    below: Option<i64>,
    skip: usize,
}

impl Cursor {
    fn write(self) -> String {
        format!("{}.{}", self.below.unwrap_or(i64::MAX), self.skip)
    }

    fn read(text: &str) -> Result<Self, Error> {
        let parts = text.split_once('.').and_then(|(below, skip)| Some((below.parse().ok()?, skip.parse().ok()?)));
        let (below, skip) = parts.ok_or(Error::field("?cursor", "not a cursor of this list"))?;
        Ok(Self { below: Some(below), skip })
    }
}

impl From<Trouble> for Error {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Damaged(_) | Trouble::Unavailable(_) => {
                tracing::warn!(%trouble, "a search was not answered");
                Self::new(Code::Unavailable).because("Search is not available at the moment.")
            }
            Trouble::Overloaded => Self::new(Code::Overloaded).after(std::time::Duration::from_secs(1)),
        }
    }
}
