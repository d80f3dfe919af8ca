//! The commands' side of the door: to a running server, or, where none runs, on the data directory itself.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use http_body_util::BodyExt as _;
use hyper::Method;
use kith_protocol::{
    ReportId, Timestamp,
    rest::{Invite, Page},
};
use serde::{Serialize, de::DeserializeOwned};
use tokio::{net::UnixStream, sync::watch, time::sleep};

use super::{
    Bound, Operations, SOCKET,
    backup::{Progress, Taken, take},
    bind,
    connection::Door,
    door::{Accepted, OneTime, Reindexed, router},
};
use crate::{
    account::{ImportSummary, Imported, SignedOut, UserLine},
    backends::{Backends, OpenError},
    config::Config,
    limits,
    node::Node,
    reports::{ReportLine, ReportText},
    timekeeper,
};

/// The pause before a directory that is in use is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// The side on which operations are done. Every error is one line for the operator.
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
                    let stopping = watch::channel(false).1;
                    return Ok(Self::Alone(Operations::new(node, Arc::new(backends), stopping)));
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

    /// Signs all devices of a user out.
    pub async fn sign_out(&self, username: &str) -> Result<SignedOut, String> {
        match self {
            Self::Alone(here) => here.sign_out(username).await.map_err(|error| error.to_string()),
            Self::Beside(socket) => {
                ask(socket, Method::DELETE, &format!("/users/{}/devices", segment(username)), &()).await
            }
        }
    }

    /// Signs all devices of everybody out: how many there were.
    pub async fn sign_out_all(&self) -> Result<usize, String> {
        let (mut devices, mut cursor) = (0, None::<String>);
        loop {
            let part = match self {
                Self::Alone(here) => here.sign_out_some(cursor.as_deref()).await.map_err(|error| error.to_string()),
                Self::Beside(socket) => {
                    let query = cursor.map_or_else(String::new, |cursor| format!("?cursor={cursor}"));
                    ask(socket, Method::DELETE, &format!("/devices{query}"), &()).await
                }
            };
            let SignedOut { devices: more, next_cursor } = part?;
            devices += more;
            cursor = next_cursor;
            if cursor.is_none() {
                return Ok(devices);
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

    /// Has another key sign the urls of media.
    pub async fn rotate_media_key(&self) -> Result<(), String> {
        match self {
            Self::Alone(here) => here.rotate_media_key().await.map_err(|error| error.to_string()),
            Self::Beside(socket) => ask(socket, Method::POST, "/secrets/media", &()).await,
        }
    }

    /// Has another key sign pushes: how many devices have to subscribe anew.
    pub async fn rotate_push_key(&self) -> Result<usize, String> {
        match self {
            Self::Alone(here) => here.rotate_push_key().await.map_err(|error| error.to_string()),
            Self::Beside(socket) => ask(socket, Method::POST, "/secrets/push", &()).await,
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

    /// Writes a backup into a folder; see [`take`].
    pub async fn backup(
        &self,
        to: &Path,
        since: Option<&Path>,
        progress: impl FnMut(Progress),
    ) -> Result<Taken, String> {
        match self {
            Self::Beside(socket) => take(socket, to, since, progress).await,
            Self::Alone(here) => {
                // For as long as it takes this process is the server behind the socket.
                let wrong = |error: io::Error| format!("cannot make a socket in {}: {error}", here.dir().display());
                let Bound { listener, file } = bind(here.dir()).map_err(wrong)?;
                let serving = tokio::spawn(axum::serve(listener, router(here.clone())).into_future());
                let taken = take(&here.dir().join(SOCKET), to, since, progress).await;
                serving.abort();
                drop(file);
                taken
            }
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
    let mut door = Door::open(socket).await?;
    let answer = door.ask(method, path, body).await?;
    let body = answer.collect().await.map_err(|error| door.lost(&error).to_string())?.to_bytes();
    let body = if body.is_empty() { b"null" } else { &body[..] };
    serde_json::from_slice(body).map_err(|error| door.lost(&error).to_string())
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
