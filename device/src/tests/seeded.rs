//! A device on a network that loses, repeats and reorders frames and breaks connections, before a server that refuses,
//! forgets pointers and is restored from backups. All of it follows from a seed.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Range,
};

use kith_protocol::{InstanceId, frame::Receipt};

use super::*;
use crate::{Closed, Due, Ended, Next};

const SEEDS: u64 = 300;
const STEPS: usize = 250;
const ROOMS: u128 = 3;
/// Entries on a page of the server.
const PAGE: usize = 5;

/// Chance that a failing seed repeats.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (self.0 >> 33) % below
    }

    fn in_range(&mut self, range: Range<u64>) -> u64 {
        range.start + self.roll(range.end - range.start)
    }

    fn one_in(&mut self, times: u64) -> bool {
        self.roll(times) == 0
    }
}

/// The events that a run met; all of it must have been met often, or it has proved nothing.
#[derive(Debug, Default)]
struct Met {
    lost: u32,
    repeated: u32,
    reordered: u32,
    connections: u32,
    silences: u32,
    restores: u32,
    refusals: u32,
    failures: u32,
    answered_twice: u32,
}

/// The server's data: what a backup has.
#[derive(Clone, Default)]
struct Data {
    logs: BTreeMap<ConversationId, Vec<Entry>>,
    pointers: BTreeMap<ConversationId, (u64, u64)>,
}

/// The server, and what is on its way from it.
struct Server {
    data: Data,
    backup: Data,
    instance: u128,
    hello: bool,
    to_device: Vec<OnItsWay>,
}

/// A frame on its way to the device. One that is `firm` arrives, and nothing that was sent before it arrives later: what a
/// hello is answered with, and the pongs by which a device knows that it has all of that.
struct OnItsWay {
    frame: ServerFrame,
    firm: bool,
}

fn id(number: u128) -> ConversationId {
    ConversationId::new(Uuid::from_u128(number))
}

impl Server {
    fn instance(&self) -> Option<InstanceId> {
        Some(InstanceId::new(Uuid::from_u128(self.instance)))
    }

    fn head(&self, room: ConversationId) -> u64 {
        self.data.logs[&room].len() as u64
    }

    fn append(&mut self, room: ConversationId, sender: UserId, message: &NewMessage) -> Entry {
        let seq = self.head(room) + 1;
        let own = sender == anna();
        let text = message.text.clone();
        let entry = Entry {
            id: MessageId { conversation: room, seq },
            conversation: room,
            sender,
            device: own.then_some(ready().device),
            client_id: own.then_some(message.client_id),
            body: Body::Message(Text { text, reply_to: message.reply_to, ..Text::default() }),
            ..entry(seq)
        };
        self.data.logs.get_mut(&room).expect("a room").push(entry.clone());
        entry
    }

    fn say(&mut self, frame: ServerFrame) {
        self.to_device.push(OnItsWay { frame, firm: false });
    }

    fn say_firmly(&mut self, frame: ServerFrame) {
        self.to_device.push(OnItsWay { frame, firm: true });
    }

    fn page(&self, room: ConversationId, after: u64, limit: usize) -> ServerFrame {
        let head = self.head(room);
        let log = &self.data.logs[&room];
        let page: Vec<_> = log.iter().skip(after as usize).take(limit.min(PAGE)).cloned().collect();
        let more = after + (page.len() as u64) < head;
        ServerFrame::Entries(Entries { conversation: room, entries: page, head, more, ahead: after > head })
    }

    fn hello(&mut self, hello: &Hello) {
        let had: HashMap<_, _> = hello.have.iter().copied().collect();
        let items = self.data.logs.keys().map(|room| {
            let (delivered, read) = self.data.pointers.get(room).copied().unwrap_or_default();
            HeadItem { id: *room, read, ..head(self.head(*room), delivered) }
        });
        let instance = self.instance();
        let heads = Heads { conversations: items.collect(), more: false, instance };
        if !self.hello {
            self.say_firmly(ServerFrame::Ready(Ready { instance, ..ready() }));
        }
        self.hello = true;
        self.say_firmly(ServerFrame::Heads(heads));
        for room in self.data.logs.keys().copied().collect::<Vec<_>>() {
            let had = had.get(&room).copied().unwrap_or_default();
            if had != self.head(room) {
                self.say_firmly(self.page(room, had, PAGE));
            }
        }
    }

