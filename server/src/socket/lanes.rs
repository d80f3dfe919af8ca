//! Threads that read and write sockets and do nothing else.
//!
//! Workers that share one queue wake one another as soon as two connections are heard at a time, which for idle
//! connections costs more than what they say. A lane owns its connections: whatever they say together is one waking.

mod bell;

use std::{
    future::poll_fn,
    io,
    num::NonZeroUsize,
    pin::pin,
    sync::atomic::{AtomicUsize, Ordering},
    task::Context,
    thread,
};

use parking_lot::Mutex;
use tokio::{
    net::TcpStream,
    runtime::{Builder, Handle},
    sync::oneshot,
};

use self::bell::{Bell, Rope};
use crate::gather;

/// Sockets that may be found readable at a time: what others have for a connection to write waits for no more than these,
/// so that a flood does not delay answers.
const SOCKETS_READ: usize = 64;
/// After so many tasks a lane looks for new readiness, although it still has tasks.
const EVENT_INTERVAL: u32 = 256;
/// After so many tasks a lane looks whether its bell was rung, although it still has tasks.
const BELL_INTERVAL: u32 = 16;

/// Cores of the machine that this process may use.
pub fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// One lane for every two cores: the other half is for what the connections ask for.
pub fn count() -> usize {
    (cores() / 2).max(1)
}

struct Lane {
    runtime: Handle,
    rope: Rope,
}

/// The lanes of a node.
pub struct Lanes {
    lanes: Vec<Lane>,
    next: AtomicUsize,
    /// A lane lives as long as its end of these.
    open: Mutex<Vec<oneshot::Sender<()>>>,
}

impl Lanes {
    /// Starts the threads.
    pub fn start() -> Self {
        let (lanes, open) = (0..count()).map(lane).unzip();
        Self { lanes, next: AtomicUsize::new(0), open: Mutex::new(open) }
    }

    /// Has a lane carry a stream for as long as the future that `serve` makes of it lasts. What that future spawns, and
    /// every timer in it, is the caller's runtime's.
    ///
    /// # Errors
    /// When the stream cannot leave the runtime that it is of.
    pub fn carry<F>(&self, stream: TcpStream, serve: impl FnOnce(TcpStream) -> F + Send + 'static) -> io::Result<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let stream = stream.into_std()?;
        let workers = Handle::current();
        let lane = &self.lanes[self.next.fetch_add(1, Ordering::Relaxed) % self.lanes.len()];
        let rope = lane.rope.clone();
        lane.runtime.spawn(async move {
            let Ok(stream) = TcpStream::from_std(stream) else { return };
            let mut served = pin!(serve(stream));
            let mut waker = None;
            poll_fn(|context| {
                let _workers = workers.enter();
                let waker = waker.get_or_insert_with(|| rope.waker(context.waker().clone()));
                served.as_mut().poll(&mut Context::from_waker(waker))
            })
            .await;
        });
        Ok(())
    }

    /// Ends the threads, and with them the connections that are left.
    pub fn stop(&self) {
        self.open.lock().clear();
    }
}

fn lane(number: usize) -> (Lane, oneshot::Sender<()>) {
    let mut builder = Builder::new_current_thread();
    builder.enable_io().max_io_events_per_tick(SOCKETS_READ);
    builder.event_interval(EVENT_INTERVAL).global_queue_interval(BELL_INTERVAL);
    let runtime = builder.build().expect("the system gives a poll");
    let handle = runtime.handle().clone();
    let (open, closed) = oneshot::channel();
    let run = move || drop(runtime.block_on(closed));
    let thread = thread::Builder::new().name(format!("lane-{number}")).spawn(run).expect("the system gives a thread");
    let bell = Bell::of(thread.thread().id());
    let rope = bell.rope();
    handle.spawn(bell.answer());
    handle.spawn(gather::every_turn());
    (Lane { runtime: handle, rope }, open)
}
