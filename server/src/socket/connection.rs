//! One connection while it lasts.
//!
//! An idle one owns its kernel socket, this task, and its entries in the roster: it waits for readiness and reads into a
//! buffer that all connections of the thread share, and keeps only the beginning of a frame that is not there yet.

use std::{
    cell::RefCell,
    collections::VecDeque,
    future::poll_fn,
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use kith_protocol::problem::CloseCode;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

use super::stream::Stream;
use crate::{
    delivery::outbox::Taken,
    frame::{self, Assembler, Decoded, Event},
    limits,
    node::Node,
    session::{End, Next, Session, Settled, Wait},
};

/// The time within which the other side has to read the close frame.
const LINGER: Duration = Duration::from_secs(2);

thread_local! {
    static BUFFER: RefCell<Box<[u8]>> =
        RefCell::new(vec![0; limits::READ_BUFFER_BYTES + limits::FRAME_BYTES_AT_MOST + frame::HEADER_BYTES].into());
}

struct Connection {
    stream: Stream,
    session: Session,
    assembler: Assembler,
    /// Bytes that were read and not taken: the beginning of a frame, or what came behind a frame that is waited for.
    tail: Vec<u8>,
    /// True if the tail may hold a whole frame.
    tail_ready: bool,
    writing: VecDeque<Bytes>,
    /// Bytes of the first frame of `writing` that are written.
    offset: usize,
    /// Bytes that were written since the outbox was told.
    written: usize,
    /// True once the close frame is among what is written.
    closing: bool,
    /// The client's last word, if it said one.
    end: Option<End>,
}

enum Step {
    Await(Wait),
    End(End),
}

/// Serves an upgraded stream until it ends; `first` are the bytes that came right behind the upgrade. The connection is made
/// before its task is, which so has room for it once.
pub fn run(stream: Stream, first: Bytes, node: Arc<Node>) -> impl Future<Output = ()> + Send + 'static {
    let outbox = node.roster.open();
    let mut connection = Connection {
        stream,
        session: Session::new(node, outbox),
        assembler: Assembler::default(),
        tail_ready: !first.is_empty(),
        tail: first.into(),
        writing: VecDeque::new(),
        offset: 0,
        written: 0,
        closing: false,
        end: None,
    };
    async move {
        let end = loop {
            match poll_fn(|context| connection.poll(context)).await {
                Step::Await(wait) => {
                    // A task of its own, so that the others of the lane do not wait for it.
                    let answer = tokio::spawn(wait).await;
                    connection.session.settle(answer.unwrap_or(Settled::Close(CloseCode::UnknownError)));
                }
                Step::End(end) => break end,
            }
        };
        connection.session.end(end);
        if connection.closing {
            // The rest of its life is short and rare: it is kept out of the size of the task.
            Box::pin(connection.part()).await;
        }
    }
}

