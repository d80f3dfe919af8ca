//! The bodies of the REST API.

mod account;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    ConversationId, Entry, InstanceId, Message, Timestamp, UserId,
    entry::{ConversationKind, MemberRole, Role, Writers},
    frame::ServerFrame,
    id::PollId,
    limits::Limits,
    push::PushInfo,
};

pub use self::account::*;
pub use crate::standing::{HeadItem, PeerPointers, PresenceState};

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// The `?cursor=` of the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// The people who may sign up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Registration {
    /// Everybody.
    Open,
    /// Whoever has an invite.
    Invite,
    /// Nobody; the operator imports users.
    Closed,
}

/// The description of a server: `GET /v1/info`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Info {
    /// The server's name, chosen by its operator.
    pub name: String,
    /// The program's version.
    pub version: String,
    /// The protocol's version: 1.
    pub protocol: u32,
    /// The people who may sign up.
    pub registration: Registration,
    /// A device that has sent nothing for so long must send `ping`.
    pub heartbeat_ms: u32,
    /// The features of this server beyond those that every server has.
    pub features: Vec<String>,
    /// The way in which it wakes devices that are not connected, where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub push: Option<PushInfo>,
    /// The instance of its data; no older server tells it. A restored backup has another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
    /// Its limits.
    pub limits: Limits,
}

/// `GET /v1/users/{id}/presence`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PresenceInfo {
    /// The state.
    pub state: PresenceState,
    /// The time at which they last did something; absent where they are online or do not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Timestamp>,
}

/// One conversation of the user's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ConversationItem {
    /// The kind of the conversation.
    pub kind: ConversationKind,
    /// Its title; absent of a direct one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its picture; absent of a direct one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
    /// The other side of a direct one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_user: Option<UserId>,
    /// Its head, and the user's pointers.
    #[serde(flatten)]
    pub head: HeadItem,
    /// The time until which it makes no noise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub muted_until: Option<Timestamp>,
    /// True if it stays on top.
    pub pinned: bool,
    /// True if it is put away.
    pub archived: bool,
    /// Its last entry.
    pub last: Entry,
    /// The stranger who brought the user into it, while that waits for an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestInfo>,
}

/// The conversations of a user, a page at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ConversationList {
    /// The items.
    pub items: Vec<ConversationItem>,
    /// The `?cursor=` of the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// Conversations of the user that the server cannot read: those that it knows of on the first page, others where they
    /// would have been.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub damaged: Vec<DamagedConversation>,
}

/// A conversation that is closed to everybody until the server's operator has repaired it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DamagedConversation {
    /// The conversation.
    pub id: ConversationId,
    /// Its kind, where that can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<ConversationKind>,
    /// Its title, where it has one that can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// A conversation into which a stranger brought the user, and that waits for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RequestInfo {
    /// The user who began it, or added the other.
    pub from: UserId,
    /// The time of that.
    pub at: Timestamp,
}

/// The answer of a user to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RequestAnswer {
    /// The conversation is an ordinary one from now on.
    Accepted,
    /// The user is out of the group; a direct conversation reaches them no more until they write in it.
    Declined,
    /// The same, and who sent it is blocked.
    Blocked,
}

/// `PUT /v1/users/me/requests/{conversation}`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AnswerRequest {
    /// The answer.
    pub answer: RequestAnswer,
}

/// `PUT /v1/users/me/conversations/{id}`: absent fields stay as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ChangePersonal {
    /// The time until which it makes no noise; one that has passed unmutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub muted_until: Option<Timestamp>,
    /// True if it stays on top.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<bool>,
    /// True if it is put away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived: Option<bool>,
}

/// One's own settings of a conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Personal {
    /// The time until which it makes no noise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub muted_until: Option<Timestamp>,
    /// True if it stays on top.
    pub pinned: bool,
    /// True if it is put away.
    pub archived: bool,
}

/// `POST /v1/conversations`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NewConversation {
    /// The kind that it is to be.
    pub kind: ConversationKind,
    /// Its members beside the caller; exactly one for a direct one.
    #[serde(default)]
    pub members: Vec<UserId>,
    /// Its title; needed for a channel, refused for a direct one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Seconds after which its messages disappear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expire_after_s: Option<u32>,
    /// `none`; anything else is refused until it exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption: Option<String>,
}

