//! The forms that rows had in older versions, each with the way to the next one.

use kith_protocol::{
    Timestamp, UserId, emoji,
    entry::Role,
    rest::{Adders, Audience, Privacy as Newer},
};
use serde::{Deserialize, Serialize};

use super::{Pointer, Pointers, Value};

/// [`super::User`] as its version 1 was: without who may add the user to groups, and without what the operator thinks of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct User {
    pub username: String,
    pub display_name: String,
    pub about: Option<String>,
    pub avatar: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub privacy: Privacy,
    pub password: String,
    pub created_at: Timestamp,
    pub last_seen: Option<Timestamp>,
    pub erased: bool,
}

/// The privacy in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Privacy {
    pub last_seen: Audience,
    pub read_receipts: bool,
}

impl Value for User {}

impl From<User> for super::User {
    fn from(older: User) -> Self {
        let Privacy { last_seen, read_receipts } = older.privacy;
        Self {
            username: older.username,
            display_name: older.display_name,
            about: older.about,
            avatar: older.avatar,
            email: older.email,
            phone: older.phone,
            privacy: Newer { last_seen, read_receipts, groups: Adders::Everyone },
            password: older.password,
            created_at: older.created_at,
            last_seen: older.last_seen,
            erased: older.erased,
            suspended: false,
            vouched: false,
        }
    }
}

/// [`super::Device`] as its version 1 was: it named no features.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Device {
    pub name: String,
    pub platform: String,
    pub created_at: Timestamp,
    pub token_hash: [u8; 32],
}

impl Value for Device {}

impl From<Device> for super::Device {
    fn from(Device { name, platform, created_at, token_hash }: Device) -> Self {
        Self { name, platform, created_at, token_hash, features: Vec::new() }
    }
}

/// [`super::Member`] as its version 1 was: everybody had accepted to be one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Member {
    pub role: Role,
    pub since: u64,
    pub joined: u64,
    pub read: Pointer,
    pub read_messages: u64,
    pub delivered: Pointer,
    pub mentions: Vec<u64>,
    pub has_written: bool,
}

impl Value for Member {}

impl From<Member> for super::Member {
    fn from(older: Member) -> Self {
        let Member { role, since, joined, read, read_messages, delivered, mentions, has_written } = older;
        Self {
            log: kith_log::Member { role, since, joined },
            pointers: Pointers { read, read_messages, delivered, mentions, has_written, accepted: true },
        }
    }
}

/// [`super::Amendment`] as its version 1 was: any text was a reaction, and each form of an emoji one of its own.
#[derive(Serialize, Deserialize)]
pub(super) struct Amendment {
    edits: Vec<u64>,
    deleted: bool,
    reactions: Vec<(String, Vec<UserId>)>,
}

impl Value for Amendment {}

impl From<Amendment> for super::Amendment {
    fn from(Amendment { edits, deleted, reactions }: Amendment) -> Self {
        let mut amendment = Self { edits, deleted, reactions: Vec::new() };
        for (emoji, users) in reactions {
            match amendment.reactions.iter_mut().find(|(other, _)| emoji::same(other, &emoji)) {
                Some((_, known)) => {
                    let new: Vec<UserId> = users.into_iter().filter(|user| !known.contains(user)).collect();
                    known.extend(new);
                }
                None => amendment.reactions.push((emoji::shown(&emoji), users)),
            }
        }
        amendment
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_one_emoji_become_one_reaction() {
        let user = |byte| UserId::from_bytes([byte; 16]);
        let reactions = vec![
            ("❤".to_owned(), vec![user(1), user(2)]),
            ("ok👍".to_owned(), vec![user(1)]),
            ("❤\u{fe0f}".to_owned(), vec![user(2), user(3)]),
        ];
        let row = Amendment { edits: vec![3], deleted: false, reactions }.encode();
        let amendment = super::super::Amendment::decode(&row).unwrap();
        let expected = [("❤\u{fe0f}".to_owned(), vec![user(1), user(2), user(3)]), ("ok👍".to_owned(), vec![user(1)])];
        assert_eq!((amendment.edits, amendment.deleted), (vec![3], false));
        assert_eq!(amendment.reactions, expected);
    }
}
