//! Keys read back: what a stored row is, for those who check or show all of them.

use kith_protocol::{ConversationId, DeviceId, MediaId, ReportId, Timestamp, UploadId, UserId};

use super::{
    AMENDMENT, BLOCKED, CONTACT, DEVICE, ERASING, INVITE, KNOWN, LISTED, MEDIA, MEDIA_BYTES, MEMBER, MENTION, PROFILE,
    REPLAY, REQUEST, STATE, TODAY, UPLOAD, UPLOADED, active, channel, conversation,
    due::{self, Task},
    id_at,
    media::{self, Reference},
    push, quota, report, server,
    strangers::{REPORT, REPORT_MADE},
    user,
};
use crate::store::Error;

/// The place of a stored row on the page of the schema, and whom it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the page says each")]
pub enum Place {
    Version,
    Probe,
    Clock,
    MediaKey,
    PushKey,
    SearchKey,
    Instance,
    Erasing(UserId),
    Profile(UserId),
    Device(UserId, DeviceId),
    Blocked(UserId, UserId),
    Listed(UserId, ConversationId),
    Mention(UserId, Timestamp, ConversationId, u64),
    Replay(UserId),
    Contact(UserId, UserId),
    UserInvite(UserId, [u8; 32]),
    Known(UserId, [u8; 32]),
    Name,
    Token([u8; 32]),
    Direct(UserId, UserId),
    Invite,
    State(ConversationId),
    Member(ConversationId, UserId),
    Amendment(ConversationId, u64),
    Channel(ConversationId),
    Active(ConversationId),
    Unindexed(ConversationId),
    Unpushed(ConversationId, u64),
    Subscription(UserId, DeviceId),
    Pending(UserId, DeviceId, ConversationId),
    Expiring(Timestamp, ConversationId, u64),
    UserMedia(UserId, MediaId),
    UserMediaBytes(UserId),
    Media(MediaId),
    Reference(MediaId, Reference),
    BytesOf([u8; 32], MediaId),
    BytesRemoving([u8; 32]),
    Collect(Timestamp, MediaId),
    Upload(UserId, UploadId),
    Uploaded(UserId, UploadId),
    UploadDue(Timestamp, UploadId),
    Today(UserId),
    Written(u64, UserId),
    Request(UserId, ConversationId),
    RequestDue(Timestamp, UserId, ConversationId),
    Report(ReportId),
    ReportMade(ReportId, UserId),
    DueSince,
    DueCursor(due::Kind, u8),
}

impl Place {
    /// The name of each kind of row, in the order of the variants.
    pub const KINDS: [&str; 49] = [
        "Version",
        "Probe",
        "Clock",
        "MediaKey",
        "PushKey",
        "SearchKey",
        "Instance",
        "Erasing",
        "Profile",
        "Device",
        "Blocked",
        "Listed",
        "Mention",
        "Replay",
        "Contact",
        "UserInvite",
        "Known",
        "Name",
        "Token",
        "Direct",
        "Invite",
        "State",
        "Member",
        "Amendment",
        "Channel",
        "Active",
        "Unindexed",
        "Unpushed",
        "Subscription",
        "Pending",
        "Expiring",
        "UserMedia",
        "UserMediaBytes",
        "Media",
        "Reference",
        "BytesOf",
        "BytesRemoving",
        "Collect",
        "Upload",
        "Uploaded",
        "UploadDue",
        "Today",
        "Written",
        "Request",
        "RequestDue",
        "Report",
        "ReportMade",
        "DueSince",
        "DueCursor",
    ];

    /// The name of its kind, one of [`Place::KINDS`].
    pub fn kind(&self) -> &'static str {
        let shown = format!("{self:?}");
        let name = shown.split('(').next().unwrap_or_default();
        Self::KINDS.into_iter().find(|kind| *kind == name).unwrap_or("unknown")
    }
}

/// The name of a row for a person, without what is secret in it.
pub fn named(partition: &[u8], key: &[u8]) -> String {
    match place(partition, key) {
        Ok(Place::Token(hash)) => format!("Token({:02x}{:02x}…)", hash[0], hash[1]),
        Ok(Place::UserInvite(user, hash)) => format!("UserInvite({user}, {:02x}{:02x}…)", hash[0], hash[1]),
        Ok(Place::Known(user, hash)) => format!("Known({user}, {:02x}{:02x}…)", hash[0], hash[1]),
        Ok(Place::Name) => format!("Name({})", String::from_utf8_lossy(key)),
        Ok(place) => format!("{place:?}"),
        Err(_) => format!("{partition:02x?} {key:02x?}"),
    }
}

