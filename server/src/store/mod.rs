//! The contract of the store: the seam between the messenger and its database.
//!
//! Two shapes. A **log** is the append-only list of one conversation's entries, with dense seqs from 1. **Rows** are
//! small values, ordered by key within a partition. Everything in rows that could be derived from a log stores the seq
//! that it reflects.
//!
//! # What `Ok` promises
//! A write, a raise or a commit that returned `Ok` survives the loss of power, and every read that begins afterwards
//! sees it. One that returned an error named here changed nothing; [`Error::Unavailable`] and [`WriteError::Lost`] alone
//! leave it open whether the change happened, and reading back tells.
//!
//! # What is atomic
//! A [`Turn`]: what one conversation changes together, in its log and in rows of any partition, fenced by the head of the
//! log. A commit: rows of one partition, under conditions. A raise: one row.
//!
//! # What an engine does on its own
//! It groups what waits into one durable write. It ends the process when the disk fails to write or to sync, since what
//! a failed sync left behind cannot be known (a full disk is no such failure: it is [`Error::Full`]). What was redacted
//! or deleted has left the disk within [`crate::limits::SCRUB_S`].
//!
//! `contract` is the suite that every engine passes.

pub mod contract;
mod ext;
#[cfg(test)]
pub(crate) mod faulty;
pub mod memory;
pub mod schema;
pub mod sqlite;
mod turn;

use std::{future::Future, ops::RangeInclusive, pin::Pin, time::Duration};

use bytes::Bytes;
pub use kith_log::Counts;
use kith_protocol::{ConversationId, DeviceId, InstanceId, Timestamp, UserId, Uuid};

pub use self::{
    ext::StoreExt,
    turn::{Raise, RowWrite, Turn, WriteError, ranked},
};
use crate::{clock, limits, telemetry};

/// The answer of an engine's verbs: boxed, so that the engine can be chosen when the program starts.
pub type Answer<'a, T, E = Error> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'a>>;

/// An engine that keeps logs and rows.
pub trait Store: Send + Sync + 'static {
    /// Writes a turn of a log whose last entry is `expected_head` (0 for an empty log): its entries, redactions and rows, all
    /// or none. A turn without entries is fenced by the head as well: whoever missed an entry changes no row.
    ///
    /// In the same atomic unit it remembers (sender, client_id) → seq of each entry with a `client_id`, for at least 7
    /// days ([`kith_protocol::limits::IDEMPOTENCY_S`]). No two of the entries should share theirs; where they do, both
    /// are appended and the first is the one remembered.
    ///
    /// # Errors
    /// [`WriteError::TooLarge`]; [`WriteError::Known`] when one of the entries was appended before under its `client_id` by
    /// its sender; [`WriteError::Conflict`] when the head is another. They are told in this order. After an error for which
    /// [`WriteError::is_unknown`] is true, the turn may have been written.
    ///
    /// # Panics
    /// Unless the seqs of the entries are `expected_head + 1`, `+ 2` …
    fn write(&self, log: ConversationId, expected_head: u64, turn: Turn) -> Answer<'_, (), WriteError>;

    /// Checks that nobody else has appended behind `head`, which the caller believes to be where the log ends: an answer from
    /// memory was then true when the caller asked. An engine that only one process can open answers at once.
    ///
    /// # Errors
    /// [`WriteError::Conflict`] or [`WriteError::Lost`] when somebody has.
    fn confirm(&self, log: ConversationId, head: u64) -> Answer<'_, (), WriteError>;

    /// The seq that `user`'s entry with `client_id` has in the log, if it was appended within the last 7 days.
    fn find(&self, log: ConversationId, user: UserId, client_id: Uuid) -> Answer<'_, Option<u64>>;

    /// Entries of several logs: for each range its records, in the order that its direction says.
    fn read(&self, ranges: Vec<LogRange>) -> Answer<'_, Vec<Vec<Record>>> {
        self.read_within(ranges, usize::MAX)
    }

    /// The same until the bodies come to `bytes`: the record with which they would be more is not given, nor any behind it,
    /// in its range and in those that follow; but the very first one is. What is not given is not read into memory.
    fn read_within(&self, ranges: Vec<LogRange>, bytes: usize) -> Answer<'_, Vec<Vec<Record>>>;

    /// The heads of several logs; `None` where a log is empty.
    fn heads(&self, logs: Vec<ConversationId>) -> Answer<'_, Vec<Option<Head>>>;

    /// The values of several rows; [`DAMAGED`] where one is not what was written.
    fn get(&self, rows: Vec<RowKey>) -> Answer<'_, Vec<Option<Bytes>>>;

    /// The rows of a partition whose keys lie within `range`, ascending or descending, `limit` at most; with the value
    /// [`DAMAGED`] where one, or its key, is not what was written.
    fn scan(&self, partition: Vec<u8>, range: KeyRange, direction: Direction, limit: usize) -> Answer<'_, Vec<Row>>;

    /// Makes all `changes` in one partition if all `conditions` hold, or none.
    ///
    /// # Errors
    /// [`CommitError::Condition`] with the current value of the first condition that does not hold.
    fn commit(
        &self,
        partition: Vec<u8>,
        changes: Vec<Change>,
        conditions: Vec<Condition>,
    ) -> Answer<'_, (), CommitError>;

    /// Raises rows, each in its own atomic unit: of the values that a row was raised to, it has the one with the highest rank,
    /// in whatever order the calls come.
    ///
    /// # Errors
    /// When the engine does not do it; some rows may be raised.
    fn raise(&self, rows: Vec<Raise>) -> Answer<'_, ()>;

    /// Checks that a write would be taken now.
    fn ready(&self) -> Answer<'_, ()>;
}

