//! The outbox of one connection: shared frames that wait to be written, in a queue that is bounded in bytes.
//!
//! Frames are encoded once for all their readers and shared as [`Bytes`]. An outbox that is empty owns no memory for its
//! queue. Past its bounds it drops what may be dropped, least important first, and then closes: the client resumes.
//!
//! A write to a socket costs more than all else that a message needs. So the answers to the sends of one connection go
//! together while more of them are under way: see [`Asker`].

use std::{
    collections::{HashMap, VecDeque},
    num::NonZeroU64,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use kith_protocol::{ConversationId, DeviceId, UserId, problem::CloseCode};
use parking_lot::Mutex;

use crate::{delivery::allowance::Allowance, limits};

/// The class of a frame: how much it matters to a reader who is slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Never dropped.
    Vital,
    /// Dropped past [`limits::OUTBOX_SHED_RECEIPTS_BYTES`].
    Receipt,
    /// Presence and typing, dropped past [`limits::OUTBOX_SHED_BYTES`].
    Light,
}

/// Consecutive entries of one conversation, each encoded as a frame, all in one buffer.
#[derive(Debug, Clone)]
pub struct Run {
    /// The conversation of the entries.
    pub conversation: ConversationId,
    /// The seq of the first.
    pub first: u64,
    /// The frames, back to back.
    pub frames: Bytes,
    /// The end of each frame in `frames`.
    pub ends: Arc<[u32]>,
}

impl Run {
    /// The seq of the last.
    pub fn last(&self) -> u64 {
        self.first + self.ends.len() as u64 - 1
    }

    /// The frame of one entry of the run.
    pub fn frame(&self, index: usize) -> Bytes {
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        self.frames.slice(start..self.ends[index] as usize)
    }

    /// The frames of the entries after `seq`.
    pub fn after(&self, seq: u64) -> Bytes {
        match seq.checked_sub(self.first) {
            None => self.frames.clone(),
            Some(index) if seq < self.last() => self.frames.slice(self.ends[index as usize] as usize..),
            Some(_) => Bytes::new(),
        }
    }
}

enum Held {
    Run(Run),
    Frame(Bytes),
}

#[derive(Default)]
struct Queue {
    frames: VecDeque<Bytes>,
    bytes: usize,
    /// While a hello is answered, live frames wait here, so that they come behind its answer and none comes twice.
    #[expect(clippy::box_collection, reason = "every connection has the field, and few ever use it")]
    held: Option<Box<Vec<Held>>>,
    /// Answers that wait for others.
    answers: u32,
    closed: Option<CloseCode>,
    waker: Option<Waker>,
    /// The part of `bytes` that the user's allowance knows of.
    charged: u32,
    /// Bytes that were written, modulo 2³².
    written: u32,
}

/// The name of a connection to this node; no other has it as long as the process lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConnectionId(NonZeroU64);

impl ConnectionId {
    /// The name with this number, which the roster gives once.
    pub(super) fn new(number: NonZeroU64) -> Self {
        Self(number)
    }
}

/// The owner of a connection.
struct Identity {
    connection: ConnectionId,
    user: UserId,
    device: DeviceId,
    allowance: Arc<Allowance>,
}

/// The queue of one connection, and what the rest of the server knows of that connection.
pub struct Outbox {
    queue: Mutex<Queue>,
    identity: OnceLock<Identity>,
    /// The time at which the client was last heard, in seconds of the node's life.
    heard: AtomicU32,
    /// Sends that are under way.
    unanswered: AtomicU32,
}

impl Outbox {
    /// An empty one, of a connection that was heard at `now`.
    pub fn new(now: u32) -> Self {
        Self {
            queue: Mutex::default(),
            identity: OnceLock::new(),
            heard: AtomicU32::new(now),
            unanswered: AtomicU32::new(0),
        }
    }

