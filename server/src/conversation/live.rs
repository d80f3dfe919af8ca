//! A live conversation: what its task keeps in memory, and the loop in which it takes its commands.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    ops::Bound,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use kith_log::{Amendment, Member, State};
use kith_protocol::{
    Code, ConversationId, Timestamp, UserId,
    entry::MemberRole,
    rest::{ConversationInfo, Page, Participant},
};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

use super::{Command, Context, damaged::Damaged, log::Submitted, online::Online, receipts::Counted};
use crate::{
    Error,
    delivery::watchers::Watchers,
    limits,
    store::{Record, schema::Pointers},
};

/// The part of a log that a member may see.
#[derive(Debug, Clone, Copy)]
pub(super) struct Access {
    /// The seq where their history begins.
    pub since: u64,
    /// The last seq of the log.
    pub head: u64,
}

impl Access {
    /// # Errors
    /// `not_found` for what is not there, or was before the member.
    pub fn sees(self, seq: u64) -> Result<(), Error> {
        if (self.since..=self.head).contains(&seq) { Ok(()) } else { Err(Code::NotFound.into()) }
    }
}

/// A conversation in memory. Changed by its own task alone.
pub(super) struct Live {
    pub context: Arc<Context>,
    pub id: ConversationId,
    /// The conversation as of the last entry that was given to everybody.
    pub state: State,
    /// The pointers of each of its members.
    pub pointers: HashMap<UserId, Pointers>,
    /// The last entries, so that who comes back finds them without the disk.
    pub tail: VecDeque<Record>,
    pub tail_bytes: usize,
    /// Connections that see this conversation on screen.
    pub watchers: Watchers,
    /// Members of a group whose pointers moved since the watchers were told.
    pub moved: HashSet<UserId>,
    pub tell_at: Option<Instant>,
    /// The members who have typed since a time; the others were told of each once.
    pub typed: (Option<Instant>, HashSet<UserId>),
    /// The members of a large conversation who are connected.
    pub online: Option<Online>,
    /// The pointers of a channel's members, for counting them.
    pub counted: Option<Box<Counted>>,
    /// True once the row is stored that lets the next start find a conversation that was awake in a crash.
    pub active: bool,
    /// True once the `unpushed` row is stored, so that the push feed will read the entries appended from then on.
    pub unpushed: bool,
    /// The version of the subscriptions of which no member has one.
    pub looked: Option<u64>,
    /// True where the log may have entries that are not folded: nothing is answered from memory until they are.
    pub behind: bool,
    /// Derived rows that are not written yet; see `fold`.
    pub dirty: Dirty,
    pub flush_at: Option<Instant>,
}

/// Derived rows that wait to be written.
#[derive(Default)]
pub(super) struct Dirty {
    pub state: bool,
    pub members: HashSet<UserId>,
    pub removed: HashSet<UserId>,
    pub amendments: HashMap<u64, Amendment>,
    pub mentions: Vec<(UserId, Timestamp, u64)>,
    pub expiring: Vec<(Timestamp, u64)>,
}

impl Dirty {
    pub fn is_clean(&self) -> bool {
        !self.state
            && self.members.is_empty()
            && self.removed.is_empty()
            && self.amendments.is_empty()
            && self.mentions.is_empty()
            && self.expiring.is_empty()
    }
}

