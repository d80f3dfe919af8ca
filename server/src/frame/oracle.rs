//! The codec against another implementation, tungstenite: what either writes the other reads, and both refuse the same.

use std::io::{self, Read, Write};

use proptest::{collection::vec, prelude::*, sample::Index};
use tungstenite::{
    Error, Message,
    error::ProtocolError,
    protocol::{
        CloseFrame, Role, WebSocket, WebSocketConfig,
        frame::{
            self,
            coding::{CloseCode, Control, Data, OpCode},
        },
    },
};

use super::*;

/// Big enough that every form of a length occurs.
const MAX: usize = 66_000;
/// Small enough that too much occurs.
const SMALL: usize = 300;

/// A message that one side hears of the other.
#[derive(Debug, Clone, PartialEq)]
enum Heard {
    Text(String),
    Binary,
    Ping(Vec<u8>),
    Pong,
    Close(Option<(u16, String)>),
}

/// The end of a stream of bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    /// With a close frame, or because there is no more.
    Good,
    Refused,
}

/// Bytes to be read, and nobody who reads the answers.
struct Wire<'a>(&'a [u8]);

impl Read for Wire<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Wire<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        Ok(buffer.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn theirs(bytes: &[u8], role: Role, max: usize) -> (Vec<Heard>, End) {
    let config = WebSocketConfig::default().max_message_size(Some(max)).max_frame_size(Some(max));
    let mut socket = WebSocket::from_raw_socket(Wire(bytes), role, Some(config));
    let mut heard = Vec::new();
    loop {
        heard.push(match socket.read() {
            Ok(Message::Text(text)) => Heard::Text(text.as_str().to_owned()),
            Ok(Message::Binary(_)) => Heard::Binary,
            Ok(Message::Ping(payload)) => Heard::Ping(payload.to_vec()),
            Ok(Message::Pong(_)) => Heard::Pong,
            // This is how it tells its user of a code that may not be sent.
            Ok(Message::Close(Some(CloseFrame { code: CloseCode::Protocol, reason })))
                if reason.as_str() == "Protocol violation" =>
            {
                return (heard, End::Refused);
            }
            Ok(Message::Close(close)) => {
                heard.push(Heard::Close(close.map(|close| (close.code.into(), close.reason.as_str().to_owned()))));
                return (heard, End::Good);
            }
            Ok(Message::Frame(_)) => unreachable!("it is never read"),
            Err(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)) => {
                return (heard, End::Good);
            }
            Err(_) => return (heard, End::Refused),
        });
    }
}

/// Reads as a connection does: what arrives is appended to the incomplete rest of what was there.
fn ours(bytes: &[u8], cuts: &[Index], max: usize) -> (Vec<Heard>, Result<(), Violation>) {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).chain([0, bytes.len()]).collect();
    cuts.sort_unstable();
    let mut heard = Vec::new();
    let mut buffer = Vec::new();
    let mut assembler = Assembler::default();
    let mut need = 0;
    for piece in cuts.windows(2) {
        buffer.extend_from_slice(&bytes[piece[0]..piece[1]]);
        loop {
            let frame = match decode(&mut buffer, assembler.room(max)) {
                Ok(Decoded::Frame(frame)) => frame,
                Ok(Decoded::Incomplete { need: more }) => {
                    assert!(more > buffer.len() && more >= need, "{more} after {need} with {}", buffer.len());
                    need = more;
                    break;
                }
                Err(violation) => return (heard, Err(violation)),
            };
            assert!(frame.consumed >= need, "a frame of {} bytes needed {need}", frame.consumed);
            need = 0;
            match assembler.take(&frame, &buffer[frame.payload.clone()], max) {
                Ok(None) => assert!(!assembler.is_idle()),
                Ok(Some(Event::Text(text))) => {
                    assert!(assembler.is_idle());
                    heard.push(Heard::Text(text.into_owned()));
                }
                Ok(Some(Event::Ping(payload))) => heard.push(Heard::Ping(payload.to_vec())),
                Ok(Some(Event::Pong)) => heard.push(Heard::Pong),
                Ok(Some(Event::Close(close))) => {
                    heard.push(Heard::Close(close.map(|close| (close.code, close.reason.to_owned()))));
                    return (heard, Ok(()));
                }
                Err(violation) => return (heard, Err(violation)),
            }
            buffer.drain(..frame.consumed);
        }
    }
    (heard, Ok(()))
}

