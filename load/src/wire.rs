//! WebSocket frames (RFC 6455) as a client writes and reads them, without extensions.
//!
//! The masking key is zero, which the RFC's framing allows and which costs no pass over the payload: the generator
//! shares its cores with the server, and what it does not spend the server can.

use crate::error::{Error, Result};

/// Opcodes of frames, by their numbers in RFC 6455.
pub mod opcode {
    /// A whole text.
    pub const TEXT: u8 = 1;
    /// The end of the connection.
    pub const CLOSE: u8 = 8;
    /// A question whether the other side is there.
    pub const PING: u8 = 9;
    /// The answer to a ping.
    pub const PONG: u8 = 10;
}

/// A close code that nobody sends: the connection broke (RFC 6455, 7.1.5).
pub const CLOSED_WITHOUT_WORD: u16 = 1006;
const FIN: u8 = 0x80;
const MASK: u8 = 0x80;
/// No frame of a server is larger: a page of 200 entries of 16 KiB with every byte escaped stays far below.
const FRAME_BYTES: u64 = 64 * 1024 * 1024;

/// A frame of the server.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The opcode.
    pub opcode: u8,
    /// The payload, unmasked.
    pub payload: &'a [u8],
}

/// Appends one masked frame to `out`.
pub fn write(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    out.push(FIN | opcode);
    match payload.len() {
        len @ ..126 => out.push(MASK | len as u8),
        len @ ..65_536 => {
            out.push(MASK | 126);
            out.extend_from_slice(&(len as u16).to_be_bytes());
        }
        len => {
            out.push(MASK | 127);
            out.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(payload);
}

/// Reads the first frame of `bytes` and tells how many bytes it took; `None` while it is not whole.
///
/// # Errors
/// What a server of this protocol never sends: fragments, extensions, masked or endless frames.
pub fn read(bytes: &[u8]) -> Result<Option<(Frame<'_>, usize)>> {
    let [first, second, rest @ ..] = bytes else { return Ok(None) };
    if first & 0xf0 != FIN {
        return Err(Error::Protocol("a fragment, or an extension that nobody asked for".into()));
    }
    if second & MASK != 0 {
        return Err(Error::Protocol("a server masks nothing".into()));
    }
    let (len, head) = match second {
        126 => match rest {
            [a, b, ..] => (u64::from(u16::from_be_bytes([*a, *b])), 4),
            _ => return Ok(None),
        },
        127 => match rest.first_chunk::<8>() {
            Some(len) => (u64::from_be_bytes(*len), 10),
            None => return Ok(None),
        },
        len => (u64::from(*len), 2),
    };
    if len > FRAME_BYTES {
        return Err(Error::Protocol(format!("a frame of {len} bytes")));
    }
    let end = head + len as usize;
    let Some(payload) = bytes.get(head..end) else { return Ok(None) };
    Ok(Some((Frame { opcode: first & 0x0f, payload }, end)))
}

/// The code inside the payload of a close frame.
pub fn close_code(payload: &[u8]) -> u16 {
    payload.first_chunk::<2>().map_or(CLOSED_WITHOUT_WORD, |code| u16::from_be_bytes(*code))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same frame as a server would send it: no mask bit, no key.
    fn as_server(frame: &[u8], len: usize) -> Vec<u8> {
        let head = frame.len() - len - 4;
        let mut bytes = frame[..head].to_vec();
        bytes[1] &= !MASK;
        bytes.extend_from_slice(&frame[head + 4..]);
        bytes
    }

    #[test]
    fn every_length_reads_back_and_no_part_of_it_reads() {
        for len in [0, 1, 125, 126, 127, 65_535, 65_536, 100_000] {
            let payload = vec![b'x'; len];
            let mut out = Vec::new();
            write(&mut out, opcode::TEXT, &payload);
            let bytes = as_server(&out, len);
            let (frame, used) = read(&bytes).unwrap().unwrap();
            assert_eq!(frame, Frame { opcode: opcode::TEXT, payload: &payload });
            assert_eq!(used, bytes.len());
            for cut in [0, 1, 2, 3, bytes.len() - 1] {
                assert!(cut >= bytes.len() || read(&bytes[..cut]).unwrap().is_none(), "{len} cut at {cut}");
            }
        }
    }

    #[test]
    fn what_a_server_must_not_send_is_refused() {
        assert!(read(&[0x01, 0x00]).is_err(), "a fragment");
        assert!(read(&[0xc1, 0x00]).is_err(), "compressed");
        assert!(read(&[0x81, 0x80]).is_err(), "masked");
        assert!(read(&[0x81, 127, 0xff, 0, 0, 0, 0, 0, 0, 0]).is_err(), "endless");
    }

    #[test]
    fn a_close_says_why() {
        assert_eq!(close_code(&[0x10, 0x07]), 4103);
        assert_eq!(close_code(&[]), CLOSED_WITHOUT_WORD);
    }
}
