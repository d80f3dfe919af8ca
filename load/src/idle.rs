//! `kith-load idle`: signed-in connections that say nothing but `ping`: what each costs in memory and CPU, and what comes back.

use std::{
    cell::Cell,
    rc::Rc,
    time::{Duration, Instant},
};

use serde::Serialize;
use serde_json::Value;
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{sleep, sleep_until},
};

use crate::{
    conn::Conn,
    error::{Error, Result},
    gather::gather,
    proc::{self, Usage},
    report::report,
    scan,
    target::Target,
};

/// Sockets that may be on their way to being open.
const OPENING: usize = 128;
/// Connections that come and go first, so that what the first connection ever costs is not counted as each one's.
const WARM_UP: usize = 100;

/// The arguments of `kith-load idle`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(flatten)]
    target: Target,
    /// Connections, each of its own user
    #[arg(long, default_value_t = 15_000)]
    connections: usize,
    /// Milliseconds between a client's pings; the server's own heartbeat where absent
    #[arg(long)]
    heartbeat: Option<u32>,
    /// Seconds before memory is read
    #[arg(long, default_value_t = 5.0)]
    settle: f64,
    /// Seconds over which CPU is measured
    #[arg(long, default_value_t = 30.0)]
    window: f64,
    /// Seconds after they all left until memory is read again
    #[arg(long, default_value_t = 15.0)]
    leave: f64,
}

#[derive(Serialize)]
struct Measured {
    connections: usize,
    heartbeat_ms: u64,
    rss_before_bytes: u64,
    rss_connected_bytes: u64,
    rss_after_window_bytes: u64,
    rss_after_leaving_bytes: u64,
    /// The larger of the two readings with everybody there.
    rss_per_connection_bytes: f64,
    given_back_share: f64,
    window_s: f64,
    cpu_us_per_s_per_connection: f64,
    cpu_user_share: f64,
    server_threads: u64,
    pings: u64,
    pongs: u64,
    lost_connections: u64,
    connect_s: f64,
}

#[derive(Default)]
struct Counts {
    pings: Cell<u64>,
    pongs: Cell<u64>,
    lost: Cell<u64>,
}

/// Measures.
///
/// # Errors
/// It cannot run, or `--server-pid` is missing.
pub async fn run(args: &Args) -> Result<Value> {
    let pid = args.target.server_pid;
    let usage =
        || pid.map(Usage::of).ok_or_else(|| Error::Refused("--server-pid is needed: memory is read there".into()))?;
    usage()?;
    proc::has_files_for(args.connections)?;
    let settle = Duration::from_secs_f64(args.settle.max(0.0));

    let warm = open(&args.target, WARM_UP.min(args.connections)).await?;
    leave(warm.into_iter().map(|(conn, _)| conn)).await;
    sleep(settle).await;
    let before = usage()?;

    let began = Instant::now();
    let opened = open(&args.target, args.connections).await?;
    let connect_s = began.elapsed().as_secs_f64();
    let heartbeat_ms = args.heartbeat.or(opened.first().map(|(_, heartbeat)| *heartbeat)).unwrap_or(10_000);
    let heartbeat = Duration::from_millis(u64::from(heartbeat_ms));
    let counts = Rc::new(Counts::default());
    let (over, is_over) = watch::channel(false);
    let mut idlers = JoinSet::new();
    for (turn, (conn, _)) in opened.into_iter().enumerate() {
        // The first ping at its own part of the interval, evenly spread as chance would do with so many.
        let first = heartbeat.mul_f64(turn as f64 / args.connections as f64);
        idlers.spawn_local(idle(conn, first, heartbeat, counts.clone(), is_over.clone()));
    }
    sleep(settle).await;
    let connected = usage()?;
    let began = Instant::now();
    sleep(Duration::from_secs_f64(args.window.max(0.1))).await;
    let after = usage()?;
    let window = began.elapsed();
    let lost = counts.lost.get();

    over.send_replace(true);
    let mut left = Vec::with_capacity(args.connections);
    while let Some(conn) = idlers.join_next().await {
        left.extend(conn.map_err(|panic| Error::Refused(format!("an idler ended early: {panic}")))?);
    }
    leave(left.into_iter()).await;
    sleep(Duration::from_secs_f64(args.leave.max(0.0))).await;
    let gone = usage()?;

    let most = connected.rss_bytes.max(after.rss_bytes);
    let grown = most.saturating_sub(before.rss_bytes) as f64;
    let spent = after.since(&connected, window);
    let (pings, pongs) = (counts.pings.get(), counts.pongs.get());
    let measured = Measured {
        connections: args.connections,
        heartbeat_ms: u64::from(heartbeat_ms),
        rss_before_bytes: before.rss_bytes,
        rss_connected_bytes: connected.rss_bytes,
        rss_after_window_bytes: after.rss_bytes,
        rss_after_leaving_bytes: gone.rss_bytes,
        rss_per_connection_bytes: grown / args.connections as f64,
        given_back_share: if grown > 0.0 { most.saturating_sub(gone.rss_bytes) as f64 / grown } else { 1.0 },
        window_s: window.as_secs_f64(),
        cpu_us_per_s_per_connection: spent.cpu_s * 1e6 / window.as_secs_f64() / args.connections as f64,
        cpu_user_share: if spent.cpu_s > 0.0 { spent.user_s / spent.cpu_s } else { 0.0 },
        server_threads: after.threads,
        pings,
        pongs,
        lost_connections: lost,
        connect_s,
    };
    // The last pings may be unanswered when all leave; more than a second's worth is not that.
    let unanswered = pings - pongs;
    let under_way = (args.connections as u64).div_ceil(u64::from(heartbeat_ms).max(1)) * 1000;
    report("idle", lost == 0 && unanswered <= under_way, measured)
}

async fn open(target: &Target, connections: usize) -> Result<Vec<(Conn, u32)>> {
    let target = target.clone();
    gather(connections, OPENING, async move |user| {
        let mut conn = Conn::open(&target, user).await?;
        let signed_in = conn.sign_in(&target.token(user), "", |_, _| Ok(())).await?;
        Ok((conn, signed_in.ready.heartbeat_ms))
    })
    .await
}

/// Says goodbye on every connection, as an app does that is closed.
async fn leave(conns: impl Iterator<Item = Conn>) {
    let mut leaving = Vec::new();
    for mut conn in conns {
        conn.close();
        let _gone_already = conn.flush();
        leaving.push(conn);
    }
    // The server closes its side first, so that the addresses are free again.
    sleep(Duration::from_secs(1)).await;
}

/// Pings until it is over; `None` where the server went away.
async fn idle(
    mut conn: Conn,
    first: Duration,
    heartbeat: Duration,
    counts: Rc<Counts>,
    mut over: watch::Receiver<bool>,
) -> Option<Conn> {
    let mut next = Instant::now() + first;
    loop {
        let done = tokio::select! {
            biased;
            _ = over.wait_for(|over| *over) => return Some(conn),
            heard = conn.recv(|frame, _| {
                if scan::kind(frame)? == b"pong" {
                    counts.pongs.set(counts.pongs.get() + 1);
                }
                Ok(())
            }) => heard.map(drop),
            () = sleep_until(next.into()) => {
                next += heartbeat;
                conn.text(br#"{"t":"ping"}"#);
                counts.pings.set(counts.pings.get() + 1);
                conn.flush()
            }
        };
        if done.is_err() {
            counts.lost.set(counts.lost.get() + 1);
            return None;
        }
    }
}
