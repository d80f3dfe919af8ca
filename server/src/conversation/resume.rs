//! Resuming: the heads of a user's conversations, and the entries behind what a device says it has.

use std::collections::{HashMap, HashSet, VecDeque};

use bytes::Bytes;
use kith_protocol::{
    Code, ConversationId, InstanceId, ServerFrame, UserId,
    entry::ConversationKind,
    frame::Heads,
    limits::{HEADS_CONVERSATIONS, PAGE_BYTES, RESUME_BYTES, RESUME_ENTRIES},
    rest::{HeadItem, PeerPointers},
};
use tokio::sync::oneshot;

use super::{Command, Context, Conversations, live::Live};
use crate::{
    Error,
    delivery::encoding,
    limits,
    page_bytes::PageBytes,
    store::{
        self, Direction, Head, LogRange, Record, RowKey,
        schema::{self, Member, Pointers, State, Value},
    },
    telemetry,
};

/// The seqs that a device says that it has.
pub type Have = Vec<(ConversationId, u64)>;

/// The answer to a hello.
pub struct Resume {
    /// The `heads` pages, then the `entries` frames.
    pub frames: Vec<Bytes>,
    /// The head that was told of each conversation: an entry up to it must not come again.
    pub heads: HashMap<ConversationId, u64>,
}

/// The standing of a conversation for one member.
pub(super) struct Standing {
    pub item: HeadItem,
    pub since: u64,
    /// The entries behind what the device has, where memory holds all of them.
    pub records: Option<Vec<Record>>,
}

/// The entries that a device lacks.
#[derive(Default)]
struct Lacking {
    /// The `entries` frames.
    frames: Vec<Bytes>,
    /// Conversations of which that cannot be read.
    damaged: HashSet<ConversationId>,
}

