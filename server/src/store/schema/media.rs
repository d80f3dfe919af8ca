//! The rows of media: what they are, who refers to them, and when to look whether anybody still does.

use super::*;

/// A picture's size and what to show until it is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// Pixels from left to right, as it is to be shown.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
    /// Its thumbhash.
    pub thumbhash: Vec<u8>,
    /// The type of its thumbnail, if it has one.
    pub thumbnail: Option<String>,
}

/// A media.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    /// The user who sent it to the server.
    pub owner: UserId,
    /// SHA-256 of its bytes, which names them.
    pub sha256: [u8; 32],
    /// Bytes of it.
    pub size: u64,
    /// The content type of its bytes.
    pub content_type: String,
    /// The name that its owner gave it.
    pub name: Option<String>,
    /// The picture that it shows, if the server can read it.
    pub picture: Option<Picture>,
    /// The time at which it was complete.
    pub created_at: Timestamp,
    /// True while it is being removed: nobody may see it or refer to it any longer.
    pub doomed: bool,
}

/// A media to look at, and what may be left of it where it never was complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collect {
    /// The owner.
    pub owner: UserId,
    /// The SHA-256 of its bytes.
    pub sha256: [u8; 32],
}

/// A media that is sent in parts. How much of it has come its file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// Bytes that it will have.
    pub length: u64,
    /// The metadata, as its user sent them: the value of `Upload-Metadata`; empty where there was none.
    pub metadata: String,
}

impl Value for Upload {}
impl Value for Media {}
impl Value for Collect {}

pub(super) const ABOUT: u8 = 0;
pub(super) const SHOWN: u8 = 1;
pub(super) const USER: u8 = 2;
pub(super) const CONVERSATION: u8 = 3;

/// The partition of a media.
pub fn partition(media: MediaId) -> Vec<u8> {
    tagged(b'k', &[&media.bytes()])
}
/// The row of [`Media`].
pub fn about() -> Vec<u8> {
    vec![ABOUT]
}
/// The full name of the row of [`Media`].
pub fn row(media: MediaId) -> RowKey {
    RowKey { partition: partition(media), key: about() }
}

/// A reference to a media.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reference {
    /// A message shows it.
    Message(ConversationId, u64),
    /// The avatar of a user.
    User(UserId),
    /// The avatar of a conversation.
    Conversation(ConversationId),
}

/// The row of a reference; its value is since when, see [`user::time_value`].
pub fn reference(of: Reference) -> Vec<u8> {
    match of {
        Reference::Message(conversation, seq) => tagged(SHOWN, &[&conversation.bytes(), &seq.to_be_bytes()]),
        Reference::User(user) => tagged(USER, &[&user.bytes()]),
        Reference::Conversation(conversation) => tagged(CONVERSATION, &[&conversation.bytes()]),
    }
}
/// The rows of all references.
pub fn references() -> KeyRange {
    KeyRange { from: vec![SHOWN], to: Some(vec![CONVERSATION + 1]) }
}
/// The rows of the references by avatars.
pub fn avatars() -> KeyRange {
    KeyRange { from: vec![USER], to: Some(vec![CONVERSATION + 1]) }
}
/// The rows of the references by messages, from `key` on.
pub fn shown_from(key: &[u8]) -> KeyRange {
    KeyRange { from: key.to_vec().max(vec![SHOWN]), to: all(SHOWN).to }
}
/// The reference of a key.
pub fn reference_of(key: &[u8]) -> Result<Reference, Error> {
    Ok(match (key.first().copied(), key.len()) {
        (Some(SHOWN), 25) => Reference::Message(ConversationId::from_bytes(id_at(key, 1)?), number_at(key, 17)?),
        (Some(USER), 17) => Reference::User(UserId::from_bytes(id_at(key, 1)?)),
        (Some(CONVERSATION), 17) => Reference::Conversation(ConversationId::from_bytes(id_at(key, 1)?)),
        _ => return Err(Error::Corrupt("a media has no such reference".to_owned())),
    })
}

/// The partition of bytes that media share.
pub fn bytes_partition(sha256: &[u8; 32]) -> Vec<u8> {
    tagged(b'o', &[sha256])
}
/// The row that says that the bytes are a media's.
pub fn bytes_of(media: MediaId) -> Vec<u8> {
    tagged(0, &[&media.bytes()])
}
/// The rows of all media that have the bytes.
pub fn all_bytes_of() -> KeyRange {
    all(0)
}
/// The row that says that the bytes are being removed.
pub fn removing() -> Vec<u8> {
    vec![1]
}

/// The form of a user that is a whole value.
pub fn user_value(user: UserId) -> Bytes {
    Bytes::copy_from_slice(&user.bytes())
}
/// The user of such a value.
pub fn user_of(value: &[u8]) -> Result<UserId, Error> {
    id_at(value, 0).map(UserId::from_bytes)
}
