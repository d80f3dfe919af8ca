//! The entries of a conversation's log, and the messages folded from them.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::IgnoredAny, ser::SerializeMap as _};
use uuid::Uuid;

use crate::{ConversationId, DeviceId, Media, MessageId, Timestamp, UserId};

/// The kind of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ConversationKind {
    /// Two users, for ever.
    Direct,
    /// By invitation; everybody writes.
    Group,
    /// Found and joined by anybody on the server.
    Channel,
}

/// The role of a member, from the most rights to the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads and, where everybody may, writes.
    Member,
    /// Adds, removes, and changes settings.
    Admin,
    /// An admin whom no admin can remove.
    Owner,
}

/// The members who may write in a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Writers {
    /// Every member.
    Everyone,
    /// Owners and admins.
    Admins,
}

/// A user and the role in which they belong to a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MemberRole {
    /// The user.
    pub user: UserId,
    /// The role of the user.
    pub role: Role,
}

/// The content of an entry; its `kind` names it and its `body` holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "kind", content = "body", rename_all = "snake_case")]
pub enum Body {
    /// The conversation began. Always seq 1.
    Created(Created),
    /// Somebody wrote.
    Message(Text),
    /// A message of one's own got another text.
    Edit(Edit),
    /// A message was deleted for everyone.
    Delete(Target),
    /// An emoji was put to a message, or taken back.
    Reaction(Reaction),
    /// Somebody was added, or joined.
    MemberAdded(MemberAdded),
    /// Somebody was removed, or left.
    MemberRemoved(MemberRemoved),
    /// A member got another role.
    RoleChanged(RoleChanged),
    /// Settings of the conversation changed.
    ConversationChanged(ConversationChanged),
    /// The rest of an entry whose content was deleted or has expired.
    Redacted(Redacted),
    /// A kind of a later version, which an [`Entry`] writes as `unknown`. It keeps its place in the log, and nothing else is
    /// known of it.
    #[cfg_attr(feature = "schema", schema(ignore))]
    #[serde(other, skip_serializing, deserialize_with = "whatever_it_says")]
    Unknown,
}

fn whatever_it_says<'de, D: Deserializer<'de>>(body: D) -> Result<(), D::Error> {
    IgnoredAny::deserialize(body).map(|_| ())
}

/// The body of `created`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Created {
    /// The kind of the conversation, for ever.
    pub kind: ConversationKind,
    /// Its first title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Seconds after which its messages disappear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expire_after_s: Option<u32>,
    /// Its first members.
    pub members: Vec<MemberRole>,
}

/// The body of `message`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Text {
    /// The text; empty where there are only attachments.
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
    pub attachments: Vec<Media>,
}

/// The body of `edit`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Edit {
    /// The seq of the message.
    pub target: u64,
    /// Its text from now on.
    pub text: String,
    /// The users whom it mentions from now on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<UserId>,
}

/// The body of `delete`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Target {
    /// The seq of the message.
    pub target: u64,
}

/// The body of `reaction`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Reaction {
    /// The seq of the message.
    pub target: u64,
    /// The emoji.
    pub emoji: String,
    /// True when it is put, false when it is taken back.
    pub on: bool,
}

/// The body of `member_added`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MemberAdded {
    /// The user who was added.
    pub user: UserId,
    /// The role of the user.
    pub role: Role,
    /// The user who added them; themselves where they joined.
    pub by: UserId,
}

/// The body of `member_removed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MemberRemoved {
    /// The user who was removed.
    pub user: UserId,
    /// The user who removed them; themselves where they left.
    pub by: UserId,
}

/// The body of `role_changed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RoleChanged {
    /// The user whose role changed.
    pub user: UserId,
    /// The role from now on.
    pub role: Role,
    /// The user who gave it.
    pub by: UserId,
}

