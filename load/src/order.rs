//! Checks that a socket heard a conversation as the protocol promises: every seq once, in order, none missing.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::AddAssign,
};

use serde::Serialize;

/// Seqs that are remembered as missing; one that lost more is wrong enough.
const HOLES: usize = 100_000;

/// Counts of broken promises: all zero is what the protocol promises.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Acknowledged, but never heard by a socket of a member that was there.
    pub missing: u64,
    /// Heard more than once by a socket.
    pub doubled: u64,
    /// Heard after one with a higher seq.
    pub out_of_order: u64,
    /// Heard with another sender's order than they were sent in, or under a name that nobody sent.
    pub mixed_up: u64,
    /// Sends that got neither `sent` nor `error`.
    pub unanswered: u64,
    /// Connections that the server closed, by code.
    pub closed: BTreeMap<u16, u64>,
}

impl Check {
    /// Nothing was wrong.
    pub fn is_good(&self) -> bool {
        *self == Self::default()
    }
}

impl AddAssign for Check {
    fn add_assign(&mut self, other: Self) {
        self.missing += other.missing;
        self.doubled += other.doubled;
        self.out_of_order += other.out_of_order;
        self.mixed_up += other.mixed_up;
        self.unanswered += other.unanswered;
        for (code, count) in other.closed {
            *self.closed.entry(code).or_default() += count;
        }
    }
}

/// The entries of one log that one socket heard.
#[derive(Debug)]
pub struct Order {
    head: u64,
    holes: BTreeSet<u64>,
    lost: u64,
}

impl Order {
    /// The log stands at `head`, and nothing later has been heard.
    pub const fn from(head: u64) -> Self {
        Self { head, holes: BTreeSet::new(), lost: 0 }
    }

    /// The highest seq heard.
    pub const fn head(&self) -> u64 {
        self.head
    }

    /// Hears one; true where it is new.
    pub fn hear(&mut self, seq: u64, check: &mut Check) -> bool {
        if seq == self.head + 1 {
            self.head = seq;
            return true;
        }
        if seq > self.head {
            let room = (HOLES - self.holes.len()) as u64;
            let gap = seq - self.head - 1;
            self.holes.extend(self.head + 1..=self.head + gap.min(room));
            self.lost += gap.saturating_sub(room);
            self.head = seq;
            return true;
        }
        if self.holes.remove(&seq) {
            check.out_of_order += 1;
            return true;
        }
        check.doubled += 1;
        false
    }

    /// Returns true once everything up to `head` has been heard.
    pub fn is_whole_to(&self, head: u64) -> bool {
        self.head >= head && self.holes.is_empty() && self.lost == 0
    }

    /// Counts what was acknowledged up to `head` and never heard.
    pub fn end(&self, head: u64, check: &mut Check) {
        check.missing += self.holes.len() as u64 + self.lost + head.saturating_sub(self.head);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(head: u64, heard: &[u64], acknowledged: u64) -> Check {
        let (mut order, mut check) = (Order::from(head), Check::default());
        for seq in heard {
            order.hear(*seq, &mut check);
        }
        order.end(acknowledged, &mut check);
        check
    }

    #[test]
    fn a_whole_log_is_good() {
        assert!(check(5, &[6, 7, 8], 8).is_good());
        assert!(check(5, &[], 5).is_good());
    }

    #[test]
    fn each_fault_has_its_name() {
        assert_eq!(check(0, &[1, 3], 3), Check { missing: 1, ..Check::default() });
        assert_eq!(check(0, &[1, 2], 4), Check { missing: 2, ..Check::default() });
        assert_eq!(check(0, &[1, 2, 2], 2), Check { doubled: 1, ..Check::default() });
        assert_eq!(check(0, &[1, 3, 2], 3), Check { out_of_order: 1, ..Check::default() });
        assert_eq!(check(0, &[1, 3, 2, 2], 3), Check { out_of_order: 1, doubled: 1, ..Check::default() });
        assert_eq!(check(0, &[1_000_000], 1_000_000).missing, 999_999);
    }
}