/// The place of a row.
///
/// # Errors
/// [`Error::Corrupt`] where the page has no such row.
pub fn place(partition: &[u8], key: &[u8]) -> Result<Place, Error> {
    let unknown = || Err(Error::Corrupt("the schema has no such row".to_owned()));
    let Some((&letter, name)) = partition.split_first() else { return unknown() };
    if let Some(task) = due::of_row(partition, key) {
        return task.map(of_task);
    }
    if partition == due::cursors() {
        return match due::cursor_of(key) {
            Some((kind, bucket)) => Ok(Place::DueCursor(kind, bucket)),
            None if key.is_empty() => Ok(Place::DueSince),
            None => unknown(),
        };
    }
    let place = match (letter, name.len()) {
        (b'm', 0) if key == server::version() => Place::Version,
        (b'm', 0) if key == server::probe() => Place::Probe,
        (b'm', 0) if key == server::clock() => Place::Clock,
        (b'm', 0) if key == server::media_key().key => Place::MediaKey,
        (b'm', 0) if key == server::push_key().key => Place::PushKey,
        (b'm', 0) if key == server::search_key().key => Place::SearchKey,
        (b'm', 0) if key == server::instance().key => Place::Instance,
        (b'm', 0) if key.first() == Some(&ERASING) => Place::Erasing(server::user_of(key)?),
        (b'u', 16) => return of_user(UserId::from_bytes(id_at(name, 0)?), key),
        (b'n', 0 | 1) => Place::Name,
        (b't', 32) if key.is_empty() => Place::Token(hash(name)?),
        (b'd', 32) if key.is_empty() => {
            Place::Direct(UserId::from_bytes(id_at(name, 0)?), UserId::from_bytes(id_at(name, 16)?))
        }
        (b'i', 32) if key.is_empty() => Place::Invite,
        (b'c', 16) => return of_conversation(ConversationId::from_bytes(id_at(name, 0)?), key),
        (b'h', 0 | 1) => Place::Channel(channel::conversation_of(key)?),
        (b'a', 1) if key.len() == 16 => Place::Active(active::conversation_of(key)?),
        (b'a', 1) if active::is_unindexed(key) => Place::Unindexed(active::conversation_of(key)?),
        (b'a', 1) => match active::unpushed_seq(key) {
            Some(seq) => Place::Unpushed(active::conversation_of(key)?, seq),
            None => return unknown(),
        },
        (b'p', 1) if push::is_subscription(key) => {
            let (user, device) = push::device_of(key)?;
            Place::Subscription(user, device)
        }
        (b'p', 1) if push::is_pending(key) => {
            let (user, device) = push::device_of(key)?;
            Place::Pending(user, device, push::conversation_of(key)?)
        }
        (b'r', 0) if key.len() == 17 && key[0] == REPORT => Place::Report(report::report_of(key)?),
        (b'r', 0) if key.len() == 33 && key[0] == REPORT_MADE => {
            let (report, user) = report::made_of(key)?;
            Place::ReportMade(report, user)
        }
        (b'k', 16) => return of_media(MediaId::from_bytes(id_at(name, 0)?), key),
        (b'o', 32) if key == media::removing() => Place::BytesRemoving(hash(name)?),
        (b'o', 32) if key.len() == 17 && key[0] == 0 => {
            Place::BytesOf(hash(name)?, MediaId::from_bytes(id_at(key, 1)?))
        }
        (b'q', 0) if key.len() == 24 => {
            let (day, user) = quota::of_key(key)?;
            Place::Written(day, user)
        }
        _ => return unknown(),
    };
    Ok(place)
}

const fn of_task((at, task): (Timestamp, Task)) -> Place {
    match task {
        Task::Expiry(conversation, seq) => Place::Expiring(at, conversation, seq),
        Task::Request(user, conversation) => Place::RequestDue(at, user, conversation),
        Task::Media(media) => Place::Collect(at, media),
        Task::Upload(upload) => Place::UploadDue(at, upload),
    }
}

fn of_user(id: UserId, key: &[u8]) -> Result<Place, Error> {
    Ok(match (key.first().copied(), key.len()) {
        (Some(PROFILE), 1) => Place::Profile(id),
        (Some(DEVICE), 17) => Place::Device(id, user::device_of(key)?),
        (Some(BLOCKED), 17) => Place::Blocked(id, user::user_of(key)?),
        (Some(LISTED), 17) => Place::Listed(id, user::conversation_of(key)?),
        (Some(MENTION), 33) => {
            let (at, conversation, seq) = user::mention_of(key)?;
            Place::Mention(id, at, conversation, seq)
        }
        (Some(REPLAY), 17) => Place::Replay(id),
        (Some(CONTACT), 17) => Place::Contact(id, user::user_of(key)?),
        (Some(INVITE), 33) => Place::UserInvite(id, user::invite_of(key)?),
        (Some(KNOWN), 33) => Place::Known(id, user::known_of(key)?),
        (Some(MEDIA), 17) => Place::UserMedia(id, user::media_of(key)?),
        (Some(UPLOAD), 17) => Place::Upload(id, user::upload_of(key)?),
        (Some(UPLOADED), 17) => Place::Uploaded(id, user::upload_of(key)?),
        (Some(MEDIA_BYTES), 1) => Place::UserMediaBytes(id),
        (Some(TODAY), 1) => Place::Today(id),
        (Some(REQUEST), 17) => Place::Request(id, user::conversation_of(key)?),
        _ => return Err(Error::Corrupt("a user has no such row".to_owned())),
    })
}

fn of_media(id: MediaId, key: &[u8]) -> Result<Place, Error> {
    if key == media::about() {
        return Ok(Place::Media(id));
    }
    media::reference_of(key).map(|reference| Place::Reference(id, reference))
}

fn of_conversation(id: ConversationId, key: &[u8]) -> Result<Place, Error> {
    Ok(match (key.first().copied(), key.len()) {
        (Some(STATE), 1) => Place::State(id),
        (Some(MEMBER), 17) => Place::Member(id, conversation::user_of(key)?),
        (Some(AMENDMENT), 9) => Place::Amendment(id, conversation::seq_of(key)?),
        _ => return Err(Error::Corrupt("a conversation has no such row".to_owned())),
    })
}

fn hash(bytes: &[u8]) -> Result<[u8; 32], Error> {
    bytes.try_into().map_err(|_| Error::Corrupt("a hash has 32 bytes".to_owned()))
}
