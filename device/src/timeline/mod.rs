//! The timeline of a device: of each conversation the end of its log without a gap, and the messages folded from it.
//!
//! Invariant: nothing here does I/O, awaits, or reads a clock. Frames go in, in whatever order they come; what is missing
//! comes out of [`Timeline::lacks`].

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use kith_log::Settings;
use kith_protocol::{
    Body, ConversationId, DeviceId, Entry, Media, Message, MessageId, Timestamp, UserId,
    entry::{Redacted, RedactedKind, Text},
    frame::{Entries, NewMessage, Sent},
    limits::HAVE_CONVERSATIONS,
    rest::HeadItem,
};

/// The conversations of one device.
#[derive(Debug, Clone)]
pub struct Timeline {
    conversations: HashMap<ConversationId, Conversation>,
    /// The messages that disappear, soonest first.
    expiring: BTreeSet<(Timestamp, MessageId)>,
    keep: usize,
    backlog: u64,
}

/// The part of one conversation that a device has.
#[derive(Debug, Clone, Default)]
struct Conversation {
    /// The last entries, without a gap, up to `have`.
    entries: BTreeMap<u64, Entry>,
    /// Everything up to this seq was applied.
    have: u64,
    /// The highest seq that was heard of on this connection.
    head: u64,
    /// The time of the last entry.
    at: Timestamp,
    /// The settings, as far as the entries that were applied say them.
    settings: Settings,
    /// True once the user is no member any longer.
    left: bool,
}

/// The outcome of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// The next of its log, and it was taken.
    New,
    /// An entry that was there before.
    Repeat,
    /// One before it is missing, so it was not taken: [`Timeline::lacks`] tells what to ask for, and it will come again.
    Gap,
}

impl Timeline {
    /// An empty timeline. Of each conversation it keeps the last `keep` entries; of one that is new to it,
    /// it asks for at most the last `backlog`.
    pub fn new(keep: usize, backlog: u64) -> Self {
        Self { conversations: HashMap::new(), expiring: BTreeSet::new(), keep, backlog }
    }

    /// A device that knows from before that it has everything up to `seq`.
    pub fn assume(&mut self, conversation: ConversationId, seq: u64) {
        let fresh = Conversation { have: seq, head: seq, ..Conversation::default() };
        self.conversations.entry(conversation).or_insert(fresh);
    }

    /// A new connection: what was heard of on the old one may no longer be so, and is told again.
    pub fn reconnected(&mut self) {
        for conversation in self.conversations.values_mut() {
            conversation.head = conversation.have;
        }
    }

    /// Lets go of everything; returns true where there was something.
    pub fn clear(&mut self) -> bool {
        let some = !self.conversations.is_empty();
        self.conversations.clear();
        self.expiring.clear();
        some
    }

    /// Takes the standing of a conversation at the server.
    pub fn head(&mut self, item: &HeadItem) {
        self.heard(item.id, item.head);
    }

    /// Word that the log goes up to `seq`, without the entry.
    pub fn heard(&mut self, id: ConversationId, seq: u64) {
        let conversation = self.known(id, seq);
        conversation.head = conversation.head.max(seq);
        conversation.left = false;
    }

    /// An entry that was just said.
    pub fn entry(&mut self, entry: &Entry) -> Applied {
        let conversation = self.known(entry.conversation, entry.seq.saturating_sub(1));
        conversation.head = conversation.head.max(entry.seq);
        conversation.left = false;
        if entry.seq <= conversation.have {
            return Applied::Repeat;
        }
        if entry.seq > conversation.have + 1 {
            return Applied::Gap;
        }
        self.take(entry.clone());
        Applied::New
    }

    /// The entry that a `sent` stands for.
    pub fn sent(&self, sent: &Sent, by: (UserId, DeviceId), message: &NewMessage) -> Entry {
        let conversation = self.conversations.get(&sent.conversation);
        let expire_after_s = conversation.and_then(|conversation| conversation.settings.expire_after_s);
        let at = sent.true_at.unwrap_or(sent.at);
        Entry {
            id: MessageId { conversation: sent.conversation, seq: sent.seq },
            conversation: sent.conversation,
            seq: sent.seq,
            sender: by.0,
            device: Some(by.1),
            client_id: Some(sent.client_id),
            at: sent.at,
            true_at: sent.true_at,
            expires_at: expire_after_s.map(|s| at.plus(std::time::Duration::from_secs(s.into()))),
            body: Body::Message(Text {
                text: message.text.clone(),
                mentions: message.mentions.clone(),
                reply_to: message.reply_to,
                attachments: message.attachments.iter().copied().map(Media::named).collect(),
            }),
        }
    }

