//! Moving what was committed from the write-ahead log into the database, beside the writer.
//!
//! Nearly all of it is copied while the writer goes on, [`limits::CHECKPOINT_BYTES`] at a time, so that the writer's syncs
//! never wait for many pages on their way to the disk. Only the last step, which empties the log, takes the writer's
//! turn. It runs when the log is long, and then the log is begun anew in the file that is there: writing over blocks that
//! a file has is much cheaper than giving it new ones. At least every [`limits::CHECKPOINT_S`] after a write the file is
//! cut to nothing, so that what was overwritten in the database is gone from the log too.

use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};
use rusqlite::{Connection, ErrorCode};

use super::{
    failure::{DieWithThread, Failure, die},
    scrub::{FRAME_HEADER, PAGE, Scrub},
};
use crate::limits;

/// How often the length of a growing log is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// How soon another attempt follows where a long read kept the log from being emptied.
const RETRY: Duration = Duration::from_secs(1);
/// The log is copied once more before the writer is stopped while so many pages are left.
const REST_PAGES: u64 = 100;
const COPIES: usize = 4;
/// A page and its header in the log.
const FRAME_BYTES: u64 = (FRAME_HEADER + PAGE) as u64;

/// What the writer and the thread of the checkpoints tell each other.
#[derive(Default)]
pub(super) struct Checkpoints {
    /// Who holds it writes, or empties the log.
    turn: Mutex<()>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Whether something was written since the log was emptied.
    wrote: bool,
    /// Whether the writer found no room.
    full: bool,
    stop: bool,
}

/// The writer's turn.
pub(super) struct Turn<'a>(MutexGuard<'a, ()>);

impl Turn<'_> {
    /// Lets the other in first, if it waits.
    pub(super) fn end(self) {
        MutexGuard::unlock_fair(self.0);
    }
}

impl Checkpoints {
    /// Waits for the writer's turn.
    pub(super) fn turn(&self) -> Turn<'_> {
        Turn(self.turn.lock())
    }

    /// Something was written.
    pub(super) fn wrote(&self) {
        let mut state = self.state.lock();
        if !state.wrote {
            state.wrote = true;
            self.changed.notify_one();
        }
    }

    /// The disk is full: what the log holds twice can go.
    pub(super) fn make_room(&self) {
        let mut state = self.state.lock();
        (state.wrote, state.full) = (true, true);
        self.changed.notify_one();
    }

    /// Ends the thread.
    pub(super) fn stop(&self) {
        self.state.lock().stop = true;
        self.changed.notify_one();
    }

    /// Waits until something was written; whether the thread goes on.
    fn wait_for_writes(&self) -> bool {
        let mut state = self.state.lock();
        self.changed.wait_while(&mut state, |state| !state.wrote && !state.stop);
        !state.stop
    }

    /// Waits for `time`, or less if there is a reason: whether the thread goes on.
    fn pause(&self, time: Duration) -> bool {
        let mut state = self.state.lock();
        self.changed.wait_while_for(&mut state, |state| !state.stop && !state.full, time);
        !state.stop
    }

    /// Waits for `time`, full disk or not: whether the thread goes on.
    fn rest(&self, time: Duration) -> bool {
        let mut state = self.state.lock();
        self.changed.wait_while_for(&mut state, |state| !state.stop, time);
        !state.stop
    }

    fn full(&self) -> bool {
        self.state.lock().full
    }

    fn emptied(&self) {
        let mut state = self.state.lock();
        (state.wrote, state.full) = (false, false);
    }
}

/// Runs the checkpoints until they are stopped: one when the log is `longest` bytes long, or it is time, and one at the
/// end, since SQLite would make its own when the last connection is closed.
pub(super) fn run(connection: &Connection, mut scrub: Scrub, longest: u64, checkpoints: &Checkpoints) {
    let _die = DieWithThread("the thread of the checkpoints panicked");
    until_stopped(connection, &mut scrub, longest, checkpoints);
    if checkpoints.state.lock().wrote {
        empty(connection, &mut scrub, checkpoints, true);
    }
}

