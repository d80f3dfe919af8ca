//! A restored backup: seqs are given again, to other entries, and no device keeps what the log has not.

use std::{
    cell::Cell,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use kith_client::{
    Client, Config, Event, Server, Timeline,
    rest::{Paging, Place, Search},
};
use kith_protocol::{
    Body, Code, ConversationId, Entry, InstanceId, ServerFrame,
    frame::{Entries, Hello, NewMessage},
    rest::Info,
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
    time::timeout,
};

use super::world::{MOMENT, Person, SOON, Wire, World, code, text, words};

/// An address that leads to the server wherever that listens now, or nowhere.
struct Gate {
    address: SocketAddr,
    leads: watch::Sender<Option<String>>,
}

impl Gate {
    async fn to(world: &World) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (leads, to) = watch::channel(Some(world.authority()));
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let Some(server) = to.borrow().clone() else { continue };
                tokio::spawn(async move {
                    let mut server = TcpStream::connect(server).await?;
                    copy_bidirectional(&mut client, &mut server).await
                });
            }
        });
        Self { address, leads }
    }

    fn shut(&self) {
        self.leads.send_replace(None);
    }

    fn open(&self, world: &World) {
        self.leads.send_replace(Some(world.authority()));
    }
}

/// A device that stays connected, through the gate.
struct Device {
    client: Client,
    events: mpsc::Receiver<Event>,
    instance: Option<InstanceId>,
}

impl Device {
    fn new(gate: &Gate, person: &Person) -> Self {
        Self::with(gate, person, Vec::new(), None)
    }

    /// One that has something from before.
    fn with(gate: &Gate, person: &Person, have: Vec<(ConversationId, u64)>, instance: Option<InstanceId>) -> Self {
        let server = Server::new(&format!("http://{}", gate.address)).unwrap();
        let reconnect = (Duration::from_millis(10), Duration::from_millis(100));
        let (client, events) =
            Client::connect(server, Config { have, instance, reconnect, ..Config::new(&person.token) });
        Self { client, events, instance: None }
    }

    /// The events up to one of a kind, with it.
    async fn until(&mut self, is_it: impl Fn(&Event) -> bool) -> Vec<Event> {
        let mut seen = Vec::new();
        let come = async {
            loop {
                let event = self.events.recv().await.expect("it stays connected");
                if let Event::Connected { instance, .. } = &event {
                    self.instance = *instance;
                }
                seen.push(event);
                if seen.last().is_some_and(&is_it) {
                    break;
                }
            }
        };
        assert!(timeout(SOON, come).await.is_ok(), "what was waited for did not come: {seen:?}");
        seen
    }

    async fn caught_up(&mut self) -> Vec<Event> {
        self.until(|event| *event == Event::CaughtUp).await
    }

    async fn hears(&mut self, conversation: ConversationId, seq: u64) {
        self.until(|event| matches!(event, Event::Entry(it) if it.conversation == conversation && it.seq == seq)).await;
    }

    async fn look<T: Send + 'static>(&self, look: impl FnOnce(&Timeline) -> T + Send + 'static) -> T {
        self.client.look(look).await.unwrap()
    }

    /// Nothing is here but what the log has.
    async fn agrees(&self, person: &Person, conversation: ConversationId) {
        let kept: Vec<Entry> = self.look(move |timeline| timeline.log(conversation).cloned().collect()).await;
        assert_eq!(said(&kept), said(&person.log(conversation).await), "{}", person.name);
    }
}

fn said(log: &[Entry]) -> Vec<(u64, String)> {
    log.iter().map(|entry| (entry.seq, words(entry).to_owned())).collect()
}

/// Runs the program itself.
async fn kith(arguments: &[&str], data: &Path) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kith"));
    command.args(arguments).arg("--data").arg(data);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// Copies what is kept, beside the server.
async fn backup(world: &World) -> PathBuf {
    let to = world.data_dir().with_file_name("backup");
    kith(&["backup", to.to_str().unwrap()], world.data_dir()).await;
    to
}

/// Puts the backup in the place of what is kept, and starts a server on it.
async fn restore(world: &mut World, backup: &Path, people: &mut [&mut Person]) {
    world.stop().await;
    fs::rename(world.data_dir(), world.data_dir().with_file_name("lost")).unwrap();
    kith(&["restore", backup.to_str().unwrap()], world.data_dir()).await;
    world.restart(people).await;
}

