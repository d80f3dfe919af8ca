//! `kith-load table`: the reports of a bench as one table, each figure beside what it must and should be.

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::error::{Error, Result};

/// The arguments of `kith-load table`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// The folder with a report of each measurement, as `script/bench` writes them
    #[arg(long)]
    dir: PathBuf,
}

/// The side of its bound on which a figure has to be.
#[derive(Debug, Clone, Copy)]
pub enum Side {
    /// A smaller figure is better.
    AtMost,
    /// A larger figure is better.
    AtLeast,
}
use Side::{AtLeast, AtMost};

/// A line of the table.
struct Row {
    what: &'static str,
    side: Side,
    must: f64,
    aim: Option<f64>,
    unit: &'static str,
    /// The figure, from the reports by their names.
    figure: fn(&Reports<'_>) -> Option<f64>,
    /// The reports whose checks have to be good for the figure to count.
    from: &'static [&'static str],
}

const ROWS: [Row; 17] = [
    Row {
        what: "memory of an idle connection",
        side: AtMost,
        must: 4096.0,
        aim: Some(2048.0),
        unit: "B",
        figure: |reports| reports.number("idle", "/rss_per_connection_bytes"),
        from: &["idle"],
    },
    Row {
        what: "memory given back after they left",
        side: AtLeast,
        must: 80.0,
        aim: None,
        unit: "%",
        figure: |reports| Some(100.0 * reports.number("idle", "/given_back_share")?),
        from: &["idle"],
    },
    Row {
        what: "CPU of an idle connection, each second",
        side: AtMost,
        must: 3.0,
        aim: Some(2.0),
        unit: "µs",
        figure: |reports| reports.number("idle", "/cpu_us_per_s_per_connection"),
        from: &["idle"],
    },
    Row {
        what: "1:1 messages for each CPU-second",
        side: AtLeast,
        must: 20_000.0,
        aim: Some(35_000.0),
        unit: "",
        figure: |reports| reports.number("pairs", "/messages_per_cpu_s"),
        from: &["pairs"],
    },
    Row {
        what: "group deliveries for each CPU-second",
        side: AtLeast,
        must: 150_000.0,
        aim: Some(300_000.0),
        unit: "",
        figure: |reports| reports.number("group", "/deliveries_per_cpu_s"),
        from: &["group"],
    },
    Row {
        what: "delivery at half the maximal rate, p99",
        side: AtMost,
        must: 20.0,
        aim: Some(5.0),
        unit: "ms",
        figure: |reports| reports.number("pairs-open", "/delivered_latency/p99_ms"),
        from: &["pairs-open"],
    },
    Row {
        what: "reconnect storm, until all have all",
        side: AtMost,
        must: 10.0,
        aim: Some(3.0),
        unit: "s",
        figure: |reports| reports.number("storm", "/catch_up_s"),
        from: &["storm"],
    },
    Row {
        what: "history page of 50, p99",
        side: AtMost,
        must: 5.0,
        aim: Some(1.0),
        unit: "ms",
        figure: |reports| reports.number("history", "/page_latency/p99_ms"),
        from: &["history"],
    },
    Row {
        what: "disk for a message of 200 bytes",
        side: AtMost,
        must: 600.0,
        aim: Some(400.0),
        unit: "B",
        figure: disk,
        from: &["history"],
    },
    Row {
        what: "channel, to the last socket, p99",
        side: AtMost,
        must: 250.0,
        aim: Some(50.0),
        unit: "ms",
        figure: |reports| reports.number("channel", "/last_latency/p99_ms"),
        from: &["channel"],
    },
    Row {
        what: "messages a second, full store to empty",
        side: AtLeast,
        must: 80.0,
        aim: Some(95.0),
        unit: "%",
        figure: |reports| reports.share("pairs-full", "pairs", "/messages_per_s"),
        from: &["pairs-full", "pairs"],
    },
    Row {
        what: "idle memory of each, many to few",
        side: AtMost,
        must: 120.0,
        aim: Some(105.0),
        unit: "%",
        figure: |reports| reports.share("idle", "idle-few", "/rss_per_connection_bytes"),
        from: &["idle", "idle-few"],
    },
    Row {
        what: "idle CPU of each, many to few",
        side: AtMost,
        must: 120.0,
        aim: Some(105.0),
        unit: "%",
        figure: |reports| reports.share("idle", "idle-few", "/cpu_us_per_s_per_connection"),
        from: &["idle", "idle-few"],
    },
    Row {
        what: "overload of ten times, accepted, p99",
        side: AtMost,
        must: 500.0,
        aim: None,
        unit: "ms",
        figure: |reports| reports.number("overload", "/accepted_p99_ms"),
        from: &["overload"],
    },
    Row {
        what: "another's sends beside a user at a bound",
        side: AtMost,
        must: 200.0,
        aim: None,
        unit: "%",
        figure: |reports| Some(100.0 * reports.number("neighbour", "/worst_p50_ratio")?),
        from: &["neighbour"],
    },
    Row {
        what: "idle memory with TLS",
        side: AtMost,
        must: 12_288.0,
        aim: Some(8192.0),
        unit: "B",
        figure: |_| None,
        from: &[],
    },
    Row {
        what: "first load of the web client",
        side: AtMost,
        must: 150_000.0,
        aim: None,
        unit: "B",
        figure: |reports| reports.number("web", "/first_load_bytes"),
        from: &["web"],
    },
];

