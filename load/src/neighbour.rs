//! `kith-load neighbour`: the latency of one user's sends, alone and while another user stands at a bound of the server.
//!
//! Each attack runs between two quiet measurements, so that what the machine does meanwhile meets both. The server is one
//! with the limits that it has by itself: with higher ones there is no bound to stand at.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use kith_protocol::{ConversationId, entry::ConversationKind};
use serde::Serialize;
use serde_json::Value;
use tokio::{
    task::JoinSet,
    time::{sleep, sleep_until, timeout},
};

use crate::{
    conn::Conn,
    error::{Error, Result},
    latency::{Latency, Summary},
    mark::{Clock, Mark},
    pairs, proc,
    report::report,
    rest::Rest,
    scan,
    setup::{self, Setup},
    target::Target,
};

/// The user whose sends are timed; the next one is the other side.
const SENDER: usize = 0;
/// The user who stands at the bounds, with two others, each in a direct conversation.
const ATTACKER: usize = 2;
/// Texts of the attacker's conversation, and the bytes of each: a page of them is close to its bound.
const TEXTS: u32 = 90;
const TEXT_BYTES: usize = 10_000;
/// The pause of the attacker after it was cut off.
const CUT_OFF: Duration = Duration::from_millis(100);
/// The time for which an attack runs before its measurement begins.
const RAMP: Duration = Duration::from_millis(500);
const SENT_LIMIT: Duration = Duration::from_secs(30);

/// The arguments of `kith-load neighbour`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(flatten)]
    target: Target,
    /// Sends of the user a second
    #[arg(long, default_value_t = 20.0)]
    rate: f64,
    /// Seconds of each measurement
    #[arg(long, default_value_t = 6.0)]
    duration: f64,
    /// Connections of each attack at most
    #[arg(long, default_value_t = 60)]
    attackers: usize,
}

/// Something that one user does as often as the server lets them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum Attack {
    /// Sends messages.
    Sends,
    /// Asks for pages of long texts and reads none.
    UnreadPages,
    /// Searches for a word of the texts.
    Searches,
    /// Lists its conversations.
    Requests,
    /// Signs in with a wrong password.
    SignIns,
}

impl Attack {
    const ALL: [Self; 5] = [Self::Sends, Self::UnreadPages, Self::Searches, Self::Requests, Self::SignIns];

    /// Connections at a time.
    const fn connections(self) -> usize {
        match self {
            Self::Sends => 4,
            Self::UnreadPages => 60,
            Self::Searches | Self::Requests | Self::SignIns => 16,
        }
    }
}

/// The user's sends during one attack, and before and after it.
#[derive(Debug, Serialize)]
struct Attacked {
    quiet: Summary,
    attacked: Summary,
    /// The median during the attack, as a multiple of the quiet one.
    p50_ratio: f64,
    p99_ratio: f64,
    /// Bytes of memory of the server's process at the end of the attack.
    rss_bytes: Option<u64>,
}

#[derive(Serialize)]
struct Measured {
    attacks: BTreeMap<Attack, Attacked>,
    worst_p50_ratio: f64,
    worst_p99_ratio: f64,
    most_rss_bytes: Option<u64>,
}

/// The attacker's side, prepared.
#[derive(Clone)]
struct Attacker {
    target: Target,
    conversation: ConversationId,
    clock: Clock,
}

/// Measures.
///
/// # Errors
/// It cannot run, or a send of the user is refused.
pub async fn run(args: &Args) -> Result<Value> {
    let own = pairs::conversations(&args.target, 1).await?[0];
    let attacker = prepare(&args.target).await?;
    let mut sender = Timed::open(args, own).await?;
    let mut attacks = BTreeMap::new();
    for attack in Attack::ALL {
        let mut quiet = Latency::default();
        sender.measure(&mut quiet).await?;
        let running = attacker.start(attack, args.attackers);
        sleep(RAMP).await;
        let mut attacked = Latency::default();
        sender.measure(&mut attacked).await?;
        let rss_bytes = args.target.server_pid.map(proc::Usage::of).transpose()?.map(|usage| usage.rss_bytes);
        drop(running);
        sleep(RAMP).await;
        sender.measure(&mut quiet).await?;
        let (quiet, attacked) = (quiet.summary(), attacked.summary());
        let ratio = |now: f64, before: f64| now / before.max(0.001);
        let p50_ratio = ratio(attacked.p50_ms, quiet.p50_ms);
        let p99_ratio = ratio(attacked.p99_ms, quiet.p99_ms);
        attacks.insert(attack, Attacked { quiet, attacked, p50_ratio, p99_ratio, rss_bytes });
    }
    let worst = |of: fn(&Attacked) -> f64| attacks.values().map(of).fold(0.0, f64::max);
    let measured = Measured {
        worst_p50_ratio: worst(|attacked| attacked.p50_ratio),
        worst_p99_ratio: worst(|attacked| attacked.p99_ratio),
        most_rss_bytes: attacks.values().filter_map(|attacked| attacked.rss_bytes).max(),
        attacks,
    };
    report("neighbour", true, measured)
}

