//! The rows of work that is due at a time: a message that expires, a request that ends, a media or an upload to look at.
//!
//! A row lies in the partition of its kind, its bucket and the window of time in which it is due, so that no partition is
//! written and emptied again for ever. A bucket is 8 bits of the hash of what the work is about, fixed for ever: later each
//! bucket is the work of one node. A cursor says up to when the work of a bucket is done; a row is never put behind it.

use std::ops::RangeInclusive;

use sha2::{Digest as _, Sha256};

use super::*;

const LETTER: u8 = b'f';
const HOUR_MS: u64 = 3600 * 1000;
const DAY_MS: u64 = 24 * HOUR_MS;

/// A kind of work; its number is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Kind {
    /// To take the content of an expired message.
    Expiry = 1,
    /// To end a request that nobody has answered.
    Request = 2,
    /// To look whether anything still refers to a media.
    Media = 3,
    /// To look whether an upload goes on.
    Upload = 4,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 4] = [Kind::Expiry, Kind::Request, Kind::Media, Kind::Upload];

    /// The kind with this number.
    pub fn from_u8(number: u8) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| *kind as u8 == number)
    }

    /// The value of its label in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Expiry => "expiry",
            Kind::Request => "request",
            Kind::Media => "media",
            Kind::Upload => "upload",
        }
    }

    /// The length of a window, in milliseconds.
    const fn window_ms(self) -> u64 {
        match self {
            Kind::Expiry => HOUR_MS,
            Kind::Request | Kind::Media | Kind::Upload => DAY_MS,
        }
    }

    /// The number of the window in which a time lies.
    pub const fn window(self, at: Timestamp) -> u64 {
        at.millis() / self.window_ms()
    }

    /// The beginning of a window.
    pub const fn begin(self, window: u64) -> Timestamp {
        Timestamp::from_millis(window.saturating_mul(self.window_ms()))
    }

    /// The first bytes of the partitions of this kind.
    pub const fn prefix(self) -> [u8; 2] {
        [LETTER, self as u8]
    }
}

/// One piece of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// The message of a conversation at a seq expires. The row has no value.
    Expiry(ConversationId, u64),
    /// The request of a user in a conversation ends. The row has no value.
    Request(UserId, ConversationId),
    /// A media is looked at. The value is a [`Collect`].
    Media(MediaId),
    /// An upload is looked at. The value is its user, see [`media::user_value`].
    Upload(UploadId),
}

impl Task {
    /// Its kind.
    pub const fn kind(&self) -> Kind {
        match self {
            Task::Expiry(..) => Kind::Expiry,
            Task::Request(..) => Kind::Request,
            Task::Media(_) => Kind::Media,
            Task::Upload(_) => Kind::Upload,
        }
    }

    /// Its bucket.
    pub fn bucket(&self) -> u8 {
        match self {
            Task::Expiry(conversation, _) | Task::Request(_, conversation) => bucket(conversation.bytes()),
            Task::Media(media) => bucket(media.bytes()),
            Task::Upload(upload) => bucket(upload.bytes()),
        }
    }

    fn key(&self, at: Timestamp) -> Vec<u8> {
        let at = at.millis().to_be_bytes();
        match self {
            Task::Expiry(conversation, seq) => [&at[..], &conversation.bytes(), &seq.to_be_bytes()].concat(),
            Task::Request(user, conversation) => [&at[..], &user.bytes(), &conversation.bytes()].concat(),
            Task::Media(media) => [&at[..], &media.bytes()].concat(),
            Task::Upload(upload) => [&at[..], &upload.bytes()].concat(),
        }
    }
}

/// The bucket of an identifier: the first byte of its SHA-256.
fn bucket(id: [u8; 16]) -> u8 {
    Sha256::digest(id)[0]
}

/// Every bucket.
pub const fn buckets() -> RangeInclusive<u8> {
    0..=u8::MAX
}

/// The partition of what is due in a window.
pub fn partition(kind: Kind, bucket: u8, window: u64) -> Vec<u8> {
    [&kind.prefix()[..], &[bucket], &window.to_be_bytes()].concat()
}
/// The row that has a task done at a time.
pub fn row(at: Timestamp, task: Task) -> RowKey {
    let kind = task.kind();
    RowKey { partition: partition(kind, task.bucket(), kind.window(at)), key: task.key(at) }
}
/// The rows of a partition that are due at a time or later.
pub fn from(at: Timestamp) -> KeyRange {
    KeyRange { from: at.millis().to_be_bytes().to_vec(), to: None }
}
/// The time at which a row of a kind is due, and the task.
pub fn of_key(kind: Kind, key: &[u8]) -> Result<(Timestamp, Task), Error> {
    let at = Timestamp::from_millis(number_at(key, 0)?);
    let (task, length) = match kind {
        Kind::Expiry => (Task::Expiry(ConversationId::from_bytes(id_at(key, 8)?), number_at(key, 24)?), 32),
        Kind::Request => {
            (Task::Request(UserId::from_bytes(id_at(key, 8)?), ConversationId::from_bytes(id_at(key, 24)?)), 40)
        }
        Kind::Media => (Task::Media(MediaId::from_bytes(id_at(key, 8)?)), 24),
        Kind::Upload => (Task::Upload(UploadId::from_bytes(id_at(key, 8)?)), 24),
    };
    if key.len() != length {
        return Err(Error::Corrupt(format!("a key of {} bytes is none of a task", key.len())));
    }
    Ok((at, task))
}
/// The kind and the key's task of a row of [`partition`], or of one that a directory of version 3 has.
pub(in crate::store) fn of_row(partition: &[u8], key: &[u8]) -> Option<Result<(Timestamp, Task), Error>> {
    let kind = match *partition {
        [LETTER, kind, _, _, _, _, _, _, _, _, _] => Kind::from_u8(kind)?,
        [b'x', _] => Kind::Expiry,
        [b'e', _] => Kind::Request,
        [b'g', _] => Kind::Media,
        [b'w', _] => Kind::Upload,
        _ => return None,
    };
    Some(of_key(kind, key))
}

/// The partition of the cursors.
pub fn cursors() -> Vec<u8> {
    vec![LETTER]
}
/// The row of the cursor of a bucket; its value is [`user::time_value`]: what was due before is done.
pub fn cursor(kind: Kind, bucket: u8) -> Vec<u8> {
    vec![kind as u8, bucket]
}
/// The rows of all cursors of a kind.
pub fn cursors_of(kind: Kind) -> KeyRange {
    all(kind as u8)
}
/// The kind and the bucket of a key of a cursor.
pub fn cursor_of(key: &[u8]) -> Option<(Kind, u8)> {
    let [kind, bucket] = *key else { return None };
    Some((Kind::from_u8(kind)?, bucket))
}
/// The row that says since when there is anything due, for the buckets without a cursor; its value is [`user::time_value`].
pub fn since() -> RowKey {
    RowKey { partition: cursors(), key: Vec::new() }
}
