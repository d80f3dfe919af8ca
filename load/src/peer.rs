//! A stand-in for a server, so that the generator can be tried against one that is wrong in a chosen way.
//!
//! It keeps nothing, checks nothing, and speaks just enough of both doors; its frames are written by serde, which the generator does not use to read them.

use std::{cell::RefCell, collections::HashMap, net::SocketAddr, rc::Rc};

use kith_protocol::{
    Body, ClientFrame, Code, ConversationId, DeviceId, Entry, MessageId, ServerFrame, Timestamp, UserId, Uuid,
    entry::{ConversationKind, Text},
    frame::{Degraded, Entries, EntryFrame, ErrorFrame, Heads, Pong, Ready, Sent, Sheddable},
    rest::{HeadItem, NewConversation, PostMessage},
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::spawn_local,
};

use crate::wire::opcode;

/// The fault of the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Not at all.
    None,
    /// Nobody hears the entry with this seq.
    Lose(u64),
    /// Everybody hears it twice.
    Double(u64),
    /// Everybody hears it after the next one.
    Swap(u64),
    /// Its sender is cut off instead.
    Close(u64),
    /// Every so-manieth send is refused as overloaded.
    Refuse(u64),
    /// Announces that it drops typing, with every send.
    Shed,
    /// Nothing is read after the hello.
    Deaf,
}

struct Log {
    id: ConversationId,
    kind: ConversationKind,
    members: Vec<UserId>,
    entries: Vec<Entry>,
    sends: u64,
    kept_back: Option<Vec<u8>>,
}

struct World {
    fault: Fault,
    users: HashMap<String, UserId>,
    logs: Vec<Log>,
    sockets: Vec<(UserId, mpsc::UnboundedSender<Vec<u8>>)>,
}

type Shared = Rc<RefCell<World>>;

/// Starts a peer on a free port of this machine; it lives as long as the test's runtime.
pub async fn start(fault: Fault) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let world = World { fault, users: HashMap::new(), logs: Vec::new(), sockets: Vec::new() };
    let world = Rc::new(RefCell::new(world));
    spawn_local(async move {
        while let Ok((stream, _)) = listener.accept().await {
            spawn_local(serve(stream, world.clone()));
        }
    });
    address
}

async fn serve(mut stream: TcpStream, world: Shared) {
    let mut bytes = Vec::new();
    loop {
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4) else {
            if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                return;
            }
            continue;
        };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        if head.starts_with("GET /v1/socket ") {
            let accept = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                          Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
            stream.write_all(accept.as_bytes()).await.unwrap();
            return socket(stream, bytes.split_off(end), world).await;
        }
        let value = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("").trim().to_owned();
        let length: usize = value("Content-Length:").parse().unwrap();
        while bytes.len() < end + length {
            stream.read_buf(&mut bytes).await.unwrap();
        }
        let body: Vec<u8> = bytes.drain(..end + length).skip(end).collect();
        let user = world.borrow_mut().user(value("Authorization: Bearer"));
        let mut request = head.split(' ');
        let (method, path) = (request.next().unwrap(), request.next().unwrap());
        let answer = world.borrow_mut().answer(user, method, path, &body).to_string();
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{answer}", answer.len());
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn socket(stream: TcpStream, mut bytes: Vec<u8>, world: Shared) {
    let (mut read, mut write) = stream.into_split();
    let (out, mut outbox) = mpsc::unbounded_channel::<Vec<u8>>();
    spawn_local(async move {
        while let Some(frame) = outbox.recv().await {
            if write.write_all(&frame).await.is_err() {
                return;
            }
        }
    });
    let mut user = None;
    loop {
        while let Some((kind, payload, used)) = masked(&bytes) {
            bytes.drain(..used);
            if kind == opcode::CLOSE {
                return;
            }
            let frame = ClientFrame::decode(str::from_utf8(&payload).unwrap()).unwrap();
            if !world.borrow_mut().hear(&mut user, frame, &out) {
                return;
            }
            if world.borrow().fault == Fault::Deaf && kind == opcode::TEXT && payload.ends_with(br#""ping"}"#) {
                return std::future::pending().await;
            }
        }
        if read.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
    }
}

