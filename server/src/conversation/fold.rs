//! Folds the log into everything that is derived from it: the conversation's state, its members, its amendments, the
//! mentions of its members, what expires. Derived rows are written behind the entries; what a crash kept from them is
//! folded again when the conversation wakes.

use std::{mem, sync::Arc, time::Duration};

use bytes::Bytes;
use kith_log::{Amendment, Content, Entry, State};
use kith_protocol::{
    Body, ConversationId, Timestamp, UserId,
    entry::{Redacted, RedactedKind},
    limits::{PAGE_BYTES, PAGE_ITEMS, POINTER_MOVES},
};

use super::{Context, catch_up::must_look, live::Live};
use crate::{
    clock,
    delivery::{encoding, watchers::Watchers},
    limits,
    store::{
        self, Change, Direction, Kind, LogRange, Record, RowKey, RowWrite, StoreExt as _, Turn, WriteError,
        schema::{self, Member, Pointer, Pointers, Value, due::Task},
    },
};

/// Unread mentions that are counted for one member of one conversation.
const MENTIONS: usize = 100;

impl Live {
    /// Loads a conversation, and folds those of its entries that its rows do not reflect. An empty one has head 0.
    ///
    /// # Errors
    /// [`store::Error::Corrupt`] where a row or an entry that it needs is damaged.
    pub async fn wake(context: Arc<Context>, id: ConversationId) -> Result<Live, store::Error> {
        let store = context.store.clone();
        let partition = schema::conversation::partition(id);
        let row = RowKey { partition, key: schema::conversation::state() };
        let mut rows = store.get(vec![row, schema::active::row(id)]).await?;
        // It is there where the conversation was awake in a crash.
        let active = rows.pop().flatten().is_some();
        let state = rows.pop().flatten().map(|row| schema::State::decode(&row)).transpose()?;
        let head = store.head(id).await?;
        let (seq, settings) = state.map_or_else(Default::default, |state| (state.seq, state.settings));
        let (at, counts) = head.map_or_else(Default::default, |head| (head.at, head.counts));
        let mut live = Live {
            context,
            id,
            state: State { seq, at, counts, settings, members: Default::default() },
            pointers: Default::default(),
            tail: Default::default(),
            tail_bytes: 0,
            watchers: Watchers::default(),
            moved: Default::default(),
            tell_at: None,
            typed: Default::default(),
            online: None,
            counted: None,
            active,
            unpushed: false,
            looked: None,
            behind: false,
            dirty: Default::default(),
            flush_at: None,
        };
        live.load_members().await?;
        let head = head.map_or(0, |head| head.seq);
        while live.state.seq < head {
            for record in live.page_behind(head).await? {
                let body = encoding::body(id, &record)?;
                live.fold(&record, &body, head).await?;
            }
        }
        live.unlist_removed().await?;
        if active {
            // An acceptance is in the list before it is in the member's row.
            let apart = live.pointers.iter().filter(|(_, pointers)| !pointers.accepted).map(|(user, _)| *user);
            live.recall_accepted(apart.collect()).await?;
        }
        live.flush().await;
        Ok(live)
    }

    async fn load_members(&mut self) -> Result<(), store::Error> {
        let partition = schema::conversation::partition(self.id);
        let mut range = schema::conversation::members();
        loop {
            let rows = self.context.store.scan(partition.clone(), range, Direction::Ascending, 1000).await?;
            for row in &rows {
                let user = schema::conversation::user_of(&row.key)?;
                let named = |error| store::Error::Corrupt(format!("the row of the member {user}: {error}"));
                let Member { log, pointers } = Member::decode(&row.value).map_err(named)?;
                self.state.members.insert(user, log);
                self.pointers.insert(user, pointers);
            }
            match rows.last() {
                Some(last) if rows.len() == 1000 => {
                    range = schema::conversation::members_after(schema::conversation::user_of(&last.key)?);
                }
                _ => return Ok(()),
            }
        }
    }

    /// Takes the conversation out of the lists of those whom entries removed that were only folded now: servers of before did
    /// that behind the entry.
    async fn unlist_removed(&self) -> Result<(), store::Error> {
        for user in &self.dirty.removed {
            let gone = [schema::user::listed(self.id), schema::user::request(self.id)];
            let row = |key| RowWrite::Delete(RowKey { partition: schema::user::partition(*user), key });
            let turn = Turn::rows(gone.map(row).to_vec());
            match self.context.store.write(self.id, self.state.seq, turn).await {
                Ok(()) => self.context.accounts.forget_card(*user),
                Err(WriteError::Store(error)) => return Err(error),
                Err(others) => return Err(store::Error::Unavailable(others.to_string())),
            }
        }
        Ok(())
    }

