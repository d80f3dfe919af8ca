//! Connections that are kept for the next request.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Request, Response,
    body::{Body, Incoming},
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;

use super::Answer;
use crate::{Error, Server, limits};

type Sender = SendRequest<Full<Bytes>>;

/// The idle connections to one server; a request takes one out, or opens another.
pub(super) struct Pool {
    server: Server,
    idle: Mutex<Vec<Sender>>,
}

impl Pool {
    pub(super) fn new(server: Server) -> Self {
        Self { server, idle: Mutex::new(Vec::new()) }
    }

    pub(super) fn server(&self) -> &Server {
        &self.server
    }

    pub(super) async fn exchange(&self, request: Request<Bytes>) -> Result<Answer, Error> {
        let (mut sender, response) = self.first_answer(request.map(Full::new)).await?;
        let (head, body) = response.into_parts();
        let too_large = || Error::protocol("the answer is too large");
        if body.size_hint().lower() > limits::ANSWER_BYTES as u64 {
            return Err(too_large());
        }
        let body = Limited::new(body, limits::ANSWER_BYTES).collect().await.map_err(|cause| {
            let unfinished = cause.is::<hyper::Error>();
            if unfinished { Error::transport(cause) } else { Error::protocol("the answer is too large") }
        })?;
        if sender.ready().await.is_ok() {
            self.keep(sender);
        }
        Ok(Answer { status: head.status, headers: head.headers, body: body.to_bytes() })
    }

    /// Sends the request on an idle connection. One that the server has closed meanwhile is thrown away, and where
    /// the request can do no harm twice, or was never written, it goes to a new connection.
    async fn first_answer(&self, mut request: Request<Full<Bytes>>) -> Result<(Sender, Response<Incoming>), Error> {
        while let Some(mut sender) = self.take() {
            let again = request.method().is_idempotent().then(|| request.clone());
            match sender.try_send_request(request).await {
                Ok(response) => return Ok((sender, response)),
                Err(mut failed) => match failed.take_message().or(again) {
                    Some(unsent) => request = unsent,
                    None => return Err(Error::transport(failed.error())),
                },
            }
        }
        let mut sender = self.open().await?;
        let response = sender.send_request(request).await.map_err(Error::transport)?;
        Ok((sender, response))
    }

    async fn open(&self) -> Result<Sender, Error> {
        let stream = TokioIo::new(self.server.dial().await?);
        let (sender, connection) = http1::handshake(stream).await.map_err(Error::transport)?;
        // It ends with its sender, and its errors reach whoever waits for an answer.
        tokio::spawn(connection);
        Ok(sender)
    }

    fn take(&self) -> Option<Sender> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(Sender::is_ready);
        idle.pop()
    }

    fn keep(&self, sender: Sender) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < limits::IDLE_CONNECTIONS {
            idle.push(sender);
        }
    }
}
