//! A device against a server that follows a script.

use std::{collections::HashSet, time::Duration};

use futures_util::{SinkExt, StreamExt};
use kith_device::limits::EVENTS_BEHIND;
use kith_protocol::{
    Body, ClientFrame, DeviceId, Entry, MessageId, ServerFrame, Timestamp,
    entry::Text,
    frame::{Entries, EntryFrame, Goaway, Heads, Hello, Pong, Presence, Ready, Send as SendFrame, Sent, Sheddable},
    rest::{HeadItem, PresenceState},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc::Receiver,
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, accept_async,
    tungstenite::{Message, protocol::CloseFrame},
};

use super::*;

/// After so long a test has failed; none takes it.
const PATIENCE: Duration = Duration::from_secs(30);

fn anna() -> UserId {
    UserId::new(Uuid::from_u128(1))
}

fn bert() -> UserId {
    UserId::new(Uuid::from_u128(2))
}

fn room() -> ConversationId {
    ConversationId::new(Uuid::from_u128(7))
}

fn entry(seq: u64) -> Entry {
    Entry {
        id: MessageId { conversation: room(), seq },
        conversation: room(),
        seq,
        sender: bert(),
        device: None,
        client_id: None,
        at: Timestamp::from_millis(seq),
        true_at: None,
        expires_at: None,
        body: Body::Message(Text { text: format!("entry {seq}"), ..Text::default() }),
    }
}

fn head(head: u64, delivered: u64) -> HeadItem {
    HeadItem { id: room(), rev: 1, head, read: 0, delivered, unread: 0, mentions: 0, peer: None, damaged: false }
}

fn live(seq: u64) -> ServerFrame {
    ServerFrame::Entry(EntryFrame { conversation: room(), entry: entry(seq) })
}

fn entries(seqs: std::ops::RangeInclusive<u64>, head: u64) -> ServerFrame {
    let more = *seqs.end() < head;
    ServerFrame::Entries(Entries { conversation: room(), entries: seqs.map(entry).collect(), head, more, ahead: false })
}

fn delivered(seq: u64) -> ClientFrame {
    ClientFrame::Delivered(kith_protocol::frame::Pointer { conversation: room(), seq })
}

fn sent(send: &SendFrame, seq: u64) -> ServerFrame {
    let client_id = send.message.client_id;
    ServerFrame::Sent(Sent {
        client_id,
        conversation: send.conversation,
        seq,
        at: Timestamp::from_millis(seq),
        true_at: None,
    })
}

/// The listener to which devices connect.
struct Door(TcpListener);

/// The server's end of one connection.
struct Peer(WebSocketStream<TcpStream>);

impl Door {
    async fn open() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    fn url(&self) -> String {
        format!("http://{}", self.0.local_addr().unwrap())
    }

    /// A device that reconnects at once.
    fn device(&self) -> (Client, Events) {
        let mut config = Config::new("token");
        config.reconnect = (Duration::from_millis(1), Duration::from_millis(1));
        let (client, events) = Client::connect(Server::new(&self.url()).unwrap(), config);
        (client, Events(events))
    }

    async fn accept(&self) -> Peer {
        let (stream, _) = timeout(PATIENCE, self.0.accept()).await.expect("nobody connects").unwrap();
        Peer(accept_async(stream).await.unwrap())
    }

    /// Accepts, hears the hello and answers it.
    async fn welcome(&self, conversations: Vec<HeadItem>) -> (Peer, Hello) {
        let mut peer = self.accept().await;
        let ClientFrame::Hello(hello) = peer.hear().await else { panic!("no hello") };
        peer.say(ServerFrame::Ready(Ready {
            user: anna(),
            device: DeviceId::new(Uuid::from_u128(3)),
            node: "one".into(),
            heartbeat_ms: 10_000,
            degraded: Vec::new(),
            instance: None,
        }))
        .await;
        peer.say(ServerFrame::Heads(Heads { conversations, more: false, instance: None })).await;
        (peer, hello)
    }
}

impl Peer {
    async fn say(&mut self, frame: ServerFrame) {
        self.0.send(Message::text(serde_json::to_string(&frame).unwrap())).await.unwrap();
    }

    /// The next frame that is no ping; pings are answered.
    async fn hear(&mut self) -> ClientFrame {
        loop {
            let message = timeout(PATIENCE, self.0.next()).await.expect("the device is silent");
            let Message::Text(text) = message.unwrap().unwrap() else { continue };
            match ClientFrame::decode(&text).unwrap() {
                ClientFrame::Ping(_) => self.say(ServerFrame::Pong(Pong { at: Timestamp::from_millis(1) })).await,
                frame => return frame,
            }
        }
    }

