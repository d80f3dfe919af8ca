//! Wakes together the tasks that a thread wakes in one turn.
//!
//! To wake a task of another thread may be a system call, and gives that thread the core that it was woken from: it takes
//! the one thing that is there, and sleeps until it is woken for the next. So lanes and the store's writer gather whom they
//! wake, and one waking at the end of their turn is for all of them.
//!
//! ```text
//!   lane:   reads 64 sockets ─▶ conversations that have something to do ─┐
//!   writer: answers a batch ──▶ conversations that waited for it ────────┴─▶ one task of the workers wakes them
//! ```

use std::{
    cell::RefCell,
    future::poll_fn,
    mem,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
};

use tokio::runtime::Handle;

use crate::limits;

thread_local! {
    /// The turn in which this thread gathers.
    static TURN: RefCell<Option<Turn>> = const { RefCell::new(None) };
}

struct Turn {
    woken: Vec<Arc<Sleeper>>,
    /// The waker that is called when something is gathered, so that the turn ends.
    end: Waker,
}

/// A task that is woken together with others.
struct Sleeper {
    task: Waker,
    /// Its runtime.
    workers: Handle,
}

impl Wake for Sleeper {
    fn wake(self: Arc<Self>) {
        let gathered = TURN.try_with(|turn| {
            let mut turn = turn.borrow_mut();
            let turn = turn.as_mut()?;
            turn.woken.push(self.clone());
            Some(match turn.woken.len() {
                1 => Gathered::First(turn.end.clone()),
                limits::WOKEN_TOGETHER => Gathered::Enough(mem::take(&mut turn.woken)),
                _ => Gathered::More,
            })
        });
        match gathered {
            Ok(Some(Gathered::First(end))) => end.wake(),
            Ok(Some(Gathered::Enough(woken))) => wake(woken),
            Ok(Some(Gathered::More)) => {}
            // Nobody gathers here.
            Ok(None) | Err(_) => self.task.wake_by_ref(),
        }
    }
}

enum Gathered {
    First(Waker),
    Enough(Vec<Arc<Sleeper>>),
    More,
}

/// One waking of the workers, who wake the others among themselves.
fn wake(woken: Vec<Arc<Sleeper>>) {
    let Some(first) = woken.first() else { return };
    let workers = first.workers.clone();
    let woken = Woken(woken);
    workers.spawn(async move { drop(woken) });
}

/// The tasks that are woken when this is dropped: also by a runtime that has ended, since not all of them need be its.
struct Woken(Vec<Arc<Sleeper>>);

impl Drop for Woken {
    fn drop(&mut self) {
        self.0.iter().for_each(|sleeper| sleeper.task.wake_by_ref());
    }
}

/// Ends the gathering of this thread when it is dropped: who was woken is woken.
struct Gathering;

impl Gathering {
    fn begin(end: Waker) -> Self {
        TURN.set(Some(Turn { woken: Vec::new(), end }));
        Self
    }
}

impl Drop for Gathering {
    fn drop(&mut self) {
        if let Ok(Some(turn)) = TURN.try_with(RefCell::take) {
            wake(turn.woken);
        }
    }
}

/// Does `work`, and wakes together whom it wakes.
pub fn together(work: impl FnOnce()) {
    let _gathering = Gathering::begin(Waker::noop().clone());
    work();
}

/// A task of a runtime of one thread that has the others of the thread gather: it runs behind those that are ready when
/// the first is woken, and ends their turn.
pub async fn every_turn() {
    let mut gathering = None;
    poll_fn(|context| {
        gathering.get_or_insert_with(|| Gathering::begin(context.waker().clone()));
        let woken = TURN.with_borrow_mut(|turn| {
            let turn = turn.as_mut().expect("it gathers");
            turn.end.clone_from(context.waker());
            mem::take(&mut turn.woken)
        });
        wake(woken);
        Poll::Pending
    })
    .await
}

