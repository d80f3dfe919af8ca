//! Time and chance. Everything that needs either gets it here, so that a simulation can own both.

use kith_protocol::{Timestamp, Uuid};

/// The wall clock.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
pub fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// A new UUIDv7; those of one process ascend.
#[expect(clippy::disallowed_methods, reason = "the one place that makes identifiers")]
pub fn uuid() -> Uuid {
    Uuid::now_v7()
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
