//! The byte stream under a connection: TCP, with or without TLS.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::server::TlsStream;

use crate::places::{Counted, Place, Visit};

/// A stream of bytes to and from a client, and the place that it takes.
pub struct Stream {
    bytes: Transport,
    place: Place,
    /// As long as it is HTTP.
    visit: Option<Arc<Visit>>,
}

/// The transport of the bytes.
pub enum Transport {
    /// As the network gives it.
    Plain(TcpStream),
    /// Through TLS; boxed, so that it costs nothing where there is none.
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    /// A stream of HTTP.
    pub fn http(bytes: Transport, place: Place, visit: Arc<Visit>) -> Self {
        Self { bytes, place, visit: Some(visit) }
    }

    /// A stream of frames.
    pub fn socket(bytes: Transport, place: Place) -> Self {
        Self { bytes, place, visit: None }
    }

    /// Its parts, once it is no longer HTTP; for whom it counts from now on.
    pub fn upgrade(self, counted: Option<Counted>) -> (Transport, Place) {
        let Self { bytes, mut place, .. } = self;
        place.count_for(counted);
        (bytes, place)
    }

    fn wrote(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Some(visit) = &self.visit {
            visit.wrote(match &written {
                Poll::Pending => None,
                Poll::Ready(written) => Some(*written.as_ref().unwrap_or(&0)),
            });
        }
        written
    }
}

impl Transport {
    /// Bounds what the kernel keeps of this stream until the client has it.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn bound_send(&self, bytes: usize) -> io::Result<()> {
        Ok(rustix::net::sockopt::set_socket_send_buffer_size(self.socket(), bytes)?)
    }

    fn socket(&self) -> &TcpStream {
        match self {
            Transport::Plain(stream) => stream,
            Transport::Tls(stream) => stream.get_ref().0,
        }
    }

    /// Bounds what the kernel queues of this stream before it is read.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn bound_receive(&self, bytes: usize) -> io::Result<()> {
        Ok(rustix::net::sockopt::set_socket_recv_buffer_size(self.socket(), bytes)?)
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().bytes {
            Transport::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Transport::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let stream = self.get_mut();
        let written = match &mut stream.bytes {
            Transport::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Transport::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        };
        stream.wrote(written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let stream = self.get_mut();
        let written = match &mut stream.bytes {
            Transport::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Transport::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        };
        stream.wrote(written)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().bytes {
            Transport::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Transport::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().bytes {
            Transport::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Transport::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
