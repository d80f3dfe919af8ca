//! Identifiers in TypeID form: a prefix, `_`, and the 26 base32 characters of a UUIDv7.
//!
//! The form is that of the TypeID specification, version 0.3: Crockford's alphabet in lower case, most significant
//! bits first, so that identifiers sort by the time that made them.

use std::{cmp::Ordering, fmt, hash, marker::PhantomData, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const SUFFIX_CHARS: usize = 26;

/// The kind of thing that an identifier names; its prefix tells a reader which.
pub trait Kind {
    /// The text before the underscore.
    const PREFIX: &'static str;
    /// The name of the identifier's schema in the generated documents.
    const SCHEMA: &'static str;
}

/// Marks the identifiers of users.
pub enum User {}
/// Marks the identifiers of devices.
pub enum Device {}
/// Marks the identifiers of conversations.
pub enum Conversation {}
/// Marks the identifiers of media.
pub enum Media {}
/// Marks the identifiers of uploads.
pub enum Upload {}
/// Marks the identifiers of reports.
pub enum Report {}
/// Marks the identifiers of long polls.
pub enum Poll {}
/// Marks the identifiers of instances.
pub enum Instance {}

impl Kind for User {
    const PREFIX: &'static str = "user";
    const SCHEMA: &'static str = "UserId";
}
impl Kind for Device {
    const PREFIX: &'static str = "device";
    const SCHEMA: &'static str = "DeviceId";
}
impl Kind for Conversation {
    const PREFIX: &'static str = "conv";
    const SCHEMA: &'static str = "ConversationId";
}
impl Kind for Media {
    const PREFIX: &'static str = "media";
    const SCHEMA: &'static str = "MediaId";
}
impl Kind for Upload {
    const PREFIX: &'static str = "upload";
    const SCHEMA: &'static str = "UploadId";
}
impl Kind for Report {
    const PREFIX: &'static str = "report";
    const SCHEMA: &'static str = "ReportId";
}
impl Kind for Poll {
    const PREFIX: &'static str = "poll";
    const SCHEMA: &'static str = "PollId";
}
impl Kind for Instance {
    const PREFIX: &'static str = "instance";
    const SCHEMA: &'static str = "InstanceId";
}

/// `user_…`
pub type UserId = Id<User>;
/// `device_…`
pub type DeviceId = Id<Device>;
/// `conv_…`
pub type ConversationId = Id<Conversation>;
/// `media_…`
pub type MediaId = Id<Media>;
/// `upload_…`
pub type UploadId = Id<Upload>;
/// `poll_…`
pub type PollId = Id<Poll>;
/// `report_…`
pub type ReportId = Id<Report>;
/// `instance_…`
pub type InstanceId = Id<Instance>;

/// An identifier of one kind: 16 bytes inside, TypeID text outside.
pub struct Id<K>(Uuid, PhantomData<fn() -> K>);

impl<K> Id<K> {
    /// Names what `uuid` names.
    pub const fn new(uuid: Uuid) -> Self {
        Self(uuid, PhantomData)
    }

    /// The identifier inside its text.
    pub const fn uuid(self) -> Uuid {
        self.0
    }

    /// Its 16 bytes, which sort as its text does.
    pub const fn bytes(self) -> [u8; 16] {
        *self.0.as_bytes()
    }

    fn suffix(self) -> [u8; SUFFIX_CHARS] {
        let value = self.0.as_u128();
        std::array::from_fn(|place| {
            let shift = 5 * (SUFFIX_CHARS - 1 - place);
            ALPHABET[(value >> shift) as usize & 31]
        })
    }

    /// The identifier with these 16 bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes), PhantomData)
    }
}

impl<K: Kind> Id<K> {
    /// Puts its text behind what is there: cheaper than formatting it, for who writes many.
    pub fn append_to(self, out: &mut Vec<u8>) {
        out.extend_from_slice(K::PREFIX.as_bytes());
        out.push(b'_');
        out.extend_from_slice(&self.suffix());
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}
impl<K> hash::Hash for Id<K> {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(K::PREFIX)?;
        f.write_str("_")?;
        f.write_str(str::from_utf8(&self.suffix()).expect("the alphabet is ASCII"))
    }
}

impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The reason why a text is not the identifier that was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an identifier of the form {prefix}_ and 26 base32 characters")]
pub struct BadId {
    prefix: &'static str,
}

