//! Every row that is kept, on one page: its partition, its key, its value.
//!
//! Only this module builds keys. Numbers in keys are big-endian, so that they sort; values are postcard behind one byte
//! that says their version.
//!
//! | partition | key | value |
//! |---|---|---|
//! | `m` | `version` | the version of the data directory, 4 bytes |
//! | | 0 user | the name of a user whose erasure was begun |
//! | | `clock` | [`Kept`]: the last good time |
//! | | `probe` | when an engine last tried whether there was room again, 8 bytes |
//! | | `media key` | what signs the urls of media, 32 bytes |
//! | | `push key` | what signs for push services that this server is itself, 32 bytes |
//! | | `instance` | which life of the data this is, 16 bytes; a copy has none until a server opens it |
//! | `u` user | 0 | [`User`] |
//! | | 1 device | [`Device`] |
//! | | 2 user | empty: blocked |
//! | | 3 conversation | [`Listed`] |
//! | | 4 at conversation seq | empty: a mention of the user |
//! | | 5 hash | [`Replay`]: an idempotency key that was used |
//! | | 6 user | empty: a contact, somebody to whom the user has written |
//! | | 7 hash | until when an invite of the user is good |
//! | | 8 media | bytes of a media of the user, 8 bytes |
//! | | 9 | bytes of all of them, 8 bytes |
//! | | 10 upload | [`Upload`]: one that is not finished |
//! | | 11 upload | the same, once it has become a media |
//! | | 12 | [`Today`] |
//! | | 13 hash | [`Known`]: a device secret of the user |
//! | | 14 conversation | [`Request`] |
//! | `n` first byte of the name | the name | the user |
//! | `t` hash of the token | empty | [`Token`] |
//! | `d` lower user, higher user | empty | their direct conversation |
//! | `i` hash of the code | empty | [`Invite`] |
//! | `c` conversation | 0 | [`State`] |
//! | | 1 user | [`Member`] |
//! | | 2 seq | [`Amendment`] |
//! | `h` first byte of the title | title, 0, conversation | empty: a channel |
//! | `a` shard | conversation | empty: it may have entries that its rows do not reflect |
//! | | conversation 1 | 16 bytes, other ones each time: it may have entries that the search index does not reflect |
//! | | conversation 2 seq | 16 bytes, other ones each time: nobody has looked whom to push the entries behind `seq` to |
//! | `p` shard | 0 user device | [`Subscription`] |
//! | | 1 user device conversation | [`Pending`]: to be pushed |
//! | `q` | day user | bytes of entries that a user who writes much has caused that day, 8 bytes |
//! | `k` media | 0 | [`Media`] |
//! | | 1 conversation seq | since when a message shows it, 8 bytes |
//! | | 2 user | since when it is that user's avatar |
//! | | 3 conversation | since when it is that conversation's avatar |
//! | `o` SHA-256 | 0 media | empty: these bytes are that media's |
//! | | 1 | empty: the bytes are being removed |
//! | `r` | 0 report | [`Report`] |
//! | | 1 report user | empty: that user made it |
//! | `f` 1 bucket hour | at conversation seq | empty: a message that expires then |
//! | `f` 2 bucket day | at user conversation | empty: look then whether that request is over |
//! | `f` 3 bucket day | at media | [`Collect`]: look then whether anybody still needs it |
//! | `f` 4 bucket day | at upload | its user: look then whether it goes on |
//! | `f` | empty | since when any of these are due, 8 bytes |
//! | | kind bucket | a cursor: up to when those of the bucket are done, 8 bytes |
//!
//! # Homes
//! A row has one home: the *turns* of a conversation, fenced by its head; *conditions* on its own partition, for whoever has to
//! write it; or *plain* writes, where one that comes twice, or late, says the same. An engine on several nodes needs a partition
//! to have one home; here `u` still has two, so its rows of conversations are to move to a partition of their own.
//!
//! | partition | home | written by | deleted by | lifetime |
//! |---|---|---|---|---|
//! | `m` | conditions | the server as a whole | nobody; an erasure's note by its end | for ever |
//! | `u` 0 1 2 5 7 to 13 | conditions | the doors, for the user | the user, the erasure; 5 after 7 days | the account |
//! | `u` 3 4 6 14 | turns | the conversation, before the entry that it belongs to | its entry that removes the user, the erasure | membership |
//! | `n` `t` `i` | conditions | sign-up, sign-in, inviting | renaming, signing out, use | as what they lead to |
//! | `d` | conditions | who begins it | nobody | for ever |
//! | `c` | turns | the conversation's keeper | the keeper: a member who is removed | for ever |
//! | `h` | plain | the conversation's keeper | the keeper: another title | as the title |
//! | `a` | conditions | the conversation's keeper, before an append | the keeper once its rows reflect the log; search and push | until done |
//! | `p` | plain | subscribing; push | unsubscribing; push | the device; a day |
//! | `q` | plain | writing much | the next day | 2 days |
//! | `k` `o` | conditions | sending media, referring to them | their collection | as long as anything refers to them |
//! | `r` | plain | reporting | the operator, a sweep | 90 days |
//! | `f` windows | plain | turns and doors | `work`, once done | until done; a window |
//! | `f` | plain | `work` | nobody | for ever |
//!
//! Reserved for sealed messages, so that nothing else takes the letters: `g` conversation (turns: the public group, its tree, the
//! welcomes; 90 days), `l` user (conditions: lists of devices, links, the recovery packet), `y` device (conditions: key packages),
//! `v` user conversation (conditions: chunks of the vault).

