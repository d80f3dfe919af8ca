//! A start after a crash: everybody is served at once, and what was awake is recovered beside that.
//!
//! `KITH_BASELINE` is another `kith` that reads the same version of data; the ignored test measures its start beside this one's.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use kith_client::rest::Paging;
use kith_protocol::{ConversationId, entry::ConversationKind, frame::NewMessage};
use rusqlite::Connection;
use tokio::task::JoinSet;

use super::{
    damage::{copy, forget_rows, text},
    people::Person,
    program::{LIFTED, Program, alone, say, until},
};

/// A server that was killed with so many conversations of each pair of people awake, of none of which a row was written. In
/// each the second one is mentioned by the first.
async fn killed(program: &mut Program, people: &[Person], count: usize) -> Vec<ConversationId> {
    let mut making = JoinSet::new();
    for pair in people.chunks_exact(2) {
        let (owner, other) = (pair[0].clone(), pair[1].clone());
        making.spawn(async move {
            let mut made = Vec::new();
            for _ in 0..count {
                let id = owner.converse(ConversationKind::Group, &[&other]).await;
                let message = NewMessage { mentions: vec![other.id], ..text("hello") };
                owner.rest.send_message(id, &message).await.unwrap();
                made.push(id);
            }
            made
        });
    }
    let made: Vec<_> = making.join_all().await.into_iter().flatten().collect();
    program.kill();
    let database = Connection::open(program.data().join("store.db")).unwrap();
    database.execute_batch("BEGIN").unwrap();
    made.iter().for_each(|id| forget_rows(&database, *id));
    database.execute_batch("COMMIT").unwrap();
    database.close().unwrap();
    made
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_after_a_crash_does_not_wait_and_misses_nothing() {
    let _alone = alone().await;
    let mut program = Program::started(LIFTED);
    let people = Person::several(&program, 2).await;
    let made = killed(&mut program, &people, 300).await;
    program.start();
    assert_eq!(program.probe("/healthz").await.0, 200);
    // The last of them is recovered because it is asked for.
    let (bela, last) = (&people[1], *made.last().unwrap());
    bela.rest.send_message(last, &text("again")).await.unwrap();
    let mut unread = 0;
    let mut paging = Paging { limit: Some(200), cursor: None };
    loop {
        let page = bela.rest.conversations(&paging).await.unwrap();
        unread += page.items.iter().filter(|item| made.contains(&item.head.id) && item.head.unread > 0).count();
        paging.cursor = page.next_cursor;
        if paging.cursor.is_none() {
            break;
        }
    }
    assert_eq!(unread, made.len() - 1, "where she has not written herself");
    let mentions = bela.rest.mentions(&Paging { limit: Some(200), cursor: None }).await.unwrap();
    assert_eq!(mentions.items.len(), 200, "of all that were sent");
    until("it is ready", async || match program.probe("/readyz").await {
        (200, _) => true,
        (503, why) => {
            assert!(why.contains("of 300 conversations"), "{why}");
            false
        }
        other => panic!("{other:?}"),
    })
    .await;
    assert_eq!(program.end().code(), Some(0));
    program.verify(program.data());
}

/// The time that a program takes on a data directory until it listens, and until it is ready.
async fn start(program: &Path, data: &Path) -> [Duration; 2] {
    let began = Instant::now();
    let mut command = Command::new(program);
    command.arg("serve").arg("--data").arg(data);
    command.args(["--listen", "127.77.0.1:0", "--operator-listen", "127.77.0.1:0"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let listens = began.elapsed();
    let operator = line.split("http://").nth(2).unwrap();
    let operator = &operator[..operator.find([' ', ')']).unwrap()];
    let rest = kith_client::Rest::new(kith_client::Server::new(&format!("http://{operator}")).unwrap());
    until("it is ready", async || {
        let answer = rest.request(kith_client::Method::GET, "/readyz", &[], "").await;
        answer.is_ok_and(|answer| answer.status.as_u16() == 200)
    })
    .await;
    let ready = began.elapsed();
    child.kill().unwrap();
    child.wait().unwrap();
    [listens, ready]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: 3 000 conversations, and two programs"]
async fn the_time_until_a_server_is_ready_after_a_crash() {
    let _alone = alone().await;
    let mut program = Program::started(LIFTED);
    let people = Person::several(&program, 20).await;
    killed(&mut program, &people, 300).await;
    let mut programs = vec![("this", env!("CARGO_BIN_EXE_kith").to_owned())];
    programs.extend(std::env::var("KITH_BASELINE").ok().map(|path| ("the baseline", path)));
    for round in 0..3 {
        for (name, path) in &programs {
            let data = program.home().join(format!("{round} {name}"));
            copy(program.data(), &data);
            let [listens, ready] = start(Path::new(path), &data).await;
            say(&format!("{name}: listens after {} ms, ready after {} ms", listens.as_millis(), ready.as_millis()));
        }
    }
}