impl Connection {
    /// Lets the other side read the last frame, for so long: closing with unread bytes would reset the connection under it.
    async fn part(mut self) {
        let _ = tokio::time::timeout(LINGER, async {
            poll_fn(|context| self.poll_write(context)).await;
            let _ = self.stream.shutdown().await;
            let mut rest = [0; 512];
            while matches!(self.stream.read(&mut rest).await, Ok(1..)) {}
        })
        .await;
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Step> {
        let mut bytes = 0;
        loop {
            let read = if self.closing { Poll::Pending } else { self.poll_read(context, &mut bytes) };
            // What the frames have caused is written before anything more is waited for.
            let over = self.poll_write(context);
            if let (Poll::Ready(end), _) | (Poll::Pending, Some(end)) = (over, self.end) {
                return Poll::Ready(Step::End(end));
            }
            if let Some(step) = ready!(read) {
                return Poll::Ready(step);
            }
            if bytes >= limits::TURN_BYTES {
                // There may be more: the others have their turn first.
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
    }

    /// Reads once and takes the frames that are whole: a step where there is one to make. `bytes` counts what was read.
    fn poll_read(&mut self, context: &mut Context<'_>, bytes: &mut usize) -> Poll<Option<Step>> {
        BUFFER.with_borrow_mut(|buffer| {
            let held = self.tail.len();
            buffer[..held].copy_from_slice(&self.tail);
            let mut filled = held;
            if !std::mem::take(&mut self.tail_ready) {
                let mut space = ReadBuf::new(&mut buffer[held..]);
                match ready!(Pin::new(&mut self.stream).poll_read(context, &mut space)) {
                    Ok(()) if !space.filled().is_empty() => {
                        *bytes += space.filled().len();
                        filled += space.filled().len();
                    }
                    _ => return Poll::Ready(Some(Step::End(End::Broken))),
                }
                self.session.hear();
            }
            self.session.outbox().at_work();
            let (consumed, step) = self.take(&mut buffer[..filled]);
            if consumed == filled {
                self.tail = Vec::new();
            } else {
                self.tail = buffer[consumed..filled].to_vec();
            }
            Poll::Ready(step)
        })
    }

    /// Takes the frames in `bytes`: how many bytes they are, and the step that must be made before more are taken.
    fn take(&mut self, bytes: &mut [u8]) -> (usize, Option<Step>) {
        let max = self.session.frame_bytes();
        let mut consumed = 0;
        while !self.closing && consumed < bytes.len() {
            let rest = &mut bytes[consumed..];
            let taken = frame::decode(rest, self.assembler.room(max));
            let frame = match taken {
                Ok(Decoded::Incomplete { .. }) => break,
                Ok(Decoded::Frame(frame)) => frame,
                Err(violation) => {
                    self.session.outbox().close(violation.close_code());
                    return (bytes.len(), None);
                }
            };
            consumed += frame.consumed;
            let next = match self.assembler.take(&frame, &rest[frame.payload.clone()], max) {
                Ok(None | Some(Event::Pong)) => Next::On,
                Ok(Some(Event::Text(text))) => self.session.take(&text),
                Ok(Some(Event::Ping(payload))) => {
                    self.session.pong(payload);
                    Next::On
                }
                Ok(Some(Event::Close(close))) => {
                    let code = close.map_or(CloseCode::Normal as u16, |close| close.code);
                    self.writing.push_back(frame::close_frame(code, ""));
                    self.closing = true;
                    self.end = Some(if matches!(code, 1000 | 1001) { End::Clean } else { End::Broken });
                    Next::On
                }
                Err(violation) => Next::Close(violation.close_code()),
            };
            match next {
                Next::On => {}
                Next::Wait(wait) => {
                    self.tail_ready = consumed < bytes.len();
                    return (consumed, Some(Step::Await(wait)));
                }
                Next::Close(code) => {
                    self.session.outbox().close(code);
                    return (bytes.len(), None);
                }
            }
        }
        (consumed, None)
    }

    /// Writes what waits, many frames with one system call; ready when the connection is over.
    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<End> {
        loop {
            // Taken until there is nothing more, so that a close is heard of also while nothing can be written.
            while !self.closing {
                let written = std::mem::take(&mut self.written);
                match self.session.outbox().poll_take(written, &mut self.writing, context) {
                    Poll::Ready(Taken::Frames) => {}
                    Poll::Ready(Taken::Close(code)) => self.close(code),
                    Poll::Pending => break,
                }
            }
            if self.writing.is_empty() {
                return match self.end {
                    Some(end) => Poll::Ready(end),
                    None => Poll::Pending,
                };
            }
            match ready!(self.write_once(context)) {
                Ok(0) | Err(_) => return Poll::Ready(End::Broken),
                Ok(bytes) => self.advance(bytes),
            }
            if self.writing.is_empty() {
                // TLS keeps records back until it is flushed.
                if let Poll::Ready(Err(_)) = Pin::new(&mut self.stream).poll_flush(context) {
                    return Poll::Ready(End::Broken);
                }
                self.writing = VecDeque::new();
            }
        }
    }

    /// One system call: a frame that is alone takes the shorter way through the kernel.
    fn write_once(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let stream = Pin::new(&mut self.stream);
        if let (Some(frame), 1) = (self.writing.front(), self.writing.len()) {
            return stream.poll_write(context, &frame[self.offset..]);
        }
        let mut slices = [IoSlice::new(&[]); limits::WRITE_FRAMES];
        let mut count = 0;
        for (slice, frame) in slices.iter_mut().zip(&self.writing) {
            *slice = IoSlice::new(if count == 0 { &frame[self.offset..] } else { frame });
            count += 1;
        }
        stream.poll_write_vectored(context, &slices[..count])
    }

    /// Puts the close frame behind what waits, or in its place where it would not be read.
    fn close(&mut self, code: CloseCode) {
        if matches!(code, CloseCode::SlowReader | CloseCode::DeviceRevoked | CloseCode::HeartbeatMissed) {
            // A frame that is half written must be whole.
            self.writing.truncate(usize::from(self.offset > 0));
        }
        self.writing.push_back(frame::close_frame(code as u16, code.reason()));
        self.closing = true;
        self.end = Some(End::Closed(code));
    }

    fn advance(&mut self, bytes: usize) {
        self.written += bytes;
        self.offset += bytes;
        while let Some(first) = self.writing.front()
            && self.offset >= first.len()
        {
            self.offset -= first.len();
            self.writing.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cost of an idle connection is a promise: this is its largest part that is ours.
    #[test]
    fn the_task_of_a_connection_is_small() {
        fn size<F>(_: impl FnOnce(Stream, Bytes, Arc<Node>) -> F) -> usize {
            size_of::<F>()
        }
        assert!(size(run) <= 640, "{} bytes", size(run));
    }
}
