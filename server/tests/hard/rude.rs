//! Strangers without manners: memory stays bounded, they are shown out, and others do not notice.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use kith_client::{Client, Config, Event};
use kith_protocol::entry::ConversationKind;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::{interval, sleep},
};

use super::{
    chance::Chance,
    people::Person,
    program::{Program, alone, say, until},
};

/// Bytes by which the server may grow: a debug build, with twenty queues filled to their bound among others.
const GROWTH_BYTES: u64 = 200 * 1024 * 1024;
/// Sockets that never read.
const DEAF: usize = 20;

const CONFIG: &str = "heartbeat_ms = 5000
drain_s = 0
[limits]
sends_per_s = 1000000
sends_burst = 1000000
requests_per_s = 1000000
requests_burst = 1000000
signins_per_min = 1000000
conversations = 1000000
begins_per_day = 1000000
new_account_hours = 0
stranger_directs_per_day = 1000000
stranger_groups_per_day = 1000000
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rude_are_shown_out_and_nobody_else_notices() {
    let _alone = alone().await;
    let mut chance = Chance::new("rude");
    let mut program = Program::started(CONFIG);
    let people = Person::several(&program, 4).await;
    let chat = Chat::begin(&program, &people[0], &people[1]).await;
    until("they chat", async || chat.rounds() > 5).await;
    let (rss, files) = (program.rss_bytes(), program.open_files());
    let connections = 2.0;
    until("the two are counted", async || program.metric("kith_connections").await == Some(connections)).await;

    // All keep their end open: it is the server that must part with them.
    let mut rude = Vec::new();
    for _ in 0..DEAF {
        rude.push(greeted(&program, &people[2].token).await);
    }
    let group = people[3].converse(ConversationKind::Group, &[&people[2]]).await;
    let text = "x".repeat(16 * 1024);
    let before = chat.rounds();
    until("those who never read are found", async || {
        for _ in 0..50 {
            people[3].rest.send_message(group, &kith_client::connection::message(&text)).await.unwrap();
        }
        program.metric("kith_slow_readers_closed_total").await.unwrap_or(0.0) >= DEAF as f64
    })
    .await;
    let with_deaf = program.rss_bytes();
    until("the chat goes on beside them", async || chat.rounds() > before).await;

    for kind in 0..6 {
        for _ in 0..10 {
            rude.push(begin_badly(&program, kind, &people[2].token, &mut chance).await);
        }
    }
    let slow = slowly(&program);
    spell_it_out(&program, &people[2].token).await;
    crowd(&program).await;
    let before = chat.rounds();
    until("the chat goes on beside the crowd", async || chat.rounds() > before).await;
    let with_all = program.rss_bytes();

    slow.join_all().await;
    until("their connections are gone", async || {
        program.metric("kith_connections").await == Some(connections) && program.open_files() <= files + 4
    })
    .await;
    drop(rude);
    let mib = |bytes: u64| bytes / 1024 / 1024;
    say(&format!(
        "rude: RSS {} MiB before, {} with {DEAF} who never read, {} with all, {} after; {} rounds of chat meanwhile",
        mib(rss),
        mib(with_deaf),
        mib(with_all),
        mib(program.rss_bytes()),
        chat.rounds()
    ));
    assert!(with_deaf.max(with_all) < rss + GROWTH_BYTES, "it grew by more than {} MiB", mib(GROWTH_BYTES));
    assert!(program.lives());
    drop(chat);
    assert_eq!(program.end().code(), Some(0));
    program.verify(program.data());
}

/// Two people with manners, who answer each other.
struct Chat {
    rounds: Arc<AtomicUsize>,
    _talking: JoinSet<()>,
}

impl Chat {
    async fn begin(program: &Program, one: &Person, other: &Person) -> Self {
        let conversation = one.converse(ConversationKind::Direct, &[other]).await;
        let rounds = Arc::new(AtomicUsize::new(0));
        let mut talking = JoinSet::new();
        for (begins, person) in [(true, one), (false, other)] {
            let (client, mut events) = Client::connect(program.server(), Config::new(person.token.clone()));
            let (rounds, me) = (rounds.clone(), person.id);
            talking.spawn(async move {
                if begins {
                    client.send(conversation, "hello").unwrap();
                }
                let mut connected = 0;
                while let Some(event) = events.recv().await {
                    match event {
                        Event::Entry(entry) if entry.sender != me && entry.client_id.is_some() => {
                            rounds.fetch_add(1, Ordering::Relaxed);
                            sleep(Duration::from_millis(20)).await;
                            client.send(conversation, "and to you").unwrap();
                        }
                        Event::Connected { .. } => {
                            connected += 1;
                            assert_eq!(connected, 1, "it lost its connection to the rudeness of others");
                        }
                        _ => {}
                    }
                }
            });
        }
        Self { rounds, _talking: talking }
    }

