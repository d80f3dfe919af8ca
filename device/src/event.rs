//! The inputs and outputs of a device that are no frames.

use std::time::Duration;

use kith_protocol::{
    Code, ConversationId, DeviceId, Entry, InstanceId, MessageId, UserId, Uuid,
    frame::{ConversationFrame, NewMessage, Presence, Receipt, Sent, Sheddable, Typing, Watch},
    rest::HeadItem,
};

use crate::Closed;
#[cfg(doc)]
use crate::{Timeline, limits};

/// A command of the person, or of the program for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Sends a message. The driver keeps the unsent ones to [`limits::OUTBOX_MESSAGES`].
    Send(ConversationId, NewMessage),
    /// Everything up to this seq was read.
    Read(ConversationId, u64),
    /// The person is writing.
    Typing(ConversationId),
    /// The person did something: the next heartbeat says so.
    Active,
    /// Watches these too, also after a reconnect.
    Watch(Watch),
    /// Watches these no longer.
    Unwatch(Watch),
}

/// The end of a connection, or of an attempt to make one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// No socket was opened.
    Unreached {
        /// The reason, for a person.
        reason: String,
        /// The wait that the server asked for, where it answered.
        retry_after: Option<Duration>,
    },
    /// The socket was closed, or broke.
    Closed(Closed),
    /// The driver closed the socket as [`Due::Drained`] said.
    Drained,
}

/// The step that follows the end of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Nothing: the token is of no use any longer.
    Stop,
    /// Another attempt to connect.
    Connect {
        /// The wait before it.
        after: Duration,
        /// The url to try first, where the server named one; the configured one is next.
        url: Option<String>,
    },
}

/// A reason to close the socket from this side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// The server says nothing any longer: the connection counts as closed like this.
    Silent(Closed),
    /// The server asked to go, and it is time: close with 4101, which does not mean that the person has gone.
    Drained,
}

/// An event that the program is told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The server took the hello.
    Connected {
        /// The user.
        user: UserId,
        /// On what.
        device: DeviceId,
        /// The node that answers.
        node: String,
        /// The instance whose seqs these are, to be kept beside [`Timeline::have`]; an older server does not say it.
        instance: Option<InstanceId>,
    },
    /// The server's data is another instance than what this device had, as after the restore of a backup: the timeline is
    /// empty, and everything comes again as the log has it. Before [`Event::Connected`]. What is unsent is sent as ever, but
    /// without the seqs that it answers.
    Restored,
    /// Nothing that the server spoke of since the connection began is missing any longer, but for what [`Event::Behind`]
    /// names. Once for each connection.
    CaughtUp,
    /// The entries behind a seq could not be had: they were asked for [`limits::SYNC_TRIES`] times, or are damaged on the
    /// server, and are not asked for any more until something else brings the conversation on.
    Behind {
        /// The conversation.
        conversation: ConversationId,
        /// The last seq that is there.
        after: u64,
    },
    /// There is no connection.
    Disconnected {
        /// The code of the close frame; 1006 where there was none; nothing where the server was not reached at all.
        code: Option<u16>,
        /// The reason, for a person.
        reason: String,
        /// The time after which the next attempt is made.
        retry_in: Duration,
    },
    /// The standing of a conversation, after each hello; or that it is damaged on the server.
    Head(HeadItem),
    /// An entry, one's own too. Of each conversation they come in order, each once, without a gap but for what was
    /// never for this user.
    Entry(Entry),
    /// A message of this device is durable. Its entry comes as [`Event::Entry`] besides, before or after.
    Sent(Sent),
    /// A message of this device cannot be sent.
    Failed {
        /// The name of the message.
        client_id: Uuid,
        /// The conversation.
        conversation: ConversationId,
        /// The error code.
        code: Code,
        /// The reason, for a person.
        reason: String,
    },
    /// Somebody's pointers moved.
    Receipt(Receipt),
    /// Somebody who is watched came or went.
    Presence(Presence),
    /// Somebody is writing.
    Typing(Typing),
    /// The list of conversations changed.
    ConversationChanged(ConversationFrame),
    /// The number of requests of strangers that wait for an answer, since it changed.
    Requests(u32),
    /// A message has expired: its content is gone from the timeline.
    Expired(MessageId),
    /// The server has nothing above this seq, without being another instance: what this device had above is not so any longer.
    Rewound {
        /// The conversation.
        conversation: ConversationId,
        /// The last seq that stands.
        head: u64,
    },
    /// The kinds of frames that the server drops at the moment.
    Degraded(Vec<Sheddable>),
    /// The token is of no use any longer, and nothing more will come.
    Stopped {
        /// 4004 or 4100.
        code: u16,
    },
}
