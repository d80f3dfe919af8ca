//! The frames of the socket: one JSON object a text frame, its kind in `t`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::{
    Code, ConversationId, DeviceId, Entry, InstanceId, MediaId, Timestamp, UserId,
    object::Object,
    standing::{HeadItem, PresenceState},
};

/// A frame of a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum ClientFrame {
    /// The token of the device and the heads that it has; must be the first, within 10 s. Without a token, on an open socket:
    /// resume.
    Hello(Hello),
    /// The heartbeat.
    Ping(Ping),
    /// A message.
    Send(Send),
    /// Asks for entries.
    Sync(Sync),
    /// Everything up to this seq reached the device.
    Delivered(Pointer),
    /// Everything up to this seq was read.
    Read(Pointer),
    /// The person is writing.
    Typing(TypingIn),
    /// Users and conversations that are on screen from now on.
    Watch(Watch),
    /// Users and conversations that no longer are.
    Unwatch(Watch),
}

impl ClientFrame {
    /// The `t` of every client frame.
    pub const KINDS: [&'static str; 9] =
        ["hello", "ping", "send", "sync", "delivered", "read", "typing", "watch", "unwatch"];

    /// Reads a frame.
    ///
    /// # Errors
    /// Tells apart what is no JSON object, what is no known kind, and which field of a known kind is wrong.
    pub fn decode(text: &str) -> Result<Self, BadFrame> {
        #[derive(Deserialize)]
        struct Tag<'a> {
            #[serde(borrow)]
            t: Cow<'a, str>,
        }
        if let Some(send) = decode_send(text) {
            return Ok(Self::Send(send));
        }
        if !text.trim_ascii_start().starts_with('{') {
            return Err(BadFrame::NotDecodable);
        }
        let tag: Tag<'_> = serde_json::from_str(text).map_err(|_| BadFrame::NotDecodable)?;
        match &*tag.t {
            "hello" => read(text).map(Self::Hello),
            "ping" => read(text).map(Self::Ping),
            "send" => serde_json::from_str(text).map(Self::Send).map_err(|_| explain_send(text)),
            "sync" => read(text).map(Self::Sync),
            "delivered" => read(text).map(Self::Delivered),
            "read" => read(text).map(Self::Read),
            "typing" => read(text).map(Self::Typing),
            "watch" => read(text).map(Self::Watch),
            "unwatch" => read(text).map(Self::Unwatch),
            _ => Err(BadFrame::UnknownKind),
        }
    }
}

/// Reads a good `send` in one pass, where it begins as nearly all do: serde goes through a flattened field twice, and most
/// frames of a busy server are this one.
fn decode_send(text: &str) -> Option<Send> {
    #[derive(Deserialize)]
    struct Flat<'a> {
        #[serde(borrow)]
        t: Cow<'a, str>,
        conversation: ConversationId,
        client_id: Uuid,
        #[serde(default)]
        text: String,
        #[serde(default)]
        mentions: Vec<UserId>,
        #[serde(default)]
        reply_to: Option<u64>,
        #[serde(default)]
        attachments: Vec<MediaId>,
    }
    if !text.starts_with(r#"{"t":"send""#) {
        return None;
    }
    let flat: Flat<'_> = serde_json::from_str(text).ok()?;
    let Flat { t, conversation, client_id, text, mentions, reply_to, attachments } = flat;
    let message = NewMessage { client_id, text, mentions, reply_to, attachments };
    (t == "send").then_some(Send { conversation, message })
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, BadFrame> {
    serde_json::from_str(text).map_err(|_| explain::<T>(text))
}

/// Reads a bad `send` once more: a flattened field has no path, so the message is read by itself first.
#[cold]
fn explain_send(text: &str) -> BadFrame {
    match explain::<NewMessage>(text) {
        BadFrame::Field { pointer, .. } if pointer.is_empty() => explain::<Send>(text),
        bad => bad,
    }
}

/// Reads a bad frame once more, slowly, to say where it is bad.
#[cold]
fn explain<T: DeserializeOwned>(text: &str) -> BadFrame {
    #[derive(Deserialize, Default)]
    struct ClientId {
        client_id: Option<Uuid>,
    }
    let (pointer, detail) = match decode_body::<T>(text.as_bytes()) {
        Err(BadBody::Field { pointer, detail }) => (pointer, detail),
        Err(BadBody::NotJson(detail)) => (String::new(), detail),
        Ok(_) => (String::new(), String::new()),
    };
    let client_id = serde_json::from_str::<ClientId>(text).unwrap_or_default().client_id;
    BadFrame::Field { pointer, detail, client_id }
}