pub mod due;
pub mod media;
mod older;
mod place;
pub mod push;
pub mod quota;
mod shown;
mod strangers;
#[cfg(test)]
mod tests;
pub mod user;

use bytes::Bytes;
pub use kith_log::Amendment;
use kith_log::Settings;
use kith_protocol::{ConversationId, DeviceId, InstanceId, MediaId, Timestamp, UploadId, UserId, rest::Privacy};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

pub use self::{
    media::{Collect, Media, Picture, Upload},
    place::{Place, named, place},
    push::{Pending, Subscription},
    shown::{PARTITIONS, shown},
    strangers::{Report, ReportedMessage, Request, report},
};
use super::{Counts, Error, KeyRange, RowKey};
pub use crate::clock::judge::Kept;

/// The version of a data directory. One of a higher version is refused, one of a lower is led to this one when it is opened,
/// by the steps of [`super::sqlite::upgrade`]. In one of version 1 every row is of its first version.
pub const VERSION: u32 = 4;
/// Over how many partitions the rows of the whole server are spread.
pub const SHARDS: u8 = 16;

/// A value that is kept in a row.
///
/// A form that changes gets the next `VERSION`; the type that it had moves to a module `older` and stays a `Value` of its own
/// version, so that `upgrade` leads from any version to the next, and so to this one.
pub trait Value: Serialize + DeserializeOwned {
    /// The version of its form, the first byte of the row.
    const VERSION: u8 = 1;

    /// Encodes the value in the form of this version.
    fn encode(&self) -> Bytes {
        let bytes = postcard::to_extend(self, vec![Self::VERSION]).expect("a row has a stored form");
        bytes.into()
    }

    /// Decodes a row of this version, or of an older one.
    ///
    /// # Errors
    /// [`Error::Corrupt`] where it is neither.
    fn decode(row: &[u8]) -> Result<Self, Error> {
        match row.split_first() {
            Some((&version, form)) if version == Self::VERSION => {
                postcard::from_bytes(form).map_err(|error| corrupt::<Self>(&error.to_string()))
            }
            _ => Self::upgrade(row),
        }
    }

    /// Decodes a row of an older version: that of the version before, converted. The first version has none before it.
    ///
    /// # Errors
    /// [`Error::Corrupt`] where it is of no older version either.
    fn upgrade(_row: &[u8]) -> Result<Self, Error> {
        Err(corrupt::<Self>("unknown version"))
    }
}

fn corrupt<V>(why: &str) -> Error {
    Error::Corrupt(format!("a row of {}: {why}", std::any::type_name::<V>()))
}