/// The same future, a task of this runtime, woken together with others.
pub async fn gathered<F: Future>(future: F) -> F::Output {
    let (mut future, workers) = (pin!(future), Handle::current());
    let mut waker: Option<Waker> = None;
    poll_fn(|context| {
        let waker = waker.get_or_insert_with(|| {
            Arc::new(Sleeper { task: context.waker().clone(), workers: workers.clone() }).into()
        });
        future.as_mut().poll(&mut Context::from_waker(waker))
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicU32, Ordering},
        time::Duration,
    };

    use tokio::task::yield_now;

    use super::*;

    #[derive(Default)]
    struct Counted(AtomicU32);

    impl Wake for Counted {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Tasks that count how often they are woken, and their wakers.
    fn sleepers(count: usize) -> (Vec<Arc<Counted>>, Vec<Waker>) {
        let counted: Vec<Arc<Counted>> = (0..count).map(|_| Arc::default()).collect();
        let waker = |task: &Arc<Counted>| {
            Waker::from(Arc::new(Sleeper { task: task.clone().into(), workers: Handle::current() }))
        };
        let wakers = counted.iter().map(waker).collect();
        (counted, wakers)
    }

    fn counts(counted: &[Arc<Counted>]) -> Vec<u32> {
        counted.iter().map(|counted| counted.0.load(Ordering::Relaxed)).collect()
    }

    #[tokio::test]
    async fn whom_a_thread_wakes_is_woken_at_the_end_of_its_turn() {
        let (counted, wakers) = sleepers(3);
        together(|| {
            wakers[0].wake_by_ref();
            wakers[2].wake_by_ref();
            assert_eq!(counts(&counted), [0, 0, 0]);
        });
        yield_now().await;
        assert_eq!(counts(&counted), [1, 0, 1]);
        // The turn is over.
        wakers[1].wake_by_ref();
        assert_eq!(counts(&counted), [1, 1, 1]);
    }

    #[tokio::test]
    async fn no_more_wait_for_one_another_than_may() {
        let (counted, wakers) = sleepers(limits::WOKEN_TOGETHER + 1);
        let _gathering = Gathering::begin(Waker::noop().clone());
        wakers.iter().for_each(Waker::wake_by_ref);
        assert!(counts(&counted).iter().all(|count| *count == 0));
        yield_now().await;
        let (last, others) = counted.split_last().unwrap();
        assert!(counts(others).iter().all(|count| *count == 1));
        assert_eq!(last.0.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn the_first_who_is_woken_ends_the_turn_of_a_lane() {
        let (counted, wakers) = sleepers(3);
        let ends = Arc::new(Counted::default());
        let end = ends.clone().into();
        let mut turns = Box::pin(every_turn());
        assert!(turns.as_mut().poll(&mut Context::from_waker(&end)).is_pending());
        wakers[0].wake_by_ref();
        wakers[1].wake_by_ref();
        assert_eq!((counts(&counted), ends.0.load(Ordering::Relaxed)), (vec![0, 0, 0], 1));
        assert!(turns.as_mut().poll(&mut Context::from_waker(&end)).is_pending());
        yield_now().await;
        assert_eq!(counts(&counted), [1, 1, 0]);
        // Nobody is forgotten when the lane ends, and nobody is gathered after it.
        wakers[2].wake_by_ref();
        drop(turns);
        yield_now().await;
        assert_eq!(counts(&counted), [1, 1, 1]);
        wakers[0].wake_by_ref();
        assert_eq!(counts(&counted), [2, 1, 1]);
    }

    #[test]
    fn a_runtime_that_has_ended_keeps_nobody_asleep() {
        let ended = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (counted, wakers) = ended.block_on(async { sleepers(1) });
        drop(ended);
        together(|| wakers[0].wake_by_ref());
        assert_eq!(counts(&counted), [1]);
    }

    #[tokio::test]
    async fn a_task_that_is_gathered_is_woken_by_a_turn() {
        let (tell, told) = tokio::sync::oneshot::channel();
        let task = tokio::spawn(gathered(told));
        yield_now().await;
        std::thread::spawn(|| together(|| tell.send(7).unwrap())).join().unwrap();
        let woken = tokio::time::timeout(Duration::from_secs(10), task).await;
        assert_eq!(woken.expect("it sleeps on").unwrap(), Ok(7));
    }
}
