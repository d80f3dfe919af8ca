//! Repairs damage without inventing anything: `kith repair`, on a directory that nobody works in.
//!
//! One flipped bit is put back, as the checksum says. A message or an edit that is damaged otherwise becomes redacted,
//! where its totals still fit between those beside it. The places of entries are written anew. Damaged rows that are
//! derived go, and are folded again from a log that is whole; no other log makes a member. All else stays as it is: who asks
//! for it is told an error, and the operator why. Rows that are changed are copied to a file first.

mod logs;
mod rows;

use std::{
    collections::BTreeMap,
    fmt,
    fs::OpenOptions,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use kith_protocol::{ConversationId, Timestamp, UserId, Uuid};

use crate::{
    clock,
    store::{
        Error, RowKey,
        sqlite::{Numbered, OpenError, Snapshot},
    },
};

/// Times that a repair looks again: what was found by way of something repaired may be damaged too.
const ROUNDS: usize = 5;

/// The reason why a directory was not repaired. Nothing was changed, or what was is in the copy.
#[derive(Debug, thiserror::Error)]
pub enum RepairError {
    /// The directory cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The contents cannot be read or changed.
    #[error(transparent)]
    Store(#[from] Error),
    /// The copy of what is changed cannot be written.
    #[error("cannot write {}: {why}", .path.display())]
    Copy {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        why: io::Error,
    },
}

/// The steps of a repair, done or proposed.
#[derive(Debug, Default)]
pub struct Report {
    /// The changes, a line each.
    pub steps: Vec<String>,
    /// The damage that stays, and what the operator can do about it, a line each.
    pub left: Vec<String>,
    /// The file with what was there before.
    pub copy: Option<PathBuf>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self.steps.iter().chain(&self.left) {
            writeln!(f, "{line}")?;
        }
        if let Some(copy) = &self.copy {
            writeln!(f, "what was there before is in {}", copy.display())?;
        }
        let made = if self.copy.is_some() { "repaired" } else { "to be repaired" };
        write!(f, "{} {made}, {} beyond repair", self.steps.len(), self.left.len())
    }
}

/// A change.
enum Fix {
    /// An entry says that from now on.
    Entry { log: ConversationId, seq: u64, row: i64, data: Vec<u8> },
    /// The row with that key in the table goes, and another takes its place.
    Row { full: Vec<u8>, put: Option<(RowKey, Vec<u8>)> },
    /// The entries of a log lie in these rows.
    Links { conv: i64, rows: Vec<i64> },
    /// The client_id of the entry in a row is remembered.
    Remember { of: (ConversationId, UserId, Uuid), row: i64, at: Timestamp },
    /// Client_ids, by the days of their tables and their keys, are forgotten.
    Strays(Vec<(Option<u64>, i64)>),
    /// The index of identifiers is made anew.
    Index,
    /// The number of an identifier, in the row of that number, and the identifier are these.
    Number { row: i64, put: Numbered },
}

/// A change, what it is in words, and what it changes as a line of JSON.
struct Step {
    what: String,
    before: serde_json::Value,
    fix: Fix,
}

/// All that can be done at once.
#[derive(Default)]
struct Plan {
    steps: Vec<Step>,
    left: Vec<String>,
    /// The logs that were looked at: whether each is whole, or will be.
    logs: BTreeMap<ConversationId, bool>,
}

impl Plan {
    fn of(snapshot: &Snapshot) -> Result<Plan, Error> {
        let mut plan = Plan::default();
        plan.structures(snapshot)?;
        if plan.numbers(snapshot)? {
            // Whose the entries are is told by them: all else is looked at in the next round.
            return Ok(plan);
        }
        plan.entries(snapshot)?;
        plan.rows(snapshot)?;
        plan.client_ids(snapshot)?;
        Ok(plan)
    }

    fn step(&mut self, what: String, before: serde_json::Value, fix: Fix) {
        self.steps.push(Step { what, before, fix });
    }

    fn structures(&mut self, snapshot: &Snapshot) -> Result<(), Error> {
        let found = snapshot.integrity()?;
        let of_index = |line: &String| line.contains("index sqlite_autoindex_ids_1");
        if found.iter().any(of_index) {
            self.step("the index of identifiers is made anew".to_owned(), serde_json::Value::Null, Fix::Index);
        }
        let others = found.iter().filter(|line| !of_index(line));
        self.left.extend(others.map(|line| format!("the database: {line}: restore a backup")));
        Ok(())
    }

    /// The numbers of identifiers; true where one can be put right. It comes behind the index, which has to have what their
    /// table has before that changes.
    fn numbers(&mut self, snapshot: &Snapshot) -> Result<bool, Error> {
        let mut any = false;
        for (found, back) in snapshot.wrong_numbers()? {
            let named = format!("the number {} of the identifier {}", found.id, found.uuid);
            let Some(put) = back else {
                self.left.push(format!("{named}: its checksum is wrong: restore a backup"));
                continue;
            };
            let before = serde_json::json!({ "number": found.id, "identifier": found.uuid });
            let what = format!("{named}: the one bit that was flipped is put back");
            self.step(what, before, Fix::Number { row: found.id, put });
            any = true;
        }
        Ok(any)
    }

    fn client_ids(&mut self, snapshot: &Snapshot) -> Result<(), Error> {
        let strays = snapshot.strays()?;
        if !strays.is_empty() {
            let what = format!("{} client_ids that lead to no entry are forgotten", strays.len());
            self.step(what, serde_json::Value::Null, Fix::Strays(strays));
        }
        Ok(())
    }

    fn is_whole(&self, log: ConversationId) -> bool {
        self.logs.get(&log) == Some(&true)
    }
}

/// Says what a repair would do, and changes nothing.
///
/// # Errors
/// [`RepairError`] where that cannot be said.
pub fn look(dir: &Path) -> Result<Report, RepairError> {
    let Plan { steps, left, .. } = Plan::of(&Snapshot::open(dir)?)?;
    Ok(Report { steps: steps.into_iter().map(|step| step.what).collect(), left, copy: None })
}

/// Repairs a directory that nobody works in.
///
/// # Errors
/// [`RepairError`]; each round of the repair is made whole or not at all.
pub fn repair(dir: &Path) -> Result<Report, RepairError> {
    let snapshot = Snapshot::to_change(dir)?;
    let mut report = Report::default();
    for _ in 0..ROUNDS {
        let plan = Plan::of(&snapshot)?;
        report.left = plan.left;
        if plan.steps.is_empty() {
            break;
        }
        let path = report.copy.get_or_insert_with(|| dir.join(format!("repair-{}.jsonl", clock::now().millis())));
        copy(path, &plan.steps).map_err(|why| RepairError::Copy { path: path.clone(), why })?;
        for step in plan.steps {
            make(&snapshot, &step.fix)?;
            report.steps.push(step.what);
        }
        snapshot.keep()?;
    }
    snapshot.finish(dir)?;
    Ok(report)
}

/// Appends what the steps change to the copy, and waits until the disk has it.
fn copy(path: &Path, steps: &[Step]) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    for step in steps.iter().filter(|step| !step.before.is_null()) {
        writeln!(file, "{}", step.before)?;
    }
    file.sync_all()
}

fn make(snapshot: &Snapshot, fix: &Fix) -> Result<(), Error> {
    match fix {
        Fix::Entry { log, seq, row, data } => snapshot.put_entry((*log, *seq), *row, data),
        Fix::Row { full, put } => {
            snapshot.delete_row(full)?;
            put.iter().try_for_each(|(row, value)| snapshot.put_row(row, value))
        }
        Fix::Links { conv, rows } => snapshot.relink(*conv, rows),
        Fix::Remember { of, row, at } => snapshot.remember(*of, *row, *at),
        Fix::Strays(client_ids) => snapshot.forget(client_ids),
        Fix::Index => snapshot.reindex(),
        Fix::Number { row, put } => snapshot.put_number(*row, *put),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
