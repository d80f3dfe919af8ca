//! The keys of what users have written today, in bytes: rows that are there for those who write much.

use kith_protocol::UserId;

use super::{Error, KeyRange, id_at, number_at};

/// Their partition.
pub fn partition() -> Vec<u8> {
    vec![b'q']
}

/// The key of a user's row of a day, counted from 1970; its value is [`super::user::size_value`].
pub fn key(day: u64, user: UserId) -> Vec<u8> {
    [&day.to_be_bytes()[..], &user.bytes()].concat()
}

/// The day and the user of a key.
pub fn of_key(key: &[u8]) -> Result<(u64, UserId), Error> {
    Ok((number_at(key, 0)?, UserId::from_bytes(id_at(key, 8)?)))
}

/// The rows of earlier days.
pub fn before(day: u64) -> KeyRange {
    KeyRange { from: Vec::new(), to: Some(day.to_be_bytes().to_vec()) }
}

/// The rows of a day and of later ones.
pub fn from(day: u64) -> KeyRange {
    KeyRange { from: day.to_be_bytes().to_vec(), to: None }
}

/// The rows behind a key.
pub fn behind(key: &[u8]) -> KeyRange {
    KeyRange { from: super::behind(key), to: None }
}