/// A client's frame, unmasked, and how many bytes it took.
fn masked(bytes: &[u8]) -> Option<(u8, Vec<u8>, usize)> {
    assert!(bytes.len() < 2 || bytes[1] & 0x80 != 0, "a client must mask");
    let (len, at) = match bytes.get(1)? & 0x7f {
        126 => (usize::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?)), 4),
        127 => (u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?) as usize, 10),
        len => (usize::from(len), 2),
    };
    let key: [u8; 4] = *bytes.get(at..)?.first_chunk()?;
    let payload = bytes.get(at + 4..at + 4 + len)?;
    let payload = payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
    Some((bytes[0] & 0x0f, payload, at + 4 + len))
}

fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x80 | kind];
    match payload.len() {
        len @ ..126 => bytes.push(len as u8),
        len @ ..65_536 => {
            bytes.push(126);
            bytes.extend((len as u16).to_be_bytes());
        }
        len => {
            bytes.push(127);
            bytes.extend((len as u64).to_be_bytes());
        }
    }
    bytes.extend(payload);
    bytes
}

fn text(said: &ServerFrame) -> Vec<u8> {
    frame(opcode::TEXT, &serde_json::to_vec(said).unwrap())
}

impl World {
    fn user(&mut self, token: String) -> UserId {
        let next = UserId::new(Uuid::from_u128(self.users.len() as u128 + 1));
        *self.users.entry(token).or_insert(next)
    }

    fn answer(&mut self, user: UserId, method: &str, path: &str, body: &[u8]) -> serde_json::Value {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let conversation = path.split('/').nth(3).unwrap_or_default();
        let log = self.logs.iter().position(|log| log.id.to_string() == conversation);
        if path == "/v1/search" {
            return self.find(user, query);
        }
        if path == "/v1/sessions" {
            return json!({});
        }
        match (method, path.split('/').nth(4), log) {
            ("GET", _, None) => json!({ "id": user }),
            ("POST", None, None) => {
                let new: NewConversation = serde_json::from_slice(body).unwrap();
                let members: Vec<UserId> = std::iter::once(user).chain(new.members).collect();
                let known = |log: &&Log| log.kind == ConversationKind::Direct && log.members == members;
                if new.kind == ConversationKind::Direct
                    && let Some(log) = self.logs.iter().find(known)
                {
                    return json!({ "id": log.id });
                }
                let id = ConversationId::new(Uuid::from_u128(self.logs.len() as u128 + 1000));
                let log = Log { id, kind: new.kind, members, entries: Vec::new(), sends: 0, kept_back: None };
                self.logs.push(log);
                let log = self.logs.len() - 1;
                self.append(log, user, None, "created");
                json!({ "id": id })
            }
            ("POST", Some("participants"), Some(log)) => {
                self.logs[log].members.push(user);
                self.append(log, user, None, "joined");
                json!({})
            }
            ("POST", Some("messages"), Some(log)) => {
                let message: PostMessage = serde_json::from_slice(body).unwrap();
                let seq = self.append(log, user, message.client_id, &message.text);
                json!({ "seq": seq })
            }
            ("GET", Some("messages"), Some(log)) => {
                let number = |name| -> usize {
                    query.split('&').find_map(|pair| pair.strip_prefix(name)).unwrap().parse().unwrap()
                };
                let (before, limit) = (number("before="), number("limit="));
                let end = (before - 1).min(self.logs[log].entries.len());
                json!({ "items": self.logs[log].entries[end.saturating_sub(limit)..end], "head": self.logs[log].entries.len() })
            }
            other => panic!("the peer has no {other:?}"),
        }
    }

    fn find(&self, user: UserId, query: &str) -> serde_json::Value {
        let word = query.split('&').find_map(|pair| pair.strip_prefix("q=")).unwrap();
        let own = self.logs.iter().filter(|log| log.members.contains(&user)).flat_map(|log| &log.entries);
        let found = own.filter(|entry| matches!(&entry.body, Body::Message(text) if text.text.contains(word)));
        json!({ "items": found.collect::<Vec<_>>() })
    }

    fn append(&mut self, log: usize, sender: UserId, client_id: Option<Uuid>, words: &str) -> u64 {
        let log = &mut self.logs[log];
        let seq = log.entries.len() as u64 + 1;
        log.entries.push(Entry {
            id: MessageId { conversation: log.id, seq },
            conversation: log.id,
            seq,
            sender,
            device: None,
            client_id,
            at: Timestamp::from_millis(seq),
            true_at: None,
            expires_at: None,
            body: Body::Message(Text { text: words.into(), ..Text::default() }),
        });
        seq
    }