/// The task of a conversation: wakes it, takes its commands in batches, and ends when it has been idle for long enough.
pub(super) async fn run(context: Arc<Context>, id: ConversationId, mut commands: mpsc::Receiver<Command>) {
    let mut live = match Live::wake(context.clone(), id).await {
        Ok(live) => live,
        Err(error) => return refuse_all(&context, id, &mut commands, &context.failed(id, error)),
    };
    let mut batch = Vec::new();
    let mut idle_at = Instant::now() + Duration::from_secs(limits::CONVERSATION_IDLE_S);
    let timer = sleep_until(idle_at);
    tokio::pin!(timer);
    loop {
        let due = [live.flush_at, live.tell_at, Some(idle_at)].into_iter().flatten().min().unwrap_or(idle_at);
        if due < timer.deadline() || timer.is_elapsed() {
            timer.as_mut().reset(due);
        }
        tokio::select! {
            biased;
            count = commands.recv_many(&mut batch, limits::CONVERSATION_BATCH) => {
                if count == 0 {
                    return;
                }
                idle_at = Instant::now() + Duration::from_secs(limits::CONVERSATION_IDLE_S);
                let next = live.take(&mut batch).await;
                if context.damaged.has(id) {
                    // What its memory derived from the log is not written over what is there.
                    return refuse_all(&context, id, &mut commands, &Damaged::error());
                }
                if next == Next::Stop || live.state.seq == 0 {
                    live.flush().await;
                    if live.end(&commands) {
                        return;
                    }
                }
            }
            () = &mut timer => {
                let now = Instant::now();
                if live.tell_at.is_some_and(|at| at <= now) {
                    live.tell_watchers();
                }
                if live.flush_at.is_some_and(|at| at <= now) {
                    live.flush().await;
                }
                if idle_at <= now {
                    live.flush().await;
                    if live.dirty.is_clean() && !live.behind && live.end(&commands) {
                        return;
                    }
                    idle_at = now + Duration::from_secs(limits::CONVERSATION_IDLE_S);
                }
                if context.damaged.has(id) {
                    return refuse_all(&context, id, &mut commands, &Damaged::error());
                }
            }
        }
    }
}

/// Tells everybody who waits that the conversation could not be woken.
fn refuse_all(context: &Context, id: ConversationId, commands: &mut mpsc::Receiver<Command>, error: &Error) {
    let mut live = context.shard(id).lock();
    while let Ok(command) = commands.try_recv() {
        command.refuse(id, error);
    }
    live.remove(&id);
    context.live_count.fetch_sub(1, Ordering::Relaxed);
}

impl Command {
    /// Returns true where memory alone may give the answer: it must have the whole log then, as of when it was asked.
    fn asks(&self) -> bool {
        match self {
            Command::Send(_) | Command::Mark(_) | Command::Typing(_) | Command::Watch(..) | Command::Unwatch(_) => {
                false
            }
            Command::Expire(..) | Command::Recover(_) | Command::Stop(_) => false,
            Command::Change(_)
            | Command::Amend(_)
            | Command::Access(..)
            | Command::Standing(..)
            | Command::Info(..)
            | Command::Participants(..)
            | Command::Participant(..)
            | Command::Receipts(..)
            | Command::Audience(..)
            | Command::Accept(..) => true,
        }
    }

    fn refuse(self, conversation: ConversationId, error: &Error) {
        let error = error.clone();
        match self {
            Command::Send(send) => send.origin.refuse(conversation, send.message.client_id, &error),
            Command::Change(change) => drop(change.2.send(Err(error))),
            Command::Amend(amend) => drop(amend.2.send(Err(error))),
            Command::Mark(mark) => drop(mark.reply.map(|reply| reply.send(Err(error)))),
            Command::Access(_, reply) => drop(reply.send(Err(error))),
            Command::Standing(_, _, reply) => drop(reply.send(Err(error))),
            Command::Info(_, reply) => drop(reply.send(Err(error))),
            Command::Participants(_, _, _, reply) => drop(reply.send(Err(error))),
            Command::Participant(_, _, reply) => drop(reply.send(Err(error))),
            Command::Receipts(_, _, _, _, reply) => drop(reply.send(Err(error))),
            Command::Audience(_, reply) => drop(reply.send(Err(error))),
            Command::Accept(_, reply) | Command::Expire(_, reply) | Command::Recover(reply) | Command::Stop(reply) => {
                drop(reply.send(Err(error)))
            }
            Command::Typing(_) | Command::Watch(..) | Command::Unwatch(_) => {}
        }
    }
}

