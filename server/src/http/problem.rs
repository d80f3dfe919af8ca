//! Errors as `application/problem+json` (RFC 9457).

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use kith_protocol::{Code, Problem};

use crate::Error;

/// Rides on an answer until [`super::exchange::finish`] writes the document, which needs the request's name.
#[derive(Clone)]
pub(super) struct Failed(pub Error);

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut answer = status(self.code).into_response();
        answer.extensions_mut().insert(Failed(self));
        answer
    }
}

fn status(code: Code) -> StatusCode {
    StatusCode::from_u16(code.status()).expect("every code has a status")
}

/// The answer that says what went wrong.
pub(super) fn document(error: Error, request_id: &str) -> Response {
    let Error { code, detail, fields, retry_after, damaged } = error;
    let problem = Problem {
        kind: format!("/v1/problems/{}", code.name()),
        title: code.title().to_owned(),
        status: code.status(),
        detail,
        code,
        request_id: request_id.to_owned(),
        retryable: code.retryable() && !damaged,
        errors: fields,
    };
    let mut answer = (status(code), Json(problem)).into_response();
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    // Whole seconds, rounded up: who waits them will not be too early.
    let seconds = retry_after.map(|after| after.as_millis().div_ceil(1000).max(1));
    let seconds = seconds.or_else(|| matches!(code.status(), 429 | 503).then_some(1));
    if let Some(seconds) = seconds {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(u64::try_from(seconds).unwrap_or(u64::MAX)));
    }
    if code.status() == 401 {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    answer
}