fn until_stopped(connection: &Connection, scrub: &mut Scrub, longest: u64, checkpoints: &Checkpoints) {
    let wal_bytes = metrics::gauge!("kith_store_wal_bytes");
    while checkpoints.wait_for_writes() {
        let began = Instant::now();
        // Pages of the log that were copied and that a long read may keep from being written over.
        let mut kept = 0;
        loop {
            // What is copied already is about to be written over.
            let step = step(connection, "NOOP").filter(|step| step.copied < step.pages);
            let (pages, lacking) = step.map_or((0, 0), |step| (step.pages, step.pages - step.copied));
            wal_bytes.set((lacking * FRAME_BYTES) as f64);
            if pages < kept {
                kept = 0;
            }
            let late = began.elapsed() >= Duration::from_secs(limits::CHECKPOINT_S);
            let cut = late || checkpoints.full();
            if cut || (pages - kept) * FRAME_BYTES >= longest {
                kept = pages;
                let emptied = empty(connection, scrub, checkpoints, cut);
                if emptied && cut {
                    wal_bytes.set(0.0);
                    break;
                }
                if !emptied && !checkpoints.rest(RETRY) {
                    return;
                }
            } else if lacking * FRAME_BYTES >= limits::CHECKPOINT_BYTES {
                // What fails is tried again.
                let _ = copy(connection, scrub);
            }
            if !checkpoints.pause(LOOK) {
                return;
            }
        }
    }
}

/// Copies the log, and cuts its file to nothing if `cut`; whether that went well.
fn empty(connection: &Connection, scrub: &mut Scrub, checkpoints: &Checkpoints, cut: bool) -> bool {
    for _ in 0..COPIES {
        match copy(connection, scrub) {
            Some(step) if step.pages.saturating_sub(step.copied) > REST_PAGES => {}
            Some(_) => break,
            None => return false,
        }
    }
    let turn = checkpoints.turn();
    let copied = copy(connection, scrub).is_some();
    scrub.noted_all();
    // The writer begins a log anew by itself, once all of it is copied and nobody reads from it.
    let emptied = copied && (!cut || step(connection, "TRUNCATE").is_some_and(|step| !step.busy));
    if emptied && cut {
        checkpoints.emptied();
    }
    turn.end();
    emptied
}

/// Copies what the log holds, and cleans the pages that it was copied to; `None` where that did not go well.
fn copy(connection: &Connection, scrub: &mut Scrub) -> Option<Step> {
    let before = step(connection, "NOOP")?;
    let mut cleaned = scrub.note(before.pages);
    scrub.copying();
    let step = step(connection, "PASSIVE")?;
    cleaned = cleaned.and_then(|()| scrub.note(step.pages));
    if cleaned.is_ok() {
        scrub.copied();
    }
    cleaned = cleaned.and_then(|()| scrub.clean());
    if let Err(error) = cleaned {
        tracing::warn!(%error, "old copies of moved rows could not be removed");
        return None;
    }
    Some(step)
}

/// What a checkpoint did: pages in the log, and how many of them are in the database.
#[derive(Clone, Copy)]
struct Step {
    busy: bool,
    pages: u64,
    copied: u64,
}

/// One checkpoint; `None` where there is no room for it, or another is under way.
fn step(connection: &Connection, mode: &str) -> Option<Step> {
    let step = connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| {
        // Both are -1 where there is no log.
        let count = |column| row.get::<_, i64>(column).map(|pages| pages.max(0) as u64);
        Ok(Step { busy: row.get::<_, i64>(0)? != 0, pages: count(1)?, copied: count(2)? })
    });
    if step.as_ref().is_err_and(|error| error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)) {
        return None;
    }
    match step.map_err(Failure::from) {
        Ok(step) => Some(step),
        Err(Failure::Full(why)) => {
            tracing::warn!("no room for a checkpoint: {why}");
            None
        }
        Err(Failure::Lost(why)) => die(&why),
    }
}