/// The body of `conversation_changed`: the fields that changed, as they are from now on. An empty text or a zero unsets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ConversationChanged {
    /// The title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The topic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// Its picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
    /// Seconds after which messages sent from now on disappear; 0 for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expire_after_s: Option<u32>,
    /// The members who may write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writers: Option<Writers>,
}

/// The body of `redacted`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Redacted {
    /// The kind of the entry whose content is gone: `message` or `edit`.
    pub was: RedactedKind,
}

/// The kind that a redacted entry had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RedactedKind {
    /// A message.
    Message,
    /// An edit of a message that was deleted since.
    Edit,
    /// A kind of a later version; it is only ever read.
    #[serde(other, skip_serializing)]
    Unknown,
}

/// One entry of a conversation's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Entry {
    /// Its name everywhere.
    pub id: MessageId,
    /// The conversation whose log holds it.
    pub conversation: ConversationId,
    /// Its place in the log, from 1, without gap.
    pub seq: u64,
    /// The user whose doing it was.
    pub sender: UserId,
    /// The device from which it came; absent where the server did it for the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceId>,
    /// The key under which its sender may send it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<Uuid>,
    /// The time at which the server took it; never before the entry in front of it.
    pub at: Timestamp,
    /// The true time at which the server took it, where a clock that was ahead before had `at` held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub true_at: Option<Timestamp>,
    /// The time at which its content disappears.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Its content.
    #[serde(flatten, serialize_with = "write_body")]
    pub body: Body,
}

/// Writes a body, of a later version too: who passes an entry on need not know it.
fn write_body<S: Serializer>(body: &Body, serializer: S) -> Result<S::Ok, S::Error> {
    let Body::Unknown = body else { return body.serialize(serializer) };
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry("kind", "unknown")?;
    map.end()
}

impl Entry {
    /// Returns the true time at which the server took it: the one to show.
    pub fn time(&self) -> Timestamp {
        self.true_at.unwrap_or(self.at)
    }
}

/// An emoji and who put it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ReactionUsers {
    /// The emoji.
    pub emoji: String,
    /// The users who put it, in that order.
    pub users: Vec<UserId>,
}

/// A folded entry: one that shows in a timeline, with every edit, deletion and reaction up to now applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Message {
    /// The entry, with the text and mentions of its last edit.
    #[serde(flatten)]
    pub entry: Entry,
    /// The time of the last edit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Timestamp>,
    /// True once its content was deleted or has expired.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
    /// The reactions to it, in the order of their first use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<ReactionUsers>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(rest: &str) -> serde_json::Result<Entry> {
        let conversation = ConversationId::new(Uuid::from_u128(1));
        let sender = UserId::new(Uuid::from_u128(2));
        let text = format!(
            r#"{{"id":"{conversation}.3","conversation":"{conversation}","seq":3,"sender":"{sender}","at":"2026-01-31T12:34:56.789Z",{rest}}}"#
        );
        serde_json::from_str(&text)
    }

    #[test]
    fn a_kind_of_a_later_version_is_read_and_a_bad_body_is_not() {
        for rest in [
            r#""kind":"sealed","body":{"bytes":[1,{"a":null}]}"#,
            r#""body":"text","kind":"commit""#,
            r#""kind":"sealed","body":null"#,
            r#""kind":"sealed""#,
        ] {
            assert_eq!(read(rest).map(|entry| entry.body).ok(), Some(Body::Unknown), "{rest}");
        }
        let redacted = read(r#""kind":"redacted","body":{"was":"sealed"}"#).map(|entry| entry.body);
        assert_eq!(redacted.ok(), Some(Body::Redacted(Redacted { was: RedactedKind::Unknown })));
        assert!(read(r#""kind":"edit","body":{"target":"x"}"#).is_err());
        assert!(read(r#""kind":"message""#).is_err());
        assert_eq!(
            read(r#""kind":"delete","body":{"target":1}"#).map(|entry| entry.body).ok(),
            Some(Body::Delete(Target { target: 1 }))
        );
    }
}
