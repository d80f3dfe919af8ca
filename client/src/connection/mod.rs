//! A device that stays connected: it reconnects, resumes, repairs gaps, sends again what was not answered, and tells what
//! reached it.
//!
//! One task does all of it. [`Client`] hands it commands, a channel of [`Event`]s tells what happened. What to say when is
//! decided in `state`, which does no I/O; `task` owns the socket.

mod outbox;
mod pointers;
mod pulls;
mod state;
mod task;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use kith_protocol::{
    Code, ConversationId, DeviceId, Entry, InstanceId, MessageId, UserId, Uuid,
    frame::{ConversationFrame, NewMessage, Presence, Receipt, Sent, Sheddable, Typing, Watch},
    rest::HeadItem,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::{Server, Timeline, clock, limits};

/// What a device needs to stay connected.
#[derive(Clone)]
pub struct Config {
    /// Where to.
    pub server: Server,
    /// The device's token.
    pub token: String,
    /// The program's name and version, for the operator's statistics.
    pub program: Option<String>,
    /// What the device has from before, as [`Timeline::have`] gave it.
    pub have: Vec<(ConversationId, u64)>,
    /// The instance that this is of, as [`Event::Connected`] named it. What is of no known instance counts for nothing at a
    /// server that names one.
    pub instance: Option<InstanceId>,
    /// Entries of each conversation that are kept in memory.
    pub keep: usize,
    /// Entries that are asked for of a conversation of which the device has nothing; the whole log unless said otherwise.
    pub backlog: u64,
    /// Of how long the first reconnect waits a random part, and what this doubles up to.
    pub reconnect: (Duration, Duration),
}

impl Config {
    /// A device that has nothing yet and wants all.
    pub fn new(server: Server, token: impl Into<String>) -> Self {
        Self {
            server,
            token: token.into(),
            program: None,
            have: Vec::new(),
            instance: None,
            keep: limits::ENTRIES_KEPT,
            backlog: u64::MAX,
            reconnect: (
                Duration::from_millis(limits::RECONNECT_FIRST_MS),
                Duration::from_millis(limits::RECONNECT_MAX_MS),
            ),
        }
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The server took the hello.
    Connected {
        /// Who this is.
        user: UserId,
        /// On what.
        device: DeviceId,
        /// The node that answers.
        node: String,
        /// Whose seqs these are, to be kept beside [`Timeline::have`]; an older server does not say it.
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
        /// Of which conversation.
        conversation: ConversationId,
        /// The last seq that is there.
        after: u64,
    },
    /// There is no connection.
    Disconnected {
        /// The code of the close frame; 1006 where there was none; nothing where the server was not reached at all.
        code: Option<u16>,
        /// What happened, for a person.
        reason: String,
        /// When the next attempt is made.
        retry_in: Duration,
    },
    /// Where a conversation stands, after each hello; or that it is damaged on the server.
    Head(HeadItem),
    /// An entry, one's own too. Of each conversation they come in order, each once, without a gap but for what was
    /// never for this user.
    Entry(Entry),
    /// A message of this device is durable. Its entry comes as [`Event::Entry`] besides, before or after.
    Sent(Sent),
    /// A message of this device cannot be sent.
    Failed {
        /// Which.
        client_id: Uuid,
        /// Where to.
        conversation: ConversationId,
        /// Why.
        code: Code,
        /// Why, for a person.
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
    /// So many requests of strangers wait for an answer, since their number changed.
    Requests(u32),
    /// A message has expired: its content is gone from the timeline.
    Expired(MessageId),
    /// The server has nothing above this seq, without being another instance: what this device had above is not so any longer.
    Rewound {
        /// Of which conversation.
        conversation: ConversationId,
        /// The last seq that stands.
        head: u64,
    },
    /// What the server drops at the moment.
    Degraded(Vec<Sheddable>),
    /// The token is of no use any longer, and nothing more will come.
    Stopped {
        /// 4004 or 4100.
        code: u16,
    },
}

/// Why a command was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Too much is waiting; try again when something of it is done.
    #[error("too much is waiting to be sent")]
    Full,
    /// The connection was stopped.
    #[error("the connection was stopped")]
    Stopped,
}

enum Command {
    Send(ConversationId, NewMessage, OwnedSemaphorePermit),
    Read(ConversationId, u64),
    Typing(ConversationId),
    Active,
    Watch(Watch),
    Unwatch(Watch),
    Look(Box<dyn FnOnce(&Timeline) + Send>),
    Close(oneshot::Sender<()>),
}

/// The handle of a connection. Cheap to clone. The connection ends when the last handle, or the receiver of its events,
/// is dropped.
#[derive(Clone)]
pub struct Client {
    commands: mpsc::Sender<Command>,
    room: Arc<Semaphore>,
}

/// A message as a person writes it, under a new `client_id`.
pub fn message(text: impl Into<String>) -> NewMessage {
    NewMessage {
        client_id: clock::uuid(),
        text: text.into(),
        mentions: Vec::new(),
        reply_to: None,
        attachments: Vec::new(),
    }
}

impl Client {
    /// Begins to connect, in a task of the current runtime. The events must be received: where they are not, the socket
    /// is not read on, and the server closes it at some time.
    pub fn connect(config: Config) -> (Self, mpsc::Receiver<Event>) {
        let (commands, orders) = mpsc::channel(limits::COMMANDS);
        let (events, told) = mpsc::channel(limits::EVENTS);
        tokio::spawn(task::run(config, orders, events));
        (Self { commands, room: Arc::new(Semaphore::new(limits::OUTBOX_MESSAGES)) }, told)
    }

