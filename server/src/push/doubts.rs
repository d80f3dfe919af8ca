//! Devices that were connected when something was said: it is certain a little later only that they got it.

use std::collections::{HashMap, VecDeque};

use kith_protocol::UserId;
use tokio::time::Instant;

use super::queue::Target;
use crate::limits;

/// The devices in doubt, in the order in which it becomes certain. A user has [`limits::PUSHES_PER_USER`] at most; of what
/// is beyond the next message tells, or the next start of the client.
#[derive(Default)]
pub struct Doubts {
    waiting: VecDeque<(Instant, Target, u64)>,
    of_user: HashMap<UserId, usize>,
}

impl Doubts {
    /// Notes that it is certain at a time whether a device got everything up to a seq. Times do not go back.
    pub fn put(&mut self, at: Instant, target: Target, seq: u64) {
        let count = self.of_user.entry(target.user).or_default();
        if *count < limits::PUSHES_PER_USER && self.waiting.len() < limits::PUSHES_PENDING {
            *count += 1;
            self.waiting.push_back((at, target, seq));
        } else if *count == 0 {
            self.of_user.remove(&target.user);
        }
    }

    /// Returns the time at which the next is certain.
    pub fn next_due(&self) -> Option<Instant> {
        self.waiting.front().map(|(at, ..)| *at)
    }

    /// Takes one that is certain.
    pub fn take(&mut self, now: Instant) -> Option<(Target, u64)> {
        let (_, target, seq) = self.waiting.front().copied().filter(|(at, ..)| *at <= now)?;
        self.waiting.pop_front();
        if let Some(count) = self.of_user.get_mut(&target.user) {
            *count -= 1;
            if *count == 0 {
                self.of_user.remove(&target.user);
            }
        }
        Some((target, seq))
    }
}

#[cfg(test)]
mod tests {
    use kith_protocol::{ConversationId, DeviceId};

    use super::*;

    #[test]
    fn who_has_many_does_not_push_out_those_of_others() {
        let (mut doubts, now) = (Doubts::default(), Instant::now());
        let of = |user, conversation| Target {
            user: UserId::from_bytes([user; 16]),
            device: DeviceId::from_bytes([user; 16]),
            conversation: ConversationId::from_bytes([conversation; 16]),
        };
        for seq in 0..2 * limits::PUSHES_PER_USER {
            doubts.put(now, of(1, seq as u8), seq as u64);
        }
        doubts.put(now, of(2, 0), 7);
        let taken: Vec<_> = std::iter::from_fn(|| doubts.take(now)).collect();
        assert_eq!(taken.len(), limits::PUSHES_PER_USER + 1);
        assert_eq!(taken.last(), Some(&(of(2, 0), 7)));
        assert!(doubts.of_user.is_empty());
    }
}