    /// A page of the entries behind the head, of a log that ends at `head`, which is further on.
    pub async fn page_behind(&self, head: u64) -> Result<Vec<Record>, store::Error> {
        let seqs = self.state.seq + 1..=head;
        let range = LogRange { log: self.id, seqs, direction: Direction::Ascending, limit: PAGE_ITEMS };
        let records = self.context.store.read_within(vec![range], PAGE_BYTES).await?.pop().unwrap_or_default();
        if records.is_empty() {
            let missing = self.state.seq + 1;
            return Err(store::Error::Corrupt(format!("{} ends at {head} but has no entry {missing}", self.id)));
        }
        Ok(records)
    }

    /// Folds the entry behind the head, of a log that ends at `head`. Where it fails, the entry is not folded.
    pub async fn fold(&mut self, record: &Record, body: &Body, head: u64) -> Result<(), store::Error> {
        let entry = entry(record, Content::from(body));
        if let Some(target) = entry.content.target() {
            self.amendment(target).await?.apply(&entry);
        }
        if let Content::Delete { target } = entry.content {
            self.redact_content(target, head).await?;
        }
        let accepted = self.accepted_by(entry.content.joining()).await?;
        self.apply_content(record, entry.content);
        self.recall(accepted);
        Ok(())
    }

    /// Applies a message: its sender has read up to it, whom it mentions has one more to read, and it may expire.
    pub fn apply_message(&mut self, record: &Record, mentions: &[UserId]) {
        self.apply_content(record, Content::Message { mentions });
    }

    fn apply_content(&mut self, record: &Record, content: Content<'_>) {
        let entry = entry(record, content);
        // Where the log is folded anew and the row of this very membership is there, its pointers stay: the log does not
        // say what somebody has read.
        let is_there = |user: &UserId| self.state.members.get(user).is_some_and(|member| member.joined == record.seq);
        let (there, new): (Vec<_>, Vec<_>) = content.joining().into_iter().partition(is_there);
        for user in &new {
            self.pointers.insert(*user, Pointers::at(record.seq, record.counts.messages));
        }
        self.state.apply(&entry);
        self.state.counts = record.counts;
        self.dirty.state = true;
        match content {
            Content::Message { .. } => self.note_message(record, &entry),
            Content::Created(_) | Content::MemberAdded(_) => {
                self.looked = None;
                for user in there.into_iter().chain(new) {
                    self.dirty.members.insert(user);
                    self.dirty.removed.remove(&user);
                }
            }
            Content::MemberRemoved(removed) => {
                self.pointers.remove(&removed.user);
                self.dirty.members.remove(&removed.user);
                self.dirty.removed.insert(removed.user);
            }
            Content::RoleChanged(changed) => drop(self.dirty.members.insert(changed.user)),
            _ => {}
        }
    }

    /// Moves the pointers that a message moves, and notes the rows that it leaves.
    fn note_message(&mut self, record: &Record, entry: &Entry<'_>) {
        if let Some(sender) = self.pointers.get_mut(&record.sender) {
            if sender.read.advance(record.seq, record.time()) {
                sender.read_messages = record.counts.messages;
            }
            sender.delivered.advance(record.seq, record.time());
            sender.has_written = true;
            sender.mentions.clear();
            self.dirty.members.insert(record.sender);
        }
        for user in self.state.mentioned(entry) {
            let Some(pointers) = self.pointers.get_mut(&user).filter(|pointers| pointers.accepted) else { continue };
            // Where the log is folded anew, it is known.
            let known = record.seq <= pointers.read.seq || pointers.mentions.contains(&record.seq);
            if pointers.mentions.len() < MENTIONS && !known {
                pointers.mentions.push(record.seq);
            }
            self.dirty.members.insert(user);
            self.dirty.mentions.push((user, record.at, record.seq));
        }
        if let Some(expires_at) = record.expires_at {
            self.dirty.expiring.push((expires_at, record.seq));
        }
    }

