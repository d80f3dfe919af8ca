//! The fuzz targets, one function for each door by which arbitrary bytes come in: it panics where they break a promise.
//!
//! `script/fuzz` searches for such bytes; the ordinary tests of the server run what it starts from and what it once found.

#![forbid(unsafe_code)]

use kith::{
    frame::{Assembler, CONTROL_BYTES, Decoded, Event, Mark, Violation, close_frame, decode, pong_frame, text_frame},
    media::{kind, strip::stripped, upload::metadata::Metadata},
    store::schema::{self, Value},
};
use kith_protocol::{
    ClientFrame,
    frame::{BadBody, BadFrame, NewMessage, decode_body},
    rest,
};
use serde::{Serialize, de::DeserializeOwned};

/// A function that is given bytes from a stranger.
pub type Target = fn(&[u8]);

/// Each target's name, which is that of its corpus too, and what it does.
pub const TARGETS: [(&str, Target); 5] =
    [("frame", frame), ("hello", hello), ("rest", rest), ("stored", stored), ("media", media)];

/// Bytes of a message that the target `frame` takes: more than the shortest form of a length can say.
const MAX_MESSAGE: usize = 400;

/// The bytes of a socket, in pieces: the first four bytes say how long the pieces are, in turn.
pub fn frame(bytes: &[u8]) {
    let Some((lengths, bytes)) = bytes.split_first_chunk::<4>() else {
        return;
    };
    let mut pieces = Vec::new();
    let mut rest = bytes;
    for length in lengths.iter().cycle() {
        let (piece, more) = rest.split_at(rest.len().min(1 + usize::from(*length)));
        pieces.push(piece);
        if more.is_empty() {
            break;
        }
        rest = more;
    }
    assert_eq!(hear(&pieces), hear(&[bytes]), "how the bytes arrive changes nothing");
}

/// The messages that a connection hears, as text, and the reason why it was ended.
fn hear(pieces: &[&[u8]]) -> (Vec<String>, Option<Violation>) {
    let mut heard = Vec::new();
    let mut buffer = Vec::new();
    let mut assembler = Assembler::default();
    for piece in pieces {
        buffer.extend_from_slice(piece);
        loop {
            let before = buffer.clone();
            let room = assembler.room(MAX_MESSAGE);
            let frame = match decode(&mut buffer, room) {
                Err(violation) => {
                    let code = violation.close_code() as u16;
                    assert!(matches!(code, 1002 | 4002), "closed with {code}");
                    return (heard, Some(violation));
                }
                Ok(Decoded::Incomplete { need }) => {
                    assert!(need > buffer.len(), "{need} bytes are there");
                    assert_eq!(buffer, before, "a part of a frame is left as it is");
                    break;
                }
                Ok(Decoded::Frame(frame)) => frame,
            };
            assert!(frame.payload.start <= frame.payload.end && frame.payload.end == frame.consumed);
            assert!(frame.payload.len() <= room.max(CONTROL_BYTES));
            assert_eq!(buffer[frame.consumed..], before[frame.consumed..], "what follows is left as it is");
            match assembler.take(&frame, &buffer[frame.payload.clone()], MAX_MESSAGE) {
                Err(violation) => return (heard, Some(violation)),
                Ok(None) => assert!(!assembler.is_idle()),
                Ok(Some(event)) => {
                    heard.push(format!("{event:?}"));
                    if answer(&event) {
                        return (heard, None);
                    }
                    assert!(assembler.is_idle() || !matches!(event, Event::Text(_)));
                }
            }
            buffer.drain(..frame.consumed);
        }
    }
    (heard, None)
}

/// Answers as a server does; whether it was the last word.
fn answer(event: &Event<'_>) -> bool {
    match event {
        Event::Text(text) => {
            assert!(text.len() <= MAX_MESSAGE);
            let mut buffer = Vec::new();
            let mark = Mark::begin_text(&mut buffer);
            buffer.extend_from_slice(text.as_bytes());
            mark.finish(&mut buffer);
            assert_eq!(buffer, text_frame(text.as_bytes()));
        }
        Event::Ping(payload) => assert_eq!(pong_frame(payload)[2..], **payload),
        Event::Pong => {}
        Event::Close(Some(close)) => {
            assert_eq!(&close_frame(close.code, close.reason)[4..], close.reason.as_bytes())
        }
        Event::Close(None) => {}
    }
    matches!(event, Event::Close(_))
}

/// A text frame of a client.
pub fn hello(bytes: &[u8]) {
    // What is no UTF-8 ends in the assembler, which the fuzz target of frames feeds.
    let Ok(text) = str::from_utf8(bytes) else { return };
    match ClientFrame::decode(text) {
        Ok(frame) => {
            let text = serde_json::to_string(&frame).expect("a frame has a text");
            assert_eq!(ClientFrame::decode(&text).as_ref(), Ok(&frame), "{text}");
        }
        Err(BadFrame::Field { pointer, .. }) => assert!(is_pointer(&pointer), "{pointer:?}"),
        Err(BadFrame::NotDecodable | BadFrame::UnknownKind) => {}
    }
}