/// The reason why a text is not a frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadFrame {
    /// No JSON object with a `t`.
    #[error("not a JSON object with a text `t`")]
    NotDecodable,
    /// A `t` that this version does not know.
    #[error("unknown frame")]
    UnknownKind,
    /// A known kind with a wrong or missing field.
    #[error("{pointer}: {detail}")]
    Field {
        /// A JSON Pointer to the field.
        pointer: String,
        /// The error, for a person.
        detail: String,
        /// The `client_id`, where the frame has a valid one, so that its sender can tell which send failed.
        client_id: Option<Uuid>,
    },
}

/// The reason why bytes are not the JSON that was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadBody {
    /// Not JSON at all.
    #[error("{0}")]
    NotJson(String),
    /// JSON with a wrong or missing field.
    #[error("{pointer}: {detail}")]
    Field {
        /// A JSON Pointer (RFC 6901) to the field.
        pointer: String,
        /// The error, for a person.
        detail: String,
    },
}

/// Reads JSON and, where it cannot, says which field is at fault.
///
/// # Errors
/// [`BadBody`], with the pointer where there is one.
pub fn decode_body<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, BadBody> {
    use serde_path_to_error::Segment;

    let mut json = serde_json::Deserializer::from_slice(bytes);
    let Object(value) = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        if error.inner().is_syntax() || error.inner().is_eof() {
            return BadBody::NotJson(error.inner().to_string());
        }
        let mut pointer = String::new();
        for segment in error.path() {
            match segment {
                Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
                Segment::Map { key } | Segment::Enum { variant: key } => {
                    pointer.push('/');
                    pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
                }
                Segment::Unknown => {}
            }
        }
        let detail = error.inner().to_string();
        let detail = detail.split(" at line ").next().unwrap_or_default().to_owned();
        // A missing field is the fault of the object around it, but the person who must add it looks for its name.
        if let Some(name) = detail.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
            pointer.push('/');
            pointer.push_str(name);
        }
        BadBody::Field { pointer, detail }
    })?;
    json.end().map_err(|error| BadBody::NotJson(error.to_string()))?;
    Ok(value)
}

/// `hello`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Hello {
    /// The device's token. Absent in a resume on a socket that has said hello.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The seq up to which the device has each conversation, most recent first; at most 500.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub have: Vec<(ConversationId, u64)>,
    /// The program's name and version, for the operator's statistics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Names of what the device can do, as at sign-in, from now on; as they were where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub features: Option<Vec<String>>,
}

/// `ping`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Ping {
    /// True if the person did something since the last one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub active: bool,
}

/// `send`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Send {
    /// The conversation to which it goes.
    pub conversation: ConversationId,
    /// The message.
    #[serde(flatten)]
    pub message: NewMessage,
}

/// A message as a client sends it; also the body of the REST route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NewMessage {
    /// A UUIDv7 that the client made for this message, the same in every retry.
    pub client_id: Uuid,
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
    pub attachments: Vec<MediaId>,
}

/// `sync`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Sync {
    /// The conversation.
    pub conversation: ConversationId,
    /// The entries after this seq.
    pub after: u64,
    /// The largest number of entries; 200 at most, and 200 where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// `delivered` and `read`: cumulative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Pointer {
    /// The conversation.
    pub conversation: ConversationId,
    /// The entry up to which, it included.
    pub seq: u64,
}

/// `typing`, from a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TypingIn {
    /// The conversation.
    pub conversation: ConversationId,
}

/// `watch` and `unwatch`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Watch {
    /// Users whose presence is watched; at most 500 at a time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<UserId>,
    /// Conversations whose receipts are watched; at most 20 at a time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conversations: Vec<ConversationId>,
}

/// A frame of a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum ServerFrame {
    /// The hello was good.
    Ready(Ready),
    /// The heads of the user's conversations.
    Heads(Heads),
    /// The answer to a ping.
    Pong(Pong),
    /// The message is durable. Stands for the entry on the socket that sent it.
    Sent(Sent),
    /// Something was said.
    Entry(EntryFrame),
    /// Entries that were asked for, or that a hello lacked.
    Entries(Entries),
    /// Somebody's pointers moved.
    Receipt(Receipt),
    /// Somebody is writing.
    Typing(Typing),
    /// Somebody came or went.
    Presence(Presence),
    /// The user's list of conversations changed.
    Conversation(ConversationFrame),
    /// The requests that wait for the user's answer changed.
    Requests(Requests),
    /// A frame of the client failed.
    Error(ErrorFrame),
    /// Something may have been missed: say `have` again.
    Reset(Reset),
    /// The kinds of frames that are shed at the moment.
    Degraded(Degraded),
    /// This node drains.
    Goaway(Goaway),
}

