//! Errors, on both doors: `application/problem+json` (RFC 9457) and the `error` frame.

use serde::{Deserialize, Serialize};

/// The stable name of an error; a client decides by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "Code::title says each")]
pub enum Code {
    InvalidRequest,
    Unauthenticated,
    WrongPassword,
    PasswordExpired,
    Blocked,
    UserGone,
    NotAdmin,
    NotContact,
    RegistrationClosed,
    Suspended,
    NotFound,
    MethodNotAllowed,
    UsernameTaken,
    ConversationFull,
    TooMany,
    WrongOffset,
    UnsupportedTusVersion,
    TooLarge,
    QuotaExceeded,
    UnsupportedMediaType,
    RangeNotSatisfiable,
    IdempotencyMismatch,
    UploadInUse,
    RateLimited,
    Internal,
    Overloaded,
    Unavailable,
    StorageFull,
    /// A code of a later version; it is only ever read. What it means for a request, `retryable` and the status say.
    #[serde(other, skip_serializing)]
    Unknown,
}

impl Code {
    /// Every code that this version knows, in the order of its status.
    pub const ALL: [Code; 28] = [
        Code::InvalidRequest,
        Code::Unauthenticated,
        Code::WrongPassword,
        Code::PasswordExpired,
        Code::Blocked,
        Code::UserGone,
        Code::NotAdmin,
        Code::NotContact,
        Code::RegistrationClosed,
        Code::Suspended,
        Code::NotFound,
        Code::MethodNotAllowed,
        Code::UsernameTaken,
        Code::ConversationFull,
        Code::TooMany,
        Code::WrongOffset,
        Code::UnsupportedTusVersion,
        Code::TooLarge,
        Code::QuotaExceeded,
        Code::UnsupportedMediaType,
        Code::RangeNotSatisfiable,
        Code::IdempotencyMismatch,
        Code::UploadInUse,
        Code::RateLimited,
        Code::Internal,
        Code::Overloaded,
        Code::Unavailable,
        Code::StorageFull,
    ];

    /// The code as it is written on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Code::InvalidRequest => "invalid_request",
            Code::Unauthenticated => "unauthenticated",
            Code::WrongPassword => "wrong_password",
            Code::PasswordExpired => "password_expired",
            Code::Blocked => "blocked",
            Code::UserGone => "user_gone",
            Code::NotAdmin => "not_admin",
            Code::NotContact => "not_contact",
            Code::RegistrationClosed => "registration_closed",
            Code::Suspended => "suspended",
            Code::NotFound => "not_found",
            Code::MethodNotAllowed => "method_not_allowed",
            Code::UsernameTaken => "username_taken",
            Code::ConversationFull => "conversation_full",
            Code::TooMany => "too_many",
            Code::WrongOffset => "wrong_offset",
            Code::UnsupportedTusVersion => "unsupported_tus_version",
            Code::TooLarge => "too_large",
            Code::QuotaExceeded => "quota_exceeded",
            Code::UnsupportedMediaType => "unsupported_media_type",
            Code::RangeNotSatisfiable => "range_not_satisfiable",
            Code::IdempotencyMismatch => "idempotency_mismatch",
            Code::UploadInUse => "upload_in_use",
            Code::RateLimited => "rate_limited",
            Code::Internal => "internal",
            Code::Overloaded => "overloaded",
            Code::Unavailable => "unavailable",
            Code::StorageFull => "storage_full",
            Code::Unknown => "unknown",
        }
    }

    /// The HTTP status that carries it.
    pub const fn status(self) -> u16 {
        match self {
            Code::InvalidRequest => 400,
            Code::Unauthenticated | Code::WrongPassword => 401,
            Code::PasswordExpired
            | Code::Blocked
            | Code::UserGone
            | Code::NotAdmin
            | Code::NotContact
            | Code::RegistrationClosed
            | Code::Suspended => 403,
            Code::NotFound => 404,
            Code::MethodNotAllowed => 405,
            Code::UsernameTaken | Code::ConversationFull | Code::TooMany | Code::WrongOffset => 409,
            Code::UnsupportedTusVersion => 412,
            Code::TooLarge | Code::QuotaExceeded => 413,
            Code::UnsupportedMediaType => 415,
            Code::RangeNotSatisfiable => 416,
            Code::IdempotencyMismatch => 422,
            Code::UploadInUse => 423,
            Code::RateLimited => 429,
            Code::Internal | Code::Unknown => 500,
            Code::Overloaded | Code::Unavailable => 503,
            Code::StorageFull => 507,
        }
    }

    /// Returns the error, for a person.
    pub const fn title(self) -> &'static str {
        match self {
            Code::InvalidRequest => "The request is not valid.",
            Code::Unauthenticated => "Sign in first: the token is missing, wrong or revoked.",
            Code::WrongPassword => "The username or the password is wrong.",
            Code::PasswordExpired => "This password was good for one day: ask who runs this server for another one.",
            Code::Blocked => "One of you has blocked the other.",
            Code::UserGone => "This user has deleted their account.",
            Code::NotAdmin => "Only an admin of the conversation may do this.",
            Code::NotContact => "This user lets only people to whom they have written add them to groups.",
            Code::RegistrationClosed => "This server does not take new accounts this way.",
            Code::Suspended => "The operator of this server has suspended this account.",
            Code::NotFound => "There is nothing here that you may see.",
            Code::MethodNotAllowed => "This address does not answer that method.",
            Code::UsernameTaken => "This username is taken.",
            Code::ConversationFull => "The conversation has as many members as it may have.",
            Code::TooMany => "There are as many of these as there may be.",
            Code::WrongOffset => "The upload does not go on there.",
            Code::UnsupportedTusVersion => "The request is not of the version of tus that is spoken here.",
            Code::TooLarge => "The body is too large.",
            Code::QuotaExceeded => "This would take more room than you have.",
            Code::UnsupportedMediaType => "The body is not of a type that is taken here.",
            Code::RangeNotSatisfiable => "The media has no such range.",
            Code::IdempotencyMismatch => "This idempotency key was used for another request.",
            Code::UploadInUse => "Another request writes to this upload.",
            Code::RateLimited => "Too many requests. Wait, then try again.",
            Code::Internal => "The server failed. The fault is in its log under the request's id.",
            Code::Overloaded => "The server is overloaded. Nothing was changed; try again later.",
            Code::Unavailable => "The server cannot store this now. A retry with the same key tells what became of it.",
            Code::StorageFull => "The disk of the server is nearly full: it takes nothing more until there is room.",
            Code::Unknown => "This program is older than the server, and does not know this error.",
        }
    }

    /// Returns true if the same request may succeed later.
    pub const fn retryable(self) -> bool {
        matches!(
            self,
            Code::UploadInUse
                | Code::RateLimited
                | Code::Internal
                | Code::Overloaded
                | Code::Unavailable
                | Code::StorageFull
        )
    }
}

