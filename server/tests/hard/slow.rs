//! Senders of media who send next to nothing, each with one place, until there is none left.

use std::time::{Duration, Instant};

use kith_protocol::Code;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::sleep,
};

use super::{
    people::Person,
    program::{LIFTED, Program, alone, say},
};

/// Places of all who send media in one request each.
const PLACES: usize = 32;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sender_of_a_few_bytes_makes_way_after_a_while() {
    let _alone = alone().await;
    let program = Program::started(LIFTED);
    let people = Person::several(&program, PLACES + 1).await;
    let mut posts = Vec::new();
    for who in &people[..PLACES] {
        let mut stream = TcpStream::connect(program.address()).await.unwrap();
        let head = format!(
            "POST /v1/media HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Length: 1000000\r\n\
             Expect: 100-continue\r\n\r\n",
            who.token
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        // Whoever is told to go on has a place.
        let mut answer = [0; 25];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 100 Continue\r\n\r\n");
        posts.push(stream);
    }
    let rest = &people[PLACES].rest;
    let send = async || rest.send_media("a parcel", "text/plain", None).await;
    let began = Instant::now();
    assert_eq!(send().await.unwrap_err().code(), Some(Code::Overloaded), "all places are taken");
    while let Err(error) = send().await {
        assert_eq!(error.code(), Some(Code::Overloaded), "{error}");
        assert!(began.elapsed() < Duration::from_secs(120), "nobody makes way");
        // They go on as slowly as they may.
        for post in &mut posts {
            let _ = post.write_all(b"x").await;
        }
        sleep(Duration::from_secs(2)).await;
    }
    say(&format!("slow: a place after {} s", began.elapsed().as_secs()));
}
