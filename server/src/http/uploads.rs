//! Uploads: media that are sent in parts, as tus 1.0.0 says (<https://tus.io/protocols/resumable-upload>): the core
//! protocol, creation, creation-with-upload, termination and expiration.

use std::{sync::Arc, time::Duration};

use axum::{
    Json as Answered,
    body::{Body, HttpBody as _},
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get},
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use kith_protocol::{Code, Problem, UploadId, media::Upload};
use tokio::time::timeout;
use tower::ServiceExt as _;

use super::{
    Answer, App,
    auth::{Actor, Guest},
    extract::Path,
    tus::{
        EXPIRES, EXTENSIONS, LENGTH, METADATA, OFFSET, TUS_EXTENSION, TUS_MAX_SIZE, TUS_VERSION, Tus, VERSION,
        announced, expires, is_part, number, spoken, text,
    },
};
use crate::{
    Error, limits,
    media::upload::{Broken, Standing},
};

/// The method that a POST stands for.
const OVERRIDE: HeaderName = HeaderName::from_static("x-http-method-override");

/// The methods of an upload.
pub fn of_one() -> MethodRouter<Arc<App>> {
    get(info).head(head).patch(append).delete(terminate)
}

/// A POST from where no other method can be sent: it is the one that it names.
#[utoipa::path(post, path = "/v1/uploads/{upload}", tag = "uploads",
    params(
        ("upload" = UploadId, Path),
        ("Tus-Resumable" = String, Header, pattern = r"^1\.0\.0$", description = "The version of tus"),
        ("X-HTTP-Method-Override" = String, Header, pattern = "^(HEAD|PATCH|DELETE)$", description = "The method"),
        ("Upload-Offset" = Option<u64>, Header, description = "As of PATCH"),
    ),
    request_body(content_type = "application/offset+octet-stream", description = "As of PATCH"),
    responses(
        (status = 200, description = "As of HEAD"),
        (status = 204, description = "As of PATCH or DELETE"),
        (status = 404, body = Problem),
        (status = 405, body = Problem, description = "It names no method, or another"),
        (status = 409, body = Problem, description = "wrong_offset"),
        (status = 412, body = Problem, description = "unsupported_tus_version"),
        (status = 413, body = Problem, description = "too_large, quota_exceeded"),
        (status = 415, body = Problem, description = "As of PATCH"),
        (status = 423, body = Problem, description = "upload_in_use"),
        (status = 507, body = Problem, description = "storage_full"),
    ),
)]
pub async fn instead(State(app): State<Arc<App>>, mut request: Request) -> Response {
    let named = request.headers().get(OVERRIDE).and_then(|name| Method::from_bytes(name.as_bytes()).ok());
    let Some(method) = named.filter(|method| [Method::HEAD, Method::PATCH, Method::DELETE].contains(method)) else {
        let (mut parts, _) = request.into_parts();
        if let Err(error) = Actor::from_request_parts(&mut parts, &app).await {
            return error.into_response();
        }
        let allow = [(header::ALLOW, HeaderValue::from_static("GET,HEAD,PATCH,DELETE,POST"))];
        return (allow, Error::new(Code::MethodNotAllowed)).into_response();
    };
    *request.method_mut() = method;
    let answer = of_one().with_state(app).oneshot(request).await;
    answer.unwrap_or_else(|never| match never {})
}

/// Tells which parts of tus are spoken here.
#[utoipa::path(options, path = "/v1/uploads", tag = "uploads", security(()),
    responses((status = 204, description = "Tus-Version, Tus-Extension, Tus-Max-Size")),
)]
pub async fn options(State(app): State<Arc<App>>, _: Guest) -> impl IntoResponse {
    let headers = [
        (TUS_VERSION, HeaderValue::from_static(VERSION)),
        (TUS_EXTENSION, HeaderValue::from_static(EXTENSIONS)),
        (TUS_MAX_SIZE, HeaderValue::from(app.node.media.upload_bytes())),
    ];
    (StatusCode::NO_CONTENT, headers)
}

