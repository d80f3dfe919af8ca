//! Fair shares of what there is little of: places, and the memory that those who have one need.
//!
//! Whoever waits stands in a queue of their own user, and the users take turns, so that nobody waits for all that another
//! has asked for. One who needs much is not overtaken by those who need little.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use kith_protocol::{Code, UserId};
use parking_lot::Mutex;
use tokio::{sync::oneshot, time::timeout};

use crate::Error;

/// The amount that is shared.
#[derive(Debug, Clone, Copy)]
pub struct Supply {
    /// Places of all users,
    pub places: usize,
    /// and of each.
    pub each: usize,
    /// Bytes of all who have a place.
    pub bytes: u64,
    /// The number that may wait for a place; more are refused.
    pub waiting: usize,
    /// The longest time that one of them may wait.
    pub wait: Duration,
}

/// A supply, and who has how much of it.
pub struct Fair {
    supply: Supply,
    state: Mutex<State>,
}

struct State {
    places: usize,
    bytes: u64,
    /// Places that each user has.
    has: HashMap<UserId, usize>,
    /// The users who wait, the next one first.
    turns: VecDeque<UserId>,
    queues: HashMap<UserId, VecDeque<Waiter>>,
    waiting: usize,
}

struct Waiter {
    bytes: u64,
    tell: oneshot::Sender<Share>,
}

/// A place, with its bytes; given back when it is dropped.
pub struct Share {
    of: Arc<Fair>,
    user: UserId,
    bytes: u64,
}

impl Fair {
    /// Shares a supply.
    pub fn new(supply: Supply) -> Arc<Self> {
        let Supply { places, bytes, .. } = supply;
        let (has, turns, queues) = (HashMap::new(), VecDeque::new(), HashMap::new());
        Arc::new(Self { supply, state: Mutex::new(State { places, bytes, has, turns, queues, waiting: 0 }) })
    }

    /// Returns true where so many bytes can be had at all.
    pub fn has(&self, bytes: u64) -> bool {
        bytes <= self.supply.bytes
    }

    /// Waits for a place with so many bytes.
    ///
    /// # Errors
    /// `overloaded` where too many wait, or this one did for too long; `too_large` for more bytes than there are.
    pub async fn take(self: &Arc<Self>, user: UserId, bytes: u64) -> Result<Share, Error> {
        if !self.has(bytes) {
            return Err(Code::TooLarge.into());
        }
        let overloaded = || Error::new(Code::Overloaded).after(Duration::from_secs(1));
        let (tell, told) = oneshot::channel();
        {
            let mut state = self.state.lock();
            if state.waiting >= self.supply.waiting {
                return Err(overloaded());
            }
            state.waiting += 1;
            let queue = state.queues.entry(user).or_default();
            queue.push_back(Waiter { bytes, tell });
            if queue.len() == 1 {
                state.turns.push_back(user);
            }
        }
        self.hand_out();
        timeout(self.supply.wait, told).await.map_err(|_| overloaded())?.map_err(|_| Code::Internal.into())
    }

    /// Gives what is there to those whose turn it is.
    fn hand_out(self: &Arc<Self>) {
        while let Some((waiter, share)) = self.next() {
            // One who waits no longer gives it back here, where nothing is locked.
            drop(waiter.tell.send(share));
        }
    }

    /// The next one who gets a place now, and the place.
    fn next(self: &Arc<Self>) -> Option<(Waiter, Share)> {
        let mut state = self.state.lock();
        if state.places == 0 {
            return None;
        }
        let own = |state: &State, user: &UserId| state.has.get(user).copied().unwrap_or(0);
        let at = state.turns.iter().position(|user| own(&state, user) < self.supply.each)?;
        let user = state.turns[at];
        if state.queues.get(&user)?.front()?.bytes > state.bytes {
            return None;
        }
        state.turns.remove(at);
        let queue = state.queues.get_mut(&user)?;
        let waiter = queue.pop_front()?;
        if queue.is_empty() {
            state.queues.remove(&user);
        } else {
            state.turns.push_back(user);
        }
        state.waiting -= 1;
        state.places -= 1;
        state.bytes -= waiter.bytes;
        *state.has.entry(user).or_default() += 1;
        let share = Share { of: self.clone(), user, bytes: waiter.bytes };
        Some((waiter, share))
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        {
            let mut state = self.of.state.lock();
            state.places += 1;
            state.bytes += self.bytes;
            if let Some(has) = state.has.get_mut(&self.user) {
                *has -= 1;
                if *has == 0 {
                    state.has.remove(&self.user);
                }
            }
        }
        self.of.hand_out();
    }
}

