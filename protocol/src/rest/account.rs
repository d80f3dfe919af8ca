//! The bodies about accounts: users, their devices and sign-ins, what they show, and what they report.

use serde::{Deserialize, Serialize};

use crate::{
    ConversationId, DeviceId, MessageId, ReportId, Timestamp, UserId,
    limits::{FEATURE_BYTES, FEATURES},
    object,
};

/// The name and the platform that a device gives of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DeviceInfo {
    /// A name that its owner recognises.
    #[serde(default)]
    pub name: String,
    /// `web`, `linux`, `android` …
    #[serde(default)]
    pub platform: String,
    /// Names of what the device can do beyond what every device can: 32 of 32 bytes at most, of `a-z 0-9 . _ -`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
}

/// True where a device may name these features.
pub fn are_features(names: &[String]) -> bool {
    let is_one = |name: &String| {
        let bytes = name.as_bytes();
        let fits = (1..=FEATURE_BYTES).contains(&bytes.len());
        fits && bytes.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'))
    };
    names.len() <= FEATURES && names.iter().all(is_one)
}

/// Sign-up: `POST /v1/users`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NewUser {
    /// 3–32 of `a-z 0-9 . _ -`.
    pub username: String,
    /// 8–128 characters.
    pub password: String,
    /// The name that others see; the username where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The code of an invite, where registration needs one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invite: Option<String>,
    /// The device that signs up.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "object::optional")]
    pub device: Option<DeviceInfo>,
}

/// Sign-in: `POST /v1/sessions`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NewSession {
    /// The name of the account.
    pub username: String,
    /// Their password.
    pub password: String,
    /// The device that signs in.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "object::optional")]
    pub device: Option<DeviceInfo>,
    /// The secret that an earlier sign-in of this name gave this device, so that it waits among known devices only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_secret: Option<String>,
}

/// A device that is signed in. Its token is shown this once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SignedIn {
    /// The user.
    pub user: Profile,
    /// On what.
    pub device: Device,
    /// 256 random bits, for `Authorization: Bearer` and for `hello`.
    pub token: String,
    /// 256 random bits for the next sign-in of this name on this device. It outlives a sign-out, and opens nothing. An older
    /// server gives none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_secret: Option<String>,
}

/// `PUT /v1/users/me/password`
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ChangePassword {
    /// The password up to now.
    pub old: String,
    /// The password from now on.
    pub new: String,
}

/// `DELETE /v1/users/{id}`
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DeleteUser {
    /// One's password, once more.
    pub password: String,
}

/// `POST /v1/reports`: at least one of a user, a conversation and messages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NewReport {
    /// The user whom it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// The conversation that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<ConversationId>,
    /// Messages that the operator is to see as they stand now, 20 at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<MessageId>,
    /// The reason, in one's own words: 1000 characters at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A report that the operator will find.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ReportMade {
    /// Its name.
    pub id: ReportId,
}

/// `POST /v1/invites`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Invite {
    /// The code with which the invited person signs up, once.
    pub code: String,
    /// The time until which it is good.
    pub expires_at: Timestamp,
}

/// The people who see when one was last there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Everyone on the server.
    #[default]
    Everyone,
    /// The people to whom one has written.
    Contacts,
    /// Nobody.
    Nobody,
}

/// The people who may add one to groups and channels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Adders {
    /// Everyone on the server.
    #[default]
    Everyone,
    /// The people to whom one has written.
    Contacts,
}

/// The privacy settings: what others may know of one, and do to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Privacy {
    /// The people who see presence and last seen.
    #[serde(default)]
    pub last_seen: Audience,
    /// True if one sends, and sees, read pointers of direct conversations.
    #[serde(default = "yes")]
    pub read_receipts: bool,
    /// The people who may add one to groups and channels.
    #[serde(default)]
    pub groups: Adders,
}

fn yes() -> bool {
    true
}

impl Default for Privacy {
    fn default() -> Self {
        Self { last_seen: Audience::Everyone, read_receipts: true, groups: Adders::Everyone }
    }
}

/// A user as another sees them; `email`, `phone` and `privacy` as one sees oneself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Profile {
    /// For ever.
    pub id: UserId,
    /// Absent of an erased user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The name to show.
    pub display_name: String,
    /// The text about themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// Their picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
    /// True once they have erased their account.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
    /// One's own address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// One's own number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// One's own settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privacy: Option<Privacy>,
}

/// `PUT /v1/users/{id}`: absent fields stay as they are, an empty text unsets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ChangeProfile {
    /// The name to show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The text about oneself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// One's picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
    /// Seen by oneself only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Seen by oneself only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The privacy settings.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "object::optional")]
    pub privacy: Option<ChangePrivacy>,
}

/// The part of `PUT /v1/users/{id}` that says what others may know, and do to one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ChangePrivacy {
    /// The people who see presence and last seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Audience>,
    /// True if one sends, and sees, read pointers of direct conversations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_receipts: Option<bool>,
    /// The people who may add one to groups and channels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Adders>,
}

/// One of one's own devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Device {
    /// For ever.
    pub id: DeviceId,
    /// The name that it gives itself.
    pub name: String,
    /// The platform on which it runs.
    pub platform: String,
    /// The features that it named last; no older server tells them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
    /// The time at which it signed in.
    pub created_at: Timestamp,
    /// True for the device that asks.
    #[serde(default)]
    pub current: bool,
}
