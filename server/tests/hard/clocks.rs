//! A clock that is wrong: set ahead and back while a server runs and while it does not.
//!
//! The server is in this process, whose wall clock can be put ahead of the machine's.

use std::time::{Duration, Instant};

use kith::{
    clock,
    config::Config,
    operator::{client::Operator, verify::verify},
    server::Server,
};
use kith_client::{Method, Rest, rest::Place};
use kith_protocol::{
    Body, ConversationId, Entry, Timestamp, Uuid,
    entry::{ConversationKind, RedactedKind},
    frame::NewMessage,
    rest::{NewConversation, NewUser},
};
use tempfile::TempDir;

use super::program::{LIFTED, alone};

const DAY_S: i64 = 24 * 3600;
const MONTH_S: i64 = 30 * DAY_S;
/// The time within which what must come comes.
const SOON: Duration = Duration::from_secs(20);
/// The time for which a clock is wrong: several looks of every sweep.
const WRONG: Duration = Duration::from_secs(5);

/// A server, somebody who writes to somebody, and the time as it is.
struct World {
    home: TempDir,
    config: Config,
    server: Option<Server>,
    token: String,
    other: kith_protocol::UserId,
    began: (Timestamp, Instant),
}

impl Drop for World {
    fn drop(&mut self) {
        clock::put_wall_ahead(0);
        clock::accept();
    }
}