    /// False where the connection is to end.
    fn hear(&mut self, user: &mut Option<UserId>, said: ClientFrame, out: &mpsc::UnboundedSender<Vec<u8>>) -> bool {
        let say = |said: &ServerFrame| out.send(text(said)).is_ok();
        match said {
            ClientFrame::Hello(hello) => {
                let me = self.user(hello.token.unwrap());
                *user = Some(me);
                self.sockets.push((me, out.clone()));
                self.greet(me, &hello.have, say);
                true
            }
            ClientFrame::Sync(sync) => {
                let log = self.logs.iter().find(|log| log.id == sync.conversation).unwrap();
                say(&entries(log, sync.after))
            }
            ClientFrame::Ping(_) => say(&ServerFrame::Pong(Pong { at: Timestamp::from_millis(1) })),
            ClientFrame::Send(send) => {
                let log = self.logs.iter().position(|log| log.id == send.conversation).unwrap();
                let sender = user.unwrap();
                self.logs[log].sends += 1;
                if matches!(self.fault, Fault::Refuse(every) if self.logs[log].sends.is_multiple_of(every)) {
                    return say(&ServerFrame::Error(ErrorFrame {
                        code: Code::Overloaded,
                        title: "busy".into(),
                        reference: Some("send".into()),
                        client_id: Some(send.message.client_id),
                        conversation: None,
                        pointer: None,
                        detail: None,
                        retry_after_ms: Some(100),
                        damaged: false,
                    }));
                }
                if self.fault == Fault::Shed {
                    say(&ServerFrame::Degraded(Degraded { shed: vec![Sheddable::Typing] }));
                }
                let client_id = send.message.client_id;
                let seq = self.append(log, sender, Some(client_id), &send.message.text);
                if self.fault == Fault::Close(seq) {
                    return out.send(frame(opcode::CLOSE, &4103u16.to_be_bytes())).is_err();
                }
                let sent = Sent {
                    client_id,
                    conversation: send.conversation,
                    seq,
                    at: Timestamp::from_millis(1),
                    true_at: None,
                };
                say(&ServerFrame::Sent(sent));
                self.deliver(log, sender);
                true
            }
            _ => true,
        }
    }

    /// Tells a user who has said hello where their logs are, and the entries that they lack.
    fn greet(&self, me: UserId, have: &[(ConversationId, u64)], say: impl Fn(&ServerFrame) -> bool) {
        let mine: Vec<&Log> = self.logs.iter().filter(|log| log.members.contains(&me)).collect();
        let heads = mine.iter().map(|log| HeadItem {
            id: log.id,
            rev: 1,
            head: log.entries.len() as u64,
            read: 0,
            delivered: 0,
            unread: 0,
            mentions: 0,
            peer: None,
            damaged: false,
        });
        let heads = Heads { conversations: heads.collect(), more: false, instance: None };
        let device = DeviceId::new(me.uuid());
        say(&ServerFrame::Ready(Ready {
            user: me,
            device,
            node: "peer".into(),
            heartbeat_ms: 10_000,
            degraded: Vec::new(),
            instance: None,
        }));
        say(&ServerFrame::Heads(heads));
        // The last one named gets nothing by itself: a client has to ask for it.
        for (id, have) in have.iter().rev().skip(1) {
            let log = mine.iter().find(|log| log.id == *id).unwrap();
            say(&entries(log, *have));
        }
    }

    /// Gives the last entry to every socket of every other member, or does wrong.
    fn deliver(&mut self, log: usize, sender: UserId) {
        let log = &mut self.logs[log];
        let entry = log.entries.last().unwrap().clone();
        let seq = entry.seq;
        let mut bytes = text(&ServerFrame::Entry(EntryFrame { conversation: log.id, entry }));
        if self.fault == Fault::Lose(seq) {
            return;
        }
        if self.fault == Fault::Double(seq) {
            bytes.extend(bytes.clone());
        }
        if self.fault == Fault::Swap(seq) {
            log.kept_back = Some(bytes);
            return;
        }
        bytes.extend(log.kept_back.take().unwrap_or_default());
        for (user, socket) in &self.sockets {
            if *user != sender && log.members.contains(user) {
                let _gone_already = socket.send(bytes.clone());
            }
        }
    }
}

fn entries(log: &Log, have: u64) -> ServerFrame {
    let head = log.entries.len() as u64;
    let entries = log.entries[(have as usize).min(log.entries.len())..].to_vec();
    ServerFrame::Entries(Entries { conversation: log.id, entries, head, more: false, ahead: have > head })
}