    fn raise(&mut self, room: ConversationId, delivered: u64, read: u64) {
        let (most, head) = (self.data.pointers.entry(room).or_default(), self.data.logs[&room].len() as u64);
        *most = (most.0.max(delivered).min(head), most.1.max(read).min(head));
        let receipt = Receipt {
            conversation: room,
            user: anna(),
            delivered: most.0,
            read: most.1,
            at: Timestamp::from_millis(1),
        };
        self.say(ServerFrame::Receipt(receipt));
    }

    fn take(&mut self, frame: ClientFrame, dice: &mut Dice, calm: bool, met: &mut Met) {
        match frame {
            ClientFrame::Hello(hello) => self.hello(&hello),
            ClientFrame::Ping(_) => self.say_firmly(ServerFrame::Pong(Pong { at: Timestamp::from_millis(1) })),
            ClientFrame::Sync(sync) => {
                let limit = sync.limit.map_or(PAGE, |limit| limit as usize);
                self.say(self.page(sync.conversation, sync.after, limit));
            }
            ClientFrame::Send(send) => self.send(&send, dice, calm, met),
            ClientFrame::Delivered(pointer) => self.raise(pointer.conversation, pointer.seq, 0),
            ClientFrame::Read(pointer) => self.raise(pointer.conversation, pointer.seq, pointer.seq),
            _ => {}
        }
    }

    fn send(&mut self, send: &SendFrame, dice: &mut Dice, calm: bool, met: &mut Met) {
        let log = &self.data.logs[&send.conversation];
        let known = log.iter().find(|entry| entry.client_id == Some(send.message.client_id)).map(|entry| entry.seq);
        let blocked = send.message.client_id.as_u128().is_multiple_of(11);
        if known.is_none() && (blocked || !calm && dice.one_in(5)) {
            met.refusals += 1;
            let passing = [Code::RateLimited, Code::Overloaded, Code::StorageFull][dice.roll(3) as usize];
            let code = if blocked { Code::Blocked } else { passing };
            return self.say(ServerFrame::Error(refusal(send, code)));
        }
        met.answered_twice += u32::from(known.is_some());
        let seq = known.unwrap_or_else(|| self.append(send.conversation, anna(), &send.message).seq);
        self.say(sent(send, seq));
        self.raise(send.conversation, seq, seq);
    }

    /// A backup of some time ago is all that there is.
    fn restore(&mut self) {
        self.data = self.backup.clone();
        self.instance += 1;
    }
}

/// The events that the program was told, and must be told.
#[derive(Default)]
struct Program {
    seen: BTreeMap<ConversationId, u64>,
    read: BTreeMap<ConversationId, u64>,
    /// Messages that are neither sent nor failed.
    open: BTreeSet<Uuid>,
    /// The order of the messages of each room, and those that were told to be sent since the last restore.
    order: BTreeMap<ConversationId, Vec<Uuid>>,
    sent: BTreeSet<Uuid>,
    failed: BTreeSet<Uuid>,
}

impl Program {
    fn told(&mut self, event: Event, server: &Server, seed: u64) {
        match event {
            Event::Entry(entry) => {
                let seen = self.seen.entry(entry.conversation).or_default();
                assert_eq!(entry.seq, *seen + 1, "seed {seed}: out of order");
                *seen = entry.seq;
            }
            Event::Restored => {
                self.seen.clear();
                self.read.clear();
                self.sent.clear();
            }
            Event::Sent(sent) => {
                assert!(self.open.remove(&sent.client_id), "seed {seed}: an answer without a question");
                self.sent.insert(sent.client_id);
            }
            Event::Failed { client_id, code, .. } => {
                assert!(self.open.remove(&client_id), "seed {seed}: a failure of nothing");
                self.failed.insert(client_id);
                let log = server.data.logs.values().flatten();
                let taken = log.clone().any(|entry| entry.client_id == Some(client_id));
                assert!(code == Code::StorageFull || !taken, "seed {seed}: it was sent");
            }
            Event::Rewound { .. } | Event::Stopped { .. } => panic!("seed {seed}: {event:?}"),
            _ => {}
        }
    }
}

