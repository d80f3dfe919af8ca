//! The forms that rows had in older versions, each with the way to the next one.

use kith_protocol::{
    Timestamp,
    rest::{Adders, Audience, Privacy as Newer},
};
use serde::{Deserialize, Serialize};

use super::Value;

/// [`super::User`] as its version 1 was: without who may add the user to groups.
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
        }
    }
}
