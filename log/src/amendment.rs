//! Edits, deletions and reactions: what later entries did to a message.

use kith_protocol::{UserId, emoji};
use serde::{Deserialize, Serialize};

use crate::{Content, Entry};

/// The sum of what later entries did to a message. In its serde form the server keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Amendment {
    /// The seqs of its edits, ascending; the last is what it says now.
    pub edits: Vec<u64>,
    /// True where its content was deleted or has expired.
    pub deleted: bool,
    /// Each emoji and who put it, in the order of their first use.
    pub reactions: Vec<(String, Vec<UserId>)>,
}

impl Amendment {
    /// Applies an entry that aims at the message. Applied once more it changes nothing.
    pub fn apply(&mut self, entry: &Entry<'_>) {
        match entry.content {
            Content::Edit { .. } => self.edited(entry.seq),
            Content::Delete { .. } => self.deleted = true,
            Content::Reaction(reaction) => self.react(&reaction.emoji, entry.sender, reaction.on),
            _ => {}
        }
    }

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
