//! Checks that a data directory holds together: `kith verify`.
//!
//! The structures of the database, every log, every remembered client_id, and every row with what it refers to. Members,
//! amendments, settings and mentions are derived from each log and compared with the rows that are kept of them, where
//! these say that they reflect it to the end.

mod derived;
pub(super) mod logs;
mod rows;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    path::{Path, PathBuf},
};

use crate::{
    backends::{MEDIA, UPLOADS},
    store::{
        Error,
        sqlite::{OpenError, Snapshot},
    },
};

/// Problems that a report tells in full.
const PROBLEMS_TOLD: usize = 100;
/// Items after which the progress is told again.
const PROGRESS_ITEMS: u64 = 10_000;

/// The progress of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The things that are looked at: "structures", "entries", "client_ids", "rows".
    pub step: &'static str,
    /// The number of them that were.
    pub done: u64,
    /// The number of all of them.
    pub total: u64,
}

/// The findings of a check.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Conversations with entries.
    pub logs: u64,
    /// Entries of them all.
    pub entries: u64,
    /// Rows.
    pub rows: u64,
    /// Client_ids that are remembered.
    pub client_ids: u64,
    /// Entries and rows that were written before there were checksums, and not since.
    pub unchecked: u64,
    /// The problems, a line each; the first hundred.
    pub problems: Vec<String>,
    /// The number of further problems.
    pub more: u64,
}

impl Report {
    /// Returns true if all is well.
    pub fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }

    fn problem(&mut self, what: impl FnOnce() -> String) {
        if self.problems.len() < PROBLEMS_TOLD { self.problems.push(what()) } else { self.more += 1 }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.problems {
            writeln!(f, "{problem}")?;
        }
        if self.more > 0 {
            writeln!(f, "and {} more", self.more)?;
        }
        write!(f, "{} conversations, {} entries, {} rows", self.logs, self.entries, self.rows)?;
        if self.unchecked > 0 {
            write!(f, " ({} from before there were checksums)", self.unchecked)?;
        }
        f.write_str(": ")?;
        match self.problems.len() as u64 + self.more {
            0 => f.write_str("all is well"),
            1 => f.write_str("1 problem"),
            problems => write!(f, "{problems} problems"),
        }
    }
}

/// Checks a data directory as of now, in use or not, and changes nothing.
///
/// # Errors
/// [`OpenError`] where there is nothing to check; what is wrong inside is in the report.
pub fn verify(dir: &Path, progress: impl FnMut(Progress)) -> Result<Report, OpenError> {
    let snapshot = Snapshot::open(dir)?;
    let mut check = Check { media: dir.join(MEDIA), uploads: dir.join(UPLOADS), report: Report::default(), progress };
    for (what, step) in [
        ("structures", Check::structures as fn(&mut Check<_>, &Snapshot) -> Result<(), Error>),
        ("entries", Check::entries),
        ("client_ids", Check::client_ids),
        ("rows", Check::rows),
    ] {
        if let Err(error) = step(&mut check, &snapshot) {
            check.report.problem(|| format!("{what}: not all could be checked: {}", why(error)));
        }
    }
    Ok(check.report)
}

/// The text of an error.
fn why(error: Error) -> String {
    match error {
        Error::Corrupt(why) => why,
        other => other.to_string(),
    }
}

struct Check<P> {
    media: PathBuf,
    uploads: PathBuf,
    report: Report,
    progress: P,
}

impl<P: FnMut(Progress)> Check<P> {
    fn told(&mut self, step: &'static str, done: u64, total: u64) {
        if done.is_multiple_of(PROGRESS_ITEMS) || done == total {
            (self.progress)(Progress { step, done, total });
        }
    }

    fn structures(&mut self, snapshot: &Snapshot) -> Result<(), Error> {
        self.told("structures", 0, 1);
        for found in snapshot.integrity()? {
            self.report.problem(|| format!("the database: {found}"));
        }
        self.told("structures", 1, 1);
        let [entries, rows, client_ids] = snapshot.sizes()?;
        (self.report.entries, self.report.rows, self.report.client_ids) = (entries, rows, client_ids);
        Ok(())
    }

    fn client_ids(&mut self, snapshot: &Snapshot) -> Result<(), Error> {
        let total = self.report.client_ids;
        let mut done = 0;
        snapshot.each_remembered(|remembered, holds| {
            if !holds {
                self.report.problem(|| format!("a client_id is remembered for no entry: {remembered:?}"));
            }
            done += 1;
            self.told("client_ids", done, total);
        })
    }
}
