//! The Unix socket on which the program's commands speak to a running server: HTTP, JSON, for its owner alone.

use std::{
    convert::Infallible,
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use axum::{
    Json, Router,
    body::Body,
    extract::{DefaultBodyLimit, Path as Segment, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{delete, get, post, put},
};
use futures_util::{StreamExt as _, stream};
use kith_protocol::{ReportId, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::net::UnixListener;

use super::Operations;
use crate::{
    Error,
    account::{Imported, SignedOut},
    limits,
};

/// The socket's name in the data directory.
pub const SOCKET: &str = "operator.sock";

/// A door that is open. Its file goes with it.
pub struct Bound {
    /// The socket on which commands arrive.
    pub listener: UnixListener,
    /// To be kept for as long as the listener is served.
    pub file: SocketFile,
}

/// The file of a socket, removed when this is dropped.
pub struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Opens the door in a data directory that this process has locked; a file that a crash left is replaced.
///
/// # Errors
/// Where the directory does not let us.
pub fn bind(dir: &Path) -> io::Result<Bound> {
    let (path, new) = (dir.join(SOCKET), dir.join(format!("{SOCKET}.new")));
    let _ = fs::remove_file(&new);
    let listener = UnixListener::bind(&new)?;
    // Under its name only once nobody else may open it.
    fs::set_permissions(&new, fs::Permissions::from_mode(0o600))?;
    fs::rename(&new, &path)?;
    Ok(Bound { listener, file: SocketFile(path) })
}

/// The door's routes. `client` knows them too.
pub fn router(operations: Operations) -> Router {
    Router::new()
        .route("/users", get(users))
        .route("/users/import", post(import))
        .route("/users/{name}", delete(remove))
        .route("/users/{name}/reset", post(reset))
        .route("/users/{name}/suspension", put(suspend).delete(unsuspend))
        .route("/users/{name}/devices", delete(sign_out))
        .route("/devices", delete(sign_out_some))
        .route("/invites", post(invite))
        .route("/secrets/media", post(rotate_media_key))
        .route("/secrets/push", post(rotate_push_key))
        .route("/reports", get(reports))
        .route("/reports/{report}", get(report).delete(close_report))
        .route("/clock/accept", post(accept_clock))
        .route("/backup", get(backup))
        .route("/backup/media/{folder}/{file}", get(backup_object))
        .route("/reindex", post(reindex))
        .layer(DefaultBodyLimit::max(limits::IMPORT_USERS * (limits::IMPORT_LINE_BYTES + 256)))
        .with_state(operations)
}

/// The reason why an operation was not done: a line for the operator.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Refused {
    pub error: String,
}

/// The answer to a reset.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct OneTime {
    pub password: String,
}

/// The answer once the search index was made anew.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Reindexed {
    pub messages: u64,
}

/// The answer once the clock was accepted.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Accepted {
    pub now: Timestamp,
}

#[derive(Deserialize)]
struct After {
    cursor: Option<String>,
}

type Answer<T> = Result<T, Failure>;

struct Failure(StatusCode, String);

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.0, Json(Refused { error: self.1 })).into_response()
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let status = StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self(status, error.to_string())
    }
}

async fn users(State(operations): State<Operations>, Query(after): Query<After>) -> Answer<Response> {
    Ok(Json(operations.users(after.cursor.as_deref()).await?).into_response())
}

async fn import(State(operations): State<Operations>, Json(users): Json<Vec<Imported>>) -> Answer<Response> {
    for user in &users {
        let bad = |why| Failure(StatusCode::BAD_REQUEST, format!("{}: {why}", user.username));
        user.check().map_err(bad)?;
    }
    Ok(Json(operations.import(users).await?).into_response())
}

async fn remove(State(operations): State<Operations>, Segment(name): Segment<String>) -> Answer<StatusCode> {
    operations.remove(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn suspend(State(operations): State<Operations>, Segment(name): Segment<String>) -> Answer<StatusCode> {
    operations.suspend(&name, true).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn unsuspend(State(operations): State<Operations>, Segment(name): Segment<String>) -> Answer<StatusCode> {
    operations.suspend(&name, false).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn sign_out(State(operations): State<Operations>, Segment(name): Segment<String>) -> Answer<Json<SignedOut>> {
    Ok(Json(operations.sign_out(&name).await?))
}

async fn sign_out_some(State(operations): State<Operations>, Query(after): Query<After>) -> Answer<Json<SignedOut>> {
    Ok(Json(operations.sign_out_some(after.cursor.as_deref()).await?))
}

async fn reset(State(operations): State<Operations>, Segment(name): Segment<String>) -> Answer<Json<OneTime>> {
    Ok(Json(OneTime { password: operations.reset(&name).await? }))
}

async fn invite(State(operations): State<Operations>) -> Answer<Response> {
    Ok(Json(operations.invite().await?).into_response())
}

async fn rotate_media_key(State(operations): State<Operations>) -> Answer<StatusCode> {
    operations.rotate_media_key().await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn rotate_push_key(State(operations): State<Operations>) -> Answer<Json<usize>> {
    Ok(Json(operations.rotate_push_key().await?))
}

async fn reports(State(operations): State<Operations>) -> Answer<Response> {
    Ok(Json(operations.reports().await?).into_response())
}

async fn report(State(operations): State<Operations>, Segment(id): Segment<ReportId>) -> Answer<Response> {
    Ok(Json(operations.report(id).await?).into_response())
}

async fn close_report(State(operations): State<Operations>, Segment(id): Segment<ReportId>) -> Answer<StatusCode> {
    operations.close_report(id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn backup(State(operations): State<Operations>) -> Answer<Body> {
    let mut pieces = operations.backup().await.map_err(|why| Failure(StatusCode::CONFLICT, why))?;
    Ok(Body::from_stream(stream::poll_fn(move |cx| pieces.poll_recv(cx)).map(Ok::<_, Infallible>)))
}

async fn backup_object(
    State(operations): State<Operations>,
    Segment((folder, file)): Segment<(String, String)>,
) -> Answer<Body> {
    let found = operations.backup_object(&format!("{folder}/{file}")).await;
    let found = found.map_err(|why| Failure(StatusCode::CONFLICT, why))?;
    let unread = || Failure(StatusCode::NOT_FOUND, "it cannot be read".to_owned());
    found.map(Body::from_stream).ok_or_else(unread)
}

async fn accept_clock(State(operations): State<Operations>) -> Answer<Json<Accepted>> {
    Ok(Json(Accepted { now: operations.accept_clock().await? }))
}

async fn reindex(State(operations): State<Operations>) -> Answer<Json<Reindexed>> {
    Ok(Json(Reindexed { messages: operations.reindex().await? }))
}