/// Further figures of the report.
const BESIDE: [(&str, &str, &str); 30] = [
    ("fsync of the disk, p50 ms", "fsync", "/fdatasync/p50_ms"),
    ("fsync of the disk, p99 ms", "fsync", "/fdatasync/p99_ms"),
    ("idle connections", "idle", "/connections"),
    ("heartbeat, ms", "idle", "/heartbeat_ms"),
    ("1:1 messages a second", "pairs", "/messages_per_s"),
    ("1:1 send to sent, p99 ms", "pairs", "/sent_latency/p99_ms"),
    ("1:1 send to delivered, p99 ms", "pairs", "/delivered_latency/p99_ms"),
    ("1:1 cores of the generator", "pairs", "/generator/cores"),
    ("open loop, most messages a second with p99 ≤ 100 ms, nothing shed", "sustain", "/sustained_per_s"),
    ("open loop, half of it", "pairs-open", "/messages_per_s"),
    ("open loop, half of it: until the client had read it, p99 ms", "pairs-open", "/read_latency/p99_ms"),
    ("open loop, half of it: the generator was late, p99 ms", "pairs-open", "/generator_late/p99_ms"),
    ("open loop, half of it: CPU time that the host took, %", "pairs-open", "/stolen_percent"),
    ("group deliveries a second", "group", "/deliveries_per_s"),
    ("group frames for each read of a client", "group", "/frames_per_read"),
    ("group cores of the generator", "group", "/generator/cores"),
    ("stored messages, for pages and growth", "history", "/stored"),
    ("messages a second, full store", "pairs-full", "/messages_per_s"),
    ("storm: restart, s", "storm", "/restart_s"),
    ("storm: devices", "storm", "/devices"),
    ("storm: CPU-seconds of the generator", "storm", "/generator/cpu_s"),
    ("overload: offered a second", "overload", "/offered_per_s"),
    ("overload: CPU time that the host took, %", "overload", "/stolen_percent"),
    ("overload: refused share", "overload", "/refused_share"),
    ("beside a user at a bound: p99, as a multiple of the quiet one", "neighbour", "/worst_p99_ratio"),
    ("beside a user at a bound: most memory of the server, bytes", "neighbour", "/most_rss_bytes"),
    ("web: requests of the first load", "web", "/first_load_requests"),
    ("web: heap, signed in, bytes", "web", "/heap_before_bytes"),
    ("web: heap after 200 conversations, bytes", "web", "/heap_after_bytes"),
    ("web: reconnects a minute while no server is", "web", "/reconnects_of_a_minute"),
];

struct Reports<'a>(&'a Path);

impl Reports<'_> {
    fn report(&self, name: &str) -> Option<Value> {
        serde_json::from_slice(&fs::read(self.0.join(format!("{name}.json"))).ok()?).ok()
    }

    fn number(&self, name: &str, pointer: &str) -> Option<f64> {
        self.report(name)?.pointer(pointer)?.as_f64()
    }

    /// One report's figure in hundredths of another's.
    fn share(&self, name: &str, of: &str, pointer: &str) -> Option<f64> {
        let of = self.number(of, pointer).filter(|number| *number > 0.0)?;
        Some(100.0 * self.number(name, pointer)? / of)
    }

    fn is_good(&self, name: &str) -> bool {
        self.report(name).is_some_and(|report| crate::report::is_good(&report))
    }
}

/// Without the write-ahead log where that had been emptied into the rest, else with it.
fn disk(reports: &Reports<'_>) -> Option<f64> {
    let settled = reports.report("history")?.pointer("/disk/settled")?.as_bool()?;
    let figure = if settled { "/disk/bytes_per_message" } else { "/disk/with_wal_per_message" };
    reports.number("history", figure).filter(|bytes| *bytes > 0.0)
}