impl ServerFrame {
    /// The `t` of every server frame.
    pub const KINDS: [&'static str; 15] = [
        "ready",
        "heads",
        "pong",
        "sent",
        "entry",
        "entries",
        "receipt",
        "typing",
        "presence",
        "conversation",
        "requests",
        "error",
        "reset",
        "degraded",
        "goaway",
    ];
}

/// A kind of frame that a server drops under load before it would refuse a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Sheddable {
    /// `typing` frames.
    Typing,
    /// `presence` frames.
    Presence,
    /// `receipt` frames.
    Receipts,
    /// Something of a later version; it is only ever read.
    #[serde(other, skip_serializing)]
    Unknown,
}

/// `ready`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Ready {
    /// The user of the token.
    pub user: UserId,
    /// The device of the token.
    pub device: DeviceId,
    /// The node that answers.
    pub node: String,
    /// A device that has sent nothing for so long must send `ping`.
    pub heartbeat_ms: u32,
    /// The kinds of frames that are shed at the moment.
    pub degraded: Vec<Sheddable>,
    /// The instance of the server's data; no older server tells it. A device drops everything that it has of another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
}

/// `heads`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Heads {
    /// At most 500.
    pub conversations: Vec<HeadItem>,
    /// True if another page follows.
    pub more: bool,
    /// As in `ready`: whose seqs these are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
}

/// `pong`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Pong {
    /// The server's clock.
    pub at: Timestamp,
}

/// `sent`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Sent {
    /// The name of the message.
    pub client_id: Uuid,
    /// The conversation.
    pub conversation: ConversationId,
    /// Its place in the log.
    pub seq: u64,
    /// The time at which the server took it.
    pub at: Timestamp,
    /// As in [`crate::Entry::true_at`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub true_at: Option<Timestamp>,
}

/// `entry`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct EntryFrame {
    /// The conversation.
    pub conversation: ConversationId,
    /// The entry.
    pub entry: Entry,
}

/// `entries`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Entries {
    /// The conversation.
    pub conversation: ConversationId,
    /// In order, without gap.
    pub entries: Vec<Entry>,
    /// The last seq of the log.
    pub head: u64,
    /// True if there are entries after these.
    pub more: bool,
    /// The client's seq is above the head: it drops what is above.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ahead: bool,
}

/// `receipt`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Receipt {
    /// The conversation.
    pub conversation: ConversationId,
    /// The user whose pointers moved.
    pub user: UserId,
    /// The seq up to which a device of theirs got it.
    pub delivered: u64,
    /// The seq up to which they read it.
    pub read: u64,
    /// The time at which they moved.
    pub at: Timestamp,
}

/// `typing`, from the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Typing {
    /// The conversation.
    pub conversation: ConversationId,
    /// The user who is writing.
    pub user: UserId,
}

/// `presence`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Presence {
    /// The user.
    pub user: UserId,
    /// The state: online while a device of theirs is connected.
    pub state: PresenceState,
    /// The time at which they last did something; absent where they are online or do not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Timestamp>,
}

/// The change of the user's list of conversations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// The user is a member from now on.
    Added,
    /// Members, roles or settings changed.
    Changed,
    /// The user is no member any longer.
    Left,
}

/// `conversation`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ConversationFrame {
    /// The conversation.
    pub id: ConversationId,
    /// The seq of the last entry that changed it or its members.
    pub rev: u64,
    /// The change.
    pub change: Change,
}

/// `requests`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Requests {
    /// The number of requests that wait.
    pub waiting: u32,
}

/// `error`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ErrorFrame {
    /// The error code, by which a client decides.
    pub code: Code,
    /// The error, for a person.
    pub title: String,
    /// The `t` of the frame that failed.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The `client_id` of the send that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<Uuid>,
    /// The conversation of the frame that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<ConversationId>,
    /// A JSON Pointer to the field at fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// The circumstances of this time, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The time after which it may succeed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u32>,
    /// True where what was asked for is damaged on the server: asking again changes nothing, whatever `code` says.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub damaged: bool,
}

/// `reset`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Reset {
    /// The client resumes at a random time within so long.
    pub spread_ms: u32,
}

/// `degraded`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Degraded {
    /// The kinds of frames that are shed from now on; none when it is over.
    pub shed: Vec<Sheddable>,
}

