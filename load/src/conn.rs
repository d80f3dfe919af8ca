//! One client's socket: the upgrade, frames out in batches, frames in parsed where they were read.
//!
//! Every connection of the thread reads into one buffer and keeps only what is not yet whole, so that
//! 15 000 silent ones cost the generator little more than their kernel sockets.

use std::{
    cell::RefCell,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use kith_protocol::frame::{Heads, Ready};
use tokio::{
    io::{AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    arrival::{self, Arrival},
    error::{Error, Result},
    scan,
    target::Target,
    wire::{self, opcode},
};

/// The example of RFC 6455, section 1.3: the answer to it is known without a hash.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
/// The head of an answer to an upgrade is smaller.
const HEAD_BYTES: usize = 8 * 1024;
/// Bytes of the buffer that the thread's connections share.
const SCRATCH_BYTES: usize = 256 * 1024;
/// After so many reads the kernel is told once more how to acknowledge: it forgets that with each delay of 40 ms that ends
/// without anything to send.
const READS_REMEMBERED: u8 = 8;
/// Bytes that a connection keeps for its next partial frame or batch; more is given back.
const KEPT_BYTES: usize = 16 * 1024;

thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; SCRATCH_BYTES]);
}

/// An open socket.
#[derive(Debug)]
pub struct Conn {
    stream: TcpStream,
    /// A frame that has not arrived in full.
    tail: Vec<u8>,
    /// Bytes to be written,
    out: Vec<u8>,
    /// from here on.
    out_at: usize,
    /// Reads since the kernel was told how to acknowledge.
    reads: u8,
}

/// The server's answer to a hello.
#[derive(Debug)]
pub struct SignedIn {
    /// The user and the device that signed in.
    pub ready: Ready,
    /// The heads of the user's conversations, every page of them.
    pub heads: Vec<kith_protocol::rest::HeadItem>,
}

impl Conn {
    /// Opens a socket as far as the upgrade.
    ///
    /// # Errors
    /// The server is not there or does not upgrade.
    pub async fn open(target: &Target, index: usize) -> Result<Self> {
        let mut stream = target.connect(index).await?;
        arrival::note(&stream).map_err(Error::io("the kernel notes no arrivals (SO_TIMESTAMPNS)"))?;
        let lost = || Error::io("lost a connection in its upgrade");
        let request = format!(
            "GET /v1/socket HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n",
            target.server
        );
        stream.write_all(request.as_bytes()).await.map_err(lost())?;
        let mut tail = Vec::new();
        let end = loop {
            if let Some(end) = tail.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            let read = stream.read_buf(&mut tail).await.map_err(lost())?;
            if read == 0 || tail.len() > HEAD_BYTES {
                return Err(Error::Protocol("no answer to an upgrade".into()));
            }
        };
        let head = String::from_utf8_lossy(&tail[..end]).into_owned();
        if !head.starts_with("HTTP/1.1 101 ") || !head.contains(ACCEPT) {
            let line = head.lines().next().unwrap_or_default();
            return Err(Error::Refused(format!("the server does not upgrade: {line}")));
        }
        tail.drain(..end);
        tail.shrink_to_fit();
        Ok(Self { stream, tail, out: Vec::new(), out_at: 0, reads: 0 })
    }

