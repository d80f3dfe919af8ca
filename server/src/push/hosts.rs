//! Hosts of push services that are left alone for a while, since they were not reached.
//!
//! A host that has just answered anybody is not: who names an address of a push service that others use cannot keep them from
//! it. What a host answers does not matter here; each push has a back-off of its own.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::limits;

struct Host {
    /// Pauses one after the other, without an answer in between.
    pauses: u32,
    /// The end of the last pause.
    until: Instant,
    answered: Option<Instant>,
}

/// The hosts of which something is known: [`limits::PUSH_HOSTS`] at most. Of others nothing is noted, and none is paused.
#[derive(Default)]
pub struct Hosts {
    known: HashMap<Arc<str>, Host>,
}

impl Hosts {
    /// Returns until when a host is left alone, if it is.
    pub fn paused(&self, host: &str, now: Instant) -> Option<Instant> {
        self.known.get(host).map(|host| host.until).filter(|until| *until > now)
    }

    /// Notes that a host answered, which ends its pauses.
    pub fn answered(&mut self, host: &Arc<str>, now: Instant) {
        if let Some(host) = self.about(host, now) {
            (host.pauses, host.until, host.answered) = (0, now, Some(now));
        }
    }

    /// Notes that a host did not answer: unless it has answered just before, it is left alone, twice as long each time.
    pub fn was_silent(&mut self, host: &Arc<str>, now: Instant) {
        let Some(host) = self.about(host, now) else { return };
        // Others that were under way have told already.
        if host.until > now || host.answered.is_some_and(|at| now < at + memory()) {
            return;
        }
        let pause_s = (limits::PUSH_PAUSE_S << host.pauses.min(16)).min(limits::PUSH_PAUSE_AT_MOST_S);
        host.pauses = host.pauses.saturating_add(1);
        host.until = now + Duration::from_secs(pause_s);
    }

    fn about(&mut self, host: &Arc<str>, now: Instant) -> Option<&mut Host> {
        if !self.known.contains_key(host) && self.known.len() >= limits::PUSH_HOSTS {
            let recent = |host: &Host| now < host.until.max(host.answered.unwrap_or(host.until)) + memory();
            self.known.retain(|_, host| recent(host));
            if self.known.len() >= limits::PUSH_HOSTS {
                return None;
            }
        }
        Some(self.known.entry(host.clone()).or_insert(Host { pauses: 0, until: now, answered: None }))
    }
}

/// The time for which an answer of a host, or its silence, counts.
const fn memory() -> Duration {
    Duration::from_secs(limits::PUSH_PAUSE_AT_MOST_S)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound_and_end_with_an_answer() {
        let (mut hosts, mut now) = (Hosts::default(), Instant::now());
        let host: Arc<str> = "host".into();
        let mut pauses = Vec::new();
        for _ in 0..6 {
            hosts.was_silent(&host, now);
            hosts.was_silent(&host, now);
            let until = hosts.paused(&host, now).unwrap();
            pauses.push((until - now).as_secs());
            now = until;
        }
        assert_eq!(pauses, [5, 10, 20, 40, 60, 60]);
        hosts.answered(&host, now);
        hosts.was_silent(&host, now);
        assert_eq!(hosts.paused(&host, now), None, "it answers others");
        now += memory();
        hosts.was_silent(&host, now);
        assert_eq!(hosts.paused(&host, now), Some(now + Duration::from_secs(limits::PUSH_PAUSE_S)));
    }

    #[test]
    fn who_names_many_hosts_does_not_fill_the_memory() {
        let (mut hosts, now) = (Hosts::default(), Instant::now());
        for number in 0..2 * limits::PUSH_HOSTS {
            hosts.was_silent(&format!("host {number}").into(), now);
        }
        assert_eq!(hosts.known.len(), limits::PUSH_HOSTS);
        hosts.was_silent(&"later".into(), now + 3 * memory());
        assert_eq!(hosts.known.len(), 1);
    }
}
