//! Folds the log into everything that is derived from it: the conversation's state, its members, its amendments, the
//! mentions of its members, what expires. Derived rows are written behind the entries; what a crash kept from them is
//! folded again when the conversation wakes.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use bytes::Bytes;
use kith_protocol::{
    Body, ConversationId, Timestamp, UserId, emoji,
    entry::{ConversationChanged, ConversationKind, Created, Redacted, RedactedKind, Role, Writers},
    limits::{PAGE_BYTES, PAGE_ITEMS, POINTER_MOVES},
};

use super::{Context, live::Live};
use crate::{
    Error, clock,
    delivery::encoding,
    limits,
    store::{
        self, Change, Counts, Direction, Kind, LogRange, Record, RowKey, Turn, WriteError,
        schema::{self, Amendment, Member, Pointer, State, Value},
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
        let row = RowKey { partition: partition.clone(), key: schema::conversation::state() };
        let mut rows = store.get(vec![row, schema::active::row(id)]).await?;
        // It is there where the conversation was awake in a crash.
        let active = rows.pop().flatten().is_some();
        let state = rows.pop().flatten().map(|row| State::decode(&row)).transpose()?;
        let head = store.heads(vec![id]).await?.pop().flatten();
        let mut live = Live {
            context,
            id,
            head: state.as_ref().map_or(0, |state| state.seq),
            at: head.map_or(Timestamp::default(), |head| head.at),
            counts: head.map_or(Counts::default(), |head| head.counts),
            state: state.unwrap_or_else(empty),
            members: Default::default(),
            tail: Default::default(),
            tail_bytes: 0,
            watchers: Vec::new(),
            moved: Default::default(),
            tell_at: None,
            typed: Default::default(),
            online: None,
            counted: None,
            active,
            unpushed: false,
            looked: None,
            dirty: Default::default(),
            flush_at: None,
        };
        let mut range = schema::conversation::members();
        loop {
            let rows = store.scan(partition.clone(), range, Direction::Ascending, 1000).await?;
            for row in &rows {
                let user = schema::conversation::user_of(&row.key)?;
                let member = Member::decode(&row.value);
                let named = |error| store::Error::Corrupt(format!("the row of the member {user}: {error}"));
                live.members.insert(user, member.map_err(named)?);
            }
            match rows.last() {
                Some(last) if rows.len() == 1000 => {
                    range = schema::conversation::members_after(schema::conversation::user_of(&last.key)?);
                }
                _ => break,
            }
        }
        if let Some(head) = head {
            live.fold_up_to(head.seq).await?;
        }
        if active {
            // An acceptance is in the list before it is in the member's row.
            let apart = live.members.iter().filter(|(_, member)| !member.accepted).map(|(user, _)| *user);
            live.recall_accepted(apart.collect()).await?;
        }
        live.flush().await;
        Ok(live)
    }

    /// Folds the entries behind the head that the store has up to `head`; they are given back in their order.
    async fn fold_up_to(&mut self, head: u64) -> Result<Vec<Record>, store::Error> {
        let mut folded = Vec::new();
        while self.head < head {
            let seqs = self.head + 1..=head;
            let range = LogRange { log: self.id, seqs, direction: Direction::Ascending, limit: PAGE_ITEMS };
            let records = self.context.store.read_within(vec![range], PAGE_BYTES).await?.pop().unwrap_or_default();
            if records.is_empty() {
                let missing = self.head + 1;
                return Err(store::Error::Corrupt(format!("{} ends at {head} but has no entry {missing}", self.id)));
            }
            for record in records {
                self.fold(&record, head).await?;
                self.head = record.seq;
                folded.push(record);
            }
        }
        Ok(folded)
    }

    /// After an append of unknown outcome: folds what the store has and gives it to everybody. A conversation of which that
    /// cannot be read is closed.
    pub async fn catch_up(&mut self) -> Result<(), Error> {
        self.try_to_catch_up().await.map_err(|error| self.context.failed(self.id, error))
    }

    async fn try_to_catch_up(&mut self) -> Result<(), store::Error> {
        let head = self.context.store.heads(vec![self.id]).await?.pop().flatten();
        let records = self.fold_up_to(head.map_or(0, |head| head.seq)).await?;
        if !records.is_empty() {
            self.context.quota.count(&records);
            self.flush_soon();
            self.publish(&records, &[]);
            records.into_iter().for_each(|record| self.keep(record));
        }
        Ok(())
    }

    /// Folds a record that is read back from a log that ends at `head`.
    async fn fold(&mut self, record: &Record, head: u64) -> Result<(), store::Error> {
        let body = encoding::body(self.id, record)?;
        match &body {
            Body::Edit(edit) => self.amendment(edit.target).await?.edited(record.seq),
            Body::Reaction(reaction) => {
                let amendment = self.amendment(reaction.target).await?;
                amendment.react(&reaction.emoji, record.sender, reaction.on);
            }
            Body::Delete(target) => {
                self.amendment(target.target).await?.deleted = true;
                self.redact_content(target.target, head).await?;
            }
            _ => {}
        }
        self.apply(record, &body);
        self.recall_accepted(brought(&body)).await
    }

    /// Applies an entry to the state and the members. `edit`, `delete` and `reaction` are applied where their target is.
    pub fn apply(&mut self, record: &Record, body: &Body) {
        let seq = record.seq;
        self.dirty.state = true;
        self.counts = record.counts;
        self.at = record.at;
        match body {
            Body::Created(created) => self.create(record, created),
            Body::Message(text) => self.apply_message(record, &text.mentions),
            Body::MemberAdded(added) => {
                let direct = self.state.kind == ConversationKind::Direct;
                let since = if self.state.kind == ConversationKind::Channel || direct { 1 } else { seq };
                self.looked = None;
                self.join(added.user, new_member(added.role, since, seq, record.counts.messages));
            }
            Body::MemberRemoved(removed) => {
                self.members.remove(&removed.user);
                self.dirty.members.remove(&removed.user);
                self.dirty.removed.insert(removed.user);
            }
            Body::RoleChanged(changed) => {
                if let Some(member) = self.members.get_mut(&changed.user) {
                    member.role = changed.role;
                    self.dirty.members.insert(changed.user);
                }
            }
            Body::ConversationChanged(changed) => self.settle(changed),
            Body::Edit(_) | Body::Delete(_) | Body::Reaction(_) | Body::Redacted(_) | Body::Unknown => {}
        }
    }

    /// Applies a message: its sender has read up to it, whom it mentions has one more to read, and it may expire.
    pub fn apply_message(&mut self, record: &Record, mentions: &[UserId]) {
        self.dirty.state = true;
        self.counts = record.counts;
        self.at = record.at;
        if let Some(sender) = self.members.get_mut(&record.sender) {
            if sender.read.advance(record.seq, record.time()) {
                sender.read_messages = record.counts.messages;
            }
            sender.delivered.advance(record.seq, record.time());
            sender.has_written = true;
            sender.mentions.clear();
            self.dirty.members.insert(record.sender);
        }
        for user in mentions {
            let reached = self.members.get_mut(user).filter(|member| *user != record.sender && member.accepted);
            let Some(member) = reached else { continue };
            // Where the log is folded anew, it is known.
            let known = record.seq <= member.read.seq || member.mentions.contains(&record.seq);
            if member.mentions.len() < MENTIONS && !known {
                member.mentions.push(record.seq);
            }
            self.dirty.members.insert(*user);
            self.dirty.mentions.push((*user, record.at, record.seq));
        }
        if let Some(expires_at) = record.expires_at {
            self.dirty.expiring.push((expires_at, record.seq));
        }
    }

    fn create(&mut self, record: &Record, created: &Created) {
        self.state = State {
            kind: created.kind,
            title: created.title.clone(),
            expire_after_s: created.expire_after_s,
            writers: Writers::Everyone,
            created_at: record.at,
            ..empty()
        };
        self.looked = None;
        for member in &created.members {
            self.join(member.user, new_member(member.role, 1, 1, 0));
        }
    }

    /// Takes in a member. Where the log is folded anew and the row of this very membership is there, that stays: the log
    /// does not say what somebody has read.
    fn join(&mut self, user: UserId, new: Member) {
        let kept = self.members.remove(&user).filter(|kept| kept.joined == new.joined);
        let member = kept.map_or(new.clone(), |kept| Member { role: new.role, since: new.since, ..kept });
        self.members.insert(user, member);
        self.dirty.members.insert(user);
        self.dirty.removed.remove(&user);
    }

    fn settle(&mut self, changed: &ConversationChanged) {
        let text = |old: &mut Option<String>, new: &Option<String>| {
            if let Some(new) = new {
                *old = Some(new.clone()).filter(|new| !new.is_empty());
            }
        };
        text(&mut self.state.title, &changed.title);
        text(&mut self.state.topic, &changed.topic);
        text(&mut self.state.avatar, &changed.avatar);
        if let Some(seconds) = changed.expire_after_s {
            self.state.expire_after_s = Some(seconds).filter(|seconds| *seconds > 0);
        }
        if let Some(writers) = changed.writers {
            self.state.writers = writers;
        }
    }

    /// What later entries did to a message, to be changed; it is written with the next flush.
    pub async fn amendment(&mut self, target: u64) -> Result<&mut Amendment, store::Error> {
        if !self.dirty.amendments.contains_key(&target) {
            let partition = schema::conversation::partition(self.id);
            let row = RowKey { partition, key: schema::conversation::amendment(target) };
            let row = self.context.store.get(vec![row]).await?.pop().flatten();
            let amendment = row.map(|row| Amendment::decode(&row)).transpose()?.unwrap_or_default();
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
                _ => continue,
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

    /// Writes what is dirty. What cannot be written now stays dirty and is tried again.
    pub async fn flush(&mut self) {
        self.flush_at = None;
        if self.dirty.is_clean() && !self.active {
            return;
        }
        if let Err(error) = self.write().await {
            tracing::warn!(conversation = %self.id, %error, "derived rows wait for the store");
            self.flush_soon();
        }
    }

    async fn write(&mut self) -> Result<(), store::CommitError> {
        let store = self.context.store.clone();
        // The rows of other partitions come first: the state's seq says that they are all there.
        for (user, at, seq) in &self.dirty.mentions {
            let put = Change::Put(schema::user::mention(*at, self.id, *seq), Bytes::new());
            store.commit(schema::user::partition(*user), vec![put], Vec::new()).await?;
        }
        for (at, seq) in &self.dirty.expiring {
            let row = schema::expiring::row(*at, self.id, *seq);
            store.commit(row.partition, vec![Change::Put(row.key, Bytes::new())], Vec::new()).await?;
            self.context.expires_ms.fetch_min(at.millis(), Ordering::Relaxed);
        }
        for user in &self.dirty.removed {
            let deletes = [schema::user::listed(self.id), schema::user::request(self.id)].map(Change::Delete);
            store.commit(schema::user::partition(*user), deletes.to_vec(), Vec::new()).await?;
            self.context.accounts.forget_card(*user);
        }
        let mut changes = Vec::new();
        for user in &self.dirty.members {
            if let Some(member) = self.members.get(user) {
                changes.push(Change::Put(schema::conversation::member(*user), member.encode()));
            }
        }
        let removed = self.dirty.removed.iter().map(|user| Change::Delete(schema::conversation::member(*user)));
        changes.extend(removed);
        for (target, amendment) in &self.dirty.amendments {
            changes.push(Change::Put(schema::conversation::amendment(*target), amendment.encode()));
        }
        self.state.seq = self.head;
        self.state.messages = self.counts.messages;
        self.state.mentioning = self.counts.mentioning;
        self.state.rev = self.counts.rev;
        if self.head > 0 {
            changes.push(Change::Put(schema::conversation::state(), self.state.encode()));
        }
        store.commit(schema::conversation::partition(self.id), changes, Vec::new()).await?;
        self.dirty = Default::default();
        // From here on the rows reflect every entry; the next append says first that they may not.
        if self.active {
            self.active = false;
            self.unpushed = false;
            let row = schema::active::row(self.id);
            store.commit(row.partition, vec![Change::Delete(row.key)], Vec::new()).await?;
        }
        Ok(())
    }

    /// Writes the rows that have the conversation folded at the next start, and indexed and pushed soon, if they are not
    /// there. Before an append.
    pub async fn activate(&mut self) -> Result<(), store::CommitError> {
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
            puts.push(Change::Put(schema::active::unpushed(self.id, self.head), time));
        }
        self.context.store.commit(row.partition, puts, Vec::new()).await?;
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
        (now.max(self.at), Some(now).filter(|now| self.at.since(*now) >= held))
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

    /// When it passed `seq`, if that is still known.
    pub fn passed_at(&self, seq: u64) -> Option<Timestamp> {
        let index = self.moves.iter().position(|(moved, _)| *moved >= seq)?;
        // The moves before the oldest that is kept are forgotten: it may have passed the seq in one of them.
        (index > 0 || self.moves.len() < POINTER_MOVES).then(|| self.moves[index].1)
    }
}

impl Amendment {
    /// Notes an edit, once.
    pub fn edited(&mut self, seq: u64) {
        if self.edits.last().is_none_or(|last| *last < seq) {
            self.edits.push(seq);
        }
    }

    /// Returns true where the user has put this emoji.
    pub fn has(&self, emoji: &str, user: UserId) -> bool {
        self.reactions.iter().any(|(other, users)| emoji::same(other, emoji) && users.contains(&user))
    }

    /// Puts an emoji or takes it back. The forms of one emoji are one reaction.
    pub fn react(&mut self, emoji: &str, user: UserId, on: bool) {
        match self.reactions.iter_mut().find(|(other, _)| emoji::same(other, emoji)) {
            None if on => self.reactions.push((emoji::shown(emoji), vec![user])),
            None => {}
            Some((_, users)) => {
                users.retain(|other| on || *other != user);
                if on && !users.contains(&user) {
                    users.push(user);
                }
            }
        }
        self.reactions.retain(|(_, users)| !users.is_empty());
    }
}

fn empty() -> State {
    State {
        seq: 0,
        messages: 0,
        mentioning: 0,
        rev: 0,
        kind: ConversationKind::Group,
        title: None,
        topic: None,
        avatar: None,
        expire_after_s: None,
        writers: Writers::Everyone,
        created_at: Timestamp::default(),
    }
}

fn new_member(role: Role, since: u64, joined: u64, messages: u64) -> Member {
    let at_joined = Pointer { seq: joined, moves: Vec::new() };
    Member {
        role,
        since,
        joined,
        read: at_joined.clone(),
        read_messages: messages,
        delivered: at_joined,
        mentions: Vec::new(),
        has_written: false,
        accepted: true,
    }
}

/// The users whom an entry makes members.
pub(super) fn brought(body: &Body) -> Vec<UserId> {
    match body {
        Body::Created(created) => created.members.iter().map(|member| member.user).collect(),
        Body::MemberAdded(added) => vec![added.user],
        _ => Vec::new(),
    }
}
