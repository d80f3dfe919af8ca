//! The standing of users and conversations, which both the frames and the REST API tell.

use serde::{Deserialize, Serialize};

use crate::ConversationId;
/// The presence of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PresenceState {
    /// A device of theirs is connected.
    Online,
    /// None is, or they do not tell.
    Offline,
}

/// The other side's pointers in a direct conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PeerPointers {
    /// The seq up to which they read.
    pub read: u64,
    /// The seq up to which a device of theirs got it.
    pub delivered: u64,
}

/// The standing of a conversation for one user, in a `heads` frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct HeadItem {
    /// The conversation.
    pub id: ConversationId,
    /// The seq of the last entry that changed it or its members.
    pub rev: u64,
    /// The last seq of its log.
    pub head: u64,
    /// The seq up to which the user read.
    pub read: u64,
    /// The seq up to which a device of the user got it.
    pub delivered: u64,
    /// Messages by others above `read`.
    pub unread: u64,
    /// The number of them that mention the user.
    pub mentions: u64,
    /// The other side's pointers, in a direct conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<PeerPointers>,
    /// True where the server cannot read the conversation: nothing of it can be asked for until its operator has repaired
    /// it, and all of this but `id` says nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub damaged: bool,
}