    /// Entries that the server sent together; gives those that are new, in order.
    ///
    /// `asked` tells that a `sync` of this conversation is unanswered. The server then has answered from what this
    /// timeline has, or had, so that what it passed over is not for this user (they joined later, or joined again).
    pub fn entries(&mut self, frame: &Entries, asked: bool) -> Vec<Entry> {
        let conversation = self.known(frame.conversation, frame.head);
        if frame.ahead {
            // Who let go of what it had meanwhile is not ahead any longer.
            if conversation.have > frame.head {
                conversation.rewind(frame.head);
            }
            return Vec::new();
        }
        conversation.head = conversation.head.max(frame.head);
        conversation.left = false;
        let mut entries = frame.entries.iter().filter(|entry| entry.conversation == frame.conversation).peekable();
        if let (true, Some(first)) = (asked, entries.peek()) {
            conversation.have = conversation.have.max(first.seq.saturating_sub(1));
        }
        let new: Vec<Entry> = entries.filter(|entry| self.entry(entry) == Applied::New).cloned().collect();
        let conversation = self.known(frame.conversation, frame.head);
        if asked && new.is_empty() && !frame.more {
            // The server has no more than this. What else was heard of is not there, and asking again would not end.
            conversation.head = conversation.have;
        }
        new
    }

    /// The user is no member any longer: nothing more can be asked for.
    pub fn left(&mut self, id: ConversationId) {
        if let Some(conversation) = self.conversations.get_mut(&id) {
            conversation.left = true;
            conversation.head = conversation.have;
        }
    }

    /// Takes the content of what has expired by now; gives what it was.
    pub fn expire(&mut self, now: Timestamp) -> Vec<MessageId> {
        let mut gone = Vec::new();
        while let Some(&(at, id)) = self.expiring.first()
            && at <= now
        {
            self.expiring.pop_first();
            if let Some(conversation) = self.conversations.get_mut(&id.conversation) {
                conversation.redact(id.seq);
                gone.push(id);
            }
        }
        gone
    }

    /// Returns the conversations whose log is known to go on, each with the seq after which to ask for it.
    pub fn lacks(&self) -> impl Iterator<Item = (ConversationId, u64)> {
        self.conversations.iter().filter(|(_, c)| c.head > c.have).map(|(id, c)| (*id, c.have))
    }

    /// Returns the seq after which something of this conversation is missing; none where nothing is.
    pub fn lacks_of(&self, id: ConversationId) -> Option<u64> {
        self.conversations.get(&id).filter(|c| c.head > c.have).map(|c| c.have)
    }

    /// Returns what a `hello` says: the most recent conversations first, at most [`HAVE_CONVERSATIONS`].
    pub fn have(&self) -> Vec<(ConversationId, u64)> {
        let known = self.conversations.iter().filter(|(_, c)| c.have > 0 && !c.left);
        let mut known: Vec<_> = known.map(|(id, c)| (c.at, *id, c.have)).collect();
        known.sort_unstable_by(|a, b| b.cmp(a));
        known.truncate(HAVE_CONVERSATIONS);
        known.into_iter().map(|(_, id, have)| (id, have)).collect()
    }

    /// The seq up to which this device has a conversation; 0 for one that it does not know.
    pub fn have_of(&self, id: ConversationId) -> u64 {
        self.conversations.get(&id).map_or(0, |conversation| conversation.have)
    }

    /// The conversations, in no order.
    pub fn conversations(&self) -> impl Iterator<Item = ConversationId> {
        self.conversations.keys().copied()
    }

    /// The raw entries that are kept of a conversation, ascending, without a gap but for what was never for this user.
    pub fn log(&self, id: ConversationId) -> impl DoubleEndedIterator<Item = &Entry> {
        self.conversations.get(&id).into_iter().flat_map(|conversation| conversation.entries.values())
    }

    /// The folded messages of what is kept, ascending.
    pub fn messages(&self, id: ConversationId) -> Vec<Message> {
        kith_log::messages(self.log(id))
    }

    /// The conversation; one that is new begins so far below `head` as the backlog allows.
    fn known(&mut self, id: ConversationId, head: u64) -> &mut Conversation {
        let backlog = self.backlog;
        self.conversations.entry(id).or_insert_with(|| {
            let have = head.saturating_sub(backlog);
            Conversation { have, head: have, ..Conversation::default() }
        })
    }

    fn take(&mut self, entry: Entry) {
        let Some(conversation) = self.conversations.get_mut(&entry.conversation) else { return };
        conversation.settings.apply(&(&entry).into());
        if let (Some(at), Body::Message(_)) = (entry.expires_at, &entry.body) {
            self.expiring.insert((at, entry.id));
        }
        conversation.have = entry.seq;
        conversation.at = entry.at;
        conversation.entries.insert(entry.seq, entry);
        while conversation.entries.len() > self.keep
            && let Some((_, dropped)) = conversation.entries.pop_first()
        {
            if let Some(at) = dropped.expires_at {
                self.expiring.remove(&(at, dropped.id));
            }
        }
    }
}

impl Conversation {
    /// The server has nothing above `head`: it was restored from a backup. What is above is not in the log.
    fn rewind(&mut self, head: u64) {
        self.entries.retain(|seq, _| *seq <= head);
        self.have = self.have.min(head);
        self.head = self.have;
    }

    /// Takes the content of a message, and of what it was edited to.
    fn redact(&mut self, target: u64) {
        for (seq, entry) in self.entries.range_mut(target..) {
            let was = match &entry.body {
                Body::Message(_) if *seq == target => RedactedKind::Message,
                Body::Edit(edit) if edit.target == target => RedactedKind::Edit,
                _ => continue,
            };
            entry.body = Body::Redacted(Redacted { was });
        }
    }
}
