//! `kith-load overload`: an open loop at a multiple of what the server can: what it accepts, how fast, in what order, and what it sheds.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::{
    error::Result,
    pairs::{self, Timing},
    report::report,
    room::{self, Load, Plan},
    tally::Measured,
    target::Target,
};

/// The arguments of `kith-load overload`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    timing: Timing,
    /// Pairs of users, each with a direct conversation
    #[arg(long, default_value_t = 200)]
    pairs: usize,
    /// Messages a second to offer in all: ten times what `kith-load sustain` found, say
    #[arg(long)]
    rate: f64,
}

#[derive(Serialize)]
struct Overloaded {
    /// Messages a second that were due.
    offered_per_s: f64,
    /// Messages that were due in all.
    offered: u64,
    /// Sends that were answered with `sent`.
    accepted: u64,
    /// The share that was refused, or could not even be written because the server had stopped reading.
    refused_share: f64,
    /// From when an accepted message was due to its `sent`: the share above which 1 % lies.
    accepted_p99_ms: f64,
    /// The same from when it was written.
    accepted_from_written_p99_ms: f64,
    /// Every socket heard every accepted message once and in order.
    order_kept: bool,
    /// The server said that it sheds something.
    degraded_seen: bool,
    #[serde(flatten)]
    measured: Measured,
}

/// Measures.
///
/// # Errors
/// It cannot run.
pub async fn run(args: &Args) -> Result<Value> {
    let conversations = pairs::conversations(&args.target, args.pairs).await?;
    let rooms = pairs::rooms(&conversations);
    // From the first message on: a warm-up would hide the moment in which the overload begins.
    let plan = Plan { typing: true, warm_up: Duration::ZERO, ..args.timing.plan(rooms, Load::Rate(args.rate))? };
    let seconds = plan.duration.as_secs_f64();
    let measured = room::run(&args.target, plan).await?;

    let accepted = measured.sent_latency.count;
    let refused = measured.refused.values().sum::<u64>() + measured.held_back;
    let offered = accepted + refused + measured.check.unanswered;
    let order_kept = measured.check.is_good();
    let overloaded = Overloaded {
        offered_per_s: offered as f64 / seconds,
        offered,
        accepted,
        refused_share: refused as f64 / offered.max(1) as f64,
        accepted_p99_ms: measured.sent_latency.p99_ms,
        accepted_from_written_p99_ms: measured.written_latency.p99_ms,
        order_kept,
        degraded_seen: measured.has_shed(),
        measured,
    };
    report("overload", order_kept && accepted > 0, overloaded)
}
