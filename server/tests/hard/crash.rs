//! `kill -9` at random moments under load: nothing that was acknowledged is lost, doubled, reordered or holed.
//!
//! `KITH_CRASH_RESTARTS` is how many times, 20 unless told; `KITH_SEED` repeats a run's choices.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use kith_client::{Client, Config, Event, Rest, rest::Paging};
use kith_protocol::{
    Body, ConversationId, Entry, ServerFrame, UserId, Uuid, entry::ConversationKind, rest::NewParticipant,
};
use parking_lot::Mutex;
use tokio::{sync::mpsc, task::JoinSet, time::sleep};

use super::{
    chance::Chance,
    people::Person,
    program::{LIFTED, Program, alone, say, until},
};

/// The requests to the server, and its promises.
#[derive(Default)]
struct Ledger {
    asked: HashMap<Uuid, Asked>,
    promised: HashMap<Uuid, Promised>,
    /// Broken promises, as they were seen.
    broken: Vec<String>,
}

struct Asked {
    conversation: ConversationId,
    text: String,
    at: Instant,
}

struct Promised {
    seq: u64,
    at: Instant,
}

impl Ledger {
    fn promise(&mut self, client_id: Uuid, conversation: ConversationId, seq: u64) {
        let asked = self.asked.get(&client_id).is_some_and(|asked| asked.conversation == conversation);
        let before = self.promised.entry(client_id).or_insert(Promised { seq, at: Instant::now() });
        if !asked || before.seq != seq {
            self.broken.push(format!("{client_id} was sent as {conversation}.{seq}, after {}", before.seq));
        }
    }
}

/// The entries of each conversation, in the order in which they came.
type Heard = HashMap<ConversationId, Vec<(u64, Option<Uuid>)>>;

/// One device, and what it heard in the order in which it did.
struct Device {
    owner: usize,
    client: Client,
    heard: Arc<Mutex<Heard>>,
}

struct Fleet {
    people: Vec<Person>,
    devices: Vec<Device>,
    conversations: Vec<(ConversationId, Vec<usize>)>,
    ledger: Arc<Mutex<Ledger>>,
    stop: Arc<AtomicBool>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_acknowledged_is_lost_when_the_plug_is_pulled() {
    let _alone = alone().await;
    let mut chance = Chance::new("crash");
    let restarts = std::env::var("KITH_CRASH_RESTARTS").map_or(20, |text| text.parse().expect("a number"));
    let mut program = Program::started(LIFTED);
    let fleet = Fleet::gather(&program).await;
    let mut work = fleet.work(&program, &mut chance);
    for restart in 1..=restarts {
        sleep(Duration::from_millis(chance.within(150, 1500))).await;
        program.kill();
        if restart == restarts {
            program.verify(program.data());
        }
        sleep(Duration::from_millis(chance.within(0, 150))).await;
        program.start();
    }
    sleep(Duration::from_millis(500)).await;
    fleet.stop.store(true, Ordering::Relaxed);
    while let Some(done) = work.join_next().await {
        done.unwrap();
    }
    fleet.settle().await;
    let found = fleet.compare().await;
    say(&format!(
        "acknowledged {}, delivered {}, lost {}, doubled {}, reordered {}, holes {}, restarts {restarts}",
        found.acknowledged, found.delivered, found.lost, found.doubled, found.reordered, found.holes
    ));
    fleet.check_derived(&program).await;
    let broken = std::mem::take(&mut fleet.ledger.lock().broken);
    assert!(broken.is_empty(), "{broken:#?}");
    assert_eq!([found.lost, found.doubled, found.reordered, found.holes], [0; 4]);
    assert_eq!(found.delivered, found.acknowledged);
    assert!(found.acknowledged > 20 * restarts, "too few messages to prove anything");
    drop(fleet);
    assert_eq!(program.end().code(), Some(0));
    program.verify(program.data());
}

impl Fleet {
    /// Eight people, four of them with two devices, and a guest; direct conversations in a ring and two groups.
    async fn gather(program: &Program) -> Self {
        let people = Person::several(program, 9).await;
        let mut conversations = Vec::new();
        for one in 0..8 {
            let other = (one + 1) % 8;
            let id = people[one].converse(ConversationKind::Direct, &[&people[other]]).await;
            conversations.push((id, vec![one, other]));
        }
        for members in [vec![0, 1, 2, 3, 4, 5, 6, 7], vec![0, 2, 4, 6]] {
            let others: Vec<&Person> = members[1..].iter().map(|index| &people[*index]).collect();
            conversations.push((people[0].converse(ConversationKind::Group, &others).await, members));
        }
        let ledger = Arc::new(Mutex::new(Ledger::default()));
        let mut devices = Vec::new();
        for (owner, person) in people[..8].iter().enumerate() {
            devices.push(Device::connect(program, owner, &person.token, &ledger));
            if owner % 2 == 0 {
                let token = person.another_device(program).await;
                devices.push(Device::connect(program, owner, &token, &ledger));
            }
        }
        Self { people, devices, conversations, ledger, stop: Arc::default() }
    }

