//! One request to a push service (RFC 8030): to an address that was checked, with bounds on all that comes back.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, StatusCode, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, crypto::ring, pki_types::ServerName};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use crate::{account::endpoint::Endpoint, clock, limits};

/// The headers of a push.
pub struct Envelope {
    /// The `Authorization` of the server (RFC 8292).
    pub authorization: String,
    /// Seconds for which the push service keeps it.
    pub ttl_s: u64,
    /// True where the device is to be woken for it from its sleep.
    pub urgent: bool,
    /// The topic: it replaces another push of the same topic that waits at the push service. 32 characters.
    pub topic: String,
}

/// The answer of a push service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Taken.
    Taken,
    /// There is no such subscription any longer.
    Gone,
    /// The push is too long.
    TooLarge,
    /// Not now, but perhaps after a time.
    Later(Option<Duration>),
    /// Never.
    Refused(u16),
}

/// The reason why a push service was not asked. None of these names its address.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    #[error("the host has no address")]
    NoAddress,
    #[error("the host has no address on the public internet")]
    NotPublic,
    #[error("no TLS: {0}")]
    Tls(String),
    #[error("no connection: {0}")]
    Connection(String),
    #[error("no answer in time")]
    Silent,
}

trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// The sender of pushes, with the certificates that it trusts.
#[derive(Default)]
pub struct Sender {
    tls: std::sync::OnceLock<Arc<ClientConfig>>,
}

impl Sender {
    /// Asks a push service to pass something on, within [`limits::PUSH_TAKES_S`]. Redirects are not followed.
    ///
    /// # Errors
    /// Where it was not reached.
    pub async fn send(&self, to: &Endpoint, envelope: Envelope, sealed: Vec<u8>) -> Result<Answer, Failed> {
        let asked = self.ask(to, envelope, sealed);
        timeout(Duration::from_secs(limits::PUSH_TAKES_S), asked).await.unwrap_or(Err(Failed::Silent))
    }

    async fn ask(&self, to: &Endpoint, envelope: Envelope, sealed: Vec<u8>) -> Result<Answer, Failed> {
        let broken = |error: hyper::Error| Failed::Connection(error.to_string());
        let connect = timeout(Duration::from_secs(limits::PUSH_CONNECT_S), self.dial(to));
        let stream = connect.await.unwrap_or(Err(Failed::Silent))?;
        let (mut sender, connection) = http1::Builder::new()
            .max_buf_size(limits::PUSH_ANSWER_BYTES)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(broken)?;
        let request = Request::post(to.target())
            .header(header::HOST, to.authority())
            .header(header::AUTHORIZATION, envelope.authorization)
            .header("TTL", envelope.ttl_s)
            .header("Urgency", if envelope.urgent { "high" } else { "normal" })
            .header("Topic", envelope.topic)
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .header(header::CONTENT_ENCODING, "aes128gcm")
            .body(Full::new(Bytes::from(sealed)))
            .map_err(|error| Failed::Connection(error.to_string()))?;
        // Ends with this future, the body of the answer unread.
        let mut carrying = JoinSet::new();
        carrying.spawn(connection);
        let answer = sender.send_request(request).await.map_err(broken)?;
        Ok(read(answer.status(), answer.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok())))
    }

    /// Connects to the first address of the host that may be reached.
    async fn dial(&self, to: &Endpoint) -> Result<Box<dyn Io>, Failed> {
        let (host, port) = to.place();
        let found: Vec<SocketAddr> = lookup_host((&*host, port)).await.map_err(|_| Failed::NoAddress)?.collect();
        let mut failed = if found.is_empty() { Failed::NoAddress } else { Failed::NotPublic };
        for address in found.into_iter().filter(|address| to.may_reach(address.ip())) {
            match TcpStream::connect(address).await {
                Ok(stream) if to.is_tls() => return self.secure(host, stream).await,
                Ok(stream) => return Ok(Box::new(stream)),
                Err(error) => failed = Failed::Connection(error.kind().to_string()),
            }
        }
        Err(failed)
    }

    async fn secure(&self, host: String, stream: TcpStream) -> Result<Box<dyn Io>, Failed> {
        let wrong = |why: String| Failed::Tls(why);
        let config = match self.tls.get() {
            Some(config) => config.clone(),
            None => {
                let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
                    .with_safe_default_protocol_versions()
                    .and_then(|builder| builder.with_platform_verifier())
                    .map_err(|error| wrong(error.to_string()))?;
                self.tls.get_or_init(|| Arc::new(config.with_no_client_auth())).clone()
            }
        };
        let name = ServerName::try_from(host).map_err(|error| wrong(error.to_string()))?;
        let stream = TlsConnector::from(config).connect(name, stream).await;
        Ok(Box::new(stream.map_err(|error| wrong(error.to_string()))?))
    }
}

/// Reads an answer.
fn read(status: StatusCode, retry_after: Option<&str>) -> Answer {
    match status.as_u16() {
        200..300 => Answer::Taken,
        404 | 410 => Answer::Gone,
        413 => Answer::TooLarge,
        408 | 425 | 429 | 500..600 => Answer::Later(retry_after.and_then(wait)),
        other => Answer::Refused(other),
    }
}

/// A `Retry-After`: seconds, or a date.
fn wait(text: &str) -> Option<Duration> {
    let at_most = Duration::from_secs(limits::PUSH_TTL_S);
    let wait = match text.trim().parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let at = httpdate::parse_http_date(text.trim()).ok()?;
            let at = at.duration_since(std::time::UNIX_EPOCH).ok()?;
            at.saturating_sub(Duration::from_millis(clock::now().millis()))
        }
    };
    Some(wait.min(at_most))
}

#[cfg(test)]
mod tests {
    use std::{io::ErrorKind, net::TcpListener};

    use super::*;

    #[test]
    fn an_answer_says_what_to_do() {
        let answers = [
            (201, None, Answer::Taken),
            (410, None, Answer::Gone),
            (404, None, Answer::Gone),
            (413, None, Answer::TooLarge),
            (429, Some("7"), Answer::Later(Some(Duration::from_secs(7)))),
            (503, Some("Thu, 01 Jan 1970 00:00:00 GMT"), Answer::Later(Some(Duration::ZERO))),
            (500, Some("soon"), Answer::Later(None)),
            (503, Some("99999999999"), Answer::Later(Some(Duration::from_secs(limits::PUSH_TTL_S)))),
            (301, None, Answer::Refused(301)),
            (403, None, Answer::Refused(403)),
        ];
        for (status, retry_after, expected) in answers {
            assert_eq!(read(StatusCode::from_u16(status).unwrap(), retry_after), expected);
        }
    }

    /// `Endpoint::read` refuses this name when it is told; another one could begin to lead here later.
    #[tokio::test]
    async fn a_name_that_leads_to_this_machine_is_not_reached() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let to = Endpoint::unchecked(&format!("http://localhost:{port}/"));
        let envelope = Envelope { authorization: String::new(), ttl_s: 1, urgent: false, topic: String::new() };
        let failed = Sender::default().send(&to, envelope, Vec::new()).await.unwrap_err();
        assert!(matches!(failed, Failed::NotPublic), "{failed}");
        assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "nobody has connected");
    }
}