struct World {
    seed: u64,
    dice: Dice,
    now: Instant,
    device: Device,
    /// The end of the pause, where there is no connection.
    pause: Option<Instant>,
    server: Server,
    program: Program,
    met: Met,
    /// True where nothing of the server reaches the device on this connection.
    mute: bool,
    calm: bool,
    named: u128,
    caught_up: bool,
}

impl World {
    fn new(seed: u64) -> Self {
        let now = Instant::now();
        let logs = (0..ROOMS).map(|room| (id(room), Vec::new())).collect();
        let data = Data { logs, ..Data::default() };
        Self {
            seed,
            dice: Dice(seed),
            now,
            device: Device::new(Config::new("token"), seed, now),
            pause: Some(now),
            server: Server { backup: data.clone(), data, instance: 1, hello: false, to_device: Vec::new() },
            program: Program::default(),
            met: Met::default(),
            mute: false,
            calm: false,
            named: 0,
            caught_up: false,
        }
    }

    fn room(&mut self) -> ConversationId {
        id(self.dice.roll(ROOMS as u64).into())
    }

    /// Something happens at one of the ends.
    fn happen(&mut self) {
        let room = self.room();
        match self.dice.roll(12) {
            0..4 => {
                let entry = self.server.append(room, bert(), &message(0, "from bert"));
                if self.server.hello {
                    self.server.say(ServerFrame::Entry(EntryFrame { conversation: room, entry }));
                }
            }
            4..7 => {
                self.named += 1;
                let message = message(self.named, "from anna");
                self.program.open.insert(message.client_id);
                self.program.order.entry(room).or_default().push(message.client_id);
                self.device.command(Command::Send(room, message), self.now);
            }
            7 => {
                let seen = self.program.seen.get(&room).copied().unwrap_or_default();
                let read = self.dice.in_range(0..seen + 1);
                let most = self.program.read.entry(room).or_default();
                *most = read.max(*most);
                self.device.command(Command::Read(room, read), self.now);
            }
            8 if self.dice.one_in(2) => self.server.backup = self.server.data.clone(),
            9 if self.dice.one_in(8) => {
                self.met.restores += 1;
                self.end(Ended::Closed(Closed::broken("a restore")));
                self.server.restore();
            }
            10 if self.dice.one_in(3) => self.end(Ended::Closed(Closed::broken("the network"))),
            _ => {}
        }
    }

    fn end(&mut self, how: Ended) {
        if self.pause.is_some() {
            return;
        }
        self.drop_connection(how);
    }

    fn drop_connection(&mut self, how: Ended) {
        self.server.hello = false;
        self.server.to_device.clear();
        let Next::Connect { after, .. } = self.device.ended(how, self.now) else { panic!("it stops") };
        self.pause = Some(self.now + after);
    }

    /// Connects where it is time to, says what is due, and brings some frames over.
    fn run(&mut self) {
        if self.pause.is_some_and(|until| until <= self.now) {
            if !self.calm && self.dice.one_in(4) {
                self.drop_connection(Ended::Unreached { reason: "nobody is there".into(), retry_after: None });
            } else {
                self.pause = None;
                self.met.connections += 1;
                self.mute = !self.calm && self.dice.one_in(8);
                self.device.opened(self.now);
            }
        }
        if self.pause.is_none() {
            match self.device.due(self.now) {
                Ok(()) => self.exchange(),
                Err(Due::Silent(closed)) => {
                    self.met.silences += 1;
                    self.end(Ended::Closed(closed));
                }
                Err(Due::Drained) => panic!("nobody asked it to go"),
            }
        }
        while let Some(event) = self.device.next_event() {
            self.caught_up |= event == Event::CaughtUp;
            self.program.told(event, &self.server, self.seed);
        }
    }

    fn exchange(&mut self) {
        for frame in self.device.take_frames() {
            let rough = !self.calm && !matches!(frame, ClientFrame::Hello(_));
            if rough && self.dice.one_in(12) {
                self.met.lost += 1;
                continue;
            }
            self.server.take(frame, &mut self.dice, self.calm, &mut self.met);
        }
        let count = if self.calm { u64::MAX } else { self.dice.roll(if self.mute { 1 } else { 6 }) };
        for _ in 0..count {
            let Some(frame) = self.next_frame() else { break };
            self.device.received(frame, self.now);
        }
    }