/// A user; what others may see of it is [`kith_protocol::rest::Profile`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Empty once erased.
    pub username: String,
    /// The name to show.
    pub display_name: String,
    /// The text about themselves.
    pub about: Option<String>,
    /// Their picture.
    pub avatar: Option<String>,
    /// Seen by themselves only.
    pub email: Option<String>,
    /// Seen by themselves only.
    pub phone: Option<String>,
    /// The privacy settings.
    pub privacy: Privacy,
    /// Argon2id, in PHC form; empty once erased.
    pub password: String,
    /// The time at which they signed up.
    pub created_at: Timestamp,
    /// The time at which a person last did something.
    pub last_seen: Option<Timestamp>,
    /// True once the account is erased: this row is all that remains.
    pub erased: bool,
    /// True while the operator has suspended it: nobody signs in.
    pub suspended: bool,
    /// True where the operator vouches for it: it was imported, or came with an invite of theirs.
    pub vouched: bool,
}

/// A device that is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// The name that it gives itself.
    pub name: String,
    /// The platform on which it runs.
    pub platform: String,
    /// The time at which it signed in.
    pub created_at: Timestamp,
    /// SHA-256 of its token.
    pub token_hash: [u8; 32],
    /// The features that it named last.
    pub features: Vec<String>,
}

/// A device secret: with it a sign-in waits among known devices. The key has its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// The device that signed in with it last; it may be signed out.
    pub device: DeviceId,
    /// The time of that.
    pub used_at: Timestamp,
}

/// The owner of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// The user.
    pub user: UserId,
    /// The device.
    pub device: DeviceId,
}

/// An invite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invite {
    /// The user who made it; absent for the operator.
    pub by: Option<UserId>,
    /// The time until which it is good.
    pub expires_at: Timestamp,
}

/// An idempotency key that was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replay {
    /// SHA-256 of the body.
    pub body_hash: [u8; 32],
    /// The status that was answered.
    pub status: u16,
    /// The resource that the request made, from which the answer is rebuilt.
    pub resource: String,
    /// The time of the answer; forgotten after 7 days.
    pub at: Timestamp,
}

/// Counts what a user did on one day, UTC: another day begins with nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Today {
    /// The day, as days since the epoch.
    pub day: u64,
    /// Conversations that the user began.
    pub begun: u32,
    /// Direct conversations of strangers that reached the user.
    pub stranger_directs: u32,
    /// Groups and channels of strangers that reached the user.
    pub stranger_groups: u32,
    /// Reports that the user made.
    pub reports: u32,
}

/// A conversation in a user's list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Listed {
    /// The time until which it makes no noise.
    pub muted_until: Option<Timestamp>,
    /// True if it stays on top.
    pub pinned: bool,
    /// True if it is put away.
    pub archived: bool,
}

/// A conversation, as of one entry of its log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The seq that every row of the partition reflects.
    pub seq: u64,
    /// The totals up to that seq.
    pub counts: Counts,
    /// The settings as of that seq.
    pub settings: Settings,
}

/// One pointer of a member, and its last moves.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Pointer {
    /// The seq of the entry.
    pub seq: u64,
    /// Its last moves, oldest first, [`kith_protocol::limits::POINTER_MOVES`] at most: to which seq, when.
    pub moves: Vec<(u64, Timestamp)>,
}

/// A member of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The part that is derived from the log.
    pub log: kith_log::Member,
    /// The part that is raised by the keeper of the conversation, and that no log says.
    pub pointers: Pointers,
}

/// The pointers of a member, and what else their devices and they themselves move on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pointers {
    /// The pointer to what they read.
    pub read: Pointer,
    /// [`Counts::messages`] at `read`.
    pub read_messages: u64,
    /// The pointer to what reached a device of theirs.
    pub delivered: Pointer,
    /// The seqs above `read` of the messages by others that mention them, ascending, 100 at most.
    pub mentions: Vec<u64>,
    /// True once they have written here: in a direct conversation that makes the other side a contact.
    pub has_written: bool,
    /// True where the conversation reaches them. One into which a stranger brought them does once they accept it: then, and
    /// only then, it is in their list.
    pub accepted: bool,
}

impl Value for User {
    const VERSION: u8 = 2;

    fn upgrade(row: &[u8]) -> Result<Self, Error> {
        older::User::decode(row).map(Self::from)
    }
}
impl Value for Kept {}
/// The second version has the features that a device names.
impl Value for Device {
    const VERSION: u8 = 2;

