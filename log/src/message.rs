//! From entries to messages: edits, deletions and reactions applied to what they aim at.

use std::collections::BTreeMap;

use kith_protocol::{
    Body, Entry, Message,
    entry::{ReactionUsers, Redacted, RedactedKind},
};

use crate::{Amendment, Content};

/// The messages that show, ascending, folded from a part of a log, whose entries are in their order.
///
/// An amendment of a message before the part is left out. A deleted message comes out the same whether its text was still
/// in the log or was redacted there.
pub fn messages<'a>(log: impl Iterator<Item = &'a Entry>) -> Vec<Message> {
    let mut amendments: BTreeMap<u64, Amendment> = BTreeMap::new();
    let mut edits: BTreeMap<u64, &Entry> = BTreeMap::new();
    let mut shown = Vec::new();
    for entry in log {
        if let Some(target) = Content::from(&entry.body).target() {
            amendments.entry(target).or_default().apply(&entry.into());
            if matches!(entry.body, Body::Edit(_)) {
                edits.insert(target, entry);
            }
        } else if is_shown(&entry.body) {
            shown.push(entry);
        }
    }
    let fold = |entry: &Entry| {
        let amendment = amendments.remove(&entry.seq).unwrap_or_default();
        message(entry.clone(), amendment, edits.get(&entry.seq).copied())
    };
    shown.into_iter().map(fold).collect()
}

/// Returns true for the body of an entry that shows in a timeline by itself.
const fn is_shown(body: &Body) -> bool {
    match body {
        Body::Edit(_) | Body::Delete(_) | Body::Reaction(_) | Body::Unknown => false,
        Body::Redacted(Redacted { was }) => matches!(was, RedactedKind::Message),
        Body::Created(_)
        | Body::Message(_)
        | Body::MemberAdded(_)
        | Body::MemberRemoved(_)
        | Body::RoleChanged(_)
        | Body::ConversationChanged(_) => true,
    }
}

/// The message that an entry is, with its amendment and the entry of its last edit. Nothing amends an entry that is none.
pub fn message(entry: Entry, amendment: Amendment, edit: Option<&Entry>) -> Message {
    let whole = Message { entry, edited_at: None, deleted: false, reactions: Vec::new() };
    match &whole.entry.body {
        Body::Message(_) if amendment.deleted => deleted(whole),
        Body::Message(_) => amended(whole, amendment, edit),
        Body::Redacted(_) => deleted(whole),
        _ => whole,
    }
}

fn amended(mut message: Message, amendment: Amendment, edit: Option<&Entry>) -> Message {
    if let (Body::Message(text), Some(edit)) = (&mut message.entry.body, edit)
        && let Body::Edit(to) = &edit.body
    {
        text.text.clone_from(&to.text);
        text.mentions.clone_from(&to.mentions);
        message.edited_at = Some(edit.time());
    }
    let users = |(emoji, users)| ReactionUsers { emoji, users };
    message.reactions = amendment.reactions.into_iter().map(users).collect();
    message
}

fn deleted(mut message: Message) -> Message {
    message.entry.expires_at = None;
    message.entry.body = Body::Redacted(Redacted { was: RedactedKind::Message });
    message.deleted = true;
    message
}
