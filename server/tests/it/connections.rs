//! Connections: their number, their owners, and what those of one user may say together.

use std::time::Instant;

use kith_client::{Method, StatusCode};
use kith_protocol::{
    ClientFrame, Code, ServerFrame,
    frame::{Ping, TypingIn},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::world::{MOMENT, SOON, Wire, World, raw, text};

/// Asks on a connection of its own: the stream, and the head of the answer, which is empty where there was none.
async fn ask(world: &World, head: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(world.authority()).await.unwrap();
    let mut answer = Vec::new();
    if stream.write_all(format!("{head}Host: kith\r\n\r\n").as_bytes()).await.is_ok() {
        while !answer.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => answer.push(byte),
                Err(_) => break,
            }
        }
    }
    (stream, String::from_utf8(answer).unwrap())
}

/// A socket that was opened for somebody at an address, or the status with which it was not.
async fn socket(world: &World, address: Option<&str>) -> Result<TcpStream, String> {
    let forwarded = address.map(|address| format!("X-Forwarded-For: {address}\r\n")).unwrap_or_default();
    let head = format!(
        "GET /v1/socket HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{forwarded}"
    );
    match ask(world, &head).await {
        (stream, answer) if answer.starts_with("HTTP/1.1 101 ") => Ok(stream),
        (_, answer) => Err(answer.split(' ').nth(1).unwrap_or("none").to_owned()),
    }
}

/// The same once there is room.
async fn socket_soon(world: &World, address: Option<&str>) -> TcpStream {
    let until = Instant::now() + SOON;
    loop {
        match socket(world, address).await {
            Ok(stream) => return stream,
            Err(status) => assert!(Instant::now() < until, "there is no room: {status}"),
        }
        tokio::time::sleep(MOMENT).await;
    }
}

