//! Pointers: what each member got and read, who is told of it, and what is unread.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use kith_protocol::{
    ServerFrame, UserId,
    entry::ConversationKind,
    frame,
    rest::{PeerPointers, ReadReceipt, ReadReceipts},
};
use tokio::time::Instant;

use super::{Mark, live::Live};
use crate::{
    Error, clock,
    delivery::{
        encoding, fanout,
        outbox::{Class, ConnectionId, Outbox},
    },
    limits, shed,
    store::{self, schema::Pointers},
};

/// The shortest time between two tellings of moved pointers to those who watch a group, and two countings of a channel's.
const TELL_EVERY: Duration = Duration::from_secs(1);

impl Live {
    /// Moves a member's pointers. They are kept in memory and written together, soon.
    pub(super) async fn mark(&mut self, mark: Mark) {
        let answer = self.advance(&mark).await.map_err(Error::from);
        if let Some(reply) = mark.reply {
            let _ = reply.send(answer.map(drop));
        } else if let Err(error) = answer {
            tracing::warn!(conversation = %self.id, %error, "a pointer was not moved");
        }
    }

    async fn advance(&mut self, mark: &Mark) -> Result<(), store::Error> {
        // Who has not accepted the conversation tells nobody that it got there.
        let Some(pointers) = self.pointers.get(&mark.user).filter(|pointers| pointers.accepted) else {
            return Ok(());
        };
        let head = self.state.seq;
        let read = mark.read.map_or(0, |seq| seq.min(head));
        let delivered = mark.delivered.map_or(0, |seq| seq.min(head)).max(read);
        if read <= pointers.read.seq && delivered <= pointers.delivered.seq {
            return Ok(());
        }
        let messages = match read > pointers.read.seq {
            true if read == head => Some(self.state.counts.messages),
            true => Some(self.record(read).await?.counts.messages),
            false => None,
        };
        let now = clock::now();
        let Some(pointers) = self.pointers.get_mut(&mark.user) else { return Ok(()) };
        pointers.delivered.advance(delivered, now);
        if let Some(messages) = messages {
            pointers.read.advance(read, now);
            pointers.read_messages = messages;
            pointers.mentions.retain(|seq| *seq > read);
        }
        self.dirty.members.insert(mark.user);
        self.flush_soon();
        self.tell_moved(mark.user, mark.origin);
        Ok(())
    }

    /// Tells of a member's moved pointers: their other devices at once; in a direct conversation the other side at once; in
    /// a group those who watch it, soon.
    pub(super) fn tell_moved(&mut self, user: UserId, origin: Option<ConnectionId>) {
        let Some(receipt) = self.receipt(user) else { return };
        let frame = encoding::frame(&ServerFrame::Receipt(receipt));
        fanout::tell(&self.context.roster, std::iter::once(user), &frame, Class::Receipt, origin);
        if self.context.shed.level() >= shed::Level::Receipts {
            return;
        }
        if let Some(peer) = self.peer(user).filter(|peer| self.reaches(*peer)) {
            self.tell_peer(user, peer, receipt);
        } else if !self.watchers.is_empty() {
            self.moved.insert(user);
            self.tell_at.get_or_insert(Instant::now() + TELL_EVERY);
        }
    }

    fn receipt(&self, user: UserId) -> Option<frame::Receipt> {
        let pointers = self.pointers.get(&user)?;
        let (delivered, read) = (pointers.delivered.seq, pointers.read.seq);
        Some(frame::Receipt { conversation: self.id, user, delivered, read, at: clock::now() })
    }

