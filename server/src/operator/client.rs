//! The commands' side of the door: to a running server, or, where none runs, on the data directory itself.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, client::conn::http1};
use hyper_util::rt::TokioIo;
use kith_protocol::{
    ReportId, Timestamp,
    rest::{Invite, Page},
};
use serde::{Serialize, de::DeserializeOwned};
use tokio::{net::UnixStream, time::sleep};

use super::{
    Operations, SOCKET,
    door::{Accepted, BackupTo, OneTime, Refused, Reindexed},
};
use crate::{
    account::{ImportSummary, Imported, UserLine},
    backends::{Backends, OpenError},
    config::Config,
    limits,
    node::Node,
    reports::{ReportLine, ReportText},
    timekeeper,
};

/// How long a directory that is in use is left alone before it is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Where operations are done. Every error is one line for the operator.
pub enum Operator {
    /// In the server that runs, through its socket.
    Beside(PathBuf),
    /// Here, since none runs.
    Alone(Operations),
}

impl Operator {
    /// Finds the server of the configuration's data directory, or opens the directory. A server that still starts is
    /// waited for.
    ///
    /// # Errors
    /// Where the directory cannot be opened, is not there, or belongs to a process that does not answer.
    pub async fn find(config: &Config) -> Result<Self, String> {
        Self::find_within(config, Duration::from_millis(limits::OPERATOR_WAIT_MS)).await
    }

    async fn find_within(config: &Config, limit: Duration) -> Result<Self, String> {
        let dir = &config.data_dir;
        let socket = dir.join(SOCKET);
        let until = Instant::now() + limit;
        loop {
            if UnixStream::connect(&socket).await.is_ok() {
                return Ok(Self::Beside(socket));
            }
            if !dir.exists() {
                return Err(format!("{} does not exist; name the data directory with --data", dir.display()));
            }
            match Backends::open(dir) {
                Ok(backends) => {
                    timekeeper::open(&*backends.store()).await.map_err(|error| error.to_string())?;
                    let node = Node::new(config.clone(), backends.store(), backends.objects(), backends.index());
                    return Ok(Self::Alone(Operations::new(node, Arc::new(backends))));
                }
                // A server has its directory before it has its socket.
                Err(OpenError::Locked(_)) if Instant::now() < until => sleep(LOOK_AGAIN).await,
                Err(error) => return Err(error.to_string()),
            }
        }
    }

    /// All users, some at a time.
    pub async fn users(&self, cursor: Option<&str>) -> Result<Page<UserLine>, String> {
        match self {
            Self::Alone(here) => here.users(cursor).await.map_err(|error| error.to_string()),
            Self::Beside(socket) => {
                let query = cursor.map_or_else(String::new, |cursor| format!("?cursor={cursor}"));
                ask(socket, Method::GET, &format!("/users{query}"), &()).await
            }
        }
    }

    /// Gives the user a password that signs in once.
    pub async fn reset(&self, username: &str) -> Result<String, String> {
        match self {
            Self::Alone(here) => here.reset(username).await.map_err(|error| error.to_string()),
            Self::Beside(socket) => {
                let path = format!("/users/{}/reset", segment(username));
                Ok(ask::<OneTime>(socket, Method::POST, &path, &()).await?.password)
            }
        }
    }

    /// Erases a user.
    pub async fn remove(&self, username: &str) -> Result<(), String> {
        match self {
            Self::Alone(here) => here.remove(username).await.map_err(|error| error.to_string()),
            Self::Beside(socket) => ask(socket, Method::DELETE, &format!("/users/{}", segment(username)), &()).await,
        }
    }

    /// Suspends a user, or ends that.
    pub async fn suspend(&self, username: &str, suspended: bool) -> Result<(), String> {
        match self {
            Self::Alone(here) => here.suspend(username, suspended).await.map_err(|error| error.to_string()),
            Self::Beside(socket) => {
                let method = if suspended { Method::PUT } else { Method::DELETE };
                ask(socket, method, &format!("/users/{}/suspension", segment(username)), &()).await
            }
        }
    }

    /// Makes those of the users who are not there; [`crate::limits::IMPORT_USERS`] at most.
    pub async fn import(&self, users: Vec<Imported>) -> Result<ImportSummary, String> {
        match self {
            Self::Alone(here) => here.import(users).await.map_err(|error| error.to_string()),
            Self::Beside(socket) => ask(socket, Method::POST, "/users/import", &users).await,
        }
    }

    /// Makes an invite.
    pub async fn invite(&self) -> Result<Invite, String> {
        match self {
            Self::Alone(here) => here.invite().await.map_err(|error| error.to_string()),
            Self::Beside(socket) => ask(socket, Method::POST, "/invites", &()).await,
        }
    }

