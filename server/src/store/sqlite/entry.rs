//! An entry as the bytes of its row.
//!
//! One byte: the kind in the low half, what follows in the high half. Then, as varints: the sender's number, the
//! device's, the 16 bytes of the client_id, when it was taken, when it expires, the three totals; then the body. The seq
//! is a column of its own.
//!
//! This is the first form. One with the highest bit of the first byte is a later one, which says its number behind that byte.
//! The second has, behind when the entry was taken, the true time of that; it is that of the few entries whose time was held.
//! All are read, since entries are for ever. A body says itself what it has, in JSON: a field that is added is one that older
//! bodies lack, and has a default.

use kith_protocol::{ConversationId, Timestamp, Uuid};

use super::sum;
use crate::store::{Counts, Error, Head, Kind, Record};

const DEVICE: u8 = 0x10;
const CLIENT_ID: u8 = 0x20;
const EXPIRES: u8 = 0x40;
/// The flag that marks a form with a version: no entry of the first form has it.
const LATER: u8 = 0x80;
/// The number of the form with a true time.
const SECOND: u8 = 2;

/// The contents of a stored entry, with numbers for its user and its device.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stored<'a> {
    pub(crate) kind: Kind,
    pub(crate) sender: i64,
    pub(crate) device: Option<i64>,
    pub(crate) client_id: Option<Uuid>,
    pub(crate) at: Timestamp,
    pub(crate) true_at: Option<Timestamp>,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) counts: Counts,
    pub(crate) body: &'a [u8],
}

impl<'a> Stored<'a> {
    /// The stored form of `record`.
    pub(super) fn of(record: &'a Record, sender: i64, device: Option<i64>) -> Self {
        Self {
            kind: record.kind,
            sender,
            device,
            client_id: record.client_id,
            at: record.at,
            true_at: record.true_at,
            expires_at: record.expires_at,
            counts: record.counts,
            body: &record.body,
        }
    }

    /// Puts the entry into `data`, which is emptied first.
    pub(super) fn encode(&self, data: &mut Vec<u8>) {
        data.clear();
        let has = |flag, is: bool| if is { flag } else { 0 };
        let flags = has(DEVICE, self.device.is_some())
            | has(CLIENT_ID, self.client_id.is_some())
            | has(EXPIRES, self.expires_at.is_some())
            | has(LATER, self.true_at.is_some());
        data.push(self.kind as u8 | flags);
        if self.true_at.is_some() {
            data.push(SECOND);
        }
        put(data, self.sender as u64);
        if let Some(device) = self.device {
            put(data, device as u64);
        }
        if let Some(client_id) = self.client_id {
            data.extend_from_slice(client_id.as_bytes());
        }
        put(data, self.at.millis());
        if let Some(true_at) = self.true_at {
            put(data, true_at.millis());
        }
        if let Some(expires_at) = self.expires_at {
            put(data, expires_at.millis());
        }
        put(data, self.counts.messages);
        put(data, self.counts.mentioning);
        put(data, self.counts.rev);
        data.extend_from_slice(self.body);
    }

    /// Reads the entry of a log at `seq`, whose row has the checksum `kept`.
    ///
    /// # Errors
    /// [`Error::Corrupt`], with the log and the seq, where it is not what was written.
    pub(super) fn read(log: ConversationId, seq: u64, data: &'a [u8], kept: i64) -> Result<Self, Error> {
        if !sum::holds(kept, sum::of_entry(log, seq, data)) {
            return Err(Error::Corrupt(format!("{log}.{seq}: its checksum is wrong")));
        }
        Self::decode(data).map_err(|_| Error::Corrupt(format!("{log}.{seq}: {} bytes are no entry", data.len())))
    }

    /// Reads what `encode` wrote.
    pub(crate) fn decode(data: &'a [u8]) -> Result<Self, Error> {
        let mut rest = data;
        Self::take(&mut rest).ok_or_else(|| Error::Corrupt(format!("an entry of {} bytes is none", data.len())))
    }

    fn take(rest: &mut &'a [u8]) -> Option<Self> {
        let (&first, tail) = rest.split_first()?;
        *rest = tail;
        if first & LATER != 0 {
            *rest = rest.strip_prefix(&[SECOND])?;
        }
        let optional = |flag: u8| first & flag != 0;
        let kind = Kind::from_u8(first & 0x0f)?;
        let sender = number(rest)? as i64;
        let device = if optional(DEVICE) { Some(number(rest)? as i64) } else { None };
        let client_id = if optional(CLIENT_ID) {
            let (bytes, tail) = rest.split_first_chunk::<16>()?;
            *rest = tail;
            Some(Uuid::from_bytes(*bytes))
        } else {
            None
        };
        let at = Timestamp::from_millis(number(rest)?);
        let true_at = if optional(LATER) { Some(Timestamp::from_millis(number(rest)?)) } else { None };
        let expires_at = if optional(EXPIRES) { Some(Timestamp::from_millis(number(rest)?)) } else { None };
        let counts = Counts { messages: number(rest)?, mentioning: number(rest)?, rev: number(rest)? };
        Some(Self { kind, sender, device, client_id, at, true_at, expires_at, counts, body: rest })
    }

    /// The head of a log whose last entry, at `seq`, this is.
    pub(super) fn head(&self, seq: u64) -> Head {
        Head { seq, at: self.at, counts: self.counts }
    }
}

/// Appends `number` in groups of seven bits, lowest first.
fn put(data: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        data.push(number as u8 | 0x80);
        number >>= 7;
    }
    data.push(number as u8);
}

/// Takes a number that `put` wrote.
fn number(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let (&byte, tail) = rest.split_first()?;
        *rest = tail;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_entry_reads_as_it_was_written(
            kind in 0..Kind::ALL.len(),
            sender in 0i64..,
            device in proptest::option::of(0i64..),
            client_id in proptest::option::of(any::<u128>().prop_map(Uuid::from_u128)),
            at in 0..Timestamp::MAX.millis(),
            true_at in proptest::option::of((0..Timestamp::MAX.millis()).prop_map(Timestamp::from_millis)),
            expires_at in proptest::option::of((0..Timestamp::MAX.millis()).prop_map(Timestamp::from_millis)),
            (messages, mentioning, rev) in any::<(u64, u64, u64)>(),
            body in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let counts = Counts { messages, mentioning, rev };
            let at = Timestamp::from_millis(at);
            let kind = Kind::ALL[kind];
            let stored = Stored { kind, sender, device, client_id, at, true_at, expires_at, counts, body: &body };
            let mut data = Vec::new();
            stored.encode(&mut data);
            prop_assert_eq!(Stored::decode(&data).unwrap(), stored);
            if data[0] & LATER == 0 {
                data[0] |= LATER;
                data.insert(1, SECOND);
            }
            data[1] += 1;
            prop_assert!(Stored::decode(&data).is_err(), "a form that is not known yet is not taken for the first");
        }

        #[test]
        fn any_bytes_are_refused_or_read(data in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = Stored::decode(&data);
        }
    }
}
