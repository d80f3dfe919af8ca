//! Costs of the embedded store: CPU and disk for each appended message, and what a read takes.
//!
//! `cargo bench --bench store [-- MESSAGES]`: conversations in pairs of users, 200-byte texts, each conversation one
//! append at a time, as its task does. The directory is made beneath the working directory, so that it is on a disk.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use kith::{
    clock,
    store::{Counts, Direction, Kind, LogRange, Record, Store, Turn, sqlite::Sqlite},
};
use kith_protocol::{ConversationId, DeviceId, Timestamp, UserId};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

const CONVERSATIONS: usize = 200;
/// Clock ticks in a second, as Linux counts a process' CPU time.
const TICKS: f64 = 100.0;

fn main() {
    let messages = std::env::args().find_map(|arg| arg.parse().ok()).unwrap_or(200_000);
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    metrics::set_global_recorder(recorder).expect("it is the only one");
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(2).build().expect("a runtime");
    for window in [1, 8] {
        let dir = tempfile::tempdir_in(".").expect("a directory");
        runtime.block_on(appends(dir.path(), window, messages, &metrics));
    }
}

async fn appends(dir: &Path, window: usize, messages: usize, metrics: &PrometheusHandle) {
    let store = Sqlite::open(dir).expect("a new store");
    let each = messages / CONVERSATIONS / window * window;
    let (began, cpu, batches) = (Instant::now(), cpu_seconds(), counter(metrics, "kith_store_batch_changes_count"));
    let logs: Vec<ConversationId> = (0..CONVERSATIONS).map(|_| ConversationId::new(clock::uuid())).collect();
    let writers = logs.iter().map(|log| tokio::spawn(converse(store.clone(), *log, each, window)));
    for writer in writers.collect::<Vec<_>>() {
        writer.await.expect("a writer");
    }
    let (took, cpu) = (began.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let batches = counter(metrics, "kith_store_batch_changes_count") - batches;
    let total = (each * CONVERSATIONS) as f64;
    let reads = reads(&*store, &logs, each as u64).await;
    drop(store);
    let bytes = std::fs::metadata(dir.join("store.db")).expect("the database").len() as f64;
    println!(
        "window {window}: {total} messages, {:.0}/s, {:.0} for each CPU-second, {:.0} bytes each, batches of {:.1}, \
         a page of 50 in {reads:?}",
        total / took,
        total / cpu,
        bytes / total,
        total / batches,
    );
}

/// Two users who write in turn.
async fn converse(store: Arc<Sqlite>, log: ConversationId, messages: usize, window: usize) {
    let users = [0, 1].map(|_| (UserId::new(clock::uuid()), DeviceId::new(clock::uuid())));
    let text = "n".repeat(200);
    let body = Bytes::from(format!(r#"{{"text":"{text}","mentions":[],"attachments":[]}}"#));
    for head in (0..messages as u64).step_by(window) {
        let records = (head + 1..).take(window).map(|seq| {
            let (sender, device) = users[(seq % 2) as usize];
            Record {
                seq,
                kind: Kind::Message,
                sender,
                device: Some(device),
                client_id: Some(clock::uuid()),
                at: clock::now(),
                true_at: None,
                expires_at: None::<Timestamp>,
                counts: Counts { messages: seq, mentioning: 0, rev: 1 },
                body: body.clone(),
            }
        });
        store.write(log, head, Turn::append(records.collect())).await.expect("an append");
    }
}

/// The time that a page of history takes, anywhere.
async fn reads(store: &dyn Store, logs: &[ConversationId], head: u64) -> Duration {
    const READS: u32 = 1000;
    let began = Instant::now();
    for read in 0..READS {
        let log = logs[clock::random_below(logs.len() as u32) as usize];
        let first = u64::from(clock::random_below(head as u32));
        let direction = if read % 2 == 0 { Direction::Ascending } else { Direction::Descending };
        let range = LogRange { log, seqs: first..=first + 49, direction, limit: 50 };
        store.read(vec![range]).await.expect("a page");
    }
    began.elapsed() / READS
}

fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let after_name = stat.rsplit_once(')').expect("a name").1;
    let ticks = after_name.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<f64>().expect("ticks"));
    ticks.sum::<f64>() / TICKS
}

fn counter(metrics: &PrometheusHandle, name: &str) -> f64 {
    let rendered = metrics.render();
    let line = rendered.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|value| value.trim().parse().ok()).unwrap_or(0.0)
}
