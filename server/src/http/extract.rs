//! The parts of a request, read strictly, with the field at fault where one is.

use axum::{
    extract::{FromRequest, FromRequestParts, Path as AxumPath, Request},
    http::{HeaderMap, header, request::Parts},
};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use kith_protocol::{
    Code, UserId,
    frame::{BadBody, decode_body},
    limits::{Limits, PAGE_ITEMS, PAGE_ITEMS_DEFAULT},
};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};

use crate::Error;

/// A JSON body. An empty one is an empty object, so that what lacks is named.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self, Error> {
        read_json(&read_body(request).await?).map(Self)
    }
}

/// The bytes of a JSON body, of bounded length.
pub(super) async fn read_body(request: Request) -> Result<Bytes, Error> {
    let max = Limits::default().body_bytes;
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, max as usize).collect().await.map_err(|error| {
        if error.downcast_ref::<LengthLimitError>().is_some() {
            return Error::new(Code::TooLarge).because(format!("A body may have {max} bytes."));
        }
        Error::new(Code::InvalidRequest).because("The body broke off.")
    })?;
    let bytes = body.to_bytes();
    if !bytes.is_empty() && !is_json(&parts.headers) {
        return Err(Error::new(Code::UnsupportedMediaType));
    }
    Ok(bytes)
}

fn is_json(headers: &HeaderMap) -> bool {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    given.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

pub(super) fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    let bytes = if bytes.is_empty() { b"{}" } else { bytes };
    decode_body(bytes).map_err(|error| match error {
        BadBody::NotJson(detail) => Error::new(Code::InvalidRequest).because(format!("The body is not JSON: {detail}")),
        BadBody::Field { pointer, detail } => Error::field(pointer, detail),
    })
}

/// The variable parts of the path. What is none of ours names nothing: 404.
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let path = AxumPath::<T>::from_request_parts(parts, state).await;
        path.map(|AxumPath(value)| Self(value)).map_err(|_| Error::new(Code::NotFound))
    }
}

/// The query. Unknown fields are ignored.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let query = parts.uri.query().unwrap_or_default();
        let fields = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
        serde_path_to_error::deserialize(fields).map(Self).map_err(|error| {
            let detail = error.inner().to_string();
            let missing = detail.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
            let name = missing.map_or_else(|| error.path().to_string(), str::to_owned);
            Error::field(format!("?{name}"), detail)
        })
    }
}

/// The number of items that a `?limit=` asks for.
///
/// # Errors
/// `invalid_request` for none, or for more than a page has.
pub fn page_items(limit: Option<u32>) -> Result<usize, Error> {
    match limit.map_or(PAGE_ITEMS_DEFAULT, |limit| limit as usize) {
        0 => Err(Error::field("?limit", "must be at least 1")),
        items if items > PAGE_ITEMS => Err(Error::field("?limit", format!("must be {PAGE_ITEMS} at most"))),
        items => Ok(items),
    }
}

/// A user in a path, where `me` is the one who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The one who asks.
    Me,
    /// This one.
    User(UserId),
}

impl Who {
    /// The user, given who asks.
    pub fn user(self, me: UserId) -> UserId {
        match self {
            Who::Me => me,
            Who::User(user) => user,
        }
    }
}

impl<'de> Deserialize<'de> for Who {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.as_str() {
            "me" => Ok(Who::Me),
            id => id.parse().map(Who::User).map_err(serde::de::Error::custom),
        }
    }
}