    fn of(&self, person: usize) -> Vec<ConversationId> {
        self.conversations.iter().filter(|(_, members)| members.contains(&person)).map(|(id, _)| *id).collect()
    }

    /// Everybody writes, on sockets and over REST; the first group's owner lets the guest in and out; somebody listens
    /// without a client that would repair what is missing.
    fn work(&self, program: &Program, chance: &mut Chance) -> JoinSet<()> {
        let mut work = JoinSet::new();
        for device in &self.devices {
            let writer = Writer {
                conversations: self.of(device.owner),
                ledger: self.ledger.clone(),
                stop: self.stop.clone(),
                chance: chance.split(),
            };
            work.spawn(writer.write(device.client.clone()));
        }
        for person in [1, 2, 5] {
            let writer = Writer {
                conversations: self.of(person),
                ledger: self.ledger.clone(),
                stop: self.stop.clone(),
                chance: chance.split(),
            };
            work.spawn(writer.post(self.people[person].rest.clone()));
        }
        let group = self.conversations[8].0;
        work.spawn(host(self.people[0].rest.clone(), group, self.people[8].id, self.stop.clone()));
        let listener = Listener {
            server: program.server(),
            token: self.people[1].token.clone(),
            ledger: self.ledger.clone(),
            stop: self.stop.clone(),
        };
        work.spawn(listener.listen());
        work
    }

    /// Waits until every device has everything.
    async fn settle(&self) {
        until("everything is sent", async || self.devices.iter().all(|device| device.client.unsent() == 0)).await;
        until("every sent is told", async || {
            let ledger = self.ledger.lock();
            ledger.asked.len() == ledger.promised.len() || !ledger.broken.is_empty()
        })
        .await;
        for device in &self.devices {
            for id in self.of(device.owner) {
                let head = self.people[device.owner].rest.conversation(id).await.unwrap().head;
                let what = format!("a device of user{} has {id} up to {head}", device.owner);
                until(&what, async || device.last(id) >= head).await;
            }
        }
    }

    /// Holds what every device heard, and the server's log, against every `sent`.
    async fn compare(&self) -> Found {
        let mut found = Found::default();
        let mut logs = HashMap::new();
        for (id, members) in &self.conversations {
            logs.insert(*id, self.people[members[0]].log(*id).await);
        }
        let ledger = self.ledger.lock();
        found.acknowledged = ledger.promised.len();
        for (id, log) in &logs {
            found.look_at_order(*id, log, &ledger);
        }
        let place = |client_id: &Uuid| (ledger.asked[client_id].conversation, ledger.promised[client_id].seq);
        let mut missing: HashMap<Uuid, usize> = HashMap::new();
        for client_id in ledger.promised.keys() {
            let (id, seq) = place(client_id);
            let entry = logs[&id].get(seq as usize - 1);
            let there = entry.is_some_and(|entry| {
                let text = matches!(&entry.body, Body::Message(body) if body.text == ledger.asked[client_id].text);
                text && entry.client_id == Some(*client_id) && entry.seq == seq
            });
            if !there {
                found.lost += 1;
            }
        }
        for device in &self.devices {
            let heard = device.heard.lock();
            for id in self.of(device.owner) {
                found.look_at_device(&heard[&id], &logs[&id], |client_id| *missing.entry(client_id).or_default() += 1);
            }
        }
        found.delivered = found.acknowledged - missing.len();
        found.lost += missing.len();
        found
    }

