//! Two keepers of one conversation in one process, each with its own memory, connections and handle on the store they share;
//! and the clients of both.

use std::{
    collections::{HashMap, VecDeque},
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use kith_protocol::{
    Code, ConversationId, DeviceId, Entry, InstanceId, ServerFrame, Timestamp, UserId, Uuid,
    entry::{ConversationKind, MemberRole, Role},
    frame::{self, NewMessage},
    limits::Limits,
    rest::{Privacy, Registration},
};
use tokio::task::{JoinSet, yield_now};

use super::super::{Change, Command, Conversations, Origin, rules::Rules};
use crate::{
    Error,
    account::{
        Accounts, Actor, InvitesBy, Settings,
        subscriptions::{self, Subscriptions},
    },
    delivery::{
        outbox::{Asker, Outbox, Taken},
        roster::Roster,
    },
    media::{self, Media, objects::Objects},
    room::Room,
    shed::{Bounds, Shed},
    store::{
        self, Direction, LogRange, Record, Store,
        faulty::{Chance, Counts, Faulty, Odds},
        schema::{self, User, Value},
    },
    trust::Newness,
};

/// The number of users; the first owns the conversation, and stays in it.
pub const USERS: usize = 4;
/// The time within which anything happens that is to happen at last.
const PATIENCE: Duration = Duration::from_secs(60);

/// The conversation of a world.
pub fn conversation() -> ConversationId {
    ConversationId::new(numbered(0, 1))
}

/// A user of a world.
pub fn user(number: usize) -> UserId {
    UserId::new(numbered(1, number as u64))
}

/// A UUIDv7 that is the same in every run.
fn numbered(kind: u64, number: u64) -> Uuid {
    let mut random = [0; 10];
    random[2..].copy_from_slice(&number.to_be_bytes());
    uuid::Builder::from_unix_timestamp_millis(1_700_000_000_000 + kind, &random).into_uuid()
}

/// The answer of a keeper to a question.
pub enum Answer {
    Sent(usize, Result<Record, Error>),
    Changed(Result<Record, Error>),
    Amended(Result<(), Error>),
    /// The head that somebody was told who asked when this seq had been acknowledged.
    Head(u64, Result<u64, Error>),
}

/// A process that takes the conversation for its own.
pub struct Keeper {
    pub store: Arc<Faulty>,
    pub conversations: Conversations,
    roster: Arc<Roster>,
    /// Questions that wait for their answers.
    pub asked: JoinSet<Answer>,
}

impl Keeper {
    fn new(store: Arc<Faulty>, rules: Rules) -> Self {
        let shared: Arc<dyn Store> = store.clone();
        let roster: Arc<Roster> = Arc::default();
        let (objects, room) = (Arc::new(Objects::in_memory()), Arc::new(Room::of("/nowhere".as_ref(), None)));
        let media = Arc::new(Media::new(shared.clone(), objects, room, media::Settings::default()));
        let subscriptions = Arc::new(Subscriptions::new(shared.clone(), subscriptions::Settings::default()));
        let settings = Settings {
            registration: Registration::Open,
            invites_by: InvitesBy::Everyone,
            limits: Limits::default(),
            newness: Newness::default(),
            signups_per_network: 1,
            signups: 1,
        };
        let accounts =
            Accounts::without_passwords(shared.clone(), roster.clone(), media.clone(), subscriptions.clone(), settings);
        let slow = Duration::from_secs(3600);
        let shed = Arc::new(Shed::new(Bounds { light: slow, receipts: slow, refuse: slow }));
        let conversations = Conversations::new(
            shared,
            Arc::new(accounts),
            media,
            subscriptions,
            roster.clone(),
            shed,
            Limits::default(),
        );
        Self { store, conversations: conversations.with_rules(rules), roster, asked: JoinSet::new() }
    }
}

/// A message that somebody wants to be sent.
pub struct Letter {
    pub user: usize,
    pub client_id: Uuid,
    pub text: String,
    pub mentions: Vec<UserId>,
    pub attempts: usize,
    /// At which keeper an attempt is under way, and where the log ended when it began.
    pub under_way: Option<(usize, u64)>,
    pub acknowledged: Option<u64>,
    /// True once it was refused for good.
    pub refused: bool,
}

impl Letter {
    pub fn is_done(&self) -> bool {
        self.acknowledged.is_some() || self.refused
    }
}

/// A device of a user at one of the keepers.
pub struct Client {
    pub user: usize,
    pub keeper: usize,
    outbox: Arc<Outbox>,
    /// Up to where it has the log.
    pub known: u64,
    /// The frames that it was given, in order.
    pub given: Vec<Given>,
    /// The letters that it sent for the first time since it connected.
    pub fresh: Vec<usize>,
    /// The pointers that it was told of since then, `delivered` and `read`.
    pub pointers: HashMap<UserId, (u64, u64)>,
}

/// A frame that a client was given.
pub enum Given {
    /// It connected anew, and the conversation was in the user's list, or was not.
    Connected(bool),
    /// An entry, pushed or in the answer to a hello.
    Entry(Box<Entry>),
    /// A message of its own is durable at this seq.
    Sent(u64),
    /// The conversation is in the user's list from now on.
    Added,
}

/// The two keepers, the store they share, and those who speak to them.
pub struct World {
    shared: Arc<dyn Store>,
    pub counts: Arc<Counts>,
    pub chance: Chance,
    odds: Odds,
    rules: Rules,
    pub keepers: Vec<Keeper>,
    pub clients: Vec<Client>,
    pub letters: Vec<Letter>,
    /// The letter of each client_id.
    named: HashMap<Uuid, usize>,
    /// The faults.
    pub wrong: Vec<String>,
    /// For each client the letters of a connection in the order in which they were sent for the first time, and answered then.
    pub in_order: Vec<Vec<usize>>,
    /// Records that were answered to those who asked for a change.
    pub changed: Vec<Record>,
    /// Letters that were refused for good, with why, and where the log ended when they were sent.
    pub refusals: Vec<(usize, Code, u64)>,
}

impl World {
    /// A world whose chances follow from `seed`, with the conversation begun, and every user connected to both keepers.
    pub async fn new(shared: Arc<dyn Store>, seed: u64, odds: Odds, rules: Rules) -> Self {
        for number in 0..USERS {
            people(&*shared, number).await;
        }
        let (chance, counts) = (Chance::new(seed), Arc::default());
        let mut world = Self {
            shared,
            counts,
            chance,
            odds,
            rules,
            keepers: Vec::new(),
            clients: Vec::new(),
            letters: Vec::new(),
            named: HashMap::new(),
            wrong: Vec::new(),
            in_order: Vec::new(),
            changed: Vec::new(),
            refusals: Vec::new(),
        };
        let founder = world.keeper(Odds::default());
        let members = (0..USERS).map(|number| {
            let role = if number == 0 { Role::Owner } else { Role::Member };
            MemberRole { user: user(number), role }
        });
        let change = Change::Create {
            kind: ConversationKind::Group,
            title: None,
            expire_after_s: None,
            members: members.collect(),
        };
        for number in 0..USERS {
            let brought =
                founder.conversations.context.bring(conversation(), ConversationKind::Group, user(number), user(0));
            brought.await.expect("a row of the list");
        }
        founder.conversations.request(actor(0, 0), conversation(), change).await.expect("a conversation");
        founder.conversations.stop().await;
        for keeper in 0..2 {
            let started = world.keeper(odds);
            world.keepers.push(started);
            for number in 0..USERS {
                world.clients.push(Client {
                    user: number,
                    keeper,
                    outbox: Arc::new(Outbox::new(0)),
                    known: 0,
                    given: Vec::new(),
                    fresh: Vec::new(),
                    pointers: HashMap::new(),
                });
            }
            world.open(keeper).await;
        }
        world
    }

    fn keeper(&mut self, odds: Odds) -> Keeper {
        let seed = self.chance.number();
        Keeper::new(Faulty::new(self.shared.clone(), seed, odds, self.counts.clone()), self.rules)
    }

    /// Has a keeper that has just started wake the conversation, and connects its clients.
    async fn open(&mut self, keeper: usize) {
        // One that nobody has woken gives nothing to those who are connected: an entry of the other one would pass it by.
        while self.keepers[keeper].conversations.ask(conversation(), Command::Recover).await.is_err() {}
        for client in 0..self.clients.len() {
            if self.clients[client].keeper == keeper {
                self.connect(client).await;
            }
        }
    }

    /// Connects a client anew, as a hello does that says what it has.
    async fn connect(&mut self, client: usize) {
        self.disconnect(client);
        let Client { user: number, keeper, known, .. } = self.clients[client];
        let Keeper { conversations, roster, .. } = &self.keepers[keeper];
        let (conversations, roster) = (conversations.clone(), roster.clone());
        let (outbox, listed) = loop {
            let outbox = Arc::new(Outbox::new(0));
            roster.identify(&outbox, user(number), actor(number, keeper).device);
            outbox.hold();
            roster.join(&outbox);
            let instance = InstanceId::new(numbered(3, 1));
            match conversations.resume(user(number), &vec![(conversation(), known)], instance).await {
                Ok(resume) => {
                    outbox.release(resume.frames, &resume.heads);
                    break (outbox, resume.heads.contains_key(&conversation()));
                }
                Err(_) => drop(roster.leave(&outbox)),
            }
        };
        self.clients[client].outbox = outbox;
        self.clients[client].pointers.clear();
        self.clients[client].given.push(Given::Connected(listed));
    }

    fn disconnect(&mut self, client: usize) {
        let Client { outbox, fresh, keeper, .. } = &mut self.clients[client];
        self.in_order.push(std::mem::take(fresh));
        if let Some(keeper) = self.keepers.get(*keeper) {
            keeper.roster.leave(outbox);
        }
    }

    /// Ends a keeper without a word, and starts another in its place.
    pub async fn crash(&mut self, keeper: usize) {
        self.keepers[keeper].store.kill();
        for letter in &mut self.letters {
            letter.under_way.take_if(|(at, _)| *at == keeper);
        }
        let started = self.keeper(self.odds);
        self.keepers[keeper] = started;
        self.open(keeper).await;
    }

    /// Ends a keeper as an operator does, and starts another in its place.
    pub async fn stop(&mut self, keeper: usize) {
        self.keepers[keeper].conversations.clone().stop().await;
        self.pass(0).await;
        self.crash(keeper).await;
    }

    /// Has nothing go wrong any more.
    pub fn calm(&mut self) {
        self.odds = Odds::default();
        self.keepers.iter().for_each(|keeper| keeper.store.set_odds(self.odds));
    }

    /// Returns the head of the log.
    pub async fn head(&self) -> u64 {
        self.shared.heads(vec![conversation()]).await.expect("a head").pop().flatten().map_or(0, |head| head.seq)
    }

    /// The whole log.
    pub async fn log(&self) -> Vec<Record> {
        let seqs = 1..=u64::MAX;
        let range = LogRange { log: conversation(), seqs, direction: Direction::Ascending, limit: usize::MAX };
        self.shared.read(vec![range]).await.expect("a log").remove(0)
    }

    /// The value of a row.
    pub async fn row<V: Value>(&self, partition: Vec<u8>, key: Vec<u8>) -> Option<V> {
        let row = self.shared.get(vec![store::RowKey { partition, key }]).await.expect("a row").pop().flatten()?;
        Some(V::decode(&row).expect("a row of its kind"))
    }

    /// A new letter of a user's.
    pub fn letter(&mut self, number: usize, mentions: Vec<UserId>) -> usize {
        let letter = self.letters.len();
        let client_id = numbered(2, letter as u64);
        let (text, acknowledged) = (format!("letter {letter}"), None);
        self.named.insert(client_id, letter);
        self.letters.push(Letter {
            user: number,
            client_id,
            text,
            mentions,
            attempts: 0,
            under_way: None,
            acknowledged,
            refused: false,
        });
        letter
    }

    /// Sends a letter from a client.
    pub async fn send(&mut self, letter: usize, client: usize) {
        let Client { user: number, keeper, .. } = self.clients[client];
        let message = self.begin(letter, keeper).await;
        if self.letters[letter].attempts == 1 {
            self.clients[client].fresh.push(letter);
        }
        let origin = Origin::Socket(Asker::new(self.clients[client].outbox.clone()));
        self.keepers[keeper].conversations.send(actor(number, keeper), conversation(), message, origin);
    }

    /// Sends a letter by REST.
    pub async fn post(&mut self, letter: usize, keeper: usize) {
        let message = self.begin(letter, keeper).await;
        let actor = actor(self.letters[letter].user, keeper);
        let conversations = self.keepers[keeper].conversations.clone();
        self.keepers[keeper].asked.spawn(async move {
            let sent = conversations.send_and_wait(actor, conversation(), message).await;
            Answer::Sent(letter, sent.map(|(record, _)| record))
        });
    }

    async fn begin(&mut self, letter: usize, keeper: usize) -> NewMessage {
        let head = self.head().await;
        let letter = &mut self.letters[letter];
        letter.attempts += 1;
        letter.under_way = Some((keeper, head));
        NewMessage {
            client_id: letter.client_id,
            text: letter.text.clone(),
            mentions: letter.mentions.clone(),
            reply_to: None,
            attachments: Vec::new(),
        }
    }

    /// Lets everybody else go on for a while, and hears what they say.
    pub async fn pass(&mut self, turns: u64) {
        for _ in 0..turns {
            yield_now().await;
        }
        let mut context = Context::from_waker(Waker::noop());
        self.hear_all(&mut context);
        self.judge_refusals().await;
    }

    /// Waits until everything that was asked has its answer.
    pub async fn settle(&mut self) {
        let settled = poll_fn(|context| {
            self.hear_all(context);
            let waits = self.letters.iter().any(|letter| letter.under_way.is_some())
                || self.keepers.iter().any(|keeper| !keeper.asked.is_empty());
            if waits { Poll::Pending } else { Poll::Ready(()) }
        });
        if tokio::time::timeout(PATIENCE, settled).await.is_err() {
            self.wrong.push("somebody was never answered".to_owned());
            self.letters.iter_mut().for_each(|letter| letter.under_way = None);
            self.keepers.iter_mut().for_each(|keeper| keeper.asked = JoinSet::new());
        }
        self.judge_refusals().await;
    }

    fn hear_all(&mut self, context: &mut Context<'_>) {
        for keeper in 0..self.keepers.len() {
            while let Poll::Ready(Some(answer)) = self.keepers[keeper].asked.poll_join_next(context) {
                self.answered(answer.expect("an answer"));
            }
        }
        for client in 0..self.clients.len() {
            let mut frames = VecDeque::new();
            let outbox = self.clients[client].outbox.clone();
            loop {
                match outbox.poll_take(0, &mut frames, context) {
                    Poll::Ready(Taken::Frames) => {}
                    Poll::Ready(Taken::Close(code)) => {
                        self.wrong.push(format!("client {client} was closed: {code:?}"));
                        break;
                    }
                    Poll::Pending => break,
                }
            }
            for frame in frames.iter().flat_map(|bytes| frames_of(bytes)) {
                self.heard(client, frame);
            }
        }
    }

    fn answered(&mut self, answer: Answer) {
        match answer {
            Answer::Sent(letter, Ok(record)) => self.acknowledged(letter, record.seq),
            Answer::Sent(letter, Err(error)) => self.refused(letter, error.code),
            Answer::Changed(Ok(record)) => self.changed.push(record),
            Answer::Changed(Err(error)) | Answer::Amended(Err(error)) if error.damaged => {
                self.wrong.push(format!("something is damaged: {error}"));
            }
            Answer::Head(least, Ok(head)) if head < least => {
                self.wrong.push(format!("the log ends at {head} for who asked after {least} was acknowledged"));
            }
            Answer::Changed(Err(_)) | Answer::Amended(_) | Answer::Head(..) => {}
        }
    }

    fn heard(&mut self, client: usize, frame: ServerFrame) {
        match frame {
            ServerFrame::Entry(frame) => self.given(client, frame.entry),
            ServerFrame::Entries(frame) if frame.ahead => {
                let known = self.clients[client].known;
                self.wrong.push(format!("client {client} has {known}, and the log ends at {}", frame.head));
            }
            ServerFrame::Entries(frame) => frame.entries.into_iter().for_each(|entry| self.given(client, entry)),
            ServerFrame::Sent(sent) => {
                let client = &mut self.clients[client];
                client.known = client.known.max(sent.seq);
                client.given.push(Given::Sent(sent.seq));
                self.acknowledged(self.named[&sent.client_id], sent.seq);
            }
            ServerFrame::Conversation(told) if told.change == frame::Change::Added => {
                self.clients[client].given.push(Given::Added);
            }
            ServerFrame::Receipt(receipt) => self.told_of(client, &receipt),
            ServerFrame::Error(error) => {
                if let Some(client_id) = error.client_id {
                    self.refused(self.named[&client_id], error.code);
                }
            }
            _ => {}
        }
    }

    fn given(&mut self, client: usize, entry: Entry) {
        let client = &mut self.clients[client];
        client.known = client.known.max(entry.seq);
        client.given.push(Given::Entry(Box::new(entry)));
    }
}

/// A user's device at a keeper.
pub fn actor(number: usize, keeper: usize) -> Actor {
    Actor { user: user(number), device: DeviceId::new(numbered(4, (2 * number + keeper) as u64)) }
}

/// Writes a user who is everybody's contact.
async fn people(store: &dyn Store, number: usize) {
    let row = User {
        username: format!("user{number}"),
        display_name: String::new(),
        about: None,
        avatar: None,
        email: None,
        phone: None,
        privacy: Privacy::default(),
        password: String::new(),
        created_at: Timestamp::default(),
        last_seen: None,
        erased: false,
        suspended: false,
        vouched: true,
    };
    let mut changes = vec![store::Change::Put(schema::user::profile(), row.encode())];
    let others = (0..USERS).filter(|other| *other != number);
    changes.extend(others.map(|other| store::Change::Put(schema::user::contact(user(other)), Default::default())));
    store.commit(schema::user::partition(user(number)), changes, Vec::new()).await.expect("a user");
}

/// The frames in what is written to a socket.
fn frames_of(mut bytes: &[u8]) -> Vec<ServerFrame> {
    let mut frames = Vec::new();
    while let [_, length, rest @ ..] = bytes {
        let (length, rest) = match length {
            126 => (usize::from(u16::from_be_bytes([rest[0], rest[1]])), &rest[2..]),
            127 => (u64::from_be_bytes(rest[..8].try_into().expect("8 bytes")) as usize, &rest[8..]),
            short => (usize::from(*short), rest),
        };
        frames.push(serde_json::from_slice(&rest[..length]).expect("a frame"));
        bytes = &rest[length..];
    }
    frames
}
