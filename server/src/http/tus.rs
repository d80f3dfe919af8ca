//! The headers of tus 1.0.0 (<https://tus.io/protocols/resumable-upload>), written and read.

use std::time::{Duration, SystemTime};

use axum::{
    extract::{FromRequestParts, Request},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts},
    middleware::Next,
    response::Response,
};
use kith_protocol::{Code, Timestamp};

use crate::Error;

/// The version of tus that is spoken here.
pub(super) const VERSION: &str = "1.0.0";
/// The extensions of tus that are spoken here.
pub(super) const EXTENSIONS: &str = "creation,creation-with-upload,termination,expiration";
/// The type of bytes that begin somewhere in an upload.
const PART: &str = "application/offset+octet-stream";

/// The version of tus of an answer, or of a request.
pub const TUS_RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
/// The versions of tus that would be taken.
pub const TUS_VERSION: HeaderName = HeaderName::from_static("tus-version");
pub(super) const TUS_EXTENSION: HeaderName = HeaderName::from_static("tus-extension");
pub(super) const TUS_MAX_SIZE: HeaderName = HeaderName::from_static("tus-max-size");
pub(super) const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
pub(super) const LENGTH: HeaderName = HeaderName::from_static("upload-length");
pub(super) const METADATA: HeaderName = HeaderName::from_static("upload-metadata");
pub(super) const EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
/// Headers of extensions that are not spoken here, and would mean something else without them.
const NOT_SPOKEN: [&str; 3] = ["upload-defer-length", "upload-concat", "upload-checksum"];

/// Says in every answer which version it is of.
pub async fn in_tus(request: Request, next: Next) -> Response {
    let mut answer = next.run(request).await;
    let version = HeaderValue::from_static(VERSION);
    if answer.status() == StatusCode::PRECONDITION_FAILED {
        answer.headers_mut().insert(TUS_VERSION, version.clone());
    }
    answer.headers_mut().insert(TUS_RESUMABLE, version);
    answer
}

/// The proof that a request is of the version that is spoken here.
pub struct Tus;

impl<S: Send + Sync> FromRequestParts<S> for Tus {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        if parts.headers.get(TUS_RESUMABLE).is_some_and(|version| version == VERSION) {
            return Ok(Self);
        }
        Err(Error::new(Code::UnsupportedTusVersion).because(format!("Tus-Resumable must be {VERSION}.")))
    }
}

/// Refuses what would mean something else to who knows the extension.
pub(super) fn spoken(headers: &HeaderMap) -> Result<(), Error> {
    match NOT_SPOKEN.into_iter().find(|name| headers.contains_key(*name)) {
        Some(name) => Err(Error::new(Code::InvalidRequest).because(format!("{name} is not spoken here."))),
        None => Ok(()),
    }
}

/// The bytes that a body says that it has.
pub(super) fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

pub(super) fn is_part(headers: &HeaderMap) -> Result<(), Error> {
    if headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == PART) {
        return Ok(());
    }
    Err(Error::new(Code::UnsupportedMediaType).because(format!("The Content-Type must be {PART}.")))
}

/// The number that a header must have: digits, and nothing else.
pub(super) fn number(headers: &HeaderMap, name: HeaderName) -> Result<u64, Error> {
    let wrong = || Error::new(Code::InvalidRequest).because(format!("{name} must be there, and a number."));
    let digits = headers.get(&name).and_then(|value| value.to_str().ok());
    let digits = digits.filter(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()));
    digits.and_then(|digits| digits.parse().ok()).ok_or_else(wrong)
}

/// A time as HTTP writes it (RFC 9110, section 5.6.7).
pub(super) fn expires(at: Timestamp) -> Result<HeaderValue, Error> {
    text(httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_millis(at.millis())))
}

pub(super) fn text(text: String) -> Result<HeaderValue, Error> {
    HeaderValue::try_from(text).map_err(|_| Error::new(Code::Internal))
}
