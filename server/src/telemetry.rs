//! Logs and metrics.

use std::{
    collections::BTreeSet,
    io::{self, IsTerminal},
    sync::OnceLock,
};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tracing_subscriber::{Layer, filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};
use utoipa::ToSchema;

use crate::limits;

/// Section `[log]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// "text" for people, "json" for programs.
    #[schema(value_type = String)]
    pub format: LogFormat,
    /// "error", "warn", "info", "debug", "trace", or a level for each part: "info,kith::http=debug".
    pub level: String,
}

/// The form of a line of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Text, level: "info".to_owned() }
    }
}

/// Begins to write the log to standard error; only the first call of a process counts.
pub fn logs(log: &Log) {
    let filter: Targets = log.level.parse().unwrap_or_default();
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
    let lines = match log.format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let _ = tracing_subscriber::registry().with(lines.with_filter(filter)).try_init();
}

/// Returns the metrics that `/metrics` prints; counting begins with the first call of a process.
pub fn metrics() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    let install = || {
        let seconds = [0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0];
        let changes = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0];
        let builder = PrometheusBuilder::new()
            .set_buckets(&seconds)
            .and_then(|builder| builder.set_buckets_for_metric(Matcher::Suffix("_changes".to_owned()), &changes))
            .expect("there are buckets");
        builder.install_recorder().expect("nothing else records this process's metrics")
    };
    HANDLE.get_or_init(install).clone()
}

/// Counts that something damaged was read, and logs it unless it was logged before: whoever asks for it again and again
/// fills no disk.
pub fn damage(what: &str) {
    static LOGGED: Mutex<BTreeSet<u64>> = Mutex::new(BTreeSet::new());
    metrics::counter!("kith_damaged_reads_total").increment(1);
    let mut logged = LOGGED.lock();
    if logged.len() >= limits::DAMAGE_LOGGED {
        logged.clear();
    }
    if logged.insert(xxhash_rust::xxh3::xxh3_64(what.as_bytes())) {
        tracing::error!("damaged: {what}; `kith verify` lists all that is");
    }
}
