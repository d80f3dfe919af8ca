//! Pulls: conversations whose log goes on beyond what the device has are asked for, a few at a time.
//!
//! A question that brings nothing is asked again later each time, for fewer entries, also on the next connection; after
//! [`limits::SYNC_TRIES`] it is given up, until something else brings the log on.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use kith_protocol::{ConversationId, frame::Sync, limits::PAGE_ITEMS};

use crate::{Timeline, limits};

/// The open questions of a device.
pub(crate) struct Pulls {
    /// Conversations that lack something.
    behind: BTreeSet<ConversationId>,
    /// Questions of this connection that are not answered.
    asked: BTreeMap<ConversationId, Question>,
    /// Questions that brought nothing, on this connection or before.
    failing: BTreeMap<ConversationId, Failing>,
    /// Questions that were just given up.
    given_up: Vec<(ConversationId, u64)>,
    /// Not before this, because the server sends by itself what a hello lacks, or because it asked to wait.
    from: Instant,
}

/// A question to the server.
struct Question {
    after: u64,
    /// The time at which it counts as not answered.
    until: Instant,
}

/// A question that brought nothing.
struct Failing {
    after: u64,
    tries: u32,
    /// The time at which it may be asked again.
    again: Instant,
}

impl Failing {
    fn is_given_up(&self) -> bool {
        self.tries >= limits::SYNC_TRIES
    }
}

impl Pulls {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            behind: BTreeSet::new(),
            asked: BTreeMap::new(),
            failing: BTreeMap::new(),
            given_up: Vec::new(),
            from: now,
        }
    }

    /// A new connection: what was not answered on the old one may have been what ended it.
    pub(crate) fn reconnected(&mut self, now: Instant) {
        for (id, question) in std::mem::take(&mut self.asked) {
            self.fail(id, question.after, now);
        }
        self.behind.clear();
        self.from = now;
    }

    /// Nothing is asked for before `from`.
    pub(crate) fn wait(&mut self, from: Instant) {
        self.from = from;
    }

    /// Something was heard of a conversation.
    pub(crate) fn look(&mut self, id: ConversationId, timeline: &Timeline) {
        match timeline.lacks_of(id) {
            Some(after) => {
                self.behind.insert(id);
                if self.failing.get(&id).is_some_and(|failing| failing.after != after) {
                    self.failing.remove(&id);
                }
            }
            None => {
                self.behind.remove(&id);
                self.asked.remove(&id);
                self.failing.remove(&id);
            }
        }
    }

    /// An answer came: the seq after which was asked, where one was awaited.
    pub(crate) fn answered(&mut self, id: ConversationId) -> Option<u64> {
        self.asked.remove(&id).map(|question| question.after)
    }

    /// Notes that an answer brought nothing, where that is so.
    pub(crate) fn settle(&mut self, id: ConversationId, after: u64, timeline: &Timeline, now: Instant) {
        if timeline.lacks_of(id) == Some(after) {
            self.fail(id, after, now);
        }
    }

    fn fail(&mut self, id: ConversationId, after: u64, now: Instant) {
        let failing = self.failing.entry(id).or_insert(Failing { after, tries: 0, again: now });
        if failing.after != after {
            *failing = Failing { after, tries: 0, again: now };
        }
        let wait = limits::SYNC_AGAIN_MS.saturating_mul(1 << failing.tries.min(30)).min(limits::SYNC_AGAIN_AT_MOST_MS);
        failing.again = now + Duration::from_millis(wait);
        failing.tries += 1;
        if failing.is_given_up() {
            self.given_up.push((id, after));
        }
    }

    /// The questions that were given up since this was asked last, each with the seq after which nothing came.
    pub(crate) fn take_given_up(&mut self) -> Vec<(ConversationId, u64)> {
        std::mem::take(&mut self.given_up)
    }

    /// Returns true where nothing is missing but what was given up.
    pub(crate) fn is_done(&self, now: Instant) -> bool {
        let given_up = |id| self.failing.get(id).is_some_and(Failing::is_given_up);
        self.behind.iter().all(given_up) && self.from <= now
    }

    /// Returns the questions to ask now.
    pub(crate) fn due(&mut self, now: Instant, timeline: &Timeline) -> Vec<Sync> {
        if now < self.from {
            return Vec::new();
        }
        let late: Vec<_> = self.asked.iter().filter(|(_, question)| question.until <= now).map(|(id, _)| *id).collect();
        for id in late {
            if let Some(after) = self.answered(id) {
                self.fail(id, after, now);
            }
        }
        // Of several questions it is not known which one ended a connection.
        let at_once = if self.failing.is_empty() { limits::SYNCS_AT_ONCE } else { 1 };
        let room = at_once.saturating_sub(self.asked.len());
        let may_be = |id: &ConversationId| {
            let again = |failing: &Failing| !failing.is_given_up() && failing.again <= now;
            !self.asked.contains_key(id) && self.failing.get(id).is_none_or(again)
        };
        // The youngest conversations first: their identifiers sort by time.
        let next = self.behind.iter().rev().filter(|id| may_be(id)).take(room);
        let syncs: Vec<Sync> = next
            .filter_map(|id| {
                let tries = self.failing.get(id).map(|failing| failing.tries);
                let limit = tries.map(|tries| (PAGE_ITEMS as u32).checked_shr(2 * tries).unwrap_or(0).max(1));
                Some(Sync { conversation: *id, after: timeline.lacks_of(*id)?, limit })
            })
            .collect();
        let until = now + Duration::from_secs(limits::SYNC_ANSWER_S);
        self.asked.extend(syncs.iter().map(|sync| (sync.conversation, Question { after: sync.after, until })));
        syncs
    }

    pub(crate) fn deadline(&self, now: Instant) -> Option<Instant> {
        if now < self.from {
            return Some(self.from);
        }
        let again = self.failing.values().filter(|failing| !failing.is_given_up()).map(|failing| failing.again);
        self.asked.values().map(|question| question.until).chain(again.filter(|again| *again > now)).min()
    }
}

