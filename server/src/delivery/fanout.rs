//! Gives what happened in a conversation to the connections of its members on this node.

use std::sync::Arc;

use bytes::Bytes;
use kith_protocol::UserId;

use crate::{
    delivery::{
        encoding,
        outbox::{Asker, Class, ConnectionId, Run},
        roster::Roster,
    },
    store::Record,
};

/// Gives the entries of one append to every connection of `members`: the same shared frames to all, but `sent` in place of
/// the entry to the connection that sent it. `origins` has for each record the connection that it came from, if any, or is
/// empty.
pub fn deliver(
    roster: &Roster,
    members: impl Iterator<Item = UserId>,
    records: &[Record],
    run: &Run,
    origins: &[Option<Asker>],
) {
    let mut deliveries = 0u64;
    let senders: Vec<&Asker> = origins.iter().flatten().collect();
    for member in members {
        roster.each(member, |outbox| {
            if senders.iter().any(|sender| Arc::ptr_eq(sender.outbox(), outbox)) {
                return;
            }
            deliveries += records.len() as u64;
            outbox.push_run(run);
        });
    }
    let text = run.conversation.to_string();
    for (index, sender) in senders.iter().enumerate() {
        // Each sending connection once, though it may have sent several.
        if senders[..index].iter().all(|other| !Arc::ptr_eq(other.outbox(), sender.outbox())) {
            answer(sender, &text, records, run, origins);
        }
    }
    roster.deliveries.increment(deliveries);
}

/// Puts to a sending connection the `sent` of its own entries and the `entry` of the others, in the order of their seqs.
fn answer(asker: &Asker, conversation: &str, records: &[Record], run: &Run, origins: &[Option<Asker>]) {
    let sender = asker.outbox();
    let mut sent = Vec::with_capacity(192 * records.len());
    for (index, record) in records.iter().enumerate() {
        if origins[index].as_ref().is_some_and(|origin| Arc::ptr_eq(origin.outbox(), sender)) {
            encoding::write_sent(&mut sent, conversation, record);
            continue;
        }
        if !sent.is_empty() {
            asker.answer(std::mem::take(&mut sent).into());
        }
        let one = Run {
            conversation: run.conversation,
            first: record.seq,
            frames: run.frame(index),
            ends: Arc::new([run.frame(index).len() as u32]),
        };
        sender.push_run(&one);
    }
    if !sent.is_empty() {
        asker.answer(sent.into());
    }
}

/// Gives one frame to every connection of `users`, but to `except`.
pub fn tell(
    roster: &Roster,
    users: impl Iterator<Item = UserId>,
    frame: &Bytes,
    class: Class,
    except: Option<ConnectionId>,
) {
    for user in users {
        roster.each(user, |outbox| {
            if except.is_none() || except != outbox.connection() {
                outbox.push(frame.clone(), class);
            }
        });
    }
}
