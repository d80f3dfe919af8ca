//! Stored records in their wire form: an entry is encoded once, by hand, for all who read it.

use std::{cell::Cell, io::Write, sync::Arc};

use bytes::Bytes;
use kith_protocol::{
    Body, ConversationId, Entry, MessageId, ServerFrame, Timestamp, Uuid,
    entry::{Redacted, RedactedKind},
    frame::ErrorFrame,
};
use serde::{Deserialize, Serialize};

use crate::{
    Error,
    delivery::{budget::Budget, outbox::Run},
    frame::Mark,
    store::{self, Record},
};

const TIME_CHARS: usize = "2026-01-31T12:34:56.789Z".len();

thread_local! {
    /// The time that this thread wrote last: many messages have the same.
    static LAST: Cell<(Timestamp, [u8; TIME_CHARS])> = const { Cell::new((Timestamp::from_millis(0), *b"1970-01-01T00:00:00.000Z")) };
}

fn put(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

fn put_number(out: &mut Vec<u8>, number: u64) {
    put(out, itoa::Buffer::new().format(number));
}

fn put_uuid(out: &mut Vec<u8>, uuid: Uuid) {
    put(out, uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()));
}

fn put_time(out: &mut Vec<u8>, time: Timestamp) {
    let (mut last, mut text) = LAST.get();
    if last != time {
        write!(&mut text[..], "{time}").expect("every time is as long");
        last = time;
        LAST.set((last, text));
    }
    out.extend_from_slice(&text);
}

