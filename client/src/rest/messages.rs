//! Messages, the log, receipts, and long polls.

use std::time::Duration;

use bytes::Bytes;
use hyper::Method;
use kith_protocol::{
    ClientFrame, ConversationId, Entry, Message, MessageId, Timestamp, UserId,
    frame::NewMessage,
    id::PollId,
    rest::{EditMessage, Frames, Log, Messages, Page, Poll, ReadReceipts, SearchItem},
};
use serde::Serialize;

use super::{
    Paging, Rest,
    path::{Query, escape},
    read,
};
use crate::{Error, limits};

/// The part of a log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Place {
    /// The newest.
    #[default]
    End,
    /// Messages before this seq.
    Before(u64),
    /// Messages after this seq.
    After(u64),
    /// This seq in the middle.
    Around(u64),
    /// This time in the middle.
    At(Timestamp),
}

impl Place {
    fn of(self, path: String, limit: Option<u32>) -> String {
        let query = Query::new(path);
        let query = match self {
            Place::End => query,
            Place::Before(seq) => query.with("before", Some(seq)),
            Place::After(seq) => query.with("after", Some(seq)),
            Place::Around(seq) => query.with("around", Some(seq)),
            Place::At(time) => query.with("at", Some(time)),
        };
        query.with("limit", limit).done()
    }
}

/// The words and filters of a search.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// Words that must all be there, `"phrases"`; the last word may be the beginning of one.
    pub words: String,
    /// Only in this conversation.
    pub conversation: Option<ConversationId>,
    /// Only by this user.
    pub from: Option<UserId>,
    /// Only before this time.
    pub before: Option<Timestamp>,
}

impl Rest {
    /// Messages that one may read, best first, with what was found in them: `GET /v1/search`. A page may have fewer than
    /// asked for, or none, and still a next one.
    pub async fn search(&self, search: &Search, paging: &Paging) -> Result<Page<SearchItem>, Error> {
        let query = Query::new("/v1/search").with("q", Some(&search.words)).with("conversation", search.conversation);
        self.get(&query.with("from", search.from).with("before", search.before).paging(paging)).await
    }

    /// Sends a message: `POST /v1/conversations/{id}/messages`. A second call with the same `client_id` answers as the first.
    pub async fn send_message(&self, id: ConversationId, message: &NewMessage) -> Result<Entry, Error> {
        self.send(Method::POST, &format!("/v1/conversations/{id}/messages"), message).await
    }

    /// Folded messages in ascending order: `GET /v1/conversations/{id}/messages`.
    pub async fn messages(&self, id: ConversationId, place: Place, limit: Option<u32>) -> Result<Messages, Error> {
        self.get(&place.of(format!("/v1/conversations/{id}/messages"), limit)).await
    }

    /// Raw entries in ascending order: `GET /v1/conversations/{id}/log`.
    pub async fn log(&self, id: ConversationId, place: Place, limit: Option<u32>) -> Result<Log, Error> {
        self.get(&place.of(format!("/v1/conversations/{id}/log"), limit)).await
    }

    /// One folded message: `GET /v1/messages/{id}`.
    pub async fn message(&self, id: MessageId) -> Result<Message, Error> {
        self.get(&format!("/v1/messages/{id}")).await
    }

    /// Gives a message of one's own another text: `PATCH /v1/messages/{id}`.
    pub async fn edit(&self, id: MessageId, edit: &EditMessage) -> Result<Message, Error> {
        self.send(Method::PATCH, &format!("/v1/messages/{id}"), edit).await
    }

    /// Deletes a message for everyone: `DELETE /v1/messages/{id}`.
    pub async fn delete(&self, id: MessageId) -> Result<(), Error> {
        self.order(Method::DELETE, &format!("/v1/messages/{id}")).await
    }

    /// Puts an emoji to a message: `PUT /v1/messages/{id}/reactions/{emoji}`.
    pub async fn react(&self, id: MessageId, emoji: &str) -> Result<(), Error> {
        self.order(Method::PUT, &format!("/v1/messages/{id}/reactions/{}", escape(emoji))).await
    }

    /// Takes it back: `DELETE /v1/messages/{id}/reactions/{emoji}`.
    pub async fn unreact(&self, id: MessageId, emoji: &str) -> Result<(), Error> {
        self.order(Method::DELETE, &format!("/v1/messages/{id}/reactions/{}", escape(emoji))).await
    }

    /// Everything up to and including this is read: `POST /v1/messages/{id}/read_receipts`.
    pub async fn read(&self, id: MessageId) -> Result<(), Error> {
        self.order(Method::POST, &format!("/v1/messages/{id}/read_receipts")).await
    }

    /// Counts who got and read a message, and, but of a channel, tells who and when: `GET /v1/messages/{id}/read_receipts`.
    pub async fn read_receipts(&self, id: MessageId, paging: &Paging) -> Result<ReadReceipts, Error> {
        self.get(&Query::new(format!("/v1/messages/{id}/read_receipts")).paging(paging)).await
    }

    /// Opens a long poll: `POST /v1/polls`.
    pub async fn open_poll(&self) -> Result<Poll, Error> {
        self.send(Method::POST, "/v1/polls", &serde_json::Map::new()).await
    }

    /// The frames after number `after`, which acknowledges those up to it: `GET /v1/polls/{poll}`. Waits up to `wait_s` for one.
    pub async fn poll(&self, poll: PollId, after: u64, wait_s: u64) -> Result<Frames, Error> {
        let path = Query::new(format!("/v1/polls/{poll}")).with("after", Some(after)).with("wait_s", Some(wait_s));
        let patience = Duration::from_secs(limits::REQUEST_S.saturating_add(wait_s));
        read(self.exchange(Method::GET, &path.done(), &[], Bytes::new(), patience).await?)
    }

    /// Says frames as on a socket; their answers come in the poll: `POST /v1/polls/{poll}/commands`.
    pub async fn poll_commands(&self, poll: PollId, frames: &[ClientFrame]) -> Result<(), Error> {
        #[derive(Serialize)]
        struct Commands<'a> {
            items: &'a [ClientFrame],
        }
        let commands = Commands { items: frames };
        self.tell(Method::POST, &format!("/v1/polls/{poll}/commands"), &commands).await
    }

    /// Ends a long poll: `DELETE /v1/polls/{poll}`.
    pub async fn close_poll(&self, poll: PollId) -> Result<(), Error> {
        self.order(Method::DELETE, &format!("/v1/polls/{poll}")).await
    }
}