impl Context {
    /// Returns true where each of two users lets others see what they have read. What one lets be seen that cannot be read
    /// is not shown.
    pub(super) async fn shows_reading(&self, one: UserId, other: UserId) -> Result<bool, Error> {
        for user in [one, other] {
            match self.accounts.card(user).await {
                Ok(card) if card.privacy.read_receipts => {}
                Ok(_) => return Ok(false),
                Err(error) if error.damaged => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}

impl Live {
    /// Returns the standing of the conversation for a member, who has it up to `have`.
    pub(super) async fn standing(&self, user: UserId, have: Option<u64>) -> Result<Standing, Error> {
        let member = self.member(user)?;
        let pointers = self.pointers_of(user)?;
        let item = HeadItem {
            id: self.id,
            rev: self.state.counts.rev,
            head: self.state.seq,
            read: pointers.read.seq,
            delivered: pointers.delivered.seq,
            unread: self.unread(user),
            mentions: pointers.mentions.len() as u64,
            peer: self.peer_pointers(user).await?,
            damaged: false,
        };
        let first = have.map(|have| have.saturating_add(1).max(member.since));
        let records = match first {
            Some(first) if first > self.state.seq => Some(Vec::new()),
            Some(first) if self.tailed(first).is_some() => {
                let skip = (first - self.tail[0].seq) as usize;
                let mut page = PageBytes::new(PAGE_BYTES);
                let fit = self.tail.iter().skip(skip).take(RESUME_ENTRIES).take_while(|record| fits(&mut page, record));
                Some(fit.cloned().collect())
            }
            _ => None,
        };
        Ok(Standing { item, since: member.since, records })
    }
}

impl Conversations {
    /// The heads of all conversations of a user, and the entries behind what `have` says.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn resume(&self, user: UserId, have: &Have, instance: InstanceId) -> Result<Resume, Error> {
        let had: HashMap<ConversationId, u64> = have.iter().copied().collect();
        let mut standings = HashMap::new();
        let mut pages: Vec<Vec<HeadItem>> = Vec::new();
        let mut after = None;
        loop {
            let page = self.listed(user, after, HEADS_CONVERSATIONS).await?;
            let more = page.len() == HEADS_CONVERSATIONS;
            after = page.last().copied();
            let page = self.standings(user, page, &had).await?;
            pages.push(page.iter().map(|standing| standing.item).collect());
            standings.extend(page.into_iter().filter(|it| !it.item.damaged).map(|it| (it.item.id, it)));
            if !more {
                break;
            }
        }
        let mut heads: HashMap<_, _> = standings.iter().map(|(id, standing)| (*id, standing.item.head)).collect();
        let lacking = self.lacking(have, standings).await?;
        let last = pages.len() - 1;
        let mut frames = Vec::with_capacity(pages.len() + lacking.frames.len());
        for (index, mut conversations) in pages.into_iter().enumerate() {
            for item in conversations.iter_mut().filter(|item| lacking.damaged.contains(&item.id)) {
                heads.remove(&item.id);
                *item = damaged(item.id).item;
            }
            let heads = Heads { conversations, more: index < last, instance: Some(instance) };
            frames.push(encoding::frame(&ServerFrame::Heads(heads)));
        }
        frames.extend(lacking.frames);
        Ok(Resume { frames, heads })
    }

    /// The conversations of a user's list after `after`.
    pub(super) async fn listed(
        &self,
        user: UserId,
        after: Option<ConversationId>,
        limit: usize,
    ) -> Result<Vec<ConversationId>, Error> {
        let range = after.map_or_else(schema::user::all_listed, schema::user::listed_after);
        let rows = self.context.store.scan(schema::user::partition(user), range, Direction::Ascending, limit).await?;
        Ok(rows.iter().map(|row| schema::user::conversation_of(&row.key)).collect::<Result<_, _>>()?)
    }

    /// Returns the standings of conversations for a user. The live ones are asked; the others are read and not woken, unless
    /// their rows do not reflect their log. Those that are damaged say so.
    pub(super) async fn standings(
        &self,
        user: UserId,
        conversations: Vec<ConversationId>,
        had: &HashMap<ConversationId, u64>,
    ) -> Result<Vec<Standing>, Error> {
        let ask = |id| {
            let (reply, answer) = oneshot::channel();
            (Command::Standing(user, had.get(&id).copied(), reply), (id, answer))
        };
        let mut asked = VecDeque::new();
        let mut asleep = Vec::new();
        let mut standings = Vec::with_capacity(conversations.len());
        for id in conversations {
            if self.context.damaged.has(id) {
                standings.push(damaged(id));
                continue;
            }
            let (command, answer) = ask(id);
            match self.context.post_if_live(id, command) {
                Ok(()) => asked.push_back(answer),
                Err(_) => asleep.push(id),
            }
        }
        let read = self.read_standings(user, &asleep).await?;
        for (id, standing) in asleep.into_iter().zip(read) {
            match standing {
                // What woke meanwhile may have moved on; what is not derived must be.
                Some(standing) if !self.context.is_live(id) => standings.push(standing),
                _ => {
                    let (command, answer) = ask(id);
                    match self.context.post(id, command) {
                        Ok(()) => asked.push_back(answer),
                        Err((_, error)) if error.damaged => standings.push(damaged(id)),
                        Err((_, error)) => return Err(error),
                    }
                }
            }
        }
        for (id, answer) in asked {
            match super::answered(answer).await {
                Ok(standing) => standings.push(standing),
                // The list runs ahead of the members: who reads through it asks the conversation.
                Err(error) if error.code == Code::NotFound => {}
                Err(error) if error.damaged => standings.push(damaged(id)),
                Err(error) => return Err(error),
            }
        }
        Ok(standings)
    }

    /// Returns the standings of sleeping conversations, by their rows; `None` where the rows do not reflect the log, or cannot
    /// be read.
    async fn read_standings(&self, user: UserId, ids: &[ConversationId]) -> Result<Vec<Option<Standing>>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let store = &self.context.store;
        let keys = |id: &ConversationId| {
            let partition = schema::conversation::partition(*id);
            let state = RowKey { partition: partition.clone(), key: schema::conversation::state() };
            [state, RowKey { partition, key: schema::conversation::member(user) }]
        };
        let rows = store.get(ids.iter().flat_map(keys).collect()).await?;
        let heads = self.context.heads(ids.to_vec()).await?;
        let mut standings = Vec::with_capacity(ids.len());
        for ((id, rows), head) in ids.iter().zip(rows.chunks(2)).zip(heads) {
            let (Some(state), Some(member), Some(head)) = (&rows[0], &rows[1], head) else {
                standings.push(None);
                continue;
            };
            let (Ok(state), Ok(member)) = (State::decode(state), Member::decode(member)) else {
                standings.push(None);
                continue;
            };
            if state.counts.rev != head.counts.rev
                || state.counts.mentioning != head.counts.mentioning
                || state.seq != head.seq
            {
                standings.push(None);
                continue;
            }
            let peer = match state.settings.kind {
                ConversationKind::Direct => self.sleeping_peer(user, *id).await,
                _ => Ok(None),
            };
            standings.push(match peer {
                Ok(peer) => Some(standing(*id, &member, head, peer)),
                Err(error) if error.damaged => None,
                Err(error) => return Err(error),
            });
        }
        Ok(standings)
    }

    async fn sleeping_peer(&self, user: UserId, id: ConversationId) -> Result<Option<PeerPointers>, Error> {
        let members = schema::conversation::members();
        let partition = schema::conversation::partition(id);
        for row in self.context.store.scan(partition, members, Direction::Ascending, 2).await? {
            let peer = schema::conversation::user_of(&row.key)?;
            if peer != user {
                let Pointers { read, delivered, .. } = Member::decode(&row.value)?.pointers;
                let read = if self.context.shows_reading(user, peer).await? { read.seq } else { 0 };
                return Ok(Some(PeerPointers { read, delivered: delivered.seq }));
            }
        }
        Ok(None)
    }

    /// The `entries` frames that a device lacks, most recent conversation first, within the bounds of a hello.
    async fn lacking(&self, have: &Have, mut standings: HashMap<ConversationId, Standing>) -> Result<Lacking, Error> {
        let mut wanted = Vec::new();
        let mut ranges = Vec::new();
        for (id, seq) in have {
            let Some(standing) = standings.remove(id).filter(|standing| *seq != standing.item.head) else { continue };
            if standing.records.is_none() && *seq < standing.item.head {
                let first = seq.saturating_add(1).max(standing.since);
                let seqs = first..=standing.item.head;
                ranges.push(LogRange { log: *id, seqs, direction: Direction::Ascending, limit: RESUME_ENTRIES });
            }
            wanted.push((*seq, standing));
        }
        // One read, a part of it at a time, so that a device with much to catch up does not hold it all in memory.
        let mut ranges = ranges.into_iter();
        let mut read = VecDeque::new();
        let (mut lacking, mut bytes) = (Lacking::default(), 0);
        for (seq, standing) in wanted {
            let HeadItem { id, head, .. } = standing.item;
            if seq > head {
                lacking.frames.push(encoding::entries(id, &[], head, true));
                continue;
            }
            let mut records = match standing.records {
                Some(records) => records,
                None => {
                    if read.is_empty() {
                        let together = ranges.by_ref().take(64).collect();
                        read.extend(self.read_apart(together, RESUME_BYTES - bytes).await?);
                    }
                    match read.pop_front() {
                        Some(Some(records)) => records,
                        Some(None) => {
                            lacking.damaged.insert(id);
                            continue;
                        }
                        None => Vec::new(),
                    }
                }
            };
            let mut page = PageBytes::new(RESUME_BYTES - bytes);
            let fit = records.iter().take_while(|record| fits(&mut page, record)).count();
            records.truncate(fit);
            if records.is_empty() {
                continue;
            }
            let frame = encoding::entries(id, &records, head, false);
            if bytes + frame.len() > RESUME_BYTES {
                break;
            }
            bytes += frame.len();
            lacking.frames.push(frame);
        }
        Ok(lacking)
    }

    /// Reads the ranges within so many bytes; what is damaged is none, and leaves the others as they are.
    pub(super) async fn read_apart(
        &self,
        ranges: Vec<LogRange>,
        bytes: usize,
    ) -> Result<Vec<Option<Vec<Record>>>, Error> {
        let store = &self.context.store;
        match store.read_within(ranges.clone(), bytes).await {
            Err(store::Error::Corrupt(_)) => {}
            read => return Ok(read?.into_iter().map(Some).collect()),
        }
        let (mut left, mut read) = (bytes, Vec::with_capacity(ranges.len()));
        for range in ranges {
            read.push(match store.read_within(vec![range], left).await {
                Ok(records) => {
                    let records = records.into_iter().flatten().collect::<Vec<_>>();
                    left = left.saturating_sub(records.iter().map(|record| record.body.len()).sum());
                    Some(records)
                }
                Err(store::Error::Corrupt(why)) => {
                    telemetry::damage(&why);
                    None
                }
                Err(error) => return Err(error.into()),
            });
        }
        Ok(read)
    }

    /// The entries after `after` for `sync`, as a frame of a page at most.
    ///
    /// # Errors
    /// `not_found` for who is no member.
    pub async fn sync(
        &self,
        user: UserId,
        conversation: ConversationId,
        after: u64,
        limit: usize,
    ) -> Result<Bytes, Error> {
        let (reply, answer) = oneshot::channel();
        let command = Command::Standing(user, Some(after), reply);
        self.context.post(conversation, command).map_err(|(_, error)| error)?;
        let standing = super::answered(answer).await?;
        let head = standing.item.head;
        if after > head {
            return Ok(encoding::entries(conversation, &[], head, true));
        }
        let mut records = match standing.records {
            Some(records) if records.len() >= limit || records.last().is_none_or(|last| last.seq == head) => records,
            // A part of the tail that is a page by its bytes.
            Some(records) if records.len() < RESUME_ENTRIES => records,
            _ => {
                let seqs = after.saturating_add(1).max(standing.since)..=head;
                let range = LogRange { log: conversation, seqs, direction: Direction::Ascending, limit };
                self.context.store.read_within(vec![range], PAGE_BYTES).await?.pop().unwrap_or_default()
            }
        };
        let mut page = PageBytes::new(PAGE_BYTES);
        let fit = records.iter().take(limit).take_while(|record| fits(&mut page, record)).count();
        records.truncate(fit);
        Ok(encoding::entries(conversation, &records, head, false))
    }
}

/// Returns true if a page takes the record.
fn fits(page: &mut PageBytes, record: &Record) -> bool {
    page.takes(record.body.len() + limits::ENTRY_BYTES)
}

/// The standing of a conversation that cannot be read.
fn damaged(id: ConversationId) -> Standing {
    let (rev, head, read, delivered, unread, mentions) = Default::default();
    let item = HeadItem { id, rev, head, read, delivered, unread, mentions, peer: None, damaged: true };
    Standing { item, since: 1, records: Some(Vec::new()) }
}

fn standing(id: ConversationId, member: &Member, head: Head, peer: Option<PeerPointers>) -> Standing {
    let Member { log, pointers } = member;
    let item = HeadItem {
        id,
        rev: head.counts.rev,
        head: head.seq,
        read: pointers.read.seq,
        delivered: pointers.delivered.seq,
        unread: head.counts.messages.saturating_sub(pointers.read_messages),
        mentions: pointers.mentions.len() as u64,
        peer,
        damaged: false,
    };
    Standing { item, since: log.since, records: None }
}