/// Begins an upload; the bytes that the request has are its first.
#[utoipa::path(post, path = "/v1/uploads", tag = "uploads",
    params(
        ("Tus-Resumable" = String, Header, pattern = r"^1\.0\.0$", description = "The version of tus"),
        ("Upload-Length" = u64, Header, minimum = 1, description = "So many bytes it will have, at least one"),
        ("Upload-Metadata" = Option<String>, Header, description = "`filename` and `filetype`, each with its value in base64"),
    ),
    request_body(content_type = "application/offset+octet-stream", description = "The first bytes, if any"),
    responses(
        (status = 201, description = "Location: the upload; Upload-Expires; Upload-Offset where it had bytes"),
        (status = 412, body = Problem, description = "unsupported_tus_version"),
        (status = 413, body = Problem, description = "too_large, quota_exceeded"),
        (status = 415, body = Problem, description = "The bytes are not what they are said to be"),
        (status = 507, body = Problem, description = "storage_full"),
    ),
)]
pub async fn create(State(app): State<Arc<App>>, actor: Actor, _: Tus, request: Request) -> Answer<Response> {
    let (parts, body) = request.into_parts();
    let has_bytes = body.size_hint().exact() != Some(0);
    let begun = async {
        spoken(&parts.headers)?;
        let length = number(&parts.headers, LENGTH)?;
        if has_bytes {
            is_part(&parts.headers)?;
            if announced(&parts.headers).is_some_and(|bytes| bytes > length) {
                return Err(Error::new(Code::TooLarge).because("The body has more bytes than the upload."));
            }
        }
        let metadata = parts.headers.get(METADATA).map(|value| value.to_str().map(str::to_owned)).transpose();
        let metadata =
            metadata.map_err(|_| Error::new(Code::InvalidRequest).because("Upload-Metadata is not ASCII."))?;
        app.node.media.create(actor.user, length, metadata).await
    };
    let mut standing = match begun.await {
        Ok(standing) => standing,
        Err(error) => return Err(refused(body, error).await),
    };
    let location = text(format!("/v1/uploads/{}", standing.id))?;
    if has_bytes {
        let going = app.node.media.go_on(actor.user, standing.id, 0, None).await?;
        standing = app.node.media.append(going, stream(body)).await?;
    }
    let mut answer = StatusCode::CREATED.into_response();
    let headers = answer.headers_mut();
    headers.insert(header::LOCATION, location);
    headers.insert(EXPIRES, expires(standing.expires_at)?);
    if has_bytes {
        headers.insert(OFFSET, standing.offset.into());
    }
    Ok(answer)
}

/// Tells how far an upload is, and what it has become.
#[utoipa::path(get, path = "/v1/uploads/{upload}", tag = "uploads", params(("upload" = UploadId, Path)),
    responses(
        (status = 200, body = Upload),
        (status = 404, body = Problem),
        (status = 413, body = Problem, description = "too_large, quota_exceeded: all has come, and is refused"),
        (status = 415, body = Problem, description = "All has come, and is not what it is said to be"),
    ),
)]
pub async fn info(State(app): State<Arc<App>>, actor: Actor, Path(id): Path<UploadId>) -> Answer<Answered<Upload>> {
    Ok(Answered(app.node.media.upload(actor.user, id).await?.described()))
}

/// Tells how far an upload is, to whoever goes on with it: whoever else still writes to it is stopped.
#[utoipa::path(head, path = "/v1/uploads/{upload}", tag = "uploads",
    params(("upload" = UploadId, Path), ("Tus-Resumable" = String, Header, pattern = r"^1\.0\.0$", description = "The version of tus")),
    responses(
        (status = 200, description = "Upload-Offset, Upload-Length, Upload-Expires, Upload-Metadata"),
        (status = 404, description = "not_found"),
        (status = 412, description = "unsupported_tus_version"),
        (status = 413, description = "too_large, quota_exceeded: all has come, and is refused"),
        (status = 415, description = "All has come, and is not what it is said to be"),
    ),
)]
pub async fn head(
    State(app): State<Arc<App>>,
    actor: Actor,
    _: Tus,
    Path(id): Path<UploadId>,
) -> Answer<(StatusCode, HeaderMap)> {
    let standing = app.node.media.resume(actor.user, id).await?;
    let mut headers = progress(&standing)?;
    headers.insert(LENGTH, standing.length.into());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if !standing.metadata.is_empty() {
        headers.insert(METADATA, text(standing.metadata)?);
    }
    Ok((StatusCode::OK, headers))
}

