//! Waiting bytes: of users who ask for much and read none of it, a bounded part waits, and others are served meanwhile.

use std::time::Duration;

use kith_client::{Error, connection::message, rest::Place};
use kith_protocol::{Code, ConversationId, entry::ConversationKind};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::sleep,
};

use super::{
    people::Person,
    program::{LIFTED, Program, alone, say, until},
    rude::{frame, hello},
};

const MIB: u64 = 1024 * 1024;
/// The bytes that may wait in all; a sixteenth of it for one user.
const WAITING_MIB: u64 = 64;
/// Mebibytes by which the server may grow besides, in a debug build.
const BESIDES_MIB: u64 = 48;
/// Messages of 16 KiB in the log: a page of them is a megabyte at least.
const MESSAGES: usize = 200;

async fn started() -> Program {
    Program::started(&format!("{LIFTED}waiting_bytes = {}\n", WAITING_MIB * MIB))
}

/// A group of them all, with a log of long messages.
async fn long_log(people: &[Person]) -> ConversationId {
    let others: Vec<&Person> = people[1..].iter().collect();
    let group = people[0].converse(ConversationKind::Group, &others).await;
    for _ in 0..MESSAGES {
        people[0].rest.send_message(group, &message("x".repeat(16 * 1024))).await.unwrap();
    }
    group
}

/// A connection whose end takes little before it is read.
async fn deaf(program: &Program) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(program.address()).await.unwrap()
}

/// Asks for a page and does not read it.
async fn ask_for_page(program: &Program, person: &Person, group: ConversationId) -> TcpStream {
    let mut stream = deaf(program).await;
    let request = format!(
        "GET /v1/conversations/{group}/messages?limit=200 HTTP/1.1\r\nHost: kith\r\nAuthorization: Bearer {}\r\n\r\n",
        person.token
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// Waits until so many requests were answered, beside `before`.
async fn answered(program: &Program, before: f64, requests: usize) {
    until("all are answered", async || requests_so_far(program).await >= before + requests as f64).await;
}

async fn requests_so_far(program: &Program) -> f64 {
    program.metric("kith_http_request_seconds_count").await.unwrap_or(0.0)
}

async fn page(person: &Person, group: ConversationId) -> Result<usize, Error> {
    person.rest.messages(group, Place::End, Some(200)).await.map(|page| page.items.len())
}

/// Two others are served: a message of one reaches the other, who reads a page.
async fn others_are_served(program: &Program, [one, other]: [&Person; 2], group: ConversationId) {
    let direct = one.converse(ConversationKind::Direct, &[other]).await;
    let mut socket = other.socket(program).await;
    let sent = one.rest.send_message(direct, &message("are you served?")).await.unwrap();
    loop {
        if let kith_protocol::ServerFrame::Entry(entry) = socket.receive().await.unwrap()
            && entry.entry == sent
        {
            break;
        }
    }
    assert!(page(other, group).await.unwrap() > 0);
}

/// The server has grown by what may wait, and little more.
fn report(what: &str, program: &Program, before: u64, waiting_mib: u64) {
    let now = program.rss_bytes();
    say(&format!("{what}: RSS {} MiB before, {} with it", before / MIB, now / MIB));
    assert!(now < before + (waiting_mib + BESIDES_MIB) * MIB, "{what}: it grew by {} MiB", (now - before) / MIB);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_that_nobody_reads_are_refused_to_their_user_alone() {
    let _alone = alone().await;
    let mut program = started().await;
    let people = Person::several(&program, 3).await;
    let [rude, one, other] = &people[..] else { unreachable!() };
    let group = long_log(&people).await;
    assert!(page(rude, group).await.unwrap() > 0);
    let (rss, before) = (program.rss_bytes(), requests_so_far(&program).await);
    let mut unread = Vec::new();
    for _ in 0..90 {
        unread.push(ask_for_page(&program, rude, group).await);
    }
    answered(&program, before, unread.len()).await;
    let refused = page(rude, group).await.unwrap_err();
    assert_eq!(refused.code(), Some(Code::Overloaded));
    assert!(refused.retry_after().is_some_and(|after| after > Duration::ZERO));
    others_are_served(&program, [one, other], group).await;
    let waiting = program.metric("kith_waiting_bytes").await.unwrap_or(0.0);
    assert!(waiting < (WAITING_MIB / 4 * MIB) as f64, "{waiting} bytes wait for one user");
    report("90 pages that nobody reads", &program, rss, WAITING_MIB / 4);
    drop(unread);
    until("who reads again is served again", async || page(rude, group).await.is_ok()).await;
    assert_eq!(program.end().code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sockets_of_a_user_who_reads_none_of_them_are_bounded_together() {
    let _alone = alone().await;
    let mut program = started().await;
    let people = Person::several(&program, 3).await;
    let [rude, one, other] = &people[..] else { unreachable!() };
    let group = long_log(&people).await;
    let rss = program.rss_bytes();
    let sync = frame(&format!(r#"{{"t":"sync","conversation":"{group}","after":0,"limit":200}}"#));
    let mut unread = Vec::new();
    for _ in 0..95 {
        let mut stream = deaf(&program).await;
        let request = "GET /v1/socket HTTP/1.1\r\nHost: kith\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                       Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        stream.write_all(&hello(&rude.token)).await.unwrap();
        unread.push(stream);
    }
    until("all have said hello", async || program.metric("kith_connections").await == Some(95.0)).await;
    for stream in &mut unread {
        // More than the kernel would take of each, if it were let.
        for _ in 0..7 {
            let _ = stream.write_all(&sync).await;
        }
    }
    others_are_served(&program, [one, other], group).await;
    sleep(Duration::from_secs(3)).await;
    report("95 sockets that nobody reads", &program, rss, WAITING_MIB / 4);
    let waiting = program.metric("kith_waiting_bytes").await.unwrap_or(0.0);
    assert!(waiting < (WAITING_MIB / 4 * MIB) as f64, "{waiting} bytes wait for one user");
    others_are_served(&program, [other, one], group).await;
    drop(unread);
    until("they are gone", async || program.metric("kith_connections").await == Some(0.0)).await;
    assert_eq!(program.end().code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_memory_is_short_who_does_not_read_is_closed() {
    const RUDE: usize = 24;
    const EACH: usize = 6;
    let _alone = alone().await;
    let mut program = started().await;
    let people = Person::several(&program, RUDE + 2).await;
    let group = long_log(&people).await;
    let rss = program.rss_bytes();
    let mut unread = Vec::new();
    for _ in 0..EACH {
        for rude in &people[..RUDE] {
            let before = requests_so_far(&program).await;
            unread.push(ask_for_page(&program, rude, group).await);
            answered(&program, before, 1).await;
        }
    }
    report("24 users who read nothing", &program, rss, WAITING_MIB);
    until("the stalled are closed", async || program.metric("kith_stalled_closed_total").await.unwrap_or(0.0) > 0.0)
        .await;
    let [one, other] = [&people[RUDE], &people[RUDE + 1]];
    until("there is room for others", async || page(one, group).await.is_ok()).await;
    others_are_served(&program, [one, other], group).await;
    let bound = (WAITING_MIB / 4 * 3 * MIB) as f64;
    until("enough is freed", async || program.metric("kith_waiting_bytes").await.is_some_and(|held| held < bound))
        .await;
    report("24 users who read nothing, later", &program, rss, WAITING_MIB);
    drop(unread);
    assert_eq!(program.end().code(), Some(0));
}
