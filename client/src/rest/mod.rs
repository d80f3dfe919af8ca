//! The REST API: one method for each route, over HTTP/1.1 connections that are kept for the next request.
//!
//! The routes are in `accounts`, `conversations`, `media`, `messages` and `uploads` beside this file, all of them on [`Rest`].

mod accounts;
mod conversations;
mod media;
mod messages;
mod path;
mod pool;
#[cfg(test)]
mod tests;
mod uploads;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use hyper::{
    HeaderMap, Method, Request, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, RETRY_AFTER},
};
use kith_protocol::Problem;
use serde::{Serialize, de::DeserializeOwned};

pub use messages::{Place, Search};
use pool::Pool;

use crate::{Error, Server, limits};

/// Calls the routes of one server, as one device or as nobody. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Rest {
    pool: Arc<Pool>,
    bearer: Option<HeaderValue>,
}

/// The part of a list.
#[derive(Debug, Clone, Default)]
pub struct Paging {
    /// Items at most; the server's default where absent.
    pub limit: Option<u32>,
    /// The `next_cursor` of the page before; the first page where absent.
    pub cursor: Option<String>,
}

/// An answer as it came.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, of at most [`limits::ANSWER_BYTES`].
    pub body: Bytes,
}

impl Rest {
    /// Calls as nobody: enough to sign up and to sign in.
    pub fn new(server: Server) -> Self {
        Self { pool: Arc::new(Pool::new(server)), bearer: None }
    }

    /// Calls as the device that `token` belongs to, over the same connections.
    ///
    /// # Errors
    /// [`Error::Protocol`] where no token can look so.
    pub fn with_token(&self, token: &str) -> Result<Self, Error> {
        let mut bearer = HeaderValue::try_from(format!("Bearer {token}")).map_err(Error::protocol)?;
        bearer.set_sensitive(true);
        Ok(Self { pool: self.pool.clone(), bearer: Some(bearer) })
    }

    /// The server that is called.
    pub fn server(&self) -> &Server {
        self.pool.server()
    }

    /// Calls any route with any headers and body, and gives the answer as it came, whatever its status.
    ///
    /// `path` begins with `/` and is sent as it is. The token is sent unless `headers` name another.
    ///
    /// # Errors
    /// [`Error::Transport`]; [`Error::Protocol`] where the request cannot be written or the answer not be read.
    pub async fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Answer, Error> {
        self.exchange(method, path, headers, body.into(), Duration::from_secs(limits::REQUEST_S)).await
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
        patience: Duration,
    ) -> Result<Answer, Error> {
        let mut request = Request::builder().method(method).uri(path).header(HOST, self.server().authority());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(body).map_err(Error::protocol)?;
        if let Some(bearer) = &self.bearer {
            request.headers_mut().entry(AUTHORIZATION).or_insert_with(|| bearer.clone());
        }
        tokio::time::timeout(patience, self.pool.exchange(request))
            .await
            .map_err(|_| Error::transport("the server took too long to answer"))?
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        read(self.request(Method::GET, path, &[], Bytes::new()).await?)
    }

    async fn send<T: DeserializeOwned>(&self, method: Method, path: &str, body: &impl Serialize) -> Result<T, Error> {
        read(self.json(method, path, body).await?)
    }

    /// A call of which only matters that it succeeded.
    async fn tell(&self, method: Method, path: &str, body: &impl Serialize) -> Result<(), Error> {
        succeeded(self.json(method, path, body).await?).map(|_| ())
    }

    /// The same, without a body.
    async fn order(&self, method: Method, path: &str) -> Result<(), Error> {
        succeeded(self.request(method, path, &[], Bytes::new()).await?).map(|_| ())
    }

    async fn json(&self, method: Method, path: &str, body: &impl Serialize) -> Result<Answer, Error> {
        let body = serde_json::to_vec(body).map_err(Error::protocol)?;
        self.request(method, path, &[(CONTENT_TYPE.as_str(), "application/json")], body).await
    }
}

/// The answer, if it is a success; else the problem that it tells.
fn succeeded(answer: Answer) -> Result<Answer, Error> {
    if answer.status.is_success() {
        return Ok(answer);
    }
    Err(problem(answer.status, &answer.headers, &answer.body))
}

fn read<T: DeserializeOwned>(answer: Answer) -> Result<T, Error> {
    let answer = succeeded(answer)?;
    serde_json::from_slice(&answer.body).map_err(|cause| Error::protocol(format!("an unexpected answer: {cause}")))
}

/// The error of an answer that is no success.
pub(crate) fn problem(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
    let seconds = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()).and_then(|value| value.parse().ok());
    match serde_json::from_slice::<Problem>(body) {
        Ok(problem) => Error::Problem { problem: Box::new(problem), retry_after: seconds.map(Duration::from_secs) },
        Err(_) => Error::protocol(format!("the server answered {status}")),
    }
}
