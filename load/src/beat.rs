//! Wakes the members of a run at the beats of its clock.
//!
//! What is due within one beat is due at its end: one waking of the generator is for all of it, and a message is not late
//! because a timer is coarse. tokio's timers fire up to a millisecond late, and cost more than what is done then.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    convert::Infallible,
    io,
    os::fd::{AsFd, OwnedFd},
    task::{Context, Poll, Waker},
    time::Duration,
};

use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use tokio::io::unix::AsyncFd;

use crate::mark::Clock;

/// From one beat to the next.
const BEAT_US: u64 = 1_000;

/// The beats of a run. One thread, so no atomics.
#[derive(Debug)]
pub struct Beats {
    clock: Clock,
    timer: TimerFd,
    /// The same timer, as what can be waited for.
    fired: AsyncFd<OwnedFd>,
    /// The last beat that was struck, in µs of the clock.
    struck_us: Cell<u64>,
    /// The tasks to be woken, by the beat.
    waiting: RefCell<BTreeMap<u64, Vec<Waker>>>,
}

/// One who waits for beats.
#[derive(Debug, Default)]
pub struct Listener {
    /// The beat at which it will be woken.
    asked_us: Option<u64>,
}

/// The beat at whose time something is due, both in µs.
pub fn beat_of(us: f64) -> u64 {
    (us.ceil() as u64).next_multiple_of(BEAT_US)
}

impl Beats {
    /// Makes the beats of `clock`.
    ///
    /// # Errors
    /// The system gives no timer (timerfd).
    pub fn of(clock: Clock) -> io::Result<Self> {
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC)?;
        #[expect(deprecated, reason = "its successor is unsafe, for what does not own its descriptor: this does")]
        let fired = AsyncFd::new(timer.as_fd().try_clone_to_owned()?)?;
        Ok(Self { clock, timer, fired, struck_us: Cell::default(), waiting: RefCell::default() })
    }

    /// Strikes the beats that somebody waits for.
    ///
    /// # Errors
    /// The timer fails.
    pub async fn strike(&self) -> io::Result<Infallible> {
        loop {
            self.fired.readable().await?.clear_ready();
            let now_us = self.clock.now_us();
            self.struck_us.set(now_us);
            let mut waiting = self.waiting.borrow_mut();
            let later = waiting.split_off(&(now_us + 1));
            std::mem::replace(&mut *waiting, later).into_values().flatten().for_each(Waker::wake);
            if let Some((next_us, _)) = waiting.first_key_value() {
                self.set(*next_us)?;
            }
        }
    }

    /// Waits for a beat, which may have been struck.
    ///
    /// # Errors
    /// The timer fails.
    pub fn poll(&self, beat_us: u64, listener: &mut Listener, context: &Context<'_>) -> Poll<io::Result<()>> {
        if beat_us <= self.struck_us.get() {
            return Poll::Ready(Ok(()));
        }
        if listener.asked_us != Some(beat_us) {
            let mut waiting = self.waiting.borrow_mut();
            if waiting.first_key_value().is_none_or(|(first_us, _)| beat_us < *first_us) {
                self.set(beat_us)?;
            }
            waiting.entry(beat_us).or_default().push(context.waker().clone());
            listener.asked_us = Some(beat_us);
        }
        Poll::Pending
    }

    fn set(&self, beat_us: u64) -> io::Result<()> {
        // A timer that is set to nothing is none.
        let left = Duration::from_micros(beat_us.saturating_sub(self.clock.now_us()).max(1));
        Ok(self.timer.set(Expiration::OneShot(left.into()), TimerSetTimeFlags::empty())?)
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, rc::Rc};

    use super::*;

    #[test]
    fn what_is_due_within_a_beat_is_due_at_its_end() {
        let beats = [0.0, 0.1, 999.9, 1000.0, 1000.1, 5_999.0].map(beat_of);
        assert_eq!(beats, [0, 1000, 1000, 1000, 2000, 6000]);
    }

    #[tokio::test(flavor = "local")]
    async fn each_wakes_at_its_beat_and_not_before() {
        let clock = Clock::new();
        let beats = Rc::new(Beats::of(clock).unwrap());
        let wait = async |beat_us: u64, listener: &mut Listener| {
            poll_fn(|context| beats.poll(beat_us, listener, context)).await.unwrap();
            clock.now_us()
        };
        let (mut one, mut other, mut third) = <(Listener, Listener, Listener)>::default();
        let listeners = async {
            // Behind one who waits for long, so that the timer is set anew for those who are due earlier.
            tokio::select! {
                biased;
                _ = wait(30_000_000, &mut one) => panic!("the timer was not set anew"),
                (first, second) = async { tokio::join!(wait(20_000, &mut other), wait(20_000, &mut third)) } => {
                    assert!(first >= 20_000 && second >= 20_000, "{first} {second}");
                }
            }
            // What was struck is not waited for, and a listener listens again.
            wait(20_000, &mut third).await;
            assert!(wait(40_000, &mut other).await >= 40_000);
        };
        tokio::select! {
            failed = beats.strike() => panic!("{failed:?}"),
            () = listeners => {}
        }
    }
}
