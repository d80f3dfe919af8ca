//! Reads the few fields that a measurement needs from a server's JSON, without building anything.
//!
//! It walks one level of an object or array, skips what it is not asked about, and stops as soon as it knows enough,
//! so that the text of a message is never looked at. It trusts the server to send JSON: what is broken is reported, not located.

use memchr::memchr2;
use uuid::Uuid;

use crate::error::{Error, Result};

/// The content of a server frame, as far as a measurement needs it.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard<'a> {
    /// One's own message is durable.
    Sent {
        /// The client_id of the message.
        client_id: Uuid,
        /// The identifier of the conversation, as text.
        conversation: &'a [u8],
        /// Its place.
        seq: u64,
    },
    /// Something was said.
    Entry {
        /// The identifier of the conversation, as text.
        conversation: &'a [u8],
        /// Its place.
        seq: u64,
        /// The sender's name for it, where it has one.
        client_id: Option<Uuid>,
    },
    /// A frame failed.
    Error {
        /// The code.
        code: &'a [u8],
        /// The client_id of the refused send, if it was one.
        client_id: Option<Uuid>,
    },
    /// The kinds of frames that are shed from now on, as a JSON array.
    Degraded(&'a [u8]),
    /// Anything else, by its `t`.
    Other(&'a [u8]),
}

/// Reads a server frame.
///
/// # Errors
/// No object, no `t`, or a known kind without its fields.
pub fn hear(frame: &[u8]) -> Result<Heard<'_>> {
    match kind(frame)? {
        b"sent" => {
            let (mut client_id, mut conversation, mut seq) = (None, None, None);
            fields(frame, |key, value| {
                match key {
                    b"client_id" => client_id = uuid(value),
                    b"conversation" => conversation = Some(text(value)),
                    b"seq" => seq = number(value),
                    _ => {}
                }
                client_id.is_none() || conversation.is_none() || seq.is_none()
            })?;
            match (client_id, conversation, seq) {
                (Some(client_id), Some(conversation), Some(seq)) => Ok(Heard::Sent { client_id, conversation, seq }),
                _ => Err(broken("sent", frame)),
            }
        }
        b"entry" => {
            let (mut conversation, mut entry) = (None, None);
            fields(frame, |key, value| {
                match key {
                    b"conversation" => conversation = Some(text(value)),
                    b"entry" => entry = Some(value),
                    _ => {}
                }
                conversation.is_none() || entry.is_none()
            })?;
            let (Some(conversation), Some(entry)) = (conversation, entry) else {
                return Err(broken("entry", frame));
            };
            let (seq, client_id) = place(entry)?;
            Ok(Heard::Entry { conversation, seq, client_id })
        }
        b"error" => {
            let (mut code, mut client_id) = (&b""[..], None);
            fields(frame, |key, value| {
                match key {
                    b"code" => code = text(value),
                    b"client_id" => client_id = uuid(value),
                    _ => {}
                }
                true
            })?;
            Ok(Heard::Error { code, client_id })
        }
        b"degraded" => {
            let mut shed = &b"[]"[..];
            fields(frame, |key, value| {
                if key == b"shed" {
                    shed = value;
                }
                true
            })?;
            Ok(Heard::Degraded(shed))
        }
        other => Ok(Heard::Other(other)),
    }
}

/// The `t` of a frame.
pub fn kind(frame: &[u8]) -> Result<&[u8]> {
    let mut kind = None;
    fields(frame, |key, value| {
        if key == b"t" {
            kind = Some(text(value));
        }
        kind.is_none()
    })?;
    kind.ok_or_else(|| broken("frame", frame))
}

/// The seq of an entry, and its client's name for it where it has one.
pub fn place(entry: &[u8]) -> Result<(u64, Option<Uuid>)> {
    let (mut seq, mut client_id) = (None, None);
    fields(entry, |key, value| {
        match key {
            b"seq" => seq = number(value),
            b"client_id" => client_id = uuid(value),
            // What a message says comes after what names it; an entry without a client_id ends here too.
            b"body" => return seq.is_none(),
            _ => {}
        }
        seq.is_none() || client_id.is_none()
    })?;
    seq.map(|seq| (seq, client_id)).ok_or_else(|| broken("entry", entry))
}

