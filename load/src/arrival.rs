//! The moment at which bytes reached a socket, as the kernel noted it: a busy reader is not a slow server.

use std::{
    io::{self, IoSliceMut},
    os::fd::AsRawFd,
    task::{Context, Poll, ready},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use nix::{
    cmsg_space,
    sys::{
        socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt, sockopt},
        time::TimeSpec,
    },
};
use tokio::{io::Interest, net::TcpStream};

/// The times of one read from a socket.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// The arrival of its last byte at the socket.
    pub at: Instant,
    /// The return of the read.
    pub read: Instant,
}

/// Has the kernel note when each segment reaches the socket (`SO_TIMESTAMPNS`).
///
/// # Errors
/// The system does not.
pub fn note(stream: &TcpStream) -> io::Result<()> {
    Ok(setsockopt(stream, sockopt::ReceiveTimestampns, &true)?)
}

/// Reads what is there; 0 bytes are the end. The arrival is that of the last byte.
pub fn poll_read(stream: &TcpStream, context: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<(usize, Arrival)>> {
    loop {
        ready!(stream.poll_read_ready(context))?;
        let mut read = None;
        let tried = stream.try_io(Interest::READABLE, || {
            let (bytes, noted) = receive(stream, into)?;
            read = Some((bytes, arrival(noted)));
            // A read that left room has taken everything: to be told so by another one would cost as much again.
            if bytes > 0 && bytes < into.len() { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
        });
        match (read, tried) {
            (Some(read), _) => return Poll::Ready(Ok(read)),
            (None, Err(error)) if error.kind() != io::ErrorKind::WouldBlock => return Poll::Ready(Err(error)),
            (None, _) => {}
        }
    }
}

fn receive(stream: &TcpStream, into: &mut [u8]) -> nix::Result<(usize, Option<Duration>)> {
    let mut space = cmsg_space!(TimeSpec);
    let mut slices = [IoSliceMut::new(into)];
    let message = recvmsg::<()>(stream.as_raw_fd(), &mut slices, Some(&mut space), MsgFlags::empty())?;
    let noted = message.cmsgs()?.find_map(|control| match control {
        ControlMessageOwned::ScmTimestampns(time) => Some(Duration::from(time)),
        _ => None,
    });
    Ok((message.bytes, noted))
}

/// The kernel notes the time of day: how long ago that was is told by the same clock.
#[expect(clippy::disallowed_methods, reason = "compared with the kernel's; the generator is never simulated")]
fn arrival(noted: Option<Duration>) -> Arrival {
    let read = Instant::now();
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let ago = noted.map_or(Duration::ZERO, |noted| since.saturating_sub(noted));
    Arrival { at: read.checked_sub(ago).unwrap_or(read), read }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, thread};

    use tokio::{io::AsyncWriteExt, net::TcpListener};

    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn what_waited_in_the_socket_arrived_before_it_was_read() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        note(&stream).unwrap();
        let (mut peer, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 100];
        let mut turns = 0;
        loop {
            let before = Instant::now();
            peer.write_all(b"text").await.unwrap();
            let written = Instant::now();
            thread::sleep(Duration::from_millis(20));
            let (bytes, arrival) = poll_fn(|context| poll_read(&stream, context, &mut buffer)).await.unwrap();
            assert_eq!(&buffer[..bytes], b"text");
            assert!(arrival.read >= written + Duration::from_millis(20));
            // The first to ask turns the kernel's notes on a little later; until then it notes the time of the read.
            turns += 1;
            if arrival.at == arrival.read && turns < 250 {
                continue;
            }
            // Two clocks are compared, so give them a moment.
            let slack = Duration::from_millis(5);
            assert!(arrival.at + slack >= before && arrival.at <= written + slack, "{before:?} {arrival:?}");
            break;
        }
        drop(peer);
        assert_eq!(poll_fn(|context| poll_read(&stream, context, &mut buffer)).await.unwrap().0, 0);
    }
}
