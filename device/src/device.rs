//! The decisions of a device: what it says when. Frames, commands and the time go in; frames and events come out.

use std::{
    collections::{BTreeSet, VecDeque},
    time::{Duration, Instant},
};

use kith_protocol::{
    Body, ClientFrame, Code, ConversationId, Entry, InstanceId, ServerFrame, UserId,
    frame::{
        Change, ConversationFrame, Entries, ErrorFrame, Goaway, Heads, Hello, Ping, Ready, Receipt, Sent, TypingIn,
        Watch,
    },
    limits::{WATCHED_CONVERSATIONS, WATCHED_USERS},
};

use crate::{
    Closed, Command, Due, Ended, Event, Next, Timeline,
    backoff::Backoff,
    chance::Chance,
    limits,
    link::{Leave, Link},
    outbox::Outbox,
    pointers::Pointers,
    pulls::Pulls,
    timeline::Applied,
};

/// The settings of a device, and what it has from before.
#[derive(Clone)]
pub struct Config {
    /// The device's token.
    pub token: String,
    /// The program's name and version, for the operator's statistics.
    pub program: Option<String>,
    /// The seqs that the device has from before, as [`Timeline::have`] gave them.
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
    pub fn new(token: impl Into<String>) -> Self {
        Self {
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

/// All that a device knows, connected or not.
pub struct Device {
    token: String,
    program: Option<String>,
    /// The instance whose seqs the timeline has.
    instance: Option<InstanceId>,
    timeline: Timeline,
    outbox: Outbox,
    pointers: Pointers,
    pulls: Pulls,
    watched: (BTreeSet<UserId>, BTreeSet<ConversationId>),
    typed: Option<(ConversationId, Instant)>,
    active: bool,
    link: Link,
    backoff: Backoff,
    chance: Chance,
    /// Frames to send now.
    frames: Vec<ClientFrame>,
    /// Events to tell.
    events: VecDeque<Event>,
}

impl Device {
    /// A device that is not connected. Retries are spread by `seed`, which differs from device to device.
    pub fn new(config: Config, seed: u64, now: Instant) -> Self {
        let mut timeline = Timeline::new(config.keep, config.backlog);
        for (id, seq) in &config.have {
            timeline.assume(*id, *seq);
        }
        Self {
            token: config.token,
            program: config.program,
            instance: config.instance,
            timeline,
            outbox: Outbox::default(),
            pointers: Pointers::new(now),
            pulls: Pulls::new(now),
            watched: (BTreeSet::new(), BTreeSet::new()),
            typed: None,
            active: false,
            link: Link::new(now),
            backoff: Backoff::new(config.reconnect),
            chance: Chance::new(seed),
            frames: Vec::new(),
            events: VecDeque::new(),
        }
    }

    /// A socket is open: says hello.
    pub fn opened(&mut self, now: Instant) {
        self.link = Link::new(now);
        self.timeline.reconnected();
        self.pulls.reconnected(now);
        self.outbox.reconnected(now);
        self.frames.clear();
        self.frames.push(ClientFrame::Hello(Hello {
            token: Some(self.token.clone()),
            have: self.timeline.have(),
            client: self.program.clone(),
            features: None,
        }));
    }

    /// The connection has ended, or none was made: tells the program, and says what follows.
    pub fn ended(&mut self, how: Ended, now: Instant) -> Next {
        if self.link.ready.take().is_some() && now - self.link.opened >= Duration::from_secs(limits::STEADY_S) {
            self.backoff.reset();
        }
        self.frames.clear();
        let leave = self.link.leave.take();
        let (code, reason, wait) = match how {
            Ended::Unreached { reason, retry_after } => (None, reason, retry_after),
            Ended::Closed(closed) if closed.is_final() => {
                self.events.push_back(Event::Stopped { code: closed.code });
                return Next::Stop;
            }
            Ended::Closed(closed) => {
                let asked = leave.as_ref().map(|leave| leave.at.saturating_duration_since(now));
                (Some(closed.code), closed.reason, asked)
            }
            Ended::Drained => (None, "the server drains".to_owned(), Some(Duration::ZERO)),
        };
        // What the server asked for is spread over its clients by the server.
        let retry_in = wait.unwrap_or_else(|| self.backoff.next(&mut self.chance));
        if !self.is_full() {
            self.events.push_back(Event::Disconnected { code, reason, retry_in });
        }
        Next::Connect { after: retry_in, url: leave.and_then(|leave| leave.url) }
    }

    /// The frames to send, in order; there are none without a connection.
    pub fn take_frames(&mut self) -> Vec<ClientFrame> {
        std::mem::take(&mut self.frames)
    }

    /// The next event to tell the program.
    pub fn next_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// True where an event waits.
    pub fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// True while [`limits::EVENTS_BEHIND`] events wait: frames are to be left with the network.
    pub fn is_full(&self) -> bool {
        self.events.len() >= limits::EVENTS_BEHIND
    }

    /// The number of messages that have neither been sent nor failed.
    pub fn unsent(&self) -> usize {
        self.outbox.len()
    }

    /// The conversations as this device has them.
    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// The server said something that cannot be read, or was not listened to: it is not silent.
    pub fn heard(&mut self, now: Instant) {
        self.link.heard = now;
    }

    /// Takes a command.
    pub fn command(&mut self, command: Command, now: Instant) {
        match command {
            Command::Send(id, message) => {
                self.active = true;
                self.outbox.add(id, message, now);
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
        }
    }

    /// Takes a frame of the server.
    pub fn received(&mut self, frame: ServerFrame, now: Instant) {
        self.link.heard = now;
        match frame {
            ServerFrame::Ready(ready) => self.ready(ready, now),
            ServerFrame::Heads(heads) => self.heads(&heads, now),
            ServerFrame::Pong(pong) => {
                // By the server's time: the clock of this machine may be days off.
                self.events.extend(self.timeline.expire(pong.at).into_iter().map(Event::Expired));
                self.link.pongs += 1;
                if self.link.resumed == Some(self.link.pongs) {
                    self.link.stale = false;
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
                self.link.resume = Some(now + self.chance.part(spread));
            }
            ServerFrame::Degraded(degraded) => self.events.push_back(Event::Degraded(degraded.shed)),
            ServerFrame::Goaway(goaway) => self.leave(goaway, now),
        }
    }

    /// Does what is due by now; [`Device::take_frames`] has what is to be said.
    ///
    /// # Errors
    /// [`Due`] when it is time to close the socket.
    pub fn due(&mut self, now: Instant) -> Result<(), Due> {
        if self.link.leave.as_ref().is_some_and(|leave| leave.at <= now) {
            return Err(Due::Drained);
        }
        if now >= self.link.silence() {
            return Err(Due::Silent(Closed::broken("the server says nothing")));
        }
        if self.link.ready.is_none() {
            return Ok(());
        }
        if self.link.resume.is_some_and(|at| at <= now) {
            self.link.resume = None;
            let hello = Hello { token: None, have: self.timeline.have(), ..Hello::default() };
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

    /// Returns the time at which [`Device::due`] has something to do, if nothing happens before.
    pub fn deadline(&self, now: Instant) -> Instant {
        let mut deadline = self.link.silence();
        if let Some(leave) = &self.link.leave {
            deadline = deadline.min(leave.at);
        }
        if self.link.ready.is_some() {
            let others = [self.link.resume, self.outbox.deadline(), self.pulls.deadline(now), self.pointers.deadline()];
            deadline = others.into_iter().flatten().fold(deadline.min(self.link.ping), Instant::min);
        }
        deadline
    }

    fn ready(&mut self, ready: Ready, now: Instant) {
        if self.link.ready.replace((ready.user, ready.device)).is_some() {
            return;
        }
        self.link.heartbeat = Duration::from_millis(u64::from(ready.heartbeat_ms).max(1));
        self.link.ping = now + self.chance.part(self.link.heartbeat);
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
            self.link.stale = true;
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
        let asked = if self.link.stale { None } else { self.pulls.answered(frame.conversation) };
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

    /// Goes when the server asked to, at a random moment of the time that it named.
    fn leave(&mut self, goaway: Goaway, now: Instant) {
        let within = self.chance.part(millis(goaway.spread_ms));
        let at = now + millis(goaway.reconnect_after_ms) + within;
        self.link.leave = Some(Leave { at, url: goaway.url });
    }
}

fn millis(ms: u32) -> Duration {
    Duration::from_millis(ms.into())
}
