//! Media: sending them, and reading their bytes.

use std::{ops::Range, sync::Arc, time::Duration};

use axum::{
    Json as Answered,
    body::Body,
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use kith_protocol::{Code, Media, MediaId, Problem, limits::MEDIA_BYTES, media::MediaUrl};
use serde::Deserialize;
use tokio::time::timeout;
use utoipa::IntoParams;

use super::{
    Answer, App,
    auth::{Actor, Guest},
    extract::{Path, Query},
    uploads::refused,
};
use crate::{
    Error, limits,
    media::{
        New, Row, Sending, Source, described, kind,
        objects::{Part, hexadecimal},
        thumbnail_type,
    },
};

/// The name of a media.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Called {
    /// Its name; a path loses its folders.
    name: Option<String>,
}

/// Sends a media: its bytes are the body. Durable when it is answered.
#[utoipa::path(post, path = "/v1/media", tag = "media", params(Called),
    request_body(content_type = "application/octet-stream", description = "The bytes, at least one"),
    responses(
        (status = 201, body = Media),
        (status = 413, body = Problem, description = "too_large, quota_exceeded"),
        (status = 415, body = Problem, description = "The bytes are not what they are said to be"),
        (status = 507, body = Problem, description = "storage_full"),
    ),
)]
pub async fn send(
    State(app): State<Arc<App>>,
    actor: Actor,
    Query(called): Query<Called>,
    request: Request,
) -> Answer<(StatusCode, Answered<Media>)> {
    let (parts, mut body) = request.into_parts();
    let sending = match app.node.media.admit(actor.user) {
        Ok(sending) => sending,
        Err(error) => return Err(refused(body, error).await),
    };
    let number = |length: &HeaderValue| length.to_str().ok()?.parse().ok();
    let announced = parts.headers.get(header::CONTENT_LENGTH).and_then(number);
    let declared = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let content_type = declared.unwrap_or_default().to_owned();
    let all = timeout(Duration::from_secs(limits::MEDIA_SENDING_S), received(&sending, announced, &mut body));
    let bytes = tokio::select! {
        biased;
        () = sending.evicted() => None,
        bytes = all => Some(bytes.unwrap_or_else(|_| Err(broken()))?),
    };
    sending.ended();
    let Some(bytes) = bytes else {
        let detail =
            "It came slowly, and others want to send: send it in parts, which go on where they were interrupted.";
        return Err(refused(body, Error::new(Code::Overloaded).because(detail).after(Duration::from_secs(1))).await);
    };
    let new = New { owner: actor.user, content_type, name: called.name, source: Source::Bytes(bytes) };
    // On its own, so that it ends in order when the one who asked hangs up.
    let media = app.node.media.clone();
    let added = tokio::spawn(async move { media.add(new).await });
    let (id, row) = added.await.map_err(|_| Error::new(Code::Internal))??;
    Ok((StatusCode::CREATED, Answered(described(id, &row))))
}

fn broken() -> Error {
    Error::new(Code::InvalidRequest).because("The body broke off.")
}

/// The bytes of a body, as long as some come.
async fn received(sending: &Sending, announced: Option<u64>, body: &mut Body) -> Answer<Bytes> {
    let too_large =
        || Error::new(Code::TooLarge).because(format!("A media in one request may have {MEDIA_BYTES} bytes."));
    if announced.is_some_and(|length| length > MEDIA_BYTES) {
        return Err(too_large());
    }
    let mut bytes = BytesMut::new();
    let silent = Duration::from_secs(limits::MEDIA_SILENT_S);
    while let Some(frame) = timeout(silent, body.frame()).await.map_err(|_| broken())? {
        let Ok(data) = frame.map_err(|_| broken())?.into_data() else { continue };
        if (bytes.len() + data.len()) as u64 > MEDIA_BYTES {
            return Err(too_large());
        }
        sending.came(data.len() as u64);
        bytes.extend_from_slice(&data);
    }
    if bytes.is_empty() {
        return Err(Error::new(Code::InvalidRequest).because("A media has at least one byte."));
    }
    Ok(bytes.freeze())
}