    /// The next frame that reaches the device, not always the one that was sent first.
    fn next_frame(&mut self) -> Option<ServerFrame> {
        let on_its_way = &mut self.server.to_device;
        while !self.calm && on_its_way.first().is_some_and(|first| !first.firm) {
            let loose = on_its_way.iter().take_while(|next| !next.firm).count();
            match self.dice.roll(16) {
                0 => {
                    self.met.lost += 1;
                    on_its_way.remove(0);
                }
                1 if !matches!(on_its_way[0].frame, ServerFrame::Error(_)) => {
                    self.met.repeated += 1;
                    return on_its_way.first().map(|first| first.frame.clone());
                }
                2..5 if loose > 1 => {
                    self.met.reordered += 1;
                    return Some(on_its_way.remove(self.dice.in_range(1..loose as u64) as usize).frame);
                }
                _ => break,
            }
        }
        (!on_its_way.is_empty()).then(|| on_its_way.remove(0).frame)
    }

    /// Nothing fails any longer: everything must come to its end.
    fn settle(&mut self) {
        self.end(Ended::Closed(Closed::broken("the last time")));
        (self.calm, self.caught_up) = (true, false);
        let end = self.now + Duration::from_secs(600);
        while self.now < end {
            self.run();
            let next = self.pause.unwrap_or_else(|| self.device.deadline(self.now));
            self.now = next.max(self.now + Duration::from_millis(1));
        }
    }

    fn check(&self) {
        let (seed, timeline, program) = (self.seed, self.device.timeline(), &self.program);
        assert!(self.caught_up, "seed {seed}: it never caught up");
        assert!(program.open.is_empty() && self.device.unsent() == 0, "seed {seed}: {:?} are open", program.open);
        for (room, log) in &self.server.data.logs {
            let kept: Vec<_> = timeline.log(*room).cloned().collect();
            assert_eq!(&kept, log, "seed {seed}");
            let head = log.len() as u64;
            assert_eq!(program.seen.get(room).copied().unwrap_or_default(), head, "seed {seed}");
            let (delivered, read) = self.server.data.pointers.get(room).copied().unwrap_or_default();
            assert_eq!(delivered, head, "seed {seed}: not all is told to be delivered");
            assert!(read >= program.read.get(room).copied().unwrap_or_default(), "seed {seed}: a read was lost");
            let order = program.order.get(room).cloned().unwrap_or_default();
            let mine: Vec<_> = log.iter().filter_map(|entry| entry.client_id).collect();
            let in_order: Vec<_> = order.iter().copied().filter(|name| mine.contains(name)).collect();
            assert_eq!(mine, in_order, "seed {seed}: doubled or out of order");
            let missing = order.iter().find(|name| program.sent.contains(name) && !mine.contains(name));
            assert_eq!(missing, None, "seed {seed}: sent and not there");
        }
        assert_eq!(program.sent.intersection(&program.failed).next(), None, "seed {seed}");
    }
}

#[test]
fn whatever_the_network_and_the_server_do_a_device_ends_with_the_log() {
    let mut all = Met::default();
    for seed in 0..SEEDS {
        let mut world = World::new(seed);
        for _ in 0..STEPS {
            world.happen();
            world.run();
            let pass = [0, 1, 50, 500, 5000][world.dice.roll(5) as usize];
            world.now += Duration::from_millis(pass);
        }
        world.settle();
        world.check();
        let Met { lost, repeated, reordered, connections, silences, restores, refusals, failures, answered_twice } =
            world.met;
        all.lost += lost;
        all.repeated += repeated;
        all.reordered += reordered;
        all.connections += connections;
        all.silences += silences;
        all.restores += restores;
        all.refusals += refusals;
        all.failures += failures + world.program.failed.len() as u32;
        all.answered_twice += answered_twice;
    }
    let seeds = SEEDS as u32;
    let often = [all.lost, all.repeated, all.reordered, all.connections, all.restores, all.refusals];
    assert!(often.iter().all(|times| *times >= 2 * seeds / 3), "{all:?}");
    let seldom = [all.silences, all.failures, all.answered_twice];
    assert!(seldom.iter().all(|times| *times >= seeds / 10), "{all:?}");
}
