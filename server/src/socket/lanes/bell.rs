//! The bell of a lane, by which other threads wake its connections.
//!
//! A lane may sleep in the kernel, so that every waking of one of its tasks by another thread is a system call, also while
//! the lane is at work. Here wakers are laid down instead, and the first alone wakes the lane, which wakes the others
//! itself, where that costs next to nothing.

use std::{
    future::poll_fn,
    mem,
    sync::{Arc, Weak},
    task::{Poll, Wake, Waker},
    thread::{self, ThreadId},
};

use parking_lot::Mutex;

/// The bell of one lane.
pub struct Bell {
    lane: ThreadId,
    laid: Mutex<Laid>,
}

#[derive(Default)]
struct Laid {
    wakers: Vec<Arc<Bound>>,
    lane: Option<Waker>,
}

/// With what a bell is rung.
#[derive(Clone)]
pub struct Rope {
    lane: ThreadId,
    bell: Weak<Bell>,
}

/// A waker of a task of a lane.
struct Bound {
    task: Waker,
    rope: Rope,
}

impl Bell {
    /// The bell of the lane that runs on this thread.
    pub fn of(lane: ThreadId) -> Arc<Self> {
        Arc::new(Self { lane, laid: Mutex::default() })
    }

    /// One more rope.
    pub fn rope(self: &Arc<Self>) -> Rope {
        Rope { lane: self.lane, bell: Arc::downgrade(self) }
    }

    /// The task of the lane that wakes the others. It ends with the lane, and the bell with it.
    pub async fn answer(self: Arc<Self>) {
        let mut wakers = Vec::new();
        poll_fn(|context| {
            let mut laid = self.laid.lock();
            laid.lane.get_or_insert_with(|| context.waker().clone()).clone_from(context.waker());
            mem::swap(&mut laid.wakers, &mut wakers);
            drop(laid);
            for bound in wakers.drain(..) {
                bound.task.wake_by_ref();
            }
            Poll::Pending
        })
        .await
    }
}

impl Rope {
    /// A waker of `task`, a task of the lane, by way of the bell.
    pub fn waker(&self, task: Waker) -> Waker {
        Arc::new(Bound { task, rope: self.clone() }).into()
    }
}

impl Wake for Bound {
    fn wake(self: Arc<Self>) {
        if thread::current().id() == self.rope.lane {
            return self.task.wake_by_ref();
        }
        let Some(bell) = self.rope.bell.upgrade() else { return };
        let mut laid = bell.laid.lock();
        laid.wakers.push(self);
        // Before the lane has begun it looks by itself.
        let lane = if laid.wakers.len() == 1 { laid.lane.clone() } else { None };
        drop(laid);
        if let Some(lane) = lane {
            lane.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        sync::atomic::{AtomicU32, Ordering},
        task::Context,
    };

    use super::*;

    #[derive(Default)]
    struct Counted(AtomicU32);

    impl Wake for Counted {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn the_first_of_many_wakers_wakes_the_lane_and_the_lane_the_rest() {
        let woken: Vec<Arc<Counted>> = (0..4).map(|_| Arc::default()).collect();
        let counts = || woken.iter().map(|counted| counted.0.load(Ordering::Relaxed)).collect::<Vec<_>>();
        let [lane, tasks @ ..] = &woken[..] else { unreachable!() };
        let bell = Bell::of(thread::current().id());
        let rope = bell.rope();
        let wakers: Vec<Waker> = tasks.iter().map(|task| rope.waker(task.clone().into())).collect();
        let mut answering = pin!(bell.answer());
        let waker = lane.clone().into();
        let mut context = Context::from_waker(&waker);
        assert!(answering.as_mut().poll(&mut context).is_pending());

        thread::scope(|scope| scope.spawn(|| wakers.iter().for_each(Waker::wake_by_ref)).join().unwrap());
        assert_eq!(counts(), [1, 0, 0, 0]);
        assert!(answering.as_mut().poll(&mut context).is_pending());
        assert_eq!(counts(), [1, 1, 1, 1]);
        thread::scope(|scope| scope.spawn(|| wakers[0].wake_by_ref()).join().unwrap());
        assert_eq!(counts(), [2, 1, 1, 1]);
        // Its own thread needs no bell.
        wakers[1].wake_by_ref();
        assert_eq!(counts(), [2, 1, 2, 1]);
    }
}
