//! The waits between attempts to connect.

use std::time::Duration;

use crate::chance::Chance;

/// A random part of a time that doubles up to a bound ("full jitter", Brooker 2015).
pub(crate) struct Backoff {
    bounds: (Duration, Duration),
    next: Duration,
}

impl Backoff {
    pub(crate) fn new(bounds: (Duration, Duration)) -> Self {
        Self { bounds, next: bounds.0 }
    }

    pub(crate) fn reset(&mut self) {
        self.next = self.bounds.0;
    }

    pub(crate) fn next(&mut self, chance: &mut Chance) -> Duration {
        let whole = self.next.min(self.bounds.1);
        self.next = (whole * 2).min(self.bounds.1);
        chance.part(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_its_bound_and_begins_again() {
        let second = Duration::from_secs(1);
        let (mut backoff, mut chance) = (Backoff::new((second, second * 30)), Chance::new(1));
        let mut bounds = Vec::new();
        for _ in 0..7 {
            bounds.push(backoff.next.as_secs());
            let bound = backoff.next;
            assert!(backoff.next(&mut chance) < bound);
        }
        assert_eq!(bounds, [1, 2, 4, 8, 16, 30, 30]);
        backoff.reset();
        assert!(backoff.next(&mut chance) < second);
    }
}
