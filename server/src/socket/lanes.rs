//! Threads that read and write sockets and do nothing else.
//!
//! Workers that share one queue wake one another as soon as two connections are heard at a time, which for idle
//! connections costs more than what they say. A lane owns its connections: whatever they say together is one waking.

use std::{
    future::poll_fn,
    io,
    num::NonZeroUsize,
    pin::pin,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use parking_lot::Mutex;
use tokio::{
    net::TcpStream,
    runtime::{Builder, Handle},
    sync::oneshot,
};

/// After so many tasks a lane looks for new readiness, although it still has tasks.
const EVENT_INTERVAL: u32 = 31;

/// Cores of the machine that this process may use.
pub fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// One lane for every two cores: the other half is for what the connections ask for.
pub fn count() -> usize {
    (cores() / 2).max(1)
}

/// The lanes of a node.
pub struct Lanes {
    lanes: Vec<Handle>,
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
        lane.spawn(async move {
            let Ok(stream) = TcpStream::from_std(stream) else { return };
            let mut served = pin!(serve(stream));
            poll_fn(|context| {
                let _workers = workers.enter();
                served.as_mut().poll(context)
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

fn lane(number: usize) -> (Handle, oneshot::Sender<()>) {
    // What others have for a connection to write goes before what is to be read: a flood does not delay answers.
    let mut builder = Builder::new_current_thread();
    builder.enable_io().global_queue_interval(1).event_interval(EVENT_INTERVAL);
    let runtime = builder.build().expect("the system gives a poll");
    let handle = runtime.handle().clone();
    let (open, closed) = oneshot::channel();
    let run = move || drop(runtime.block_on(closed));
    thread::Builder::new().name(format!("lane-{number}")).spawn(run).expect("the system gives a thread");
    (handle, open)
}