/// The next step of the task.
#[derive(PartialEq, Eq)]
enum Next {
    On,
    Stop,
}

impl Live {
    /// Takes commands in their order; sends that follow one another become one append.
    async fn take(&mut self, batch: &mut Vec<Command>) -> Next {
        let asked = self.behind || batch.iter().any(Command::asks);
        if asked && let Err(error) = self.confirm().await {
            let stop = batch.iter().any(|command| matches!(command, Command::Stop(_)));
            batch.drain(..).for_each(|command| command.refuse(self.id, &error));
            return if stop { Next::Stop } else { Next::On };
        }
        let mut sends: Vec<Submitted> = Vec::new();
        let mut next = Next::On;
        for command in batch.drain(..) {
            match command {
                Command::Send(send) => sends.push(send),
                Command::Mark(mark) => self.mark(*mark).await,
                Command::Typing(user) => self.typing(user),
                Command::Watch(user, connection) => self.watch(user, connection),
                Command::Unwatch(connection) => self.watchers.remove(connection),
                Command::Standing(user, have, reply) => drop(reply.send(self.standing(user, have).await)),
                Command::Info(user, reply) => drop(reply.send(self.info(user))),
                Command::Participants(user, after, limit, reply) => {
                    drop(reply.send(self.participants(user, after, limit)));
                }
                Command::Participant(user, member, reply) => drop(reply.send(self.participant(user, member))),
                Command::Receipts(user, seq, after, limit, reply) => {
                    drop(reply.send(self.read_receipts(user, seq, after, limit).await));
                }
                Command::Audience(user, reply) => drop(reply.send(Ok(self.audience(user)))),
                ordered => {
                    self.append_sends(&mut sends).await;
                    next = self.take_ordered(ordered, next).await;
                }
            }
        }
        self.append_sends(&mut sends).await;
        if !self.dirty.mentions.is_empty() {
            self.flush().await;
        }
        next
    }

    /// Takes a command that must see the sends before it.
    async fn take_ordered(&mut self, command: Command, next: Next) -> Next {
        match command {
            Command::Change(change) => {
                let (actor, change, reply) = *change;
                drop(reply.send(self.change(actor, change).await));
            }
            Command::Amend(amend) => {
                let (actor, amend, reply) = *amend;
                drop(reply.send(self.amend(actor, amend).await));
            }
            Command::Access(user, reply) => {
                // Who reads folded messages reads the amendments from the store.
                if !self.dirty.amendments.is_empty() {
                    self.flush().await;
                }
                drop(reply.send(self.access(user)));
            }
            Command::Expire(seq, reply) => drop(reply.send(self.expire(seq).await)),
            Command::Accept(user, reply) => drop(reply.send(self.accept(user).await)),
            // It is awake.
            Command::Recover(reply) => drop(reply.send(Ok(()))),
            Command::Stop(reply) => {
                self.flush().await;
                drop(reply.send(Ok(())));
                return Next::Stop;
            }
            _ => unreachable!("take has taken the others"),
        }
        next
    }

    /// Ends the conversation's life if nobody has asked for anything more.
    fn end(&self, commands: &mpsc::Receiver<Command>) -> bool {
        let mut live = self.context.shard(self.id).lock();
        if !commands.is_empty() {
            return false;
        }
        live.remove(&self.id);
        self.context.live_count.fetch_sub(1, Ordering::Relaxed);
        true
    }

    /// The member, or `not_found` for who is none.
    pub fn member(&self, user: UserId) -> Result<&Member, Error> {
        Ok(self.state.member(user)?)
    }

    /// The pointers of a member, or `not_found` for a user who is none.
    pub fn pointers_of(&self, user: UserId) -> Result<&Pointers, Error> {
        self.pointers.get(&user).ok_or(Error::new(Code::NotFound))
    }

