//! `kith-load pairs`: direct conversations, one side writes, the other hears.

use std::time::Duration;

use kith_protocol::{ConversationId, entry::ConversationKind};
use serde_json::Value;

use crate::{
    error::{Error, Result},
    report::report,
    room::{self, Load, Plan, RoomPlan},
    setup::{self, Setup},
    target::Target,
};

/// The arguments of every load of messages.
#[derive(Debug, Clone, clap::Args)]
pub struct Timing {
    /// Bytes of text in a message
    #[arg(long, default_value_t = 200)]
    pub text: usize,
    /// Seconds before measuring
    #[arg(long, default_value_t = 2.0)]
    pub warm_up: f64,
    /// Seconds of measuring
    #[arg(long, default_value_t = 20.0)]
    pub duration: f64,
    /// Seconds for what is under way at the end
    #[arg(long, default_value_t = 15.0)]
    pub drain: f64,
}

/// The arguments of `kith-load pairs`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    timing: Timing,
    /// Pairs of users, each with a direct conversation
    #[arg(long, default_value_t = 200)]
    pairs: usize,
    /// Messages that each sender has unanswered
    #[arg(long, default_value_t = 8)]
    window: usize,
    /// Open loop instead: so many messages a second in all; times count from when each was due
    #[arg(long)]
    rate: Option<f64>,
    /// Receivers say `delivered`, as an app does
    #[arg(long)]
    receipts: bool,
}

impl Timing {
    /// The plan for these conversations under this load.
    pub fn plan(&self, rooms: Vec<RoomPlan>, load: Load) -> Result<Plan> {
        if load == Load::Window(0) || matches!(load, Load::Rate(rate) if rate <= 0.0) {
            return Err(Error::Refused("a window or a rate of nothing sends nothing".into()));
        }
        let seconds = |seconds: f64| {
            Duration::try_from_secs_f64(seconds).map_err(|_| Error::Refused(format!("{seconds} is no time")))
        };
        Ok(Plan {
            rooms,
            load,
            text_bytes: self.text,
            warm_up: seconds(self.warm_up)?,
            duration: seconds(self.duration)?,
            drain: seconds(self.drain)?,
            quota: u64::MAX,
            receipts: false,
            typing: false,
            time_last: false,
        })
    }
}

/// Makes, or finds again, the direct conversations of the first `2 * pairs` users.
///
/// # Errors
/// The users were not imported.
pub async fn conversations(target: &Target, pairs: usize) -> Result<Vec<ConversationId>> {
    let setup = Setup::new(target);
    let users = setup.users(2 * pairs).await?;
    let members = (0..pairs).map(|pair| vec![2 * pair, 2 * pair + 1]).collect();
    setup.conversations(setup::Plan { kind: ConversationKind::Direct, members }, users).await
}

/// The rooms of those conversations: the even user writes, the odd one hears.
pub fn rooms(conversations: &[ConversationId]) -> Vec<RoomPlan> {
    (conversations.iter().enumerate())
        .map(|(pair, conversation)| RoomPlan {
            conversation: *conversation,
            members: vec![2 * pair, 2 * pair + 1],
            senders: 1,
        })
        .collect()
}

/// Measures.
///
/// # Errors
/// It cannot run.
pub async fn run(args: &Args) -> Result<Value> {
    let conversations = conversations(&args.target, args.pairs).await?;
    let load = args.rate.map_or(Load::Window(args.window), Load::Rate);
    let plan = Plan { receipts: args.receipts, ..args.timing.plan(rooms(&conversations), load)? };
    let measured = room::run(&args.target, plan).await?;
    let ok = measured.check.is_good() && measured.messages > 0;
    report("pairs", ok, measured)
}
