//! Whatever the network does to the frames, a device that asks for what it lacks ends with the log.

use kith_log::messages;
use kith_protocol::{
    Uuid,
    entry::{ConversationKind, Created, Edit, MemberAdded, Reaction, ReactionUsers, Role, Target},
};
use proptest::{collection::vec, prelude::*, sample::Index};

use super::*;

fn anna() -> UserId {
    UserId::new(Uuid::from_u128(1))
}

fn bert() -> UserId {
    UserId::new(Uuid::from_u128(2))
}

fn room() -> ConversationId {
    ConversationId::new(Uuid::from_u128(7))
}

/// An entry by anna where the seq is odd, by bert where it is even.
fn entry(seq: u64, body: Body) -> Entry {
    Entry {
        id: MessageId { conversation: room(), seq },
        conversation: room(),
        seq,
        sender: if seq % 2 == 1 { anna() } else { bert() },
        device: None,
        client_id: None,
        at: Timestamp::from_millis(seq * 1000),
        true_at: None,
        expires_at: None,
        body,
    }
}

fn message(seq: u64, text: &str) -> Entry {
    entry(seq, Body::Message(Text { text: text.into(), ..Text::default() }))
}

fn edit(seq: u64, target: u64, text: &str) -> Entry {
    entry(seq, Body::Edit(Edit { target, text: text.into(), mentions: Vec::new() }))
}

fn delete(seq: u64, target: u64) -> Entry {
    entry(seq, Body::Delete(Target { target }))
}

fn react(seq: u64, target: u64, emoji: &str, on: bool) -> Entry {
    entry(seq, Body::Reaction(Reaction { target, emoji: emoji.into(), on }))
}

fn head_item(head: u64) -> HeadItem {
    HeadItem { id: room(), rev: 1, head, read: 0, delivered: 0, unread: 0, mentions: 0, peer: None, damaged: false }
}

/// The server: answers a `sync` from what a user who joined at `since` may see.
fn answer(log: &[Entry], since: u64, after: u64, limit: usize) -> Entries {
    let visible = log.iter().filter(|entry| entry.seq > after && entry.seq >= since);
    let entries: Vec<Entry> = visible.take(limit).cloned().collect();
    let head = log.len() as u64;
    let more = entries.last().is_some_and(|last| last.seq < head);
    Entries { conversation: room(), entries, head, more, ahead: after > head }
}

/// Asks for what is missing until nothing is.
fn catch_up(timeline: &mut Timeline, log: &[Entry], since: u64, limit: usize) -> Vec<Entry> {
    let mut new = Vec::new();
    for _ in 0..=log.len() + 2 {
        let lacks: Vec<_> = timeline.lacks().collect();
        for (_, after) in &lacks {
            new.extend(timeline.entries(&answer(log, since, *after, limit), true));
        }
        if lacks.is_empty() {
            return new;
        }
    }
    panic!("it asks for ever")
}

fn a_log() -> impl Strategy<Value = Vec<Entry>> {
    vec((0u8..6, any::<Index>(), "[a-c]{1,2}"), 1..40).prop_map(|entries| {
        let mut log = vec![entry(
            1,
            Body::Created(Created {
                kind: ConversationKind::Group,
                title: None,
                expire_after_s: None,
                members: Vec::new(),
            }),
        )];
        for (kind, target, text) in entries {
            let seq = log.len() as u64 + 1;
            let target = target.index(log.len()) as u64 + 1;
            log.push(match kind {
                0 => edit(seq, target, &text),
                1 => delete(seq, target),
                2 => react(seq, target, &text, true),
                3 => react(seq, target, &text, false),
                4 => entry(seq, Body::Unknown),
                _ => message(seq, &text),
            });
        }
        log
    })
}

