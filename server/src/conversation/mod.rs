//! Conversations: each a log that one task owns while it is live.
//!
//! [`Conversations`] finds the task of a conversation or wakes it, gives it commands and waits for its answers. What the
//! task does is in `live` (its loop and memory), `log` (sends), `members`, `amendments` and `receipts`; `fold` derives the
//! rows from the log; `catch_up` takes in what others appended, by the `rules`; `history`, `resume` and `readable` read; `audience` tells `push` whom to wake; `requests` keeps
//! apart what strangers begin.

mod amendments;
mod audience;
mod begun;
mod catch_up;
mod damaged;
mod directory;
mod fold;
mod history;
mod live;
mod log;
mod members;
mod online;
mod quota;
mod readable;
mod receipts;
mod recover;
mod requests;
mod resume;
mod rules;
mod shown;
mod sweep;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    hash::BuildHasher,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use kith_protocol::{
    Code, ConversationId, MessageId, UserId,
    entry::{ConversationChanged, ConversationKind, MemberRole, Role},
    frame::NewMessage,
    limits::Limits,
    rest::{ConversationInfo, Page, Participant, ReadReceipts},
    text,
};
use parking_lot::Mutex;
use tokio::sync::{Notify, mpsc, oneshot};

pub use self::{
    amendments::Amend,
    audience::{Audience, Listener},
    damaged::Postponed,
    history::{Folded, Place},
    log::Origin,
    resume::{Have, Resume},
};
use self::{
    damaged::Damaged,
    live::Access,
    log::{Submission, Submitted},
    quota::Quota,
    recover::Recovery,
    resume::Standing,
    rules::Rules,
    shown::Attached,
};
use crate::{
    Error,
    account::{Accounts, Actor, subscriptions::Subscriptions},
    delivery::{outbox::ConnectionId, roster::Roster},
    gather, limits,
    media::{Media, Reference},
    shed::Shed,
    store::{Record, Store, schema::due::Kind},
    work::Schedule,
};

const SHARDS: usize = 64;

/// The conversations of the node.
#[derive(Clone)]
pub struct Conversations {
    context: Arc<Context>,
}

/// The queues of the tasks of live conversations.
type Queues = HashMap<ConversationId, mpsc::Sender<Command>>;

/// The parts of the server with which every live conversation works.
struct Context {
    store: Arc<dyn Store>,
    accounts: Arc<Accounts>,
    media: Arc<Media>,
    subscriptions: Arc<Subscriptions>,
    roster: Arc<Roster>,
    shed: Arc<Shed>,
    limits: Limits,
    rules: Rules,
    live: Box<[Mutex<Queues>]>,
    live_count: AtomicUsize,
    /// Conversations that cannot be read.
    damaged: Damaged,
    recovery: Recovery,
    hasher: std::hash::RandomState,
    tail_bytes: AtomicUsize,
    /// The messages that expire.
    expiries: Schedule,
    /// The requests that end when nobody answers.
    request_ends: Schedule,
    stopping: AtomicBool,
    /// The bytes that each user has written today.
    quota: Arc<Quota>,
    /// Told when a conversation begins to append.
    appending: Arc<Notify>,
    /// Told when there is something to be pushed.
    pushing: Arc<Notify>,
    messages: metrics::Counter,
}

/// The sender of a command's answer.
type Reply<T> = oneshot::Sender<Result<T, Error>>;

/// A command to a conversation's task.
enum Command {
    Send(Submitted),
    Change(Box<(Actor, Change, Reply<Record>)>),
    Amend(Box<(Actor, Amend, Reply<()>)>),
    Mark(Box<Mark>),
    Typing(UserId),
    Watch(UserId, ConnectionId),
    Unwatch(ConnectionId),
    Access(UserId, Reply<Access>),
    Standing(UserId, Option<u64>, Reply<Standing>),
    Info(UserId, Reply<ConversationInfo>),
    Participants(UserId, Option<UserId>, usize, Reply<Page<Participant>>),
    Participant(UserId, UserId, Reply<Participant>),
    Receipts(UserId, u64, Option<UserId>, usize, Reply<ReadReceipts>),
    Audience(Option<UserId>, Reply<Audience>),
    Accept(UserId, Reply<()>),
    Expire(u64, Reply<()>),
    /// Nothing but to be awake, with rows that reflect the log.
    Recover(Reply<()>),
    /// Writes what is dirty and ends the task.
    Stop(Reply<()>),
}