    async fn hear_send(&mut self) -> SendFrame {
        match self.hear().await {
            ClientFrame::Send(send) => send,
            other => panic!("not a send: {other:?}"),
        }
    }

    async fn close(mut self, code: u16) {
        let frame = CloseFrame { code: code.into(), reason: "".into() };
        self.0.close(Some(frame)).await.unwrap();
        while let Some(Ok(_)) = self.0.next().await {}
    }
}

struct Events(Receiver<Event>);

impl Events {
    async fn next(&mut self) -> Event {
        timeout(PATIENCE, self.0.recv()).await.expect("nothing happens").expect("the task has ended")
    }

    /// Goes on to the first event that fits.
    async fn until<T>(&mut self, fits: impl Fn(Event) -> Option<T>) -> T {
        loop {
            if let Some(found) = fits(self.next().await) {
                return found;
            }
        }
    }

    /// The next so many entries.
    async fn seqs(&mut self, count: usize) -> Vec<u64> {
        let mut seqs = Vec::new();
        while seqs.len() < count {
            seqs.push(self.until(|event| if let Event::Entry(entry) = event { Some(entry.seq) } else { None }).await);
        }
        seqs
    }

    async fn disconnected(&mut self) -> Option<u16> {
        self.until(|event| if let Event::Disconnected { code, .. } = event { Some(code) } else { None }).await
    }
}

#[tokio::test]
async fn it_comes_back_with_what_it_has_and_tells_each_entry_once() {
    let door = Door::open().await;
    let (_client, mut events) = door.device();
    let (mut peer, hello) = door.welcome(vec![head(3, 0)]).await;
    assert_eq!((hello.token.as_deref(), hello.have), (Some("token"), vec![]));
    peer.say(entries(1..=3, 3)).await;
    assert_eq!(peer.hear().await, delivered(3));
    drop(peer);
    assert_eq!(events.seqs(3).await, [1, 2, 3]);
    assert_eq!(events.disconnected().await, Some(1006));

    let (mut peer, hello) = door.welcome(vec![head(5, 3)]).await;
    assert_eq!(hello.have, [(room(), 3)]);
    peer.say(entries(2..=5, 5)).await;
    assert_eq!(peer.hear().await, delivered(5));
    peer.close(4009).await;
    assert_eq!(events.seqs(2).await, [4, 5]);
    assert_eq!(events.disconnected().await, Some(4009));
    door.welcome(vec![head(5, 5)]).await;
}

#[tokio::test]
async fn what_was_not_answered_is_sent_again_under_its_name() {
    let door = Door::open().await;
    let (client, mut events) = door.device();
    let first = client.send(room(), "one").unwrap();
    let second = client.send(room(), "two").unwrap();
    assert_ne!(first, second);
    let (mut peer, _) = door.welcome(vec![]).await;
    let send = peer.hear_send().await;
    assert_eq!((send.message.client_id, send.message.text.as_str()), (first, "one"));
    drop(peer);
    let (mut peer, _) = door.welcome(vec![]).await;
    let again = peer.hear_send().await;
    assert_eq!(again, send);
    assert_eq!(client.unsent(), 2);
    peer.say(sent(&again, 1)).await;
    peer.say(sent(&again, 1)).await;
    let next = peer.hear_send().await;
    assert_eq!((next.message.client_id, next.message.text.as_str()), (second, "two"));
    peer.say(sent(&next, 2)).await;
    peer.say(live(2)).await;
    let (mut told, mut named) = (Vec::new(), Vec::new());
    while named.len() < 2 {
        match events.next().await {
            Event::Entry(entry) => told.push((entry.seq, entry.sender, entry.client_id)),
            Event::Sent(sent) => named.push(sent.client_id),
            _ => {}
        }
    }
    assert_eq!(named, [first, second]);
    assert_eq!(told, [(1, anna(), Some(first)), (2, anna(), Some(second))]);
    assert_eq!(client.unsent(), 0);
}

#[tokio::test]
async fn it_stops_where_the_token_is_of_no_use() {
    for code in [4004, 4100] {
        let door = Door::open().await;
        let (client, mut events) = door.device();
        let mut peer = door.accept().await;
        peer.hear().await;
        peer.close(code).await;
        assert_eq!(events.next().await, Event::Stopped { code });
        assert_eq!(timeout(PATIENCE, events.0.recv()).await.expect("it does not end"), None);
        assert_eq!(client.send(room(), "late"), Err(Refused::Stopped));
    }
}

