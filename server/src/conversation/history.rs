//! Reads the past: raw entries, and messages folded with what later entries did to them.

use std::{collections::HashMap, ops::RangeInclusive};

use kith_protocol::{
    Body, Code, ConversationId, Message, MessageId, Timestamp, UserId,
    entry::ReactionUsers,
    rest::{Log, Messages},
};

use super::{Conversations, live::Access};
use crate::{
    Error,
    store::{
        self, Direction, Kind, LogRange, Record,
        schema::{self, Amendment, Value},
    },
    wire,
};

/// Where in a conversation to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The last ones.
    End,
    /// Those before this seq.
    Before(u64),
    /// Those after this seq.
    After(u64),
    /// This seq in the middle.
    Around(u64),
    /// The first at or after this time in the middle.
    At(Timestamp),
}

/// Folded messages, and the seq up to which they are folded.
pub type Folded = Messages;

impl Conversations {
    /// Raw entries, ascending.
    ///
    /// # Errors
    /// `not_found` for who is no member.
    pub async fn log(
        &self,
        user: UserId,
        conversation: ConversationId,
        place: Place,
        limit: usize,
    ) -> Result<Log, Error> {
        let access = self.access(user, conversation).await?;
        let records = self.place(conversation, access, place, limit, Keep::All).await?;
        let items = records.iter().map(|record| wire::entry(conversation, record)).collect::<Result<_, _>>()?;
        Ok(Log { items, head: access.head })
    }

    /// Folded messages, ascending: the entries that show in a timeline, so neither edits nor deletions nor reactions.
    ///
    /// # Errors
    /// `not_found` for who is no member.
    pub async fn messages(
        &self,
        user: UserId,
        conversation: ConversationId,
        place: Place,
        limit: usize,
    ) -> Result<Folded, Error> {
        let access = self.access(user, conversation).await?;
        let records = self.place(conversation, access, place, limit, Keep::Shown).await?;
        Ok(Messages { items: self.fold(conversation, records).await?, head: access.head })
    }

    /// One folded message.
    ///
    /// # Errors
    /// `not_found` for what is no message or not the user's to see.
    pub async fn message(&self, user: UserId, message: MessageId) -> Result<Message, Error> {
        let MessageId { conversation, seq } = message;
        self.access(user, conversation).await?.sees(seq)?;
        let records = self.read(conversation, seq..=seq, Direction::Ascending, 1).await?;
        let records = records.into_iter().filter(is_shown).collect();
        self.fold(conversation, records).await?.pop().ok_or(Code::NotFound.into())
    }