/// A member's pointers as a device moves them.
struct Mark {
    user: UserId,
    origin: Option<ConnectionId>,
    delivered: Option<u64>,
    read: Option<u64>,
    reply: Option<Reply<()>>,
}

/// A change of a conversation or of its members.
#[derive(Clone)]
enum Change {
    Create { kind: ConversationKind, title: Option<String>, expire_after_s: Option<u32>, members: Vec<MemberRole> },
    Add { user: UserId, role: Option<Role> },
    Remove { user: UserId },
    Role { user: UserId, role: Role },
    Settings(ConversationChanged),
}

impl Conversations {
    /// The conversations in `store`, none of them awake.
    pub fn new(
        store: Arc<dyn Store>,
        accounts: Arc<Accounts>,
        media: Arc<Media>,
        subscriptions: Arc<Subscriptions>,
        roster: Arc<Roster>,
        shed: Arc<Shed>,
        limits: Limits,
    ) -> Self {
        damaged::describe_metrics();
        let live = (0..SHARDS).map(|_| Mutex::default()).collect();
        let quota = Arc::new(Quota::new(store.clone(), limits.entry_bytes_per_day));
        let schedule = |kind| Schedule::new(store.clone(), kind);
        let (expiries, request_ends) = (schedule(Kind::Expiry), schedule(Kind::Request));
        let context = Context {
            store,
            accounts,
            media,
            subscriptions,
            roster,
            shed,
            limits,
            rules: Rules::RIGHT,
            live,
            live_count: AtomicUsize::new(0),
            damaged: Damaged::default(),
            recovery: Recovery::default(),
            hasher: std::hash::RandomState::new(),
            tail_bytes: AtomicUsize::new(0),
            expiries,
            request_ends,
            stopping: AtomicBool::new(false),
            quota,
            appending: Arc::default(),
            pushing: Arc::default(),
            messages: metrics::counter!("kith_messages_total"),
        };
        Self { context: Arc::new(context) }
    }

    /// The same conversations, by other rules.
    #[cfg(test)]
    fn with_rules(mut self, rules: Rules) -> Self {
        Arc::get_mut(&mut self.context).expect("nobody else has them yet").rules = rules;
        self
    }

    /// Takes a message, durable before it is answered; the answer goes where `origin` says.
    ///
    /// Several of one connection to one conversation keep their order.
    pub fn send(&self, actor: Actor, conversation: ConversationId, mut message: NewMessage, origin: Origin) {
        text::clean(&mut message.text);
        self.submit(actor, conversation, message, Ok(Vec::new()), origin);
    }

    /// The same of a message with attachments, which are looked up first.
    pub async fn send_attached(
        &self,
        actor: Actor,
        conversation: ConversationId,
        mut message: NewMessage,
        origin: Origin,
    ) {
        text::clean(&mut message.text);
        let attached = match log::check(&message, &self.context.limits) {
            Ok(()) => self.attached(actor.user, &message.attachments).await,
            Err(error) => Err(error),
        };
        self.submit(actor, conversation, message, attached, origin);
    }

    fn submit(
        &self,
        actor: Actor,
        conversation: ConversationId,
        message: NewMessage,
        attached: Result<Attached, Error>,
        origin: Origin,
    ) {
        let ticket = match log::check(&message, &self.context.limits).and_then(|()| self.context.shed.admit()) {
            Ok(ticket) => ticket,
            Err(error) => return origin.refuse(conversation, message.client_id, &error),
        };
        let submission = Box::new(Submission { actor, message, attached, origin, ticket });
        if let Err((Command::Send(submission), error)) = self.context.post(conversation, Command::Send(submission)) {
            submission.origin.refuse(conversation, submission.message.client_id, &error);
        }
    }

    /// Takes a message and waits until it is durable: its record, and whether it had been taken before.
    ///
    /// # Errors
    /// What the sender can do about it.
    pub async fn send_and_wait(
        &self,
        actor: Actor,
        conversation: ConversationId,
        message: NewMessage,
    ) -> Result<(Record, bool), Error> {
        let (reply, answer) = oneshot::channel();
        self.send_attached(actor, conversation, message, Origin::Rest(reply)).await;
        answered(answer).await
    }