impl World {
    async fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("kith.toml");
        std::fs::write(&file, LIFTED).unwrap();
        let any = "127.0.0.1:0".parse().unwrap();
        let data_dir = home.path().join("data");
        let config = Config { listen: any, operator_listen: any, data_dir, ..Config::read(&file).unwrap() };
        let server = Server::start(config.clone()).await.unwrap();
        let rest = rest(&server);
        let [anna, bela] = ["anna", "bela"].map(|name| NewUser {
            username: name.into(),
            password: "correct horse battery".into(),
            display_name: None,
            invite: None,
            device: None,
        });
        let token = rest.sign_up(&anna).await.unwrap().token;
        let other = rest.sign_up(&bela).await.unwrap().user.id;
        Self { home, config, server: Some(server), token, other, began: (clock::now(), Instant::now()) }
    }

    fn rest(&self) -> Rest {
        rest(self.server.as_ref().unwrap()).with_token(&self.token).unwrap()
    }

    async fn stop(&mut self) {
        self.server.take().unwrap().stop(Duration::from_secs(5)).await;
    }

    async fn restart(&mut self) {
        self.server = Some(Server::start(self.config.clone()).await.unwrap());
    }

    /// Stops the server, puts the clock ahead, and starts it.
    async fn restart_ahead(&mut self, seconds: i64) {
        self.stop().await;
        clock::put_wall_ahead(seconds);
        self.restart().await;
    }

    /// A group whose messages disappear.
    async fn group(&self, expire_after_s: u32) -> ConversationId {
        let new = NewConversation {
            kind: ConversationKind::Group,
            members: vec![self.other],
            title: Some("a group".into()),
            expire_after_s: Some(expire_after_s),
            encryption: None,
        };
        self.rest().create_conversation(&new).await.unwrap().id
    }

    async fn say(&self, conversation: ConversationId, client_id: Uuid) -> Entry {
        let message =
            NewMessage { client_id, text: "words".into(), mentions: vec![], reply_to: None, attachments: vec![] };
        self.rest().send_message(conversation, &message).await.unwrap()
    }

    async fn entry(&self, conversation: ConversationId, seq: u64) -> Entry {
        let page = self.rest().log(conversation, Place::After(seq - 1), Some(1)).await.unwrap();
        page.items.into_iter().next().unwrap()
    }

    /// Waits until a message has lost its content.
    async fn redacted(&self, conversation: ConversationId, seq: u64) {
        let until = Instant::now() + SOON;
        loop {
            match self.entry(conversation, seq).await.body {
                Body::Redacted(body) => return assert_eq!(body.was, RedactedKind::Message),
                _ => assert!(Instant::now() < until, "it has not expired"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until the sweep has passed once more: something has expired that was written just now.
    async fn swept(&self) {
        let short = self.group(1).await;
        let entry = self.say(short, client_id()).await;
        self.redacted(short, entry.seq).await;
    }

    /// Waits until the operator is told that the clock is in doubt, or that it is not.
    async fn suspects(&self, suspect: bool) {
        let operator = self.server.as_ref().unwrap().operator_address;
        let rest = Rest::new(kith_client::Server::new(&format!("http://{operator}")).unwrap());
        let wanted = format!("kith_clock_suspect {}", u8::from(suspect));
        let until = Instant::now() + SOON;
        loop {
            let answer = rest.request(Method::GET, "/metrics", &[], "").await.unwrap();
            if String::from_utf8_lossy(&answer.body).lines().any(|line| line == wanted) {
                return;
            }
            assert!(Instant::now() < until, "not {wanted}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Asserts that a time is about the time that it is, so many seconds ahead.
    fn assert_is_now(&self, at: Timestamp, ahead_s: u64) {
        let now = self.began.0.plus(self.began.1.elapsed() + Duration::from_secs(ahead_s));
        let off = at.since(now).max(now.since(at));
        assert!(off < Duration::from_secs(60), "{at} is {off:?} off {now}");
    }

    /// Asserts that a message that disappears after so many seconds has the right times.
    fn assert_expires(&self, entry: &Entry, after_s: u64) {
        self.assert_is_now(entry.at, 0);
        self.assert_is_now(entry.expires_at.unwrap(), after_s);
    }
}

fn rest(server: &Server) -> Rest {
    Rest::new(kith_client::Server::new(&format!("http://{}", server.address)).unwrap())
}

/// A name for a message, as a client makes it whose clock is right.
fn client_id() -> Uuid {
    clock::uuid()
}

/// Whatever a clock does for a few seconds, nothing is lost by it.
async fn a_clock_is_wrong_for_a_while(world: &mut World, ahead_s: i64, restarts: bool) {
    let (long, minute) = (world.group(DAY_S as u32).await, world.group(60).await);
    let (id, other_id) = (client_id(), client_id());
    let before = world.say(long, id).await;
    if restarts {
        world.restart_ahead(ahead_s).await;
    } else {
        clock::put_wall_ahead(ahead_s);
    }
    world.suspects(true).await;
    let during = world.say(long, client_id()).await;
    world.assert_expires(&during, DAY_S as u64);
    let timed = world.say(minute, client_id()).await;
    world.assert_expires(&timed, 60);
    tokio::time::sleep(WRONG).await;
    assert_eq!(world.say(long, id).await.seq, before.seq, "a resend is not doubled while the clock is wrong");
    let later = world.say(long, other_id).await;
    world.assert_expires(&later, DAY_S as u64);

    if restarts {
        world.restart_ahead(0).await;
    } else {
        clock::put_wall_ahead(0);
    }
    world.suspects(false).await;
    let after = world.say(long, client_id()).await;
    world.assert_expires(&after, DAY_S as u64);
    assert!(after.at >= later.at);
    world.swept().await;
    for entry in [before.clone(), during, later.clone(), after] {
        assert_eq!(world.entry(long, entry.seq).await, entry, "nothing has expired");
    }
    assert_eq!(world.say(long, id).await.seq, before.seq, "a resend is not doubled");
    assert_eq!(world.say(long, other_id).await.seq, later.seq, "nor one of the time between");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_a_month_ahead_for_seconds_costs_nothing() {
    let _alone = alone().await;
    let mut world = World::start().await;
    a_clock_is_wrong_for_a_while(&mut world, MONTH_S, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_a_month_back_for_seconds_costs_nothing() {
    let _alone = alone().await;
    let mut world = World::start().await;
    a_clock_is_wrong_for_a_while(&mut world, -MONTH_S, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_was_set_ahead_while_no_server_ran_costs_nothing() {
    let _alone = alone().await;
    let mut world = World::start().await;
    a_clock_is_wrong_for_a_while(&mut world, MONTH_S, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_was_set_back_while_no_server_ran_costs_nothing() {
    let _alone = alone().await;
    let mut world = World::start().await;
    a_clock_is_wrong_for_a_while(&mut world, -MONTH_S, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_was_put_right_is_believed_once_the_operator_says_so() {
    let _alone = alone().await;
    let mut world = World::start().await;
    let long = world.group(DAY_S as u32).await;
    let before = world.say(long, client_id()).await;

    // Through the socket of the server that runs.
    clock::put_wall_ahead(2 * DAY_S);
    world.suspects(true).await;
    let Ok(operator @ Operator::Beside(_)) = Operator::find(&world.config).await else { panic!("a server runs") };
    world.assert_is_now(operator.accept_clock().await.unwrap(), 2 * DAY_S as u64);
    world.suspects(false).await;
    world.assert_is_now(world.say(long, client_id()).await.at, 2 * DAY_S as u64);
    // Its day is over.
    world.redacted(long, before.seq).await;

    // And on the directory of one that does not.
    world.stop().await;
    clock::put_wall_ahead(MONTH_S);
    let Ok(operator @ Operator::Alone(_)) = Operator::find(&world.config).await else { panic!("no server runs") };
    world.assert_is_now(operator.accept_clock().await.unwrap(), MONTH_S as u64);
    drop(operator);
    world.restart().await;
    world.suspects(false).await;
    world.assert_is_now(world.say(long, client_id()).await.at, MONTH_S as u64);
    assert!(world.home.path().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_dated_ahead_does_not_make_what_follows_last_longer() {
    let _alone = alone().await;
    let mut world = World::start().await;
    let (long, short) = (world.group(DAY_S as u32).await, world.group(3).await);
    clock::put_wall_ahead(MONTH_S);
    clock::accept();
    let ahead = [world.say(long, client_id()).await, world.say(short, client_id()).await];
    assert_eq!(ahead[0].true_at, None);
    world.assert_is_now(ahead[0].at, MONTH_S as u64);
    clock::put_wall_ahead(0);
    clock::accept();

    let mut held = Vec::new();
    for conversation in [long, short] {
        held.push(world.say(conversation, client_id()).await);
    }
    for (held, ahead) in held.iter().zip(&ahead) {
        assert_eq!(held.at, ahead.at, "the time never goes back within a conversation");
        world.assert_is_now(held.true_at.expect("the true time"), 0);
    }
    world.assert_is_now(held[0].expires_at.unwrap(), DAY_S as u64);
    world.redacted(short, held[1].seq).await;
    assert_eq!(world.entry(short, held[1].seq).await.true_at, held[1].true_at);

    world.restart_ahead(0).await;
    assert_eq!(world.entry(long, held[0].seq).await, held[0]);
    // One who was there before knows of no true time, and a new conversation needs none.
    let other = world.group(DAY_S as u32).await;
    assert_eq!(world.say(other, client_id()).await.true_at, None);
    world.stop().await;
    let report = verify(&world.config.data_dir, |_| {}).unwrap();
    assert!(report.is_clean(), "{report}");
}