async fn instance(world: &World) -> InstanceId {
    let info: Info = world.guest().info().await.unwrap();
    info.instance.expect("a server says its instance")
}

/// Waits until something is so.
async fn soon(is_so: impl AsyncFn() -> bool) {
    let until = Instant::now() + SOON;
    while !is_so().await {
        assert!(Instant::now() < until, "it does not become so");
        tokio::time::sleep(MOMENT).await;
    }
}

/// Says ten things in each conversation; each device hears those of its own, of which it has the head first.
async fn say_ten(who: &Person, devices: &mut [(Device, Vec<ConversationId>)]) {
    let mut conversations: Vec<_> = devices.iter().flat_map(|(_, conversations)| conversations.clone()).collect();
    conversations.sort_unstable();
    conversations.dedup();
    for n in 0..10 {
        for conversation in &conversations {
            let seq = who.say(*conversation, format!("lost {n}")).await.seq;
            for (device, heard) in &mut *devices {
                if heard.contains(conversation) {
                    device.hears(*conversation, seq).await;
                }
            }
        }
    }
}

#[tokio::test]
async fn no_device_keeps_what_a_restored_log_has_not() {
    let mut world = World::start().await;
    let [mut anna, mut bert, mut cleo] = world.people(["anna", "bert", "cleo"]).await;
    let gate = Gate::to(&world).await;
    let (direct, group) = (anna.direct(&bert).await, anna.group(&[&bert, &cleo]).await);
    for conversation in [direct, group] {
        for n in 0..5 {
            anna.say(conversation, format!("before {n}")).await;
        }
    }
    let first = instance(&world).await;
    let backup = backup(&world).await;

    // Cleo's device goes away with what is lost, and keeps it.
    let of = |person: &Person, conversations: &[ConversationId]| (Device::new(&gate, person), conversations.to_vec());
    let mut devices = [of(&anna, &[direct, group]), of(&bert, &[direct, group]), of(&cleo, &[group])];
    for (device, _) in &mut devices {
        device.caught_up().await;
        assert_eq!(device.instance, Some(first));
    }
    say_ten(&bert, &mut devices).await;
    let lost = bert.log(group).await.last().unwrap().seq;
    let [(mut of_anna, _), (mut of_bert, _), (of_cleo, _)] = devices;
    of_bert.agrees(&bert, group).await;
    of_anna.client.read(group, lost).unwrap();
    let have = of_cleo.look(Timeline::have).await;
    of_cleo.client.close().await;

    gate.shut();
    restore(&mut world, &backup, &mut [&mut anna, &mut bert, &mut cleo]).await;
    for device in [&mut of_anna, &mut of_bert] {
        device.until(|event| matches!(event, Event::Disconnected { .. })).await;
    }
    // The log grows past what was lost, with other texts, and something is not sent yet.
    let unsent = NewMessage { reply_to: Some(lost), ..text("unsent") };
    let unsent = of_anna.client.send_message(direct, unsent).unwrap();
    for conversation in [direct, group] {
        while bert.log(conversation).await.last().unwrap().seq < lost + 3 {
            bert.say(conversation, "after").await;
        }
    }
    gate.open(&world);
    let missing = Cell::new(2);
    let is_it = |event: &Event| *event == Event::CaughtUp || matches!(event, Event::Sent(it) if it.client_id == unsent);
    of_anna.until(|event| is_it(event) && missing.replace(missing.get() - 1) == 1).await;

    let second = instance(&world).await;
    assert_ne!(second, first);
    let knows = Device::with(&gate, &cleo, have.clone(), Some(first));
    let does_not_know = Device::with(&gate, &cleo, have, None);
    for (mut device, person) in [(of_bert, &bert), (knows, &cleo), (does_not_know, &cleo)] {
        let events = device.caught_up().await;
        device.agrees(person, group).await;
        assert_eq!(events.iter().filter(|event| **event == Event::Restored).count(), 1, "{}", person.name);
        assert_eq!(device.instance, Some(second));
    }
    for conversation in [direct, group] {
        of_anna.agrees(&anna, conversation).await;
    }
    // It is there once, and answers nothing else than was meant.
    let log = anna.log(direct).await;
    let own: Vec<_> = log.iter().filter(|entry| entry.client_id == Some(unsent)).collect();
    assert!(
        matches!(&own[..], [entry] if matches!(&entry.body, Body::Message(it) if it.reply_to.is_none())),
        "{own:?}"
    );
}

