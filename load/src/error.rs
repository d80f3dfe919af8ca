//! Errors that keep a measurement from being made. A wrong result is no error: it stands in the report.

use std::io;

/// The reason why a measurement could not run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request cannot be carried out; the text says what to change.
    #[error("{0}")]
    Refused(String),
    /// The operating system said no.
    #[error("{what}: {source}")]
    Io {
        /// The attempted operation.
        what: String,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The server closed a connection with this code; 1006 where it said none.
    #[error("the server closed a connection with {0}")]
    Closed(u16),
    /// The server said what the protocol does not allow.
    #[error("the server broke the protocol: {0}")]
    Protocol(String),
}

impl Error {
    /// Names the operation that the operating system refused.
    pub fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

/// The result of a step of a measurement.
pub type Result<T> = std::result::Result<T, Error>;
