//! The socket, one frame at a time: what the connection stands on, and the raw door of tests.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use hyper::{HeaderMap, StatusCode};
use kith_protocol::{ClientFrame, ConversationId, ServerFrame, frame::Hello};
use serde::Deserialize;
use tokio::time::timeout;
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        self, Message,
        protocol::{CloseFrame, WebSocketConfig, frame::coding::CloseCode},
    },
};

use crate::{Closed, Error, Server, limits, rest, server::Io};

/// An open WebSocket to a server. It says nothing by itself, but for the answers to WebSocket pings.
pub struct Socket {
    stream: WebSocketStream<Box<dyn Io>>,
    closed: Option<Closed>,
}

impl Socket {
    /// Opens `/v1/socket`. The server then waits for `hello`.
    ///
    /// # Errors
    /// [`Error::Transport`]; [`Error::Problem`] where the server refuses with one.
    pub async fn connect(server: &Server) -> Result<Self, Error> {
        let config = WebSocketConfig::default()
            .read_buffer_size(limits::READ_BUFFER_BYTES)
            .max_message_size(Some(limits::FRAME_BYTES))
            .max_frame_size(Some(limits::FRAME_BYTES));
        // The stream is already what the scheme says, so that only the host matters in this address.
        let address = format!("ws://{}/v1/socket", server.authority());
        let stream = server.dial().await?;
        let handshake = client_async_with_config(address, stream, Some(config));
        let opened = timeout(Duration::from_secs(limits::CONNECT_S), handshake).await;
        let (stream, _) =
            opened.map_err(|_| Error::transport("the server does not open the socket"))?.map_err(refused)?;
        Ok(Self { stream, closed: None })
    }

    /// Says who speaks and what they have, most recent first.
    ///
    /// # Errors
    /// As [`Socket::send`].
    pub async fn hello(&mut self, token: &str, have: Vec<(ConversationId, u64)>) -> Result<(), Error> {
        self.send(&ClientFrame::Hello(Hello { token: Some(token.to_owned()), have, ..Hello::default() })).await
    }

    /// Sends a frame.
    ///
    /// # Errors
    /// [`Error::Closed`], also where the server takes nothing for [`limits::WRITE_S`].
    pub async fn send(&mut self, frame: &ClientFrame) -> Result<(), Error> {
        self.feed(frame).await?;
        self.flush().await
    }

    /// Puts a frame into the buffer; [`Socket::flush`] sends all of it at once.
    ///
    /// # Errors
    /// As [`Socket::send`].
    pub async fn feed(&mut self, frame: &ClientFrame) -> Result<(), Error> {
        let text = serde_json::to_string(frame).map_err(Error::protocol)?;
        let fed = timeout(Duration::from_secs(limits::WRITE_S), self.stream.feed(Message::text(text))).await;
        self.written(fed)
    }

    /// Sends what was fed.
    ///
    /// # Errors
    /// As [`Socket::send`].
    pub async fn flush(&mut self) -> Result<(), Error> {
        let flushed = timeout(Duration::from_secs(limits::WRITE_S), self.stream.flush()).await;
        self.written(flushed)
    }

    /// Sends any text, also one that is no frame.
    ///
    /// # Errors
    /// As [`Socket::send`].
    pub async fn send_text(&mut self, text: impl Into<String>) -> Result<(), Error> {
        let sent = timeout(Duration::from_secs(limits::WRITE_S), self.stream.send(Message::text(text.into()))).await;
        self.written(sent)
    }

    /// Sends bytes as a binary WebSocket message, which no frame is.
    ///
    /// # Errors
    /// As [`Socket::send`].
    pub async fn send_binary(&mut self, bytes: Vec<u8>) -> Result<(), Error> {
        let sent = timeout(Duration::from_secs(limits::WRITE_S), self.stream.send(Message::binary(bytes))).await;
        self.written(sent)
    }