proptest! {
    #[test]
    fn any_loss_repetition_and_disorder_ends_in_the_log(
        log in a_log(),
        since in any::<Index>(),
        live in vec((any::<Index>(), 0u8..4, 1usize..5), 0..80),
        page in 1usize..5,
    ) {
        let since = if since.index(3) == 0 { since.index(log.len()) as u64 + 1 } else { 1 };
        let visible = &log[since as usize - 1..];
        let mut timeline = Timeline::new(usize::MAX, u64::MAX);
        let mut told = Vec::new();
        let mut answers: Vec<Entries> = Vec::new();
        let mut written = 0;
        for (which, what, limit) in live {
            let at = which.index(visible.len());
            written = written.max(visible[at].seq);
            match what {
                // An entry that was just said, or that comes late or again.
                0 => {
                    if timeline.entry(&visible[at]) == Applied::New {
                        told.push(visible[at].clone());
                    }
                }
                // A conversation that the device may not know of yet, as it stood at some time.
                1 => timeline.head(&head_item(visible[at].seq)),
                // A sync; its answer may be lost.
                2 => {
                    for (_, after) in timeline.lacks().collect::<Vec<_>>() {
                        answers.push(answer(&log[..written as usize], since, after, limit));
                    }
                }
                // An answer arrives, perhaps late, perhaps again.
                _ => {
                    if !answers.is_empty() {
                        told.extend(timeline.entries(&answers[which.index(answers.len())], true));
                    }
                }
            }
        }
        timeline.head(&head_item(log.len() as u64));
        told.extend(catch_up(&mut timeline, &log, since, page));
        prop_assert!(told.iter().eq(visible), "each entry is told once, in order");
        prop_assert!(timeline.log(room()).eq(visible));
        prop_assert_eq!(timeline.messages(room()), messages(visible.iter()));
        prop_assert_eq!(timeline.have(), vec![(room(), log.len() as u64)]);
    }

    #[test]
    fn after_a_restored_backup_the_log_is_what_the_server_has(log in a_log(), kept in any::<Index>(), page in 1usize..5) {
        let mut timeline = Timeline::new(usize::MAX, u64::MAX);
        timeline.head(&head_item(log.len() as u64));
        catch_up(&mut timeline, &log, 1, page);
        let restored = &log[..=kept.index(log.len())];
        timeline.reconnected();
        let lost = restored.len() < log.len();
        timeline.entries(&Entries { ahead: lost, ..answer(restored, 1, log.len() as u64, page) }, false);
        timeline.head(&head_item(restored.len() as u64));
        catch_up(&mut timeline, restored, 1, page);
        prop_assert!(timeline.log(room()).eq(restored));
        prop_assert_eq!(timeline.messages(room()), messages(restored.iter()));
    }
}

#[test]
fn a_gap_is_asked_for_from_its_beginning() {
    let mut timeline = Timeline::new(10, u64::MAX);
    assert_eq!(timeline.entry(&message(1, "a")), Applied::New);
    assert_eq!(timeline.entry(&message(3, "c")), Applied::Gap);
    assert_eq!(timeline.lacks().collect::<Vec<_>>(), [(room(), 1)]);
    assert_eq!(timeline.entry(&message(2, "b")), Applied::New);
    assert_eq!(timeline.lacks_of(room()), Some(2), "the third was not taken, so it must come again");
    assert_eq!(timeline.entry(&message(1, "a")), Applied::Repeat);
}

#[test]
fn what_nobody_asked_for_skips_nothing() {
    let mut timeline = Timeline::new(10, u64::MAX);
    let tail = Entries { conversation: room(), entries: vec![message(9, "i")], head: 9, more: false, ahead: false };
    assert_eq!(timeline.entries(&tail, false), []);
    assert_eq!(timeline.lacks().collect::<Vec<_>>(), [(room(), 0)]);
}

#[test]
fn a_member_who_was_away_and_came_again_misses_what_was_not_for_them() {
    let mut timeline = Timeline::new(10, u64::MAX);
    timeline.assume(room(), 2);
    let back = entry(5, Body::MemberAdded(MemberAdded { user: anna(), role: Role::Member, by: bert() }));
    assert_eq!(timeline.entry(&back), Applied::Gap);
    let frame = Entries { conversation: room(), entries: vec![back.clone()], head: 5, more: false, ahead: false };
    assert_eq!(timeline.entries(&frame, true), [back]);
    assert_eq!(timeline.lacks().count(), 0);
}

#[test]
fn a_new_device_begins_with_its_backlog_and_keeps_what_it_may() {
    let mut timeline = Timeline::new(3, 5);
    timeline.head(&head_item(20));
    assert_eq!(timeline.lacks().collect::<Vec<_>>(), [(room(), 15)]);
    for seq in 16..=20 {
        assert_eq!(timeline.entry(&message(seq, "x")), Applied::New);
    }
    assert_eq!(timeline.log(room()).map(|entry| entry.seq).collect::<Vec<_>>(), [18, 19, 20]);
}