/// Calls `each` with every key and raw value of the object `json`, in order, until it answers false.
pub fn fields<'a>(json: &'a [u8], mut each: impl FnMut(&'a [u8], &'a [u8]) -> bool) -> Result<()> {
    let mut at = open(json, b'{')?;
    loop {
        at = past_space(json, at);
        if json.get(at) == Some(&b'}') {
            return Ok(());
        }
        let end = past_value(json, at).ok_or_else(|| broken("object", json))?;
        let key = text(&json[at..end]);
        at = past_space(json, end);
        if json.get(at) != Some(&b':') {
            return Err(broken("object", json));
        }
        at = past_space(json, at + 1);
        let end = past_value(json, at).ok_or_else(|| broken("object", json))?;
        if !each(key, &json[at..end]) {
            return Ok(());
        }
        at = past_comma(json, end, b'}').ok_or_else(|| broken("object", json))?;
    }
}

/// Calls `each` with every raw item of the array `json`, in order.
pub fn items<'a>(json: &'a [u8], mut each: impl FnMut(&'a [u8]) -> Result<()>) -> Result<()> {
    let mut at = open(json, b'[')?;
    loop {
        at = past_space(json, at);
        if json.get(at) == Some(&b']') {
            return Ok(());
        }
        let end = past_value(json, at).ok_or_else(|| broken("array", json))?;
        each(&json[at..end])?;
        at = past_comma(json, end, b']').ok_or_else(|| broken("array", json))?;
    }
}

/// A raw value without its quotes. Names, identifiers and codes have no escapes.
pub fn text(value: &[u8]) -> &[u8] {
    value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(value)
}

/// A raw value as a number.
pub fn number(value: &[u8]) -> Option<u64> {
    str::from_utf8(value).ok()?.parse().ok()
}

fn uuid(value: &[u8]) -> Option<Uuid> {
    Uuid::try_parse_ascii(text(value)).ok()
}

fn open(json: &[u8], bracket: u8) -> Result<usize> {
    let at = past_space(json, 0);
    if json.get(at) == Some(&bracket) { Ok(at + 1) } else { Err(broken("value", json)) }
}

fn past_space(json: &[u8], mut at: usize) -> usize {
    while json.get(at).is_some_and(u8::is_ascii_whitespace) {
        at += 1;
    }
    at
}

/// The place of the next member, or of the closing bracket.
fn past_comma(json: &[u8], at: usize, close: u8) -> Option<usize> {
    let at = past_space(json, at);
    match *json.get(at)? {
        b',' => Some(at + 1),
        byte if byte == close => Some(at),
        _ => None,
    }
}