    /// Returns what later entries did to a message, to be changed; it is written with the next flush.
    pub async fn amendment(&mut self, target: u64) -> Result<&mut Amendment, store::Error> {
        if !self.dirty.amendments.contains_key(&target) {
            let partition = schema::conversation::partition(self.id);
            let row = RowKey { partition, key: schema::conversation::amendment(target) };
            let amendment = self.context.store.value(row).await?.unwrap_or_default();
            self.dirty.amendments.insert(target, amendment);
        }
        Ok(self.dirty.amendments.entry(target).or_default())
    }

    /// Takes the content of a message and of its edits off the disk; their seqs stay. The log ends at `head`.
    pub async fn redact_content(&mut self, target: u64, head: u64) -> Result<(), store::Error> {
        let edits = self.amendment(target).await?.edits.clone();
        let one = |seq: u64| LogRange { log: self.id, seqs: seq..=seq, direction: Direction::Ascending, limit: 1 };
        let ranges = std::iter::once(target).chain(edits).map(one).collect();
        for record in self.context.store.read(ranges).await?.into_iter().flatten() {
            let was = match record.kind {
                Kind::Message => RedactedKind::Message,
                Kind::Edit => RedactedKind::Edit,
                _ => {
                    // Another keeper has taken it.
                    self.replace_tailed(&record);
                    continue;
                }
            };
            // Before the content that names them is gone.
            self.release_attached(&record).await?;
            let body = serde_json::to_vec(&Redacted { was }).expect("it has a JSON form");
            let record = Record { kind: Kind::Redacted, expires_at: None, body: body.into(), ..record };
            let redacted = self.context.store.write(self.id, head, Turn::redact(record.clone())).await;
            redacted.map_err(|error| match error {
                WriteError::Store(error) => error,
                stale => store::Error::Unavailable(stale.to_string()),
            })?;
            self.replace_tailed(&record);
        }
        Ok(())
    }

    /// Writes what is dirty, as of the end of the log. What cannot be written now stays dirty and is tried again.
    pub async fn flush(&mut self) {
        self.flush_at = None;
        for _ in 0..limits::APPEND_TRIES {
            if self.behind
                && let Err(error) = self.catch_up(&mut Vec::new()).await
            {
                return tracing::warn!(conversation = %self.id, %error, "what others wrote waits for the store");
            }
            if self.dirty.is_clean() && !self.active {
                return;
            }
            self.write_or_wait().await;
            if !self.behind {
                return;
            }
        }
    }

    /// Writes what is dirty, or has it tried again; where others have appended, once it has caught up with them.
    pub async fn write_or_wait(&mut self) {
        if let Err(error) = self.write().await {
            tracing::warn!(conversation = %self.id, %error, "derived rows wait for the store");
            self.behind |= must_look(&error);
            self.flush_soon();
        }
    }

    /// Writes what is dirty, each turn of it only if nobody has appended behind the head: memory that others have left behind
    /// writes nothing over what they wrote.
    async fn write(&mut self) -> Result<(), WriteError> {
        let expiries = &self.context.expiries;
        let due = self.dirty.expiring.iter().map(|(at, seq)| expiries.row(*at, Task::Expiry(self.id, *seq)));
        let due: Vec<RowKey> = due.collect();
        let written = self.write_rows(self.dirty_rows(&due)).await;
        due.iter().for_each(|row| expiries.note(row));
        written?;
        self.dirty = Default::default();
        // From here on the rows reflect every entry; the next append says first that they may not.
        if self.active {
            self.active = false;
            self.unpushed = false;
            let row = schema::active::row(self.id);
            self.context.store.change(row.partition, vec![Change::Delete(row.key)]).await?;
        }
        Ok(())
    }

    /// Writes rows in their order, in as many turns as they need.
    async fn write_rows(&self, rows: Vec<RowWrite>) -> Result<(), WriteError> {
        let store = &self.context.store;
        let mut turn = Turn::default();
        for row in rows {
            if turn.changes() == limits::TURN_ROWS || turn.bytes() + row.bytes() > limits::STORE_TURN_BYTES {
                store.write(self.id, self.state.seq, mem::take(&mut turn)).await?;
            }
            match row {
                // The reactions of a whole channel to one message pass no turn.
                RowWrite::Put(row, value) if value.len() > limits::STORE_TURN_BYTES / 2 => {
                    store.change(row.partition, vec![Change::Put(row.key, value)]).await?;
                }
                row => turn.rows.push(row),
            }
        }
        store.write(self.id, self.state.seq, turn).await
    }