fn put_true_time(out: &mut Vec<u8>, record: &Record) {
    if let Some(true_at) = record.true_at {
        put(out, r#"","true_at":""#);
        put_time(out, true_at);
    }
}

/// Writes the entry of a record as the JSON object of PROTOCOL section 3.
///
/// By hand, because the body is kept in its wire form and nothing else in an entry can need escaping; and piece by piece,
/// because formatting costs several times as much.
pub fn write_entry(out: &mut Vec<u8>, conversation: &str, record: &Record) {
    put(out, r#"{"id":""#);
    put(out, conversation);
    put(out, ".");
    put_number(out, record.seq);
    put(out, r#"","conversation":""#);
    put(out, conversation);
    put(out, r#"","seq":"#);
    put_number(out, record.seq);
    put(out, r#","sender":""#);
    record.sender.append_to(out);
    if let Some(device) = record.device {
        put(out, r#"","device":""#);
        device.append_to(out);
    }
    if let Some(client_id) = record.client_id {
        put(out, r#"","client_id":""#);
        put_uuid(out, client_id);
    }
    if let Some(expires_at) = record.expires_at {
        put(out, r#"","expires_at":""#);
        put_time(out, expires_at);
    }
    put(out, r#"","at":""#);
    put_time(out, record.at);
    put_true_time(out, record);
    put(out, r#"","kind":""#);
    put(out, record.kind.name());
    put(out, r#"","body":"#);
    out.extend_from_slice(&record.body);
    put(out, "}");
}

/// The `entry` frames of consecutive records: one buffer of the budget for all who read them.
pub fn run(conversation: ConversationId, records: &[Record], budget: &Arc<Budget>) -> Run {
    let text = conversation.to_string();
    let mut out = Vec::with_capacity(records.iter().map(|record| record.body.len() + 384).sum());
    let mut ends = Vec::with_capacity(records.len());
    for record in records {
        let mark = Mark::begin_text(&mut out);
        put(&mut out, r#"{"t":"entry","conversation":""#);
        put(&mut out, &text);
        put(&mut out, r#"","entry":"#);
        write_entry(&mut out, &text, record);
        put(&mut out, "}");
        mark.finish(&mut out);
        ends.push(out.len() as u32);
    }
    let first = records.first().map_or(1, |record| record.seq);
    Run { conversation, first, frames: budget.hold(out), ends: ends.into() }
}

/// The `sent` frame of a record.
pub fn write_sent(out: &mut Vec<u8>, conversation: &str, record: &Record) {
    let mark = Mark::begin_text(out);
    put(out, r#"{"t":"sent","client_id":""#);
    put_uuid(out, record.client_id.unwrap_or_default());
    put(out, r#"","conversation":""#);
    put(out, conversation);
    put(out, r#"","seq":"#);
    put_number(out, record.seq);
    put(out, r#","at":""#);
    put_time(out, record.at);
    put_true_time(out, record);
    put(out, r#""}"#);
    mark.finish(out);
}

/// An `entries` frame; `head` is the last seq of the log.
pub fn entries(conversation: ConversationId, records: &[Record], head: u64, ahead: bool) -> Bytes {
    let text = conversation.to_string();
    let mut out = Vec::with_capacity(128 + records.iter().map(|record| record.body.len() + 320).sum::<usize>());
    let mark = Mark::begin_text(&mut out);
    write!(out, r#"{{"t":"entries","conversation":"{text}","entries":["#).expect("a Vec takes every byte");
    for (index, record) in records.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_entry(&mut out, &text, record);
    }
    let more = records.last().is_some_and(|last| last.seq < head);
    write!(out, r#"],"head":{head},"more":{more}"#).expect("a Vec takes every byte");
    if ahead {
        out.extend_from_slice(br#","ahead":true"#);
    }
    out.push(b'}');
    mark.finish(&mut out);
    out.into()
}

/// The `error` frame of a send that was refused. By hand where the error says no more than its code: a flood is answered
/// with these.
pub fn refusal(conversation: ConversationId, client_id: Uuid, error: &Error) -> Bytes {
    if !error.fields.is_empty() || error.detail.is_some() || error.damaged {
        let mut frame = self::error(error);
        frame.reference = Some("send".into());
        (frame.client_id, frame.conversation) = (Some(client_id), Some(conversation));
        return self::frame(&ServerFrame::Error(frame));
    }
    let mut out = Vec::with_capacity(320);
    let mark = Mark::begin_text(&mut out);
    // Neither a code nor its title has anything to escape.
    put(&mut out, r#"{"t":"error","code":""#);
    put(&mut out, error.code.name());
    put(&mut out, r#"","title":""#);
    put(&mut out, error.code.title());
    put(&mut out, r#"","ref":"send","client_id":""#);
    put_uuid(&mut out, client_id);
    put(&mut out, r#"","conversation":""#);
    conversation.append_to(&mut out);
    out.push(b'"');
    if let Some(after) = error.retry_after {
        put(&mut out, r#","retry_after_ms":"#);
        put_number(&mut out, after.as_millis() as u64);
    }
    out.push(b'}');
    mark.finish(&mut out);
    out.into()
}

/// The frame of anything that serializes as one of [`kith_protocol::ServerFrame`].
pub fn frame(value: &impl Serialize) -> Bytes {
    let mut out = Vec::with_capacity(128);
    let mark = Mark::begin_text(&mut out);
    serde_json::to_writer(&mut out, value).expect("a frame has a JSON form");
    mark.finish(&mut out);
    out.into()
}

/// The `error` frame of an error; the caller adds what it is about.
pub fn error(error: &Error) -> ErrorFrame {
    ErrorFrame {
        code: error.code,
        title: error.code.title().to_owned(),
        reference: None,
        client_id: None,
        conversation: None,
        pointer: error.fields.first().map(|field| field.pointer.clone()),
        detail: error.fields.first().map(|field| field.detail.clone()).or_else(|| error.detail.clone()),
        retry_after_ms: error.retry_after.map(|after| after.as_millis() as u32),
        damaged: error.damaged,
    }
}

/// The typed entry of a record.
///
/// # Errors
/// [`store::Error::Corrupt`] where its body is not of its kind.
pub fn entry(conversation: ConversationId, record: &Record) -> Result<Entry, store::Error> {
    Ok(Entry {
        id: MessageId { conversation, seq: record.seq },
        conversation,
        seq: record.seq,
        sender: record.sender,
        device: record.device,
        client_id: record.client_id,
        at: record.at,
        true_at: record.true_at,
        expires_at: record.expires_at,
        body: body(conversation, record)?,
    })
}

/// The body of a redacted entry, of whatever kind that was.
#[derive(Deserialize)]
struct Was<'a> {
    was: &'a str,
}

/// The typed body of a record; [`Body::Unknown`] where this version knows no form of it.
///
/// # Errors
/// [`store::Error::Corrupt`] where it is not of its kind.
pub fn body(conversation: ConversationId, record: &Record) -> Result<Body, store::Error> {
    let body = body_of(record.kind, &record.body);
    body.map_err(|error| store::Error::Corrupt(format!("the body of {conversation}.{}: {error}", record.seq)))
}

/// The typed body of an entry of that kind, from its stored form; [`Body::Unknown`] where this version knows none.
///
/// # Errors
/// Where it is not of that kind.
pub fn body_of(kind: store::Kind, json: &[u8]) -> serde_json::Result<Body> {
    use serde_json::from_slice as read;
    use store::Kind;
    match kind {
        Kind::Created => read(json).map(Body::Created),
        Kind::Message => read(json).map(Body::Message),
        Kind::Edit => read(json).map(Body::Edit),
        Kind::Delete => read(json).map(Body::Delete),
        Kind::Reaction => read(json).map(Body::Reaction),
        Kind::MemberAdded => read(json).map(Body::MemberAdded),
        Kind::MemberRemoved => read(json).map(Body::MemberRemoved),
        Kind::RoleChanged => read(json).map(Body::RoleChanged),
        Kind::ConversationChanged => read(json).map(Body::ConversationChanged),
        Kind::Redacted => read(json).map(|Was { was }| match was {
            "message" => Body::Redacted(Redacted { was: RedactedKind::Message }),
            "edit" => Body::Redacted(Redacted { was: RedactedKind::Edit }),
            _ => Body::Unknown,
        }),
        Kind::Sealed | Kind::Commit | Kind::DevicesChanged => Ok(Body::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use kith_protocol::{DeviceId, Timestamp, UserId, Uuid, entry::Text};

    use super::*;
    use crate::store::{Counts, Kind};

    #[test]
    fn a_refusal_reads_as_the_typed_frame() {
        let (conversation, client_id) = (ConversationId::from_bytes([7; 16]), Uuid::from_u128(3));
        for code in kith_protocol::Code::ALL {
            let plain = Error::new(code);
            let errors =
                [plain.clone(), plain.after(std::time::Duration::from_millis(1500)), Error::field("/text", "\"no\"")];
            for error in errors {
                let bytes = refusal(conversation, client_id, &error);
                let start = bytes.iter().position(|byte| *byte == b'{').unwrap();
                let expected = ErrorFrame {
                    reference: Some("send".into()),
                    client_id: Some(client_id),
                    conversation: Some(conversation),
                    ..self::error(&error)
                };
                assert_eq!(
                    serde_json::from_slice::<ServerFrame>(&bytes[start..]).unwrap(),
                    ServerFrame::Error(expected)
                );
            }
        }
    }

    #[test]
    fn a_sent_reads_as_the_typed_frame() {
        let (conversation, client_id) = (ConversationId::from_bytes([7; 16]), Uuid::from_u128(3));
        // The time before it is remembered, and the first one is there from the beginning.
        for (seq, at) in [(1, 0), (u64::MAX, 1_700_000_000_123), (10, 1_700_000_000_123), (9, Timestamp::MAX.millis())]
        {
            let at = Timestamp::from_millis(at);
            let true_at = (seq == 10).then(|| Timestamp::from_millis(1_600_000_000_123));
            let record = Record {
                seq,
                kind: Kind::Message,
                sender: UserId::from_bytes([1; 16]),
                device: None,
                client_id: Some(client_id),
                at,
                true_at,
                expires_at: None,
                counts: Counts::default(),
                body: Bytes::new(),
            };
            let mut out = Vec::new();
            write_sent(&mut out, &conversation.to_string(), &record);
            let start = out.iter().position(|byte| *byte == b'{').unwrap();
            let expected = kith_protocol::frame::Sent { client_id, conversation, seq, at, true_at };
            assert_eq!(serde_json::from_slice::<ServerFrame>(&out[start..]).unwrap(), ServerFrame::Sent(expected));
        }
    }

    #[test]
    fn what_is_written_by_hand_reads_as_the_typed_entry() {
        let conversation = ConversationId::from_bytes([7; 16]);
        let text = Text { text: "\"\\ \u{1f600}\n".into(), ..Text::default() };
        let mut record = Record {
            seq: 42,
            kind: Kind::Message,
            sender: UserId::from_bytes([1; 16]),
            device: Some(DeviceId::from_bytes([2; 16])),
            client_id: Some(Uuid::from_u128(3)),
            at: Timestamp::from_millis(1_700_000_000_123),
            true_at: Some(Timestamp::from_millis(1_600_000_000_123)),
            expires_at: Some(Timestamp::from_millis(1_700_000_100_123)),
            counts: Counts::default(),
            body: serde_json::to_vec(&text).unwrap().into(),
        };
        for _ in 0..2 {
            let mut out = Vec::new();
            write_entry(&mut out, &conversation.to_string(), &record);
            let read: Entry = serde_json::from_slice(&out).unwrap();
            assert_eq!(read, entry(conversation, &record).unwrap());
            (record.device, record.client_id, record.true_at, record.expires_at) = (None, None, None, None);
        }
    }
}
