//! Errors between a client and a server.

use std::{fmt, time::Duration};

use kith_device::{Closed, limits::REASON_CHARS};
use kith_protocol::{Code, Problem};

/// The reason why a call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The server refused, and said why.
    #[error("{}", .problem.detail.as_deref().unwrap_or(&.problem.title))]
    Problem {
        /// The problem that the server tells.
        problem: Box<Problem>,
        /// The time after which the same request may succeed: its `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// The server could not be reached, or the connection broke: what became of the request is unknown.
    #[error("{0}")]
    Transport(String),
    /// The server said what this client does not understand.
    #[error("{0}")]
    Protocol(String),
    /// The socket is closed.
    #[error("{0}")]
    Closed(Closed),
}

impl Error {
    /// The code of a problem.
    pub fn code(&self) -> Option<Code> {
        match self {
            Error::Problem { problem, .. } => Some(problem.code),
            _ => None,
        }
    }

    /// Returns the time after which the same request may succeed, where the server said so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Error::Problem { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    pub(crate) fn transport(cause: impl fmt::Display) -> Self {
        Self::Transport(short(cause))
    }

    pub(crate) fn protocol(cause: impl fmt::Display) -> Self {
        Self::Protocol(short(cause))
    }
}

/// A text from outside, short enough to show.
fn short(cause: impl fmt::Display) -> String {
    cause.to_string().chars().take(REASON_CHARS).collect()
}
