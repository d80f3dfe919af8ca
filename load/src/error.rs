//! Why a measurement could not be made. What was measured and found wrong is no error: it stands in the report.

use std::io;

/// Why it could not run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be done as it was asked; the text says what to change.
    #[error("{0}")]
    Refused(String),
    /// The operating system said no.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// What it said.
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
    /// What the operating system refused, in words.
    pub fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

/// The result of a step of a measurement.
pub type Result<T> = std::result::Result<T, Error>;