impl<K: Kind> FromStr for Id<K> {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let bad = BadId { prefix: K::PREFIX };
        let suffix = text.strip_prefix(K::PREFIX).and_then(|rest| rest.strip_prefix('_')).ok_or(bad)?;
        let suffix = suffix.as_bytes();
        if suffix.len() != SUFFIX_CHARS || suffix[0] > b'7' {
            return Err(bad);
        }
        let mut value = 0u128;
        for &char in suffix {
            let digit = match char {
                b'0'..=b'9' => char - b'0',
                b'a'..=b'h' => char - b'a' + 10,
                b'j' | b'k' => char - b'j' + 18,
                b'm' | b'n' => char - b'm' + 20,
                b'p'..=b't' => char - b'p' + 22,
                b'v'..=b'z' => char - b'v' + 27,
                _ => return Err(bad),
            };
            value = value << 5 | u128::from(digit);
        }
        Ok(Self::new(Uuid::from_u128(value)))
    }
}

impl<K: Kind> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, K: Kind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text(PhantomData))
    }
}

/// Reads an identifier from text that need not be owned.
struct Text<T>(PhantomData<T>);

impl<T: FromStr<Err = BadId>> de::Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an identifier")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

/// The name of a message: its conversation and its seq, `conv_….42`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId {
    /// The conversation whose log holds it.
    pub conversation: ConversationId,
    /// Its place in that log, from 1.
    pub seq: u64,
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.conversation, self.seq)
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for MessageId {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let bad = BadId { prefix: Conversation::PREFIX };
        let (conversation, seq) = text.split_once('.').ok_or(bad)?;
        let canonical = seq.bytes().all(|b| b.is_ascii_digit()) && !seq.starts_with('0');
        let seq = seq.parse().ok().filter(|_| canonical).ok_or(bad)?;
        Ok(Self { conversation: conversation.parse()?, seq })
    }
}

impl Serialize for MessageId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MessageId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text(PhantomData))
    }
}

#[cfg(feature = "schema")]
mod schema {
    use std::borrow::Cow;

    use utoipa::{
        PartialSchema, ToSchema,
        openapi::{ObjectBuilder, RefOr, Schema, schema::Type},
    };

    use super::*;

    const SUFFIX: &str = "[0-7][0-9a-hjkmnp-tv-z]{25}";

    fn text(pattern: String) -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern)).build().into()
    }

    impl<K: Kind> PartialSchema for Id<K> {
        fn schema() -> RefOr<Schema> {
            text(format!("^{}_{SUFFIX}$", K::PREFIX))
        }
    }
    impl<K: Kind> ToSchema for Id<K> {
        fn name() -> Cow<'static, str> {
            K::SCHEMA.into()
        }
    }
    impl PartialSchema for MessageId {
        fn schema() -> RefOr<Schema> {
            text(format!("^{}_{SUFFIX}\\.[1-9][0-9]*$", Conversation::PREFIX))
        }
    }
    impl ToSchema for MessageId {
        fn name() -> Cow<'static, str> {
            "MessageId".into()
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_specification_s_example_reads_and_writes() {
        let text = "user_01h455vb4pex5vsknk084sn02q";
        let id: UserId = text.parse().unwrap();
        assert_eq!(id.uuid().to_string(), "01890a5d-ac96-774b-bcce-b302099a8057");
        assert_eq!(id.to_string(), text);
    }

    #[test]
    fn what_is_not_canonical_is_refused() {
        for text in [
            "01h455vb4pex5vsknk084sn02q",
            "user_",
            "device_01h455vb4pex5vsknk084sn02q",
            "user_01H455VB4PEX5VSKNK084SN02Q",
            "user_81h455vb4pex5vsknk084sn02q",
            "user_01h455vb4pex5vsknk084sn02u",
            "user_01h455vb4pex5vsknk084sn02qq",
        ] {
            assert!(text.parse::<UserId>().is_err(), "{text}");
        }
        for seq in ["", "0", "01", "-1", "+1", "x", "18446744073709551616"] {
            let text = format!("conv_01h455vb4pex5vsknk084sn02q.{seq}");
            assert!(text.parse::<MessageId>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_identifier_survives_its_text_and_sorts_as_it(a: u128, b: u128, seq in 1u64..) {
            let (a, b) = (ConversationId::new(Uuid::from_u128(a)), ConversationId::new(Uuid::from_u128(b)));
            prop_assert_eq!(a.to_string().parse::<ConversationId>().unwrap(), a);
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
            let message = MessageId { conversation: a, seq };
            prop_assert_eq!(message.to_string().parse::<MessageId>().unwrap(), message);
        }

        #[test]
        fn any_text_is_refused_or_canonical(text in "\\PC*|user_[0-9a-z]{26}") {
            if let Ok(id) = text.parse::<UserId>() {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }
}
