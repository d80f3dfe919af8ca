//! Search: messages by their words.
//!
//! ```text
//!   conversation ─▶ store ◀── feed ─▶ fts (search.db)
//!                                      ▲
//!   http ─▶ Search::find ──────────────┘ candidates, each asked for again as the member who asks sees it now
//! ```
//! `feed` reads the logs in the background and keeps the index up to date; a message never waits for it. The index is
//! derived and may be lost. It only proposes: what a caller is shown is read from the conversation, with its last edit, and
//! only if it still has the words. `words` says what a word is, `query` what a person may type, and `cursor` where a page ends.

mod cursor;
mod feed;
pub mod fts;
mod query;
mod words;

use std::{cmp::Reverse, collections::HashMap, ops::Bound, sync::Arc};

use kith_protocol::{
    Body, Code, ConversationId, Message, MessageId, Timestamp, UserId,
    limits::PAGE_BYTES,
    rest::{Highlight, Page, SearchItem},
};
use parking_lot::Mutex;
use tokio::sync::{Notify, OnceCell, oneshot};

use self::{
    cursor::Cursor,
    fts::{Candidate, Found, Index, Question, Trouble},
    query::Query,
};
use crate::{
    Error, clock,
    conversation::{Conversations, Postponed},
    page_bytes::{PageBytes, json_bytes},
    store::{Store, StoreExt as _, schema::server},
};

/// The request of a user.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// The words.
    pub text: String,
    /// The conversation to search in; all of the user's where absent.
    pub conversation: Option<ConversationId>,
    /// By whom.
    pub from: Option<UserId>,
    /// Before when.
    pub before: Option<Timestamp>,
    /// The cursor of the page before.
    pub cursor: Option<String>,
    /// Messages at most.
    pub limit: usize,
}

/// A waiter for the index to be made anew, who is told how many messages it holds.
type Reindexed = oneshot::Sender<Result<u64, Error>>;

/// The search of a node.
pub struct Search {
    store: Arc<dyn Store>,
    conversations: Conversations,
    index: Arc<Index>,
    /// The waiters for the index to be made anew.
    wanted: Mutex<Vec<Reindexed>>,
    called: Notify,
    /// Conversations that met damage when they were indexed.
    postponed: Mutex<Postponed>,
    /// The key that seals cursors, once it was needed.
    key: OnceCell<[u8; 32]>,
}

impl Search {
    /// Searches what `store` keeps by means of `index`.
    pub fn new(store: Arc<dyn Store>, conversations: Conversations, index: Arc<Index>) -> Self {
        describe_metrics();
        let (wanted, called) = (Mutex::default(), Notify::new());
        let (postponed, key) = (Mutex::default(), OnceCell::new());
        Self { store, conversations, index, wanted, called, postponed, key }
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
        let query = Arc::new(query);
        let key = self.key.get_or_try_init(|| self.store.kept_key(server::search_key(), clock::random)).await?;
        let cursor = asked.cursor.as_deref().map(|sealed| Cursor::open(sealed, key, user, asked)).transpose()?;
        let (up_to, skip) = cursor.map_or((Bound::Unbounded, 0), |cursor| (cursor.up_to, cursor.skip));
        let turn = self.index.turn(user).await?;
        let readable = match asked.conversation {
            Some(id) => HashMap::from([(id, self.conversations.readable_from(user, id).await?)]),
            None => self.conversations.readable(user).await?,
        };
        let question = Question { query: (*query).clone(), readable, from: asked.from, up_to, before: asked.before };
        // The turn lasts until the page is made: nobody has more pages made at once than there are turns.
        let (found, _turn) = self.index.find(turn, question).await?;
        count(&found);
        let (newest, oldest) = (found.candidates.first().copied(), found.candidates.last().copied());
        let mut ranked = found.candidates;
        ranked.sort_by_key(|candidate| Reverse((candidate.rank, candidate.place)));
        let mut looked = skip;
        let (mut items, mut page) = (Vec::new(), PageBytes::new(PAGE_BYTES));
        for Candidate { place, .. } in ranked.iter().skip(skip) {
            if items.len() == asked.limit {
                break;
            }
            let id = MessageId { conversation: place.conversation, seq: place.seq };
            let shown = match self.conversations.shown(user, id).await? {
                Some(message) => item(query.clone(), message).await?,
                None => None,
            };
            if shown.as_ref().is_some_and(|(_, bytes)| !page.takes(*bytes)) {
                break;
            }
            looked += 1;
            items.extend(shown.map(|(item, _)| item));
        }
        let next = match (newest, oldest) {
            // The next page must have the same in the same places, whatever is said meanwhile.
            (Some(newest), _) if looked < ranked.len() => {
                let up_to = if cursor.is_some() { up_to } else { Bound::Included(newest.place) };
                Some(Cursor { up_to, skip: looked })
            }
            (_, Some(oldest)) if found.more => Some(Cursor { up_to: Bound::Excluded(oldest.place), skip: 0 }),
            _ => None,
        };
        Ok(Page { items, next_cursor: next.map(|next| next.seal(key, user, asked)) })
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

/// A message that still has the words, with their places, and the bytes of its JSON form. A long text takes a while: that is
/// done on a thread that may block, since messages wait for the others.
async fn item(query: Arc<Query>, message: Message) -> Result<Option<(SearchItem, usize)>, Error> {
    let made = tokio::task::spawn_blocking(move || {
        let item = highlighted(&query, message)?;
        let bytes = json_bytes(&item);
        Some((item, bytes))
    });
    made.await.map_err(|_| Error::new(Code::Internal))
}

/// A message that still has the words, with their places.
fn highlighted(query: &Query, message: Message) -> Option<SearchItem> {
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

fn describe_metrics() {
    use metrics::Unit;
    feed::describe_metrics();
    let conversations = "Conversations in which searches looked.";
    metrics::describe_counter!("kith_search_conversations_total", Unit::Count, conversations);
    let rows = "Messages with the words that searches looked at, to find the newest.";
    metrics::describe_counter!("kith_search_rows_total", Unit::Count, rows);
}

/// Counts what a search took.
fn count(found: &Found) {
    metrics::counter!("kith_search_conversations_total").increment(found.work.conversations);
    metrics::counter!("kith_search_rows_total").increment(found.work.rows);
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
