//! The `client_id` of a generated message: a UUIDv7 that says who meant to send it when, so that a receiver needs no table.

use std::time::{Duration, Instant};

use uuid::{Builder, Uuid};

const COUNT_BITS: u32 = 26;
/// The µs within the millisecond that the identifier's own time tells.
const MICROS_BITS: u32 = 10;
const RUN_BITS: u32 = 26;

/// The meaning of a message's client_id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The number of the sender within its conversation, below 4 096.
    pub sender: u16,
    /// The number of the message of this sender, from 0, below 2^26.
    pub count: u32,
    /// The time at which it was due, in µs since the run began.
    pub at_us: u64,
}

/// The clock of a run: every time of the report is measured on it.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Instant,
    start_ms: u64,
    /// Tells the names of this run from those of others.
    run: u64,
}

impl Clock {
    /// A run begins now.
    #[expect(clippy::disallowed_methods, reason = "names the run; the generator is never simulated")]
    pub fn new() -> Self {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let start_ms = since.as_millis() as u64;
        Self { start: Instant::now(), start_ms, run: since.as_micros() as u64 & ((1 << RUN_BITS) - 1) }
    }

    /// A time as µs since the run began.
    pub fn us(&self, at: Instant) -> u64 {
        at.saturating_duration_since(self.start).as_micros() as u64
    }

    /// Now, as µs since the run began.
    pub fn now_us(&self) -> u64 {
        self.us(Instant::now())
    }

    /// The moment so many µs after the run began.
    pub fn at(&self, us: u64) -> Instant {
        self.start + Duration::from_micros(us)
    }

    /// The name of a message. Its time is when it was meant to be sent, as a device would make it.
    pub fn name(&self, mark: Mark) -> Uuid {
        let (millis, micros) = (mark.at_us / 1000, mark.at_us % 1000);
        let low = (u64::from(mark.count) << MICROS_BITS | micros) << RUN_BITS | self.run;
        let mut random = [0; 10];
        random[..2].copy_from_slice(&mark.sender.to_be_bytes());
        random[2..].copy_from_slice(&low.to_be_bytes());
        Builder::from_unix_timestamp_millis(self.start_ms + millis, &random).into_uuid()
    }

    /// Decodes a client_id; `None` where another run made it.
    pub fn mark(&self, name: Uuid) -> Option<Mark> {
        let (high, low) = name.as_u64_pair();
        if low & ((1 << RUN_BITS) - 1) != self.run {
            return None;
        }
        let micros = low >> RUN_BITS & ((1 << MICROS_BITS) - 1);
        Some(Mark {
            sender: (high & 0xfff) as u16,
            count: (low >> (RUN_BITS + MICROS_BITS) & ((1 << COUNT_BITS) - 1)) as u32,
            at_us: (high >> 16).checked_sub(self.start_ms)? * 1000 + micros,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_v7_and_tells_its_mark() {
        let clock = Clock::new();
        for mark in [
            Mark { sender: 0, count: 0, at_us: 0 },
            Mark { sender: 4095, count: (1 << COUNT_BITS) - 1, at_us: 100 * 3_600_000_000 - 1 },
            Mark { sender: 3, count: 77, at_us: 1_234_567 },
        ] {
            let name = clock.name(mark);
            assert_eq!((name.get_version_num(), name.get_variant()), (7, uuid::Variant::RFC4122));
            assert_eq!(clock.mark(name), Some(mark));
        }
    }

    #[test]
    fn another_run_s_name_tells_nothing() {
        let clock = Clock::new();
        let other = Clock { run: clock.run ^ 1, ..clock };
        assert_eq!(clock.mark(other.name(Mark { sender: 1, count: 1, at_us: 1 })), None);
    }
}