    fn rounds(&self) -> usize {
        self.rounds.load(Ordering::Relaxed)
    }
}

/// A connection that has asked to become a socket and was let.
async fn upgraded(program: &Program) -> TcpStream {
    let mut stream = TcpStream::connect(program.address()).await.unwrap();
    let request = "GET /v1/socket HTTP/1.1\r\nHost: kith\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await.unwrap());
    }
    assert!(answer.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&answer));
    stream
}

/// The bytes of a text frame, masked with zeros.
pub fn frame(text: &str) -> Vec<u8> {
    let mut bytes = vec![0x81];
    match text.len() {
        short @ 0..126 => bytes.push(0x80 | short as u8),
        long => {
            bytes.push(0x80 | 126);
            bytes.extend((long as u16).to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(text.as_bytes());
    bytes
}

/// The frame that says hello.
pub fn hello(token: &str) -> Vec<u8> {
    frame(&format!(r#"{{"t":"hello","token":"{token}"}}"#))
}

/// One that has said hello properly, and has not read the answer.
async fn greeted(program: &Program, token: &str) -> TcpStream {
    let mut stream = upgraded(program).await;
    stream.write_all(&hello(token)).await.unwrap();
    stream
}

/// One that does something wrong and then nothing.
async fn begin_badly(program: &Program, kind: usize, token: &str, chance: &mut Chance) -> TcpStream {
    let garbage: Vec<u8> = (0..4096).map(|_| chance.within(0, 256) as u8).collect();
    let half = [&[0x81, 0x80 | 126, 0xea, 0x60, 0, 0, 0, 0][..], &garbage].concat();
    let huge = [&[0x81, 0x80 | 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], &garbage].concat();
    let (mut stream, bytes) = match kind {
        // Not even HTTP.
        0 => (TcpStream::connect(program.address()).await.unwrap(), garbage),
        // Garbage in place of frames, before and after hello.
        1 => (upgraded(program).await, garbage),
        2 => (greeted(program, token).await, garbage),
        // Half a frame, before and after hello.
        3 => (upgraded(program).await, half),
        4 => (greeted(program, token).await, half),
        // A frame of a terabyte.
        _ => (greeted(program, token).await, huge),
    };
    // It may be shown out before it has said all.
    let _ = stream.write_all(&bytes).await;
    stream
}

/// Requests of which a byte comes now and then, until each was cut off.
fn slowly(program: &Program) -> JoinSet<()> {
    let mut slow = JoinSet::new();
    for _ in 0..50 {
        let address = program.address();
        slow.spawn(async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(b"GET /v1/info HTTP/1.1\r\nX-Slow: ").await.unwrap();
            while stream.write_all(b"x").await.is_ok() {
                sleep(Duration::from_millis(500)).await;
            }
        });
    }
    slow
}

/// Slow, but right: a hello of which each byte comes alone is answered.
async fn spell_it_out(program: &Program, token: &str) {
    let mut stream = upgraded(program).await;
    stream.set_nodelay(true).unwrap();
    for byte in hello(token) {
        stream.write_all(&[byte]).await.unwrap();
        sleep(Duration::from_millis(5)).await;
    }
    let mut answer = vec![0; 64];
    stream.read_exact(&mut answer).await.unwrap();
    assert!(String::from_utf8_lossy(&answer).contains(r#""t":"ready""#), "{}", String::from_utf8_lossy(&answer));
}

/// A thousand connections a second for three seconds, which leave or hang up half-way.
async fn crowd(program: &Program) {
    let mut tick = interval(Duration::from_millis(10));
    let mut crowd = JoinSet::new();
    for _ in 0..300 {
        tick.tick().await;
        for index in 0..10 {
            let address = program.address();
            crowd.spawn(async move {
                let Ok(mut stream) = TcpStream::connect(address).await else { return };
                let _ = match index % 3 {
                    0 => stream.write_all(b"GET /v1/info HTTP/1.1\r\nHost: kith\r\n\r\n").await,
                    1 => stream.write_all(b"GET /v1/so").await,
                    _ => Ok(()),
                };
            });
        }
    }
    crowd.join_all().await;
}
