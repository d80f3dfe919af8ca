//! Time and chance. Everything that needs either gets it here, so that a simulation can own both.
//!
//! The time is not the wall clock's but the *judged* time: the time since the machine was started, which counts sleep and
//! never jumps, put where the wall clock last was believed. [`judge`] says when it is.

pub mod judge;

use std::sync::{
    LazyLock,
    atomic::{AtomicBool, AtomicI64, Ordering},
};

use kith_protocol::{Timestamp, Uuid};
use parking_lot::Mutex;
use rustix::time::{ClockId, clock_gettime};
use uuid::ContextV7;

use self::judge::{Change, Judge, Kept, Reading};

/// The number of times that the two clocks are read again where a pause came between them.
const READS: usize = 8;
/// Microseconds between the two readings that are no pause.
const PAUSE_US: i64 = 100;

/// The judge of this process, and of its judgement what everybody asks for.
struct Clock {
    judge: Mutex<Judge>,
    offset_us: AtomicI64,
    in_doubt: AtomicBool,
}

static CLOCK: LazyLock<Clock> = LazyLock::new(|| {
    let clock = Clock {
        judge: Mutex::new(Judge::start(None, read())),
        offset_us: AtomicI64::new(0),
        in_doubt: AtomicBool::new(false),
    };
    clock.show(&clock.judge.lock());
    clock
});

/// The identifier of this start of the machine. Where the kernel does not say, each start of the program counts as another.
static BOOT: LazyLock<[u8; 16]> = LazyLock::new(|| {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok();
    id.and_then(|id| Uuid::parse_str(id.trim()).ok()).map_or_else(random, Uuid::into_bytes)
});

/// Microseconds by which tests have the wall clock ahead.
static AHEAD_US: AtomicI64 = AtomicI64::new(0);

impl Clock {
    fn show(&self, judge: &Judge) {
        self.offset_us.store(judge.offset_us(), Ordering::Relaxed);
        self.in_doubt.store(judge.is_in_doubt(), Ordering::Relaxed);
    }

    fn change<T>(&self, change: impl FnOnce(&mut Judge, Reading) -> T) -> T {
        let mut judge = self.judge.lock();
        let changed = change(&mut judge, read());
        self.show(&judge);
        changed
    }
}

/// The judged time.
pub fn now() -> Timestamp {
    judge::timestamp(boot_us() + CLOCK.offset_us.load(Ordering::Relaxed))
}

/// The time up to which what is over may be removed or forgotten: now, but the beginning of time while the clock is in
/// doubt, so that nothing is lost by a clock that is wrong.
pub fn forget_until() -> Timestamp {
    if is_in_doubt() { Timestamp::default() } else { now() }
}

/// True while the wall clock is not believed.
pub fn is_in_doubt() -> bool {
    CLOCK.in_doubt.load(Ordering::Relaxed)
}

/// Begins to judge by what was kept of an earlier run.
pub fn start(kept: Option<&Kept>) -> Option<Change> {
    CLOCK.change(|judge, reading| {
        *judge = Judge::start(kept, reading);
        judge.doubted(reading)
    })
}

/// Compares the wall clock with the time since the machine was started; what that changed.
pub fn observe() -> Option<Change> {
    CLOCK.change(Judge::observe)
}

/// Believes the wall clock as it is now.
pub fn accept() -> Option<Change> {
    CLOCK.change(Judge::accept)
}

/// Returns the good time to keep for the next run; nothing while the clock is in doubt, since that would be no good time.
pub fn kept() -> Option<Kept> {
    CLOCK.change(|judge, reading| judge.kept(reading))
}

/// Puts the wall clock of this process so many seconds ahead, or back, of the machine's: for tests, which cannot set that.
pub fn put_wall_ahead(seconds: i64) {
    AHEAD_US.store(seconds * 1_000_000, Ordering::SeqCst);
}

/// Reads both clocks at one moment, as far as that can be.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
fn read() -> Reading {
    let mut best = None;
    for _ in 0..READS {
        let before = boot_us();
        let wall = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let boot_us = boot_us();
        let wall_us = i64::try_from(wall.as_micros()).unwrap_or(i64::MAX / 2) + AHEAD_US.load(Ordering::SeqCst);
        let pause = boot_us - before;
        if best.is_none_or(|(least, _)| pause < least) {
            best = Some((pause, Reading { wall_us, boot_us, boot: *BOOT }));
        }
        if pause < PAUSE_US {
            break;
        }
    }
    best.map_or(Reading::default(), |(_, reading)| reading)
}

/// Microseconds since the machine was started; they go on while it sleeps.
fn boot_us() -> i64 {
    let time = clock_gettime(ClockId::Boottime);
    time.tv_sec.saturating_mul(1_000_000).saturating_add(time.tv_nsec / 1000)
}

/// A new UUIDv7; those of one process ascend.
pub fn uuid() -> Uuid {
    static CONTEXT: std::sync::Mutex<ContextV7> = std::sync::Mutex::new(ContextV7::new());
    let millis = now().millis();
    let (seconds, nanos) = (millis / 1000, (millis % 1000) as u32 * 1_000_000);
    Uuid::new_v7(uuid::Timestamp::from_unix(&CONTEXT, seconds, nanos))
}

/// Bytes that nobody can guess, from the operating system.
#[expect(clippy::disallowed_methods, reason = "the one place that asks for randomness")]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// A number below `bound`, for spreading things in time; 0 where the bound is 0.
pub fn random_below(bound: u32) -> u32 {
    ((u64::from(u32::from_ne_bytes(random())) * u64::from(bound)) >> 32) as u32
}