    pub fn access(&self, user: UserId) -> Result<Access, Error> {
        Ok(Access { since: self.member(user)?.since, head: self.state.seq })
    }

    /// The other side of a direct conversation.
    pub fn peer(&self, user: UserId) -> Option<UserId> {
        self.state.peer(user)
    }

    /// Checks that the member may write, as far as the conversation alone can tell.
    pub fn may_write(&self, user: UserId) -> Result<(), Error> {
        Ok(self.state.may_write(user)?)
    }

    fn info(&self, user: UserId) -> Result<ConversationInfo, Error> {
        let member = self.member(user)?;
        let settings = &self.state.settings;
        Ok(ConversationInfo {
            id: self.id,
            kind: settings.kind,
            title: settings.title.clone(),
            topic: settings.topic.clone(),
            avatar: settings.avatar.clone(),
            expire_after_s: settings.expire_after_s,
            writers: settings.writers,
            rev: self.state.counts.rev,
            head: self.state.seq,
            members: self.state.members.len() as u32,
            role: member.role,
            since: member.since,
            created_at: settings.created_at,
        })
    }

    fn participant(&self, user: UserId, member: UserId) -> Result<Participant, Error> {
        self.member(user)?;
        let Member { role, since, .. } = *self.member(member)?;
        Ok(Participant { member: MemberRole { user: member, role }, since })
    }

    fn participants(&self, user: UserId, after: Option<UserId>, limit: usize) -> Result<Page<Participant>, Error> {
        self.member(user)?;
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let others = self.state.members.range((from, Bound::Unbounded)).take(limit.saturating_add(1));
        let mut items: Vec<_> = others
            .map(|(&user, member)| Participant { member: MemberRole { user, role: member.role }, since: member.since })
            .collect();
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = items.last().filter(|_| more).map(|last| last.member.user.to_string());
        Ok(Page { items, next_cursor })
    }

    /// Puts a record behind the tail, which stays within its own bound and the node's.
    pub fn keep(&mut self, record: Record) {
        let size = record_bytes(&record);
        self.tail_bytes += size;
        self.context.tail_bytes.fetch_add(size, Ordering::Relaxed);
        self.tail.push_back(record);
        while self.tail.len() > limits::TAIL_ENTRIES
            || (self.tail.len() > 1 && self.context.tail_bytes.load(Ordering::Relaxed) > limits::TAIL_BYTES)
        {
            let Some(oldest) = self.tail.pop_front() else { break };
            self.forget(record_bytes(&oldest));
        }
    }

    fn forget(&mut self, size: usize) {
        self.tail_bytes -= size;
        self.context.tail_bytes.fetch_sub(size, Ordering::Relaxed);
    }

    /// A record of the tail.
    pub fn tailed(&self, seq: u64) -> Option<&Record> {
        let first = self.tail.front()?.seq;
        self.tail.get(usize::try_from(seq.checked_sub(first)?).ok()?)
    }

    /// Replaces a record of the tail, if it is there.
    pub fn replace_tailed(&mut self, record: &Record) {
        let Some(index) = self.tail.front().and_then(|first| record.seq.checked_sub(first.seq)) else { return };
        let Some(slot) = self.tail.get_mut(index as usize) else { return };
        let before = record_bytes(slot);
        *slot = record.clone();
        self.tail_bytes += record_bytes(record);
        self.context.tail_bytes.fetch_add(record_bytes(record), Ordering::Relaxed);
        self.forget(before);
    }

    /// Has what is dirty written soon.
    pub fn flush_soon(&mut self) {
        if self.flush_at.is_none() {
            self.flush_at = Some(Instant::now() + Duration::from_millis(limits::POINTER_FLUSH_MS));
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.context.tail_bytes.fetch_sub(self.tail_bytes, Ordering::Relaxed);
    }
}

fn record_bytes(record: &Record) -> usize {
    size_of::<Record>() + record.body.len()
}