/// The kind of an entry, as a stored number. The wire's names are those of [`kith_protocol::Body`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
#[expect(missing_docs, reason = "kith_protocol::Body says each")]
pub enum Kind {
    Created = 1,
    Message = 2,
    Edit = 3,
    Delete = 4,
    Reaction = 5,
    MemberAdded = 6,
    MemberRemoved = 7,
    RoleChanged = 8,
    ConversationChanged = 9,
    Redacted = 10,
    /// A sealed message. Reserved: nothing writes it yet, and all that reads logs goes on past it.
    Sealed = 11,
    /// A commit, which changes the members and their keys together. Reserved.
    Commit = 12,
    /// A change of the devices of a member. Reserved.
    DevicesChanged = 13,
}

impl Kind {
    /// Every kind that is written.
    pub const ALL: [Kind; 10] = [
        Kind::Created,
        Kind::Message,
        Kind::Edit,
        Kind::Delete,
        Kind::Reaction,
        Kind::MemberAdded,
        Kind::MemberRemoved,
        Kind::RoleChanged,
        Kind::ConversationChanged,
        Kind::Redacted,
    ];

    /// The kinds that are reserved.
    pub const RESERVED: [Kind; 3] = [Kind::Sealed, Kind::Commit, Kind::DevicesChanged];

    /// The kind with this number, written or reserved.
    pub fn from_u8(number: u8) -> Option<Kind> {
        Kind::ALL.into_iter().chain(Kind::RESERVED).find(|kind| *kind as u8 == number)
    }

    /// Its `kind` on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Created => "created",
            Kind::Message => "message",
            Kind::Edit => "edit",
            Kind::Delete => "delete",
            Kind::Reaction => "reaction",
            Kind::MemberAdded => "member_added",
            Kind::MemberRemoved => "member_removed",
            Kind::RoleChanged => "role_changed",
            Kind::ConversationChanged => "conversation_changed",
            Kind::Redacted => "redacted",
            Kind::Sealed => "sealed",
            Kind::Commit => "commit",
            Kind::DevicesChanged => "devices_changed",
        }
    }
}

/// One entry as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its place in the log, from 1.
    pub seq: u64,
    /// Its kind.
    pub kind: Kind,
    /// The user whose doing it is.
    pub sender: UserId,
    /// The device from which it came.
    pub device: Option<DeviceId>,
    /// The name under which its sender may send it again.
    pub client_id: Option<Uuid>,
    /// The time at which the server took it; never before the entry in front of it.
    pub at: Timestamp,
    /// The true time at which it did, where `at` was held for that.
    pub true_at: Option<Timestamp>,
    /// The time at which its content is to go.
    pub expires_at: Option<Timestamp>,
    /// The totals up to here.
    pub counts: Counts,
    /// The `body` in its wire form, a JSON object. At most [`crate::limits::BODY_BYTES`].
    pub body: Bytes,
}