    /// Checks that what follows from the logs agrees with them.
    async fn check_derived(&self, program: &Program) {
        for (index, person) in self.people[..8].iter().enumerate() {
            for id in self.of(index) {
                let log = person.log(id).await;
                let mut members: Vec<UserId> = members(&log);
                let listed = person.rest.participants(id, &Paging::default()).await.unwrap().items;
                let mut listed: Vec<UserId> = listed.into_iter().map(|item| item.member.user).collect();
                members.sort();
                listed.sort();
                assert_eq!(members, listed, "members of {id}");
                let head = log.len() as u64;
                until("the pointers stand where the devices are", async || {
                    self.item(index, id).await.delivered == head
                })
                .await;
                let item = self.item(index, id).await;
                assert_eq!(item.head, head);
                let by_others = |entry: &&Entry| matches!(entry.body, Body::Message(_)) && entry.sender != person.id;
                let unread = log.iter().filter(by_others).filter(|entry| entry.seq > item.read).count();
                assert_eq!(item.unread, unread as u64, "unread of user{index} in {id}");
                for device in self.devices.iter().filter(|device| device.owner == index) {
                    device.client.read(id, head).unwrap();
                }
                until("everything is read", async || {
                    let item = self.item(index, id).await;
                    (item.read, item.unread) == (head, 0)
                })
                .await;
            }
        }
        assert!(program.metric("kith_connections").await.is_some());
    }

    async fn item(&self, person: usize, id: ConversationId) -> kith_protocol::rest::HeadItem {
        let page = self.people[person].rest.conversations(&Paging::default()).await.unwrap();
        page.items.into_iter().find(|item| item.head.id == id).expect("it is in the list").head
    }
}

impl Device {
    fn connect(program: &Program, owner: usize, token: &str, ledger: &Arc<Mutex<Ledger>>) -> Self {
        let reconnect = (Duration::from_millis(50), Duration::from_millis(400));
        let config = Config { reconnect, keep: usize::MAX, ..Config::new(token) };
        let (client, events) = Client::connect(program.server(), config);
        let device = Self { owner, client, heard: Arc::default() };
        tokio::spawn(hear(events, device.heard.clone(), ledger.clone()));
        device
    }

    fn last(&self, id: ConversationId) -> u64 {
        self.heard.lock().get(&id).and_then(|heard| heard.last()).map_or(0, |(seq, _)| *seq)
    }
}

async fn hear(mut events: mpsc::Receiver<Event>, heard: Arc<Mutex<Heard>>, ledger: Arc<Mutex<Ledger>>) {
    while let Some(event) = events.recv().await {
        match event {
            Event::Entry(entry) => {
                heard.lock().entry(entry.conversation).or_default().push((entry.seq, entry.client_id));
            }
            Event::Sent(sent) => ledger.lock().promise(sent.client_id, sent.conversation, sent.seq),
            Event::Failed { .. } | Event::Rewound { .. } | Event::Restored | Event::Stopped { .. } => {
                ledger.lock().broken.push(format!("{event:?}"));
            }
            _ => {}
        }
    }
}

struct Writer {
    conversations: Vec<ConversationId>,
    ledger: Arc<Mutex<Ledger>>,
    stop: Arc<AtomicBool>,
    chance: Chance,
}

impl Writer {
    /// Notes a message before it is sent.
    fn ask(&mut self) -> (ConversationId, kith_protocol::frame::NewMessage) {
        let conversation = *self.chance.pick(&self.conversations);
        let text = format!("{:x}", self.chance.within(0, u64::MAX)).repeat(self.chance.within(1, 30) as usize);
        let message = kith_client::connection::message(text.clone());
        let asked = Asked { conversation, text, at: Instant::now() };
        self.ledger.lock().asked.insert(message.client_id, asked);
        (conversation, message)
    }

    async fn write(mut self, client: Client) {
        while !self.stop.load(Ordering::Relaxed) {
            sleep(Duration::from_millis(self.chance.within(5, 60))).await;
            if client.unsent() > 20 {
                continue;
            }
            let (conversation, message) = self.ask();
            client.send_message(conversation, message).unwrap();
        }
    }

