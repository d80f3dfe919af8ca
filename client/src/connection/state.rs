//! What a connected device says when. Frames, commands and the time go in; frames and events come out.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use kith_protocol::{
    Body, ClientFrame, Code, ConversationId, DeviceId, Entry, InstanceId, ServerFrame, UserId,
    frame::{
        Change, ConversationFrame, Entries, ErrorFrame, Goaway, Heads, Hello, Ping, Ready, Receipt, Sent, TypingIn,
        Watch,
    },
    limits::{WATCHED_CONVERSATIONS, WATCHED_USERS},
};
use tokio::time::Instant;

use super::{Command, Config, Event, outbox::Outbox, pointers::Pointers, pulls::Pulls};
use crate::{Closed, Timeline, clock, limits, timeline::Applied};

/// All that a device knows, connected or not.
pub(super) struct State {
    token: String,
    program: Option<String>,
    /// Whose seqs the timeline has.
    instance: Option<InstanceId>,
    timeline: Timeline,
    outbox: Outbox,
    pointers: Pointers,
    pulls: Pulls,
    watched: (BTreeSet<UserId>, BTreeSet<ConversationId>),
    typed: Option<(ConversationId, Instant)>,
    active: bool,
    link: Link,
    /// What is to be said now.
    pub(super) frames: Vec<ClientFrame>,
    /// What is to be told.
    pub(super) events: VecDeque<Event>,
}

/// What is so for one connection.
struct Link {
    /// Who the server says that this is; nobody before `ready`.
    ready: Option<(UserId, DeviceId)>,
    heartbeat: Duration,
    ping: Instant,
    /// How many pings were said and answered,
    pings: u64,
    pongs: u64,
    /// and how many must be answered until all is here that the server sends by itself after a hello; not known before
    /// the last page of heads.
    resumed: Option<u64>,
    /// When the server last said something.
    heard: Instant,
    opened: Instant,
    resume: Option<Instant>,
    caught_up: bool,
    leave: Option<Leave>,
}

/// A server that drains asked to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leave {
    /// When.
    pub(super) at: Instant,
    /// Where to, if not to the same address.
    pub(super) url: Option<String>,
}

/// Why a connection ends from this side.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The server says nothing any longer.
    Silent(Closed),
    /// It asked to go, and it is time.
    Drained,
}

impl Link {
    fn new(now: Instant) -> Self {
        let heartbeat = Duration::from_secs(limits::READY_S);
        Self {
            ready: None,
            heartbeat,
            ping: now + heartbeat,
            pings: 0,
            pongs: 0,
            resumed: None,
            heard: now,
            opened: now,
            resume: None,
            caught_up: false,
            leave: None,
        }
    }
}

impl State {
    pub(super) fn new(config: &Config, now: Instant) -> Self {
        let mut timeline = Timeline::new(config.keep, config.backlog);
        for (id, seq) in &config.have {
            timeline.assume(*id, *seq);
        }
        Self {
            token: config.token.clone(),
            program: config.program.clone(),
            instance: config.instance,
            timeline,
            outbox: Outbox::default(),
            pointers: Pointers::new(now),
            pulls: Pulls::new(now),
            watched: (BTreeSet::new(), BTreeSet::new()),
            typed: None,
            active: false,
            link: Link::new(now),
            frames: Vec::new(),
            events: VecDeque::new(),
        }
    }

    /// A socket is open: says hello.
    pub(super) fn opened(&mut self, now: Instant) {
        self.link = Link::new(now);
        self.timeline.reconnected();
        self.pulls.reconnected(now);
        self.outbox.reconnected(now);
        self.frames.clear();
        self.frames.push(ClientFrame::Hello(Hello {
            token: Some(self.token.clone()),
            have: self.timeline.have(),
            client: self.program.clone(),
        }));
    }

    /// Tells what a server that drains asked for, once the socket is closed.
    pub(super) fn leave(&mut self) -> Option<Leave> {
        self.link.leave.take()
    }

    /// How long the connection stood since its hello was taken.
    pub(super) fn stood(&self, now: Instant) -> Duration {
        if self.link.ready.is_some() { now - self.link.opened } else { Duration::ZERO }
    }

    /// The server said something, or was not listened to.
    pub(super) fn heard(&mut self, now: Instant) {
        self.link.heard = now;
    }

