//! The chain of a log's entries.
//!
//! Entries are in the order of their commits, whatever their log. An index by log and seq would be one more page to write
//! for nearly every entry, since those of a commit belong to many logs. So each entry says how many rows before it the
//! one before it in its log lies; a small table has the last entry of each log, side by side with those of the others,
//! and another every [`STRIDE`]th, the milestones. An entry is found from the next one whose row is known, and a page of
//! them is read backwards.
//!
//! The milestones of one log lie apart from those of the others, so that each would be a page more in its commit. They are
//! kept [`TOGETHER`] at a time, at another seq in each log, or logs that grow alike would all do so in the same commit.

use std::ops::ControlFlow;

use kith_protocol::ConversationId;
use rusqlite::{Connection, OptionalExtension as _};

use super::entry::Stored;
use crate::store::Error;

/// Every so many entries of a log the row of one is kept: reading a page passes fewer than this for nothing, but near the
/// end of the log.
pub(super) const STRIDE: u64 = 32;
/// Milestones that are kept at a time: what lies behind the last of them is found from the end of the log.
const TOGETHER: usize = 4;
const LEG: u64 = STRIDE * TOGETHER as u64;
/// The numbers of logs are given in turn: an odd factor spreads them over the whole leg.
const SPREAD: u64 = 45;

/// The error of whoever walks a log: the one that reads goes on after SQLite's errors, the one that writes may not.
pub(super) trait Failed: From<rusqlite::Error> + From<Error> {}

impl<E: From<rusqlite::Error> + From<Error>> Failed for E {}

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

/// The first seq at which milestones of a log are kept; the others follow [`LEG`] by [`LEG`].
const fn first_keeping(conv: i64) -> u64 {
    1 + (conv as u64).wrapping_mul(SPREAD) % LEG
}

/// The seq up to which the milestones of a log are kept whose last entry is `last`.
const fn kept_to(conv: i64, last: u64) -> u64 {
    match last.checked_sub(first_keeping(conv)) {
        Some(since) => (last - since % LEG) / STRIDE * STRIDE,
        None => 0,
    }
}

/// The seqs of the milestones that are kept of a log whose last entry is `last`.
pub(super) fn kept(conv: i64, last: u64) -> impl Iterator<Item = u64> {
    (STRIDE..=kept_to(conv, last)).step_by(STRIDE as usize)
}

/// Counts the milestones that the logs in `heads` must have, and those of them that they have, as SQL.
pub(super) fn counts() -> [String; 2] {
    let first = format!("(1 + heads.conv * {SPREAD} % {LEG})");
    let kept =
        format!("CASE WHEN heads.seq < {first} THEN 0 ELSE (heads.seq - (heads.seq - {first}) % {LEG}) / {STRIDE} END");
    [
        format!("SELECT coalesce(sum({kept}), 0) FROM heads"),
        format!("SELECT count(*) FROM milestones JOIN heads USING (conv) WHERE milestones.seq <= {STRIDE} * ({kept})"),
    ]
}

/// Milestones of a log that are not kept yet, as far as they are known.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pending([i64; TOGETHER]);

impl Pending {
    /// An entry was appended: the milestones to keep, if it is time, each with its seq and its row.
    pub(super) fn append<E: Failed>(
        &mut self,
        connection: &Connection,
        (log, conv): (ConversationId, i64),
        tip: Tip,
    ) -> Result<Vec<(u64, i64)>, E> {
        if tip.seq.is_multiple_of(STRIDE) {
            *self.place(tip.seq) = tip.row;
        }
        let (from, to) = (kept_to(conv, tip.seq - 1), kept_to(conv, tip.seq));
        if from == to {
            return Ok(Vec::new());
        }
        let seqs = || (from + STRIDE..=to).step_by(STRIDE as usize);
        if seqs().any(|seq| *self.place(seq) == 0) {
            // Appended before this log was last heard of: all are behind the last one that is kept, so from the end.
            backwards(connection, (log, conv), (from + STRIDE, tip.seq), tip, |passed| {
                if passed.seq.is_multiple_of(STRIDE) {
                    *self.place(passed.seq) = passed.row;
                }
                Ok::<_, E>(())
            })?;
        }
        Ok(seqs().map(|seq| (seq, *self.place(seq))).collect())
    }

