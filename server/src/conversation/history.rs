//! Reads the past: raw entries, and messages folded with what later entries did to them.

use std::{collections::HashMap, ops::RangeInclusive};

use kith_protocol::{
    Code, ConversationId, Entry, Message, MessageId, Timestamp, UserId,
    limits::PAGE_BYTES,
    rest::{Log, Messages},
};

use super::{Conversations, live::Access};
use crate::{
    Error,
    delivery::encoding,
    limits,
    page_bytes::PageBytes,
    store::{
        self, Direction, Kind, LogRange, Record,
        schema::{self, Amendment, Value},
    },
};

/// Bytes of an identifier of a user in JSON, with what parts it from the next.
const ID_BYTES: usize = 36;

/// The place in a conversation at which to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The last ones.
    End,
    /// Messages before this seq.
    Before(u64),
    /// Messages after this seq.
    After(u64),
    /// This seq in the middle.
    Around(u64),
    /// The first at or after this time in the middle.
    At(Timestamp),
}

/// Folded messages, and the seq up to which they are folded.
pub type Folded = Messages;

/// A part of a log, and how much of it to read from one of its ends.
#[derive(Debug, Clone)]
struct Side {
    log: ConversationId,
    seqs: RangeInclusive<u64>,
    direction: Direction,
    limit: usize,
    bytes: usize,
}

/// The ranges of a log that a page reads: one side, or those before and behind something in its middle.
enum Sides {
    One(Side),
    Two(Side, Side),
}

impl Side {
    /// The later side of a page, which takes what the earlier one left.
    fn beside<T>(mut self, earlier: &Taken<T>) -> Self {
        self.limit -= earlier.items.len();
        self.bytes += earlier.left;
        self
    }
}

/// The records read of a [`Side`].
struct Taken<T> {
    items: Vec<T>,
    /// The bytes that they left.
    left: usize,
    /// True where there may be more at the far end.
    more: bool,
}

impl<T> Taken<T> {
    /// In ascending order what was read in some direction.
    fn ascending(mut self, direction: Direction) -> Self {
        if direction == Direction::Descending {
            self.items.reverse();
        }
        self
    }

