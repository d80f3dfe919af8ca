//! The REST door: HTTP/1.1 over kept connections, as little of it as a measurement needs.

use std::{cell::RefCell, io::Write, rc::Rc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    error::{Error, Result},
    scan,
    target::Target,
};

const HEAD_BYTES: usize = 32 * 1024;
/// The number of times that a request is repeated after being told to come back later.
const TRIES: u32 = 20;

/// The server's answer to a request.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Seconds after which to try again, where it says so.
    pub retry_after_s: Option<u64>,
    /// The body.
    pub body: Vec<u8>,
}

/// One kept connection.
#[derive(Debug)]
pub struct Rest {
    stream: TcpStream,
    bytes: Vec<u8>,
}

impl Rest {
    /// Connects.
    ///
    /// # Errors
    /// The server is not there.
    pub async fn open(target: &Target, index: usize) -> Result<Self> {
        Ok(Self { stream: target.connect(index).await?, bytes: Vec::new() })
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// The connection broke, or what came is no HTTP.
    pub async fn call(&mut self, method: &str, path: &str, token: &str, body: &str) -> Result<Answer> {
        let lost = || Error::io(format!("lost the connection in {method} {path}"));
        self.bytes.clear();
        write!(
            self.bytes,
            "{method} {path} HTTP/1.1\r\nHost: kith\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .map_err(lost())?;
        self.stream.write_all(&self.bytes).await.map_err(lost())?;
        self.bytes.clear();
        let head = loop {
            if let Some(head) = Head::read(&self.bytes)? {
                break head;
            }
            if self.stream.read_buf(&mut self.bytes).await.map_err(lost())? == 0 || self.bytes.len() > HEAD_BYTES {
                return Err(Error::Protocol(format!("no answer to {method} {path}")));
            }
        };
        while self.bytes.len() < head.end + head.length {
            if self.stream.read_buf(&mut self.bytes).await.map_err(lost())? == 0 {
                return Err(Error::Protocol(format!("half an answer to {method} {path}")));
            }
        }
        let body = self.bytes[head.end..head.end + head.length].to_vec();
        Ok(Answer { status: head.status, retry_after_s: head.retry_after_s, body })
    }
}

/// The head of an answer.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    length: usize,
    retry_after_s: Option<u64>,
    end: usize,
}

impl Head {
    /// Reads it once it is whole. The first search stops at the first 32 KiB; a page's body is not searched again.
    fn read(bytes: &[u8]) -> Result<Option<Self>> {
        let Some(end) = bytes.windows(4).take(HEAD_BYTES).position(|window| window == b"\r\n\r\n") else {
            return Ok(None);
        };
        let bad = || Error::Protocol("an answer that is no HTTP/1.1".into());
        let text = str::from_utf8(&bytes[..end]).map_err(|_| bad())?;
        let (line, fields) = text.split_once("\r\n").unwrap_or((text, ""));
        let status = line.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok()).ok_or_else(bad)?;
        let (mut length, mut retry_after_s) = (None, None);
        for (name, value) in fields.split("\r\n").filter_map(|field| field.split_once(':')) {
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().ok();
            } else if name.eq_ignore_ascii_case("retry-after") {
                retry_after_s = value.trim().parse().ok();
            }
        }
        let length = match (status, length) {
            (204 | 304, _) => 0,
            (_, Some(length)) => length,
            (_, None) => return Err(Error::Protocol("an answer without Content-Length".into())),
        };
        Ok(Some(Self { status, length, retry_after_s, end: end + 4 }))
    }
}

/// Kept connections for preparing: as many as are asked for at a time.
#[derive(Debug, Clone)]
pub struct Pool {
    target: Target,
    idle: Rc<RefCell<Vec<Rest>>>,
}

impl Pool {
    /// No connection yet.
    pub fn new(target: &Target) -> Self {
        Self { target: target.clone(), idle: Rc::default() }
    }

    /// Asks as a user, comes back when told to, and gives the body of the good answer.
    ///
    /// # Errors
    /// The answer is an error: its status and `code` are in the text.
    pub async fn ask(&self, user: usize, method: &str, path: &str, body: &str) -> Result<Vec<u8>> {
        let idle = self.idle.borrow_mut().pop();
        let mut rest = match idle {
            Some(rest) => rest,
            None => Rest::open(&self.target, user).await?,
        };
        let token = self.target.token(user);
        for _ in 0..TRIES {
            let answer = rest.call(method, path, &token, body).await?;
            match answer.status {
                200..300 => {
                    self.idle.borrow_mut().push(rest);
                    return Ok(answer.body);
                }
                429 | 503 => tokio::time::sleep(Duration::from_secs(answer.retry_after_s.unwrap_or(1).min(10))).await,
                401 => {
                    let name = self.target.username(user);
                    return Err(Error::Refused(format!(
                        "the server does not know the token of {name}: make the users with `kith-load users` and \
                         `kith users import` first, with the same --prefix and --seed"
                    )));
                }
                status => {
                    let mut code = "";
                    scan::fields(&answer.body, |key, value| {
                        if key == b"code" {
                            code = str::from_utf8(scan::text(value)).unwrap_or_default();
                        }
                        true
                    })
                    .unwrap_or_default();
                    return Err(Error::Refused(format!("{method} {path} was answered with {status} {code}")));
                }
            }
        }
        Err(Error::Refused(format!(
            "{method} {path} was told {TRIES} times to come back later: raise the server's limits"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_when_it_is_whole() {
        let text = b"HTTP/1.1 429 Too Many Requests\r\ncontent-LENGTH: 7\r\nRetry-After: 3\r\n\r\n{\"a\":1}";
        for cut in 0..text.len() - 7 {
            assert_eq!(Head::read(&text[..cut]).unwrap(), None);
        }
        let expected = Head { status: 429, length: 7, retry_after_s: Some(3), end: text.len() - 7 };
        assert_eq!(Head::read(text).unwrap(), Some(expected));
    }

    #[test]
    fn no_content_has_no_length_and_anything_else_must() {
        let read = |text: &str| Head::read(text.as_bytes()).map(|head| head.map(|head| head.length));
        assert_eq!(read("HTTP/1.1 204 No Content\r\n\r\n").unwrap(), Some(0));
        assert!(read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
        assert!(read("SSH-2.0\r\n\r\n").is_err());
    }
}
