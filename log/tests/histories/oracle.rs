//! The outcome of a history by docs/protocol.md, found by looking through the whole log for each thing that is asked:
//! slow, with no state, and with nothing of the crate that it is an oracle for.

use std::collections::BTreeMap;

use kith_protocol::{
    Body, Entry, Timestamp, UserId, emoji,
    entry::{ConversationKind, Created, ReactionUsers, Redacted, RedactedKind, Role, Writers},
};
use serde::{Deserialize, Serialize};

/// All that the folds of a log must agree on.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    pub messages: Vec<Shown>,
    pub members: BTreeMap<UserId, Membership>,
    pub settings: Settings,
    /// Entries that count as messages to read.
    pub messages_counted: u64,
    /// The last entry that changed the conversation or its members.
    pub rev: u64,
}

/// A message as it shows.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    pub seq: u64,
    pub kind: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub edited_at: Option<Timestamp>,
    pub deleted: bool,
    pub reactions: Vec<ReactionUsers>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Membership {
    pub role: Role,
    pub since: u64,
}

impl From<(Role, u64)> for Membership {
    fn from((role, since): (Role, u64)) -> Self {
        Self { role, since }
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    pub kind: ConversationKind,
    pub title: Option<String>,
    pub topic: Option<String>,
    pub avatar: Option<String>,
    pub expire_after_s: Option<u32>,
    pub writers: Writers,
}

impl From<&kith_log::Settings> for Settings {
    fn from(settings: &kith_log::Settings) -> Self {
        Self {
            kind: settings.kind,
            title: settings.title.clone(),
            topic: settings.topic.clone(),
            avatar: settings.avatar.clone(),
            expire_after_s: settings.expire_after_s,
            writers: settings.writers,
        }
    }
}

pub fn outcome(log: &[Entry]) -> Outcome {
    let Body::Created(created) = &log[0].body else { panic!("a log begins with `created`") };
    let is_message = |entry: &&Entry| {
        matches!(entry.body, Body::Message(_) | Body::Redacted(Redacted { was: RedactedKind::Message }))
    };
    let changes = |entry: &&Entry| {
        let names = ["created", "member_added", "member_removed", "role_changed", "conversation_changed"];
        names.contains(&kind(entry))
    };
    Outcome {
        messages: log.iter().filter(|entry| shows(entry)).map(|entry| show(log, entry)).collect(),
        members: members(log, created),
        settings: settings(log, created),
        messages_counted: log.iter().filter(is_message).count() as u64,
        rev: log.iter().filter(changes).map(|entry| entry.seq).max().unwrap_or_default(),
    }
}

fn kind(entry: &Entry) -> &'static str {
    match entry.body {
        Body::Created(_) => "created",
        Body::Message(_) => "message",
        Body::Edit(_) => "edit",
        Body::Delete(_) => "delete",
        Body::Reaction(_) => "reaction",
        Body::MemberAdded(_) => "member_added",
        Body::MemberRemoved(_) => "member_removed",
        Body::RoleChanged(_) => "role_changed",
        Body::ConversationChanged(_) => "conversation_changed",
        Body::Redacted(_) => "redacted",
        _ => "unknown",
    }
}

/// "An entry that shows in a timeline … `edit`, `delete` and `reaction` are not"; a kind that is not known "shows as
/// nothing"; of a redacted edit nothing is left to show.
fn shows(entry: &Entry) -> bool {
    match kind(entry) {
        "edit" | "delete" | "reaction" | "unknown" => false,
        "redacted" => entry.body == Body::Redacted(Redacted { was: RedactedKind::Message }),
        _ => true,
    }
}

fn show(log: &[Entry], entry: &Entry) -> Shown {
    let nothing = Shown {
        seq: entry.seq,
        kind: kind(entry).to_owned(),
        text: None,
        edited_at: None,
        deleted: false,
        reactions: Vec::new(),
    };
    let is_deleted = log.iter().any(|other| matches!(&other.body, Body::Delete(it) if it.target == entry.seq));
    match &entry.body {
        Body::Redacted(_) => Shown { deleted: true, ..nothing },
        Body::Message(_) if is_deleted => Shown { kind: "redacted".to_owned(), deleted: true, ..nothing },
        Body::Message(text) => {
            let mut edits = log.iter().filter_map(|other| match &other.body {
                Body::Edit(edit) if edit.target == entry.seq => Some((edit, other.true_at.unwrap_or(other.at))),
                _ => None,
            });
            let last = edits.next_back();
            Shown {
                text: Some(last.as_ref().map_or(&text.text, |(edit, _)| &edit.text).clone()),
                edited_at: last.map(|(_, at)| at),
                reactions: reactions(log, entry.seq),
                ..nothing
            }
        }
        _ => nothing,
    }
}

