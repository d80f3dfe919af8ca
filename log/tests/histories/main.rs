//! Generated histories, folded by this crate and by an oracle that is written apart from it, after docs/protocol.md alone.
//!
//! A few dozen of them are kept in protocol/vectors/histories.json, which the web client's fold reads as well.

mod generator;
mod oracle;

use std::{collections::BTreeMap, path::Path};

use kith_log::{Content, Fold, Wrong, messages};
use kith_protocol::{Body, Entry, Message};
use serde::{Deserialize, Serialize};

use oracle::{Outcome, Shown};

/// Histories that a test run folds.
const HISTORIES: u64 = 4000;
/// Histories that are kept for the folds in other languages.
const KEPT: u64 = 32;

/// A history and its outcome, as they are kept.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Vector {
    seed: u64,
    entries: Vec<serde_json::Value>,
    #[serde(flatten)]
    outcome: Outcome,
}

/// The outcome of a log, folded by the crate.
fn folded(log: &[Entry]) -> Outcome {
    let mut fold = Fold::default();
    for entry in log {
        fold.apply(&entry.into()).unwrap_or_else(|wrong| panic!("{}: {wrong}", entry.seq));
    }
    let members = fold.state.members.iter().map(|(user, member)| (*user, (member.role, member.since).into()));
    Outcome {
        messages: messages(log.iter()).iter().map(shown).collect(),
        members: members.collect(),
        settings: (&fold.state.settings).into(),
        messages_counted: fold.state.counts.messages,
        rev: fold.state.counts.rev,
    }
}

fn shown(message: &Message) -> Shown {
    let (kind, text) = match &message.entry.body {
        Body::Created(_) => ("created", None),
        Body::Message(text) => ("message", Some(text.text.clone())),
        Body::MemberAdded(_) => ("member_added", None),
        Body::MemberRemoved(_) => ("member_removed", None),
        Body::RoleChanged(_) => ("role_changed", None),
        Body::ConversationChanged(_) => ("conversation_changed", None),
        Body::Redacted(_) => ("redacted", None),
        other => panic!("{other:?} shows"),
    };
    Shown {
        seq: message.entry.seq,
        kind: kind.to_owned(),
        text,
        edited_at: message.edited_at,
        deleted: message.deleted,
        reactions: message.reactions.clone(),
    }
}

#[test]
fn the_crate_and_the_oracle_agree_on_every_history() {
    for seed in 0..HISTORIES {
        let log = generator::history(seed);
        assert_eq!(folded(&log), oracle::outcome(&log), "seed {seed}: {log:#?}");
    }
}

#[test]
fn the_histories_hold_everything_that_a_log_may() {
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    for seed in 0..HISTORIES {
        let log = generator::history(seed);
        for message in messages(log.iter()) {
            *kinds.entry("edited").or_default() += u64::from(message.edited_at.is_some());
            *kinds.entry("deleted").or_default() += u64::from(message.deleted);
            *kinds.entry("reacted").or_default() += u64::from(message.reactions.len() > 1);
        }
        for entry in &log {
            let kind = match &entry.body {
                Body::Redacted(_) => "redacted",
                Body::Unknown => "unknown",
                Body::MemberRemoved(_) => "removed",
                Body::RoleChanged(_) => "role",
                Body::ConversationChanged(_) => "settings",
                _ => continue,
            };
            *kinds.entry(kind).or_default() += 1;
        }
    }
    for kind in ["edited", "deleted", "reacted", "redacted", "unknown", "removed", "role", "settings"] {
        assert!(kinds.get(kind).is_some_and(|count| *count > HISTORIES / 4), "{kind} is too rare: {kinds:?}");
    }
}

/// The totals that a server writes with each entry follow on each other, and others do not.
#[test]
fn totals_follow_and_wrong_ones_do_not() {
    for seed in 0..HISTORIES / 10 {
        let mut before = kith_log::Counts::default();
        for entry in generator::history(seed) {
            let content = Content::from(&entry.body);
            let after = before.with(entry.seq, &content);
            assert!(after.follow(before, entry.seq, &content), "seed {seed}: {entry:?}");
            let wrong = kith_log::Counts { messages: after.messages + 1, ..after };
            assert!(content == Content::Unknown || !wrong.follow(before, entry.seq, &content), "seed {seed}");
            before = after;
        }
    }
}

/// A log from which an entry was taken, in which two changed places, or one was doubled, is told from a whole one.
#[test]
fn a_broken_history_is_found() {
    for seed in 0..HISTORIES / 10 {
        let log = generator::history(seed);
        let middle = log.len() / 2;
        let (mut holed, mut doubled, mut swapped) = (log.clone(), log.clone(), log.clone());
        holed.remove(middle - 1);
        doubled.insert(middle, log[middle].clone());
        swapped.swap(middle - 1, middle);
        for broken in [holed, doubled, swapped] {
            let mut fold = Fold::default();
            let found = broken.iter().find_map(|entry| fold.apply(&entry.into()).err());
            assert!(matches!(found, Some(Wrong::Gap(_) | Wrong::Beginning)), "seed {seed}: {found:?}");
        }
    }
}

#[test]
fn the_kept_histories_are_those_of_today() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../protocol/vectors/histories.json");
    let vectors = (0..KEPT).map(|seed| {
        let log = generator::history(seed);
        Vector { seed, entries: log.iter().map(generator::json).collect(), outcome: oracle::outcome(&log) }
    });
    let lines: Vec<String> = vectors.map(|vector| serde_json::to_string(&vector).expect("JSON")).collect();
    let today = format!("[\n{}\n]\n", lines.join(",\n"));
    if std::env::var_os("KITH_VECTORS").is_some() {
        std::fs::write(&path, &today).expect("the vectors are written");
    }
    let kept = std::fs::read_to_string(&path).expect("the vectors");
    assert!(kept == today, "they are stale: KITH_VECTORS=1 cargo test -p kith-log writes them anew");
    for vector in serde_json::from_str::<Vec<Vector>>(&kept).expect("vectors") {
        let log = vector.entries.into_iter().map(|entry| serde_json::from_value(entry).expect("an entry"));
        assert_eq!(folded(&log.collect::<Vec<Entry>>()), vector.outcome, "seed {}", vector.seed);
    }
}