    async fn read(
        &self,
        log: ConversationId,
        seqs: RangeInclusive<u64>,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<Record>, store::Error> {
        let range = LogRange { log, seqs, direction, limit };
        Ok(self.context.store.read(vec![range]).await?.pop().unwrap_or_default())
    }

    async fn place(
        &self,
        log: ConversationId,
        access: Access,
        place: Place,
        limit: usize,
        keep: Keep,
    ) -> Result<Vec<Record>, Error> {
        let middle = match place {
            Place::End => return self.take(log, access.since..=access.head, Direction::Descending, limit, keep).await,
            Place::Before(seq) => {
                let last = seq.saturating_sub(1).min(access.head);
                return self.take(log, access.since..=last, Direction::Descending, limit, keep).await;
            }
            Place::After(seq) => {
                let first = seq.saturating_add(1).max(access.since);
                return self.take(log, first..=access.head, Direction::Ascending, limit, keep).await;
            }
            Place::Around(seq) => seq.clamp(access.since, access.head),
            Place::At(time) => self.first_at(log, access, time).await?,
        };
        let before = middle.saturating_sub(1).min(access.head);
        let mut items = self.take(log, access.since..=before, Direction::Descending, limit / 2, keep).await?;
        let rest = limit - items.len();
        items.extend(self.take(log, middle..=access.head, Direction::Ascending, rest, keep).await?);
        Ok(items)
    }

    /// Up to `limit` records of a range from one of its ends, given back in ascending order.
    async fn take(
        &self,
        log: ConversationId,
        mut seqs: RangeInclusive<u64>,
        direction: Direction,
        limit: usize,
        keep: Keep,
    ) -> Result<Vec<Record>, Error> {
        let mut items = Vec::with_capacity(limit);
        while items.len() < limit && !seqs.is_empty() {
            let page = self.read(log, seqs.clone(), direction, limit).await?;
            let Some(last) = page.last().map(|record| record.seq) else { break };
            seqs = match direction {
                Direction::Ascending => last + 1..=*seqs.end(),
                Direction::Descending => *seqs.start()..=last.saturating_sub(1),
            };
            let wanted = page.into_iter().filter(|record| keep == Keep::All || is_shown(record));
            let room = limit - items.len();
            items.extend(wanted.take(room));
        }
        if direction == Direction::Descending {
            items.reverse();
        }
        Ok(items)
    }

    /// The first seq at or after a time: times never go back, so halving finds it.
    async fn first_at(&self, log: ConversationId, access: Access, time: Timestamp) -> Result<u64, Error> {
        let (mut low, mut high) = (access.since, access.head);
        while low < high {
            let middle = low + (high - low) / 2;
            let record = self.read(log, middle..=middle, Direction::Ascending, 1).await?;
            match record.first() {
                Some(record) if record.at < time => low = middle + 1,
                _ => high = middle,
            }
        }
        Ok(low)
    }

    /// Applies to messages what later entries did to them.
    pub(super) async fn fold(&self, log: ConversationId, records: Vec<Record>) -> Result<Vec<Message>, Error> {
        let (Some(first), Some(last)) = (records.first(), records.last()) else { return Ok(Vec::new()) };
        let seqs = first.seq..=last.seq;
        let partition = schema::conversation::partition(log);
        let range = schema::conversation::amendments(seqs);
        let count = (last.seq - first.seq + 1) as usize;
        let mut amendments = HashMap::new();
        for row in self.context.store.scan(partition, range, Direction::Ascending, count).await? {
            amendments.insert(schema::conversation::seq_of(&row.key)?, Amendment::decode(&row.value)?);
        }
        let one = |seq: &u64| LogRange { log, seqs: *seq..=*seq, direction: Direction::Ascending, limit: 1 };
        let ranges: Vec<_> = amendments.values().filter_map(|amendment| amendment.edits.last()).map(one).collect();
        let edits = match ranges.is_empty() {
            true => Vec::new(),
            false => self.context.store.read(ranges).await?,
        };
        let edits: HashMap<u64, Record> = edits.into_iter().flatten().map(|record| (record.seq, record)).collect();
        let mut messages = Vec::with_capacity(records.len());
        for record in records {
            let amendment = amendments.remove(&record.seq).unwrap_or_default();
            let edit = amendment.edits.last().and_then(|seq| edits.get(seq));
            messages.push(folded(log, &record, amendment, edit)?);
        }
        Ok(messages)
    }
}

/// Which records of a range are wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    All,
    Shown,
}

/// Whether a record shows in a timeline by itself.
fn is_shown(record: &Record) -> bool {
    match record.kind {
        Kind::Edit | Kind::Delete | Kind::Reaction => false,
        Kind::Redacted => !record.body.windows(6).any(|part| part == b"\"edit\""),
        _ => true,
    }
}

fn folded(
    log: ConversationId,
    record: &Record,
    amendment: Amendment,
    edit: Option<&Record>,
) -> Result<Message, store::Error> {
    let mut entry = wire::entry(log, record)?;
    let mut edited_at = None;
    if let (Body::Message(text), Some(edit)) = (&mut entry.body, edit)
        && let Body::Edit(body) = wire::body(log, edit)?
    {
        text.text = body.text;
        text.mentions = body.mentions;
        edited_at = Some(edit.at);
    }
    let deleted = record.kind == Kind::Redacted;
    let reactions = match deleted {
        true => Vec::new(),
        false => amendment.reactions.into_iter().map(|(emoji, users)| ReactionUsers { emoji, users }).collect(),
    };
    Ok(Message { entry, edited_at, deleted, reactions })
}
