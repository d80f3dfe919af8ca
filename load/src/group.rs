//! `kith-load group`: one group, everybody connected, a few of them write.

use kith_protocol::entry::ConversationKind;
use serde_json::Value;

use crate::{
    error::{Error, Result},
    pairs::Timing,
    report::report,
    room::{self, Load, RoomPlan},
    setup::{self, Setup},
    target::Target,
};

/// The arguments of `kith-load group`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    timing: Timing,
    /// Members, all connected
    #[arg(long, default_value_t = 100)]
    members: usize,
    /// Members who write
    #[arg(long, default_value_t = 4)]
    senders: usize,
    /// Messages that each of them has unanswered
    #[arg(long, default_value_t = 8)]
    window: usize,
}

/// Measures.
///
/// # Errors
/// It cannot run.
pub async fn run(args: &Args) -> Result<Value> {
    if args.senders == 0 || args.senders > args.members {
        return Err(Error::Refused("there must be a sender, and no more of them than members".into()));
    }
    let setup = Setup::new(&args.target);
    let users = setup.users(args.members).await?;
    let members: Vec<usize> = (0..args.members).collect();
    let plan = setup::Plan { kind: ConversationKind::Group, members: vec![members.clone()] };
    let made = setup.conversations(plan, users).await?;
    let rooms = vec![RoomPlan { conversation: made[0], members, senders: args.senders }];
    let measured = room::run(&args.target, args.timing.plan(rooms, Load::Window(args.window))?).await?;
    let ok = measured.check.is_good() && measured.messages > 0;
    report("group", ok, measured)
}
