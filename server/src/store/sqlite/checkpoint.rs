//! Moving what was committed from the write-ahead log into the database, beside the writer.
//!
//! Nearly all of it is copied while the writer goes on, [`limits::CHECKPOINT_BYTES`] at a time, so that the writer's syncs
//! never wait for many pages on their way to the disk. Only the last step, which empties the log, takes the writer's
//! turn. It runs when the log is long, and then the log is begun anew in the file that is there: writing over blocks that
//! a file has is much cheaper than giving it new ones.
//!
//! What was overwritten in the database must be gone from the file of the log too, [`limits::CHECKPOINT_S`] after it was
//! written. Where much is written, the next logs are written over it, and the end of the file that they do not reach is
//! cut off. Where little is, the whole file is cut to nothing.

use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};
use rusqlite::{Connection, ErrorCode};

use super::failure::{DieWithThread, Failure, die};
use crate::{
    limits,
    sqlite::scrub::{FRAME_HEADER, LogHeader, PAGE, Scrub},
};

/// The age that the contents of the log's file may have.
const OLD: Duration = Duration::from_secs(limits::CHECKPOINT_S);
/// The period at which the length of a growing log is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// The pause before another attempt where a long read kept the log from being emptied.
const RETRY: Duration = Duration::from_secs(1);
/// The log is copied once more before the writer is stopped while so many pages are left.
const REST_PAGES: u64 = 100;
const COPIES: usize = 4;
/// A page and its header in the log.
const FRAME_BYTES: u64 = (FRAME_HEADER + PAGE) as u64;

/// The state that the writer and the thread of the checkpoints share.
#[derive(Default)]
pub(super) struct Checkpoints {
    /// Held by who writes, or empties the log.
    turn: Mutex<()>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// True if something was written since the log was emptied.
    wrote: bool,
    /// True if the writer found no room.
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
        empty(connection, &mut scrub, checkpoints, longest, Emptied::Cut);
    }
}

fn until_stopped(connection: &Connection, scrub: &mut Scrub, longest: u64, checkpoints: &Checkpoints) {
    let wal_bytes = metrics::gauge!("kith_store_wal_bytes");
    while checkpoints.wait_for_writes() {
        let mut ages = Ages::of_now();
        // Pages of the log that were copied and that a long read may keep from being written over.
        let mut kept = 0;
        loop {
            if ages.look(scrub) {
                kept = 0;
            }
            let step = step(connection, "NOOP");
            let (pages, lacking) = step.map_or((0, 0), |step| (step.pages, step.lacking()));
            wal_bytes.set((lacking * FRAME_BYTES) as f64);
            let cut = ages.oldest.elapsed() >= OLD || checkpoints.full();
            // What is copied already is about to be written over.
            if cut || lacking > 0 && pages.saturating_sub(kept) * FRAME_BYTES >= longest {
                kept = pages;
                let goal = if cut { Emptied::Cut } else { ages.due() };
                match empty(connection, scrub, checkpoints, longest, goal) {
                    Some(Emptied::Copied) => {}
                    Some(Emptied::EndCutOff) => ages.oldest = ages.log,
                    Some(Emptied::Cut) => {
                        wal_bytes.set(0.0);
                        break;
                    }
                    None if checkpoints.rest(RETRY) => {}
                    None => return,
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

/// The ages of the contents of the log's file.
struct Ages {
    /// Nothing in it was written before.
    oldest: Instant,
    /// Nothing of the log that is there now was; behind its end may lie what is older.
    log: Instant,
    header: Option<LogHeader>,
    looked: Instant,
}

impl Ages {
    /// Of a file that nothing was written to until now.
    fn of_now() -> Self {
        let now = Instant::now();
        Self { oldest: now, log: now, header: None, looked: now }
    }

    /// Looks at the log; whether it was begun anew since.
    fn look(&mut self, scrub: &Scrub) -> bool {
        let now = Instant::now();
        // A log that cannot be read gets older, until it is cut.
        let header = scrub.log_header().unwrap_or(self.header);
        let anew = header != self.header;
        if anew {
            (self.log, self.header) = (self.looked, header);
        }
        self.looked = now;
        anew
    }

    /// The change that is due to the file when the log is copied because it is long.
    fn due(&self) -> Emptied {
        let cut_off = self.log > self.oldest && self.oldest.elapsed() >= OLD / 2;
        if cut_off { Emptied::EndCutOff } else { Emptied::Copied }
    }
}

/// The change of the file of a log that was copied.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Emptied {
    /// Nothing: the next log will be written over it.
    Copied,
    /// Nothing lies behind the log any more: all that is there is as old as the log.
    EndCutOff,
    /// Cut to nothing.
    Cut,
}

/// Copies the log, and comes as near to the goal as it can; `None` where even the copying did not go well.
fn empty(
    connection: &Connection,
    scrub: &mut Scrub,
    checkpoints: &Checkpoints,
    longest: u64,
    goal: Emptied,
) -> Option<Emptied> {
    for _ in 0..COPIES {
        if copy(connection, scrub)?.lacking() <= REST_PAGES {
            break;
        }
    }
    let turn = checkpoints.turn();
    let copied = copy(connection, scrub);
    scrub.noted_all();
    // The writer begins a log anew by itself, once all of it is copied and nobody reads from it.
    let emptied = copied.and_then(|copied| match goal {
        Emptied::Copied => Some(Emptied::Copied),
        // It did meanwhile: the file must not become so short.
        Emptied::EndCutOff if copied.pages * FRAME_BYTES < longest => Some(Emptied::Copied),
        Emptied::EndCutOff => cut_off(scrub, copied.pages).then_some(goal),
        Emptied::Cut => step(connection, "TRUNCATE").is_some_and(|step| !step.busy).then_some(goal),
    });
    if emptied == Some(Emptied::Cut) {
        checkpoints.emptied();
    }
    turn.end();
    emptied
}

/// Cuts off what the file holds behind a log of so many pages, while the writer waits; whether that went well.
fn cut_off(scrub: &Scrub, pages: u64) -> bool {
    let done = scrub.end_log(pages);
    if let Err(error) = &done {
        tracing::warn!(%error, "what lies behind the log could not be cut off");
    }
    done.is_ok()
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

/// The outcome of a checkpoint: pages in the log, and how many of them are in the database.
#[derive(Clone, Copy)]
struct Step {
    busy: bool,
    pages: u64,
    copied: u64,
}

impl Step {
    /// Pages that are not in the database yet.
    fn lacking(&self) -> u64 {
        self.pages.saturating_sub(self.copied)
    }
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
        Err(Failure::Damaged(why) | Failure::Lost(why)) => die(&why),
    }
}