    /// Sends a text, now or as soon as there is a connection; [`Event::Sent`] or [`Event::Failed`] tells under this
    /// `client_id`. The messages of one conversation go out in the order of these calls, each when the one before is durable.
    ///
    /// # Errors
    /// [`Refused::Full`] where [`limits::OUTBOX_MESSAGES`] are unsent.
    pub fn send(&self, conversation: ConversationId, text: impl Into<String>) -> Result<Uuid, Refused> {
        self.send_message(conversation, message(text))
    }

    /// Sends a message, perhaps one of which an earlier run of the program had no answer: its `client_id` is kept.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub fn send_message(&self, conversation: ConversationId, mut message: NewMessage) -> Result<Uuid, Refused> {
        let room = self.room.clone().try_acquire_owned().map_err(|_| Refused::Full)?;
        let client_id = message.client_id;
        // As the server does, so that what is shown here is what the others see.
        kith_protocol::text::clean(&mut message.text);
        self.tell(Command::Send(conversation, message, room))?;
        Ok(client_id)
    }

    /// How many messages have neither been sent nor failed.
    pub fn unsent(&self) -> usize {
        limits::OUTBOX_MESSAGES - self.room.available_permits()
    }

    /// The person has read everything up to `seq`.
    ///
    /// # Errors
    /// [`Refused`]
    pub fn read(&self, conversation: ConversationId, seq: u64) -> Result<(), Refused> {
        self.tell(Command::Read(conversation, seq))
    }

    /// The person is writing. May be called at each key; the server hears of it every [`limits::TYPING_MS`].
    ///
    /// # Errors
    /// [`Refused`]
    pub fn typing(&self, conversation: ConversationId) -> Result<(), Refused> {
        self.tell(Command::Typing(conversation))
    }

    /// The person did something: the next heartbeat says so.
    ///
    /// # Errors
    /// [`Refused`]
    pub fn active(&self) -> Result<(), Refused> {
        self.tell(Command::Active)
    }

    /// Watches these too, also after a reconnect: presence of users, receipts of groups. What goes beyond
    /// [`kith_protocol::limits::WATCHED_USERS`] and [`kith_protocol::limits::WATCHED_CONVERSATIONS`] is left out.
    ///
    /// # Errors
    /// [`Refused`]
    pub fn watch(&self, users: Vec<UserId>, conversations: Vec<ConversationId>) -> Result<(), Refused> {
        self.tell(Command::Watch(Watch { users, conversations }))
    }

    /// Watches these no longer.
    ///
    /// # Errors
    /// [`Refused`]
    pub fn unwatch(&self, users: Vec<UserId>, conversations: Vec<ConversationId>) -> Result<(), Refused> {
        self.tell(Command::Unwatch(Watch { users, conversations }))
    }

    /// Looks at the timeline as it is now. It may be ahead of the events that were received.
    ///
    /// # Errors
    /// [`Refused`]
    pub async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Timeline) -> T + Send + 'static,
    ) -> Result<T, Refused> {
        let (seen, answer) = oneshot::channel();
        // Nobody waits for what was seen where the caller has gone.
        self.tell(Command::Look(Box::new(move |timeline| drop(seen.send(look(timeline))))))?;
        answer.await.map_err(|_| Refused::Stopped)
    }

    /// Says goodbye and ends the connection; what is unsent stays so.
    pub async fn close(self) {
        let (done, closed) = oneshot::channel();
        if self.commands.send(Command::Close(done)).await.is_ok() {
            // It is dropped unanswered where the task ended by itself, which is as good.
            let _ = closed.await;
        }
    }

    fn tell(&self, command: Command) -> Result<(), Refused> {
        self.commands.try_send(command).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => Refused::Full,
            mpsc::error::TrySendError::Closed(_) => Refused::Stopped,
        })
    }
}
