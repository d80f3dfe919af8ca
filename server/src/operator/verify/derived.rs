//! Derived rows: each log is folded by the crate `log`, and its members, amendments, settings and mentions are compared
//! with the rows that are kept of them.
//!
//! The rows are written behind the entries. They are compared where the state says that they reflect the log to its end;
//! where it does not, the conversation is awake, or waits for the next start, which folds the rest. A log with a damaged
//! entry is not compared. Pointers are in no log: of them only the mentions can be derived, and only of members who are
//! known to have accepted the conversation, since that is in no log either.

use std::collections::{BTreeMap, BTreeSet};

use kith_log::{Amendment, Content, Entry, Fold, Wrong};
use kith_protocol::{Body, ConversationId, Timestamp, UserId, entry::RedactedKind};

use crate::store::{
    Direction, Error, RowKey,
    schema::{self, Member, State, User, Value as _, conversation, user},
    sqlite::Reader,
};

/// Rows that are read together.
const ROWS_TOGETHER: usize = 1000;
/// Unread mentions that a member's row holds at most.
const MENTIONS: u64 = 100;

/// A line of the report.
pub(super) type Problem = String;

/// One log on the way through it, and the rows of its conversation.
pub(super) struct Derived {
    log: ConversationId,
    fold: Fold,
    /// False once an entry was met that cannot be read, or that is missing.
    is_whole: bool,
    state: Option<State>,
    members: BTreeMap<UserId, Member>,
    /// The messages of which the content is gone.
    redacted: BTreeSet<u64>,
    /// The edits of which the content is gone.
    redacted_edits: BTreeSet<u64>,
    mentions: BTreeMap<UserId, Mentions>,
    /// The members who have accepted the conversation, as far as the log tells.
    accepted: BTreeSet<UserId>,
}

/// The messages that mention a member, in this membership.
#[derive(Default)]
struct Mentions {
    /// The mentions above the read pointer, with whether the member had accepted the conversation for certain.
    unread: BTreeMap<u64, bool>,
    total: u64,
}

impl Derived {
    /// Begins a log, of which the rows are read.
    pub(super) fn begin(log: ConversationId, reader: &mut Reader<'_>) -> Result<Self, Error> {
        let state = reader.get(&RowKey { partition: conversation::partition(log), key: conversation::state() })?;
        let mut derived = Self {
            log,
            fold: Fold::default(),
            is_whole: true,
            // What is wrong with the form of a row is told with the rows.
            state: state.and_then(|row| State::decode(&row).ok()),
            members: BTreeMap::new(),
            redacted: BTreeSet::new(),
            redacted_edits: BTreeSet::new(),
            mentions: BTreeMap::new(),
            accepted: BTreeSet::new(),
        };
        let mut range = conversation::members();
        loop {
            let partition = conversation::partition(log);
            let rows = reader.scan(&partition, &range, Direction::Ascending, ROWS_TOGETHER)?;
            for row in &rows {
                let Ok(user) = conversation::user_of(&row.key) else { continue };
                match Member::decode(&row.value) {
                    Ok(member) => drop(derived.members.insert(user, member)),
                    Err(_) => derived.is_whole = false,
                }
            }
            match rows.last().map(|row| conversation::user_of(&row.key)) {
                Some(Ok(last)) if rows.len() == ROWS_TOGETHER => range = conversation::members_after(last),
                _ => return Ok(derived),
            }
        }
    }

    /// Notes that an entry cannot be read: nothing behind it can be derived.
    pub(super) const fn break_off(&mut self) {
        self.is_whole = false;
    }

    /// Folds the next entry, and looks for the rows of its mentions.
    pub(super) fn entry(
        &mut self,
        reader: &mut Reader<'_>,
        (seq, sender, at): (u64, UserId, Timestamp),
        body: &Body,
    ) -> Result<Vec<Problem>, Error> {
        if !self.is_whole {
            return Ok(Vec::new());
        }
        let entry = Entry { seq, sender, at, content: body.into() };
        let mut problems = Vec::new();
        match self.fold.apply(&entry) {
            Ok(()) => {}
            // These are told with the entries.
            Err(Wrong::Gap(_) | Wrong::Beginning | Wrong::Time) => self.is_whole = false,
            Err(wrong) => problems.push(format!("{}.{seq}: {wrong}", self.log)),
        }
        match entry.content {
            Content::Created(_) => drop(self.accepted.insert(sender)),
            Content::Message { .. } | Content::Edit { .. } | Content::Delete { .. } | Content::Reaction(_) => {
                self.accepted.insert(sender);
            }
            Content::MemberAdded(added) => {
                self.mentions.remove(&added.user);
                if added.user == added.by {
                    self.accepted.insert(added.user);
                }
            }
            Content::MemberRemoved(removed) => drop(self.accepted.remove(&removed.user)),
            Content::Redacted(RedactedKind::Message) => drop(self.redacted.insert(seq)),
            Content::Redacted(RedactedKind::Edit) => drop(self.redacted_edits.insert(seq)),
            _ => {}
        }
        let mentioned: Vec<UserId> = self.fold.state.mentioned(&entry).collect();
        for user in mentioned {
            problems.extend(self.mention(reader, user, (seq, at))?);
        }
        Ok(problems)
    }