    /// Moves a member's pointers; lower ones are ignored, those above the head mean the head.
    pub fn mark(
        &self,
        user: UserId,
        conversation: ConversationId,
        delivered: Option<u64>,
        read: Option<u64>,
        origin: Option<ConnectionId>,
    ) {
        let mark = Mark { user, origin, delivered, read, reply: None };
        // A pointer that is lost under load is repeated by the client.
        let _ = self.context.post(conversation, Command::Mark(Box::new(mark)));
    }

    /// Moves a member's read pointer and waits until it is known.
    ///
    /// # Errors
    /// `not_found` for who may not see the message.
    pub async fn mark_read(&self, user: UserId, message: MessageId) -> Result<(), Error> {
        self.access(user, message.conversation).await?.sees(message.seq)?;
        self.ask(message.conversation, |reply| {
            let mark = Mark { user, origin: None, delivered: None, read: Some(message.seq), reply: Some(reply) };
            Command::Mark(Box::new(mark))
        })
        .await
    }

    /// Says that a member is writing.
    pub fn typing(&self, user: UserId, conversation: ConversationId) {
        let _ = self.context.post(conversation, Command::Typing(user));
    }

    /// Gives a connection of a user the receipts of a conversation from now on.
    pub fn watch(&self, user: UserId, connection: ConnectionId, conversation: ConversationId) {
        let _ = self.context.post(conversation, Command::Watch(user, connection));
    }

    /// Stops giving a connection the receipts of a conversation.
    pub fn unwatch(&self, connection: ConnectionId, conversation: ConversationId) {
        let _ = self.context.post(conversation, Command::Unwatch(connection));
    }

    /// A conversation as one of its members sees it.
    ///
    /// # Errors
    /// `not_found` for who is no member.
    pub async fn info(&self, user: UserId, conversation: ConversationId) -> Result<ConversationInfo, Error> {
        self.ask(conversation, |reply| Command::Info(user, reply)).await
    }

    /// The members after `after`, in the order of their identifiers.
    ///
    /// # Errors
    /// `not_found` for who is no member.
    pub async fn participants(
        &self,
        user: UserId,
        conversation: ConversationId,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Page<Participant>, Error> {
        self.ask(conversation, |reply| Command::Participants(user, after, limit, reply)).await
    }

    /// One member, as another sees them.
    ///
    /// # Errors
    /// `not_found` where either is no member.
    pub async fn participant(
        &self,
        user: UserId,
        conversation: ConversationId,
        member: UserId,
    ) -> Result<Participant, Error> {
        self.ask(conversation, |reply| Command::Participant(user, member, reply)).await
    }

    /// Counts the other members who got and read a message, and tells of those after `after` who and when; of a channel it only
    /// counts.
    ///
    /// # Errors
    /// `not_found` for who may not see the message.
    pub async fn read_receipts(
        &self,
        user: UserId,
        message: MessageId,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<ReadReceipts, Error> {
        self.ask(message.conversation, |reply| Command::Receipts(user, message.seq, after, limit, reply)).await
    }

    /// Edits, deletes, or reacts to a message.
    ///
    /// # Errors
    /// What the actor can do about it.
    pub async fn amend(&self, actor: Actor, conversation: ConversationId, mut amend: Amend) -> Result<(), Error> {
        if let Amend::Edit(edit) = &mut amend {
            text::clean(&mut edit.text);
        }
        self.ask(conversation, |reply| Command::Amend(Box::new((actor, amend, reply)))).await
    }

    /// Changes settings.
    ///
    /// # Errors
    /// `not_admin`, or the field that is not valid.
    pub async fn change(
        &self,
        actor: Actor,
        conversation: ConversationId,
        changes: ConversationChanged,
    ) -> Result<(), Error> {
        members::check_settings(&changes, &self.context.limits)?;
        let Some(avatar) = changes.avatar.as_deref().filter(|avatar| !avatar.is_empty()) else {
            return self.request(actor, conversation, Change::Settings(changes)).await.map(drop);
        };
        // Who is no member learns that first.
        self.access(actor.user, conversation).await?;
        let media = &self.context.media;
        let (id, row) = media.avatar(actor.user, avatar).await?;
        media.refer(id, &row, Reference::Conversation(conversation)).await?;
        let changed = self.request(actor, conversation, Change::Settings(changes)).await;
        if changed.is_err() {
            media.reconsider(id, &row).await;
        }
        changed.map(drop)
    }

    /// Gives a member another role.
    ///
    /// # Errors
    /// `not_admin`, or `not_found`.
    pub async fn change_role(
        &self,
        actor: Actor,
        conversation: ConversationId,
        user: UserId,
        role: Role,
    ) -> Result<(), Error> {
        self.request(actor, conversation, Change::Role { user, role }).await.map(drop)
    }

    /// Removes a member, or leaves.
    ///
    /// # Errors
    /// `not_admin`, or `not_found`.
    pub async fn remove(&self, actor: Actor, conversation: ConversationId, user: UserId) -> Result<(), Error> {
        self.request(actor, conversation, Change::Remove { user }).await.map(drop)
    }

    /// Writes what is dirty and puts every live conversation to sleep; those that are asked for from now on are refused.
    pub async fn stop(&self) {
        self.context.stopping.store(true, Ordering::Relaxed);
        let mut live = Vec::new();
        for shard in &self.context.live {
            live.extend(shard.lock().keys().copied());
        }
        for conversation in live {
            let (reply, answer) = oneshot::channel();
            if self.context.post_if_live(conversation, Command::Stop(reply)).is_ok() {
                let _ = answer.await;
            }
        }
    }

    /// Is told when a conversation has begun to append since the last time that somebody waited for it.
    pub fn appending(&self) -> Arc<Notify> {
        self.context.appending.clone()
    }

    /// The number of live conversations.
    pub fn live(&self) -> usize {
        self.context.live_count.load(Ordering::Relaxed)
    }

    async fn access(&self, user: UserId, conversation: ConversationId) -> Result<Access, Error> {
        self.ask(conversation, |reply| Command::Access(user, reply)).await
    }

    async fn request(&self, actor: Actor, conversation: ConversationId, change: Change) -> Result<Record, Error> {
        self.ask(conversation, |reply| Command::Change(Box::new((actor, change, reply)))).await
    }

    async fn ask<T>(
        &self,
        conversation: ConversationId,
        command: impl FnOnce(Reply<T>) -> Command,
    ) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        self.context.post(conversation, command(reply)).map_err(|(_, error)| error)?;
        answered(answer).await
    }
}

async fn answered<T>(answer: oneshot::Receiver<Result<T, Error>>) -> Result<T, Error> {
    answer.await.unwrap_or_else(|_| Err(Error::new(Code::Internal)))
}

impl Context {
    fn shard(&self, conversation: ConversationId) -> &Mutex<Queues> {
        &self.live[self.hasher.hash_one(conversation) as usize % SHARDS]
    }