/// A conversation: `GET /v1/conversations/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ConversationInfo {
    /// For ever.
    pub id: ConversationId,
    /// Its kind.
    pub kind: ConversationKind,
    /// Its title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its topic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// Its picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
    /// Seconds after which messages sent now disappear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expire_after_s: Option<u32>,
    /// The members who may write.
    pub writers: Writers,
    /// The seq of the last entry that changed it or its members.
    pub rev: u64,
    /// The last seq of its log.
    pub head: u64,
    /// The number of its members.
    pub members: u32,
    /// The caller's role.
    pub role: Role,
    /// The caller's first seq: their history begins there.
    pub since: u64,
    /// The time at which it began.
    pub created_at: Timestamp,
}

/// `PATCH /v1/conversations/{id}`: absent fields stay as they are, an empty text or a zero unsets.
pub type ChangeConversation = crate::entry::ConversationChanged;

/// A channel that anybody may join.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ChannelItem {
    /// For ever.
    pub id: ConversationId,
    /// Its title.
    pub title: String,
}

/// `POST /v1/conversations/{id}/participants`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NewParticipant {
    /// The user to add; oneself to join a channel.
    pub user: UserId,
    /// The role of the user; a member where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

/// `PATCH /v1/conversations/{id}/participants/{user}`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ChangeRole {
    /// The role from now on.
    pub role: Role,
}

/// A member of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Participant {
    /// The user and the role.
    #[serde(flatten)]
    pub member: MemberRole,
    /// Their first seq.
    pub since: u64,
}

/// Folded messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Messages {
    /// In ascending order.
    pub items: Vec<Message>,
    /// The seq up to which edits, deletions and reactions are applied.
    pub head: u64,
    /// True if there may be more at the far end of the page: before it where it ends at a seq or at the end, after it where
    /// it begins at a seq, on either side where something is in its middle. Where a server does not say, a page with fewer
    /// items than asked for is the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more: Option<bool>,
}

/// Raw entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Log {
    /// In ascending order, without gap.
    pub items: Vec<Entry>,
    /// The last seq of the log.
    pub head: u64,
    /// As of [`Messages::more`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more: Option<bool>,
}

/// A message that a search found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SearchItem {
    /// As it is now.
    pub message: Message,
    /// The parts of its text that were looked for: ascending, apart, at least one and 100 at most.
    pub highlights: Vec<Highlight>,
}

/// A part of a text, in UTF-16 code units, as JavaScript counts them: `text.slice(start, end)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Highlight {
    /// Its first unit.
    pub start: u32,
    /// The unit behind its last.
    pub end: u32,
}

/// `PATCH /v1/messages/{id}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct EditMessage {
    /// The text from now on.
    pub text: String,
    /// The users whom it mentions from now on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<UserId>,
}

/// The times at which one member got and read a message; absent where it is not so, or not known any longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ReadReceipt {
    /// The member.
    pub user: UserId,
    /// True if a device of theirs has it.
    pub delivered: bool,
    /// The time since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Timestamp>,
    /// True if they have read it.
    pub read: bool,
    /// The time since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_at: Option<Timestamp>,
}

/// `GET /v1/messages/{id}/read_receipts`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ReadReceipts {
    /// One for each member but the sender, by their identifiers; none of a channel.
    pub items: Vec<ReadReceipt>,
    /// The `?cursor=` of the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// The number of members but the sender who have it on a device,
    #[serde(default)]
    pub delivered: u32,
    /// have read it,
    #[serde(default)]
    pub read: u32,
    /// and are there in all. Those of a channel are as of a second ago at most.
    #[serde(default)]
    pub total: u32,
}

/// `GET /v1/gateway`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Gateway {
    /// The socket to connect to now.
    pub url: String,
    /// The node that serves it.
    pub node: String,
    /// The region of the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// `POST /v1/polls`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Poll {
    /// The poll's name.
    pub poll: PollId,
}

/// A server frame with its number in a long poll.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NumberedFrame {
    /// From 1, without gap.
    pub n: u64,
    /// The frame.
    pub frame: ServerFrame,
}

/// `GET /v1/polls/{poll}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Frames {
    /// In order.
    pub items: Vec<NumberedFrame>,
}

/// The body of a message that is sent over REST: `client_id` may be given as `Idempotency-Key` instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PostMessage {
    /// A UUIDv7 that the client made for this message; the `Idempotency-Key` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<Uuid>,
    /// The text; at least this or an attachment.
    #[serde(default)]
    pub text: String,
    /// The users whom it mentions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<UserId>,
    /// The seq of the message that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<u64>,
    /// The media that it shows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<crate::MediaId>,
}
