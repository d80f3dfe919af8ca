//! `kith-load sustain`: the highest rate that the server carries when messages come whether or not it is ready for them.
//!
//! It carries a rate if it does its whole work: no message is refused, and nothing else is dropped for the messages' sake.
//! A closed loop reaches more: whoever waits for answers writes several messages at once as soon as the server is late.

use serde::Serialize;
use serde_json::Value;

use crate::{
    error::Result,
    pairs::{self, Timing},
    report::report,
    room::{self, Load},
    tally::Measured,
    target::Target,
};

/// CPU time of the machine that its host may take before a step that failed says nothing.
const DISTURBED_PERCENT: f64 = 1.0;

/// The arguments of `kith-load sustain`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    timing: Timing,
    /// Pairs of users, each with a direct conversation
    #[arg(long, default_value_t = 200)]
    pairs: usize,
    /// Messages a second between which and none the rate is looked for: what a closed loop reaches, say
    #[arg(long)]
    below: f64,
    /// Halvings of the range; what failed while the host took CPU time is tried once more
    #[arg(long, default_value_t = 5)]
    steps: u32,
    /// Milliseconds in which 99 of 100 messages must be answered
    #[arg(long, default_value_t = 100.0)]
    within_ms: f64,
}

#[derive(Serialize)]
struct Sustained {
    /// Messages a second.
    sustained_per_s: f64,
    /// The rates that were tried.
    steps: Vec<Step>,
}

#[derive(Serialize)]
struct Step {
    rate: f64,
    carried: bool,
    messages_per_s: f64,
    refused: u64,
    shed: bool,
    p99_ms: f64,
    stolen_percent: Option<f64>,
}

/// Measures.
///
/// # Errors
/// It cannot run.
pub async fn run(args: &Args) -> Result<Value> {
    let conversations = pairs::conversations(&args.target, args.pairs).await?;
    let (mut carried, mut not_carried, mut steps) = (0.0, args.below, Vec::new());
    for _ in 0..args.steps {
        let rate = (carried + not_carried) / 2.0;
        let plan = || args.timing.plan(pairs::rooms(&conversations), Load::Rate(rate));
        let mut step = Step::of(rate, args.within_ms, &room::run(&args.target, plan()?).await?);
        if step.is_disturbed() {
            steps.push(step);
            step = Step::of(rate, args.within_ms, &room::run(&args.target, plan()?).await?);
        }
        *if step.carried { &mut carried } else { &mut not_carried } = rate;
        steps.push(step);
    }
    report("sustain", carried > 0.0, Sustained { sustained_per_s: carried, steps })
}

impl Step {
    fn of(rate: f64, within_ms: f64, measured: &Measured) -> Self {
        let refused = measured.refused.values().sum::<u64>() + measured.held_back;
        let (shed, p99_ms) = (measured.has_shed(), measured.sent_latency.p99_ms);
        let all = refused == 0 && !shed && measured.check.is_good();
        let carried = all && measured.messages_per_s > 0.95 * rate && p99_ms <= within_ms;
        let (messages_per_s, stolen_percent) = (measured.messages_per_s, measured.stolen_percent);
        Self { rate, carried, messages_per_s, refused, shed, p99_ms, stolen_percent }
    }

    /// Returns true for a failure that may be the host's doing.
    fn is_disturbed(&self) -> bool {
        !self.carried && self.stolen_percent.is_some_and(|percent| percent > DISTURBED_PERCENT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_made_again_only_where_it_failed_beside_a_busy_host() {
        let step = |carried, stolen_percent| Step {
            rate: 1.0,
            carried,
            messages_per_s: 1.0,
            refused: 0,
            shed: false,
            p99_ms: 1.0,
            stolen_percent,
        };
        assert!(step(false, Some(1.1)).is_disturbed());
        assert!(![step(true, Some(9.0)), step(false, Some(1.0)), step(false, None)].iter().any(Step::is_disturbed));
    }
}