    /// Two sides as one page.
    fn and(mut self, later: Self) -> Self {
        self.items.extend(later.items);
        Self { items: self.items, left: later.left, more: self.more || later.more }
    }
}

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
        let page = match self.sides(conversation, access, place, limit).await? {
            Sides::One(side) => self.entries_of(side).await?,
            Sides::Two(earlier, later) => {
                let earlier = self.entries_of(earlier).await?;
                let later = self.entries_of(later.beside(&earlier)).await?;
                earlier.and(later)
            }
        };
        Ok(Log { items: page.items, head: access.head, more: Some(page.more) })
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
        let page = match self.sides(conversation, access, place, limit).await? {
            Sides::One(side) => self.messages_of(side).await?,
            Sides::Two(earlier, later) => {
                let earlier = self.messages_of(earlier).await?;
                let later = self.messages_of(later.beside(&earlier)).await?;
                earlier.and(later)
            }
        };
        Ok(Messages { items: page.items, head: access.head, more: Some(page.more) })
    }

    /// One folded message.
    ///
    /// # Errors
    /// `not_found` for what is no message or not the user's to see.
    pub async fn message(&self, user: UserId, message: MessageId) -> Result<Message, Error> {
        let MessageId { conversation: log, seq } = message;
        self.access(user, log).await?.sees(seq)?;
        let side = Side { log, seqs: seq..=seq, direction: Direction::Ascending, limit: 1, bytes: PAGE_BYTES };
        self.messages_of(side).await?.items.pop().ok_or(Code::NotFound.into())
    }

    async fn read(
        &self,
        log: ConversationId,
        seqs: RangeInclusive<u64>,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<Record>, store::Error> {
        let range = LogRange { log, seqs, direction, limit };
        Ok(self.context.store.read_within(vec![range], PAGE_BYTES).await?.pop().unwrap_or_default())
    }

    /// Plans the reads of the page at a place: the page is cut where it is furthest from the place.
    async fn sides(&self, log: ConversationId, access: Access, place: Place, limit: usize) -> Result<Sides, Error> {
        let before = |last, limit, bytes| {
            let seqs = access.since..=access.head.min(last);
            Side { log, seqs, direction: Direction::Descending, limit, bytes }
        };
        let from = |first, limit, bytes| {
            let seqs = access.since.max(first)..=access.head;
            Side { log, seqs, direction: Direction::Ascending, limit, bytes }
        };
        let middle = match place {
            Place::End => return Ok(Sides::One(before(access.head, limit, PAGE_BYTES))),
            Place::Before(seq) => return Ok(Sides::One(before(seq.saturating_sub(1), limit, PAGE_BYTES))),
            Place::After(seq) => return Ok(Sides::One(from(seq.saturating_add(1), limit, PAGE_BYTES))),
            Place::Around(seq) => seq.clamp(access.since, access.head),
            Place::At(time) => self.first_at(log, access, time).await?,
        };
        let earlier = before(middle.saturating_sub(1), limit / 2, PAGE_BYTES / 2);
        Ok(Sides::Two(earlier, from(middle, limit, PAGE_BYTES / 2)))
    }

    /// The entries of a side, ascending.
    async fn entries_of(&self, side: Side) -> Result<Taken<Entry>, Error> {
        let (log, direction) = (side.log, side.direction);
        let Taken { items, left, more } = self.take(side, Keep::All).await?;
        let items = items.iter().map(|record| encoding::entry(log, record)).collect::<Result<_, _>>()?;
        Ok(Taken { items, left, more }.ascending(direction))
    }

    /// The folded messages of a side, ascending.
    async fn messages_of(&self, side: Side) -> Result<Taken<Message>, Error> {
        let (log, direction, bytes) = (side.log, side.direction, side.bytes);
        let Taken { items, more, .. } = self.take(side, Keep::Shown).await?;
        let folded = self.fold(log, items, bytes).await?;
        Ok(Taken { more: more || folded.more, ..folded }.ascending(direction))
    }

    /// The records of a side that are wanted, from its near end on.
    async fn take(&self, side: Side, keep: Keep) -> Result<Taken<Record>, Error> {
        let Side { log, mut seqs, direction, limit, bytes } = side;
        let (mut items, mut page) = (Vec::with_capacity(limit), PageBytes::new(bytes));
        'reading: while items.len() < limit && !seqs.is_empty() {
            let records = self.read(log, seqs.clone(), direction, limit).await?;
            if records.is_empty() {
                return Ok(Taken { items, left: page.left(), more: false });
            }
            for record in records {
                let beyond = match direction {
                    Direction::Ascending => record.seq + 1..=*seqs.end(),
                    Direction::Descending => *seqs.start()..=record.seq.saturating_sub(1),
                };
                if keep == Keep::All || is_shown(&record) {
                    if items.len() == limit || !page.takes(record.body.len() + limits::ENTRY_BYTES) {
                        break 'reading;
                    }
                    items.push(record);
                }
                seqs = beyond;
            }
        }
        Ok(Taken { items, left: page.left(), more: !seqs.is_empty() })
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

    /// Applies to records, given from the near end of a page on, what later entries did to them; as many as the page takes.
    async fn fold(&self, log: ConversationId, records: Vec<Record>, bytes: usize) -> Result<Taken<Message>, Error> {
        let mut amended = self.amended(log, &records).await?;
        let one = |seq: u64| LogRange { log, seqs: seq..=seq, direction: Direction::Ascending, limit: 1 };
        let last_edit = |record: &Record| amended.of.get(&record.seq)?.edits.last().copied();
        let ranges: Vec<_> = records.iter().filter_map(last_edit).map(one).collect();
        let edits = match ranges.is_empty() {
            true => Vec::new(),
            false => self.context.store.read_within(ranges, bytes).await?,
        };
        let edits: HashMap<u64, Record> = edits.into_iter().flatten().map(|record| (record.seq, record)).collect();
        let (mut items, mut page) = (Vec::with_capacity(records.len()), PageBytes::new(bytes));
        for record in records {
            let amendment = amended.of.remove(&record.seq).unwrap_or_default();
            let edit = amendment.edits.last().map(|seq| edits.get(seq));
            // What was not read of the later ones is beyond the page.
            let unread = edit == Some(None) || !amended.reaches(record.seq);
            if unread && !items.is_empty() {
                return Ok(Taken { items, left: 0, more: true });
            }
            let edit = edit.flatten();
            if !page.takes(message_bytes(&record, &amendment, edit)) {
                break;
            }
            items.push(folded(log, &record, amendment, edit)?);
        }
        Ok(Taken { items, left: page.left(), more: page.is_cut() })
    }

    /// Reads the amendments of records, from the first of them on until they come to a page.
    async fn amended(&self, log: ConversationId, records: &[Record]) -> Result<Amended, Error> {
        let mut amended = Amended { of: HashMap::new(), reached: None };
        let (Some(first), Some(last)) = (records.first(), records.last()) else { return Ok(amended) };
        let direction = if first.seq <= last.seq { Direction::Ascending } else { Direction::Descending };
        let mut seqs = first.seq.min(last.seq)..=first.seq.max(last.seq);
        let mut page = PageBytes::new(PAGE_BYTES);
        while !seqs.is_empty() {
            let partition = schema::conversation::partition(log);
            let range = schema::conversation::amendments(seqs.clone());
            let rows = self.context.store.scan(partition, range, direction, limits::AMENDMENTS_TOGETHER).await?;
            for row in &rows {
                let seq = schema::conversation::seq_of(&row.key)?;
                amended.of.insert(seq, Amendment::decode(&row.value)?);
                page.takes(row.value.len());
                seqs = match direction {
                    Direction::Ascending => seq + 1..=*seqs.end(),
                    Direction::Descending => *seqs.start()..=seq.saturating_sub(1),
                };
                if page.is_cut() {
                    amended.reached = Some((seq, direction));
                    return Ok(amended);
                }
            }
            if rows.len() < limits::AMENDMENTS_TOGETHER {
                break;
            }
        }
        Ok(amended)
    }
}

