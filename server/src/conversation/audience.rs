//! The audience of a push, and what each would be told: for `push`, which asks when it has time.

use std::{collections::HashSet, sync::Arc};

use kith_protocol::{Body, ConversationId, Message, UserId, entry::ConversationKind};
use tokio::sync::Notify;

use super::{Command, Conversations, Place, live::Live};
use crate::{Error, clock, limits};

/// The members of a conversation who have a push subscription.
pub struct Audience {
    /// The kind of the conversation.
    pub kind: ConversationKind,
    /// Its title.
    pub title: Option<String>,
    /// The members.
    pub members: Vec<Listener>,
}

/// One of them.
#[derive(Debug, Clone, Copy)]
pub struct Listener {
    /// The user.
    pub user: UserId,
    /// The seq where their history begins.
    pub since: u64,
    /// The seq up to which they have read.
    pub read: u64,
    /// The seq up to which a device of theirs has all.
    pub delivered: u64,
    /// Messages by others above where they have read.
    pub unread: u64,
}

impl Conversations {
    /// Is told when a conversation has entries that are to be pushed, since the last time that somebody waited for it. One
    /// waits at a time.
    pub fn pushing(&self) -> Arc<Notify> {
        self.context.pushing.clone()
    }

    /// The members who have a push subscription, or just this one of them.
    ///
    /// # Errors
    /// When the conversation cannot be woken.
    pub async fn audience(&self, conversation: ConversationId, user: Option<UserId>) -> Result<Audience, Error> {
        self.ask(conversation, |reply| Command::Audience(user, reply)).await
    }

    /// The newest of the messages by others above `read`, as the user sees it now, if there is one. Those of people in
    /// `without` are passed over.
    ///
    /// # Errors
    /// `not_found` for who is no member.
    pub async fn newest_unread(
        &self,
        user: UserId,
        conversation: ConversationId,
        read: u64,
        without: &HashSet<UserId>,
    ) -> Result<Option<Message>, Error> {
        let page = self.messages(user, conversation, Place::End, limits::PUSH_MESSAGES).await?;
        let unread = page.items.into_iter().rev().find(|message| {
            let entry = &message.entry;
            let is_there = matches!(entry.body, Body::Message(_))
                && !message.deleted
                && entry.expires_at.is_none_or(|at| at > clock::now());
            is_there && entry.seq > read && entry.sender != user && !without.contains(&entry.sender)
        });
        Ok(unread)
    }
}

impl Live {
    pub(super) fn audience(&self, user: Option<UserId>) -> Audience {
        let users = match user {
            Some(user) => [user].into_iter().collect(),
            None => self.context.subscriptions.those_of(&self.pointers),
        };
        let listener = |user: UserId| {
            let pointers = self.pointers.get(&user).filter(|pointers| pointers.accepted)?;
            let (read, delivered) = (pointers.read.seq, pointers.delivered.seq);
            Some(Listener {
                user,
                since: self.state.members.get(&user)?.since,
                read,
                delivered,
                unread: self.unread(user),
            })
        };
        let members = users.into_iter().filter_map(listener).collect();
        let settings = &self.state.settings;
        Audience { kind: settings.kind, title: settings.title.clone(), members }
    }

    /// Returns true if entries from now on must be noted as to be pushed, and are not. Looked at once for as long as neither
    /// the members nor the subscriptions change.
    pub(super) fn must_note_pushes(&self) -> bool {
        let subscriptions = &self.context.subscriptions;
        !self.unpushed && self.looked != Some(subscriptions.version()) && subscriptions.any_of(&self.pointers)
    }
}
