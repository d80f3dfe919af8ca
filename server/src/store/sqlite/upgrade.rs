//! The upgrade of an older data directory to this version: a list of steps, one from each version to the next.
//!
//! A step and the version that it leads to are one transaction, so that whatever ends the process leaves the directory of
//! the version before it or of the one behind it, and opening it again goes on from there. A step may change tables, add
//! or remove rows. The form of a row needs none: rows of every version are read ([`schema::Value::upgrade`]), and each is
//! written in its newest form when it is next written at all, so that opening costs nothing that grows with the messages
//! (but once for those that expire, which move to their windows).

mod windows;

use std::path::Path;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::{
    OpenError, Snapshot, Sqlite,
    open::{self, LAYOUT},
    sum,
};
use crate::store::{Error, schema};

/// A step from one version to the next.
pub struct Step {
    /// Its effect, in words for the operator.
    pub name: &'static str,
    make: fn(&Connection) -> rusqlite::Result<()>,
}

/// The steps, the first from version 1 to 2.
static STEPS: [Step; schema::VERSION as usize - 1] = [
    Step { name: "let rows be of more than one version", make: mark_layout },
    Step { name: "let every row have a checksum", make: add_sums },
    Step { name: "let what is due lie by its time", make: windows::move_due },
];

/// The first programs of version 1 made tables of layout 1, which need no change to be of layout 2.
fn mark_layout(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "user_version", LAYOUT)
}

/// A row that was written before has none until it is next written, and is read unchecked: to add up all that was ever said would
/// take a start as long as there are messages.
fn add_sums(connection: &Connection) -> rusqlite::Result<()> {
    for table in sum::TABLES {
        connection.execute_batch(&format!("ALTER TABLE {table} ADD COLUMN sum INTEGER NOT NULL DEFAULT 0"))?;
    }
    Ok(())
}

/// The version of a directory, and the steps from there to this program's.
pub struct Due {
    /// The version of the directory.
    pub version: u32,
    /// The steps, the next first; none where it is of this program's version.
    pub steps: &'static [Step],
    /// Entries, rows and identifiers that were given a checksum, after the steps.
    pub summed: u64,
}

/// Looks which steps a directory needs, in use or not, and changes nothing.
///
/// # Errors
/// [`OpenError`] where it is none of this program, or of a newer one.
pub fn due(dir: &Path) -> Result<Due, OpenError> {
    let (connection, _lock) = open::reader_alone(dir)?;
    let version = open::version(&connection, dir)?;
    Ok(Due { version, steps: steps_from(version), summed: 0 })
}

/// Makes the steps that a directory needs, which every opening of it does too, and gives what was written before there were
/// checksums its own, which takes time and no opening does. It may be ended at any time, and begun again.
///
/// # Errors
/// [`OpenError`], also where there is no such directory or another process has it.
pub fn upgrade(dir: &Path) -> Result<Due, OpenError> {
    let due = due(dir)?;
    drop(Sqlite::open(dir)?);
    let snapshot = Snapshot::to_change(dir)?;
    let damaged = |error: Error| OpenError::Damaged { path: open::database(dir), why: error.to_string() };
    let summed = snapshot.sum_up().map_err(damaged)?;
    snapshot.finish(dir)?;
    Ok(Due { summed, ..due })
}

fn steps_from(version: u32) -> &'static [Step] {
    STEPS.get(version.saturating_sub(1) as usize..).unwrap_or_default()
}

/// Makes the steps from `version` on, one transaction each. The caller holds the lock of the directory.
pub(super) fn make(connection: &Connection, version: u32) -> rusqlite::Result<()> {
    make_each(connection, version, steps_from(version))
}

fn make_each(connection: &Connection, version: u32, steps: &[Step]) -> rusqlite::Result<()> {
    for (step, version) in steps.iter().zip(version + 1..) {
        let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
        (step.make)(&transaction)?;
        open::set_version(&transaction, version)?;
        transaction.commit()?;
        tracing::info!(version, step = step.name, "data directory upgraded");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rusqlite::Connection;
    use tempfile::{TempDir, tempdir};

    use super::*;

    fn database(dir: &TempDir) -> Connection {
        Connection::open(open::database(dir.path())).unwrap()
    }

    fn older() -> TempDir {
        let dir = tempdir().unwrap();
        drop(Sqlite::open(dir.path()).unwrap());
        open::make_first(&database(&dir)).unwrap();
        dir
    }

    fn add(connection: &Connection, value: &str) -> rusqlite::Result<()> {
        connection.execute("INSERT INTO rows (key, value) VALUES (?1, 'here')", (value.as_bytes(),)).map(drop)
    }

    fn has(dir: &TempDir, value: &str) -> bool {
        let sql = "SELECT count(*) FROM rows WHERE key = ?1";
        database(dir).query_row(sql, (value.as_bytes(),), |row| row.get::<_, i64>(0)).unwrap() == 1
    }

    #[test]
    fn an_older_directory_is_upgraded_when_it_is_opened_and_a_new_one_is_of_this_version() {
        let dir = older();
        let before = due(dir.path()).unwrap();
        assert_eq!((before.version, before.steps.len()), (1, schema::VERSION as usize - 1));
        drop(Sqlite::open(dir.path()).unwrap());
        let after = due(dir.path()).unwrap();
        assert_eq!((after.version, after.steps.len()), (schema::VERSION, 0));
        assert_eq!(database(&dir).pragma_query_value(None, "user_version", |row| row.get(0)), Ok(LAYOUT));

        let dir = tempdir().unwrap();
        drop(Sqlite::open(dir.path()).unwrap());
        assert_eq!(due(dir.path()).unwrap().version, schema::VERSION);
    }

    #[test]
    fn an_end_within_a_step_leaves_the_version_before_it_and_the_next_opening_goes_on() {
        let dir = older();
        let broken = Step {
            name: "half of the second",
            make: |connection| add(connection, "half").and(Err(rusqlite::Error::InvalidQuery)),
        };
        let first = || Step { name: "the first", make: |connection| add(connection, "first") };
        make_each(&database(&dir), 1, &[first(), broken]).unwrap_err();
        assert!(has(&dir, "first") && !has(&dir, "half"));
        assert_eq!(open::version(&database(&dir), dir.path()).unwrap(), 2);
        // The first is not made again: it would fail.
        let second =
            Step { name: "the second", make: |connection| add_sums(connection).and(add(connection, "second")) };
        make_each(&database(&dir), 2, &[first(), second][1..]).unwrap();
        assert!(has(&dir, "second"));
    }

    #[test]
    fn looking_changes_nothing_and_makes_nothing() {
        let dir = older();
        let before = fs::read(open::database(dir.path())).unwrap();
        due(dir.path()).unwrap();
        assert_eq!(fs::read(open::database(dir.path())).unwrap(), before);
        assert!(matches!(due(&dir.path().join("none")), Err(OpenError::Absent(_))));
        assert!(matches!(upgrade(&dir.path().join("none")), Err(OpenError::Absent(_))));
        assert!(!dir.path().join("none").exists());
    }

    #[test]
    fn what_another_process_has_is_not_upgraded() {
        let dir = tempdir().unwrap();
        let _other = Sqlite::open(dir.path()).unwrap();
        assert!(matches!(upgrade(dir.path()), Err(OpenError::Locked(_))));
    }
}
