//! The judge of the wall clock: when it is believed.
//!
//! Two clocks are compared: the wall clock, which somebody may set, and the time since the machine was started
//! (CLOCK_BOOTTIME), which counts sleep and never jumps. While they go together the judged time follows the wall clock. Where
//! the wall clock jumps by more than [`JUMP_US`], in either direction, it is *in doubt*: the judged time goes on from before
//! the jump, until the wall clock returns, or has gone with the time since the start for [`AGREEMENT_US`], or is accepted.
//!
//! A restart of the program is no interruption, since what was kept says how long the machine runs. After a restart of the
//! machine nothing says how long it was off: it cannot be later than the wall clock says, nor earlier than what was kept.
//! A wall clock before that is not believed, and the judged time goes on from what was kept; one far behind it
//! ([`OFF_US`]) is followed, since a machine may be off for long, but in doubt for as long as a jump would be.
//!
//! All is pure: times are microseconds, `offset`s what a clock is ahead of the time since the start.

use kith_protocol::Timestamp;
use serde::{Deserialize, Serialize};

const SECOND_US: i64 = 1_000_000;
const HOUR_US: i64 = 3600 * SECOND_US;

/// Microseconds by which the wall clock may move at once without being doubted.
pub const JUMP_US: i64 = HOUR_US;
/// Microseconds for which it has to go with the time since the start to be believed again.
pub const AGREEMENT_US: i64 = HOUR_US;
/// Microseconds by which the two may drift apart meanwhile: more than any correction of a drift makes of an hour.
const DRIFT_US: i64 = 60 * SECOND_US;
/// Microseconds for which a machine may have been off without its clock being doubted.
pub const OFF_US: i64 = 24 * HOUR_US;
/// 2026-01-01T00:00:00Z in microseconds: no clock is right that says an earlier time, such as one without a battery does.
pub const EARLIEST_US: i64 = 1_767_225_600 * SECOND_US;

/// The two clocks at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reading {
    /// The wall clock.
    pub wall_us: i64,
    /// The time since the machine was started.
    pub boot_us: i64,
    /// The start of the machine in which that was.
    pub boot: [u8; 16],
}

impl Reading {
    const fn offset(self) -> i64 {
        self.wall_us - self.boot_us
    }
}

/// A good time that was kept for a later run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The judged time.
    pub at: Timestamp,
    /// Microseconds since the machine was started, at that time.
    pub boot_us: u64,
    /// The start of the machine in which that was, by the kernel's `boot_id`.
    pub boot: [u8; 16],
}

/// A change that a reading of the clocks made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The wall clock is in doubt from here on, being so far ahead of the time that was expected; behind where negative.
    Doubted {
        /// Seconds.
        ahead_s: i64,
    },
    /// The wall clock is believed again.
    Believed {
        /// Seconds by which that put the judged time ahead.
        ahead_s: i64,
    },
}

/// A wall clock that is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Doubt {
    /// The offset of the wall clock then.
    wall_offset: i64,
    /// The time since when it has been that, as time since the start.
    since_us: i64,
}

/// Judges which time it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judge {
    /// The offset of the judged time.
    offset: i64,
    doubt: Option<Doubt>,
    /// The offset of the last good time before the machine was started, as if it had been off for no time; only while the
    /// clock is in doubt since then.
    floor: Option<i64>,
}

impl Judge {
    /// Begins to judge by what was kept of an earlier run.
    pub fn start(kept: Option<&Kept>, reading: Reading) -> Self {
        let earliest = EARLIEST_US - reading.boot_us;
        match kept {
            Some(kept) => {
                let (at, then) = (micros(kept.at), i64::try_from(kept.boot_us).unwrap_or(i64::MAX));
                // A machine that was put back to an earlier state has not run as long as before.
                if kept.boot == reading.boot && then <= reading.boot_us {
                    Self::beside(at - then, reading)
                } else {
                    Self::after((at - reading.boot_us).max(earliest), reading)
                }
            }
            None if reading.wall_us < EARLIEST_US => Self::after(earliest, reading),
            None => Self::believing(reading),
        }
    }

    /// The offset of the judged time: what is to be added to the time since the start, in microseconds.
    pub const fn offset_us(&self) -> i64 {
        self.offset
    }

    /// True while the wall clock is not believed.
    pub const fn is_in_doubt(&self) -> bool {
        self.doubt.is_some()
    }

    /// Takes a reading, and returns the change that it made.
    pub fn observe(&mut self, reading: Reading) -> Option<Change> {
        let mut next = match self.floor {
            Some(floor) => Self::after(floor, reading),
            None => Self::beside(self.offset, reading),
        };
        if let (Some(was), Some(is)) = (self.doubt, &mut next.doubt)
            && (was.wall_offset - is.wall_offset).abs() <= DRIFT_US
        {
            *is = was;
            if reading.boot_us - was.since_us >= AGREEMENT_US && reading.wall_us >= EARLIEST_US {
                next = Self::believing(reading);
            }
        }
        self.take(next, reading)
    }

    /// Believes the wall clock as it is, and returns the change that this made.
    pub fn accept(&mut self, reading: Reading) -> Option<Change> {
        self.take(Self::believing(reading), reading)
    }

    /// Returns the change that a beginning in doubt is to others, as if the wall clock had been believed before.
    pub fn doubted(&self, reading: Reading) -> Option<Change> {
        let expected = self.floor.unwrap_or(self.offset);
        self.doubt.map(|_| Change::Doubted { ahead_s: (reading.offset() - expected) / SECOND_US })
    }

    /// Returns the good time to keep for a later run; nothing while the clock is in doubt.
    pub fn kept(&self, reading: Reading) -> Option<Kept> {
        let boot_us = u64::try_from(reading.boot_us).ok()?;
        let at = timestamp(reading.boot_us + self.offset);
        self.doubt.is_none().then_some(Kept { at, boot_us, boot: reading.boot })
    }

    fn take(&mut self, next: Self, reading: Reading) -> Option<Change> {
        let before = std::mem::replace(self, next);
        match (before.doubt, self.doubt) {
            (None, Some(_)) => self.doubted(reading),
            (Some(_), None) => Some(Change::Believed { ahead_s: (self.offset - before.offset) / SECOND_US }),
            _ => None,
        }
    }

    fn believing(reading: Reading) -> Self {
        Self { offset: reading.offset(), doubt: None, floor: None }
    }

    fn doubting(offset: i64, floor: Option<i64>, reading: Reading) -> Self {
        let doubt = Doubt { wall_offset: reading.offset(), since_us: reading.boot_us };
        Self { offset, doubt: Some(doubt), floor }
    }

    /// Beside a time that is known.
    fn beside(offset: i64, reading: Reading) -> Self {
        match (reading.offset() - offset).abs() {
            ..=JUMP_US => Self::believing(reading),
            _ => Self::doubting(offset, None, reading),
        }
    }

    /// After a time, it is not known how long.
    fn after(floor: i64, reading: Reading) -> Self {
        match reading.offset() - floor {
            behind if behind < -JUMP_US => Self::doubting(floor, Some(floor), reading),
            ..=OFF_US => Self::believing(reading),
            _ => Self::doubting(reading.offset(), Some(floor), reading),
        }
    }
}

/// The time of so many microseconds after the epoch; the epoch where they are negative.
pub(super) fn timestamp(micros: i64) -> Timestamp {
    Timestamp::from_millis(u64::try_from(micros / 1000).unwrap_or(0))
}

fn micros(at: Timestamp) -> i64 {
    i64::try_from(at.millis()).unwrap_or(i64::MAX).saturating_mul(1000)
}

#[cfg(test)]
mod tests;
