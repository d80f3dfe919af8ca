//! Where the entries of a log lie.
//!
//! Entries are in the order of their commits, whatever their log. An index by log and seq would be one more page to write
//! for nearly every entry, since those of a commit belong to many logs. So each entry says how many rows before it the
//! one before it in its log lies; a small table has the last entry of each log, side by side with those of the others,
//! and another every [`STRIDE`]th. An entry is found from the next one whose row is known, and a page of them is read
//! backwards.

use kith_protocol::ConversationId;
use rusqlite::{Connection, OptionalExtension as _};

use super::failure::of_reading;
use crate::store::Error;

/// Every so many entries of a log the row of one is kept: reading a page passes fewer than this for nothing.
pub(super) const STRIDE: u64 = 32;

/// The last entry of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tip {
    pub(super) seq: u64,
    /// Its row.
    pub(super) row: i64,
}

/// The last entry of the log with this number, if it has one.
pub(super) fn tip(connection: &Connection, conv: i64) -> rusqlite::Result<Option<Tip>> {
    let mut select = connection.prepare_cached("SELECT seq, entry FROM heads WHERE conv = ?1")?;
    let tip = select.query_row((conv,), |row| Ok(Tip { seq: row.get::<_, i64>(0)? as u64, row: row.get(1)? }));
    tip.optional()
}

/// Whether the row of the entry is kept in `milestones`.
pub(super) const fn is_milestone(seq: u64) -> bool {
    seq.is_multiple_of(STRIDE)
}

/// An entry that was come by.
pub(super) struct Passed<'a> {
    pub(super) row: i64,
    pub(super) seq: u64,
    pub(super) data: &'a [u8],
}

/// Shows the entries of a log from seq `last`, which it has, back to seq `first`.
pub(super) fn backwards(
    connection: &Connection,
    (log, conv): (ConversationId, i64),
    (first, last): (u64, u64),
    tip: Tip,
    mut see: impl FnMut(Passed<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    let broken = |row: i64| Error::Corrupt(format!("{log}: the row {row} is not the entry that it should be"));
    let mut row = match last.next_multiple_of(STRIDE) {
        known if known <= tip.seq => milestone(connection, conv, known).map_err(of_reading)?,
        _ => Some(tip.row),
    }
    .ok_or_else(|| broken(0))?;
    let mut select =
        connection.prepare_cached("SELECT conv, seq, back, data FROM entries WHERE id = ?1").map_err(of_reading)?;
    let mut before = None;
    loop {
        let mut rows = select.query((row,)).map_err(of_reading)?;
        let Some(entry) = rows.next().map_err(of_reading)? else { return Err(broken(row)) };
        let number = |column| entry.get::<_, i64>(column).map_err(of_reading);
        let (of, seq, back) = (number(0)?, number(1)? as u64, number(2)?);
        if of != conv || before.is_some_and(|before| seq + 1 != before) || (seq > 1) != (back > 0) {
            return Err(broken(row));
        }
        if seq <= last {
            let data = entry.get_ref(3).map_err(of_reading)?.as_blob().map_err(|error| of_reading(error.into()))?;
            see(Passed { row, seq, data })?;
        }
        if seq <= first || back == 0 {
            return Ok(());
        }
        before = Some(seq);
        row -= back;
    }
}

fn milestone(connection: &Connection, conv: i64, seq: u64) -> rusqlite::Result<Option<i64>> {
    let mut select = connection.prepare_cached("SELECT entry FROM milestones WHERE conv = ?1 AND seq = ?2")?;
    select.query_row((conv, seq as i64), |row| row.get(0)).optional()
}