/// Both hear the same in these bytes, as far as RFC 6455 decides.
fn agree(bytes: &[u8], cuts: &[Index], max: usize) -> Result<(), TestCaseError> {
    let (heard, end) = ours(bytes, cuts, max);
    prop_assert_eq!(&ours(bytes, &[], max), &(heard.clone(), end), "cuts change nothing");
    match end {
        Ok(()) => {
            let (theirs, their_end) = theirs(bytes, Role::Server, max);
            // A bad gateway: registered after tungstenite's list was made.
            if !matches!(heard.last(), Some(Heard::Close(Some((1014, _))))) {
                prop_assert_eq!((theirs, their_end), (heard, End::Good));
            }
        }
        // The first is ours to decide, and tungstenite takes a length in any form, which may make a control frame look long.
        Err(Violation::Binary | Violation::Length | Violation::Control) => {
            let (theirs, _) = theirs(bytes, Role::Server, max);
            prop_assert_eq!(theirs.get(..heard.len()), Some(&heard[..]));
        }
        Err(_) => {
            // It refuses a frame when all of it is there; we need not wait.
            let whole = [bytes, &vec![0; max + HEADER_BYTES]].concat();
            prop_assert_eq!(theirs(&whole, Role::Server, max), (heard, End::Refused));
        }
    }
    Ok(())
}

fn client_frame(opcode: OpCode, fin: bool, mask: [u8; 4], payload: Vec<u8>) -> Vec<u8> {
    let header = frame::FrameHeader { is_final: fin, opcode, mask: Some(mask), ..frame::FrameHeader::default() };
    let mut bytes = Vec::new();
    frame::Frame::from_payload(header, payload.into()).format(&mut bytes).expect("a buffer takes all");
    bytes
}

/// A control frame, as the client writes it and as it is to be heard.
fn control() -> impl Strategy<Value = (Vec<u8>, Heard)> {
    (any::<bool>(), any::<[u8; 4]>(), vec(any::<u8>(), 0..=CONTROL_BYTES)).prop_map(|(ping, mask, payload)| {
        let opcode = OpCode::Control(if ping { Control::Ping } else { Control::Pong });
        let heard = if ping { Heard::Ping(payload.clone()) } else { Heard::Pong };
        (client_frame(opcode, true, mask, payload), heard)
    })
}

/// Mostly short texts, some of every length.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "\\PC{0,200}",
        1 => (60_000..=MAX).prop_map(|length| "a".repeat(length)),
    ]
}

/// A text in fragments, cut anywhere, with control frames in between.
fn message() -> impl Strategy<Value = (Vec<u8>, Vec<Heard>)> {
    let fragment = (any::<Index>(), any::<[u8; 4]>(), proptest::option::of(control()));
    (text(), vec(fragment, 0..4), any::<[u8; 4]>()).prop_map(|(text, mut fragments, last_mask)| {
        let payload = text.as_bytes();
        fragments.sort_by_key(|(cut, ..)| cut.index(payload.len() + 1));
        let (mut bytes, mut heard, mut at) = (Vec::new(), Vec::new(), 0);
        let mut opcode = OpCode::Data(Data::Text);
        for (cut, mask, control) in fragments {
            let end = cut.index(payload.len() + 1);
            bytes.extend(client_frame(opcode, false, mask, payload[at..end].to_vec()));
            opcode = OpCode::Data(Data::Continue);
            at = end;
            if let Some((frame, event)) = control {
                bytes.extend(frame);
                heard.push(event);
            }
        }
        bytes.extend(client_frame(opcode, true, last_mask, payload[at..].to_vec()));
        heard.push(Heard::Text(text));
        (bytes, heard)
    })
}

fn conversation() -> impl Strategy<Value = (Vec<u8>, Vec<Heard>)> {
    let part = prop_oneof![3 => message(), 1 => control().prop_map(|(bytes, heard)| (bytes, vec![heard]))];
    vec(part, 0..6).prop_map(|parts| {
        let (bytes, heard): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        (bytes.concat(), heard.concat())
    })
}