#[tokio::test]
async fn it_goes_where_a_draining_server_sends_it_and_home_again() {
    let (door, other) = (Door::open().await, Door::open().await);
    let (client, mut events) = door.device();
    client.watch(vec![bert()], vec![room()]).unwrap();
    let (mut peer, _) = door.welcome(vec![]).await;
    let watch = peer.hear().await;
    assert!(matches!(&watch, ClientFrame::Watch(watch) if watch.users == [bert()] && watch.conversations == [room()]));
    let url = Some(other.url().replace("http", "ws"));
    peer.say(ServerFrame::Goaway(Goaway { reconnect_after_ms: 1, spread_ms: 1, url })).await;
    let gone = async { while let Some(Ok(_)) = peer.0.next().await {} };
    let ((), (mut peer, _)) = tokio::join!(gone, other.welcome(vec![]));
    assert_eq!(peer.hear().await, watch);
    assert_eq!(events.disconnected().await, None);
    drop((peer, other));
    door.welcome(vec![]).await;
}

#[tokio::test]
async fn a_server_that_drops_what_a_later_version_has_is_connected_to() {
    let door = Door::open().await;
    let (_client, mut events) = door.device();
    let mut peer = door.accept().await;
    peer.hear().await;
    let text = format!(
        r#"{{"t":"ready","user":"{}","device":"{}","node":"one","heartbeat_ms":10000,"degraded":["colour"]}}"#,
        anna(),
        DeviceId::new(Uuid::from_u128(3))
    );
    peer.0.send(Message::text(text)).await.unwrap();
    assert!(matches!(events.next().await, Event::Connected { .. }));
    assert_eq!(events.next().await, Event::Degraded(vec![Sheddable::Unknown]));
}

#[tokio::test]
async fn what_it_does_not_know_does_no_harm() {
    let door = Door::open().await;
    let (_client, mut events) = door.device();
    let (mut peer, _) = door.welcome(vec![]).await;
    let strange = serde_json::to_string(&live(2)).unwrap().replace(r#""kind":"message""#, r#""kind":"sealed""#);
    for text in [r#"{"t":"dance"}"#, r#"{"t":"degraded","shed":["colour"]}"#, "[", "{}"] {
        peer.0.send(Message::text(text)).await.unwrap();
    }
    peer.say(live(1)).await;
    peer.0.send(Message::text(strange)).await.unwrap();
    peer.say(live(3)).await;
    let presence = Presence { user: bert(), state: PresenceState::Online, last_seen: None };
    peer.say(ServerFrame::Presence(presence)).await;
    assert_eq!(events.seqs(3).await, [1, 2, 3]);
    assert_eq!(events.next().await, Event::Presence(presence));
}

#[tokio::test]
async fn a_program_that_does_not_listen_can_still_speak_and_misses_nothing() {
    const COUNT: u64 = (limits::EVENTS + EVENTS_BEHIND) as u64 + 500;
    let door = Door::open().await;
    let (client, mut events) = door.device();
    let (mut peer, _) = door.welcome(vec![]).await;
    let flood = async {
        for seq in 1..=COUNT {
            peer.say(live(seq)).await;
        }
    };
    let name = client.send(room(), "hello").unwrap();
    flood.await;
    client.look(|_| ()).await.unwrap();
    assert_eq!(events.seqs(COUNT as usize).await, (1..=COUNT).collect::<Vec<_>>());
    loop {
        match peer.hear().await {
            ClientFrame::Send(send) => break assert_eq!(send.message.client_id, name),
            other => assert!(matches!(other, ClientFrame::Delivered(_)), "{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_full_outbox_refuses_and_takes_again() {
    let door = Door::open().await;
    let (client, _events) = door.device();
    let names: HashSet<Uuid> = (0..limits::OUTBOX_MESSAGES).map(|_| client.send(room(), "x").unwrap()).collect();
    assert_eq!(names.len(), limits::OUTBOX_MESSAGES);
    assert_eq!(client.send(room(), "x"), Err(Refused::Full));
    let (mut peer, _) = door.welcome(vec![]).await;
    let send = peer.hear_send().await;
    peer.say(sent(&send, 1)).await;
    peer.hear_send().await;
    client.send(room(), "x").unwrap();
    client.close().await;
}
