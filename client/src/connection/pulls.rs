//! What is asked for: conversations whose log goes on beyond what the device has, a few at a time.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use kith_protocol::{ConversationId, frame::Sync};
use tokio::time::Instant;

use crate::{Timeline, limits};

/// The open questions of one connection.
pub(super) struct Pulls {
    /// Those that lack something.
    behind: BTreeSet<ConversationId>,
    /// Those that were asked for, and when to ask again.
    asked: BTreeMap<ConversationId, Instant>,
    /// Not before this, because the server sends by itself what a hello lacks, or because it asked to wait.
    from: Instant,
}

impl Pulls {
    pub(super) fn new(now: Instant) -> Self {
        Self { behind: BTreeSet::new(), asked: BTreeMap::new(), from: now }
    }

    /// Nothing is asked for before `from`.
    pub(super) fn wait(&mut self, from: Instant) {
        self.from = from;
    }

    /// Something was heard of a conversation.
    pub(super) fn look(&mut self, id: ConversationId, timeline: &Timeline) {
        if timeline.lacks_of(id).is_some() {
            self.behind.insert(id);
        } else {
            self.behind.remove(&id);
            self.asked.remove(&id);
        }
    }

    /// An answer came; whether one was awaited.
    pub(super) fn answered(&mut self, id: ConversationId) -> bool {
        self.asked.remove(&id).is_some()
    }

    /// Whether nothing is missing.
    pub(super) fn is_done(&self, now: Instant) -> bool {
        self.behind.is_empty() && self.from <= now
    }

    /// What to ask for now.
    pub(super) fn due(&mut self, now: Instant, timeline: &Timeline) -> Vec<Sync> {
        if now < self.from {
            return Vec::new();
        }
        self.asked.retain(|_, again| *again > now);
        let room = limits::SYNCS_AT_ONCE.saturating_sub(self.asked.len());
        // The youngest conversations first: their identifiers sort by time.
        let next = self.behind.iter().rev().filter(|id| !self.asked.contains_key(id)).take(room);
        let syncs: Vec<Sync> = next
            .filter_map(|id| Some(Sync { conversation: *id, after: timeline.lacks_of(*id)?, limit: None }))
            .collect();
        let again = now + Duration::from_secs(limits::SYNC_ANSWER_S);
        self.asked.extend(syncs.iter().map(|sync| (sync.conversation, again)));
        syncs
    }

    pub(super) fn deadline(&self, now: Instant) -> Option<Instant> {
        if now < self.from {
            return Some(self.from);
        }
        self.asked.values().min().copied()
    }
}