    /// Notes a mention of a member; what is wrong with its row.
    fn mention(
        &mut self,
        reader: &mut Reader<'_>,
        user: UserId,
        (seq, at): (u64, Timestamp),
    ) -> Result<Option<Problem>, Error> {
        let accepted = self.accepted.contains(&user);
        let mentions = self.mentions.entry(user).or_default();
        mentions.total += 1;
        if self.members.get(&user).is_some_and(|member| member.pointers.read.seq < seq) {
            mentions.unread.insert(seq, accepted);
        }
        if !accepted || self.state.as_ref().is_none_or(|state| state.seq < seq) {
            return Ok(None);
        }
        let row = RowKey { partition: user::partition(user), key: user::mention(at, self.log, seq) };
        if reader.get(&row)?.is_some() || is_gone(reader, user)? {
            return Ok(None);
        }
        let named = schema::named(&row.partition, &row.key);
        Ok(Some(format!("{named}: it is missing, though the message mentions them")))
    }

    /// Ends the log: compares the rows with what its entries come to.
    pub(super) fn end(mut self, reader: &mut Reader<'_>) -> Result<Vec<Problem>, Error> {
        let mut problems = Vec::new();
        let Some(state) = self.state.take().filter(|state| self.is_whole && state.seq == self.fold.state.seq) else {
            return Ok(problems);
        };
        let partition = conversation::partition(self.log);
        let named = |key: Vec<u8>| schema::named(&partition, &key);
        if state.settings != self.fold.state.settings {
            problems.push(format!("{}: its settings are not those of its log", named(conversation::state())));
        }
        let users: BTreeSet<UserId> = self.members.keys().chain(self.fold.state.members.keys()).copied().collect();
        for user in users {
            let wrong = self.member(user).map(|what| format!("{}: {what}", named(conversation::member(user))));
            problems.extend(wrong);
        }
        for (seq, what) in self.amendments(reader, &partition)? {
            problems.push(format!("{}: {what}", named(conversation::amendment(seq))));
        }
        Ok(problems)
    }

    /// The problem of the row of a member.
    fn member(&self, user: UserId) -> Option<String> {
        let (row, log) = (self.members.get(&user), self.fold.state.members.get(&user));
        let (row, log) = match (row, log) {
            (Some(row), Some(log)) => (row, log),
            (None, _) => return Some("it is missing, though the log makes them a member".to_owned()),
            (_, None) => return Some("the log makes them no member".to_owned()),
        };
        if row.log != *log {
            return Some(format!("it says {:?}, its log {log:?}", row.log));
        }
        let none = Mentions::default();
        let (mentions, kept) = (self.mentions.get(&user).unwrap_or(&none), &row.pointers.mentions);
        // A message whose content is gone says no longer whom it mentioned.
        let known = |seq: &u64| {
            mentions.unread.contains_key(seq) || *seq > row.pointers.read.seq && self.redacted.contains(seq)
        };
        if let Some(seq) = kept.iter().find(|seq| !known(seq)) {
            return Some(format!("it says that {seq} is an unread mention, and its log does not"));
        }
        if !kept.is_sorted() {
            return Some("its unread mentions are not in their order".to_owned());
        }
        // Beyond so many they are not counted, nor later when some were read.
        let missing = mentions.unread.iter().find(|(seq, accepted)| **accepted && !kept.contains(seq));
        let (seq, _) = missing.filter(|_| mentions.total <= MENTIONS)?;
        Some(format!("its log says that {seq} is an unread mention, and it does not"))
    }

    /// The problems of the rows of amendments.
    fn amendments(&mut self, reader: &mut Reader<'_>, partition: &[u8]) -> Result<Vec<(u64, String)>, Error> {
        let mut derived = std::mem::take(&mut self.fold.amendments);
        let mut problems = Vec::new();
        let mut seqs = 0..=u64::MAX;
        loop {
            let range = conversation::amendments(seqs.clone());
            let rows = reader.scan(partition, &range, Direction::Ascending, ROWS_TOGETHER)?;
            for row in &rows {
                let seq = conversation::seq_of(&row.key)?;
                let log = derived.remove(&seq).unwrap_or_default();
                if let Ok(kept) = Amendment::decode(&row.value)
                    && let Some(what) = self.amendment(seq, &kept, &log)
                {
                    problems.push((seq, what.to_owned()));
                }
            }
            match rows.last().map(|row| conversation::seq_of(&row.key)) {
                Some(last) if rows.len() == ROWS_TOGETHER => seqs = last?.saturating_add(1)..=u64::MAX,
                _ => break,
            }
        }
        for (seq, log) in derived {
            if self.amendment(seq, &Amendment::default(), &log).is_some() {
                problems.push((seq, "it is missing, though later entries amend the message".to_owned()));
            }
        }
        Ok(problems)
    }

    /// The problem of an amendment that is kept, beside that of the log.
    fn amendment(&self, seq: u64, kept: &Amendment, log: &Amendment) -> Option<&'static str> {
        let is_redacted = self.redacted.contains(&seq);
        if kept.deleted != log.deleted && !is_redacted {
            return Some(if log.deleted {
                "its log deletes the message"
            } else {
                "its log does not delete the message"
            });
        }
        // An edit whose content is gone says no longer what it edited.
        let edits = kept.edits.iter().filter(|edit| !self.redacted_edits.contains(edit));
        if !edits.eq(&log.edits) {
            return Some("its edits are not those of its log");
        }
        (kept.reactions != log.reactions).then_some("its reactions are not those of its log")
    }
}

/// Returns true for a user whose account is erased, and with it the rows of their mentions.
fn is_gone(reader: &mut Reader<'_>, user: UserId) -> Result<bool, Error> {
    let profile = reader.get(&user::profile_row(user))?;
    Ok(profile.is_none_or(|row| User::decode(&row).is_ok_and(|user| user.erased)))
}