    /// The next frame of a kind that this version knows. May be dropped before it is ready, and loses nothing.
    ///
    /// # Errors
    /// [`Error::Closed`], then and ever after; [`Error::Protocol`] for a known kind that cannot be read.
    pub async fn receive(&mut self) -> Result<ServerFrame, Error> {
        loop {
            let text = self.receive_text().await?;
            if let Some(frame) = decode(&text)? {
                return Ok(frame);
            }
        }
    }

    /// The next text message, whatever it says.
    ///
    /// # Errors
    /// [`Error::Closed`], then and ever after.
    pub async fn receive_text(&mut self) -> Result<String, Error> {
        loop {
            if let Some(closed) = &self.closed {
                return Err(Error::Closed(closed.clone()));
            }
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => return Ok(text.as_str().to_owned()),
                Some(Ok(Message::Close(frame))) => {
                    self.closed = Some(frame.map_or_else(
                        || Closed { code: 1005, reason: String::new() },
                        |frame| Closed { code: frame.code.into(), reason: frame.reason.as_str().to_owned() },
                    ));
                    // The answer to the close frame is in the buffer; that the other side has gone is no error.
                    let _ = timeout(Duration::from_secs(limits::CLOSE_S), self.stream.flush()).await;
                }
                Some(Ok(_)) => {}
                Some(Err(cause)) => self.closed = Some(Closed::broken(cause)),
                None => self.closed = Some(Closed::broken("the connection ended")),
            }
        }
    }

    /// Closes cleanly with `code`, and waits a little for the server to do the same.
    pub async fn close(mut self, code: u16) {
        let frame = CloseFrame { code: CloseCode::from(code), reason: "".into() };
        let goodbye = async {
            if self.stream.close(Some(frame)).await.is_ok() {
                while let Some(Ok(_)) = self.stream.next().await {}
            }
        };
        let _ = timeout(Duration::from_secs(limits::CLOSE_S), goodbye).await;
    }

    /// The outcome of a write. A close frame that came before says more than the write, so it is left for the reader.
    fn written(
        &mut self,
        result: Result<Result<(), tungstenite::Error>, tokio::time::error::Elapsed>,
    ) -> Result<(), Error> {
        let closed = match result {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(cause)) => Closed::broken(cause),
            Err(_) => Closed::broken("the server does not read"),
        };
        Err(Error::Closed(self.closed.clone().unwrap_or(closed)))
    }
}

/// Reads a frame; nothing where its kind is of a later version.
///
/// # Errors
/// [`Error::Protocol`] where it is no frame, or a known kind has a bad field.
pub fn decode(text: &str) -> Result<Option<ServerFrame>, Error> {
    #[derive(Deserialize)]
    struct Tag {
        t: String,
    }
    serde_json::from_str(text).map(Some).or_else(|cause| match serde_json::from_str::<Tag>(text) {
        Ok(tag) if !ServerFrame::KINDS.contains(&tag.t.as_str()) => Ok(None),
        _ => Err(Error::protocol(format!("a frame that cannot be read: {cause}"))),
    })
}

/// The error of a refused handshake.
fn refused(cause: tungstenite::Error) -> Error {
    match cause {
        tungstenite::Error::Http(answer) => {
            let (head, body) = answer.into_parts();
            let (status, headers): (StatusCode, HeaderMap) = (head.status, head.headers);
            rest::problem(status, &headers, &body.unwrap_or_default())
        }
        cause => Error::transport(cause),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_a_later_version_are_skipped_and_bad_ones_are_not() {
        assert_eq!(decode(r#"{"t":"dance","conversation":7}"#), Ok(None));
        assert!(matches!(decode(r#"{"spread_ms":3,"t":"reset","new":1}"#), Ok(Some(ServerFrame::Reset(_)))));
        for bad in [r#"{"t":"reset"}"#, r#"{"spread_ms":3}"#, "[]", "hi", ""] {
            assert!(matches!(decode(bad), Err(Error::Protocol(_))), "{bad}");
        }
    }
}
