//! An entry, as far as the meaning of its log depends on it.

use kith_protocol::{
    Body, Timestamp, UserId,
    entry::{ConversationChanged, Created, MemberAdded, MemberRemoved, Reaction, Redacted, RedactedKind, RoleChanged},
};

/// An entry of a log, lent for the time of folding it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Its place in the log, from 1, without gap.
    pub seq: u64,
    /// The user who caused it.
    pub sender: UserId,
    /// The time at which the server took it, never before that of the entry in front of it.
    pub at: Timestamp,
    /// Its content.
    pub content: Content<'a>,
}

/// The content of an entry, without the texts, on which nothing but the messages depends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content<'a> {
    /// The conversation began.
    Created(&'a Created),
    /// A message.
    Message {
        /// The users whom it mentions.
        mentions: &'a [UserId],
    },
    /// A message got another text.
    Edit {
        /// The seq of the message.
        target: u64,
    },
    /// A message was deleted for everyone.
    Delete {
        /// The seq of the message.
        target: u64,
    },
    /// An emoji was put to a message, or taken back.
    Reaction(&'a Reaction),
    /// A user was added, or joined.
    MemberAdded(MemberAdded),
    /// A member was removed, or left.
    MemberRemoved(MemberRemoved),
    /// A member got another role.
    RoleChanged(RoleChanged),
    /// Settings changed.
    ConversationChanged(&'a ConversationChanged),
    /// The content is gone.
    Redacted(RedactedKind),
    /// A kind of a later version.
    Unknown,
}

impl<'a> From<&'a Body> for Content<'a> {
    fn from(body: &'a Body) -> Self {
        match body {
            Body::Created(created) => Content::Created(created),
            Body::Message(text) => Content::Message { mentions: &text.mentions },
            Body::Edit(edit) => Content::Edit { target: edit.target },
            Body::Delete(delete) => Content::Delete { target: delete.target },
            Body::Reaction(reaction) => Content::Reaction(reaction),
            Body::MemberAdded(added) => Content::MemberAdded(*added),
            Body::MemberRemoved(removed) => Content::MemberRemoved(*removed),
            Body::RoleChanged(changed) => Content::RoleChanged(*changed),
            Body::ConversationChanged(changed) => Content::ConversationChanged(changed),
            Body::Redacted(Redacted { was }) => Content::Redacted(*was),
            Body::Unknown => Content::Unknown,
        }
    }
}

impl<'a> From<&'a kith_protocol::Entry> for Entry<'a> {
    fn from(entry: &'a kith_protocol::Entry) -> Self {
        Self { seq: entry.seq, sender: entry.sender, at: entry.at, content: Content::from(&entry.body) }
    }
}

impl Content<'_> {
    /// Returns true for an entry that counts as one to read. A redacted message counts as it did before.
    pub const fn counted(&self) -> bool {
        matches!(self, Content::Message { .. } | Content::Redacted(RedactedKind::Message))
    }

    /// Returns true for an entry that changes the conversation or its members, and so moves `rev`.
    pub const fn changes(&self) -> bool {
        matches!(
            self,
            Content::Created(_)
                | Content::MemberAdded(_)
                | Content::MemberRemoved(_)
                | Content::RoleChanged(_)
                | Content::ConversationChanged(_)
        )
    }

    /// The users whom it mentions; none where that is redacted.
    pub const fn mentions(&self) -> &[UserId] {
        match self {
            Content::Message { mentions } => mentions,
            _ => &[],
        }
    }

    /// The seq of the message that it amends, if it amends one.
    pub const fn target(&self) -> Option<u64> {
        match self {
            Content::Edit { target } | Content::Delete { target } => Some(*target),
            Content::Reaction(reaction) => Some(reaction.target),
            _ => None,
        }
    }

    /// The users whom it makes members.
    pub fn joining(&self) -> Vec<UserId> {
        match self {
            Content::Created(created) => created.members.iter().map(|member| member.user).collect(),
            Content::MemberAdded(added) => vec![added.user],
            _ => Vec::new(),
        }
    }
}