    fn upgrade(row: &[u8]) -> Result<Self, Error> {
        older::Device::decode(row).map(Self::from)
    }
}
impl Value for Known {}
impl Value for Token {}
impl Value for Invite {}
impl Value for Replay {}
impl Value for Listed {}
impl Value for Today {}
impl Value for State {}
impl Value for Member {
    const VERSION: u8 = 2;

    fn upgrade(row: &[u8]) -> Result<Self, Error> {
        older::Member::decode(row).map(Self::from)
    }
}
/// The second version has the forms of one emoji as one reaction, in the form that shows.
impl Value for Amendment {
    const VERSION: u8 = 2;

    fn upgrade(row: &[u8]) -> Result<Self, Error> {
        older::Amendment::decode(row).map(Self::from)
    }
}

const PROFILE: u8 = 0;
const DEVICE: u8 = 1;
const BLOCKED: u8 = 2;
const LISTED: u8 = 3;
const MENTION: u8 = 4;
const REPLAY: u8 = 5;
const CONTACT: u8 = 6;
const INVITE: u8 = 7;
const MEDIA: u8 = 8;
const MEDIA_BYTES: u8 = 9;
const UPLOAD: u8 = 10;
const UPLOADED: u8 = 11;
const TODAY: u8 = 12;
const KNOWN: u8 = 13;
const REQUEST: u8 = 14;
const ERASING: u8 = 0;
const STATE: u8 = 0;
const MEMBER: u8 = 1;
const AMENDMENT: u8 = 2;
const UNINDEXED: u8 = 1;
const UNPUSHED: u8 = 2;

fn tagged(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1 + parts.iter().map(|part| part.len()).sum::<usize>());
    bytes.push(tag);
    parts.iter().for_each(|part| bytes.extend_from_slice(part));
    bytes
}

/// The first key behind `key`: where a scan that has met it goes on.
pub fn behind(key: &[u8]) -> Vec<u8> {
    [key, &[0]].concat()
}

/// The keys that begin with `tag`.
fn all(tag: u8) -> KeyRange {
    KeyRange { from: vec![tag], to: Some(vec![tag + 1]) }
}

/// The 16 bytes of an identifier at the end of a key, or in its middle.
fn id_at(key: &[u8], at: usize) -> Result<[u8; 16], Error> {
    let bytes = key.get(at..at + 16).and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| Error::Corrupt(format!("a key of {} bytes has no identifier at {at}", key.len())))
}

fn number_at(key: &[u8], at: usize) -> Result<u64, Error> {
    let bytes = key.get(at..at + 8).and_then(|bytes| bytes.try_into().ok());
    bytes.map(u64::from_be_bytes).ok_or_else(|| Error::Corrupt(format!("a key has no number at {at}")))
}

/// Rows about the server itself.
pub mod server {
    use super::*;

    /// Its partition.
    pub fn partition() -> Vec<u8> {
        vec![b'm']
    }
    /// The row of the schema's version.
    pub fn version() -> Vec<u8> {
        b"version".to_vec()
    }
    /// The value of that row.
    pub fn version_value(version: u32) -> Bytes {
        Bytes::copy_from_slice(&version.to_be_bytes())
    }
    /// The version in such a value.
    pub fn version_of(value: &[u8]) -> Result<u32, Error> {
        let bytes = value.try_into().map_err(|_| Error::Corrupt("the version has not four bytes".to_owned()))?;
        Ok(u32::from_be_bytes(bytes))
    }
    /// The row that says that the erasure of a user was begun.
    pub fn erasing(user: UserId) -> Vec<u8> {
        tagged(ERASING, &[&user.bytes()])
    }
    /// The rows of all erasures that were begun.
    pub fn all_erasing() -> KeyRange {
        all(ERASING)
    }
    /// The user of a row of `all_erasing`.
    pub fn user_of(key: &[u8]) -> Result<UserId, Error> {
        id_at(key, 1).map(UserId::from_bytes)
    }
    /// The row of the key that signs the urls of media.
    pub fn media_key() -> RowKey {
        RowKey { partition: partition(), key: b"media key".to_vec() }
    }
    /// The row of the key that signs for push services.
    pub fn push_key() -> RowKey {
        RowKey { partition: partition(), key: b"push key".to_vec() }
    }
    /// The row of the key that seals the cursors of searches.
    pub fn search_key() -> RowKey {
        RowKey { partition: partition(), key: b"search key".to_vec() }
    }
    /// The row of the instance.
    pub fn instance() -> RowKey {
        RowKey { partition: partition(), key: b"instance".to_vec() }
    }
    /// The instance in the value of that row.
    pub fn instance_of(value: &[u8]) -> Result<InstanceId, Error> {
        let bytes = value.try_into().map_err(|_| Error::Corrupt("an instance has 16 bytes".to_owned()))?;
        Ok(InstanceId::from_bytes(bytes))
    }
    /// The key in the value of one of those rows.
    pub fn key_of(value: &[u8]) -> Result<[u8; 32], Error> {
        value.try_into().map_err(|_| Error::Corrupt("a key has 32 bytes".to_owned()))
    }
    /// The row of [`Kept`], the last good time.
    pub fn clock() -> Vec<u8> {
        b"clock".to_vec()
    }
    /// The row that an engine writes to see whether it can; its value is the time.
    pub fn probe() -> Vec<u8> {
        b"probe".to_vec()
    }
}