    pub(super) fn command(&mut self, command: Command, now: Instant) {
        match command {
            Command::Send(id, message, room) => {
                self.active = true;
                self.outbox.add(id, message, room, now);
            }
            Command::Read(id, seq) => {
                self.active = true;
                self.pointers.read(id, seq);
            }
            Command::Typing(conversation) => self.typing(conversation, now),
            Command::Active => self.active = true,
            Command::Watch(watch) => self.watch(watch),
            Command::Unwatch(watch) => {
                for user in &watch.users {
                    self.watched.0.remove(user);
                }
                for conversation in &watch.conversations {
                    self.watched.1.remove(conversation);
                }
                self.say(ClientFrame::Unwatch(watch));
            }
            Command::Look(look) => look(&self.timeline),
            Command::Close(done) => drop(done),
        }
    }

    pub(super) fn frame(&mut self, frame: ServerFrame, now: Instant) {
        self.link.heard = now;
        match frame {
            ServerFrame::Ready(ready) => self.ready(ready, now),
            ServerFrame::Heads(heads) => self.heads(&heads, now),
            ServerFrame::Pong(pong) => {
                // By the server's time: the clock of this machine may be days off.
                self.events.extend(self.timeline.expire(pong.at).into_iter().map(Event::Expired));
                self.link.pongs += 1;
                if self.link.resumed == Some(self.link.pongs) {
                    self.pulls.wait(now);
                }
            }
            ServerFrame::Sent(sent) => self.sent(sent, now),
            ServerFrame::Entry(frame) => {
                self.take(&frame.entry);
                self.pulls.look(frame.conversation, &self.timeline);
            }
            ServerFrame::Entries(entries) => self.entries(&entries, now),
            ServerFrame::Receipt(receipt) => self.receipt(receipt),
            ServerFrame::Typing(typing) => self.events.push_back(Event::Typing(typing)),
            ServerFrame::Presence(presence) => self.events.push_back(Event::Presence(presence)),
            ServerFrame::Conversation(frame) => self.conversation(frame),
            ServerFrame::Requests(frame) => self.events.push_back(Event::Requests(frame.waiting)),
            ServerFrame::Error(error) => self.error(error, now),
            ServerFrame::Reset(reset) => {
                let spread = Duration::from_millis(reset.spread_ms.into());
                self.link.resume = Some(now + clock::random_part(spread));
            }
            ServerFrame::Degraded(degraded) => self.events.push_back(Event::Degraded(degraded.shed)),
            ServerFrame::Goaway(goaway) => self.link.leave = Some(leave(goaway, now)),
        }
    }

    /// Says what is due, into `frames`.
    ///
    /// # Errors
    /// [`End`] when it is time to close the socket.
    pub(super) fn due(&mut self, now: Instant) -> Result<(), End> {
        if self.link.leave.as_ref().is_some_and(|leave| leave.at <= now) {
            return Err(End::Drained);
        }
        if now >= self.silence() {
            return Err(End::Silent(Closed::broken("the server says nothing")));
        }
        if self.link.ready.is_none() {
            return Ok(());
        }
        if self.link.resume.is_some_and(|at| at <= now) {
            self.link.resume = None;
            let hello = Hello { token: None, have: self.timeline.have(), client: None };
            self.frames.push(ClientFrame::Hello(hello));
            self.pulls.wait(now + Duration::from_millis(limits::RESUME_MS));
        }
        self.frames.extend(self.outbox.due(now).into_iter().map(ClientFrame::Send));
        self.frames.extend(self.pulls.due(now, &self.timeline).into_iter().map(ClientFrame::Sync));
        let given_up = self.pulls.take_given_up().into_iter();
        self.events.extend(given_up.map(|(conversation, after)| Event::Behind { conversation, after }));
        self.frames.extend(self.pointers.due(now));
        if self.link.ping <= now {
            self.link.ping = now + self.link.heartbeat;
            self.ping();
        }
        if !self.link.caught_up && self.link.resumed.is_some() && self.pulls.is_done(now) {
            self.link.caught_up = true;
            self.events.push_back(Event::CaughtUp);
        }
        Ok(())
    }