    async fn post(mut self, rest: Rest) {
        while !self.stop.load(Ordering::Relaxed) {
            let (conversation, message) = self.ask();
            loop {
                match rest.send_message(conversation, &message).await {
                    Ok(entry) => {
                        self.ledger.lock().promise(message.client_id, conversation, entry.seq);
                        break;
                    }
                    Err(error) if error.code().is_none_or(|code| code.retryable()) => {
                        sleep(Duration::from_millis(20)).await;
                    }
                    Err(error) => return self.ledger.lock().broken.push(format!("POST: {error}")),
                }
            }
        }
    }
}

/// Lets the guest in and out. What a crash swallowed is asked again; what happened already is refused, which is as good.
async fn host(rest: Rest, group: ConversationId, guest: UserId, stop: Arc<AtomicBool>) {
    while !stop.load(Ordering::Relaxed) {
        let _ = rest.add_participant(group, &NewParticipant { user: guest, role: None }).await;
        sleep(Duration::from_millis(100)).await;
        let _ = rest.remove_participant(group, guest).await;
        sleep(Duration::from_millis(100)).await;
    }
}

/// A listener that does not repair: on one socket the entries of a conversation come without a gap, from the head that was
/// told at its beginning on.
struct Listener {
    server: kith_client::Server,
    token: String,
    ledger: Arc<Mutex<Ledger>>,
    stop: Arc<AtomicBool>,
}

impl Listener {
    async fn listen(self) {
        let mut have: HashMap<ConversationId, u64> = HashMap::new();
        while !self.stop.load(Ordering::Relaxed) {
            let Ok(mut socket) = kith_client::Socket::connect(&self.server).await else {
                sleep(Duration::from_millis(20)).await;
                continue;
            };
            let list = have.iter().map(|(id, seq)| (*id, *seq)).collect();
            if socket.hello(&self.token, list).await.is_err() {
                continue;
            }
            let mut next: HashMap<ConversationId, u64> = HashMap::new();
            while !self.stop.load(Ordering::Relaxed) {
                let frame = tokio::time::timeout(Duration::from_millis(200), socket.receive()).await;
                let frame = match frame {
                    Err(_) => continue,
                    Ok(Err(_)) => break,
                    Ok(Ok(frame)) => frame,
                };
                match frame {
                    ServerFrame::Heads(heads) => {
                        next.extend(heads.conversations.iter().map(|item| (item.id, item.head + 1)));
                    }
                    ServerFrame::Entry(frame) => {
                        let seq = frame.entry.seq;
                        let expected = *next.entry(frame.conversation).or_insert(seq);
                        if seq != expected {
                            let what = format!("{} came as {seq} in place of {expected}", frame.conversation);
                            self.ledger.lock().broken.push(what);
                        }
                        next.insert(frame.conversation, seq + 1);
                        have.insert(frame.conversation, seq);
                    }
                    _ => {}
                }
            }
        }
    }
}

#[derive(Default)]
struct Found {
    acknowledged: usize,
    delivered: usize,
    lost: usize,
    doubled: usize,
    reordered: usize,
    holes: usize,
}

impl Found {
    /// The log of a conversation: dense, each client_id once, and what was acknowledged before another was asked for
    /// stands before it.
    fn look_at_order(&mut self, id: ConversationId, log: &[Entry], ledger: &Ledger) {
        let mut seen = HashMap::new();
        for (entry, seq) in log.iter().zip(1..) {
            self.holes += usize::from(entry.seq != seq || entry.conversation != id);
            if let Some(client_id) = entry.client_id {
                self.doubled += usize::from(seen.insert(client_id, seq).is_some());
            }
        }
        self.reordered += log.windows(2).filter(|pair| pair[1].at < pair[0].at).count();
        let mut earliest = None;
        for client_id in log.iter().rev().filter_map(|entry| entry.client_id) {
            let (Some(asked), Some(promised)) = (ledger.asked.get(&client_id), ledger.promised.get(&client_id)) else {
                // It is there and nobody was told so: a crash took the answer, and whoever asked must ask again.
                self.lost += 1;
                continue;
            };
            if earliest.is_some_and(|earliest| earliest < asked.at) {
                self.reordered += 1;
            }
            earliest = Some(earliest.map_or(promised.at, |earliest: Instant| earliest.min(promised.at)));
        }
    }

    /// Checks that what a device heard of a conversation is its log.
    fn look_at_device(&mut self, heard: &[(u64, Option<Uuid>)], log: &[Entry], mut missing: impl FnMut(Uuid)) {
        let mut last = 0;
        for (seq, _) in heard {
            match *seq {
                seq if seq == last => self.doubled += 1,
                seq if seq < last => self.reordered += 1,
                seq => self.holes += (seq - last - 1) as usize,
            }
            last = last.max(*seq);
        }
        let heard: HashMap<u64, Option<Uuid>> = heard.iter().copied().collect();
        for entry in log {
            if heard.get(&entry.seq) != Some(&entry.client_id)
                && let Some(client_id) = entry.client_id
            {
                missing(client_id);
            }
        }
    }
}

/// The members of a conversation, folded from its log.
fn members(log: &[Entry]) -> Vec<UserId> {
    let mut members = Vec::new();
    for entry in log {
        match &entry.body {
            Body::Created(created) => members.extend(created.members.iter().map(|member| member.user)),
            Body::MemberAdded(added) => members.push(added.user),
            Body::MemberRemoved(removed) => members.retain(|member| *member != removed.user),
            _ => {}
        }
    }
    members
}
