//! From entries to messages: edits, deletions and reactions applied to what they aim at.

use std::collections::BTreeMap;

use kith_protocol::{
    Body, Entry, Message, UserId, emoji,
    entry::{ReactionUsers, Redacted, RedactedKind},
};

/// The messages that show, ascending, folded from a part of a log as the server folds them.
///
/// What aims at a message before the part is left out. A deleted message comes out the same whether its text was still
/// in the log or was redacted there.
pub fn fold<'a>(log: impl Iterator<Item = &'a Entry>) -> Vec<Message> {
    let mut messages: BTreeMap<u64, Message> = BTreeMap::new();
    for entry in log {
        match &entry.body {
            Body::Edit(edit) => {
                if let Some(message) = standing(&mut messages, edit.target)
                    && let Body::Message(text) = &mut message.entry.body
                {
                    text.text.clone_from(&edit.text);
                    text.mentions.clone_from(&edit.mentions);
                    message.edited_at = Some(entry.time());
                }
            }
            Body::Delete(delete) => {
                if let Some(message) = standing(&mut messages, delete.target) {
                    *message = deleted(&message.entry);
                }
            }
            Body::Reaction(reaction) => {
                if let Some(message) = standing(&mut messages, reaction.target) {
                    react(&mut message.reactions, &reaction.emoji, entry.sender, reaction.on);
                }
            }
            Body::Redacted(Redacted { was: RedactedKind::Message }) => {
                messages.insert(entry.seq, deleted(entry));
            }
            Body::Redacted(_) | Body::Unknown => {}
            Body::Created(_)
            | Body::Message(_)
            | Body::MemberAdded(_)
            | Body::MemberRemoved(_)
            | Body::RoleChanged(_)
            | Body::ConversationChanged(_) => {
                messages.insert(entry.seq, whole(entry.clone()));
            }
        }
    }
    messages.into_values().collect()
}

/// The message that is aimed at, unless it is gone or was none.
fn standing(messages: &mut BTreeMap<u64, Message>, seq: u64) -> Option<&mut Message> {
    messages.get_mut(&seq).filter(|message| matches!(message.entry.body, Body::Message(_)))
}

fn whole(entry: Entry) -> Message {
    Message { entry, edited_at: None, deleted: false, reactions: Vec::new() }
}

fn deleted(entry: &Entry) -> Message {
    let body = Body::Redacted(Redacted { was: RedactedKind::Message });
    let entry = Entry { device: None, client_id: None, expires_at: None, body, ..*entry };
    Message { deleted: true, ..whole(entry) }
}

fn react(reactions: &mut Vec<ReactionUsers>, emoji: &str, user: UserId, on: bool) {
    match reactions.iter_mut().find(|reaction| emoji::same(&reaction.emoji, emoji)) {
        Some(reaction) => {
            reaction.users.retain(|other| *other != user || on);
            if on && !reaction.users.contains(&user) {
                reaction.users.push(user);
            }
        }
        None if on => reactions.push(ReactionUsers { emoji: emoji::shown(emoji), users: vec![user] }),
        None => {}
    }
    reactions.retain(|reaction| !reaction.users.is_empty());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::tests::{anna, bert, delete, edit, entry, message, react};

    #[test]
    fn a_message_is_edited_and_gets_reactions() {
        let log = [
            message(1, "helo"),
            react(2, 1, "👍", true),
            edit(3, 1, "hello"),
            react(4, 1, "👍", true),
            react(5, 1, "👍", true),
            react(7, 1, "🎉", true),
            react(9, 1, "🎉", false),
            message(10, "next"),
        ];
        let messages = fold(log.iter());
        assert_eq!(messages.len(), 2);
        assert!(matches!(&messages[0].entry.body, Body::Message(text) if text.text == "hello"));
        assert_eq!(messages[0].edited_at, Some(log[2].at));
        assert_eq!(messages[0].reactions, [ReactionUsers { emoji: "👍".into(), users: vec![bert(), anna()] }]);
    }

    #[test]
    fn the_forms_of_one_emoji_are_one_reaction() {
        let put =
            [message(1, "helo"), react(2, 1, "❤", true), react(3, 1, "❤\u{fe0f}", true), react(5, 1, "ok👍", true)];
        let reactions = fold(put.iter()).remove(0).reactions;
        let heart = ReactionUsers { emoji: "❤\u{fe0f}".into(), users: vec![bert(), anna()] };
        assert_eq!(reactions, [heart, ReactionUsers { emoji: "ok👍".into(), users: vec![anna()] }]);
        let back = [react(6, 1, "❤\u{fe0f}", false), react(7, 1, "❤", false), react(9, 1, "ok👍", false)];
        assert_eq!(fold(put.iter().chain(&back)).remove(0).reactions, []);
    }

    #[test]
    fn a_deleted_message_is_the_same_before_and_after_its_text_has_left_the_log() {
        let before = [message(1, "secret"), edit(2, 1, "more"), react(3, 1, "👍", true), delete(4, 1), edit(5, 1, "x")];
        let mut after = before.clone();
        after[0] = entry(1, Body::Redacted(Redacted { was: RedactedKind::Message }));
        after[0].sender = before[0].sender;
        after[1].body = Body::Redacted(Redacted { was: RedactedKind::Edit });
        let messages = fold(before.iter());
        assert_eq!(messages, fold(after.iter()));
        assert!(messages.len() == 1 && messages[0].deleted && messages[0].reactions.is_empty());
    }

    #[test]
    fn what_aims_at_nothing_changes_nothing() {
        let log = [edit(5, 1, "x"), delete(6, 2), react(7, 3, "👍", true), entry(8, Body::Unknown)];
        assert_eq!(fold(log.iter()), []);
    }
}