/// Makes the attacker's conversation and fills it, as far as its rate allows.
async fn prepare(target: &Target) -> Result<Attacker> {
    let setup = Setup::new(target);
    let users = setup.users(ATTACKER + 2).await?;
    let plan = setup::Plan { kind: ConversationKind::Direct, members: vec![vec![ATTACKER, ATTACKER + 1]] };
    let conversation = setup.conversations(plan, users).await?[0];
    let attacker = Attacker { target: target.clone(), conversation, clock: Clock::new() };
    let mut rest = Rest::open(target, ATTACKER).await?;
    let text = "quick brown ".repeat(TEXT_BYTES / 12);
    for count in 0..TEXTS {
        let client_id = attacker.name(0, count);
        let body = format!(r#"{{"client_id":"{client_id}","text":"{text}"}}"#);
        let path = format!("/v1/conversations/{conversation}/messages");
        let answer = rest.call("POST", &path, &target.token(ATTACKER), &body).await?;
        if !(200..300).contains(&answer.status) {
            return Err(Error::Refused(format!("a text was answered with {}", answer.status)));
        }
    }
    Ok(attacker)
}

/// The user whose sends are timed: one at a time, at fixed times.
struct Timed {
    conn: Conn,
    conversation: ConversationId,
    clock: Clock,
    count: u32,
    step: Duration,
    sends: u32,
}

impl Timed {
    async fn open(args: &Args, conversation: ConversationId) -> Result<Self> {
        let step = Duration::from_secs_f64(1.0 / args.rate.clamp(0.1, 1000.0));
        let sends = (args.duration.max(0.1) / step.as_secs_f64()).ceil() as u32;
        let mut conn = Conn::open(&args.target, SENDER).await?;
        conn.sign_in(&args.target.token(SENDER), "", |_, _| Ok(())).await?;
        Ok(Self { conn, conversation, clock: Clock::new(), count: 0, step, sends })
    }

    async fn measure(&mut self, latency: &mut Latency) -> Result<()> {
        let began = Instant::now();
        for turn in 0..self.sends {
            sleep_until((began + self.step * turn).into()).await;
            let us =
                timeout(SENT_LIMIT, self.send()).await.map_err(|_| Error::Refused("a send took 30 s".into()))??;
            latency.record(us);
        }
        Ok(())
    }

    /// Sends one message: the µs from its writing to the arrival of `sent`.
    async fn send(&mut self) -> Result<u64> {
        let at_us = self.clock.now_us();
        let client_id = self.clock.name(Mark { sender: SENDER as u16, count: self.count, at_us });
        self.count += 1;
        self.conn.text(send(self.conversation, &client_id.to_string(), "hello").as_bytes());
        let written = Instant::now();
        self.conn.flush()?;
        let mut sent = None;
        while sent.is_none() {
            self.conn
                .recv(|frame, arrival| {
                    match scan::kind(frame)? {
                        b"sent" => sent = Some(arrival.at),
                        b"error" => return Err(Error::Protocol(String::from_utf8_lossy(frame).into_owned())),
                        _ => {}
                    }
                    Ok(())
                })
                .await?;
        }
        Ok(sent.unwrap_or(written).saturating_duration_since(written).as_micros() as u64)
    }
}

fn send(conversation: ConversationId, client_id: &str, text: &str) -> String {
    format!(r#"{{"t":"send","conversation":"{conversation}","client_id":"{client_id}","text":"{text}"}}"#)
}

impl Attacker {
    fn name(&self, connection: usize, count: u32) -> String {
        self.clock.name(Mark { sender: connection as u16, count, at_us: self.clock.now_us() }).to_string()
    }

    /// Begins an attack by so many connections at most, which goes on until what this returns is dropped.
    fn start(&self, attack: Attack, most: usize) -> JoinSet<()> {
        let mut running = JoinSet::new();
        for connection in 0..attack.connections().min(most) {
            let attacker = self.clone();
            running.spawn_local(async move {
                loop {
                    // Whatever ends it is what the bound is for.
                    let _cut_off = attacker.attack(attack, connection).await;
                    sleep(CUT_OFF).await;
                }
            });
        }
        running
    }

    async fn attack(&self, attack: Attack, connection: usize) -> Result<()> {
        let user = ATTACKER;
        let token = self.target.token(user);
        match attack {
            Attack::Sends => self.flood(connection).await,
            Attack::UnreadPages => {
                let mut conn = Conn::open(&self.target, user).await?;
                conn.sign_in(&token, "", |_, _| Ok(())).await?;
                for _ in 0..16 {
                    conn.text(format!(r#"{{"t":"sync","conversation":"{}","after":0}}"#, self.conversation).as_bytes());
                }
                conn.flush()?;
                sleep(Duration::from_secs(2)).await;
                Ok(())
            }
            Attack::Searches => self.repeat("GET", "/v1/search?q=quick", "").await,
            Attack::Requests => self.repeat("GET", "/v1/users/me/conversations", "").await,
            Attack::SignIns => {
                let name = self.target.username(user);
                let body = format!(r#"{{"username":"{name}","password":"not the right one {connection}"}}"#);
                self.repeat("POST", "/v1/sessions", &body).await
            }
        }
    }

    async fn repeat(&self, method: &str, path: &str, body: &str) -> Result<()> {
        let mut rest = Rest::open(&self.target, ATTACKER).await?;
        loop {
            rest.call(method, path, &self.target.token(ATTACKER), body).await?;
        }
    }

    /// Sends a message each millisecond or so, and reads.
    async fn flood(&self, connection: usize) -> Result<()> {
        let mut conn = Conn::open(&self.target, ATTACKER).await?;
        conn.sign_in(&self.target.token(ATTACKER), "", |_, _| Ok(())).await?;
        for count in 0.. {
            conn.text(send(self.conversation, &self.name(connection, count), "again").as_bytes());
            conn.flush()?;
            let read = timeout(Duration::from_millis(1), conn.recv(|_, _| Ok(()))).await;
            read.unwrap_or(Ok(0))?;
        }
        Ok(())
    }
}