    /// All reports, the oldest first.
    pub async fn reports(&self) -> Result<Vec<ReportLine>, String> {
        match self {
            Self::Alone(here) => here.reports().await.map_err(|error| error.to_string()),
            Self::Beside(socket) => ask(socket, Method::GET, "/reports", &()).await,
        }
    }

    /// One report, with what it shows.
    pub async fn report(&self, id: ReportId) -> Result<ReportText, String> {
        match self {
            Self::Alone(here) => here.report(id).await.map_err(|error| error.to_string()),
            Self::Beside(socket) => ask(socket, Method::GET, &format!("/reports/{id}"), &()).await,
        }
    }

    /// Forgets a report.
    pub async fn close_report(&self, id: ReportId) -> Result<(), String> {
        match self {
            Self::Alone(here) => here.close_report(id).await.map_err(|error| error.to_string()),
            Self::Beside(socket) => ask(socket, Method::DELETE, &format!("/reports/{id}"), &()).await,
        }
    }

    /// Copies what is kept into an empty directory; `to` is absolute.
    pub async fn backup(&self, to: PathBuf) -> Result<(), String> {
        match self {
            Self::Alone(here) => here.backup(to).await,
            Self::Beside(socket) => ask(socket, Method::POST, "/backup", &BackupTo { dir: to }).await,
        }
    }

    /// Believes the wall clock as it is: the time from here on.
    pub async fn accept_clock(&self) -> Result<Timestamp, String> {
        match self {
            Self::Alone(here) => here.accept_clock().await.map_err(|error| error.to_string()),
            Self::Beside(socket) => ask::<Accepted>(socket, Method::POST, "/clock/accept", &()).await.map(|it| it.now),
        }
    }

    /// Makes the search index anew: how many messages it holds.
    pub async fn reindex(&self) -> Result<u64, String> {
        match self {
            Self::Alone(here) => here.reindex_alone().await.map_err(|error| error.to_string()),
            Self::Beside(socket) => ask::<Reindexed>(socket, Method::POST, "/reindex", &()).await.map(|it| it.messages),
        }
    }
}

/// One request on the socket. An answer without content is `()`.
async fn ask<T: DeserializeOwned>(
    socket: &Path,
    method: Method,
    path: &str,
    body: &(impl Serialize + Sync),
) -> Result<T, String> {
    let lost = |error: &dyn std::fmt::Display| format!("the server on {} did not answer: {error}", socket.display());
    let stream = UnixStream::connect(socket).await.map_err(|error| lost(&error))?;
    let (mut send, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| lost(&error))?;
    let connection = tokio::spawn(connection);
    let body = serde_json::to_vec(body).map_err(|error| error.to_string())?;
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "operator")
        .header("content-type", "application/json")
        .body(Full::new(bytes::Bytes::from(body)))
        .map_err(|error| error.to_string())?;
    let answer = send.send_request(request).await.map_err(|error| lost(&error))?;
    let status = answer.status();
    let body = answer.into_body().collect().await.map_err(|error| lost(&error))?.to_bytes();
    connection.abort();
    if !status.is_success() {
        let refused = serde_json::from_slice::<Refused>(&body);
        return Err(refused.map_or_else(|_| format!("the server answered {status}"), |refused| refused.error));
    }
    let body = if body.is_empty() { b"null" } else { &body[..] };
    serde_json::from_slice(body).map_err(|error| lost(&error))
}

/// A name as a part of a path; what no username has cannot lead elsewhere.
fn segment(name: &str) -> String {
    form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>().replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::operator::bind;

    fn config(dir: &TempDir) -> Config {
        Config { data_dir: dir.path().into(), ..Config::default() }
    }

    #[tokio::test]
    async fn a_server_that_still_starts_is_waited_for() {
        let dir = TempDir::new().unwrap();
        let _starting = Backends::open(dir.path()).unwrap();
        let config = config(&dir);
        let (found, _door) = tokio::join!(Operator::find(&config), async {
            sleep(Duration::from_millis(300)).await;
            bind(dir.path()).unwrap()
        });
        assert!(matches!(found, Ok(Operator::Beside(_))), "{:?}", found.err());
    }

    #[tokio::test]
    async fn a_directory_that_stays_in_use_is_told() {
        let dir = TempDir::new().unwrap();
        let _other = Backends::open(dir.path()).unwrap();
        let told = Operator::find_within(&config(&dir), Duration::from_millis(100)).await.err().unwrap();
        assert!(told.ends_with("is in use by another process"), "{told}");
    }
}