fn past_text(json: &[u8], quote: usize) -> Option<usize> {
    let mut at = quote + 1;
    loop {
        at += memchr2(b'"', b'\\', json.get(at..)?)?;
        if json[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

fn past_value(json: &[u8], start: usize) -> Option<usize> {
    match *json.get(start)? {
        b'"' => past_text(json, start),
        b'{' | b'[' => {
            let mut depth = 0usize;
            let mut at = start;
            loop {
                match *json.get(at)? {
                    b'"' => {
                        at = past_text(json, at)?;
                        continue;
                    }
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => depth -= 1,
                    _ => {}
                }
                at += 1;
                if depth == 0 {
                    return Some(at);
                }
            }
        }
        _ => {
            let rest = &json[start..];
            let len = rest.iter().position(|byte| matches!(byte, b',' | b'}' | b']') || byte.is_ascii_whitespace());
            len.filter(|len| *len > 0).map(|len| start + len)
        }
    }
}

#[cold]
fn broken(what: &str, json: &[u8]) -> Error {
    let shown = String::from_utf8_lossy(&json[..json.len().min(40)]);
    Error::Protocol(format!("a {what} that cannot be read: {shown}…"))
}

#[cfg(test)]
mod tests {
    use kith_protocol::{
        Body, Code, ConversationId, Entry, MessageId, ServerFrame, Timestamp, UserId,
        entry::Text,
        frame::{Degraded, EntryFrame, ErrorFrame, Sent, Sheddable},
    };

    use super::*;

    fn entry(text: &str) -> Entry {
        let conversation = ConversationId::new(Uuid::from_u128(7));
        Entry {
            id: MessageId { conversation, seq: 42 },
            conversation,
            seq: 42,
            sender: UserId::new(Uuid::from_u128(8)),
            device: None,
            client_id: Some(Uuid::from_u128(9)),
            at: Timestamp::from_millis(1),
            true_at: None,
            expires_at: None,
            body: Body::Message(Text { text: text.into(), ..Text::default() }),
        }
    }

    #[test]
    fn an_entry_is_heard_as_serde_writes_it() {
        let entry = entry("a \"quoted\" }{][ \\ text");
        let conversation = entry.conversation.to_string();
        let frame = ServerFrame::Entry(EntryFrame { conversation: entry.conversation, entry });
        let json = serde_json::to_vec(&frame).unwrap();
        let expected =
            Heard::Entry { conversation: conversation.as_bytes(), seq: 42, client_id: Some(Uuid::from_u128(9)) };
        assert_eq!(hear(&json).unwrap(), expected);
    }

    #[test]
    fn fields_may_stand_in_any_order_and_with_any_space() {
        let json = br#" { "entry" : {"body":{"seq":1,"text":"\"}"} , "seq" : 5,"x":[{"seq":2}]} , "more":[ ], "conversation":"conv_1","t":"entry" } "#;
        assert_eq!(hear(json).unwrap(), Heard::Entry { conversation: b"conv_1", seq: 5, client_id: None });
    }

    #[test]
    fn the_other_frames_are_heard_too() {
        let conversation = ConversationId::new(Uuid::from_u128(7));
        let sent =
            Sent { client_id: Uuid::from_u128(9), conversation, seq: 3, at: Timestamp::from_millis(1), true_at: None };
        let name = conversation.to_string();
        let json = serde_json::to_vec(&ServerFrame::Sent(sent)).unwrap();
        let expected = Heard::Sent { client_id: Uuid::from_u128(9), conversation: name.as_bytes(), seq: 3 };
        assert_eq!(hear(&json).unwrap(), expected);

        let error = ErrorFrame {
            code: Code::Overloaded,
            title: "x".into(),
            reference: None,
            client_id: Some(Uuid::from_u128(9)),
            conversation: None,
            pointer: None,
            detail: None,
            retry_after_ms: None,
            damaged: false,
        };
        let json = serde_json::to_vec(&ServerFrame::Error(error)).unwrap();
        let expected = Heard::Error { code: b"overloaded", client_id: Some(Uuid::from_u128(9)) };
        assert_eq!(hear(&json).unwrap(), expected);

        let json = serde_json::to_vec(&ServerFrame::Degraded(Degraded { shed: vec![Sheddable::Typing] })).unwrap();
        assert_eq!(hear(&json).unwrap(), Heard::Degraded(br#"["typing"]"#));
        assert_eq!(hear(br#"{"t":"pong","at":"x"}"#).unwrap(), Heard::Other(b"pong"));
    }

    #[test]
    fn what_is_broken_is_refused_at_every_cut() {
        let json = serde_json::to_vec(&ServerFrame::Entry(EntryFrame {
            conversation: ConversationId::new(Uuid::from_u128(7)),
            entry: entry("hello"),
        }))
        .unwrap();
        let head = json.iter().position(|byte| *byte == b'4').unwrap();
        for cut in 0..head {
            assert!(hear(&json[..cut]).is_err(), "cut at {cut}");
        }
        assert!(hear(b"[]").is_err() && hear(b"{}").is_err() && hear(br#"{"t":"sent"}"#).is_err());
    }

    #[test]
    fn items_of_an_array_come_one_by_one() {
        let mut seen = Vec::new();
        items(br#"[{"a":[1,2]}, "x]" ,3 ]"#, |item| {
            seen.push(String::from_utf8_lossy(item).into_owned());
            Ok(())
        })
        .unwrap();
        assert_eq!(seen, [r#"{"a":[1,2]}"#, r#""x]""#, "3"]);
        items(b"[]", |_| panic!("there is nothing")).unwrap();
    }
}
