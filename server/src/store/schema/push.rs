//! The rows of push: where devices are woken, and what is to be pushed to them.

use super::*;

/// The address at which a device is woken.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// The address at its push service. Whoever has it can disturb the device, so it is in no log line.
    pub endpoint: String,
    /// The device's public key: a point of P-256, uncompressed, 65 bytes.
    pub key: Vec<u8>,
    /// The secret that it shares with those who write to it.
    pub auth: [u8; 16],
    /// The time at which it was told.
    pub created_at: Timestamp,
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subscription").field("created_at", &self.created_at).finish_non_exhaustive()
    }
}

/// A conversation of which a device is to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// The time since when it waits; given up [`crate::limits::PUSH_TTL_S`] later.
    pub since: Timestamp,
    /// Before when it is not tried again.
    pub not_before: Timestamp,
    /// The number of attempts.
    pub attempts: u32,
}

impl Value for Subscription {}
impl Value for Pending {}

const SUBSCRIPTION: u8 = 0;
const PENDING: u8 = 1;

/// The partition of a shard.
pub fn partition(shard: u8) -> Vec<u8> {
    vec![b'p', shard]
}
/// The partition with all rows of a user.
pub fn partition_of(user: UserId) -> Vec<u8> {
    partition(user.bytes()[15] % SHARDS)
}
/// The row of a [`Subscription`].
pub fn subscription(user: UserId, device: DeviceId) -> RowKey {
    RowKey { partition: partition_of(user), key: tagged(SUBSCRIPTION, &[&user.bytes(), &device.bytes()]) }
}
/// The rows of all subscriptions of a shard.
pub fn all_subscriptions() -> KeyRange {
    all(SUBSCRIPTION)
}
/// The row of a [`Pending`].
pub fn pending(user: UserId, device: DeviceId, conversation: ConversationId) -> RowKey {
    let key = tagged(PENDING, &[&user.bytes(), &device.bytes(), &conversation.bytes()]);
    RowKey { partition: partition_of(user), key }
}
/// The rows of all that is to be pushed, of a shard.
pub fn all_pending() -> KeyRange {
    all(PENDING)
}
/// The rows of all that is to be pushed to a device.
pub fn pending_of(user: UserId, device: DeviceId) -> KeyRange {
    let from = tagged(PENDING, &[&user.bytes(), &device.bytes()]);
    let to = [&from[..], &[0xff; 17]].concat();
    KeyRange { from, to: Some(to) }
}
/// The rows of all that is to be pushed to a user.
pub fn pending_of_user(user: UserId) -> KeyRange {
    of_user(PENDING, user)
}
/// The rows of a user: the subscriptions, and all that is to be pushed.
pub fn all_of(user: UserId) -> [KeyRange; 2] {
    [SUBSCRIPTION, PENDING].map(|tag| of_user(tag, user))
}
fn of_user(tag: u8, user: UserId) -> KeyRange {
    let from = tagged(tag, &[&user.bytes()]);
    let to = [&from[..], &[0xff; 33]].concat();
    KeyRange { from, to: Some(to) }
}
/// Returns true for a key of `subscription`.
pub fn is_subscription(key: &[u8]) -> bool {
    key.len() == 33 && key[0] == SUBSCRIPTION
}
/// Returns true for a key of `pending`.
pub fn is_pending(key: &[u8]) -> bool {
    key.len() == 49 && key[0] == PENDING
}
/// The user and the device of a key.
pub fn device_of(key: &[u8]) -> Result<(UserId, DeviceId), Error> {
    Ok((UserId::from_bytes(id_at(key, 1)?), DeviceId::from_bytes(id_at(key, 17)?)))
}
/// The conversation of a key of `pending`.
pub fn conversation_of(key: &[u8]) -> Result<ConversationId, Error> {
    id_at(key, 33).map(ConversationId::from_bytes)
}