    /// The rows to be written, with those of what is due; that of the state comes last: its seq says that the others are there.
    fn dirty_rows(&self, due: &[RowKey]) -> Vec<RowWrite> {
        let own = |key| RowKey { partition: schema::conversation::partition(self.id), key };
        let mut rows = Vec::new();
        for (user, at, seq) in &self.dirty.mentions {
            let key = schema::user::mention(*at, self.id, *seq);
            rows.push(RowWrite::Put(RowKey { partition: schema::user::partition(*user), key }, Bytes::new()));
        }
        rows.extend(due.iter().map(|row| RowWrite::Put(row.clone(), Bytes::new())));
        rows.extend(self.dirty.removed.iter().map(|user| RowWrite::Delete(own(schema::conversation::member(*user)))));
        for user in &self.dirty.members {
            if let (Some(log), Some(pointers)) = (self.state.members.get(user), self.pointers.get(user)) {
                let member = Member { log: *log, pointers: pointers.clone() };
                rows.push(RowWrite::Put(own(schema::conversation::member(*user)), member.encode()));
            }
        }
        for (target, amendment) in &self.dirty.amendments {
            rows.push(RowWrite::Put(own(schema::conversation::amendment(*target)), amendment.encode()));
        }
        if self.state.seq > 0 {
            let State { seq, counts, ref settings, .. } = self.state;
            let state = schema::State { seq, counts, settings: settings.clone() };
            rows.push(RowWrite::Put(own(schema::conversation::state()), state.encode()));
        }
        rows
    }

    /// Writes the rows that have the conversation folded at the next start, and indexed and pushed soon, if they are not
    /// there. Before an append.
    pub async fn activate(&mut self) -> Result<(), store::Error> {
        let version = self.context.subscriptions.version();
        let pushes = self.must_note_pushes();
        if !pushes && !self.unpushed {
            self.looked = Some(version);
        }
        if self.active && !pushes {
            return Ok(());
        }
        let row = schema::active::row(self.id);
        let time = Bytes::copy_from_slice(clock::uuid().as_bytes());
        let mut puts = Vec::new();
        if !self.active {
            puts.push(Change::Put(row.key, Bytes::new()));
            puts.push(Change::Put(schema::active::unindexed(self.id), time.clone()));
        }
        if pushes {
            puts.push(Change::Put(schema::active::unpushed(self.id, self.state.seq), time));
        }
        self.context.store.change(row.partition, puts).await?;
        if !self.active {
            self.active = true;
            self.context.appending.notify_one();
        }
        if pushes {
            self.unpushed = true;
            self.context.pushing.notify_one();
        }
        Ok(())
    }

    /// The time of the next entry, never before the one in front of it; and the true one, where it had to be held for that.
    pub fn next_at(&self) -> (Timestamp, Option<Timestamp>) {
        let (now, held) = (clock::now(), Duration::from_millis(limits::HELD_MS));
        (now.max(self.state.at), Some(now).filter(|now| self.state.at.since(*now) >= held))
    }
}

impl Pointer {
    /// Moves it, never back; whether it moved.
    pub fn advance(&mut self, seq: u64, at: Timestamp) -> bool {
        if seq <= self.seq {
            return false;
        }
        self.seq = seq;
        if self.moves.len() == POINTER_MOVES {
            self.moves.remove(0);
        }
        self.moves.push((seq, at));
        true
    }

    /// Returns the time at which it passed `seq`, if that is still known.
    pub fn passed_at(&self, seq: u64) -> Option<Timestamp> {
        let index = self.moves.iter().position(|(moved, _)| *moved >= seq)?;
        // The moves before the oldest that is kept are forgotten: it may have passed the seq in one of them.
        (index > 0 || self.moves.len() < POINTER_MOVES).then(|| self.moves[index].1)
    }
}

impl Pointers {
    /// The pointers of a member whom the entry `joined` added, behind so many messages.
    fn at(joined: u64, messages: u64) -> Self {
        let at_joined = Pointer { seq: joined, moves: Vec::new() };
        Self {
            read: at_joined.clone(),
            read_messages: messages,
            delivered: at_joined,
            mentions: Vec::new(),
            has_written: false,
            accepted: true,
        }
    }
}

/// A record as the log's meaning takes it.
const fn entry<'a>(record: &Record, content: Content<'a>) -> Entry<'a> {
    Entry { seq: record.seq, sender: record.sender, at: record.at, content }
}