    /// Names the connection, and says whose it is and what it shares with their others; once, by the roster.
    pub(super) fn identify(&self, connection: ConnectionId, user: UserId, device: DeviceId, allowance: Arc<Allowance>) {
        let _ = self.identity.set(Identity { connection, user, device, allowance });
    }

    /// The name of the connection; none before `hello`.
    pub fn connection(&self) -> Option<ConnectionId> {
        self.identity.get().map(|identity| identity.connection)
    }

    /// The counters that it shares with the user's other connections.
    pub fn allowance(&self) -> Option<&Arc<Allowance>> {
        self.identity.get().map(|identity| &identity.allowance)
    }

    /// Returns the owner of the connection; nobody before `hello`.
    pub fn identity(&self) -> Option<(UserId, DeviceId)> {
        self.identity.get().map(|identity| (identity.user, identity.device))
    }

    /// Notes that the client was heard.
    pub fn hear(&self, now: u32) {
        self.heard.store(now, Ordering::Relaxed);
    }

    /// Returns the time at which the client was last heard, in seconds of the node's life.
    pub fn heard(&self) -> u32 {
        self.heard.load(Ordering::Relaxed)
    }

    fn put(&self, queue: &mut Queue, bytes: usize, item: impl FnOnce(&mut Queue)) {
        if queue.closed.is_some() {
            return;
        }
        queue.bytes += bytes;
        self.charge(queue);
        let unread = |allowance: &Arc<Allowance>| queue.charged > 0 && allowance.is_too_much(queue.bytes);
        if queue.bytes > limits::OUTBOX_BYTES || self.allowance().is_some_and(unread) {
            metrics::counter!("kith_slow_readers_closed_total").increment(1);
            self.drop_all(queue);
            queue.closed = Some(CloseCode::SlowReader);
            return;
        }
        item(queue);
    }

    fn drop_all(&self, queue: &mut Queue) {
        queue.frames = VecDeque::new();
        queue.held = None;
        queue.bytes = 0;
        self.charge(queue);
    }

    /// Notes that so many bytes are gone.
    fn settle(&self, queue: &mut Queue, written: usize) {
        if written > 0 {
            queue.bytes = queue.bytes.saturating_sub(written);
            queue.written = queue.written.wrapping_add(written as u32);
            self.charge(queue);
        }
    }

    /// Tells the user's allowance how much waits here: in steps, so that who reads along never touches it.
    fn charge(&self, queue: &mut Queue) {
        let due = (queue.bytes - queue.bytes % limits::WAITING_STEP_BYTES) as u32;
        if due != queue.charged
            && let Some(allowance) = self.allowance()
        {
            allowance.recount(queue.charged as usize, due as usize);
            queue.charged = due;
        }
    }

    /// Bytes that wait, and how many were written so far, modulo 2³².
    pub fn traffic(&self) -> (usize, u32) {
        let queue = self.queue.lock();
        (queue.bytes, queue.written)
    }

    /// Puts a frame that belongs to no log.
    pub fn push(&self, frame: Bytes, class: Class) {
        let mut queue = self.queue.lock();
        let bound = match class {
            Class::Vital => limits::OUTBOX_BYTES,
            Class::Receipt => limits::OUTBOX_SHED_RECEIPTS_BYTES,
            Class::Light => limits::OUTBOX_SHED_BYTES,
        };
        if class != Class::Vital && queue.bytes + frame.len() > bound {
            metrics::counter!("kith_outbox_dropped_frames_total").increment(1);
            return;
        }
        self.put(&mut queue, frame.len(), |queue| match &mut queue.held {
            Some(held) => held.push(Held::Frame(frame)),
            None => queue.frames.push_back(frame),
        });
        wake(queue);
    }

    /// Puts entries, which come behind those of their conversation that were put before.
    pub fn push_run(&self, run: &Run) {
        let mut queue = self.queue.lock();
        self.put(&mut queue, run.frames.len(), |queue| match &mut queue.held {
            Some(held) => held.push(Held::Run(run.clone())),
            None => queue.frames.push_back(run.frames.clone()),
        });
        wake(queue);
    }

