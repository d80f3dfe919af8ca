//! The cursor of a page of a search, sealed: its holder learns nothing from it, and can make none.

use std::ops::Bound;

use aes_gcm::{
    Aes256Gcm, KeyInit as _,
    aead::{Aead as _, Payload, array::Array},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use kith_protocol::{ConversationId, Timestamp, UserId};

use super::{Asked, fts::Place};
use crate::{Error, clock};

const NONCE_BYTES: usize = 12;
/// Bytes of a cursor before it is sealed: a flag for the place itself; its time, conversation and seq; how many to skip.
/// Always so long, since the length would tell something.
const PLAIN_BYTES: usize = 1 + 8 + 16 + 8 + 8;

/// The end of a page: the number of messages up to a place that have been looked at, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cursor {
    /// The place of a message that was found for the caller.
    pub up_to: Bound<Place>,
    /// The number of messages to skip.
    pub skip: usize,
}

impl Cursor {
    /// The cursor for a user, who can use it with the same words and filters only.
    pub fn seal(self, key: &[u8; 32], user: UserId, asked: &Asked) -> String {
        let nonce: [u8; NONCE_BYTES] = clock::random();
        let (plain, bound_to) = (self.bytes(), bound_to(user, asked));
        let payload = Payload { msg: &plain, aad: &bound_to };
        let sealed = Aes256Gcm::new(&Array(*key)).encrypt(&Array(nonce), payload).expect("it is short");
        BASE64_URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat())
    }

    /// Reads a cursor.
    ///
    /// # Errors
    /// `invalid_request` where it was not sealed with this key, for this user, for this search.
    pub fn open(sealed: &str, key: &[u8; 32], user: UserId, asked: &Asked) -> Result<Self, Error> {
        let read = || {
            let sealed = BASE64_URL_SAFE_NO_PAD.decode(sealed).ok()?;
            let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
            let payload = Payload { msg: sealed, aad: &bound_to(user, asked) };
            Self::of_bytes(&Aes256Gcm::new(&Array(*key)).decrypt(&Array(*nonce), payload).ok()?)
        };
        read().ok_or_else(|| Error::field("?cursor", "not a cursor of this search"))
    }

    fn bytes(self) -> [u8; PLAIN_BYTES] {
        let (excluded, place) = match self.up_to {
            Bound::Included(place) => (0, place),
            Bound::Excluded(place) => (1, place),
            Bound::Unbounded => unreachable!("a page that ends somewhere ends at a message"),
        };
        let numbers = [place.at.millis(), place.seq, self.skip as u64].map(u64::to_be_bytes);
        let bytes = [&[excluded][..], &place.conversation.bytes(), numbers.as_flattened()].concat();
        bytes.try_into().expect("so long are they")
    }

    fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let (excluded, rest) = bytes.split_first()?;
        let (conversation, rest) = rest.split_first_chunk::<16>()?;
        let (numbers, []) = rest.as_chunks::<8>() else { return None };
        let [at, seq, skip] = numbers.iter().map(|number| u64::from_be_bytes(*number)).collect::<Vec<_>>()[..] else {
            return None;
        };
        let conversation = ConversationId::from_bytes(*conversation);
        let place = Place { at: Timestamp::from_millis(at), conversation, seq };
        let up_to = if *excluded == 0 { Bound::Included(place) } else { Bound::Excluded(place) };
        Some(Self { up_to, skip: skip as usize })
    }
}

/// The user and the search to which a cursor belongs: authenticated with it, but not in it.
fn bound_to(user: UserId, asked: &Asked) -> Vec<u8> {
    let Asked { text, conversation, from, before, .. } = asked;
    format!("kith search cursor\n{user}\n{conversation:?}\n{from:?}\n{before:?}\n{text}").into_bytes()
}

#[cfg(test)]
mod tests {
    use kith_protocol::Code;

    use super::*;

    const KEY: [u8; 32] = [7; 32];

    fn asked(text: &str) -> Asked {
        Asked { text: text.to_owned(), ..Asked::default() }
    }

    fn cursor(seq: u64) -> Cursor {
        let conversation = ConversationId::from_bytes([5; 16]);
        Cursor { up_to: Bound::Excluded(Place { at: Timestamp::from_millis(12_345), conversation, seq }), skip: 3 }
    }

    #[test]
    fn a_cursor_leads_back_to_its_place_and_shows_nothing() {
        let user = UserId::from_bytes([1; 16]);
        let included = Cursor {
            up_to: Bound::Included(Place {
                at: Timestamp::default(),
                conversation: ConversationId::from_bytes([5; 16]),
                seq: 1,
            }),
            skip: 0,
        };
        for cursor in [cursor(1), cursor(u64::MAX), included] {
            let sealed = cursor.seal(&KEY, user, &asked("tea"));
            assert_eq!(Cursor::open(&sealed, &KEY, user, &asked("tea")), Ok(cursor));
            assert_eq!(sealed.len(), (NONCE_BYTES + PLAIN_BYTES + 16) * 4 / 3);
        }
        assert_ne!(cursor(1).seal(&KEY, user, &asked("tea")), cursor(1).seal(&KEY, user, &asked("tea")));
    }

    #[test]
    fn a_cursor_is_good_for_its_user_and_its_search_only() {
        let [user, other] = [1, 2].map(|byte| UserId::from_bytes([byte; 16]));
        let sealed = cursor(1).seal(&KEY, user, &asked("tea"));
        let refused = |sealed: &str, key, user, asked: &Asked| {
            let error = Cursor::open(sealed, key, user, asked).expect_err("it is not good");
            assert_eq!(error.code, Code::InvalidRequest);
        };
        refused(&sealed, &KEY, other, &asked("tea"));
        refused(&sealed, &[8; 32], user, &asked("tea"));
        refused(&sealed, &KEY, user, &asked("coffee"));
        refused(&sealed, &KEY, user, &Asked { from: Some(other), ..asked("tea") });
        for at in 0..sealed.len() {
            let mut changed = sealed.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            refused(&String::from_utf8(changed).unwrap(), &KEY, user, &asked("tea"));
            refused(&sealed[..at], &KEY, user, &asked("tea"));
        }
        // Those of older servers.
        refused("458752000000000.50", &KEY, user, &asked("tea"));
    }
}
