//! What waits to be pushed, in memory: when each is due, and whose turn it is. Each has a row in the store too.
//!
//! There is one for each device and conversation, however many messages there are. The hosts of push services take turns, so
//! that one that is slow or silent delays its own only.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use kith_protocol::{ConversationId, DeviceId, UserId};
use tokio::time::Instant;

use crate::{limits, store::schema::Pending};

/// Whom to tell of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Target {
    /// The user.
    pub user: UserId,
    /// Their device.
    pub device: DeviceId,
    /// The conversation.
    pub conversation: ConversationId,
}

/// Where one of them is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// In `timers`.
    Waiting(Instant),
    /// In the queue of its host.
    Ready,
    /// Under way; whether there is something newer.
    Running { again: bool },
}

struct Item {
    row: Pending,
    /// Whether the push service takes a short text only.
    small: bool,
    host: Arc<str>,
    at: At,
}

#[derive(Default)]
struct Host {
    running: usize,
    ready: VecDeque<Target>,
    /// Whether it stands in `turns`.
    in_turn: bool,
}

/// What is begun now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begun {
    /// Whom to tell of what.
    pub target: Target,
    /// Its row.
    pub row: Pending,
    /// Whether the text must be short.
    pub small: bool,
}

/// What waits.
#[derive(Default)]
pub struct Queue {
    items: HashMap<Target, Item>,
    timers: BTreeSet<(Instant, Target)>,
    hosts: HashMap<Arc<str>, Host>,
    turns: VecDeque<Arc<str>>,
    running: usize,
}

impl Queue {
    /// How many wait or are under way.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether no more may be put.
    pub fn is_full(&self) -> bool {
        self.items.len() >= limits::PUSHES_PENDING
    }

    /// The row of one that is there. One that is under way is begun again when it has ended, since there is something newer.
    pub fn renew(&mut self, target: &Target) -> Option<Pending> {
        let item = self.items.get_mut(target)?;
        if let At::Running { again } = &mut item.at {
            *again = true;
        }
        Some(item.row)
    }

    /// Another row of one that is there.
    pub fn rewrite(&mut self, target: &Target, row: Pending) {
        if let Some(item) = self.items.get_mut(target) {
            item.row = row;
        }
    }

    /// Puts one that is not there, whose row is written, to be begun at a time.
    pub fn put(&mut self, target: Target, row: Pending, host: Arc<str>, at: Instant) {
        self.items.insert(target, Item { row, small: false, host, at: At::Waiting(at) });
        self.timers.insert((at, target));
    }

    /// When the next is due that has to wait for time alone.
    pub fn next_due(&self) -> Option<Instant> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// Begins one, if one is due and there is room.
    pub fn begin(&mut self, now: Instant) -> Option<Begun> {
        while let Some((at, target)) = self.timers.first().copied().filter(|(at, _)| *at <= now) {
            self.timers.remove(&(at, target));
            if let Some(item) = self.items.get_mut(&target) {
                item.at = At::Ready;
                let host = item.host.clone();
                self.hosts.entry(host.clone()).or_default().ready.push_back(target);
                self.take_turn(&host);
            }
        }
        while self.running < limits::PUSHES_AT_ONCE {
            let name = self.turns.pop_front()?;
            let Some(host) = self.hosts.get_mut(&name) else { continue };
            host.in_turn = false;
            let Some(target) = host.ready.pop_front() else { continue };
            let Some(item) = self.items.get_mut(&target) else { continue };
            item.at = At::Running { again: false };
            host.running += 1;
            self.running += 1;
            let begun = Begun { target, row: item.row, small: item.small };
            self.take_turn(&name);
            return Some(begun);
        }
        None
    }

    /// One has ended; whether there is something newer.
    pub fn ended(&mut self, target: &Target) -> bool {
        let Some(item) = self.items.get(target) else { return false };
        let At::Running { again } = item.at else { return false };
        self.running -= 1;
        let name = item.host.clone();
        if let Some(host) = self.hosts.get_mut(&name) {
            host.running -= 1;
            if host.running == 0 && host.ready.is_empty() {
                self.hosts.remove(&name);
            }
        }
        self.take_turn(&name);
        again
    }

    /// Has one that has ended begun again at a time.
    pub fn again(&mut self, target: Target, row: Pending, small: bool, at: Instant) {
        if let Some(item) = self.items.get_mut(&target) {
            (item.row, item.small, item.at) = (row, small, At::Waiting(at));
            self.timers.insert((at, target));
        }
    }

    /// Drops one that has ended.
    pub fn drop(&mut self, target: &Target) {
        self.items.remove(target);
    }

    /// Puts a host behind the others, if it has something that may be begun.
    fn take_turn(&mut self, name: &Arc<str>) {
        if let Some(host) = self.hosts.get_mut(name)
            && !host.in_turn
            && !host.ready.is_empty()
            && host.running < limits::PUSHES_PER_HOST
        {
            host.in_turn = true;
            self.turns.push_back(name.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock;

    fn target(number: usize) -> Target {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        Target {
            user: UserId::from_bytes(bytes),
            device: DeviceId::from_bytes(bytes),
            conversation: ConversationId::from_bytes(bytes),
        }
    }

    fn row() -> Pending {
        Pending { since: clock::now(), not_before: clock::now(), attempts: 0 }
    }

    #[test]
    fn hosts_take_turns_and_none_has_more_than_its_part() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        for number in 0..100 {
            queue.put(target(number), row(), "slow".into(), now);
        }
        for number in 100..104 {
            queue.put(target(number), row(), "quick".into(), now);
        }
        let begun: Vec<_> = std::iter::from_fn(|| queue.begin(now)).map(|begun| begun.target).collect();
        let quick: Vec<_> = (100..104).map(target).collect();
        assert!(quick.iter().all(|target| begun[..9].contains(target)), "they need not wait for the others");
        assert_eq!(begun.len(), limits::PUSHES_PER_HOST + 4);
        assert!(!queue.ended(&begun[0]));
        queue.drop(&begun[0]);
        let next: Vec<_> = std::iter::from_fn(|| queue.begin(now)).collect();
        assert_eq!(next.len(), 1, "as many as have ended");
    }

    #[test]
    fn all_of_them_together_have_a_bound_and_all_end() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        for number in 0..1000 {
            queue.put(target(number), row(), format!("host {}", number % 50).into(), now);
        }
        let mut done = 0;
        loop {
            let begun: Vec<_> = std::iter::from_fn(|| queue.begin(now)).collect();
            assert!(begun.len() <= limits::PUSHES_AT_ONCE);
            if begun.is_empty() {
                break;
            }
            for begun in begun {
                queue.ended(&begun.target);
                queue.drop(&begun.target);
                done += 1;
            }
        }
        assert_eq!((done, queue.len(), queue.hosts.len(), queue.turns.len(), queue.running), (1000, 0, 0, 0, 0));
    }

    #[test]
    fn what_is_said_meanwhile_is_not_missed() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        assert_eq!(queue.renew(&target(1)), None);
        queue.put(target(1), row(), "host".into(), now + Duration::from_secs(1));
        assert_eq!(queue.begin(now), None);
        assert_eq!(queue.next_due(), Some(now + Duration::from_secs(1)));
        assert!(queue.begin(now + Duration::from_secs(1)).is_some());
        assert!(queue.renew(&target(1)).is_some());
        assert!(queue.ended(&target(1)), "there is something newer");
        queue.again(target(1), row(), true, now);
        assert!(queue.begin(now).is_some_and(|begun| begun.small));
        assert!(!queue.ended(&target(1)));
    }
}