    /// Tells the other side, which sees what was read only where both let it be seen.
    fn tell_peer(&self, user: UserId, peer: UserId, receipt: frame::Receipt) {
        let (accounts, roster) = (self.context.accounts.clone(), self.context.roster.clone());
        if !roster.is_online(peer) {
            return;
        }
        let tell = move |seen: bool| {
            let read = if seen { receipt.read } else { 0 };
            let frame = encoding::frame(&ServerFrame::Receipt(frame::Receipt { read, ..receipt }));
            fanout::tell(&roster, std::iter::once(peer), &frame, Class::Receipt, None);
        };
        match (accounts.cached_card(user), accounts.cached_card(peer)) {
            (Some(own), Some(other)) => tell(own.privacy.read_receipts && other.privacy.read_receipts),
            _ => drop(tokio::spawn(async move {
                let cards = (accounts.card(user).await, accounts.card(peer).await);
                if let (Ok(own), Ok(other)) = cards {
                    tell(own.privacy.read_receipts && other.privacy.read_receipts);
                }
            })),
        }
    }

    /// Tells those who watch the group of every pointer that moved since they were told.
    pub(super) fn tell_watchers(&mut self) {
        self.tell_at = None;
        let watchers = self.watchers.there(&self.context.roster);
        for user in std::mem::take(&mut self.moved) {
            let Some(receipt) = self.receipt(user) else { continue };
            let frame = encoding::frame(&ServerFrame::Receipt(receipt));
            self.show(&watchers, user, &frame, Class::Receipt);
        }
    }

    /// Gives a frame about a user to those watchers who are other members.
    fn show(&self, watchers: &[Arc<Outbox>], about: UserId, frame: &Bytes, class: Class) {
        for watcher in watchers {
            let user = watcher.identity().map(|(user, _)| user);
            if user.is_some_and(|user| user != about && self.state.members.contains_key(&user)) {
                watcher.push(frame.clone(), class);
            }
        }
    }

    /// Gives a connection of a member the group's receipts from now on.
    pub(super) fn watch(&mut self, user: UserId, connection: ConnectionId) {
        if self.reaches(user) {
            self.watchers.add(&self.context.roster, connection);
        }
    }

    /// Notes that a member is writing; true when the others are to be told, which they are once in [`limits::TYPING_MS`].
    fn begins_to_type(&mut self, user: UserId) -> bool {
        let (since, typed) = &mut self.typed;
        if since.is_none_or(|since| since.elapsed() >= Duration::from_millis(limits::TYPING_MS)) {
            *since = Some(Instant::now());
            *typed = HashSet::new();
        }
        typed.insert(user)
    }

    /// Says to the others that a member is writing: in a channel to those who watch it.
    pub(super) fn typing(&mut self, user: UserId) {
        let shed = self.context.shed.level() >= shed::Level::Light;
        if shed || !self.reaches(user) || self.may_write(user).is_err() || !self.begins_to_type(user) {
            return;
        }
        let typing = frame::Typing { conversation: self.id, user };
        let frame = encoding::frame(&ServerFrame::Typing(typing));
        let mut others = self.reached().filter(|other| *other != user);
        match self.state.settings.kind {
            ConversationKind::Direct => {
                let (accounts, roster) = (self.context.accounts.clone(), self.context.roster.clone());
                let Some(peer) = others.next() else { return };
                // Who is blocked must not learn that the other is there, nor be seen to be.
                tokio::spawn(async move {
                    let blocked = match (accounts.card(user).await, accounts.card(peer).await) {
                        (Ok(own), Ok(other)) => own.blocked.contains(&peer) || other.blocked.contains(&user),
                        _ => true,
                    };
                    if !blocked {
                        fanout::tell(&roster, std::iter::once(peer), &frame, Class::Light, None);
                    }
                });
            }
            ConversationKind::Group => fanout::tell(&self.context.roster, others, &frame, Class::Light, None),
            ConversationKind::Channel => {
                drop(others);
                let watchers = self.watchers.there(&self.context.roster);
                self.show(&watchers, user, &frame, Class::Light);
            }
        }
    }

    /// Messages by others above what the member read: a subtraction, because a send reads up to itself.
    pub(super) fn unread(&self, user: UserId) -> u64 {
        self.pointers.get(&user).map_or(0, |pointers| self.state.counts.messages.saturating_sub(pointers.read_messages))
    }