/// The reactions to a message: those "compared without U+FE0F" are one, in the order of their first use, where one that
/// nobody holds any longer begins anew.
fn reactions(log: &[Entry], target: u64) -> Vec<ReactionUsers> {
    let plain = |emoji: &str| emoji.replace('\u{fe0f}', "");
    let all: Vec<(u64, UserId, &str, bool)> = log
        .iter()
        .filter_map(|entry| match &entry.body {
            Body::Reaction(it) if it.target == target => Some((entry.seq, entry.sender, it.emoji.as_str(), it.on)),
            _ => None,
        })
        .collect();
    // Since when a user holds an emoji after the entry `at`.
    let held_since = |emoji: &str, user: UserId, at: u64| {
        let own = all.iter().filter(|(seq, by, other, _)| *seq <= at && *by == user && plain(other) == emoji);
        let own: Vec<_> = own.collect();
        let off = own.iter().rev().find(|(_, _, _, on)| !on).map_or(0, |(seq, ..)| *seq);
        own.iter().find(|(seq, _, _, on)| *on && *seq > off).map(|(seq, ..)| *seq)
    };
    let users: Vec<UserId> = all.iter().map(|(_, user, ..)| *user).collect();
    let is_held = |emoji: &str, at: u64| users.iter().any(|user| held_since(emoji, *user, at).is_some());
    let end = log.len() as u64;
    let mut emojis: Vec<String> = all.iter().map(|(_, _, emoji, _)| plain(emoji)).collect();
    emojis.sort_unstable();
    emojis.dedup();
    emojis.retain(|emoji| is_held(emoji, end));
    let mut found: Vec<(u64, ReactionUsers)> = emojis
        .iter()
        .map(|emoji| {
            let free = (0..=end).rev().find(|at| !is_held(emoji, *at)).unwrap_or_default();
            let first = all.iter().find(|(seq, _, other, on)| *seq > free && *on && plain(other) == *emoji);
            let (seq, _, first, _) = first.expect("somebody put it");
            let mut holders: Vec<(u64, UserId)> =
                users.iter().filter_map(|user| Some((held_since(emoji, *user, end)?, *user))).collect();
            holders.sort_unstable();
            holders.dedup();
            let users = holders.into_iter().map(|(_, user)| user).collect();
            (*seq, ReactionUsers { emoji: emoji::qualified(first).unwrap_or_else(|| (*first).to_owned()), users })
        })
        .collect();
    found.sort_unstable_by_key(|(seq, _)| *seq);
    found.into_iter().map(|(_, reaction)| reaction).collect()
}

/// A user belongs to it whom the last entry about their membership made a member.
fn members(log: &[Entry], created: &Created) -> BTreeMap<UserId, Membership> {
    let named = log.iter().flat_map(|entry| match &entry.body {
        Body::Created(created) => created.members.iter().map(|member| member.user).collect(),
        Body::MemberAdded(added) => vec![added.user],
        _ => Vec::new(),
    });
    let mut members = BTreeMap::new();
    for user in named {
        let about = |entry: &&Entry| match &entry.body {
            Body::Created(created) => created.members.iter().any(|member| member.user == user),
            Body::MemberAdded(added) => added.user == user,
            Body::MemberRemoved(removed) => removed.user == user,
            _ => false,
        };
        let last = log.iter().rev().find(about).expect("it names the user");
        let (first_role, since) = match &last.body {
            Body::Created(created) => {
                (created.members.iter().find(|member| member.user == user).map(|member| member.role), 1)
            }
            // "Each member has `since`: 1 in a direct conversation and a channel, in a group the seq that added them."
            Body::MemberAdded(added) => {
                (Some(added.role), if created.kind == ConversationKind::Group { last.seq } else { 1 })
            }
            _ => (None, 0),
        };
        let Some(first_role) = first_role else { continue };
        let mut changed = log.iter().filter(|entry| entry.seq > last.seq).filter_map(|entry| match &entry.body {
            Body::RoleChanged(changed) if changed.user == user => Some(changed.role),
            _ => None,
        });
        members.insert(user, Membership { role: changed.next_back().unwrap_or(first_role), since });
    }
    members
}

/// "The fields that changed", the last of each; an empty text or a zero unsets.
fn settings(log: &[Entry], created: &Created) -> Settings {
    let changes = || {
        log.iter().rev().filter_map(|entry| match &entry.body {
            Body::ConversationChanged(changed) => Some(changed),
            _ => None,
        })
    };
    let text = |last: Option<&String>, first: Option<&String>| {
        last.or(first).cloned().filter(|text| last.is_none() || !text.is_empty())
    };
    Settings {
        kind: created.kind,
        title: text(changes().find_map(|changed| changed.title.as_ref()), created.title.as_ref()),
        topic: text(changes().find_map(|changed| changed.topic.as_ref()), None),
        avatar: text(changes().find_map(|changed| changed.avatar.as_ref()), None),
        expire_after_s: match changes().find_map(|changed| changed.expire_after_s) {
            Some(0) => None,
            Some(seconds) => Some(seconds),
            None => created.expire_after_s,
        },
        writers: changes().find_map(|changed| changed.writers).unwrap_or(Writers::Everyone),
    }
}
