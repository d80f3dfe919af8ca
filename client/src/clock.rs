//! Identifiers and chance. Everything here that needs either gets it from this module, as the server does from its own.

use std::time::Duration;

use kith_protocol::Uuid;

/// A new UUIDv7, to name a message before it is sent; those of one process ascend.
#[expect(clippy::disallowed_methods, reason = "the one place that makes identifiers")]
pub fn uuid() -> Uuid {
    Uuid::now_v7()
}

/// A random part of `whole`, so that many clients do not do the same at the same time.
#[expect(clippy::disallowed_methods, reason = "the one place that asks for randomness")]
pub fn random_part(whole: Duration) -> Duration {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    whole.mul_f64(f64::from(u32::from_ne_bytes(bytes)) / (f64::from(u32::MAX) + 1.0))
}
