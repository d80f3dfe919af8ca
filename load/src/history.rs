//! `kith-load history`: fills conversations through the front door, then reads pages at random places over REST;
//! and weighs what a message takes on the disk.

use std::{
    cell::RefCell,
    fs,
    path::{Path, PathBuf},
    rc::Rc,
    time::{Duration, Instant},
};

use kith_protocol::ConversationId;
use serde::Serialize;
use serde_json::Value;
use tokio::time::sleep;

use crate::{
    chance::Chance,
    error::{Error, Result},
    gather::gather,
    latency::{Latency, Summary},
    pairs,
    proc::{Spent, Usage},
    report::report,
    rest::{Pool, Rest},
    room::{self, Load, Plan},
    scan,
    target::Target,
};

const PAGE: u64 = 50;
/// A write-ahead log that is no larger is not counted as unsettled.
const SMALL_WAL_BYTES: u64 = 8 * 1024 * 1024;

/// The arguments of `kith-load history`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(flatten)]
    target: Target,
    /// Direct conversations, of two users each
    #[arg(long, default_value_t = 200)]
    conversations: usize,
    /// Messages to add before reading
    #[arg(long, default_value_t = 100_000)]
    fill: u64,
    /// Bytes of text in a message
    #[arg(long, default_value_t = 200)]
    text: usize,
    /// Messages that each sender has unanswered while filling
    #[arg(long, default_value_t = 16)]
    window: usize,
    /// Seconds after which filling stops, however many there are
    #[arg(long, default_value_t = 900.0)]
    fill_limit: f64,
    /// Clients that read pages
    #[arg(long, default_value_t = 4)]
    readers: usize,
    /// Seconds of reading
    #[arg(long, default_value_t = 15.0)]
    duration: f64,
    /// The server's data directory on this machine, to weigh
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Seconds to wait for the write-ahead log to become small before weighing
    #[arg(long, default_value_t = 75.0)]
    settle: f64,
}

#[derive(Serialize)]
struct Read {
    filled: u64,
    fill_per_s: f64,
    stored: u64,
    pages: u64,
    pages_per_s: f64,
    page_latency: Summary,
    wrong_pages: u64,
    disk: Option<Weight>,
    server: Option<Spent>,
}

/// The disk space of the messages.
#[derive(Debug, PartialEq, Serialize)]
struct Weight {
    /// True once the write-ahead log had become small.
    settled: bool,
    /// Everything but the write-ahead log.
    bytes: u64,
    /// The write-ahead log.
    wal_bytes: u64,
    /// Grown by so much for each message that was added, without the write-ahead log,
    bytes_per_message: f64,
    /// and with it.
    with_wal_per_message: f64,
}

/// Measures.
///
/// # Errors
/// It cannot run.
pub async fn run(args: &Args) -> Result<Value> {
    let conversations = pairs::conversations(&args.target, args.conversations).await?;
    let empty = args.data_dir.as_deref().map(weigh).transpose()?;
    let (filled, fill_per_s, good) = fill(args, &conversations).await?;
    let disk = match args.data_dir.as_deref().zip(empty) {
        Some((dir, empty)) => Some(settle(dir, empty, filled, args.settle).await?),
        None => None,
    };
    let heads = heads(&args.target, &conversations).await?;
    let stored = heads.iter().sum();

    let places: Rc<Vec<(ConversationId, u64)>> = Rc::new(conversations.into_iter().zip(heads).collect());
    let usage = || args.target.server_pid.map(Usage::of).transpose();
    let (before, began) = (usage()?, Instant::now());
    let end = began + Duration::from_secs_f64(args.duration.max(0.0));
    let (target, times, read_places) = (args.target.clone(), Rc::new(RefCell::new(Latency::default())), places.clone());
    let shared = times.clone();
    let wrong =
        gather(args.readers, args.readers, async move |reader| read(&target, reader, &read_places, end, &shared).await)
            .await?;
    let (after, time) = (usage()?, began.elapsed());
    let page_latency = times.borrow().summary();
    let wrong_pages = wrong.iter().sum();
    let measured = Read {
        filled,
        fill_per_s,
        stored,
        pages: page_latency.count,
        pages_per_s: page_latency.count as f64 / time.as_secs_f64(),
        page_latency,
        wrong_pages,
        disk,
        server: after.zip(before).map(|(after, before)| after.since(&before, time)),
    };
    report("history", good && wrong_pages == 0 && measured.pages > 0, measured)
}

/// Adds messages; tells how many, how fast, and whether every check was good.
async fn fill(args: &Args, conversations: &[ConversationId]) -> Result<(u64, f64, bool)> {
    let quota = args.fill.div_ceil(conversations.len().max(1) as u64);
    if quota == 0 {
        return Ok((0, 0.0, true));
    }
    let plan = Plan {
        rooms: pairs::rooms(conversations),
        load: Load::Window(args.window.max(1)),
        text_bytes: args.text,
        warm_up: Duration::ZERO,
        duration: Duration::from_secs_f64(args.fill_limit.max(0.0)),
        drain: Duration::from_secs(30),
        quota,
        receipts: false,
        typing: false,
        time_last: false,
    };
    let measured = room::run(&args.target, plan).await?;
    Ok((measured.sent_latency.count, measured.messages_per_s, measured.check.is_good()))
}