    /// From now on holds back what is put, until [`Outbox::release`].
    pub fn hold(&self) {
        let mut queue = self.queue.lock();
        if queue.held.is_none() {
            queue.held = Some(Box::default());
        }
    }

    /// Puts the answer of a hello, and behind it what was held back, less the entries that the answer covers: those up to
    /// the head that it told of their conversation.
    pub fn release(&self, answer: Vec<Bytes>, heads: &HashMap<ConversationId, u64>) {
        let mut queue = self.queue.lock();
        let held = queue.held.take().unwrap_or_default();
        for frame in answer {
            self.put(&mut queue, frame.len(), |queue| queue.frames.push_back(frame));
        }
        for item in *held {
            let (size, frame) = match item {
                Held::Frame(frame) => (frame.len(), frame),
                Held::Run(run) => (run.frames.len(), run.after(heads.get(&run.conversation).copied().unwrap_or(0))),
            };
            queue.bytes = (queue.bytes + frame.len()).saturating_sub(size);
            if !frame.is_empty() && queue.closed.is_none() {
                queue.frames.push_back(frame);
            }
        }
        self.charge(&mut queue);
        wake(queue);
    }

    /// Closes the connection with `code` once what waits is written; what is put from now on is dropped.
    pub fn close(&self, code: CloseCode) {
        let mut queue = self.queue.lock();
        if queue.closed.is_none() {
            queue.closed = Some(code);
            // A slow reader would not read what waits, and a revoked one may not.
            if matches!(code, CloseCode::SlowReader | CloseCode::DeviceRevoked) {
                self.drop_all(&mut queue);
            }
        }
        wake(queue);
    }

    /// Says that bytes which were taken are gone.
    pub fn wrote(&self, bytes: usize) {
        self.settle(&mut self.queue.lock(), bytes);
    }

    /// Bytes that wait to be written.
    pub fn waiting(&self) -> usize {
        self.queue.lock().bytes
    }

    /// With what the connection is to be closed, if it is.
    pub fn closed(&self) -> Option<CloseCode> {
        self.queue.lock().closed
    }

    /// Wakes nobody until [`Outbox::poll_take`] is pending again: the connection is at work and is going to look by itself.
    /// Waking a task that runs has it run twice, and another thread look for work that is not there.
    pub fn at_work(&self) {
        self.queue.lock().waker = None;
    }

    /// Takes what waits; pending while nothing does. `written` bytes of what was taken before are gone.
    pub fn poll_take(&self, written: usize, into: &mut VecDeque<Bytes>, context: &mut Context<'_>) -> Poll<Taken> {
        let mut queue = self.queue.lock();
        self.settle(&mut queue, written);
        if !queue.frames.is_empty() {
            queue.answers = 0;
            if into.is_empty() {
                *into = std::mem::take(&mut queue.frames);
            } else {
                into.append(&mut queue.frames);
                queue.frames = VecDeque::new();
            }
            return Poll::Ready(Taken::Frames);
        }
        if let Some(code) = queue.closed {
            return Poll::Ready(Taken::Close(code));
        }
        match &mut queue.waker {
            Some(waker) => waker.clone_from(context.waker()),
            none => *none = Some(context.waker().clone()),
        }
        Poll::Pending
    }
}

/// The connection that a send came from, until the send is answered.
///
/// An answer wakes the connection when this is dropped and no other send is under way, or
/// [`limits::ANSWERS_TOGETHER`] wait; whatever else is written takes them along. Every send that is under way is answered,
/// so none waits for long, and who has one message under way at a time waits for nothing.
pub struct Asker(Arc<Outbox>);

impl Asker {
    /// Of a send that was read from the connection.
    pub fn new(outbox: Arc<Outbox>) -> Self {
        outbox.unanswered.fetch_add(1, Ordering::Relaxed);
        Self(outbox)
    }

