//! A connection of a command to the socket of a server that runs.

use std::{
    fmt::Display,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Method, Request, StatusCode,
    body::Incoming,
    client::conn::http1::{SendRequest, handshake},
};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use tokio::{net::UnixStream, task::JoinHandle};

use super::door::Refused;

/// A connection on which one request follows the other.
pub(super) struct Door {
    socket: PathBuf,
    requests: SendRequest<Full<Bytes>>,
    connection: JoinHandle<Result<(), hyper::Error>>,
}

/// The reason why something was not answered.
#[derive(Debug, thiserror::Error)]
pub(super) enum AskError {
    /// The server does not do it; a line for the operator.
    #[error("{1}")]
    Refused(StatusCode, String),
    /// There is no answer.
    #[error("the server on {} did not answer: {why}", .socket.display())]
    Lost {
        /// The socket that was asked.
        socket: PathBuf,
        /// The reason.
        why: String,
    },
}

impl From<AskError> for String {
    fn from(error: AskError) -> Self {
        error.to_string()
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

impl Door {
    /// Connects to a socket.
    pub(super) async fn open(socket: &Path) -> Result<Self, AskError> {
        let lost = |why: &dyn Display| AskError::Lost { socket: socket.into(), why: why.to_string() };
        let stream = UnixStream::connect(socket).await.map_err(|error| lost(&error))?;
        let (requests, connection) = handshake(TokioIo::new(stream)).await.map_err(|error| lost(&error))?;
        Ok(Self { socket: socket.into(), requests, connection: tokio::spawn(connection) })
    }

    /// Says that there was no answer.
    pub(super) fn lost(&self, why: &dyn Display) -> AskError {
        AskError::Lost { socket: self.socket.clone(), why: why.to_string() }
    }

    /// Asks for something: the body of the answer. It ends with the connection, so this is to be kept until it is read.
    pub(super) async fn ask(
        &mut self,
        method: Method,
        path: &str,
        body: &(impl Serialize + Sync),
    ) -> Result<Incoming, AskError> {
        let body = serde_json::to_vec(body).map_err(|error| self.lost(&error))?;
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "operator")
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| self.lost(&error))?;
        self.requests.ready().await.map_err(|error| self.lost(&error))?;
        let answer = self.requests.send_request(request).await.map_err(|error| self.lost(&error))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer.into_body());
        }
        let body = answer.into_body().collect().await.map_err(|error| self.lost(&error))?.to_bytes();
        let refused = serde_json::from_slice::<Refused>(&body);
        let why = refused.map_or_else(|_| format!("the server answered {status}"), |refused| refused.error);
        Err(AskError::Refused(status, why))
    }
}