impl Row {
    fn verdict(&self, figure: Option<f64>, good: bool) -> &'static str {
        let reaches = |figure: f64, bound: f64| match self.side {
            AtMost => figure <= bound,
            AtLeast => figure >= bound,
        };
        match figure {
            None => "not measured",
            Some(_) if !good => "WRONG",
            Some(figure) if self.aim.is_some_and(|aim| reaches(figure, aim)) => "aim",
            Some(figure) if reaches(figure, self.must) => "must",
            Some(_) => "MISSED",
        }
    }

    fn bound(&self, bound: Option<f64>) -> String {
        let sign = match self.side {
            AtMost => "≤",
            AtLeast => "≥",
        };
        bound.map_or_else(String::new, |bound| format!("{sign} {}", shown(bound, self.unit)))
    }
}

/// A figure with its unit, to three digits or a whole number.
pub fn shown(figure: f64, unit: &str) -> String {
    let number = match figure {
        figure if figure.abs() >= 100.0 || figure.fract() == 0.0 => format!("{figure:.0}"),
        figure if figure.abs() >= 10.0 => format!("{figure:.1}"),
        figure => format!("{figure:.2}"),
    };
    if unit.is_empty() { number } else { format!("{number} {unit}") }
}

/// Reads the reports and makes the table; it is good where no measured figure is wrong or missed.
///
/// # Errors
/// There is no such folder.
pub fn run(args: &Args) -> Result<Value> {
    fs::read_dir(&args.dir).map_err(Error::io(format!("cannot read {}", args.dir.display())))?;
    let reports = Reports(&args.dir);
    let mut ok = true;
    let mut text = format!("{:<40} {:>11} {:>11} {:>11}  {}\n", "what", "must", "aim", "measured", "verdict");
    for row in &ROWS {
        let figure = (row.figure)(&reports);
        let verdict = row.verdict(figure, row.from.iter().all(|name| reports.is_good(name)));
        ok &= !matches!(verdict, "WRONG" | "MISSED");
        let measured = figure.map_or_else(|| "—".into(), |figure| shown(figure, row.unit));
        let (must, aim) = (row.bound(Some(row.must)), row.bound(row.aim));
        writeln!(text, "{:<40} {must:>11} {aim:>11} {measured:>11}  {verdict}", row.what).expect("a string grows");
    }
    text.push('\n');
    for (what, report, pointer) in BESIDE {
        if let Some(figure) = reports.number(report, pointer) {
            writeln!(text, "{what:<40} {:>11}", shown(figure, "")).expect("a string grows");
        }
    }
    Ok(json!({ "command": "table", "ok": ok, "text": text }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(reports: &[(&str, Value)]) -> Value {
        let dir = tempfile::tempdir().unwrap();
        for (name, report) in reports {
            fs::write(dir.path().join(format!("{name}.json")), report.to_string()).unwrap();
        }
        run(&Args { dir: dir.path().into() }).unwrap()
    }

    fn line(table: &Value, what: &str) -> String {
        let text = table["text"].as_str().unwrap();
        let line = text.lines().find(|line| line.starts_with(what)).unwrap();
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn each_figure_gets_its_verdict() {
        let idle = json!({ "ok": true, "rss_per_connection_bytes": 1900.0, "given_back_share": 0.85, "cpu_us_per_s_per_connection": 3.4 });
        let made = table(&[
            ("idle", idle),
            ("pairs", json!({ "ok": true, "messages_per_cpu_s": 99_999.0, "messages_per_s": 1000.0 })),
            ("pairs-full", json!({ "ok": true, "messages_per_s": 900.0 })),
            ("group", json!({ "ok": false, "deliveries_per_cpu_s": 999_999.0 })),
        ]);
        assert_eq!(line(&made, "memory of an idle"), "memory of an idle connection ≤ 4096 B ≤ 2048 B 1900 B aim");
        assert!(line(&made, "memory given back").ends_with("85 % must"));
        assert!(line(&made, "CPU of an idle").ends_with("3.40 µs MISSED"));
        assert!(line(&made, "1:1 messages for").ends_with("99999 aim"));
        assert!(line(&made, "group deliveries for").ends_with("999999 WRONG"));
        assert!(line(&made, "messages a second, full").ends_with("90 % must"));
        assert!(line(&made, "channel").ends_with("— not measured"));
        assert_eq!(made["ok"], false);
        assert_eq!(table(&[])["ok"], true, "what was not measured is not missed");
    }

    #[test]
    fn the_write_ahead_log_counts_until_it_is_emptied() {
        let history = |settled| json!({ "ok": true, "disk": { "settled": settled, "bytes_per_message": 350.0, "with_wal_per_message": 700.0 } });
        assert!(line(&table(&[("history", history(true))]), "disk").ends_with("350 B aim"));
        assert!(line(&table(&[("history", history(false))]), "disk").ends_with("700 B MISSED"));
    }
}