/// The users by their names.
pub mod name {
    use super::*;

    /// The partition of the names that begin as `name` does.
    pub fn partition(name: &str) -> Vec<u8> {
        tagged(b'n', &[&name.as_bytes()[..name.len().min(1)]])
    }
    /// The row of a name; its value is the user's 16 bytes.
    pub fn row(name: &str) -> RowKey {
        RowKey { partition: partition(name), key: name.as_bytes().to_vec() }
    }
    /// The names that begin with `prefix`, from `after` on if there is one.
    pub fn range(prefix: &str, after: Option<&str>) -> KeyRange {
        let from = after.map_or_else(|| prefix.as_bytes().to_vec(), |after| [after.as_bytes(), &[0]].concat());
        KeyRange { from, to: Some([prefix.as_bytes(), &[0xff]].concat()) }
    }
    /// The user of a value.
    pub fn user_of(value: &[u8]) -> Result<UserId, Error> {
        id_at(value, 0).map(UserId::from_bytes)
    }
    /// The first bytes that a name can have: the partitions of all names.
    pub fn first_bytes() -> impl Iterator<Item = u8> {
        b"-._".iter().copied().chain(b'0'..=b'9').chain(b'a'..=b'z')
    }
}

/// The owners of tokens.
pub mod token {
    use super::*;

    /// The row of a [`Token`].
    pub fn row(hash: &[u8; 32]) -> RowKey {
        RowKey { partition: tagged(b't', &[hash]), key: Vec::new() }
    }
}

/// The invites.
pub mod invite {
    use super::*;

    /// The row of an [`Invite`].
    pub fn row(hash: &[u8; 32]) -> RowKey {
        RowKey { partition: tagged(b'i', &[hash]), key: Vec::new() }
    }
}

/// The direct conversation of two users.
pub mod direct {
    use super::*;

    /// Its row, whichever of the two is named first; its value is the conversation's 16 bytes.
    pub fn row(one: UserId, other: UserId) -> RowKey {
        let (low, high) = if one < other { (one, other) } else { (other, one) };
        RowKey { partition: tagged(b'd', &[&low.bytes(), &high.bytes()]), key: Vec::new() }
    }
    /// The conversation of a value.
    pub fn conversation_of(value: &[u8]) -> Result<ConversationId, Error> {
        id_at(value, 0).map(ConversationId::from_bytes)
    }
}

/// Rows that are derived from a conversation's log.
pub mod conversation {
    use super::*;

