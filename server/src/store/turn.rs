//! One turn of a conversation: everything that changes together when its keeper writes.

use bytes::Bytes;

use super::{Error, Record, RowKey};
use crate::limits;

/// The changes of one [`super::Store::write`]: entries, redactions and rows, all or none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Turn {
    /// Entries behind the expected head, with dense seqs.
    pub append: Vec<Record>,
    /// Replacements of entries that were there before this turn: each takes the place of the record at its seq, whose old
    /// content leaves the disk. Sender and client_id stay those that were appended, and stay known. One with a seq above
    /// the expected head is left out.
    pub redact: Vec<Record>,
    /// Changes of rows, of any partitions, made in this order.
    pub rows: Vec<RowWrite>,
}

/// One change of a row in a turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowWrite {
    /// Sets the value of the row.
    Put(RowKey, Bytes),
    /// Removes the row.
    Delete(RowKey),
    /// Sets the value unless the row has one of the same rank or a higher one.
    Raise(Raise),
}

/// A value for a row that never goes back, as a pointer. Such a row is only ever raised or deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raise {
    /// The row.
    pub row: RowKey,
    /// The rank of the value: of two values, the one with the higher rank stays.
    pub rank: u64,
    /// The value. It is stored, and read, behind its rank: see [`ranked`].
    pub value: Bytes,
}

impl Turn {
    /// A turn that appends entries and changes nothing else.
    pub fn append(append: Vec<Record>) -> Self {
        Self { append, ..Self::default() }
    }

    /// A turn that redacts one entry and changes nothing else.
    pub fn redact(record: Record) -> Self {
        Self { redact: vec![record], ..Self::default() }
    }

    /// A turn of rows alone. It is fenced by the head as any other.
    pub fn rows(rows: Vec<RowWrite>) -> Self {
        Self { rows, ..Self::default() }
    }

    /// The bytes of the bodies, row names and row values in it, which [`limits::STORE_TURN_BYTES`] bounds.
    pub fn bytes(&self) -> usize {
        let bodies = self.append.iter().chain(&self.redact).map(|record| record.body.len());
        bodies.chain(self.rows.iter().map(RowWrite::bytes)).sum()
    }

    /// The number of changes in it.
    pub fn changes(&self) -> usize {
        self.append.len() + self.redact.len() + self.rows.len()
    }

    /// Holds a turn to its contract before an engine looks at it.
    ///
    /// # Errors
    /// [`WriteError::TooLarge`].
    ///
    /// # Panics
    /// Unless the seqs of the entries follow on `expected_head`.
    pub(super) fn check(&self, expected_head: u64) -> Result<(), WriteError> {
        let follow = self.append.iter().zip(expected_head + 1..).all(|(record, seq)| record.seq == seq);
        assert!(follow, "the seqs of an append follow on {expected_head}");
        if self.bytes() > limits::STORE_TURN_BYTES { Err(WriteError::TooLarge) } else { Ok(()) }
    }
}

impl RowWrite {
    /// The bytes of its name and its value.
    pub fn bytes(&self) -> usize {
        let (row, value) = match self {
            RowWrite::Put(row, value) => (row, value.len()),
            RowWrite::Delete(row) => (row, 0),
            RowWrite::Raise(raise) => return raise.bytes(),
        };
        row.partition.len() + row.key.len() + value
    }
}

impl Raise {
    /// The bytes of its name and its value.
    pub fn bytes(&self) -> usize {
        self.row.partition.len() + self.row.key.len() + RANK_BYTES + self.value.len()
    }

    /// The stored form: the rank in eight big-endian bytes, then the value.
    pub(super) fn stored(&self) -> Bytes {
        [&self.rank.to_be_bytes()[..], &self.value].concat().into()
    }

    /// Returns true where the raised value takes the place of `current`, the stored form of the row. A row without a rank,
    /// as a damaged one, is below every other.
    pub(super) fn exceeds(&self, current: Option<&[u8]>) -> bool {
        current.and_then(ranked).is_none_or(|(rank, _)| self.rank > rank)
    }
}

const RANK_BYTES: usize = size_of::<u64>();

/// The rank and the value of a row that was raised, from what [`super::Store::get`] or a scan gave; none where it has no rank.
pub fn ranked(stored: &[u8]) -> Option<(u64, &[u8])> {
    let (rank, value) = stored.split_first_chunk::<RANK_BYTES>()?;
    Some((u64::from_be_bytes(*rank), value))
}

/// The reason why a turn was not written, or is not known to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// Another appended first. Nothing was changed.
    #[error("the head is {head}")]
    Conflict {
        /// The head of the log now.
        head: u64,
    },
    /// Some of the entries are there already: for each its index in the turn and its seq in the log. Nothing was changed.
    #[error("{} of the entries are known", .0.len())]
    Known(Vec<(usize, u64)>),
    /// Another process keeps the log now. The turn may be there or not: it must be read back. An engine that only one
    /// process can open never says so.
    #[error("another process keeps the log")]
    Lost,
    /// The turn has more than [`limits::STORE_TURN_BYTES`]. Nothing was changed.
    #[error("the turn has more than {} bytes", limits::STORE_TURN_BYTES)]
    TooLarge,
    /// The engine did not do it, or did not say: see [`Error`].
    #[error(transparent)]
    Store(#[from] Error),
}

impl WriteError {
    /// Returns true where the turn may have been written all the same: only reading the log tells.
    pub fn is_unknown(&self) -> bool {
        matches!(self, WriteError::Lost | WriteError::Store(Error::Unavailable(_)))
    }
}
