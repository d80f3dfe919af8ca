//! Push: what wakes a device that is not connected (RFC 8030, with content encrypted to the device by RFC 8291).

use serde::{Deserialize, Serialize};

use crate::{ConversationId, Timestamp, object};

/// A push subscription, as `PushSubscription.toJSON()` of a browser gives it: `PUT /v1/users/me/devices/{device}/push`.
///
/// A browser's `expirationTime` is ignored: a push service says itself when a subscription is no more.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PushSubscription {
    /// The push service's address of this subscription: https, on a public host, 2048 characters at most. A secret.
    pub endpoint: String,
    /// The keys to which the content is encrypted.
    #[serde(deserialize_with = "keys")]
    pub keys: PushKeys,
}

/// The keys of a subscription.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PushKeys {
    /// A point of P-256, uncompressed, in base64url.
    pub p256dh: String,
    /// 16 bytes, in base64url.
    pub auth: String,
}

fn keys<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<PushKeys, D::Error> {
    object::Object::deserialize(deserializer).map(|object::Object(keys)| keys)
}

/// The way in which this server pushes; told in `GET /v1/info` where it does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PushInfo {
    /// The public key to subscribe with, `applicationServerKey`: a point of P-256, uncompressed, in base64url (RFC 8292).
    pub vapid_key: String,
}

/// The content of a push: the newest of the unread messages of one conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushPayload {
    /// The conversation.
    pub conversation: ConversationId,
    /// The message's place in it.
    pub seq: u64,
    /// The time at which the message was taken.
    pub at: Timestamp,
    /// The conversation's title, or who wrote where it is a direct one.
    pub title: String,
    /// The name of the sender.
    pub sender: String,
    /// The text, cut where it is long.
    pub text: String,
    /// The type of the message's first attachment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attachment: Option<String>,
    /// Messages by others that are not read.
    pub unread: u64,
    /// True if the message mentions the user who is told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mentioned: bool,
    /// True if the conversation is between the two alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub direct: bool,
}