#[tokio::test]
async fn a_socket_is_a_connection_for_as_long_as_it_is_open() {
    let world = World::with(|config| config.limits.connections = 5).await;
    let mut open = Vec::new();
    for _ in 0..40 {
        open.extend(socket(&world, None).await.ok());
    }
    assert_eq!(open.len(), 5);
    assert!(world.metrics().await.contains(r#"kith_connections_refused_total{bound="server"}"#));
    open.pop();
    open.push(socket_soon(&world, None).await);
    assert!(socket(&world, None).await.is_err());
}

#[tokio::test]
async fn connections_that_ask_nothing_shut_nobody_out() {
    let world = World::with(|config| config.limits.connections = 5).await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let direct = anna.direct(&bela).await;
    let (mut annas, mut belas) = (anna.connect().await, bela.connect().await);
    let mut idle = Vec::new();
    for said in ["", "GET /v1/in", "GET /v1/info HTTP/1.1\r\nHost: kith\r\n\r\n"] {
        for _ in 0..5 {
            let mut stream = TcpStream::connect(world.authority()).await.unwrap();
            let _ = stream.write_all(said.as_bytes()).await;
            idle.push(stream);
        }
        for _ in 0..3 {
            let (_, answer) = ask(&world, "GET /v1/info HTTP/1.1\r\n").await;
            assert!(answer.starts_with("HTTP/1.1 200 "), "who has something to ask is shut out: {answer:?}");
        }
        // Sockets stay, whoever comes.
        let sent = annas.tell(direct, text("still here")).await;
        assert_eq!(belas.entry().await.seq, sent.seq);
    }
}

#[tokio::test]
async fn an_address_has_its_share_of_the_connections() {
    let world = World::with(|config| config.limits.connections_per_address = std::num::NonZeroU32::new(3)).await;
    let [one, other] = ["198.51.100.1", "198.51.100.2"];
    let mut open = Vec::new();
    for _ in 0..3 {
        open.push(socket(&world, Some(one)).await.unwrap());
    }
    assert_eq!(socket(&world, Some(one)).await.err().as_deref(), Some("429"));
    let refused = raw(world.guest(), Method::GET, "/v1/info", &[("x-forwarded-for", one)], None).await;
    let problem: Value = serde_json::from_slice(&refused.body).unwrap();
    assert_eq!((refused.status, &problem["code"]), (StatusCode::TOO_MANY_REQUESTS, &json!("rate_limited")));
    assert!(refused.headers.contains_key("retry-after"));
    // The proxy that speaks for them has room for others.
    let _others = socket(&world, Some(other)).await.unwrap();
    let answer = raw(world.guest(), Method::GET, "/v1/info", &[("x-forwarded-for", other)], None).await;
    assert_eq!(answer.status, StatusCode::OK);
    for _ in 0..5 {
        open.push(socket(&world, None).await.unwrap());
    }
    open.remove(0);
    socket_soon(&world, Some(one)).await;
}

#[tokio::test]
async fn a_user_has_so_many_sockets() {
    let world = World::with(|config| config.limits.devices = 2).await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let direct = anna.direct(&bela).await;
    let mut open = Vec::new();
    for _ in 0..2 * kith::limits::SOCKETS_PER_DEVICE {
        open.push(anna.connect().await);
    }
    let mut refused = Wire::open(anna.rest.server()).await;
    refused.socket.hello(&anna.token, Vec::new()).await.unwrap();
    assert_eq!(refused.closed().await, 4008);
    let (status, problem) = anna.raw(Method::POST, "/v1/polls", Some(json!({}))).await;
    assert_eq!((status, &problem["code"]), (StatusCode::TOO_MANY_REQUESTS, &json!("rate_limited")));
    let sent = bela.connect().await.tell(direct, text("many of you")).await;
    assert_eq!(open[0].entry().await.seq, sent.seq);
    open.pop().unwrap().socket.close(1000).await;
    let until = Instant::now() + SOON;
    loop {
        let mut wire = Wire::open(anna.rest.server()).await;
        wire.socket.hello(&anna.token, Vec::new()).await.unwrap();
        if wire.socket.receive().await.is_ok() {
            break;
        }
        assert!(Instant::now() < until, "who left has a place still");
        tokio::time::sleep(MOMENT).await;
    }
}

#[tokio::test]
async fn the_sockets_of_a_user_have_one_limit_of_frames() {
    const SOCKETS: usize = 10;
    const PINGS: usize = 50;
    let world = World::start().await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let direct = anna.direct(&bela).await;
    let mut annas = Vec::new();
    for _ in 0..SOCKETS {
        annas.push(anna.connect().await);
    }
    let mut belas = bela.connect().await;
    let began = Instant::now();
    for wire in &mut annas {
        for _ in 0..PINGS {
            wire.say(ClientFrame::Ping(Ping::default())).await;
        }
    }
    let (mut answered, mut refused) = (0, 0);
    for wire in &mut annas {
        for _ in 0..PINGS {
            match wire.next().await {
                ServerFrame::Pong(_) => answered += 1,
                ServerFrame::Error(_) => refused += 1,
                frame => panic!("{frame:?}"),
            }
        }
    }
    let most = kith::limits::FRAMES_PER_S as usize * (began.elapsed().as_secs() as usize + 2);
    assert!(answered <= most && answered + refused == SOCKETS * PINGS, "{answered} of {}", SOCKETS * PINGS);
    // Nobody else pays for it.
    belas.quiet().await;
    let sent = belas.tell(direct, text("are you there?")).await;
    assert_eq!(annas[0].entry().await.seq, sent.seq);
}

#[tokio::test]
async fn who_says_hello_again_and_again_is_told_to_wait() {
    let world = World::start().await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let mut refused = None;
    for _ in 0..kith::limits::HELLOS_BURST + 100 {
        let mut wire = Wire::open(anna.rest.server()).await;
        wire.socket.hello(&anna.token, Vec::new()).await.unwrap();
        match wire.next().await {
            ServerFrame::Ready(_) => wire.socket.close(1000).await,
            ServerFrame::Error(error) => {
                refused = Some((error, wire.closed().await));
                break;
            }
            frame => panic!("{frame:?}"),
        }
    }
    let (error, closed) = refused.expect("each hello is answered with all that is lacking, for ever");
    assert_eq!((error.code, error.reference.as_deref(), closed), (Code::RateLimited, Some("hello"), 4008));
    assert!(error.retry_after_ms.is_some_and(|ms| ms > 0));
    bela.connect().await;
}

#[tokio::test]
async fn a_member_who_types_is_told_of_now_and_then() {
    let world = World::start().await;
    let [anna, bela, cora] = world.people(["anna", "bela", "cora"]).await;
    let (group, direct) = (anna.group(&[&bela, &cora]).await, anna.direct(&bela).await);
    let (mut annas, mut belas) = ([anna.connect().await, anna.connect().await], bela.connect().await);
    let began = Instant::now();
    for _ in 0..40 {
        for wire in &mut annas {
            wire.say(ClientFrame::Typing(TypingIn { conversation: group })).await;
        }
    }
    // Of each conversation, and behind all of that.
    annas[1].say(ClientFrame::Typing(TypingIn { conversation: direct })).await;
    let mut told = 0;
    belas
        .find(|frame| match frame {
            ServerFrame::Typing(it) if it.conversation == direct => Some(()),
            ServerFrame::Typing(_) => {
                told += 1;
                None
            }
            _ => None,
        })
        .await;
    told += belas.so_far().await.iter().filter(|frame| matches!(frame, ServerFrame::Typing(_))).count();
    let most = began.elapsed().as_millis() as u64 / kith::limits::TYPING_MS + 2;
    assert!((1..=most as usize).contains(&told), "{told} times");
}