#[test]
fn one_who_left_asks_for_nothing() {
    let mut timeline = Timeline::new(10, u64::MAX);
    timeline.entry(&message(1, "a"));
    timeline.entry(&message(4, "d"));
    timeline.left(room());
    assert_eq!((timeline.lacks().count(), timeline.have()), (0, Vec::new()));
    assert_eq!(timeline.messages(room()).len(), 1, "what was read stays");
}

#[test]
fn what_expires_is_gone_with_its_edits() {
    let mut timeline = Timeline::new(10, u64::MAX);
    let mut secret = message(1, "secret");
    secret.expires_at = Some(Timestamp::from_millis(5000));
    for entry in [secret, edit(2, 1, "secret 2"), message(3, "stays")] {
        timeline.entry(&entry);
    }
    assert_eq!(timeline.expire(Timestamp::from_millis(4999)), []);
    assert_eq!(timeline.expire(Timestamp::from_millis(5000)), [MessageId { conversation: room(), seq: 1 }]);
    assert!(!format!("{timeline:?}").contains("secret"));
    assert_eq!(timeline.messages(room()).len(), 2);
}

#[test]
fn a_sent_message_expires_as_its_conversation_says() {
    let mut timeline = Timeline::new(10, u64::MAX);
    let created =
        Created { kind: ConversationKind::Direct, title: None, expire_after_s: Some(60), members: Vec::new() };
    timeline.entry(&entry(1, Body::Created(created)));
    let client_id = Uuid::from_u128(9);
    let new = NewMessage { client_id, text: "x".into(), mentions: vec![], reply_to: None, attachments: vec![] };
    let sent = Sent { client_id, conversation: room(), seq: 2, at: Timestamp::from_millis(1000), true_at: None };
    let entry = timeline.sent(&sent, (anna(), DeviceId::new(Uuid::from_u128(3))), &new);
    assert_eq!(entry.expires_at, Some(Timestamp::from_millis(61_000)));
    assert_eq!(timeline.entry(&entry), Applied::New);
}

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
    let folded = messages(log.iter());
    assert_eq!(folded.len(), 2);
    assert!(matches!(&folded[0].entry.body, Body::Message(text) if text.text == "hello"));
    assert_eq!(folded[0].edited_at, Some(log[2].at));
    assert_eq!(folded[0].reactions, [ReactionUsers { emoji: "👍".into(), users: vec![bert(), anna()] }]);
}

#[test]
fn the_forms_of_one_emoji_are_one_reaction() {
    let put = [message(1, "helo"), react(2, 1, "❤", true), react(3, 1, "❤\u{fe0f}", true), react(5, 1, "ok👍", true)];
    let reactions = messages(put.iter()).remove(0).reactions;
    let heart = ReactionUsers { emoji: "❤\u{fe0f}".into(), users: vec![bert(), anna()] };
    assert_eq!(reactions, [heart, ReactionUsers { emoji: "ok👍".into(), users: vec![anna()] }]);
    let back = [react(6, 1, "❤\u{fe0f}", false), react(7, 1, "❤", false), react(9, 1, "ok👍", false)];
    assert_eq!(messages(put.iter().chain(&back)).remove(0).reactions, []);
}

#[test]
fn a_deleted_message_is_the_same_before_and_after_its_text_has_left_the_log() {
    let before = [message(1, "secret"), edit(2, 1, "more"), react(3, 1, "👍", true), delete(4, 1), edit(5, 1, "x")];
    let mut after = before.clone();
    after[0] = entry(1, Body::Redacted(Redacted { was: RedactedKind::Message }));
    after[0].sender = before[0].sender;
    after[1].body = Body::Redacted(Redacted { was: RedactedKind::Edit });
    let folded = messages(before.iter());
    assert_eq!(folded, messages(after.iter()));
    assert!(folded.len() == 1 && folded[0].deleted && folded[0].reactions.is_empty());
}

#[test]
fn what_aims_at_nothing_changes_nothing() {
    let log = [edit(5, 1, "x"), delete(6, 2), react(7, 3, "👍", true), entry(8, Body::Unknown)];
    assert_eq!(messages(log.iter()), []);
}
