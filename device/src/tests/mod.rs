//! A device without a socket: the frames of a server go in, time is passed on by hand.

mod scripted;
mod seeded;

use std::time::{Duration, Instant};

use kith_protocol::{
    Body, ClientFrame, Code, ConversationId, DeviceId, Entry, MessageId, ServerFrame, Timestamp, UserId, Uuid,
    entry::Text,
    frame::{
        Entries, EntryFrame, ErrorFrame, Heads, Hello, NewMessage, Pointer, Pong, Ready, Send as SendFrame, Sent, Sync,
    },
    rest::HeadItem,
};

use crate::{Command, Config, Device, Event};

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

fn heads(conversations: Vec<HeadItem>) -> ServerFrame {
    ServerFrame::Heads(Heads { conversations, more: false, instance: None })
}

fn sync(after: u64) -> ClientFrame {
    ClientFrame::Sync(Sync { conversation: room(), after, limit: None })
}

fn delivered(seq: u64) -> ClientFrame {
    ClientFrame::Delivered(Pointer { conversation: room(), seq })
}

/// A message under the name `id`.
pub(crate) fn message(id: u128, text: &str) -> NewMessage {
    NewMessage {
        client_id: Uuid::from_u128(id),
        text: text.into(),
        mentions: Vec::new(),
        reply_to: None,
        attachments: Vec::new(),
    }
}

fn refusal(send: &SendFrame, code: Code) -> ErrorFrame {
    ErrorFrame {
        code,
        title: code.title().into(),
        reference: Some("send".into()),
        client_id: Some(send.message.client_id),
        conversation: Some(send.conversation),
        pointer: None,
        detail: None,
        retry_after_ms: Some(1),
        damaged: false,
    }
}

fn sent(send: &SendFrame, seq: u64) -> ServerFrame {
    ServerFrame::Sent(Sent {
        client_id: send.message.client_id,
        conversation: send.conversation,
        seq,
        at: Timestamp::from_millis(seq),
        true_at: None,
    })
}

fn ready() -> Ready {
    Ready {
        user: anna(),
        device: DeviceId::new(Uuid::from_u128(3)),
        node: "one".into(),
        heartbeat_ms: 10_000,
        degraded: Vec::new(),
        instance: None,
    }
}

/// A connected device, and the time that it is told.
struct Desk {
    device: Device,
    now: Instant,
    said: Vec<ClientFrame>,
}

impl Desk {
    /// A device whose hello was answered with these heads.
    fn connected(conversations: Vec<HeadItem>) -> Self {
        let now = Instant::now();
        let mut desk = Self { device: Device::new(Config::new("token"), 1, now), now, said: Vec::new() };
        desk.connect(conversations);
        desk
    }

    /// Connects, again too; gives the hello.
    fn connect(&mut self, conversations: Vec<HeadItem>) -> Hello {
        self.said.clear();
        self.device.opened(self.now);
        let ClientFrame::Hello(hello) = self.device.take_frames().remove(0) else { panic!("no hello") };
        self.take(ServerFrame::Ready(ready()));
        self.take(heads(conversations));
        hello
    }

    fn take(&mut self, frame: ServerFrame) {
        self.device.received(frame, self.now);
    }

    fn command(&mut self, command: Command) {
        self.device.command(command, self.now);
    }

    /// Lets time pass until the device says something that is no ping; pings are answered.
    fn hear(&mut self) -> ClientFrame {
        self.listen(true)
    }

    /// The same, but the server is too slow to answer the pings.
    fn hear_unanswered(&mut self) -> ClientFrame {
        self.listen(false)
    }

    fn listen(&mut self, answering: bool) -> ClientFrame {
        for _ in 0..100 {
            self.device.due(self.now).expect("the connection stands");
            for frame in self.device.take_frames() {
                match frame {
                    ClientFrame::Ping(_) if answering => {
                        self.take(ServerFrame::Pong(Pong { at: Timestamp::from_millis(1) }));
                    }
                    ClientFrame::Ping(_) => {}
                    frame => self.said.push(frame),
                }
            }
            if !self.said.is_empty() {
                return self.said.remove(0);
            }
            self.now = self.device.deadline(self.now).max(self.now + Duration::from_millis(1));
        }
        panic!("the device is silent");
    }

    fn hear_send(&mut self) -> SendFrame {
        match self.hear() {
            ClientFrame::Send(send) => send,
            other => panic!("not a send: {other:?}"),
        }
    }

    /// Lets a minute pass in which the device says nothing but pings.
    fn quiet(&mut self) {
        let until = self.now + Duration::from_secs(60);
        while self.now < until {
            self.device.due(self.now).expect("the connection stands");
            for frame in self.device.take_frames() {
                assert!(matches!(frame, ClientFrame::Ping(_)), "{frame:?}");
                self.take(ServerFrame::Pong(Pong { at: Timestamp::from_millis(1) }));
            }
            self.now = self.device.deadline(self.now).max(self.now + Duration::from_millis(1));
        }
    }

    fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.device.next_event()).collect()
    }

    /// The seqs of the entries that were told since this was asked last.
    fn seqs(&mut self) -> Vec<u64> {
        let told = self.events().into_iter();
        told.filter_map(|event| if let Event::Entry(entry) = event { Some(entry.seq) } else { None }).collect()
    }
}
