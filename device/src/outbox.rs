//! Messages that are not durable yet. Of each conversation one is on its way at a time, so that a retry never changes
//! their order.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use kith_protocol::{
    ConversationId, Uuid,
    frame::{NewMessage, Send},
};

use crate::limits;

/// The unsent messages of all conversations.
#[derive(Default)]
pub(crate) struct Outbox {
    queues: BTreeMap<ConversationId, Queue>,
    /// The number of all messages.
    len: usize,
}

/// The unsent messages of one conversation, never empty.
struct Queue {
    messages: VecDeque<NewMessage>,
    /// The time at which the first is sent, or sent again.
    due: Instant,
    /// Times that the server refused the first for now,
    refusals: u32,
    /// and those of them for which it had no room.
    full: u32,
}

impl Outbox {
    pub(crate) fn add(&mut self, id: ConversationId, message: NewMessage, now: Instant) {
        let queue = self.queues.entry(id).or_insert_with(|| Queue {
            messages: VecDeque::new(),
            due: now,
            refusals: 0,
            full: 0,
        });
        queue.messages.push_back(message);
        self.len += 1;
    }

    /// The number of messages of all conversations.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// A new connection: what was on its way may not have arrived.
    pub(crate) fn reconnected(&mut self, now: Instant) {
        for queue in self.queues.values_mut() {
            queue.due = now;
        }
    }

    /// Another instance: the seqs that messages answer may be those of other messages now.
    pub(crate) fn forget_places(&mut self) {
        for message in self.queues.values_mut().flat_map(|queue| &mut queue.messages) {
            message.reply_to = None;
        }
    }

    /// Returns the messages to be sent now.
    pub(crate) fn due(&mut self, now: Instant) -> Vec<Send> {
        let queues = self.queues.iter_mut().filter(|(_, queue)| queue.due <= now);
        let sends = queues.filter_map(|(id, queue)| {
            queue.due = now + Duration::from_secs(limits::SENT_ANSWER_S);
            let message = queue.messages.front()?;
            Some(Send { conversation: *id, message: message.clone() })
        });
        sends.collect()
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.queues.values().map(|queue| queue.due).min()
    }

    /// The message that is on its way under this name.
    pub(crate) fn find(&self, client_id: Uuid) -> Option<ConversationId> {
        let on_its_way = |queue: &Queue| queue.messages.front().is_some_and(|first| first.client_id == client_id);
        self.queues.iter().find(|(_, queue)| on_its_way(queue)).map(|(id, _)| *id)
    }

    /// The message was answered for good: it gives its place to the next one.
    pub(crate) fn done(&mut self, id: ConversationId, client_id: Uuid, now: Instant) -> Option<NewMessage> {
        let queue = self.queues.get_mut(&id)?;
        queue.messages.front().filter(|first| first.client_id == client_id)?;
        let message = queue.messages.pop_front()?;
        self.len -= 1;
        (queue.due, queue.refusals, queue.full) = (now, 0, 0);
        if queue.messages.is_empty() {
            self.queues.remove(&id);
        }
        Some(message)
    }

    /// The server has no room for the message that is on its way; returns true while it is worth another try.
    pub(crate) fn found_full(&mut self, id: ConversationId) -> bool {
        self.queues.get_mut(&id).is_some_and(|queue| {
            queue.full += 1;
            queue.full < limits::STORAGE_FULL_TRIES
        })
    }

    /// The message was refused for now: it is sent again after the time that the server named, or else later each time.
    pub(crate) fn again(&mut self, id: ConversationId, after: Option<Duration>, now: Instant) {
        let Some(queue) = self.queues.get_mut(&id) else { return };
        let wait = limits::SEND_AGAIN_MS.saturating_mul(1 << queue.refusals.min(30)).min(limits::SEND_AGAIN_AT_MOST_MS);
        queue.refusals = queue.refusals.saturating_add(1);
        queue.due = now + after.unwrap_or(Duration::from_millis(wait));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_is_refused_for_now_is_sent_later_each_time() {
        let (id, began) = (ConversationId::new(Uuid::from_u128(7)), Instant::now());
        let (mut outbox, mut now) = (Outbox::default(), began);
        let message = crate::tests::message(1, "hello");
        outbox.add(id, message.clone(), now);
        let mut waits = Vec::new();
        for _ in 0..8 {
            assert_eq!(outbox.due(now).len(), 1);
            outbox.again(id, None, now);
            let due = outbox.deadline().expect("it is to be sent again");
            waits.push((due - now).as_secs());
            now = due;
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
        // The server knows better.
        outbox.again(id, Some(Duration::from_secs(5)), now);
        assert_eq!(outbox.deadline(), Some(now + Duration::from_secs(5)));
        assert_eq!(outbox.done(id, message.client_id, now), Some(message));
    }
}
