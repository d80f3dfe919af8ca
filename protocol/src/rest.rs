//! The bodies of the REST API.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    ConversationId, DeviceId, Entry, Message, Timestamp, UserId,
    entry::{ConversationKind, MemberRole, Role, Writers},
    frame::ServerFrame,
    id::PollId,
    limits::Limits,
    object,
    push::PushInfo,
};

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// What to give as `?cursor=` for the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Who may sign up.
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

/// What a server is: `GET /v1/info`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Info {
    /// The server's name, chosen by its operator.
    pub name: String,
    /// The program's version.
    pub version: String,
    /// The protocol's version: 1.
    pub protocol: u32,
    /// Who may sign up.
    pub registration: Registration,
    /// A device that has sent nothing for so long must send `ping`.
    pub heartbeat_ms: u32,
    /// What this server can do beyond what every server can.
    pub features: Vec<String>,
    /// How it wakes devices that are not connected, where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub push: Option<PushInfo>,
    /// What it bounds.
    pub limits: Limits,
}

/// What a device calls itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DeviceInfo {
    /// A name that its owner recognises.
    #[serde(default)]
    pub name: String,
    /// `web`, `linux`, `android` …
    #[serde(default)]
    pub platform: String,
}

/// Sign-up: `POST /v1/users`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NewUser {
    /// 3–32 of `a-z 0-9 . _ -`.
    pub username: String,
    /// 8–128 characters.
    pub password: String,
    /// What others see; the username where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Where registration is by invite.
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
    /// Whose.
    pub username: String,
    /// Their password.
    pub password: String,
    /// The device that signs in.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "object::optional")]
    pub device: Option<DeviceInfo>,
    /// What an earlier sign-in of this name gave this device, so that it waits among known devices only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_secret: Option<String>,
}

/// A device that is signed in. Its token is shown this once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SignedIn {
    /// Who.
    pub user: Profile,
    /// On what.
    pub device: Device,
    /// 256 random bits, for `Authorization: Bearer` and for `hello`.
    pub token: String,
    /// 256 random bits for the next sign-in of this name on this device. It outlives a sign-out, and opens nothing.
    pub device_secret: String,
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

/// `POST /v1/invites`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Invite {
    /// What the invited person signs up with, once.
    pub code: String,
    /// Until when.
    pub expires_at: Timestamp,
}

/// Who sees when one was last there.
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

/// Who may add one to groups and channels.
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

/// What others may know of one, and do to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Privacy {
    /// Who sees presence and last seen.
    #[serde(default)]
    pub last_seen: Audience,
    /// Whether one sends, and sees, read pointers of direct conversations.
    #[serde(default = "yes")]
    pub read_receipts: bool,
    /// Who may add one to groups and channels.
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
    /// What to show.
    pub display_name: String,
    /// What they say of themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// Their picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
    /// Whether they have erased their account.
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
    /// What to show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// What one says of oneself.
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
    /// What others may know.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "object::optional")]
    pub privacy: Option<ChangePrivacy>,
}

/// The part of `PUT /v1/users/{id}` that says what others may know, and do to one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ChangePrivacy {
    /// Who sees presence and last seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Audience>,
    /// Whether one sends, and sees, read pointers of direct conversations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_receipts: Option<bool>,
    /// Who may add one to groups and channels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Adders>,
}

/// One of one's own devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Device {
    /// For ever.
    pub id: DeviceId,
    /// What it calls itself.
    pub name: String,
    /// What it runs on.
    pub platform: String,
    /// When it signed in.
    pub created_at: Timestamp,
    /// Whether it is the one that asks.
    #[serde(default)]
    pub current: bool,
}

/// Whether somebody is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PresenceState {
    /// A device of theirs is connected.
    Online,
    /// None is, or they do not tell.
    Offline,
}

/// `GET /v1/users/{id}/presence`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PresenceInfo {
    /// Whether they are there.
    pub state: PresenceState,
    /// When they last did something; absent where they are online or do not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Timestamp>,
}

