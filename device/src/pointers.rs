//! The pointers of this device: what reached it and what was read on it, told to the server now and then.

use std::{
    collections::{BTreeSet, HashMap},
    time::{Duration, Instant},
};

use kith_protocol::{ClientFrame, ConversationId, frame::Pointer, rest::HeadItem};

use crate::limits;

/// The pointers of one user in all conversations.
pub(crate) struct Pointers {
    conversations: HashMap<ConversationId, Pair>,
    /// Conversations of which the server does not know all.
    untold: BTreeSet<ConversationId>,
    /// The one that was told last; the next is behind it, so that each has its turn.
    last: Option<ConversationId>,
    next: Instant,
}

#[derive(Clone, Copy, Default)]
struct Pair {
    delivered: u64,
    read: u64,
    told_delivered: u64,
    told_read: u64,
}

impl Pointers {
    pub(crate) fn new(now: Instant) -> Self {
        Self { conversations: HashMap::new(), untold: BTreeSet::new(), last: None, next: now }
    }

    /// Everything up to `seq` reached this device.
    pub(crate) fn delivered(&mut self, id: ConversationId, seq: u64) {
        self.change(id, |pair| pair.delivered = pair.delivered.max(seq));
    }

    /// Everything up to `seq` was read here, which also delivers it.
    pub(crate) fn read(&mut self, id: ConversationId, seq: u64) {
        self.change(id, |pair| {
            pair.read = pair.read.max(seq);
            pair.delivered = pair.delivered.max(seq);
        });
    }

    /// The user wrote, which reads up to it, or read on another device; the server knows.
    pub(crate) fn known(&mut self, id: ConversationId, delivered: u64, read: u64) {
        self.change(id, |pair| {
            pair.told_delivered = pair.told_delivered.max(delivered).max(read);
            pair.told_read = pair.told_read.max(read);
        });
    }

    /// Takes the pointers that the server knows after a hello; what it missed is told again.
    pub(crate) fn head(&mut self, item: &HeadItem) {
        self.change(item.id, |pair| {
            pair.told_delivered = item.delivered;
            pair.told_read = item.read;
        });
    }

    /// The server has nothing above `head`, so nothing above it was delivered.
    pub(crate) fn rewind(&mut self, id: ConversationId, head: u64) {
        self.change(id, |pair| {
            for seq in [&mut pair.delivered, &mut pair.read, &mut pair.told_delivered, &mut pair.told_read] {
                *seq = head.min(*seq);
            }
        });
    }

    /// Returns the frames to be sent now.
    pub(crate) fn due(&mut self, now: Instant) -> Vec<ClientFrame> {
        if self.untold.is_empty() || now < self.next {
            return Vec::new();
        }
        self.next = now + Duration::from_millis(limits::POINTERS_MS);
        let mut frames = Vec::new();
        for _ in 0..limits::POINTERS_AT_ONCE {
            let behind = self.last.and_then(|last| self.untold.range(last..).find(|id| **id != last));
            let Some(conversation) = behind.or(self.untold.first()).copied() else { break };
            self.untold.remove(&conversation);
            self.last = Some(conversation);
            let Some(pair) = self.conversations.get_mut(&conversation) else { continue };
            if pair.read > pair.told_read {
                frames.push(ClientFrame::Read(Pointer { conversation, seq: pair.read }));
                pair.told_read = pair.read;
                pair.told_delivered = pair.told_delivered.max(pair.read);
            }
            if pair.delivered > pair.told_delivered {
                frames.push(ClientFrame::Delivered(Pointer { conversation, seq: pair.delivered }));
                pair.told_delivered = pair.delivered;
            }
        }
        frames
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        (!self.untold.is_empty()).then_some(self.next)
    }

    fn change(&mut self, id: ConversationId, change: impl FnOnce(&mut Pair)) {
        let pair = self.conversations.entry(id).or_default();
        change(pair);
        if pair.read > pair.told_read || pair.delivered > pair.told_delivered {
            self.untold.insert(id);
        } else {
            self.untold.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use kith_protocol::Uuid;

    use super::*;

    fn room() -> ConversationId {
        ConversationId::new(Uuid::from_u128(7))
    }

    fn delivered(seq: u64) -> ClientFrame {
        ClientFrame::Delivered(Pointer { conversation: room(), seq })
    }

    fn read(seq: u64) -> ClientFrame {
        ClientFrame::Read(Pointer { conversation: room(), seq })
    }

    fn head(delivered: u64, read: u64) -> HeadItem {
        HeadItem { id: room(), rev: 1, head: 9, read, delivered, unread: 0, mentions: 0, peer: None, damaged: false }
    }

    #[test]
    fn moves_are_collected_and_a_read_stands_for_its_delivery() {
        let now = Instant::now();
        let mut pointers = Pointers::new(now);
        pointers.delivered(room(), 1);
        assert_eq!(pointers.due(now), [delivered(1)]);
        for seq in 2..6 {
            pointers.delivered(room(), seq);
        }
        assert_eq!(pointers.due(now), [], "too soon");
        pointers.read(room(), 4);
        let later = pointers.deadline().unwrap();
        assert_eq!(pointers.due(later), [read(4), delivered(5)]);
        pointers.read(room(), 5);
        pointers.read(room(), 3);
        let later = pointers.deadline().unwrap();
        assert_eq!(pointers.due(later), [read(5)]);
        assert_eq!(pointers.deadline(), None);
    }

    #[test]
    fn many_are_told_in_turns() {
        let now = Instant::now();
        let mut pointers = Pointers::new(now);
        let at_once = limits::POINTERS_AT_ONCE;
        let mut untold: BTreeSet<_> =
            (0..at_once as u128 * 3).map(|id| ConversationId::new(Uuid::from_u128(id))).collect();
        for id in &untold {
            pointers.delivered(*id, 1);
        }
        let busy = *untold.first().unwrap();
        for seq in 2..5 {
            let told = pointers.due(pointers.deadline().unwrap());
            assert_eq!(told.len(), at_once);
            for frame in told {
                let ClientFrame::Delivered(pointer) = frame else { panic!("{frame:?}") };
                untold.remove(&pointer.conversation);
            }
            pointers.delivered(busy, seq);
        }
        assert!(untold.is_empty(), "{untold:?}");
    }

    #[test]
    fn what_the_server_missed_is_told_again_and_nothing_else() {
        let now = Instant::now();
        let mut pointers = Pointers::new(now);
        pointers.delivered(room(), 5);
        pointers.due(now);
        pointers.head(&head(5, 5));
        assert_eq!(pointers.deadline(), None);
        pointers.head(&head(3, 3));
        assert_eq!(pointers.due(pointers.deadline().unwrap()), [delivered(5)]);
        pointers.known(room(), 8, 8);
        pointers.delivered(room(), 7);
        assert_eq!(pointers.deadline(), None);
    }
}