/// Adds bytes to an upload. With the last of them it becomes a media.
#[utoipa::path(patch, path = "/v1/uploads/{upload}", tag = "uploads",
    params(
        ("upload" = UploadId, Path),
        ("Tus-Resumable" = String, Header, pattern = r"^1\.0\.0$", description = "The version of tus"),
        ("Upload-Offset" = u64, Header, description = "Where in the upload they begin: where it is"),
    ),
    request_body(content_type = "application/offset+octet-stream", description = "The bytes"),
    responses(
        (status = 204, description = "Upload-Offset, Upload-Expires"),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "wrong_offset"),
        (status = 412, body = Problem, description = "unsupported_tus_version"),
        (status = 413, body = Problem, description = "too_large, quota_exceeded"),
        (status = 415, body = Problem, description = "No application/offset+octet-stream; or all has come, and is not what it is said to be"),
        (status = 423, body = Problem, description = "upload_in_use"),
        (status = 507, body = Problem, description = "storage_full"),
    ),
)]
pub async fn append(
    State(app): State<Arc<App>>,
    actor: Actor,
    _: Tus,
    Path(id): Path<UploadId>,
    request: Request,
) -> Answer<(StatusCode, HeaderMap)> {
    let (parts, body) = request.into_parts();
    let may_begin = || {
        spoken(&parts.headers)?;
        is_part(&parts.headers)?;
        number(&parts.headers, OFFSET)
    };
    let offset = match may_begin() {
        Ok(offset) => offset,
        Err(error) => return Err(refused(body, error).await),
    };
    let going = match app.node.media.go_on(actor.user, id, offset, announced(&parts.headers)).await {
        Ok(going) => going,
        Err(error) => return Err(refused(body, error).await),
    };
    let standing = app.node.media.append(going, stream(body)).await?;
    Ok((StatusCode::NO_CONTENT, progress(&standing)?))
}

/// Forgets an upload.
#[utoipa::path(delete, path = "/v1/uploads/{upload}", tag = "uploads",
    params(("upload" = UploadId, Path), ("Tus-Resumable" = String, Header, pattern = r"^1\.0\.0$", description = "The version of tus")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, body = Problem),
        (status = 412, body = Problem, description = "unsupported_tus_version"),
        (status = 423, body = Problem, description = "upload_in_use: it becomes a media just now"),
    ),
)]
pub async fn terminate(
    State(app): State<Arc<App>>,
    actor: Actor,
    _: Tus,
    Path(id): Path<UploadId>,
) -> Answer<StatusCode> {
    app.node.media.terminate(actor.user, id).await.map(|()| StatusCode::NO_CONTENT)
}

/// The bytes of a body.
fn stream(body: Body) -> impl Stream<Item = Result<Bytes, Broken>> + Send + 'static {
    body.into_data_stream().map(|bytes| bytes.map_err(|_| Broken))
}

/// Refuses a request once its sender has had the time to send what they were about to: who is cut off while they send does
/// not hear why.
pub(super) async fn refused(body: Body, error: Error) -> Error {
    let mut body = body.into_data_stream();
    let read = async {
        let mut left = limits::UPLOAD_REFUSED_BYTES;
        while let Some(Ok(bytes)) = body.next().await {
            match left.checked_sub(bytes.len() as u64) {
                Some(less) => left = less,
                None => break,
            }
        }
    };
    // Whether it came to its end or not, there is nothing more to do for them.
    let _ = timeout(Duration::from_secs(limits::UPLOAD_REFUSED_S), read).await;
    error
}

fn progress(standing: &Standing) -> Answer<HeaderMap> {
    let mut headers = HeaderMap::new();
    headers.insert(OFFSET, standing.offset.into());
    headers.insert(EXPIRES, expires(standing.expires_at)?);
    Ok(headers)
}