/// `goaway`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Goaway {
    /// The client reconnects after so long at the earliest,
    pub reconnect_after_ms: u32,
    /// and at a random time within so long after that.
    pub spread_ms: u32,
    /// The address to go to, if not the same server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_send_reads_the_same_whatever_it_begins_with() {
        let conversation = ConversationId::from_bytes([1; 16]);
        let fields = format!(
            r#""conversation":"{conversation}","client_id":"{}","text":"a\"b","reply_to":3,"later":[{{}}]"#,
            Uuid::from_u128(7)
        );
        let first = ClientFrame::decode(&format!(r#"{{"t":"send",{fields}}}"#));
        assert_eq!(first, ClientFrame::decode(&format!(r#"{{{fields},"t":"send"}}"#)));
        let Ok(ClientFrame::Send(send)) = first else { panic!("{first:?}") };
        assert_eq!(
            (send.conversation, send.message.text.as_str(), send.message.reply_to),
            (conversation, "a\"b", Some(3))
        );
        for bad in [r#"{"t":"send"}"#, r#"{"t":"sender"}"#, r#"{"t":"send","t":"ping"}"#, r#"{"t":"send" "#] {
            assert!(ClientFrame::decode(bad).is_err(), "{bad}");
        }
        assert_eq!(ClientFrame::decode(r#"{"t":"sender"}"#), Err(BadFrame::UnknownKind));
    }

    #[test]
    fn a_body_is_an_object_and_so_are_its_parts() {
        use crate::rest::{ChangeProfile, NewSession};
        let at = |bad: BadBody| match bad {
            BadBody::Field { pointer, .. } => pointer,
            BadBody::NotJson(why) => panic!("{why}"),
        };
        assert!(decode_body::<Hello>(b"{}").is_ok());
        assert_eq!(decode_body::<Hello>(b"[]").map_err(at), Err(String::new()));
        assert_eq!(decode_body::<NewSession>(br#"["anna","secret"]"#).err().map(at), Some(String::new()));
        let part = br#"{"username":"anna","password":"secret","device":["phone","android"]}"#;
        assert_eq!(decode_body::<NewSession>(part).err().map(at), Some("/device".into()));
        let part = br#"{"username":"anna","password":"secret","device":{"name":1,"platform":"android"}}"#;
        assert_eq!(decode_body::<NewSession>(part).err().map(at), Some("/device/name".into()));
        let part = br#"{"username":"anna","password":"secret","device":null}"#;
        assert!(decode_body::<NewSession>(part).is_ok());
        assert_eq!(decode_body::<ChangeProfile>(br#"{"privacy":["nobody",true]}"#).map_err(at), Err("/privacy".into()));
    }

    #[test]
    fn a_bad_frame_says_what_is_bad() {
        assert_eq!(ClientFrame::decode("hi"), Err(BadFrame::NotDecodable));
        assert_eq!(ClientFrame::decode("[]"), Err(BadFrame::NotDecodable));
        assert_eq!(ClientFrame::decode(r#"["ping"]"#), Err(BadFrame::NotDecodable));
        assert_eq!(ClientFrame::decode(r#" ["hello"]"#), Err(BadFrame::NotDecodable));
        assert_eq!(ClientFrame::decode("{}"), Err(BadFrame::NotDecodable));
        assert_eq!(ClientFrame::decode(r#"{"t":"dance"}"#), Err(BadFrame::UnknownKind));
        let id = "019a0000-0000-7000-8000-000000000000";
        let text = format!(r#"{{"t":"send","client_id":"{id}","conversation":"nowhere","text":"x"}}"#);
        let Err(BadFrame::Field { pointer, client_id, .. }) = ClientFrame::decode(&text) else {
            panic!("a send to nowhere was read")
        };
        assert_eq!((pointer.as_str(), client_id), ("/conversation", id.parse().ok()));
        let Err(BadFrame::Field { pointer, .. }) = ClientFrame::decode(r#"{"t":"sync","after":3}"#) else {
            panic!("a sync of nothing was read")
        };
        assert_eq!(pointer, "/conversation");
    }

    #[test]
    fn a_frame_survives_its_text() {
        let frame = ClientFrame::Hello(Hello {
            token: Some("t".into()),
            have: vec![(ConversationId::new(Uuid::from_u128(1)), 7)],
            client: None,
            features: Some(vec!["polls".into()]),
        });
        let text = serde_json::to_string(&frame).unwrap();
        assert_eq!(ClientFrame::decode(&text), Ok(frame));
    }

    #[test]
    fn unknown_fields_are_ignored() {
        assert_eq!(
            ClientFrame::decode(r#"{"mood":1,"t":"ping","active":true}"#),
            Ok(ClientFrame::Ping(Ping { active: true }))
        );
    }
}