/// Something like a frame: often right, and then wrong in any way.
fn nearly_a_frame() -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![
        8 => proptest::sample::select(vec![0x81, 0x01, 0x00, 0x80, 0x88, 0x89, 0x8a]),
        1 => any::<u8>(),
    ];
    let payload = prop_oneof![
        4 => "\\PC{0,60}".prop_map(String::into_bytes),
        1 => vec(any::<u8>(), 0..200),
        1 => (990_u16..1020, "[a-z]{0,9}").prop_map(|(code, reason)| [&code.to_be_bytes(), reason.as_bytes()].concat()),
    ];
    let form = prop_oneof![12 => Just(0_u8), 1 => Just(126), 1 => Just(127)];
    let masked = proptest::bool::weighted(0.95);
    (first, payload, form, masked, any::<[u8; 4]>()).prop_map(|(first, payload, form, masked, mask)| {
        let mut bytes = vec![first];
        match (form, payload.len()) {
            (0, length @ 0..126) => bytes.push(length as u8),
            (0 | 126, length) => {
                bytes.push(126);
                bytes.extend((length as u16).to_be_bytes());
            }
            (_, length) => {
                bytes.push(127);
                bytes.extend((length as u64).to_be_bytes());
            }
        }
        if masked {
            bytes[1] |= 0x80;
            bytes.extend(mask);
        }
        let key = if masked { mask } else { [0; 4] };
        bytes.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
        bytes
    })
}

proptest! {
    #[test]
    fn we_hear_what_a_client_says((bytes, said) in conversation(), cuts in vec(any::<Index>(), 0..8)) {
        prop_assert_eq!(ours(&bytes, &cuts, MAX), (said, Ok(())));
    }

    #[test]
    fn a_client_hears_what_we_say(
        texts in vec((text(), any::<bool>(), vec(any::<u8>(), 0..=CONTROL_BYTES)), 0..5),
        code in prop_oneof![Just(1000_u16), Just(1001), Just(1002), 3000..5000_u16],
        reason in "\\PC{0,60}",
    ) {
        let (mut bytes, mut said) = (Vec::new(), Vec::new());
        for (text, shared, payload) in texts {
            if shared {
                bytes.extend_from_slice(&text_frame(text.as_bytes()));
                bytes.extend_from_slice(&pong_frame(&payload));
                said.extend([Heard::Text(text), Heard::Pong]);
            } else {
                let mark = Mark::begin_text(&mut bytes);
                bytes.extend_from_slice(text.as_bytes());
                mark.finish(&mut bytes);
                bytes.extend_from_slice(&ping_frame(&payload));
                said.extend([Heard::Text(text), Heard::Ping(payload)]);
            }
        }
        bytes.extend_from_slice(&close_frame(code, &reason));
        let (heard, end) = theirs(&bytes, Role::Client, MAX);
        prop_assert_eq!(end, End::Good);
        prop_assert_eq!(&heard[..heard.len() - 1], &said[..]);
        let Some(Heard::Close(Some((heard_code, heard_reason)))) = heard.last() else {
            return Err(TestCaseError::fail("no close"));
        };
        prop_assert_eq!(*heard_code, code);
        prop_assert!(reason.starts_with(&**heard_reason) && (heard_reason.len() > 119 || *heard_reason == reason));
    }

    #[test]
    fn both_refuse_the_same(frames in vec(nearly_a_frame(), 0..5), cuts in vec(any::<Index>(), 0..6)) {
        agree(&frames.concat(), &cuts, SMALL)?;
    }

    #[test]
    fn both_refuse_the_same_of_what_was_damaged(
        (mut bytes, _) in conversation(),
        damage in vec((any::<Index>(), any::<u8>()), 1..4),
        cut in any::<Index>(),
    ) {
        for (at, byte) in damage {
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
        }
        bytes.truncate(cut.index(bytes.len() + 1));
        agree(&bytes, &[], MAX)?;
    }

    #[test]
    fn garbage_is_refused_by_both(bytes in vec(any::<u8>(), 0..200), cuts in vec(any::<Index>(), 0..6)) {
        agree(&bytes, &cuts, SMALL)?;
    }
}