/// Asks for the head of each conversation.
async fn heads(target: &Target, conversations: &[ConversationId]) -> Result<Vec<u64>> {
    let (pool, ids) = (Pool::new(target), conversations.to_vec());
    gather(ids.len(), target.rest, async move |index| {
        let path = format!("/v1/conversations/{}/messages?before=2&limit=1", ids[index]);
        let page = pool.ask(2 * index, "GET", &path, "").await?;
        let mut head = None;
        scan::fields(&page, |key, value| {
            if key == b"head" {
                head = scan::number(value);
            }
            head.is_none()
        })?;
        head.ok_or_else(|| Error::Protocol("a page of messages without its head".into()))
    })
    .await
}

/// Reads pages at random places until the end; tells how many were not what was asked for.
async fn read(
    target: &Target,
    reader: usize,
    places: &[(ConversationId, u64)],
    end: Instant,
    times: &RefCell<Latency>,
) -> Result<u64> {
    let mut chance = Chance::new(reader as u64);
    let mut rest = Rest::open(target, reader).await?;
    let mut wrong = 0;
    while Instant::now() < end {
        let index = chance.below(places.len() as u64) as usize;
        let (conversation, head) = places[index];
        let before = 2 + chance.below(head);
        let path = format!("/v1/conversations/{conversation}/messages?before={before}&limit={PAGE}");
        let token = target.token(2 * index + reader % 2);
        let asked = Instant::now();
        let answer = rest.call("GET", &path, &token, "").await?;
        times.borrow_mut().record(asked.elapsed().as_micros() as u64);
        if answer.status != 200 {
            return Err(Error::Refused(format!("GET {path} was answered with {}", answer.status)));
        }
        wrong += u64::from(!is_page(&answer.body, before)?);
    }
    Ok(wrong)
}

/// Returns true if a page holds the messages right before `before`, ascending and without a gap, as many as there are up to
/// 50, or fewer where it says that there are more. The entry that began the conversation may be one of them.
fn is_page(body: &[u8], before: u64) -> Result<bool> {
    let (mut items, mut more) = (&b"[]"[..], false);
    scan::fields(body, |key, value| {
        match key {
            b"items" => items = value,
            b"more" => more = value == b"true",
            _ => {}
        }
        true
    })?;
    let mut seqs = Vec::with_capacity(PAGE as usize);
    scan::items(items, |item| {
        seqs.push(scan::place(item)?.0);
        Ok(())
    })?;
    let count = seqs.len() as u64;
    let whole = count <= PAGE && (count >= PAGE.min(before - 2) || more && count > 0);
    Ok(whole && seqs.into_iter().eq(before - count..before))
}

/// Waits for the write-ahead log to become small, and weighs what was added since `empty`.
async fn settle(dir: &Path, empty: (u64, u64), messages: u64, limit_s: f64) -> Result<Weight> {
    let end = Instant::now() + Duration::from_secs_f64(limit_s.max(0.0));
    let mut weight = weigh(dir)?;
    while weight.1 > SMALL_WAL_BYTES && Instant::now() < end {
        sleep(Duration::from_secs(1)).await;
        weight = weigh(dir)?;
    }
    let each = |bytes: u64| bytes as f64 / messages.max(1) as f64;
    let grown = weight.0.saturating_sub(empty.0);
    Ok(Weight {
        settled: weight.1 <= SMALL_WAL_BYTES,
        bytes: weight.0,
        wal_bytes: weight.1,
        bytes_per_message: each(grown),
        with_wal_per_message: each((weight.0 + weight.1).saturating_sub(empty.0 + empty.1)),
    })
}

/// The bytes of all files under a folder: without, and of, write-ahead logs and their indexes.
fn weigh(dir: &Path) -> Result<(u64, u64)> {
    let what = || Error::io(format!("cannot weigh {}", dir.display()));
    let (mut data, mut wal) = (0, 0);
    for entry in fs::read_dir(dir).map_err(what())? {
        let entry = entry.map_err(what())?;
        // A file may go while it is weighed: a finished log, a temporary one.
        let Ok(about) = entry.metadata() else { continue };
        let name = entry.file_name();
        if about.is_dir() {
            let inside = weigh(&entry.path())?;
            data += inside.0;
            wal += inside.1;
        } else if name.to_string_lossy().ends_with("-wal") || name.to_string_lossy().ends_with("-shm") {
            wal += about.len();
        } else {
            data += about.len();
        }
    }
    Ok((data, wal))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_must_be_whole_and_end_where_it_was_asked_to() {
        let page = |seqs: std::ops::Range<u64>| {
            let items: Vec<_> = seqs.map(|seq| serde_json::json!({ "seq": seq, "body": { "text": "]" } })).collect();
            serde_json::to_vec(&serde_json::json!({ "items": items, "head": 900 })).unwrap()
        };
        assert!(is_page(&page(50..100), 100).unwrap());
        assert!(is_page(&page(1..4), 4).unwrap() && is_page(&page(2..4), 4).unwrap());
        assert!(!is_page(&page(51..101), 100).unwrap(), "one too far");
        assert!(!is_page(&page(51..100), 100).unwrap(), "one short");
        let cut = String::from_utf8(page(51..100)).unwrap().replace("\"head\"", "\"more\":true,\"head\"");
        assert!(is_page(cut.as_bytes(), 100).unwrap(), "cut by its bytes");
        assert!(!is_page(&page(0..0), 100).unwrap(), "empty");
    }

    #[test]
    fn the_write_ahead_log_is_weighed_apart() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("inside")).unwrap();
        for (name, bytes) in [("a.db", 10), ("a.db-wal", 200), ("a.db-shm", 3000), ("inside/b", 5)] {
            fs::write(dir.path().join(name), vec![0; bytes]).unwrap();
        }
        assert_eq!(weigh(dir.path()).unwrap(), (15, 3200));
    }
}