/// One field of a request that is not valid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// A JSON Pointer (RFC 6901) into the body; `?name` for a field of the query.
    pub pointer: String,
    /// The error, for a person.
    pub detail: String,
}

/// The body of every REST answer that is an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Problem {
    /// A URI reference that names the kind of problem.
    #[serde(rename = "type")]
    pub kind: String,
    /// The error, for a person; the same for every problem of this code.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The circumstances of this time, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The error code, by which a client decides.
    pub code: Code,
    /// Names this request in the server's log.
    pub request_id: String,
    /// True if the same request may succeed later.
    pub retryable: bool,
    /// The fields at fault.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

/// The code with which the server closes a socket (RFC 6455, section 7.4.2: 4000–4999 are for applications).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u16)]
#[expect(missing_docs, reason = "CloseCode::reason says each")]
pub enum CloseCode {
    Normal = 1000,
    GoingAway = 1001,
    ProtocolError = 1002,
    UnknownError = 4000,
    UnknownFrame = 4001,
    NotDecodable = 4002,
    HelloExpected = 4003,
    BadToken = 4004,
    SecondHello = 4005,
    RateLimited = 4008,
    HeartbeatMissed = 4009,
    DeviceRevoked = 4100,
    Draining = 4101,
    SlowReader = 4103,
}

impl CloseCode {
    /// Every code from 4000, in order.
    pub const ALL: [CloseCode; 11] = [
        CloseCode::UnknownError,
        CloseCode::UnknownFrame,
        CloseCode::NotDecodable,
        CloseCode::HelloExpected,
        CloseCode::BadToken,
        CloseCode::SecondHello,
        CloseCode::RateLimited,
        CloseCode::HeartbeatMissed,
        CloseCode::DeviceRevoked,
        CloseCode::Draining,
        CloseCode::SlowReader,
    ];

    /// Returns the reason in the close frame, for a person.
    pub const fn reason(self) -> &'static str {
        match self {
            CloseCode::Normal => "",
            CloseCode::GoingAway => "going away",
            CloseCode::ProtocolError => "not RFC 6455",
            CloseCode::UnknownError => "unknown error: reconnect",
            CloseCode::UnknownFrame => "unknown frame",
            CloseCode::NotDecodable => "frame not decodable or too big",
            CloseCode::HelloExpected => "hello expected",
            CloseCode::BadToken => "bad token",
            CloseCode::SecondHello => "hello was already said",
            CloseCode::RateLimited => "rate limited",
            CloseCode::HeartbeatMissed => "heartbeat missed: reconnect",
            CloseCode::DeviceRevoked => "this device was signed out",
            CloseCode::Draining => "this node drains: reconnect elsewhere",
            CloseCode::SlowReader => "reading too slowly: reconnect with have",
        }
    }

    /// Returns true if a client must not reconnect with this token.
    pub const fn is_final(self) -> bool {
        matches!(self, CloseCode::BadToken | CloseCode::DeviceRevoked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_of_a_later_version_is_read_with_all_that_the_document_says() {
        let text = r#"{"type":"/v1/problems/stale_epoch","title":"The epoch has ended.","status":409,"detail":"It is 7.",
            "code":"stale_epoch","request_id":"r","retryable":true,"epoch":7}"#;
        let problem: Problem = serde_json::from_str(text).expect("a problem");
        assert_eq!((problem.code, problem.status, problem.retryable), (Code::Unknown, 409, true));
        assert_eq!(problem.detail.as_deref(), Some("It is 7."));
    }

    #[test]
    fn each_code_is_read_as_it_is_written_and_no_other_is_written() {
        for code in Code::ALL {
            let text = serde_json::to_string(&code).expect("a name");
            assert_eq!(text, format!("{:?}", code.name()));
            assert_eq!(serde_json::from_str::<Code>(&text).ok(), Some(code));
        }
        assert!(serde_json::to_string(&Code::Unknown).is_err());
    }
}
