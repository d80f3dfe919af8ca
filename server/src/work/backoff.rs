//! Pauses between attempts.

use std::time::Duration;

/// The pause before each next attempt: twice the one before, up to a bound.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    pause: Duration,
    most: Duration,
}

impl Backoff {
    /// Pauses from `least` up to `most`.
    pub const fn new(least: Duration, most: Duration) -> Self {
        Self { pause: least, most }
    }

    /// The pause before the next attempt.
    pub fn pause(&mut self) -> Duration {
        let pause = self.pause;
        self.pause = (2 * pause).min(self.most);
        pause
    }
}