/// The query of a signed url.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Signed {
    /// The end of the time in which it opens the media, in seconds since 1970.
    expires: Option<u64>,
    /// Says so for the server.
    signature: Option<String>,
}

/// The reader: a signed-in device, or whoever has a signed url, whose requests count among those of their address.
pub enum Viewer {
    /// A device.
    Device(Actor),
    /// A url, until when it opens what it names, and its signature.
    Url(u64, String),
}

impl FromRequestParts<Arc<App>> for Viewer {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Error> {
        let Query(Signed { expires, signature }) = Query::from_request_parts(parts, app).await?;
        match (expires, signature) {
            (Some(expires), Some(signature)) => {
                let Guest = Guest::from_request_parts(parts, app).await?;
                Ok(Self::Url(expires, signature))
            }
            _ => Actor::from_request_parts(parts, app).await.map(Self::Device),
        }
    }
}

impl Viewer {
    async fn sees(self, app: &App, id: MediaId) -> Answer<Row> {
        match self {
            Self::Device(actor) => app.node.conversations.media(actor.user, id).await,
            Self::Url(expires, signature) => app.node.media.opened(id, expires, &signature).await,
        }
    }
}

/// A url that opens a media without a token, for an hour.
#[utoipa::path(get, path = "/v1/media/{media}/url", tag = "media", params(("media" = MediaId, Path)),
    responses((status = 200, body = MediaUrl), (status = 404, body = Problem)),
)]
pub async fn url(State(app): State<Arc<App>>, actor: Actor, Path(id): Path<MediaId>) -> Answer<Answered<MediaUrl>> {
    let row = app.node.conversations.media(actor.user, id).await?;
    Ok(Answered(app.node.media.signed(id, &row).await?))
}

/// The bytes of a media, or a range of them.
#[utoipa::path(get, path = "/v1/media/{media}", tag = "media",
    params(
        ("media" = MediaId, Path),
        Signed,
        ("Range" = Option<String>, Header, description = "One range of bytes"),
        ("If-None-Match" = Option<String>, Header, description = "The ETag of what one has"),
    ),
    responses(
        (status = 200, content_type = "application/octet-stream", description = "The bytes, of the media's own type"),
        (status = 206, content_type = "application/octet-stream", description = "The range that was asked for"),
        (status = 304, description = "One has them"),
        (status = 404, body = Problem),
        (status = 416, body = Problem, description = "range_not_satisfiable"),
    ),
)]
pub async fn bytes(
    State(app): State<Arc<App>>,
    viewer: Viewer,
    Path(id): Path<MediaId>,
    headers: HeaderMap,
) -> Answer<Response> {
    let row = viewer.sees(&app, id).await?;
    answer(&app, &row, Part::Whole, &headers).await
}

/// The thumbnail of a picture: JPEG or WebP, its longer side 512 pixels at most.
#[utoipa::path(get, path = "/v1/media/{media}/thumbnail", tag = "media",
    params(
        ("media" = MediaId, Path),
        Signed,
        ("If-None-Match" = Option<String>, Header, description = "The ETag of what one has"),
    ),
    responses(
        (status = 200, content_type = "application/octet-stream", description = "A picture"),
        (status = 304, description = "One has it"),
        (status = 404, body = Problem, description = "Also for what has no thumbnail"),
    ),
)]
pub async fn thumbnail(
    State(app): State<Arc<App>>,
    viewer: Viewer,
    Path(id): Path<MediaId>,
    headers: HeaderMap,
) -> Answer<Response> {
    let row = viewer.sees(&app, id).await?;
    answer(&app, &row, Part::Thumbnail, &headers).await
}

