//! The end of a socket.

use std::fmt;

use kith_protocol::problem::CloseCode;

use crate::limits;

/// The close code of a socket and its reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("closed with {code} {reason}")]
pub struct Closed {
    /// The code of the close frame; 1005 where it has none, 1006 where there was no close frame (RFC 6455, section 7.4.1).
    pub code: u16,
    /// The reason of the close frame, for a person.
    pub reason: String,
}

impl Closed {
    /// A connection that ended without a close frame. The reason is cut to [`limits::REASON_CHARS`].
    pub fn broken(reason: impl fmt::Display) -> Self {
        Self { code: 1006, reason: reason.to_string().chars().take(limits::REASON_CHARS).collect() }
    }

    /// True for 4004 and 4100: the token is of no use any longer.
    pub fn is_final(&self) -> bool {
        CloseCode::ALL.iter().any(|code| *code as u16 == self.code && code.is_final())
    }
}