    /// When [`State::due`] has something to do, if nothing happens before.
    pub(super) fn deadline(&self, now: Instant) -> Instant {
        let mut deadline = self.silence();
        if let Some(leave) = &self.link.leave {
            deadline = deadline.min(leave.at);
        }
        if self.link.ready.is_some() {
            let others = [self.link.resume, self.outbox.deadline(), self.pulls.deadline(now), self.pointers.deadline()];
            deadline = others.into_iter().flatten().fold(deadline.min(self.link.ping), Instant::min);
        }
        deadline
    }

    /// When the server has been silent for too long: it answers each heartbeat.
    fn silence(&self) -> Instant {
        let patience = if self.link.ready.is_some() {
            self.link.heartbeat * limits::SILENT_HEARTBEATS
        } else {
            self.link.heartbeat
        };
        self.link.heard + patience
    }

    fn ready(&mut self, ready: Ready, now: Instant) {
        if self.link.ready.replace((ready.user, ready.device)).is_some() {
            return;
        }
        self.link.heartbeat = Duration::from_millis(u64::from(ready.heartbeat_ms).max(1));
        self.link.ping = now + clock::random_part(self.link.heartbeat);
        self.pulls.wait(now + Duration::from_millis(limits::RESUME_MS));
        self.meet(ready.instance, now);
        let Ready { user, device, node, instance, .. } = ready;
        self.events.push_back(Event::Connected { user, device, node, instance });
        if !ready.degraded.is_empty() {
            self.events.push_back(Event::Degraded(ready.degraded));
        }
        let watch = Watch {
            users: self.watched.0.iter().copied().collect(),
            conversations: self.watched.1.iter().copied().collect(),
        };
        if watch != Watch::default() {
            self.frames.push(ClientFrame::Watch(watch));
        }
    }

    /// The server said which instance of its data it has. Of another one nothing that is here counts, but what is unsent.
    fn meet(&mut self, instance: Option<InstanceId>, now: Instant) {
        if instance.is_none() || instance == self.instance {
            return;
        }
        self.instance = instance;
        if self.timeline.clear() {
            self.outbox.forget_places();
            self.pointers = Pointers::new(now);
            self.pulls = Pulls::new(now + Duration::from_millis(limits::RESUME_MS));
            self.events.push_back(Event::Restored);
        }
    }

    fn heads(&mut self, heads: &Heads, now: Instant) {
        for item in &heads.conversations {
            self.events.push_back(Event::Head(*item));
            if item.damaged {
                // Nothing of it can be had, so nothing is asked for.
                continue;
            }
            self.timeline.head(item);
            self.pulls.look(item.id, &self.timeline);
            self.pointers.head(item);
            self.pointers.delivered(item.id, self.timeline.have_of(item.id));
        }
        if !heads.more {
            // What the server sends by itself comes next. The answer to this comes behind it, and then it is our turn to ask.
            self.ping();
            self.link.resumed = Some(self.link.pings);
            self.pulls.wait(now + Duration::from_millis(limits::RESUME_MS));
        }
    }

    fn sent(&mut self, sent: Sent, now: Instant) {
        // One that is not known was sent twice, because the first answer was late; both answers are the same.
        let Some(message) = self.outbox.done(sent.conversation, sent.client_id, now) else {
            return;
        };
        if let Some(me) = self.link.ready {
            let entry = self.timeline.sent(&sent, me, &message);
            self.take(&entry);
            self.pulls.look(sent.conversation, &self.timeline);
        }
        self.events.push_back(Event::Sent(sent));
    }

    fn take(&mut self, entry: &Entry) {
        if self.timeline.entry(entry) == Applied::New {
            self.tell(entry.clone());
        }
    }

    fn entries(&mut self, frame: &Entries, now: Instant) {
        let asked = self.pulls.answered(frame.conversation);
        let rewound = frame.ahead && self.timeline.have_of(frame.conversation) > frame.head;
        for entry in self.timeline.entries(frame, asked.is_some()) {
            self.tell(entry);
        }
        if rewound {
            self.pointers.rewind(frame.conversation, frame.head);
            self.events.push_back(Event::Rewound { conversation: frame.conversation, head: frame.head });
        }
        self.pulls.look(frame.conversation, &self.timeline);
        if let Some(after) = asked {
            self.pulls.settle(frame.conversation, after, &self.timeline, now);
        }
    }

