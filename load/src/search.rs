//! `kith-load search`: others fill conversations with a word, then members of few and of many conversations search for it,
//! and for a word that nobody wrote.

use std::time::{Duration, Instant};

use kith_protocol::{ConversationId, UserId, entry::ConversationKind};
use serde::Serialize;
use serde_json::Value;
use tokio::time::sleep;

use crate::{
    error::{Error, Result},
    gather::gather,
    latency::{Latency, Summary},
    mark::{Clock, Mark},
    pairs,
    report::report,
    rest::{Answer, Rest},
    room::{self, Load, Plan},
    setup::{self, Setup},
    target::Target,
};

/// A word of every generated message.
const KNOWN: &str = "quick";
const UNKNOWN: &str = "unheard";
/// A word of what is written last in a conversation: the index has all of it once this is found.
const LAST: &str = "finished";
const INDEXED_LIMIT: Duration = Duration::from_secs(300);

/// The arguments of `kith-load search`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(flatten)]
    target: Target,
    /// Direct conversations of others
    #[arg(long, default_value_t = 40)]
    conversations: usize,
    /// Messages with the word in all of those
    #[arg(long, default_value_t = 40_000)]
    fill: u64,
    /// Bytes of text in a message
    #[arg(long, default_value_t = 200)]
    text: usize,
    /// Groups of the member of many conversations
    #[arg(long, default_value_t = 1000)]
    many: usize,
    /// Searches for each word by the member of few, in turns
    #[arg(long, default_value_t = 500)]
    searches: usize,
    /// Searches for each word by the member of many, in turns
    #[arg(long, default_value_t = 50)]
    searches_of_many: usize,
}

#[derive(Serialize)]
struct Measured {
    filled: u64,
    few: Times,
    many: Times,
}

/// The times of one user's searches.
#[derive(Serialize)]
struct Times {
    conversations: usize,
    known: Summary,
    unknown: Summary,
}

/// Measures.
///
/// # Errors
/// It cannot run.
pub async fn run(args: &Args) -> Result<Value> {
    let others = pairs::conversations(&args.target, args.conversations).await?;
    let plan = Plan {
        rooms: pairs::rooms(&others),
        load: Load::Window(16),
        text_bytes: args.text,
        warm_up: Duration::ZERO,
        duration: Duration::from_secs(900),
        drain: Duration::from_secs(30),
        quota: args.fill.div_ceil(others.len().max(1) as u64),
        receipts: false,
        typing: false,
        time_last: false,
    };
    let filled = room::run(&args.target, plan).await?;
    let (few, many) = (2 * args.conversations, 2 * args.conversations + 3);
    let users = Setup::new(&args.target).users(many + 2).await?;
    let of_few = converse(&args.target, few, ConversationKind::Direct, 2, users.clone()).await?;
    let of_many = converse(&args.target, many, ConversationKind::Group, args.many, users).await?;
    finish(&args.target, others, 0).await?;
    finish(&args.target, of_few, few).await?;
    finish(&args.target, of_many, many).await?;
    let measured = Measured {
        filled: filled.sent_latency.count,
        few: times(&args.target, few, 2, args.searches).await?,
        many: times(&args.target, many, args.many, args.searches_of_many).await?,
    };
    report("search", filled.check.is_good(), measured)
}

/// Has a user begin conversations: direct ones with the users behind, or groups with the next one.
async fn converse(
    target: &Target,
    user: usize,
    kind: ConversationKind,
    count: usize,
    users: Vec<UserId>,
) -> Result<Vec<ConversationId>> {
    let other = |index: usize| if kind == ConversationKind::Direct { user + 1 + index } else { user + 1 };
    let members = (0..count).map(|index| vec![user, other(index)]).collect();
    Setup::new(target).conversations(setup::Plan { kind, members }, users).await
}

/// Writes the last message of conversations and waits until it is found in each. The first member of each is `writer`, or,
/// where that is 0, the even user of its pair.
async fn finish(target: &Target, conversations: Vec<ConversationId>, writer: usize) -> Result<()> {
    let (target, clock, until) = (target.clone(), Clock::new(), Instant::now() + INDEXED_LIMIT);
    gather(conversations.len(), target.rest, async move |index| {
        let user = if writer == 0 { 2 * index } else { writer };
        let (conversation, token) = (conversations[index], target.token(user));
        // A connection of its own: a kept one is closed by the server while it rests.
        let mut rest = Rest::open(&target, index).await?;
        let client_id = clock.name(Mark { sender: 0, count: index as u32, at_us: clock.now_us() });
        let body = format!(r#"{{"client_id":"{client_id}","text":"{LAST} at last"}}"#);
        good(rest.call("POST", &format!("/v1/conversations/{conversation}/messages"), &token, &body).await?)?;
        let path = format!("/v1/search?q={LAST}&limit=1&conversation={conversation}");
        loop {
            let answer = rest.call("GET", &path, &token, "").await?;
            // Too many searches of this user wait.
            if answer.status != 503 && has_items(&good(answer)?)? {
                return Ok(());
            }
            if Instant::now() >= until {
                return Err(Error::Refused(format!("nothing was found for {} s", INDEXED_LIMIT.as_secs())));
            }
            sleep(Duration::from_millis(500)).await;
        }
    })
    .await
    .map(drop)
}

/// The body of a good answer.
fn good(answer: Answer) -> Result<Vec<u8>> {
    match answer.status {
        200..300 => Ok(answer.body),
        status => Err(Error::Refused(format!("a message or a search was answered with {status}"))),
    }
}

/// Returns true if a page of a list has an item.
fn has_items(page: &[u8]) -> Result<bool> {
    let page: Value = serde_json::from_slice(page).map_err(|error| Error::Protocol(format!("no page: {error}")))?;
    Ok(page["items"].as_array().is_some_and(|items| !items.is_empty()))
}

/// Has a user search for both words in turns, one search at a time.
async fn times(target: &Target, user: usize, conversations: usize, searches: usize) -> Result<Times> {
    let mut rest = Rest::open(target, user).await?;
    let token = target.token(user);
    let [mut known, mut unknown] = [Latency::default(), Latency::default()];
    for turn in 0..2 * searches {
        let (word, times) = if turn % 2 == 0 { (KNOWN, &mut known) } else { (UNKNOWN, &mut unknown) };
        let path = format!("/v1/search?q={word}");
        let asked = Instant::now();
        let answer = rest.call("GET", &path, &token, "").await?;
        times.record(asked.elapsed().as_micros() as u64);
        if has_items(&good(answer)?)? {
            return Err(Error::Refused(format!("GET {path} finds something")));
        }
    }
    Ok(Times { conversations, known: known.summary(), unknown: unknown.summary() })
}
