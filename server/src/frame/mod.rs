//! RFC 6455, the server's side of it: bytes in, events out; no I/O, no timer, no buffer of its own.
//!
//! [`decode`] finds the next frame in the caller's buffer and unmasks it there; [`Assembler`] makes messages of frames;
//! [`Mark`] and its neighbours write frames. No extension is spoken and no subprotocol, and binary messages are refused.
//!
//! An unfragmented text is never copied, and an [`Assembler`] owns memory only between the first and the last fragment
//! of a message, so that an idle connection holds nothing here but the pointer of its assembler.

mod assemble;
mod decode;
mod encode;
mod handshake;

#[cfg(test)]
mod examples;
#[cfg(test)]
mod oracle;

pub use assemble::{Assembler, Close, Event};
pub use decode::{Decoded, Frame, HEADER_BYTES, Kind, decode};
pub use encode::{Mark, close_frame, ping_frame, pong_frame, text_frame, texts};
pub use handshake::accept_key;

use kith_protocol::problem::CloseCode;

/// The longest payload of a control frame, in bytes (RFC 6455, section 5.5).
pub const CONTROL_BYTES: usize = 125;

/// The violation for which a connection must be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// A client's frame without a mask (section 5.1).
    #[error("a frame without a mask")]
    Unmasked,
    /// A reserved bit, which only an extension may set (section 5.2).
    #[error("a reserved bit is set")]
    Reserved,
    /// An opcode that means nothing (section 5.2).
    #[error("an unknown opcode")]
    Opcode,
    /// A length not in its shortest form, or above 63 bits (section 5.2).
    #[error("a length in a wrong form")]
    Length,
    /// A control frame that is fragmented or longer than [`CONTROL_BYTES`] (section 5.5).
    #[error("a control frame in fragments or of more than 125 bytes")]
    Control,
    /// A continuation of nothing, or a new message within another (section 5.4).
    #[error("fragments out of order")]
    Sequence,
    /// A close frame whose code may not be sent, or whose reason is cut off or no UTF-8 (sections 5.5.1 and 7.4).
    #[error("a close frame that says nothing valid")]
    Close,
    /// A message of more bytes than the server takes.
    #[error("too big")]
    TooBig,
    /// A binary message: the protocol has none.
    #[error("a binary message")]
    Binary,
    /// A text that is no UTF-8 (section 8.1).
    #[error("a text that is not UTF-8")]
    NotUtf8,
}

impl Violation {
    /// The close code: 4002 where a frame of ours could not be read, 1002 where RFC 6455 was broken.
    pub const fn close_code(self) -> CloseCode {
        match self {
            Self::TooBig | Self::Binary | Self::NotUtf8 => CloseCode::NotDecodable,
            Self::Unmasked
            | Self::Reserved
            | Self::Opcode
            | Self::Length
            | Self::Control
            | Self::Sequence
            | Self::Close => CloseCode::ProtocolError,
        }
    }
}
