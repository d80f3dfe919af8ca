//! `kith-load compare`: two servers that were measured in turns in one run, each figure as the ratio of the two.

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::{
    error::{Error, Result},
    report,
    table::{
        Side::{self, AtLeast, AtMost},
        shown,
    },
};

/// The arguments of `kith-load compare`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// The folder with the folders before-1, now-1, before-2, …, each with the reports of one round
    #[arg(long)]
    dir: PathBuf,
}

/// Share by which a figure may be worse, where the older server itself varies less.
const TOLERANCE: f64 = 0.05;

/// A figure that is compared; its `side` is [`AtLeast`] where more is better.
struct Row {
    name: &'static str,
    report: &'static str,
    pointer: &'static str,
    unit: &'static str,
    side: Side,
}

const fn row(name: &'static str, report: &'static str, pointer: &'static str, unit: &'static str, side: Side) -> Row {
    Row { name, report, pointer, unit, side }
}

const ROWS: [Row; 10] = [
    row("1:1 messages for each CPU-second", "pairs", "/messages_per_cpu_s", "", AtLeast),
    row("1:1 messages a second", "pairs", "/messages_per_s", "", AtLeast),
    row("group deliveries for each CPU-second", "group", "/deliveries_per_cpu_s", "", AtLeast),
    row("memory of an idle connection", "idle", "/rss_per_connection_bytes", "B", AtMost),
    row("CPU of an idle connection, each second", "idle", "/cpu_us_per_s_per_connection", "µs", AtMost),
    row("reconnect storm, until all have all", "storm", "/catch_up_s", "s", AtMost),
    row("search in 2, a word of others, p50", "search", "/few/known/p50_ms", "ms", AtMost),
    row("search in 2, a word of nobody, p50", "search", "/few/unknown/p50_ms", "ms", AtMost),
    row("search in 1000, a word of others, p50", "search", "/many/known/p50_ms", "ms", AtMost),
    row("search in 1000, a word of nobody, p50", "search", "/many/unknown/p50_ms", "ms", AtMost),
];

/// One figure of both servers, a pair for each round.
struct Compared {
    before: Vec<f64>,
    now: Vec<f64>,
}

impl Compared {
    /// Reads a figure of all rounds; `None` where no round has it of both servers, an error where its checks failed.
    fn read(dir: &Path, row: &Row) -> Result<Option<Self>> {
        let mut compared = Self { before: Vec::new(), now: Vec::new() };
        for round in 1.. {
            let [before, now] = ["before", "now"].map(|which| dir.join(format!("{which}-{round}")));
            if !before.is_dir() || !now.is_dir() {
                break;
            }
            if let (Some(before), Some(now)) = (figure(&before, row)?, figure(&now, row)?) {
                compared.before.push(before);
                compared.now.push(now);
            }
        }
        Ok(Some(compared).filter(|compared| !compared.before.is_empty()))
    }

    /// The median of the rounds' ratios, now to before.
    fn ratio(&self) -> f64 {
        median(self.now.iter().zip(&self.before).map(|(now, before)| now / before).collect())
    }

    /// The range of the older server's own rounds, as a share of the smallest.
    fn spread(&self) -> f64 {
        let (least, most) = self
            .before
            .iter()
            .fold((f64::MAX, f64::MIN), |(least, most), &figure| (least.min(figure), most.max(figure)));
        most / least - 1.0
    }

    fn is_worse(&self, side: Side) -> bool {
        let allowed = self.spread().max(TOLERANCE);
        match side {
            AtMost => self.ratio() > 1.0 + allowed,
            AtLeast => self.ratio() < 1.0 / (1.0 + allowed),
        }
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    if figures.len() % 2 == 1 { figures[middle] } else { (figures[middle - 1] + figures[middle]) / 2.0 }
}

/// The figure in the report of one round; zero and nothing are no figure.
fn figure(round: &Path, row: &Row) -> Result<Option<f64>> {
    let Ok(bytes) = fs::read(round.join(format!("{}.json", row.report))) else { return Ok(None) };
    let name = || format!("{} in {}", row.report, round.display());
    let read: Value = serde_json::from_slice(&bytes).map_err(|_| Error::Refused(format!("no report: {}", name())))?;
    if !report::is_good(&read) {
        return Err(Error::Refused(format!("a check failed: {}", name())));
    }
    Ok(read.pointer(row.pointer).and_then(Value::as_f64).filter(|figure| *figure > 0.0))
}

/// Reads the reports of all rounds and makes the table; it is good where no figure became worse.
///
/// # Errors
/// There is no such folder, or a check of a round failed.
pub fn run(args: &Args) -> Result<Value> {
    fs::read_dir(&args.dir).map_err(Error::io(format!("cannot read {}", args.dir.display())))?;
    let mut ok = true;
    let mut text = format!(
        "{:<40} {:>11} {:>11} {:>7} {:>9}  {}\n",
        "median of the rounds", "before", "now", "ratio", "spread", "verdict"
    );
    for row in &ROWS {
        let Some(compared) = Compared::read(&args.dir, row)? else {
            writeln!(text, "{:<40} {:>11}", row.name, "not measured").expect("a string grows");
            continue;
        };
        let worse = compared.is_worse(row.side);
        ok &= !worse;
        let [before, now] = [&compared.before, &compared.now].map(|figures| shown(median(figures.clone()), row.unit));
        let (ratio, spread) = (compared.ratio(), compared.spread() * 100.0);
        let verdict = if worse { "WORSE" } else { "holds" };
        writeln!(text, "{:<40} {before:>11} {now:>11} {ratio:>7.3} {spread:>7.1} %  {verdict}", row.name)
            .expect("a string grows");
    }
    Ok(json!({ "command": "compare", "ok": ok, "text": text }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(rounds: &[(f64, f64)]) -> Value {
        let dir = tempfile::tempdir().unwrap();
        for (round, (before, now)) in rounds.iter().enumerate() {
            for (which, figure) in [("before", before), ("now", now)] {
                let folder = dir.path().join(format!("{which}-{}", round + 1));
                fs::create_dir(&folder).unwrap();
                let report = json!({ "ok": true, "messages_per_cpu_s": figure });
                fs::write(folder.join("pairs.json"), report.to_string()).unwrap();
            }
        }
        run(&Args { dir: dir.path().into() }).unwrap()
    }

    #[test]
    fn a_figure_is_worse_beyond_five_hundredths_and_beyond_the_spread() {
        assert_eq!(compared(&[(100.0, 96.0), (101.0, 97.0), (100.0, 96.0)])["ok"], true);
        assert_eq!(compared(&[(100.0, 90.0), (101.0, 91.0), (100.0, 96.0)])["ok"], false);
        assert_eq!(
            compared(&[(100.0, 90.0), (115.0, 103.0), (100.0, 90.0)])["ok"],
            true,
            "it varies as much by itself"
        );
        assert_eq!(compared(&[(100.0, 190.0)])["ok"], true, "better is not worse");
    }

    #[test]
    fn the_table_says_the_median_of_the_ratios() {
        let made = compared(&[(100.0, 100.0), (200.0, 220.0), (100.0, 150.0)]);
        let text = made["text"].as_str().unwrap();
        let line = text.lines().find(|line| line.starts_with("1:1 messages for")).unwrap();
        assert!(line.contains("1.100") && line.contains("100.0 %"), "{line}");
        assert!(text.contains("not measured"));
    }
}
