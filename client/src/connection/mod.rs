//! A device that stays connected: it reconnects, resumes, repairs gaps, sends again what was not answered, and tells what
//! reached it.
//!
//! One task does all of it. [`Client`] hands it commands, a channel of [`Event`]s tells what happened. What to say when is
//! decided by [`kith_device::Device`], which does no I/O; `task` owns the socket.

mod task;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use kith_device::{Command, Config, Event, Timeline};
use kith_protocol::{
    ConversationId, UserId, Uuid,
    frame::{NewMessage, Watch},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::{Server, clock, limits};

/// The reason why a command was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Too much is waiting; try again when something of it is done.
    #[error("too much is waiting to be sent")]
    Full,
    /// The connection was stopped.
    #[error("the connection was stopped")]
    Stopped,
}

/// An order of a handle to the task.
enum Order {
    /// A command to the device; a message holds its place in the outbox.
    Device(Command, Option<OwnedSemaphorePermit>),
    /// Shows the timeline.
    Look(Box<dyn FnOnce(&Timeline) + Send>),
    /// Closes the connection; dropped when that is done.
    Close(oneshot::Sender<()>),
}

/// The handle of a connection. Cheap to clone. The connection ends when the last handle, or the receiver of its events,
/// is dropped.
#[derive(Clone)]
pub struct Client {
    orders: mpsc::Sender<Order>,
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
    pub fn connect(server: Server, config: Config) -> (Self, mpsc::Receiver<Event>) {
        let (orders, taken) = mpsc::channel(limits::COMMANDS);
        let (events, told) = mpsc::channel(limits::EVENTS);
        tokio::spawn(task::run(server, config, taken, events));
        (Self { orders, room: Arc::new(Semaphore::new(limits::OUTBOX_MESSAGES)) }, told)
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
        self.order(Order::Device(Command::Send(conversation, message), Some(room)))?;
        Ok(client_id)
    }

    /// The number of messages that have neither been sent nor failed.
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

    /// The person is writing. May be called at each key; the server hears of it every [`kith_device::limits::TYPING_MS`].
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
        self.order(Order::Look(Box::new(move |timeline| drop(seen.send(look(timeline))))))?;
        answer.await.map_err(|_| Refused::Stopped)
    }

    /// Says goodbye and ends the connection; what is unsent stays so.
    pub async fn close(self) {
        let (done, closed) = oneshot::channel();
        if self.orders.send(Order::Close(done)).await.is_ok() {
            // It is dropped unanswered where the task ended by itself, which is as good.
            let _ = closed.await;
        }
    }

    fn tell(&self, command: Command) -> Result<(), Refused> {
        self.order(Order::Device(command, None))
    }

    fn order(&self, order: Order) -> Result<(), Refused> {
        self.orders.try_send(order).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => Refused::Full,
            mpsc::error::TrySendError::Closed(_) => Refused::Stopped,
        })
    }
}
