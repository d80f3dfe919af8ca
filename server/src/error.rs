//! Errors as a caller is told them: a code that says what they can do about it, and the circumstances.

use std::{borrow::Cow, time::Duration};

use kith_protocol::{Code, problem::FieldError};

use crate::{store, telemetry};

/// An error for the caller. Its cause, where that is ours, was logged where it happened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .detail.as_deref().unwrap_or(.code.title()))]
pub struct Error {
    /// The error code, by which the caller decides.
    pub code: Code,
    /// The circumstances of this time.
    pub detail: Option<String>,
    /// The fields at fault.
    pub fields: Vec<FieldError>,
    /// The time after which it may succeed.
    pub retry_after: Option<Duration>,
    /// True where what was asked for is damaged: asking again changes nothing.
    pub damaged: bool,
}

impl Error {
    /// An error of which the code says all.
    pub const fn new(code: Code) -> Self {
        Self { code, detail: None, fields: Vec::new(), retry_after: None, damaged: false }
    }

    /// A field that is not valid.
    pub fn field(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        let field = FieldError { pointer: pointer.into(), detail: detail.into() };
        Self { fields: vec![field], ..Self::new(Code::InvalidRequest) }
    }

    /// An error of which what is kept is the cause, with words for the person who asked.
    pub fn damaged(detail: impl Into<String>) -> Self {
        Self { damaged: true, ..Self::new(Code::Internal).because(detail) }
    }

    /// With what happened this time.
    pub fn because(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    /// With when it may succeed.
    pub const fn after(mut self, retry_after: Duration) -> Self {
        self.retry_after = Some(retry_after);
        self
    }
}

impl From<kith_log::Refusal> for Error {
    fn from(refusal: kith_log::Refusal) -> Self {
        let detail = refusal.detail.map(Cow::into_owned);
        match refusal.pointer {
            Some(pointer) => Self::field(pointer, detail.unwrap_or_default()),
            None => Self { detail, ..Self::new(refusal.code) },
        }
    }
}

impl From<Code> for Error {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Full(_) => {
                tracing::warn!(%error, "the store refused");
                Self::new(Code::StorageFull).after(Duration::from_secs(1))
            }
            store::Error::Unavailable(_) => {
                tracing::warn!(%error, "the store refused");
                Self::new(Code::Unavailable).after(Duration::from_secs(1))
            }
            store::Error::Corrupt(why) => {
                telemetry::damage(&why);
                Self::damaged("What you asked for is damaged on the server; its operator can repair it.")
            }
        }
    }
}