    /// The queue of the connection.
    pub(super) fn outbox(&self) -> &Arc<Outbox> {
        &self.0
    }

    /// The name of the connection.
    pub fn connection(&self) -> Option<ConnectionId> {
        self.0.connection()
    }

    /// Puts an answer, to be written once this is dropped, or later.
    pub fn answer(&self, frame: Bytes) {
        let mut queue = self.0.queue.lock();
        self.0.put(&mut queue, frame.len(), |queue| match &mut queue.held {
            Some(held) => held.push(Held::Frame(frame)),
            None => {
                queue.answers += 1;
                queue.frames.push_back(frame);
            }
        });
    }
}

impl Drop for Asker {
    fn drop(&mut self) {
        let last = self.0.unanswered.fetch_sub(1, Ordering::AcqRel) == 1;
        let queue = self.0.queue.lock();
        if queue.answers > 0 && (last || queue.answers >= limits::ANSWERS_TOGETHER) {
            wake(queue);
        }
    }
}

/// The outcome of [`Outbox::poll_take`].
#[derive(Debug, PartialEq, Eq)]
pub enum Taken {
    /// Frames to write.
    Frames,
    /// Nothing is left, and the connection is to be closed.
    Close(CloseCode),
}

impl Drop for Outbox {
    fn drop(&mut self) {
        if let Some(Identity { allowance, .. }) = self.identity.get() {
            allowance.recount(self.queue.get_mut().charged as usize, 0);
        }
    }
}

