//! Time, identifiers and chance. Everything here that needs them gets them from this module, as the server does from its own.

use std::time::Instant;

use kith_protocol::Uuid;

/// The monotonic time of the runtime's clock.
pub fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// A new UUIDv7, to name a message before it is sent; those of one process ascend.
#[expect(clippy::disallowed_methods, reason = "the one place that makes identifiers")]
pub fn uuid() -> Uuid {
    Uuid::now_v7()
}

/// A random seed for the waits of one device.
#[expect(clippy::disallowed_methods, reason = "the one place that asks for randomness")]
pub fn seed() -> u64 {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    u64::from_ne_bytes(bytes)
}
