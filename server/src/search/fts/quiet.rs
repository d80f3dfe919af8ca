//! A thread for work that nobody waits for: it runs when a core has nothing else to do.

use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::{
    runtime::{Builder, Handle, Runtime},
    task::JoinError,
};

/// A job that takes longer has found no idle core.
const STARVED: Duration = Duration::from_secs(1);
/// The time for which jobs take their share of the cores then, so that they come to an end also where all are always busy.
const SHARE: Duration = Duration::from_secs(10);

/// The thread.
pub(super) struct Quiet {
    runtime: Option<Runtime>,
    /// The end of the time in which jobs take their share.
    starved: Mutex<Option<Instant>>,
}

impl Quiet {
    /// Nothing runs yet.
    pub(super) fn new() -> Self {
        let mut builder = Builder::new_current_thread();
        builder.max_blocking_threads(1).thread_name("quiet").on_thread_start(give_way);
        Self { runtime: Some(builder.build().expect("it has no driver")), starved: Mutex::default() }
    }

    /// Does a job that may block.
    ///
    /// # Errors
    /// Where it panicked.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        let shares = self.starved.lock().is_some_and(|until| Instant::now() < until);
        let threads = match &self.runtime {
            Some(runtime) if !shares => runtime.handle().clone(),
            _ => Handle::current(),
        };
        let began = Instant::now();
        let done = threads.spawn_blocking(job).await;
        if !shares && began.elapsed() > STARVED {
            *self.starved.lock() = Some(Instant::now() + SHARE);
        }
        done
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Has the thread run only where no other wants its core, and leave it at once. What cannot be had is no harm.
#[cfg(target_os = "linux")]
fn give_way() {
    use thread_priority::{
        NormalThreadSchedulePolicy::Idle, ThreadPriority::Min, ThreadSchedulePolicy::Normal,
        set_thread_priority_and_policy, thread_native_id,
    };
    if let Err(error) = set_thread_priority_and_policy(thread_native_id(), Min, Normal(Idle)) {
        tracing::debug!(%error, "the index takes its share of the cores");
    }
}

#[cfg(not(target_os = "linux"))]
fn give_way() {}
