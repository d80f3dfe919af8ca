//! The suite of the contract, as stories that every engine is put through.
//!
//! A sentence of [`Store`] without a story here is not a promise yet.

mod logs;
mod rows;
#[cfg(test)]
mod tests;
mod turns;

use std::sync::Arc;

use bytes::Bytes;
use kith_protocol::{ConversationId, DeviceId, Timestamp, UserId, Uuid};

use super::{Counts, Direction, Kind, LogRange, Record, Store, Turn, WriteError};
use crate::clock;

/// Puts the engines that `make` gives through all stories, a new and empty one for each.
///
/// # Panics
/// Where an engine breaks the contract.
pub async fn check(make: impl AsyncFn() -> Arc<dyn Store>) {
    logs::an_empty_store_has_nothing(&*make().await).await;
    logs::what_is_appended_is_read_as_it_was(&*make().await).await;
    logs::a_head_that_moved_is_a_conflict(&*make().await).await;
    logs::what_is_known_is_told_before_a_conflict(&*make().await).await;
    logs::one_known_record_keeps_all_of_a_batch_out(&*make().await).await;
    logs::a_client_id_is_one_user_s_in_one_log(&*make().await).await;
    logs::any_uuid_is_remembered(&*make().await).await;
    logs::a_batch_that_repeats_itself_is_found_at_its_first(&*make().await).await;
    logs::ranges_are_read_from_either_end(&*make().await).await;
    logs::a_reading_ends_where_its_bytes_do(&*make().await).await;
    logs::logs_that_grow_side_by_side_are_read_apart(&*make().await).await;
    logs::a_redacted_entry_stays_where_it_is_and_known(&*make().await).await;
    logs::a_redaction_above_the_head_changes_nothing(&*make().await).await;
    logs::many_who_append_leave_a_dense_log(make().await).await;
    rows::rows_are_what_was_put_last(&*make().await).await;
    rows::a_scan_stays_within_its_bounds(&*make().await).await;
    rows::partitions_do_not_see_each_other(&*make().await).await;
    rows::a_condition_that_fails_changes_nothing_and_tells_the_row(&*make().await).await;
    rows::of_many_who_want_a_row_one_gets_it(make().await).await;
    turns::a_turn_changes_entries_and_rows_together(&*make().await).await;
    turns::a_turn_that_is_refused_changes_nothing(&*make().await).await;
    turns::a_turn_too_large_changes_nothing(&*make().await).await;
    turns::two_who_keep_one_log_leave_what_the_log_says(make().await).await;
    turns::what_is_raised_never_goes_back(&*make().await).await;
    turns::what_many_raise_ends_at_the_highest(make().await).await;
    turns::a_head_that_nobody_moved_is_confirmed(&*make().await).await;
    assert_eq!(make().await.ready().await, Ok(()));
}

fn conversation() -> ConversationId {
    ConversationId::new(clock::uuid())
}

fn user() -> UserId {
    UserId::new(clock::uuid())
}

/// A message without a client_id.
fn anonymous(seq: u64, sender: UserId, text: &str) -> Record {
    Record {
        seq,
        kind: Kind::Message,
        sender,
        device: None,
        client_id: None,
        at: Timestamp::from_millis(1_700_000_000_000 + seq),
        true_at: None,
        expires_at: None,
        counts: Counts { messages: seq, mentioning: seq / 2, rev: 1 },
        body: Bytes::copy_from_slice(text.as_bytes()),
    }
}

/// A message that its sender may send again.
fn message(seq: u64, sender: UserId, client_id: Uuid) -> Record {
    let device = Some(DeviceId::new(client_id));
    Record { device, client_id: Some(client_id), ..anonymous(seq, sender, &format!("message {seq}")) }
}

/// Appends to a log, and does nothing else.
async fn append(
    store: &dyn Store,
    log: ConversationId,
    expected_head: u64,
    records: Vec<Record>,
) -> Result<(), WriteError> {
    store.write(log, expected_head, Turn::append(records)).await
}

/// Redacts an entry of a log, whatever its head is.
async fn redact(store: &dyn Store, log: ConversationId, record: Record) -> Result<(), WriteError> {
    store.write(log, head(store, log).await, Turn::redact(record)).await
}

/// The whole log, in ascending order.
async fn whole(store: &dyn Store, log: ConversationId) -> Vec<Record> {
    let range = LogRange { log, seqs: 1..=u64::MAX, direction: Direction::Ascending, limit: usize::MAX };
    store.read(vec![range]).await.unwrap().remove(0)
}

/// The seq of the log's last entry.
async fn head(store: &dyn Store, log: ConversationId) -> u64 {
    store.heads(vec![log]).await.unwrap()[0].map_or(0, |head| head.seq)
}