    /// Says hello and waits until all that belongs to its answer is here: a `ping` behind it marks the end.
    /// Every frame that is neither `ready`, `heads` nor `pong` goes to `other`.
    ///
    /// # Errors
    /// The token is not known, or the server went away.
    pub async fn sign_in(
        &mut self,
        token: &str,
        have: &str,
        mut other: impl FnMut(&[u8], Arrival) -> Result<()>,
    ) -> Result<SignedIn> {
        self.text(format!(r#"{{"t":"hello","token":"{token}","have":[{have}],"client":"kith-load"}}"#).as_bytes());
        self.text(br#"{"t":"ping"}"#);
        self.flush()?;
        let (mut ready, mut heads, mut done) = (None, Vec::new(), false);
        while !done {
            self.recv(|frame, arrival| {
                match scan::kind(frame)? {
                    b"ready" => ready = Some(parse::<Ready>(frame)?),
                    b"heads" => heads.extend(parse::<Heads>(frame)?.conversations),
                    b"pong" => done = true,
                    b"error" => {
                        return Err(Error::Protocol(String::from_utf8_lossy(frame).into_owned()));
                    }
                    _ => other(frame, arrival)?,
                }
                Ok(())
            })
            .await?;
        }
        let ready = ready.ok_or_else(|| Error::Protocol("a pong before ready".into()))?;
        Ok(SignedIn { ready, heads })
    }

    /// Queues one text frame.
    pub fn text(&mut self, text: &[u8]) {
        wire::write(&mut self.out, opcode::TEXT, text);
    }

    /// Queues a frame that is already in its wire form.
    pub fn raw(&mut self, frame: &[u8]) {
        self.out.extend_from_slice(frame);
    }

    /// Queues the end of the connection.
    pub fn close(&mut self) {
        wire::write(&mut self.out, opcode::CLOSE, &1000u16.to_be_bytes());
    }

    /// Bytes that the kernel has not taken yet.
    pub fn backlog(&self) -> usize {
        self.out.len() - self.out_at
    }

    /// Writes what is queued with one system call, as far as the kernel takes it; the rest goes with the next [`Self::recv`].
    ///
    /// # Errors
    /// The connection is gone.
    pub fn flush(&mut self) -> Result<()> {
        if self.backlog() == 0 {
            return Ok(());
        }
        match self.stream.try_write(&self.out[self.out_at..]) {
            Ok(written) => self.written(written),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(gone(error)),
        }
        Ok(())
    }

    fn written(&mut self, bytes: usize) {
        self.out_at += bytes;
        if self.out_at == self.out.len() {
            self.out.clear();
            self.out.shrink_to(KEPT_BYTES);
            self.out_at = 0;
        }
    }

    /// Waits for something to read, and gives every whole frame of it to `each`, with when it arrived.
    /// Tells how many there were. It may be dropped while it waits: nothing is lost.
    ///
    /// # Errors
    /// [`Error::Closed`] when the server ends the connection, and what `each` fails with.
    pub async fn recv(&mut self, mut each: impl FnMut(&[u8], Arrival) -> Result<()>) -> Result<usize> {
        std::future::poll_fn(|context| self.poll_recv(context, &mut each)).await
    }

    /// As [`Self::recv`].
    ///
    /// # Errors
    /// As there.
    pub fn poll_recv(
        &mut self,
        context: &mut Context<'_>,
        mut each: impl FnMut(&[u8], Arrival) -> Result<()>,
    ) -> Poll<Result<usize>> {
        while self.backlog() > 0 {
            match Pin::new(&mut self.stream).poll_write(context, &self.out[self.out_at..]) {
                Poll::Ready(written) => self.written(written.map_err(gone)?),
                Poll::Pending => break,
            }
        }
        SCRATCH.with_borrow_mut(|scratch| {
            let kept = self.tail.len();
            if scratch.len() < 2 * kept {
                scratch.resize(2 * kept, 0);
            }
            let (read, arrival) =
                ready!(arrival::poll_read(&self.stream, context, &mut scratch[kept..])).map_err(gone)?;
            if read == 0 {
                return Poll::Ready(Err(Error::Closed(wire::CLOSED_WITHOUT_WORD)));
            }
            self.acknowledge_late()?;
            scratch[..kept].copy_from_slice(&self.tail);
            let whole = self.take_frames(&scratch[..kept + read], arrival, &mut each);
            Poll::Ready(whole)
        })
    }

    /// As of a client that also writes: to one that only reads the kernel gives a packet for each read, which costs more
    /// than the read.
    fn acknowledge_late(&mut self) -> Result<()> {
        if self.reads == 0 {
            self.stream.set_quickack(false).map_err(gone)?;
        }
        self.reads = (self.reads + 1) % READS_REMEMBERED;
        Ok(())
    }

    fn take_frames(
        &mut self,
        bytes: &[u8],
        arrival: Arrival,
        each: &mut impl FnMut(&[u8], Arrival) -> Result<()>,
    ) -> Result<usize> {
        let (mut at, mut count) = (0, 0);
        while let Some((frame, used)) = wire::read(&bytes[at..])? {
            match frame.opcode {
                opcode::TEXT => {
                    each(frame.payload, arrival)?;
                    count += 1;
                }
                opcode::CLOSE => return Err(Error::Closed(wire::close_code(frame.payload))),
                opcode::PING => {
                    wire::write(&mut self.out, opcode::PONG, frame.payload);
                    self.flush()?;
                }
                _ => {}
            }
            at += used;
        }
        self.tail.clear();
        self.tail.shrink_to(KEPT_BYTES);
        self.tail.extend_from_slice(&bytes[at..]);
        Ok(count)
    }
}

fn parse<'a, T: serde::Deserialize<'a>>(frame: &'a [u8]) -> Result<T> {
    serde_json::from_slice(frame).map_err(|error| Error::Protocol(error.to_string()))
}

/// A broken connection is one that was closed without a word.
fn gone(_: io::Error) -> Error {
    Error::Closed(wire::CLOSED_WITHOUT_WORD)
}
