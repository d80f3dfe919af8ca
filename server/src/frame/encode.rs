//! The server's frames: unmasked, unfragmented, their length in its shortest form (RFC 6455, section 5.2).

use bytes::Bytes;

use super::CONTROL_BYTES;

const FIN_TEXT: u8 = 0x81;
const FIN_CLOSE: u8 = 0x88;
const FIN_PING: u8 = 0x89;
const FIN_PONG: u8 = 0x8a;
/// The header of a payload of 126 to 65 535 bytes, which is what most frames have.
const USUAL_HEADER: usize = 4;
/// The header of a longer one.
const LONG_HEADER: usize = 10;

/// The beginning of a text frame in a buffer whose payload is being written.
#[derive(Debug)]
#[must_use = "the frame has no header before it is finished"]
pub struct Mark {
    at: usize,
}

impl Mark {
    /// Begins a text frame at the end of `buffer`. What is appended from now on is its payload; any frames before it stay.
    pub fn begin_text(buffer: &mut Vec<u8>) -> Self {
        let at = buffer.len();
        buffer.extend_from_slice(&[0; USUAL_HEADER]);
        Self { at }
    }

    /// Writes the header of the frame, which ends where `buffer` does.
    ///
    /// The payload stays in place from 126 to 65 535 bytes; a shorter one moves back by 2 bytes and a longer one ahead by 6.
    pub fn finish(self, buffer: &mut Vec<u8>) {
        let payload = self.at + USUAL_HEADER;
        let length = buffer.len() - payload;
        if let Ok(short) = u8::try_from(length)
            && short < 126
        {
            buffer[self.at..self.at + 2].copy_from_slice(&[FIN_TEXT, short]);
            buffer.copy_within(payload.., self.at + 2);
            buffer.truncate(self.at + 2 + length);
        } else if let Ok(usual) = u16::try_from(length) {
            let [high, low] = usual.to_be_bytes();
            buffer[self.at..payload].copy_from_slice(&[FIN_TEXT, 126, high, low]);
        } else {
            let end = buffer.len();
            buffer.resize(end + LONG_HEADER - USUAL_HEADER, 0);
            buffer.copy_within(payload..end, self.at + LONG_HEADER);
            buffer[self.at..self.at + 2].copy_from_slice(&[FIN_TEXT, 127]);
            buffer[self.at + 2..self.at + LONG_HEADER].copy_from_slice(&(length as u64).to_be_bytes());
        }
    }

    /// Takes the frame back, with whatever was written of it.
    pub fn abandon(self, buffer: &mut Vec<u8>) {
        buffer.truncate(self.at);
    }
}

/// A text frame of a payload that is there already, in one allocation of its exact size.
pub fn text_frame(payload: &[u8]) -> Bytes {
    let mut frame = Vec::with_capacity(header_length(payload.len()) + payload.len());
    frame.push(FIN_TEXT);
    if let Ok(short) = u8::try_from(payload.len())
        && short < 126
    {
        frame.push(short);
    } else if let Ok(usual) = u16::try_from(payload.len()) {
        frame.push(126);
        frame.extend_from_slice(&usual.to_be_bytes());
    } else {
        frame.push(127);
        frame.extend_from_slice(&(payload.len() as u64).to_be_bytes());
    }
    frame.extend_from_slice(payload);
    frame.into()
}

const fn header_length(payload: usize) -> usize {
    match payload {
        0..126 => 2,
        126..65_536 => USUAL_HEADER,
        _ => LONG_HEADER,
    }
}

/// The payloads of the text frames in `frames`, which this module wrote back to back.
pub fn texts(frames: &Bytes) -> impl Iterator<Item = Bytes> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while let Some([first, length]) = frames.get(at..at + 2) {
            let number = |bytes: usize| {
                let digits = frames.get(at + 2..at + 2 + bytes)?;
                Some(digits.iter().fold(0usize, |number, digit| number << 8 | usize::from(*digit)))
            };
            let (header, payload) = match length {
                126 => (4, number(2)?),
                127 => (10, number(8)?),
                short => (2, usize::from(*short)),
            };
            let start = at + header;
            at = start + payload;
            if *first == FIN_TEXT {
                return Some(frames.slice(start..at));
            }
        }
        None
    })
}

/// A close frame. Of a reason that is too long, as much is sent as has room: 123 bytes.
pub fn close_frame(code: u16, reason: &str) -> Bytes {
    let mut end = reason.len().min(CONTROL_BYTES - 2);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    control_frame(FIN_CLOSE, &[&code.to_be_bytes(), &reason.as_bytes()[..end]])
}

/// The answer to a ping, with the same payload: 125 bytes at most, of which [`super::decode`] makes sure.
pub fn pong_frame(payload: &[u8]) -> Bytes {
    control_frame(FIN_PONG, &[payload])
}

/// A ping, of 125 bytes at most.
pub fn ping_frame(payload: &[u8]) -> Bytes {
    control_frame(FIN_PING, &[payload])
}

fn control_frame(first: u8, payload: &[&[u8]]) -> Bytes {
    let length = payload.iter().map(|part| part.len()).sum::<usize>();
    assert!(length <= CONTROL_BYTES, "a control frame of {length} bytes");
    let mut frame = Vec::with_capacity(2 + length);
    frame.extend_from_slice(&[first, length as u8]);
    payload.iter().for_each(|part| frame.extend_from_slice(part));
    frame.into()
}