/// The amendments of the messages of a page.
struct Amended {
    of: HashMap<u64, Amendment>,
    /// The seq up to which it was read, and the direction, where it was not to the end.
    reached: Option<(u64, Direction)>,
}

impl Amended {
    fn reaches(&self, seq: u64) -> bool {
        match self.reached {
            None => true,
            Some((reached, Direction::Ascending)) => seq <= reached,
            Some((reached, Direction::Descending)) => seq >= reached,
        }
    }
}

/// The records of a range that are wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    All,
    Shown,
}

/// Returns true for a record that shows in a timeline by itself.
fn is_shown(record: &Record) -> bool {
    match record.kind {
        Kind::Edit | Kind::Delete | Kind::Reaction => false,
        Kind::Sealed | Kind::Commit | Kind::DevicesChanged => false,
        Kind::Redacted => record.body.windows(9).any(|part| part == b"\"message\""),
        _ => true,
    }
}

/// Bytes of a folded message as JSON, or a little more.
fn message_bytes(record: &Record, amendment: &Amendment, edit: Option<&Record>) -> usize {
    let reaction = |(emoji, users): &(String, Vec<UserId>)| 2 * ID_BYTES + emoji.len() + users.len() * ID_BYTES;
    let reactions: usize = amendment.reactions.iter().map(reaction).sum();
    record.body.len() + edit.map_or(0, |edit| edit.body.len()) + limits::ENTRY_BYTES + reactions
}

fn folded(
    log: ConversationId,
    record: &Record,
    amendment: Amendment,
    edit: Option<&Record>,
) -> Result<Message, store::Error> {
    let edit = edit.map(|edit| encoding::entry(log, edit)).transpose()?;
    Ok(kith_log::message(encoding::entry(log, record)?, amendment, edit.as_ref()))
}