    /// Gives a command to the conversation's task, which is started if there is none. The lock is held while it is put,
    /// so that a task that finds its queue empty under the same lock may end.
    #[expect(clippy::result_large_err, reason = "the command goes back to who must be told")]
    fn post(self: &Arc<Self>, conversation: ConversationId, command: Command) -> Result<(), (Command, Error)> {
        if self.damaged.has(conversation) {
            return Err((command, Damaged::error()));
        }
        let mut live = self.shard(conversation).lock();
        let command = match live.get(&conversation) {
            Some(queue) => match queue.try_send(command) {
                Ok(()) => return Ok(()),
                Err(mpsc::error::TrySendError::Full(command)) => return Err((command, overloaded())),
                // Its task panicked; the next one starts from the store.
                Err(mpsc::error::TrySendError::Closed(command)) => {
                    live.remove(&conversation);
                    self.live_count.fetch_sub(1, Ordering::Relaxed);
                    command
                }
            },
            None => command,
        };
        if self.stopping.load(Ordering::Relaxed)
            || self.live_count.load(Ordering::Relaxed) >= limits::CONVERSATIONS_LIVE
        {
            return Err((command, overloaded()));
        }
        let (queue, commands) = mpsc::channel(limits::CONVERSATION_QUEUE);
        let _ = queue.try_send(command);
        live.insert(conversation, queue);
        self.live_count.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(gather::gathered(live::run(self.clone(), conversation, commands)));
        Ok(())
    }

    /// Gives a command to the conversation's task if there is one; else gives it back.
    fn post_if_live(&self, conversation: ConversationId, command: Command) -> Result<(), Command> {
        match self.shard(conversation).lock().get(&conversation) {
            Some(queue) => queue.try_send(command).map_err(mpsc::error::TrySendError::into_inner),
            None => Err(command),
        }
    }

    fn is_live(&self, conversation: ConversationId) -> bool {
        self.shard(conversation).lock().contains_key(&conversation)
    }
}

fn overloaded() -> Error {
    Error::new(Code::Overloaded).after(Duration::from_millis(500))
}