/// The other side's pointers in a direct conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PeerPointers {
    /// What they read.
    pub read: u64,
    /// What reached a device of theirs.
    pub delivered: u64,
}

/// Where a conversation stands for one user, in a `heads` frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct HeadItem {
    /// Which.
    pub id: ConversationId,
    /// The seq of the last entry that changed it or its members.
    pub rev: u64,
    /// The last seq of its log.
    pub head: u64,
    /// What the user read.
    pub read: u64,
    /// What reached a device of the user.
    pub delivered: u64,
    /// Messages by others above `read`.
    pub unread: u64,
    /// Those of them that mention the user.
    pub mentions: u64,
    /// The other side's pointers, in a direct conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<PeerPointers>,
}

/// One conversation of the user's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ConversationItem {
    /// What the conversation is.
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
    /// Where it stands.
    #[serde(flatten)]
    pub head: HeadItem,
    /// Until when it makes no noise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub muted_until: Option<Timestamp>,
    /// Whether it stays on top.
    pub pinned: bool,
    /// Whether it is put away.
    pub archived: bool,
    /// Its last entry.
    pub last: Entry,
    /// Who brought the user into it, while that waits for an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestInfo>,
}

/// A conversation into which a stranger brought the user, and that waits for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RequestInfo {
    /// Who began it with the user, or added them.
    pub from: UserId,
    /// When.
    pub at: Timestamp,
}

/// How a user answers a request.
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
    /// How.
    pub answer: RequestAnswer,
}

/// `PUT /v1/users/me/conversations/{id}`: absent fields stay as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ChangePersonal {
    /// Until when it makes no noise; a time that has passed unmutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub muted_until: Option<Timestamp>,
    /// Whether it stays on top.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<bool>,
    /// Whether it is put away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived: Option<bool>,
}

/// One's own settings of a conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Personal {
    /// Until when it makes no noise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub muted_until: Option<Timestamp>,
    /// Whether it stays on top.
    pub pinned: bool,
    /// Whether it is put away.
    pub archived: bool,
}

/// `POST /v1/conversations`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NewConversation {
    /// What it is to be.
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
    /// What it is.
    pub kind: ConversationKind,
    /// Its title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// Its picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
    /// Seconds after which messages sent now disappear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expire_after_s: Option<u32>,
    /// Who may write.
    pub writers: Writers,
    /// The seq of the last entry that changed it or its members.
    pub rev: u64,
    /// The last seq of its log.
    pub head: u64,
    /// How many members it has.
    pub members: u32,
    /// The caller's role.
    pub role: Role,
    /// The caller's first seq: their history begins there.
    pub since: u64,
    /// When it began.
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
    /// Whom to add; oneself to join a channel.
    pub user: UserId,
    /// As what; a member where absent.
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
    /// Who, as what.
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
    /// Whether there may be more at the far end of the page: before it where it ends at a seq or at the end, after it where
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
    /// What of its text was looked for: ascending, apart, at least one and 100 at most.
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
    /// Whom it mentions from now on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<UserId>,
}

/// When one member got and read a message; a time is absent where it is not so, or not known any longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ReadReceipt {
    /// Who.
    pub user: UserId,
    /// Whether a device of theirs has it.
    pub delivered: bool,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Timestamp>,
    /// Whether they have read it.
    pub read: bool,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_at: Option<Timestamp>,
}

/// `GET /v1/messages/{id}/read_receipts`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ReadReceipts {
    /// One for each member but the sender, by their identifiers; none of a channel.
    pub items: Vec<ReadReceipt>,
    /// Where the next page begins; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// How many members but the sender have it on a device,
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
    /// Where that is.
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
    /// Whom it mentions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<UserId>,
    /// The seq of the message that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<u64>,
    /// The media that it shows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<crate::MediaId>,
}