/// The bodies of REST: those that a server reads, and those that a client does.
const BODIES: [Target; 40] = [
    body::<rest::NewUser>,
    body::<rest::NewSession>,
    body::<rest::ChangePassword>,
    body::<rest::DeleteUser>,
    body::<rest::ChangeProfile>,
    body::<rest::ChangePersonal>,
    body::<rest::NewConversation>,
    body::<rest::ChangeConversation>,
    body::<rest::NewParticipant>,
    body::<rest::ChangeRole>,
    body::<NewMessage>,
    body::<rest::EditMessage>,
    body::<rest::PostMessage>,
    body::<rest::Info>,
    body::<rest::SignedIn>,
    body::<rest::Invite>,
    body::<rest::Profile>,
    body::<rest::Page<rest::Profile>>,
    body::<rest::Page<rest::Device>>,
    body::<rest::Page<rest::ConversationItem>>,
    body::<rest::Page<rest::ChannelItem>>,
    body::<rest::Page<rest::Participant>>,
    body::<rest::Page<kith_protocol::Message>>,
    body::<rest::Personal>,
    body::<rest::PresenceInfo>,
    body::<rest::HeadItem>,
    body::<rest::ConversationInfo>,
    body::<rest::Messages>,
    body::<rest::Log>,
    body::<kith_protocol::Entry>,
    body::<kith_protocol::Message>,
    body::<rest::ReadReceipts>,
    body::<rest::Gateway>,
    body::<rest::Poll>,
    body::<rest::Frames>,
    body::<kith_protocol::Media>,
    body::<kith_protocol::media::Upload>,
    body::<kith_protocol::Problem>,
    body::<kith_protocol::push::PushSubscription>,
    body::<kith_protocol::push::PushPayload>,
];

/// The body of a request or an answer, whichever it is.
pub fn rest(bytes: &[u8]) {
    BODIES.iter().for_each(|body| body(bytes));
}

fn body<T: Serialize + DeserializeOwned + PartialEq>(bytes: &[u8]) {
    match decode_body::<T>(bytes) {
        Ok(value) => {
            let text = match serde_json::to_vec(&value) {
                Ok(text) => text,
                // A kind, a code or a redaction that a later version brings is read, and never written.
                Err(error) if error.to_string().contains("::Unknown") => return,
                Err(error) => panic!("a body has a text: {error}"),
            };
            let again = decode_body::<T>(&text);
            assert!(again == Ok(value), "{}: {}", std::any::type_name::<T>(), String::from_utf8_lossy(&text));
        }
        Err(BadBody::Field { pointer, .. }) => assert!(is_pointer(&pointer), "{pointer:?}"),
        Err(BadBody::NotJson(_)) => {}
    }
}

/// Returns true for a JSON Pointer (RFC 6901, section 3).
fn is_pointer(text: &str) -> bool {
    let escapes_are_good = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    escapes_are_good && (text.is_empty() || text.starts_with('/'))
}

/// The value of any row of the store.
pub fn stored(bytes: &[u8]) {
    row::<schema::User>(bytes);
    row::<schema::Device>(bytes);
    row::<schema::Token>(bytes);
    row::<schema::Invite>(bytes);
    row::<schema::Replay>(bytes);
    row::<schema::Listed>(bytes);
    row::<schema::State>(bytes);
    row::<schema::Member>(bytes);
    row::<schema::Amendment>(bytes);
    row::<schema::Media>(bytes);
    row::<schema::Collect>(bytes);
    row::<schema::Upload>(bytes);
    row::<schema::Subscription>(bytes);
    row::<schema::Pending>(bytes);
}

fn row<T: Value + PartialEq>(bytes: &[u8]) {
    if let Ok(row) = T::decode(bytes) {
        assert!(T::decode(&row.encode()).is_ok_and(|again| again == row), "{}", std::any::type_name::<T>());
    }
}

/// The bytes of a media, said to be anything, and what is said of one that comes in parts.
pub fn media(bytes: &[u8]) {
    for declared in ["", "image/png", "audio/webm", "text/plain", "image/svg+xml"] {
        if let Ok(found) = kind::of(bytes, declared) {
            assert!(!found.contains("html") && !found.contains("xml") && !found.contains("script"), "{found}");
            assert!(!found.starts_with("image/") || kind::is_picture(&found), "{found}");
        }
    }
    for content_type in ["image/jpeg", "image/png", "image/gif", "image/webp"] {
        if let Ok(plain) = stripped(content_type, bytes) {
            // What says how it is turned may be written anew.
            assert!(plain.len() <= bytes.len() + 64, "{content_type} grows");
            assert_eq!(
                stripped(content_type, &plain).as_deref(),
                Ok(&plain[..]),
                "{content_type}: nothing is left to strip"
            );
        }
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(metadata) = Metadata::parse(text)
    {
        let kind = metadata.content_type.unwrap_or_default();
        assert!(kind.len() <= text.len() && kind.is_ascii(), "{kind:?}");
    }
}