/// Wakes the writer after the lock is gone, so that it does not run into it.
fn wake(mut queue: parking_lot::MutexGuard<'_, Queue>) {
    let waker = queue.waker.take();
    drop(queue);
    if let Some(waker) = waker {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(first: u64, frames: &[&str]) -> Run {
        let mut ends = Vec::new();
        let mut bytes = Vec::new();
        for frame in frames {
            bytes.extend_from_slice(frame.as_bytes());
            ends.push(bytes.len() as u32);
        }
        let conversation = ConversationId::from_bytes([1; 16]);
        Run { conversation, first, frames: bytes.into(), ends: ends.into() }
    }

    fn taken(outbox: &Outbox) -> (Vec<String>, Poll<Taken>) {
        let mut frames = VecDeque::new();
        let end = loop {
            match outbox.poll_take(0, &mut frames, &mut Context::from_waker(Waker::noop())) {
                Poll::Ready(Taken::Frames) => {}
                end => break end,
            }
        };
        (frames.iter().map(|frame| String::from_utf8(frame.to_vec()).unwrap()).collect(), end)
    }

    #[test]
    fn what_a_hello_covers_does_not_come_again() {
        let outbox = Outbox::new(0);
        outbox.hold();
        outbox.push_run(&run(4, &["4", "5"]));
        outbox.push_run(&run(6, &["6", "7", "8"]));
        outbox.push("sent".into(), Class::Vital);
        outbox.push_run(&run(9, &["9"]));
        assert_eq!(taken(&outbox).0, Vec::<String>::new());
        let heads = HashMap::from([(ConversationId::from_bytes([1; 16]), 6)]);
        outbox.release(vec!["heads".into()], &heads);
        assert_eq!(taken(&outbox).0, ["heads", "78", "sent", "9"]);
    }

    #[test]
    fn the_outboxes_of_a_user_share_what_may_wait() {
        let (user, mib) = (UserId::from_bytes([1; 16]), 1024 * 1024);
        let allowance = Arc::new(Allowance::new(4 * mib));
        let [one, other] = [1, 2].map(|device| {
            let outbox = Outbox::new(0);
            let name = ConnectionId::new(NonZeroU64::MIN.saturating_add(device.into()));
            outbox.identify(name, user, DeviceId::from_bytes([device; 16]), allowance.clone());
            allowance.join();
            outbox
        });
        let frame = Bytes::from(vec![b'x'; mib - limits::WAITING_STEP_BYTES]);
        for _ in 0..3 {
            one.push(frame.clone(), Class::Vital);
        }
        other.push("small".into(), Class::Vital);
        other.push(frame.clone(), Class::Vital);
        assert_eq!((one.closed(), other.closed()), (None, None));
        other.push(frame.clone(), Class::Vital);
        assert_eq!(other.closed(), None, "it has no more than its part");
        one.push("small".into(), Class::Vital);
        assert_eq!(one.closed(), Some(CloseCode::SlowReader));
        assert!(allowance.waiting() < 2 * mib + limits::WAITING_STEP_BYTES);
        other.wrote(2 * mib);
        drop((one, other));
        assert_eq!(allowance.waiting(), 0);
    }

    #[test]
    fn a_slow_reader_loses_light_frames_then_receipts_then_the_connection() {
        let outbox = Outbox::new(0);
        let big = Bytes::from(vec![b'x'; limits::OUTBOX_SHED_BYTES]);
        outbox.push(big.clone(), Class::Vital);
        outbox.push("typing".into(), Class::Light);
        outbox.push("receipt".into(), Class::Receipt);
        outbox.push(big.clone(), Class::Vital);
        outbox.push("receipt".into(), Class::Receipt);
        assert_eq!(taken(&outbox).0.len(), 3);
        for _ in 0..limits::OUTBOX_BYTES / big.len() {
            outbox.push(big.clone(), Class::Vital);
        }
        assert_eq!(taken(&outbox), (vec![], Poll::Ready(Taken::Close(CloseCode::SlowReader))));
    }

    /// Counts how often it is woken.
    #[derive(Default)]
    struct Woken(AtomicU32);

    impl std::task::Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn answers_go_together_while_more_are_to_come() {
        let (outbox, woken) = (Arc::new(Outbox::new(0)), Arc::new(Woken::default()));
        let look = || {
            let mut frames = VecDeque::new();
            let waker = woken.clone().into();
            while outbox.poll_take(0, &mut frames, &mut Context::from_waker(&waker)).is_ready() {}
            frames.len()
        };
        let woken = || woken.0.load(Ordering::Relaxed);
        let answer = |asker: Asker| asker.answer("sent".into());
        let ask = || Asker::new(outbox.clone());
        assert_eq!(look(), 0);
        // Who has one under way waits for nothing.
        answer(ask());
        assert_eq!((woken(), look()), (1, 1));
        // The first of two waits for the second, the first of many for three others.
        let (one, other) = (ask(), ask());
        answer(one);
        assert_eq!(woken(), 1);
        answer(other);
        assert_eq!((woken(), look()), (2, 2));
        let mut many: Vec<Asker> = (0..=limits::ANSWERS_TOGETHER).map(|_| ask()).collect();
        for _ in 1..limits::ANSWERS_TOGETHER {
            answer(many.pop().unwrap());
        }
        assert_eq!(woken(), 2);
        answer(many.pop().unwrap());
        assert_eq!((woken(), look()), (3, limits::ANSWERS_TOGETHER as usize));
        drop(many);
        assert_eq!(woken(), 3);
        // A send that gets no answer lets those go that waited for it, and so does whatever else is written.
        let (one, other) = (ask(), ask());
        answer(one);
        drop(other);
        assert_eq!((woken(), look()), (4, 1));
        let (one, _other) = (ask(), ask());
        answer(one);
        outbox.push("entry".into(), Class::Vital);
        assert_eq!((woken(), look()), (5, 2));
    }

    #[test]
    fn what_was_put_before_the_close_is_still_written() {
        let outbox = Outbox::new(0);
        outbox.push("goaway".into(), Class::Vital);
        outbox.close(CloseCode::Draining);
        outbox.push("late".into(), Class::Vital);
        assert_eq!(taken(&outbox), (vec!["goaway".into()], Poll::Ready(Taken::Close(CloseCode::Draining))));
    }
}