#[cfg(test)]
mod tests {
    use kith_protocol::{Uuid, rest::HeadItem};

    use super::*;

    fn room() -> ConversationId {
        ConversationId::new(Uuid::from_u128(7))
    }

    /// A device that lacks 300 entries.
    fn behind() -> Timeline {
        let mut timeline = Timeline::new(100, u64::MAX);
        let item = HeadItem {
            id: room(),
            rev: 1,
            head: 300,
            read: 0,
            delivered: 0,
            unread: 0,
            mentions: 0,
            peer: None,
            damaged: false,
        };
        timeline.head(&item);
        timeline
    }

    /// Goes on to when something is to be asked; nothing where that will not be.
    fn next(pulls: &mut Pulls, timeline: &Timeline, now: &mut Instant) -> Option<Sync> {
        for _ in 0..10 {
            if let Some(sync) = pulls.due(*now, timeline).pop() {
                return Some(sync);
            }
            *now = pulls.deadline(*now)?;
        }
        None
    }

    #[test]
    fn what_ends_each_connection_is_asked_later_and_for_less_and_then_no_more() {
        let (timeline, began) = (behind(), Instant::now());
        let (mut now, mut pulls) = (began, Pulls::new(began));
        let (mut limits_asked, mut times) = (Vec::new(), Vec::new());
        // The server closes with 4103 each time.
        loop {
            pulls.look(room(), &timeline);
            let Some(sync) = next(&mut pulls, &timeline, &mut now) else { break };
            limits_asked.push(sync.limit);
            times.push((now - began).as_secs());
            pulls.reconnected(now);
            assert!(limits_asked.len() < 100, "it asks without end");
        }
        assert_eq!(limits_asked[..5], [None, Some(50), Some(12), Some(3), Some(1)]);
        assert_eq!(limits_asked.len(), limits::SYNC_TRIES as usize);
        assert_eq!(times[..5], [0, 1, 3, 7, 15]);
        assert_eq!(pulls.take_given_up(), [(room(), 0)]);
        assert!(pulls.is_done(now), "the rest goes on");
    }

    #[test]
    fn what_is_not_answered_or_answered_with_nothing_comes_to_an_end_too() {
        for answered in [false, true] {
            let (timeline, began) = (behind(), Instant::now());
            let (mut now, mut pulls) = (began, Pulls::new(began));
            pulls.look(room(), &timeline);
            let mut asked = 0;
            while next(&mut pulls, &timeline, &mut now).is_some() {
                asked += 1;
                assert!(asked < 100, "it asks without end");
                if answered && let Some(after) = pulls.answered(room()) {
                    pulls.settle(room(), after, &timeline, now);
                }
            }
            assert_eq!(asked, limits::SYNC_TRIES);
        }
    }

    #[test]
    fn what_brings_the_log_on_begins_anew() {
        let (timeline, began) = (behind(), Instant::now());
        let (mut now, mut pulls) = (began, Pulls::new(began));
        pulls.look(room(), &timeline);
        while next(&mut pulls, &timeline, &mut now).is_some() {}
        assert_eq!(pulls.due(now + Duration::from_secs(9999), &timeline), []);
        // A hello brought some by itself.
        let mut moved = Timeline::new(100, u64::MAX);
        moved.assume(room(), 100);
        moved.heard(room(), 300);
        pulls.look(room(), &moved);
        let sync = pulls.due(now, &moved).pop().expect("it is asked for again");
        assert_eq!((sync.after, sync.limit), (100, None));
    }
}