    /// The conversation's partition.
    pub fn partition(conversation: ConversationId) -> Vec<u8> {
        tagged(b'c', &[&conversation.bytes()])
    }
    /// The row of [`State`].
    pub fn state() -> Vec<u8> {
        vec![STATE]
    }
    /// The row of a [`Member`].
    pub fn member(user: UserId) -> Vec<u8> {
        tagged(MEMBER, &[&user.bytes()])
    }
    /// The rows of all members.
    pub fn members() -> KeyRange {
        all(MEMBER)
    }
    /// The rows of the members after `user`.
    pub fn members_after(user: UserId) -> KeyRange {
        KeyRange { from: tagged(MEMBER, &[&user.bytes(), &[0]]), to: all(MEMBER).to }
    }
    /// The user of a row of `members`.
    pub fn user_of(key: &[u8]) -> Result<UserId, Error> {
        id_at(key, 1).map(UserId::from_bytes)
    }
    /// The row of an [`Amendment`].
    pub fn amendment(seq: u64) -> Vec<u8> {
        tagged(AMENDMENT, &[&seq.to_be_bytes()])
    }
    /// The rows of the amendments of the messages in `seqs`.
    pub fn amendments(seqs: std::ops::RangeInclusive<u64>) -> KeyRange {
        KeyRange { from: amendment(*seqs.start()), to: Some([&amendment(*seqs.end())[..], &[0]].concat()) }
    }
    /// The seq of a row of `amendments`.
    pub fn seq_of(key: &[u8]) -> Result<u64, Error> {
        number_at(key, 1)
    }
}

/// The channels of the server.
pub mod channel {
    use super::*;

    /// The row of a channel by its title in lower case.
    pub fn row(title: &str, conversation: ConversationId) -> RowKey {
        let title = title.to_lowercase();
        let key = [title.as_bytes(), &[0], &conversation.bytes()].concat();
        RowKey { partition: partition(&title), key }
    }
    /// The partition of the titles that begin as `title`, in lower case, does.
    pub fn partition(title: &str) -> Vec<u8> {
        tagged(b'h', &[&title.as_bytes()[..title.len().min(1)]])
    }
    /// The partitions of all titles: a title in lower case begins with any byte that UTF-8 can begin with.
    pub fn partitions() -> impl Iterator<Item = Vec<u8>> {
        (0x20..=0xf4u8).map(|first| vec![b'h', first])
    }
    /// The channels whose title in lower case begins with `prefix`.
    pub fn range(prefix: &str, after: Option<&[u8]>) -> KeyRange {
        let after = after.map_or_else(Vec::new, |after| [after, &[0]].concat());
        KeyRange { from: after.max(prefix.as_bytes().to_vec()), to: Some([prefix.as_bytes(), &[0xff]].concat()) }
    }
    /// The conversation of a key.
    pub fn conversation_of(key: &[u8]) -> Result<ConversationId, Error> {
        id_at(key, key.len().saturating_sub(16)).map(ConversationId::from_bytes)
    }
}

fn shard(conversation: ConversationId) -> u8 {
    // The last byte of a UUIDv7 is random.
    conversation.bytes()[15] % SHARDS
}

/// The conversations that may have entries which their rows do not reflect.
pub mod active {
    use super::*;

    /// The partition of a shard.
    pub fn partition(shard: u8) -> Vec<u8> {
        vec![b'a', shard]
    }
    /// The row of a conversation.
    pub fn row(conversation: ConversationId) -> RowKey {
        RowKey { partition: partition(shard(conversation)), key: conversation.bytes().to_vec() }
    }
    /// The row that has the conversation indexed, behind the other one. Its value says which time it was written, so that
    /// it is only deleted by who has seen all that was appended since.
    pub fn unindexed(conversation: ConversationId) -> Vec<u8> {
        [&conversation.bytes()[..], &[UNINDEXED]].concat()
    }
    /// Returns true for a key of `unindexed`.
    pub fn is_unindexed(key: &[u8]) -> bool {
        key.len() == 17 && key[16] == UNINDEXED
    }
    /// The row that has the entries behind `seq` pushed, behind the other ones. Its value is as that of `unindexed`.
    pub fn unpushed(conversation: ConversationId, seq: u64) -> Vec<u8> {
        [&conversation.bytes()[..], &[UNPUSHED], &seq.to_be_bytes()].concat()
    }
    /// The seq of a key of `unpushed`; none where it is another one.
    pub fn unpushed_seq(key: &[u8]) -> Option<u64> {
        let seq = key.get(16..)?.strip_prefix(&[UNPUSHED])?;
        seq.try_into().ok().map(u64::from_be_bytes)
    }
    /// Returns true for the key of the conversation's own row.
    pub fn is_active(key: &[u8]) -> bool {
        key.len() == 16
    }
    /// The conversation of a key.
    pub fn conversation_of(key: &[u8]) -> Result<ConversationId, Error> {
        id_at(key, 0).map(ConversationId::from_bytes)
    }
}
