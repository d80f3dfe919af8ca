//! Ten times what the server can take, sent without waiting for it: order is kept, nothing that was accepted is lost, and
//! what is dropped is dropped first where nobody misses it, and visibly.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::{SinkExt, StreamExt, stream::SplitStream};
use kith_protocol::{
    ClientFrame, Code, ConversationId, ServerFrame, Uuid,
    entry::ConversationKind,
    frame::{Hello, Send, Sheddable, TypingIn},
};
use tokio::{net::TcpStream, task::JoinSet, time::sleep};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

use super::{
    people::Person,
    program::{LIFTED, Program, alone, say, until},
};

type Wire = WebSocketStream<TcpStream>;

/// Pairs of one who writes and one who reads.
const PAIRS: usize = 12;
/// Messages that each writer has under way while the sustainable rate is measured.
const WINDOW: usize = 16;
/// The time for which the rate is measured, and for which ten times as much is sent.
const MEASURE: Duration = Duration::from_secs(2);
const FLOOD: Duration = Duration::from_secs(4);
/// Messages that a writer hands to the system between two looks at the clock.
const BURST: usize = 250;
/// By then the server has looked at its load again.
const LOOKED_AT: Duration = Duration::from_millis(500);
/// Typing that was on its way when typing was dropped may still arrive for so long.
const ON_ITS_WAY: Duration = Duration::from_secs(1);

/// The frames that one socket heard.
#[derive(Default)]
struct Heard {
    sent: HashMap<Uuid, u64>,
    refused: HashMap<Uuid, (Code, Option<u32>)>,
    entries: Vec<u64>,
    degraded: Vec<Vec<Sheddable>>,
    degraded_since: Option<Instant>,
    typing: usize,
    typing_while_degraded: usize,
    closed: Option<Message>,
}

