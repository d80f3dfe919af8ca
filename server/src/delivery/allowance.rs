//! The counters that all connections of one user share.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::limits;

/// A user's share of the server, for all of their connections together. Nothing in it is locked, and it is small: nearly
/// every connection is its user's only one.
#[derive(Debug)]
pub struct Allowance {
    /// A second of the node's life in the upper half, and how many frames came in it in the lower.
    frames: AtomicU32,
    /// Bytes that may wait to be written,
    most: u32,
    /// and those that do.
    waiting: AtomicU32,
    connections: AtomicU32,
}

impl Allowance {
    /// The allowance of a user for whom so many bytes may wait to be written.
    pub fn new(most: usize) -> Self {
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        Self { frames: AtomicU32::new(0), most, waiting: AtomicU32::new(0), connections: AtomicU32::new(0) }
    }

    /// Notes a connection that has joined.
    pub fn join(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes a connection that has left.
    pub fn leave(&self) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }

    /// Bytes that wait to be written to the user: in outboxes in steps of [`limits::WAITING_STEP_BYTES`], and in answers.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed) as usize
    }

    /// Counts `now` bytes in place of `before`.
    pub fn recount(&self, before: usize, now: usize) {
        // Less is more by a number that wraps around.
        self.waiting.fetch_add(now.wrapping_sub(before) as u32, Ordering::Relaxed);
    }

    /// Returns true when more waits than may, and on a connection with so many bytes more than its equal part.
    pub fn is_too_much(&self, bytes: usize) -> bool {
        let (most, connections) = (self.most as usize, self.connections.load(Ordering::Relaxed).max(1) as usize);
        self.waiting() > most && bytes.saturating_mul(connections) > most
    }

    /// Counts a frame that came in this second of the node's life; false when it is one too many.
    pub fn frame(&self, now: u32) -> bool {
        let now = now << 16;
        let next = |frames: u32| match (frames & !0xffff, frames & 0xffff) {
            (second, count) if second == now => second | (count + 1).min(0xffff),
            _ => now | 1,
        };
        let before = self.frames.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |frames| Some(next(frames)));
        next(before.unwrap_or_else(|frames| frames)) & 0xffff <= limits::FRAMES_PER_S
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_has_so_many_frames() {
        let allowance = Allowance::new(0);
        for second in [0, 7, 8, 70_000] {
            assert!((0..limits::FRAMES_PER_S).all(|_| allowance.frame(second)));
            assert!((0..100_000).all(|_| !allowance.frame(second)));
        }
    }
}
