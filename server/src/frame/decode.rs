//! One frame of a client, from its bytes (RFC 6455, section 5.2).

use std::ops::Range;

use super::{CONTROL_BYTES, Violation};

/// The longest header of a client's frame, in bytes.
pub const HEADER_BYTES: usize = 14;
const MASK_BYTES: usize = 4;
const FIN: u8 = 0x80;
const RESERVED: u8 = 0x70;
const OPCODE: u8 = 0x0f;
const CONTROL: u8 = 0x08;
const MASKED: u8 = 0x80;

/// The kind of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// More of the message that is under way.
    Continuation,
    /// A text, or its first fragment.
    Text,
    /// The client is about to leave.
    Close,
    /// To be answered with a pong of the same payload.
    Ping,
    /// The answer to a ping.
    Pong,
}

/// A frame that lies complete and unmasked in the buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Its kind.
    pub kind: Kind,
    /// True for the last frame of its message.
    pub fin: bool,
    /// The place of its payload in the buffer.
    pub payload: Range<usize>,
    /// Bytes of the buffer that it takes up; the next frame begins there.
    pub consumed: usize,
}

/// The front of a buffer, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decoded {
    /// The beginning of a frame; the buffer was left as it is.
    Incomplete {
        /// Bytes that the buffer must hold, at least, before another look is worth it. Exact once the header is there.
        need: usize,
    },
    /// A frame.
    Frame(Frame),
}

/// Reads the frame at the front of `buffer` and unmasks it in place.
///
/// A data frame of more than `max_payload` bytes is refused as soon as its header is there.
///
/// # Errors
/// [`Violation`]; the connection cannot go on.
pub fn decode(buffer: &mut [u8], max_payload: usize) -> Result<Decoded, Violation> {
    let Some(&first) = buffer.first() else {
        return Ok(Decoded::Incomplete { need: 2 + MASK_BYTES });
    };
    let kind = kind(first)?;
    let fin = first & FIN != 0;
    let Some(&second) = buffer.get(1) else {
        return Ok(Decoded::Incomplete { need: 2 + MASK_BYTES });
    };
    if second & MASKED == 0 {
        return Err(Violation::Unmasked);
    }
    let short = second & !MASKED;
    let control = first & CONTROL != 0;
    if control && (!fin || usize::from(short) > CONTROL_BYTES) {
        return Err(Violation::Control);
    }
    let mask_at = match short {
        126 => 4,
        127 => 10,
        _ => 2,
    };
    let header = mask_at + MASK_BYTES;
    if buffer.len() < header {
        return Ok(Decoded::Incomplete { need: header });
    }
    let length = length(short, &buffer[2..mask_at])?;
    // A length that this machine cannot even count is too big as well.
    let length = usize::try_from(length).map_err(|_| Violation::TooBig)?;
    if !control && length > max_payload {
        return Err(Violation::TooBig);
    }
    let consumed = header.checked_add(length).ok_or(Violation::TooBig)?;
    if buffer.len() < consumed {
        return Ok(Decoded::Incomplete { need: consumed });
    }
    let mask = [buffer[mask_at], buffer[mask_at + 1], buffer[mask_at + 2], buffer[mask_at + 3]];
    unmask(&mut buffer[header..consumed], mask);
    Ok(Decoded::Frame(Frame { kind, fin, payload: header..consumed, consumed }))
}

fn kind(first: u8) -> Result<Kind, Violation> {
    if first & RESERVED != 0 {
        return Err(Violation::Reserved);
    }
    match first & OPCODE {
        0x0 => Ok(Kind::Continuation),
        0x1 => Ok(Kind::Text),
        0x2 => Err(Violation::Binary),
        0x8 => Ok(Kind::Close),
        0x9 => Ok(Kind::Ping),
        0xa => Ok(Kind::Pong),
        _ => Err(Violation::Opcode),
    }
}

/// The length of the payload, from the 7 bits of the second byte and the bytes that follow it.
fn length(short: u8, extended: &[u8]) -> Result<u64, Violation> {
    let length = extended.iter().fold(0, |length, &byte| length << 8 | u64::from(byte));
    match short {
        126 if length < 126 => Err(Violation::Length),
        127 if length <= u64::from(u16::MAX) || length > i64::MAX as u64 => Err(Violation::Length),
        126 | 127 => Ok(length),
        short => Ok(u64::from(short)),
    }
}

/// Takes the mask off, eight bytes at a time, which the compiler makes into as many as the machine has.
fn unmask(payload: &mut [u8], mask: [u8; MASK_BYTES]) {
    let [a, b, c, d] = mask;
    let word = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = payload.as_chunks_mut();
    for bytes in words {
        *bytes = (u64::from_ne_bytes(*bytes) ^ word).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= key;
    }
}