struct Pair {
    conversation: ConversationId,
    writer: Person,
    reader: Person,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_times_too_much_is_refused_in_order_and_visibly() {
    let _alone = alone().await;
    // What a release build meets at ten times its rate, a debug build meets with these.
    let load = "[load]\nshed_ms = 20\nshed_receipts_ms = 250\nrefuse_ms = 250\n";
    let mut program = Program::started(&format!("{LIFTED}{load}"));
    let people = Person::several(&program, 2 * PAIRS).await;
    let mut pairs = Vec::new();
    for two in people.chunks(2) {
        let conversation = two[0].converse(ConversationKind::Group, &[&two[1]]).await;
        pairs.push(Pair { conversation, writer: two[0].clone(), reader: two[1].clone() });
    }
    let rate = sustainable(&program, &pairs).await;
    // The last look at the load may be older than the end of the measuring.
    sleep(LOOKED_AT).await;
    until("it is at ease again", async || program.metric("kith_shed_level").await == Some(0.0)).await;
    let flood = Flood::start(&program, &pairs, rate * 10.0).await;
    sleep(FLOOD).await;
    flood.stop.store(true, Ordering::Relaxed);
    let (offered, asked) = flood.asked().await;

    until("every message is answered", async || {
        let answered = |(heard, asked): (&Arc<parking_lot::Mutex<Heard>>, &Vec<Uuid>)| {
            let heard = heard.lock();
            assert!(heard.closed.is_none(), "a writer was closed: {:?}", heard.closed);
            asked.iter().all(|id| heard.sent.contains_key(id) || heard.refused.contains_key(id))
        };
        flood.writers.iter().zip(&asked).all(answered)
    })
    .await;
    until("it has recovered", async || {
        let all = flood.writers.iter().chain(&flood.readers);
        all.into_iter().all(|heard| heard.lock().degraded.last().is_none_or(Vec::is_empty))
    })
    .await;

    let (mut accepted, mut refused) = (0, 0);
    for (index, pair) in pairs.iter().enumerate() {
        let log = pair.reader.log(pair.conversation).await;
        let head = log.len() as u64;
        until("the reader has everything", async || flood.readers[index].lock().entries.last() == Some(&head)).await;
        let writer = flood.writers[index].lock();
        let by_client_id: HashMap<Uuid, u64> =
            log.iter().filter_map(|entry| Some((entry.client_id?, entry.seq))).collect();
        let seqs: Vec<u64> = asked[index].iter().filter_map(|id| writer.sent.get(id).copied()).collect();
        assert!(seqs.is_sorted(), "what was accepted is not in the order in which it was sent");
        for (id, seq) in &writer.sent {
            assert_eq!(by_client_id.get(id), Some(seq), "accepted, and not in the log");
        }
        for (id, (code, retry_after_ms)) in &writer.refused {
            assert_eq!(*code, Code::Overloaded);
            assert!(retry_after_ms.is_some_and(|ms| ms > 0), "refused without saying for how long");
            assert!(!by_client_id.contains_key(id), "refused, and in the log");
        }
        let reader = flood.readers[index].lock();
        let distinct: HashSet<&u64> = reader.entries.iter().collect();
        assert_eq!(distinct.len(), reader.entries.len(), "an entry came twice");
        assert!(reader.entries.windows(2).all(|pair| pair[1] == pair[0] + 1), "entries came with a gap");
        accepted += writer.sent.len();
        refused += writer.refused.len();
        if let Some(first) = reader.degraded.first() {
            assert!(first.starts_with(&[Sheddable::Presence, Sheddable::Typing]), "shed first: {first:?}");
        }
        assert_eq!(reader.typing_while_degraded, 0, "typing was delivered while it was said to be dropped");
    }
    let readers = || flood.readers.iter().map(|reader| reader.lock());
    assert!(readers().all(|reader| !reader.degraded.is_empty()), "nobody was told that something is dropped");
    assert!(readers().any(|reader| reader.typing > 0), "there was no typing to be dropped");
    assert!(refused > 0, "it was not too much: {accepted} accepted");
    say(&format!(
        "overload: sustained {rate:.0}/s, offered {offered:.0}/s: accepted {accepted}, refused {refused}, lost 0, reordered 0"
    ));

    // It takes messages again, and somebody is seen to type again.
    let typing = readers().map(|reader| reader.typing).sum::<usize>();
    until("typing comes again", async || readers().map(|reader| reader.typing).sum::<usize>() > typing).await;
    let message = kith_client::connection::message("after it");
    pairs[0].writer.rest.send_message(pairs[0].conversation, &message).await.unwrap();
    assert_eq!(program.metric("kith_shed_level").await, Some(0.0));
    drop(flood);
    assert_eq!(program.end().code(), Some(0));
    program.verify(program.data());
}

/// Messages a second that are acknowledged to writers who wait.
async fn sustainable(program: &Program, pairs: &[Pair]) -> f64 {
    let mut writers = JoinSet::new();
    for pair in pairs {
        let mut socket = pair.writer.socket(program).await;
        let conversation = pair.conversation;
        writers.spawn(async move {
            let (mut sent, mut answered) = (0, 0usize);
            let begun = Instant::now();
            while begun.elapsed() < MEASURE {
                while sent < answered + WINDOW {
                    let message = kith_client::connection::message("to measure the rate");
                    socket.feed(&ClientFrame::Send(Send { conversation, message })).await.unwrap();
                    sent += 1;
                }
                socket.flush().await.unwrap();
                if let ServerFrame::Sent(_) | ServerFrame::Error(_) = socket.receive().await.unwrap() {
                    answered += 1;
                }
            }
            answered
        });
    }
    let answered: usize = writers.join_all().await.into_iter().sum();
    answered as f64 / MEASURE.as_secs_f64()
}

/// The writers at work: each ends with its number and what it sent, in its order.
type Asking = JoinSet<(usize, Vec<Uuid>)>;

/// Writers who do not wait, readers, and somebody who types in every conversation.
struct Flood {
    writers: Vec<Arc<parking_lot::Mutex<Heard>>>,
    readers: Vec<Arc<parking_lot::Mutex<Heard>>>,
    tasks: parking_lot::Mutex<Option<Asking>>,
    begun: Instant,
    stop: Arc<AtomicBool>,
    /// Ends with the flood.
    _listening: JoinSet<()>,
}

impl Flood {
    async fn start(program: &Program, pairs: &[Pair], rate: f64) -> Self {
        let (mut writers, mut readers) = (Vec::new(), Vec::new());
        let (mut tasks, mut listening) = (JoinSet::new(), JoinSet::new());
        let stop = Arc::<AtomicBool>::default();
        // All are there before the first begins, so that all hear what is shed first.
        let mut sockets = Vec::new();
        for pair in pairs {
            sockets.push((open(program, &pair.reader.token).await, open(program, &pair.writer.token).await));
        }
        for (index, (pair, (reader, writer))) in pairs.iter().zip(sockets).enumerate() {
            let (mut typist, stream) = reader.split();
            let heard = Arc::default();
            listening.spawn(listen(stream, Arc::clone(&heard)));
            readers.push(heard);
            let typing = text(&ClientFrame::Typing(TypingIn { conversation: pair.conversation }));
            listening.spawn(async move {
                while typist.send(typing.clone()).await.is_ok() {
                    sleep(Duration::from_millis(50)).await;
                }
            });
            let (mut sink, stream) = writer.split();
            let heard = Arc::default();
            listening.spawn(listen(stream, Arc::clone(&heard)));
            writers.push(heard);
            // The reader's typing is for the writer: both ends of a pair type.
            let (conversation, stop, each) = (pair.conversation, stop.clone(), rate / pairs.len() as f64);
            let typing = text(&ClientFrame::Typing(TypingIn { conversation }));
            tasks.spawn(async move {
                let mut asked = Vec::new();
                let begun = Instant::now();
                while !stop.load(Ordering::Relaxed) {
                    let due = (begun.elapsed().as_secs_f64() * each) as usize;
                    for _ in asked.len()..due.min(asked.len() + BURST) {
                        let message = kith_client::connection::message("ten times too much");
                        asked.push(message.client_id);
                        if sink.feed(text(&ClientFrame::Send(Send { conversation, message }))).await.is_err() {
                            return (index, asked);
                        }
                    }
                    let _ = sink.send(typing.clone()).await;
                    sleep(Duration::from_millis(20)).await;
                }
                // Who goes on typing shows that it is over.
                tokio::spawn(async move {
                    while sink.send(typing.clone()).await.is_ok() {
                        sleep(Duration::from_millis(50)).await;
                    }
                });
                (index, asked)
            });
        }
        let tasks = parking_lot::Mutex::new(Some(tasks));
        Self { writers, readers, tasks, begun: Instant::now(), stop, _listening: listening }
    }

