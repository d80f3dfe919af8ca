//! The state of a conversation: its settings, its members and its totals as of one entry.

use std::collections::BTreeMap;

use kith_protocol::{
    Timestamp, UserId,
    entry::{ConversationChanged, ConversationKind, Role, Writers},
};
use serde::{Deserialize, Serialize};

use crate::{Content, Counts, Entry};

/// A conversation as its log says it, up to one entry.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct State {
    /// The seq of the last entry that it reflects; 0 before the conversation began.
    pub seq: u64,
    /// The time of that entry.
    pub at: Timestamp,
    /// The totals up to it.
    pub counts: Counts,
    /// The settings as of it.
    pub settings: Settings,
    /// The members as of it.
    pub members: BTreeMap<UserId, Member>,
}

/// The settings of a conversation. In their serde form the server keeps them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The kind of the conversation, for ever.
    pub kind: ConversationKind,
    /// Its title.
    pub title: Option<String>,
    /// Its topic.
    pub topic: Option<String>,
    /// Its picture.
    pub avatar: Option<String>,
    /// Seconds after which messages sent now disappear.
    pub expire_after_s: Option<u32>,
    /// The members who may write.
    pub writers: Writers,
    /// The time at which it began.
    pub created_at: Timestamp,
}

/// A member, as far as the log says. In its serde form the server keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Their role.
    pub role: Role,
    /// The seq where their history begins.
    pub since: u64,
    /// The seq that added them, for who has been there longest.
    pub joined: u64,
}

/// An entry that no log may hold at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// Its seq is not the next.
    #[error("it follows on {0}")]
    Gap(u64),
    /// A `created` that is not the first, or another entry that is.
    #[error("the first entry, and no other, is `created`")]
    Beginning,
    /// An entry that was taken before the one in front of it.
    #[error("it was taken before the one before it")]
    Time,
    /// An amendment of an entry that is not in front of it.
    #[error("it amends {0}, which is not in front of it")]
    Target(u64),
    /// Its sender is no member.
    #[error("its sender {0} is no member")]
    Sender(UserId),
    /// An added user who is a member.
    #[error("it adds {0}, who is a member already")]
    Added(UserId),
    /// A user who is no member, removed or given a role.
    #[error("it is about {0}, who is no member")]
    Absent(UserId),
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            kind: ConversationKind::Group,
            title: None,
            topic: None,
            avatar: None,
            expire_after_s: None,
            writers: Writers::Everyone,
            created_at: Timestamp::default(),
        }
    }
}

impl Settings {
    /// Applies the next entry: of those that say no settings it changes nothing.
    pub fn apply(&mut self, entry: &Entry<'_>) {
        match entry.content {
            Content::Created(created) => {
                *self = Self {
                    kind: created.kind,
                    title: created.title.clone(),
                    expire_after_s: created.expire_after_s,
                    created_at: entry.at,
                    ..Self::default()
                }
            }
            Content::ConversationChanged(changed) => self.change(changed),
            _ => {}
        }
    }

    fn change(&mut self, changed: &ConversationChanged) {
        let text = |old: &mut Option<String>, new: &Option<String>| {
            if let Some(new) = new {
                *old = Some(new.clone()).filter(|new| !new.is_empty());
            }
        };
        text(&mut self.title, &changed.title);
        text(&mut self.topic, &changed.topic);
        text(&mut self.avatar, &changed.avatar);
        if let Some(seconds) = changed.expire_after_s {
            self.expire_after_s = Some(seconds).filter(|seconds| *seconds > 0);
        }
        if let Some(writers) = changed.writers {
            self.writers = writers;
        }
    }
}

impl State {
    /// Checks that the entry may stand behind this state, whoever was allowed to append it.
    ///
    /// # Errors
    /// The first thing that a log must never hold.
    pub fn check(&self, entry: &Entry<'_>) -> Result<(), Wrong> {
        if entry.seq != self.seq + 1 {
            return Err(Wrong::Gap(self.seq));
        }
        if matches!(entry.content, Content::Created(_)) != (self.seq == 0) {
            return Err(Wrong::Beginning);
        }
        if entry.at < self.at {
            return Err(Wrong::Time);
        }
        if let Some(target) = entry.content.target().filter(|target| !(1..entry.seq).contains(target)) {
            return Err(Wrong::Target(target));
        }
        let is_member = |user| self.members.contains_key(&user);
        match entry.content {
            Content::Message { .. } | Content::Edit { .. } | Content::Reaction(_) if !is_member(entry.sender) => {
                Err(Wrong::Sender(entry.sender))
            }
            Content::MemberAdded(added) if is_member(added.user) => Err(Wrong::Added(added.user)),
            Content::MemberRemoved(removed) if !is_member(removed.user) => Err(Wrong::Absent(removed.user)),
            Content::RoleChanged(changed) if !is_member(changed.user) => Err(Wrong::Absent(changed.user)),
            _ => Ok(()),
        }
    }

    /// Applies the next entry. The totals are derived; where the entry's own are known, they are to be put in their place,
    /// since a redacted message no longer says whether it mentioned somebody.
    pub fn apply(&mut self, entry: &Entry<'_>) {
        self.seq = entry.seq;
        self.at = entry.at;
        self.counts = self.counts.with(entry.seq, &entry.content);
        self.settings.apply(entry);
        match entry.content {
            Content::Created(created) => {
                for member in &created.members {
                    self.members.insert(member.user, Member { role: member.role, since: 1, joined: entry.seq });
                }
            }
            Content::MemberAdded(added) => {
                let since = if self.settings.kind == ConversationKind::Group { entry.seq } else { 1 };
                self.members.insert(added.user, Member { role: added.role, since, joined: entry.seq });
            }
            Content::MemberRemoved(removed) => drop(self.members.remove(&removed.user)),
            Content::RoleChanged(changed) => {
                if let Some(member) = self.members.get_mut(&changed.user) {
                    member.role = changed.role;
                }
            }
            Content::ConversationChanged(_)
            | Content::Message { .. }
            | Content::Edit { .. }
            | Content::Delete { .. }
            | Content::Reaction(_)
            | Content::Redacted(_)
            | Content::Unknown => {}
        }
    }

    /// The members whom an entry mentions, but for its sender.
    pub fn mentioned(&self, entry: &Entry<'_>) -> impl Iterator<Item = UserId> {
        let (sender, users) = (entry.sender, entry.content.mentions());
        users.iter().copied().filter(move |user| *user != sender && self.members.contains_key(user))
    }

    /// The other side of a direct conversation.
    pub fn peer(&self, user: UserId) -> Option<UserId> {
        match self.settings.kind {
            ConversationKind::Direct => self.members.keys().copied().find(|other| *other != user),
            ConversationKind::Group | ConversationKind::Channel => None,
        }
    }
}
