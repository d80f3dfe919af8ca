//! Eviction of the slowest sender where all places are taken and somebody wants one.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use kith_protocol::UserId;

use crate::limits;

/// Over how long the rate of a sender is looked at.
const WINDOW: Duration = Duration::from_secs(limits::SLOW_S);

/// The pace at which bytes come.
pub struct Pace {
    began: Instant,
    come: u64,
    /// The times at which so many bytes had come: a window ago or more, and since.
    marks: [(Instant, u64); 2],
}

impl Pace {
    /// Of one who begins to send.
    pub fn of(now: Instant) -> Self {
        Self { began: now, come: 0, marks: [(now, 0); 2] }
    }

    /// Notes that bytes have come.
    pub fn came(&mut self, bytes: u64, now: Instant) {
        self.mark(now);
        self.come += bytes;
    }

    fn mark(&mut self, now: Instant) {
        if now.duration_since(self.marks[1].0) >= WINDOW {
            self.marks = [self.marks[1], (now, self.come)];
        }
    }

    /// Bytes a second over the window, which may be up to twice as long, or since it began.
    fn bytes_per_s(&self, now: Instant) -> u64 {
        let [older, newer] = self.marks;
        let (since, before) = if now.duration_since(newer.0) >= WINDOW { newer } else { older };
        let millis = u64::try_from(now.duration_since(since).as_millis()).unwrap_or(u64::MAX);
        (self.come - before).saturating_mul(1000) / millis.max(1)
    }

    fn is_slow(&self, now: Instant) -> bool {
        now.duration_since(self.began) >= WINDOW && self.bytes_per_s(now) < limits::SLOW_BYTES_PER_S
    }
}

/// Finds the sender who makes way for one of `newcomer`, where any does: the slowest of those who were too slow over the
/// window. Where nobody was, one who has no place takes one from the user who has most of them, if those are several.
pub fn who_makes_way<'p, K: Copy>(
    senders: impl Iterator<Item = (K, UserId, &'p Pace)>,
    newcomer: UserId,
    now: Instant,
) -> Option<K> {
    let senders: Vec<_> = senders.collect();
    let slowest = |of: &dyn Fn(UserId, &Pace) -> bool| {
        let of = senders.iter().filter(|(_, user, pace)| of(*user, pace));
        of.min_by_key(|(.., pace)| pace.bytes_per_s(now)).map(|(key, ..)| *key)
    };
    if let Some(key) = slowest(&|_, pace| pace.is_slow(now)) {
        return Some(key);
    }
    let mut places: HashMap<UserId, usize> = HashMap::new();
    for (_, user, _) in &senders {
        *places.entry(*user).or_default() += 1;
    }
    let (&most, &count) = places.iter().max_by_key(|(user, count)| (**count, **user))?;
    if places.contains_key(&newcomer) || count < 2 {
        return None;
    }
    slowest(&|user, _| user == most)
}

#[cfg(test)]
mod tests {
    use kith_protocol::Uuid;

    use super::*;

    fn user(number: u128) -> UserId {
        UserId::new(Uuid::from_u128(number))
    }

    /// One who has sent so many bytes every second, for so many seconds.
    fn sender(began: Instant, bytes: u64, seconds: u64) -> Pace {
        let mut pace = Pace::of(began);
        for second in 1..=seconds {
            pace.came(bytes, began + Duration::from_secs(second));
        }
        pace
    }

    #[test]
    fn the_slowest_of_the_slow_makes_way() {
        let began = Instant::now();
        let at = |seconds| began + Duration::from_secs(seconds);
        let [drips, crawls, walks] = [1, 1900, 2100].map(|bytes| sender(began, bytes, 120));
        // One who was fast and has fallen silent, and one who has just begun.
        let stalled = sender(began, 100_000, 60);
        let fresh = Pace::of(at(100));
        let who = |paces: &[&Pace]| {
            let senders = paces.iter().enumerate().map(|(key, pace)| (key, user(key as u128), *pace));
            who_makes_way(senders, user(99), at(120))
        };
        assert_eq!(who(&[&walks, &crawls, &drips, &fresh]), Some(2));
        assert_eq!(who(&[&walks, &crawls, &fresh]), Some(1));
        assert_eq!(who(&[&walks, &stalled, &fresh]), Some(1));
        assert_eq!(who(&[&walks, &fresh]), None);
    }

    #[test]
    fn who_has_several_places_makes_way_for_who_has_none() {
        let now = Instant::now();
        let [slow, fast] = [sender(now, 5000, 20), sender(now, 9000, 20)];
        let who = |owners: &[(u128, &Pace)], newcomer| {
            let senders = owners.iter().enumerate().map(|(key, (owner, pace))| (key, user(*owner), *pace));
            who_makes_way(senders, user(newcomer), now + Duration::from_secs(20))
        };
        assert_eq!(who(&[(1, &slow), (2, &fast), (2, &slow), (2, &fast)], 3), Some(2));
        assert_eq!(who(&[(1, &slow), (2, &fast), (2, &slow)], 1), None, "it has one");
        assert_eq!(who(&[(1, &slow), (2, &slow)], 3), None, "nobody has more than one");
    }
}