#[tokio::test]
async fn a_restart_is_no_restore() {
    let mut world = World::start().await;
    let [anna, mut bert] = world.people(["anna", "bert"]).await;
    let gate = Gate::to(&world).await;
    let direct = anna.direct(&bert).await;
    anna.say(direct, "hello").await;
    let before = instance(&world).await;
    let mut device = Device::new(&gate, &bert);
    device.caught_up().await;
    gate.shut();
    world.restart(&mut [&mut bert]).await;
    gate.open(&world);
    let events = device.caught_up().await;
    assert!(!events.contains(&Event::Restored), "{events:?}");
    assert_eq!((device.instance, instance(&world).await), (Some(before), before));
    device.agrees(&bert, direct).await;
}

#[tokio::test]
async fn what_names_a_place_above_a_restored_head_is_answered() {
    let mut world = World::start().await;
    let [mut anna, mut bert] = world.people(["anna", "bert"]).await;
    let direct = anna.direct(&bert).await;
    anna.say(direct, "one marked word").await;
    let head = anna.say(direct, "another marked word").await.seq;
    let search = Search { words: "marked".to_owned(), ..Search::default() };
    let paging = |cursor, limit| Paging { cursor, limit };
    let found = async |bert: &Person| bert.rest.search(&search, &paging(None, None)).await.unwrap().items.len();
    soon(async || found(&bert).await == 2).await;
    let backup = backup(&world).await;
    for n in 0..5 {
        anna.say(direct, format!("lost {n}")).await;
    }
    let above = head + 5;
    let first = bert.rest.search(&search, &paging(None, Some(1))).await.unwrap();
    let poll = bert.rest.open_poll().await.unwrap().poll;
    restore(&mut world, &backup, &mut [&mut anna, &mut bert]).await;

    assert_eq!(code(bert.rest.poll(poll, 0, 50).await), Some(Code::NotFound));
    let page = bert.rest.log(direct, Place::After(above), None).await.unwrap();
    assert_eq!((page.items.len(), page.head, page.more), (0, head, Some(false)));
    let page = bert.rest.messages(direct, Place::After(above), None).await.unwrap();
    assert_eq!((page.items.len(), page.head, page.more), (0, head, Some(false)));

    // The index is made anew, and a cursor goes on where its page ended.
    soon(async || found(&bert).await == 2).await;
    let second = bert.rest.search(&search, &paging(first.next_cursor, None)).await.unwrap();
    let seqs = [first.items, second.items].concat().iter().map(|item| item.message.entry.seq).collect::<Vec<_>>();
    assert_eq!(seqs, [head, head - 1]);

    // A pointer means the head, and what is said next is unread.
    let mut wire = Wire::open(bert.rest.server()).await;
    wire.socket.hello(&bert.token, vec![(direct, above)]).await.unwrap();
    let ServerFrame::Ready(ready) = wire.next().await else { panic!("the answer to hello is ready") };
    let ServerFrame::Heads(heads) = wire.next().await else { panic!("heads follow ready") };
    let here = Some(instance(&world).await);
    assert_eq!((ready.instance, heads.instance), (here, here));
    let ahead = Entries { conversation: direct, entries: Vec::new(), head, more: false, ahead: true };
    assert_eq!(wire.entries().await, ahead);
    assert_eq!(wire.sync(direct, above, None).await, ahead);
    wire.read(direct, above).await;
    wire.so_far().await;
    anna.say(direct, "after").await;
    assert_eq!(wire.entry().await.seq, head + 1);
    wire.say(kith_protocol::ClientFrame::Hello(Hello { token: None, have: Vec::new(), ..Hello::default() })).await;
    let again = wire
        .find(|frame| match frame {
            ServerFrame::Heads(heads) => Some(heads.clone()),
            _ => None,
        })
        .await;
    let item = again.conversations[0];
    assert_eq!((again.instance, item.read, item.delivered, item.unread), (here, head, head, 1));
}