impl Record {
    /// Returns the true time at which the server took it.
    pub fn time(&self) -> Timestamp {
        self.true_at.unwrap_or(self.at)
    }
}

/// The head of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The seq of the last entry.
    pub seq: u64,
    /// The time at which it was taken.
    pub at: Timestamp,
    /// The totals up to it.
    pub counts: Counts,
}

/// The direction in which to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Lowest first.
    Ascending,
    /// Highest first.
    Descending,
}

/// A part of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRange {
    /// The log.
    pub log: ConversationId,
    /// Between which seqs; those above the head are just not there.
    pub seqs: RangeInclusive<u64>,
    /// The end at which to begin.
    pub direction: Direction,
    /// Records at most.
    pub limit: usize,
}

/// The name of a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowKey {
    /// The partition. At most 255 bytes, so that an engine may write its length in one.
    pub partition: Vec<u8>,
    /// Its place within.
    pub key: Vec<u8>,
}

/// A row of a scanned partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its place.
    pub key: Vec<u8>,
    /// Its value.
    pub value: Bytes,
}

/// The value of a row that is damaged: no value has this form. So damage is met by those who need the row, and not by those
/// who read on.
pub const DAMAGED: &[u8] = &[0];

impl Row {
    /// Returns true where the row is not what was written: its key may be another one's.
    pub fn is_damaged(&self) -> bool {
        self.value == DAMAGED
    }
}

/// The keys from `from` on, and before `to` where there is one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyRange {
    /// Included.
    pub from: Vec<u8>,
    /// Not included.
    pub to: Option<Vec<u8>>,
}

/// The value of a row; none where it is damaged, which is counted, and logged with the row that `of` names: it concerns those
/// whose row it is, and nobody who reads on.
pub fn unless_damaged<T>(of: impl FnOnce() -> String, read: Result<T, Error>) -> Option<T> {
    read.inspect_err(|error| telemetry::damage(&format!("{}: {error}", of()))).ok()
}

/// The time at which work that met damage is tried again.
pub fn later() -> Timestamp {
    clock::now().plus(Duration::from_secs(limits::DAMAGE_AGAIN_S))
}

/// The instance of the data. Where there is none, as in a new directory and in a copy, it is chosen now and stays.
///
/// # Errors
/// When the engine does not do it.
pub async fn instance(store: &dyn Store) -> Result<InstanceId, Error> {
    let new = || Bytes::copy_from_slice(&InstanceId::new(clock::uuid()).bytes());
    let row = schema::server::instance();
    match schema::server::instance_of(&store.kept(row.clone(), new).await?) {
        // With another one every device comes back from the log, which is right whatever the first one was.
        Err(Error::Corrupt(why)) => {
            telemetry::damage(&format!("the instance: {why}"));
            store.put(row.clone(), new()).await?;
            schema::server::instance_of(&store.kept(row, new).await?)
        }
        instance => instance,
    }
}

/// One change of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The row is this from now on.
    Put(Vec<u8>, Bytes),
    /// The row is no more.
    Delete(Vec<u8>),
}

/// A condition of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// There is no such row.
    Absent(Vec<u8>),
    /// The row is just this.
    Equals(Vec<u8>, Bytes),
}

/// The reason why an engine did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no room. Nothing was changed; it works again when there is.
    #[error("the disk is full: {0}")]
    Full(String),
    /// The engine is not there, or did not answer in time: whether the change happened must be read back.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// Damage: what was read is not what was written.
    #[error("stored data is damaged: {0}")]
    Corrupt(String),
}

/// The reason why rows were not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// A condition does not hold; what the row is now.
    #[error("a condition does not hold")]
    Condition {
        /// The index of the first condition that does not hold.
        index: usize,
        /// The value of its row.
        current: Option<Bytes>,
    },
    /// The engine did not do it.
    #[error(transparent)]
    Store(#[from] Error),
}