    /// The sends in all: a second, and by each writer in its order.
    async fn asked(&self) -> (f64, Vec<Vec<Uuid>>) {
        let tasks = self.tasks.lock().take().expect("once");
        let mut asked = tasks.join_all().await;
        asked.sort();
        let total: usize = asked.iter().map(|(_, asked)| asked.len()).sum();
        let offered = total as f64 / self.begun.elapsed().as_secs_f64();
        (offered, asked.into_iter().map(|(_, asked)| asked).collect())
    }
}

async fn listen(mut stream: SplitStream<Wire>, heard: Arc<parking_lot::Mutex<Heard>>) {
    while let Some(Ok(message)) = stream.next().await {
        let Message::Text(text) = message else {
            heard.lock().closed = Some(message);
            continue;
        };
        let frame: ServerFrame = serde_json::from_str(text.as_str()).unwrap();
        let mut heard = heard.lock();
        match frame {
            ServerFrame::Sent(sent) => drop(heard.sent.insert(sent.client_id, sent.seq)),
            ServerFrame::Error(error) if error.client_id.is_some() => {
                let id = error.client_id.unwrap_or_default();
                heard.refused.insert(id, (error.code, error.retry_after_ms));
            }
            ServerFrame::Entry(frame) => heard.entries.push(frame.entry.seq),
            ServerFrame::Degraded(degraded) => {
                let since = heard.degraded_since.unwrap_or_else(Instant::now);
                heard.degraded_since = (!degraded.shed.is_empty()).then_some(since);
                heard.degraded.push(degraded.shed);
            }
            ServerFrame::Typing(_) => {
                heard.typing += 1;
                let late = heard.degraded_since.is_some_and(|since| since.elapsed() > ON_ITS_WAY);
                heard.typing_while_degraded += usize::from(late);
            }
            _ => {}
        }
    }
}

async fn open(program: &Program, token: &str) -> Wire {
    let stream = TcpStream::connect(program.address()).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut socket, _) = client_async(format!("ws://{}/v1/socket", program.address()), stream).await.unwrap();
    let hello = Hello { token: Some(token.to_owned()), ..Hello::default() };
    socket.send(text(&ClientFrame::Hello(hello))).await.unwrap();
    while let Some(message) = socket.next().await {
        let frame: ServerFrame = serde_json::from_str(message.unwrap().to_text().unwrap()).unwrap();
        match frame {
            ServerFrame::Ready(ready) => assert_eq!(ready.degraded, [], "it is not at ease"),
            ServerFrame::Heads(_) => return socket,
            _ => {}
        }
    }
    panic!("no answer to hello")
}

fn text(frame: &ClientFrame) -> Message {
    Message::text(serde_json::to_string(frame).unwrap())
}
