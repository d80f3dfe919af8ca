//! `kith-load channel`: a large channel, many of its members connected, one writes now and then:
//! how long until the last socket has it?

use kith_protocol::entry::ConversationKind;
use serde_json::Value;

use crate::{
    error::{Error, Result},
    pairs::Timing,
    report::report,
    room::{self, Load, Plan, RoomPlan},
    setup::{self, Setup},
    target::Target,
};

/// The arguments of `kith-load channel`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    timing: Timing,
    /// Members
    #[arg(long, default_value_t = 10_000)]
    members: usize,
    /// Members that are connected
    #[arg(long, default_value_t = 2_000)]
    connected: usize,
    /// Messages a second
    #[arg(long, default_value_t = 4.0)]
    rate: f64,
}

/// Measures.
///
/// # Errors
/// It cannot run.
pub async fn run(args: &Args) -> Result<Value> {
    if args.connected < 2 || args.connected > args.members {
        return Err(Error::Refused("two members must be connected, and no more than there are".into()));
    }
    let setup = Setup::new(&args.target);
    let users = setup.users(args.members).await?;
    let plan = setup::Plan { kind: ConversationKind::Channel, members: vec![vec![0]] };
    let made = setup.conversations(plan, users.clone()).await?;
    setup.join(made[0], users).await?;
    let rooms = vec![RoomPlan { conversation: made[0], members: (0..args.connected).collect(), senders: 1 }];
    let plan = Plan { time_last: true, ..args.timing.plan(rooms, Load::Rate(args.rate))? };
    let measured = room::run(&args.target, plan).await?;
    let ok = measured.check.is_good() && measured.last_latency.count > 0;
    report("channel", ok, measured)
}