    /// The other side's pointers, as the member may see them.
    pub(super) async fn peer_pointers(&self, user: UserId) -> Result<Option<PeerPointers>, Error> {
        let Some((peer, pointers)) = self.peer(user).and_then(|peer| Some((peer, self.pointers.get(&peer)?))) else {
            return Ok(None);
        };
        let read = if self.context.shows_reading(user, peer).await? { pointers.read.seq } else { 0 };
        Ok(Some(PeerPointers { read, delivered: pointers.delivered.seq }))
    }

    /// Counts the other members who got and read a message, and tells of those after `after` who and when; of a channel it only
    /// counts.
    pub(super) async fn read_receipts(
        &mut self,
        user: UserId,
        seq: u64,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<ReadReceipts, Error> {
        self.access(user)?.sees(seq)?;
        let sender = self.record(seq).await?.sender;
        if self.state.settings.kind == ConversationKind::Channel {
            return Ok(self.count_receipts(seq, sender));
        }
        let hidden = self.state.settings.kind == ConversationKind::Direct
            && self.peer_pointers(user).await?.is_none_or(|peer| peer.read == 0);
        let sees = |other: &UserId| self.state.members.get(other).is_some_and(|member| member.since <= seq);
        let mut all: Vec<ReadReceipt> = self
            .pointers
            .iter()
            .filter(|(other, _)| **other != sender && sees(other))
            .map(|(other, pointers)| {
                let read = pointers.read.seq >= seq && (*other == user || !hidden);
                ReadReceipt {
                    user: *other,
                    delivered: pointers.delivered.seq >= seq,
                    delivered_at: pointers.delivered.passed_at(seq),
                    read,
                    read_at: pointers.read.passed_at(seq).filter(|_| read),
                }
            })
            .collect();
        let count = |is: fn(&ReadReceipt) -> bool| all.iter().filter(|item| is(item)).count() as u32;
        let (delivered, read, total) = (count(|item| item.delivered), count(|item| item.read), all.len() as u32);
        all.retain(|item| after.is_none_or(|after| item.user > after));
        all.sort_unstable_by_key(|item| item.user);
        let more = all.len() > limit;
        all.truncate(limit);
        let next_cursor = all.last().filter(|_| more).map(|last| last.user.to_string());
        Ok(ReadReceipts { items: all, next_cursor, delivered, read, total })
    }

    /// Counts the members of a channel who got and read a message, all but its sender.
    fn count_receipts(&mut self, seq: u64, sender: UserId) -> ReadReceipts {
        let now = Instant::now();
        let members = &self.pointers;
        let fresh = self.counted.take().filter(|counted| now < counted.until);
        let counted = self.counted.insert(fresh.unwrap_or_else(|| Box::new(Counted::new(members, now))));
        let own = usize::from(members.contains_key(&sender));
        let others = |count: usize| count.saturating_sub(own) as u32;
        let reached = |pointers: &[u64]| others(pointers.len() - pointers.partition_point(|at| *at < seq));
        ReadReceipts {
            items: Vec::new(),
            next_cursor: None,
            delivered: reached(&counted.delivered),
            read: reached(&counted.read),
            total: others(counted.read.len()),
        }
    }
}

/// The pointers of all members of a channel at some moment, in order, so that the members are walked once a second at most,
/// however many messages are asked for: of 100 000 members it takes some milliseconds and 1.6 MB.
pub(super) struct Counted {
    until: Instant,
    delivered: Vec<u64>,
    read: Vec<u64>,
}

impl Counted {
    fn new(members: &HashMap<UserId, Pointers>, now: Instant) -> Self {
        let mut delivered: Vec<u64> = members.values().map(|pointers| pointers.delivered.seq).collect();
        let mut read: Vec<u64> = members.values().map(|pointers| pointers.read.seq).collect();
        delivered.sort_unstable();
        read.sort_unstable();
        Self { until: now + TELL_EVERY, delivered, read }
    }
}