#[cfg(test)]
mod tests {
    use kith_protocol::Uuid;
    use tokio::task::JoinHandle;

    use super::*;

    fn fair(places: usize, each: usize) -> Arc<Fair> {
        fair_for(places, each, Duration::from_secs(60))
    }

    fn fair_for(places: usize, each: usize, wait: Duration) -> Arc<Fair> {
        Fair::new(Supply { places, each, bytes: 100, waiting: 6, wait })
    }

    fn user(number: u128) -> UserId {
        UserId::new(Uuid::from_u128(number))
    }

    /// Somebody who stands in line when this returns.
    async fn line(fair: &Arc<Fair>, number: u128, bytes: u64) -> JoinHandle<Result<Share, Error>> {
        let fair = fair.clone();
        let task = tokio::spawn(async move { fair.take(user(number), bytes).await });
        tokio::task::yield_now().await;
        task
    }

    async fn got(task: JoinHandle<Result<Share, Error>>) -> Share {
        task.await.unwrap().expect("a share")
    }

    #[tokio::test]
    async fn users_take_turns_however_much_one_has_asked_for() {
        let fair = fair(1, 1);
        let first = fair.take(user(1), 1).await.ok().unwrap();
        let (one, other) = (line(&fair, 1, 1).await, line(&fair, 1, 1).await);
        let (his, hers) = (line(&fair, 2, 1).await, line(&fair, 3, 1).await);
        drop(first);
        // The attacker's second stood in line before theirs, the third comes after.
        drop(got(one).await);
        drop(got(his).await);
        assert!(!other.is_finished(), "it is not its turn");
        drop(got(hers).await);
        drop(got(other).await);
        assert!(fair.take(user(2), 100).await.is_ok(), "all was given back");
    }

    #[tokio::test]
    async fn nobody_has_all_places() {
        let fair = fair(3, 2);
        let (_one, _two) = (fair.take(user(1), 1).await, fair.take(user(1), 1).await);
        let third = line(&fair, 1, 1).await;
        assert!(fair.take(user(2), 98).await.is_ok());
        assert!(!third.is_finished());
    }

    #[tokio::test]
    async fn one_who_needs_much_is_not_overtaken() {
        let fair = fair(3, 1);
        let held = fair.take(user(1), 50).await.ok().unwrap();
        let (much, little) = (line(&fair, 2, 80).await, line(&fair, 3, 10).await);
        assert!(!much.is_finished() && !little.is_finished());
        drop(held);
        let much = got(much).await;
        let _little = got(little).await;
        drop(much);
        assert_eq!(fair.take(user(4), 101).await.err().map(|error| error.code), Some(Code::TooLarge));
    }

    #[tokio::test]
    async fn too_many_are_refused_and_nobody_waits_for_ever() {
        let fair = fair_for(1, 1, Duration::from_millis(300));
        let held = fair.take(user(1), 1).await.ok().unwrap();
        let mut waiting = Vec::new();
        for number in 2..8 {
            waiting.push(line(&fair, number, 1).await);
        }
        let code = |share: Result<Share, Error>| share.err().map(|error| error.code);
        assert_eq!(code(fair.take(user(9), 1).await), Some(Code::Overloaded));
        for one in waiting {
            assert_eq!(code(one.await.unwrap()), Some(Code::Overloaded));
        }
        drop(held);
        assert!(fair.take(user(9), 1).await.is_ok(), "those who left have left nothing behind");
    }
}
