//! Messages that are not durable yet. Of each conversation one is on its way at a time, so that a retry never changes
//! their order.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use kith_protocol::{
    ConversationId, Uuid,
    frame::{NewMessage, Send},
};
use tokio::{sync::OwnedSemaphorePermit, time::Instant};

use crate::limits;

/// The unsent messages of all conversations.
#[derive(Default)]
pub(super) struct Outbox {
    queues: BTreeMap<ConversationId, Queue>,
}

/// The unsent messages of one conversation, never empty.
struct Queue {
    messages: VecDeque<(NewMessage, OwnedSemaphorePermit)>,
    /// When the first is sent, or sent again.
    due: Instant,
    /// Times that the server had no room for the first.
    full: u32,
}

impl Outbox {
    pub(super) fn add(&mut self, id: ConversationId, message: NewMessage, room: OwnedSemaphorePermit, now: Instant) {
        let queue = self.queues.entry(id).or_insert_with(|| Queue { messages: VecDeque::new(), due: now, full: 0 });
        queue.messages.push_back((message, room));
    }

    /// A new connection: what was on its way may not have arrived.
    pub(super) fn reconnected(&mut self, now: Instant) {
        for queue in self.queues.values_mut() {
            queue.due = now;
        }
    }

    /// What is to be sent now.
    pub(super) fn due(&mut self, now: Instant) -> Vec<Send> {
        let queues = self.queues.iter_mut().filter(|(_, queue)| queue.due <= now);
        let sends = queues.filter_map(|(id, queue)| {
            queue.due = now + Duration::from_secs(limits::SENT_ANSWER_S);
            let (message, _) = queue.messages.front()?;
            Some(Send { conversation: *id, message: message.clone() })
        });
        sends.collect()
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.queues.values().map(|queue| queue.due).min()
    }

    /// The message that is on its way under this name.
    pub(super) fn find(&self, client_id: Uuid) -> Option<ConversationId> {
        let on_its_way = |queue: &Queue| queue.messages.front().is_some_and(|(first, _)| first.client_id == client_id);
        self.queues.iter().find(|(_, queue)| on_its_way(queue)).map(|(id, _)| *id)
    }

    /// The message was answered for good: it gives its place to the next one.
    pub(super) fn done(&mut self, id: ConversationId, client_id: Uuid, now: Instant) -> Option<NewMessage> {
        let queue = self.queues.get_mut(&id)?;
        queue.messages.front().filter(|(first, _)| first.client_id == client_id)?;
        let (message, _) = queue.messages.pop_front()?;
        (queue.due, queue.full) = (now, 0);
        if queue.messages.is_empty() {
            self.queues.remove(&id);
        }
        Some(message)
    }

    /// The server has no room for the message that is on its way; returns true while it is worth another try.
    pub(super) fn found_full(&mut self, id: ConversationId) -> bool {
        self.queues.get_mut(&id).is_some_and(|queue| {
            queue.full += 1;
            queue.full < limits::STORAGE_FULL_TRIES
        })
    }

    /// The message may be sent again at `at`, and not before.
    pub(super) fn again(&mut self, id: ConversationId, at: Instant) {
        if let Some(queue) = self.queues.get_mut(&id) {
            queue.due = at;
        }
    }
}
