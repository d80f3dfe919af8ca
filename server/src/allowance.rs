//! What the connections of one user share, whatever their number.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::limits;

/// A user's share of the server, for all of their connections together. Nothing in it is locked.
#[derive(Debug, Default)]
pub struct Allowance {
    /// A second of the node's life in the upper half, and how many frames came in it in the lower.
    frames: AtomicU64,
}

impl Allowance {
    /// Counts a frame that came in this second of the node's life; false when it is one too many.
    pub fn frame(&self, now: u32) -> bool {
        let next = |frames: u64| match (frames >> 32, frames as u32) {
            (second, count) if second == u64::from(now) => second << 32 | u64::from(count.saturating_add(1)),
            _ => u64::from(now) << 32 | 1,
        };
        let before = self.frames.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |frames| Some(next(frames)));
        next(before.unwrap_or_else(|frames| frames)) as u32 <= limits::FRAMES_PER_S
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_has_so_many_frames() {
        let allowance = Allowance::default();
        for second in [0, 7, 8] {
            assert!((0..limits::FRAMES_PER_S).all(|_| allowance.frame(second)));
            assert!(!allowance.frame(second) && !allowance.frame(second));
        }
    }
}
