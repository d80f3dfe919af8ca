//! Rows about a user.

use super::*;

/// The user's partition.
pub fn partition(user: UserId) -> Vec<u8> {
    tagged(b'u', &[&user.bytes()])
}
/// The row of [`User`].
pub fn profile() -> Vec<u8> {
    vec![PROFILE]
}
/// The full name of the row of [`User`].
pub fn profile_row(user: UserId) -> RowKey {
    RowKey { partition: partition(user), key: profile() }
}
/// The row of a [`Device`].
pub fn device(device: DeviceId) -> Vec<u8> {
    tagged(DEVICE, &[&device.bytes()])
}
/// The rows of all devices.
pub fn devices() -> KeyRange {
    all(DEVICE)
}
/// The device of a row of `devices`.
pub fn device_of(key: &[u8]) -> Result<DeviceId, Error> {
    id_at(key, 1).map(DeviceId::from_bytes)
}
/// The row that says that `other` is blocked.
pub fn blocked(other: UserId) -> Vec<u8> {
    tagged(BLOCKED, &[&other.bytes()])
}
/// The rows of all who are blocked.
pub fn all_blocked() -> KeyRange {
    all(BLOCKED)
}
/// The user of a row of `all_blocked` or `contacts`.
pub fn user_of(key: &[u8]) -> Result<UserId, Error> {
    id_at(key, 1).map(UserId::from_bytes)
}
/// The row of a [`Listed`].
pub fn listed(conversation: ConversationId) -> Vec<u8> {
    tagged(LISTED, &[&conversation.bytes()])
}
/// The rows of all conversations of the user.
pub fn all_listed() -> KeyRange {
    all(LISTED)
}
/// The rows of the conversations after `conversation`.
pub fn listed_after(conversation: ConversationId) -> KeyRange {
    KeyRange { from: tagged(LISTED, &[&conversation.bytes(), &[0]]), to: all(LISTED).to }
}
/// The conversation of a row of `all_listed` or `requests`.
pub fn conversation_of(key: &[u8]) -> Result<ConversationId, Error> {
    id_at(key, 1).map(ConversationId::from_bytes)
}
/// The row of a mention.
pub fn mention(at: Timestamp, conversation: ConversationId, seq: u64) -> Vec<u8> {
    tagged(MENTION, &[&at.millis().to_be_bytes(), &conversation.bytes(), &seq.to_be_bytes()])
}
/// The rows of all mentions, in the order of time.
pub fn mentions() -> KeyRange {
    all(MENTION)
}
/// Returns true for the key of a mention; a cursor that a client gives may be anything.
pub fn is_mention(key: &[u8]) -> bool {
    key.len() == 33 && key[0] == MENTION
}
/// The time and the message of a row of `mentions`.
pub fn mention_of(key: &[u8]) -> Result<(Timestamp, ConversationId, u64), Error> {
    let at = Timestamp::from_millis(number_at(key, 1)?);
    Ok((at, ConversationId::from_bytes(id_at(key, 9)?), number_at(key, 25)?))
}
/// The row of a [`Replay`].
pub fn replay(hash: [u8; 16]) -> Vec<u8> {
    tagged(REPLAY, &[&hash])
}
/// The rows of all [`Replay`]s.
pub fn replays() -> KeyRange {
    all(REPLAY)
}
/// The rows of [`Replay`]s from `hash` on.
pub fn replays_from(hash: [u8; 16]) -> KeyRange {
    KeyRange { from: replay(hash), to: all(REPLAY).to }
}
/// The row that says that `other` is a contact.
pub fn contact(other: UserId) -> Vec<u8> {
    tagged(CONTACT, &[&other.bytes()])
}
/// The rows of all contacts.
pub fn contacts() -> KeyRange {
    all(CONTACT)
}
/// The row of an invite of the user; its value is until when it is good, in milliseconds.
pub fn invite(hash: &[u8; 32]) -> Vec<u8> {
    tagged(INVITE, &[hash])
}
/// The rows of all invites.
pub fn invites() -> KeyRange {
    all(INVITE)
}
/// The hash of a row of `invites`.
pub fn invite_of(key: &[u8]) -> Result<[u8; 32], Error> {
    let hash = key.get(1..).and_then(|hash| hash.try_into().ok());
    hash.ok_or_else(|| Error::Corrupt("an invite's key has no hash".to_owned()))
}
/// The row of a [`Known`], by the hash of its device secret.
pub fn known(hash: &[u8; 32]) -> Vec<u8> {
    tagged(KNOWN, &[hash])
}
/// The rows of all device secrets of the user.
pub fn all_known() -> KeyRange {
    all(KNOWN)
}
/// The hash of a row of `all_known`.
pub fn known_of(key: &[u8]) -> Result<[u8; 32], Error> {
    let hash = key.get(1..).and_then(|hash| hash.try_into().ok());
    hash.ok_or_else(|| Error::Corrupt("a device secret's key has no hash".to_owned()))
}
/// The form of a time that is a whole value.
pub fn time_value(at: Timestamp) -> Bytes {
    Bytes::copy_from_slice(&at.millis().to_be_bytes())
}
/// The time of such a value.
pub fn time_of(value: &[u8]) -> Result<Timestamp, Error> {
    number_at(value, 0).map(Timestamp::from_millis)
}
/// The row of a media of the user; its value is its size, see [`size_value`].
pub fn media(media: MediaId) -> Vec<u8> {
    tagged(MEDIA, &[&media.bytes()])
}
/// The rows of all media of the user.
pub fn all_media() -> KeyRange {
    all(MEDIA)
}
/// The media of a row of `all_media`.
pub fn media_of(key: &[u8]) -> Result<MediaId, Error> {
    id_at(key, 1).map(MediaId::from_bytes)
}
/// The row of how many bytes all media of the user have.
pub fn media_bytes() -> Vec<u8> {
    vec![MEDIA_BYTES]
}
/// The row of an upload of the user that is not finished.
pub fn upload(upload: UploadId) -> Vec<u8> {
    tagged(UPLOAD, &[&upload.bytes()])
}
/// The row of an upload of the user that has become a media.
pub fn uploaded(upload: UploadId) -> Vec<u8> {
    tagged(UPLOADED, &[&upload.bytes()])
}
/// The rows of all uploads that are not finished.
pub fn open_uploads() -> KeyRange {
    all(UPLOAD)
}
/// The rows of all uploads.
pub fn all_uploads() -> KeyRange {
    KeyRange { from: vec![UPLOAD], to: all(UPLOADED).to }
}
/// The upload of a row of `all_uploads`.
pub fn upload_of(key: &[u8]) -> Result<UploadId, Error> {
    id_at(key, 1).map(UploadId::from_bytes)
}
/// The row of a [`Request`].
pub fn request(conversation: ConversationId) -> Vec<u8> {
    tagged(REQUEST, &[&conversation.bytes()])
}
/// The rows of all requests.
pub fn requests() -> KeyRange {
    all(REQUEST)
}
/// The row of [`Today`].
pub fn today() -> Vec<u8> {
    vec![TODAY]
}
/// The form of a number of bytes that is a whole value.
pub fn size_value(bytes: u64) -> Bytes {
    Bytes::copy_from_slice(&bytes.to_be_bytes())
}
/// The number of bytes in such a value.
pub fn size_of(value: &[u8]) -> Result<u64, Error> {
    number_at(value, 0)
}
/// Every row of the user's partition but the profile.
pub fn after_profile() -> KeyRange {
    KeyRange { from: vec![PROFILE + 1], to: None }
}
/// Every row of the user's partition.
pub fn everything() -> KeyRange {
    KeyRange::default()
}