/// The answer with the bytes of a media, or of what was made of it.
async fn answer(app: &App, row: &Row, part: Part, asked: &HeaderMap) -> Answer<Response> {
    let size = row.size;
    let sha256 = hexadecimal(&row.sha256);
    let (content_type, tag) = match part {
        Part::Whole => (row.content_type.as_str(), format!("\"{sha256}\"")),
        Part::Thumbnail => (thumbnail_type(row).ok_or(Code::NotFound)?, format!("\"{sha256}-thumbnail\"")),
    };
    let matches = |name| {
        let given = asked.get(name).and_then(|given: &HeaderValue| given.to_str().ok());
        given.map(|given| {
            given.split(',').any(|one| matches!(one.trim().trim_start_matches("W/"), one if one == tag || one == "*"))
        })
    };
    let mut response = if matches(header::IF_NONE_MATCH) == Some(true) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        // A range of something else is of no use: then all of it is sent.
        let other = part == Part::Thumbnail || matches(header::IF_RANGE) == Some(false);
        let range = if other { None } else { asked.get(header::RANGE) };
        match range.and_then(|range| asked_range(range, size)) {
            None => {
                let found = app.node.media.read(row, part, None).await?;
                let mut response = Body::from_stream(found.bytes).into_response();
                response.headers_mut().insert(header::CONTENT_LENGTH, found.size.into());
                response
            }
            Some(Err(Unsatisfiable)) => {
                let mut response = Error::new(Code::RangeNotSatisfiable).into_response();
                response.headers_mut().insert(header::CONTENT_RANGE, text(format!("bytes */{size}")));
                return Ok(response);
            }
            Some(Ok(range)) => {
                let found = app.node.media.read(row, part, Some(range)).await?;
                let Range { start, end } = found.range;
                let mut response = (StatusCode::PARTIAL_CONTENT, Body::from_stream(found.bytes)).into_response();
                let headers = response.headers_mut();
                headers.insert(header::CONTENT_LENGTH, (end - start).into());
                headers.insert(header::CONTENT_RANGE, text(format!("bytes {start}-{}/{size}", end - 1)));
                response
            }
        }
    };
    let headers = response.headers_mut();
    headers.insert(header::ETAG, text(tag));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CONTENT_TYPE, text(content_type.to_owned()));
    headers.insert(header::CONTENT_DISPOSITION, text(disposition(row)));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=31536000, immutable"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; sandbox"),
    );
    Ok(response)
}

fn text(value: String) -> HeaderValue {
    HeaderValue::try_from(value).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// The way in which a browser is to take it (RFC 6266): what is no picture, recording or text is a download.
fn disposition(row: &Row) -> String {
    let how = if kind::is_shown(&row.content_type) { "inline" } else { "attachment" };
    let Some(name) = &row.name else { return how.to_owned() };
    // RFC 8187: what is no letter or digit is escaped.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let escaped: String = name
        .bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect();
    format!("{how}; filename*=UTF-8''{escaped}")
}

/// A range that the media does not have.
#[derive(Debug, PartialEq, Eq)]
struct Unsatisfiable;

/// The one range that a `Range` asks for (RFC 9110, section 14.2); none where it asks for several or is none, which is to
/// be ignored.
fn asked_range(value: &HeaderValue, size: u64) -> Option<Result<Range<u64>, Unsatisfiable>> {
    let spec = value.to_str().ok()?.strip_prefix("bytes=")?;
    let (first, last) = spec.split_once('-')?;
    let number =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
    let range = match (first.trim(), last.trim()) {
        ("", "") => return None,
        ("", last) => size.saturating_sub(number(last)?)..size,
        (first, "") => number(first)?..size,
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            if last < first {
                return None;
            }
            first..last.saturating_add(1).min(size)
        }
    };
    Some(if range.is_empty() { Err(Unsatisfiable) } else { Ok(range) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_read() {
        for (asked, range) in [
            ("bytes=0-0", Some(Ok(0..1))),
            ("bytes=2-", Some(Ok(2..10))),
            ("bytes=-3", Some(Ok(7..10))),
            ("bytes=-30", Some(Ok(0..10))),
            ("bytes=5-99", Some(Ok(5..10))),
            ("bytes=10-", Some(Err(Unsatisfiable))),
            ("bytes=-0", Some(Err(Unsatisfiable))),
            ("bytes=3-2", None),
            ("bytes=0-1,4-5", None),
            ("bytes=a-b", None),
            ("items=0-1", None),
            ("bytes=-", None),
        ] {
            assert_eq!(asked_range(&HeaderValue::from_static(asked), 10), range, "{asked}");
        }
    }
}