    fn place(&mut self, seq: u64) -> &mut i64 {
        &mut self.0[(seq / STRIDE) as usize % TOGETHER]
    }
}

/// An entry that was come by.
pub(super) struct Passed<'a> {
    pub(super) log: ConversationId,
    pub(super) row: i64,
    pub(super) seq: u64,
    pub(super) data: &'a [u8],
    /// The checksum that its row has.
    pub(super) sum: i64,
}

impl<'a> Passed<'a> {
    /// The entry, checked.
    pub(super) fn stored(&self) -> Result<Stored<'a>, Error> {
        Stored::read(self.log, self.seq, self.data, self.sum)
    }
}

/// Shows the entries of a log from seq `last`, which it has, back to seq `first`.
pub(super) fn backwards<E: Failed>(
    connection: &Connection,
    log: (ConversationId, i64),
    seqs: (u64, u64),
    tip: Tip,
    mut see: impl FnMut(Passed<'_>) -> Result<(), E>,
) -> Result<(), E> {
    backwards_while(connection, log, seqs, tip, |passed| see(passed).map(ControlFlow::Continue))
}

/// The same for as long as `see` goes on.
pub(super) fn backwards_while<E: Failed>(
    connection: &Connection,
    (log, conv): (ConversationId, i64),
    (first, last): (u64, u64),
    tip: Tip,
    see: impl FnMut(Passed<'_>) -> Result<ControlFlow<()>, E>,
) -> Result<(), E> {
    let (seq, row) = match last.next_multiple_of(STRIDE) {
        known if last < tip.seq && known <= kept_to(conv, tip.seq) => (known, milestone(connection, conv, known)?),
        _ => (tip.seq, Some(tip.row)),
    };
    let row = row.ok_or_else(|| broken(log, 0))?;
    let select = "SELECT conv, seq, back, data, sum FROM entries WHERE id = ?1";
    walk(connection, (log, conv), (first, last), Tip { seq, row }, select, see)
}

/// Puts the rows of the entries from seq `last`, whose own is `row`, back to seq `first` into `rows`. Their data is not read.
pub(super) fn rows(
    connection: &Connection,
    log: (ConversationId, i64),
    seqs: (u64, u64),
    row: i64,
    rows: &mut Vec<i64>,
) -> Result<(), Error> {
    let from = Tip { seq: seqs.1, row };
    walk(connection, log, seqs, from, "SELECT conv, seq, back, x'', 0 FROM entries WHERE id = ?1", |passed| {
        rows.push(passed.row);
        Ok::<_, Error>(ControlFlow::Continue(()))
    })
}

pub(super) fn broken(log: ConversationId, row: i64) -> Error {
    Error::Corrupt(format!("{log}: the row {row} is not the entry that it should be"))
}

/// Goes from the entry `from` back to seq `first`, and shows what `select` says of those that are not behind seq `last`.
fn walk<E: Failed>(
    connection: &Connection,
    (log, conv): (ConversationId, i64),
    (first, last): (u64, u64),
    from: Tip,
    select: &str,
    mut see: impl FnMut(Passed<'_>) -> Result<ControlFlow<()>, E>,
) -> Result<(), E> {
    let mut select = connection.prepare_cached(select)?;
    let (mut row, mut expected) = (from.row, from.seq);
    loop {
        let mut rows = select.query((row,))?;
        let Some(entry) = rows.next()? else { return Err(broken(log, row).into()) };
        let number = |column| entry.get::<_, i64>(column);
        let (of, seq, back) = (number(0)?, number(1)? as u64, number(2)?);
        if of != conv || seq != expected || (seq > 1) != (back > 0) {
            return Err(broken(log, row).into());
        }
        if seq <= last {
            let data = entry.get_ref(3)?.as_blob().map_err(rusqlite::Error::from)?;
            if see(Passed { log, row, seq, data, sum: number(4)? })?.is_break() {
                return Ok(());
            }
        }
        if seq <= first || back == 0 {
            return Ok(());
        }
        expected = seq - 1;
        row -= back;
    }
}

fn milestone(connection: &Connection, conv: i64, seq: u64) -> rusqlite::Result<Option<i64>> {
    let mut select = connection.prepare_cached("SELECT entry FROM milestones WHERE conv = ?1 AND seq = ?2")?;
    select.query_row((conv, seq as i64), |row| row.get(0)).optional()
}