    /// A new entry: it has reached this device, and the program hears of it.
    fn tell(&mut self, entry: Entry) {
        let own = self.link.ready.is_some_and(|(me, _)| me == entry.sender);
        if own && matches!(entry.body, Body::Message(_)) {
            // A send reads up to itself, so the server knows; of what else one did it does not.
            self.pointers.known(entry.conversation, entry.seq, entry.seq);
        } else {
            self.pointers.delivered(entry.conversation, entry.seq);
        }
        self.events.push_back(Event::Entry(entry));
    }

    fn receipt(&mut self, receipt: Receipt) {
        if self.link.ready.is_some_and(|(me, _)| me == receipt.user) {
            self.pointers.known(receipt.conversation, receipt.delivered, receipt.read);
        }
        self.events.push_back(Event::Receipt(receipt));
    }

    fn conversation(&mut self, frame: ConversationFrame) {
        match frame.change {
            Change::Added => self.timeline.heard(frame.id, frame.rev),
            Change::Changed => {}
            Change::Left => self.timeline.left(frame.id),
        }
        self.pulls.look(frame.id, &self.timeline);
        self.events.push_back(Event::ConversationChanged(frame));
    }

    fn error(&mut self, error: ErrorFrame, now: Instant) {
        let again = now + error.retry_after_ms.map_or(Duration::from_millis(limits::SEND_AGAIN_MS), millis);
        if let Some(client_id) = error.client_id {
            let Some(conversation) = self.outbox.find(client_id) else { return };
            let full = error.code == Code::StorageFull;
            if error.code.retryable() && !error.damaged && (!full || self.outbox.found_full(conversation)) {
                self.outbox.again(conversation, error.retry_after_ms.map(millis), now);
            } else {
                self.outbox.done(conversation, client_id, now);
                let reason = error.detail.unwrap_or(error.title);
                self.events.push_back(Event::Failed { client_id, conversation, code: error.code, reason });
            }
        } else if error.reference.as_deref() == Some("sync") {
            if let Some(id) = error.conversation {
                let asked = self.pulls.answered(id);
                if error.code == Code::NotFound || error.damaged {
                    self.timeline.left(id);
                }
                if let Some(after) = asked.filter(|_| error.damaged) {
                    self.events.push_back(Event::Behind { conversation: id, after });
                }
                self.pulls.look(id, &self.timeline);
                // One that is to wait has not failed.
                if let Some(after) = asked.filter(|_| error.code != Code::RateLimited) {
                    self.pulls.settle(id, after, &self.timeline, now);
                }
            }
            self.pulls.wait(again);
        }
    }

    fn typing(&mut self, conversation: ConversationId, now: Instant) {
        self.active = true;
        let stands = |(last, until): (ConversationId, Instant)| last == conversation && now < until;
        if !self.typed.is_some_and(stands) {
            self.typed = Some((conversation, now + Duration::from_millis(limits::TYPING_MS)));
            self.say(ClientFrame::Typing(TypingIn { conversation }));
        }
    }

    fn watch(&mut self, watch: Watch) {
        let (users, conversations) = &mut self.watched;
        let mut fresh = Watch::default();
        for user in watch.users {
            if users.len() < WATCHED_USERS && users.insert(user) {
                fresh.users.push(user);
            }
        }
        for conversation in watch.conversations {
            if conversations.len() < WATCHED_CONVERSATIONS && conversations.insert(conversation) {
                fresh.conversations.push(conversation);
            }
        }
        if fresh != Watch::default() {
            self.say(ClientFrame::Watch(fresh));
        }
    }

    fn ping(&mut self) {
        self.link.pings += 1;
        self.frames.push(ClientFrame::Ping(Ping { active: std::mem::take(&mut self.active) }));
    }

    /// Says what is of no use later, where there is a connection.
    fn say(&mut self, frame: ClientFrame) {
        if self.link.ready.is_some() {
            self.frames.push(frame);
        }
    }

    /// The socket is closed.
    pub(super) fn lost(&mut self) {
        self.link.ready = None;
        self.frames.clear();
    }
}

fn millis(ms: u32) -> Duration {
    Duration::from_millis(ms.into())
}

fn leave(goaway: Goaway, now: Instant) -> Leave {
    let within = clock::random_part(millis(goaway.spread_ms));
    Leave { at: now + millis(goaway.reconnect_after_ms) + within, url: goaway.url }
}
