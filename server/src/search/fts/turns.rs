//! The turns of searches: users one after the other, whatever number of searches each has.

use std::{collections::VecDeque, sync::Arc};

use kith_protocol::UserId;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::Trouble;
use crate::limits;

/// The turns of all searches.
#[derive(Default)]
pub(super) struct Turns {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Turns that are taken now, [`limits::SEARCHES_AT_ONCE`] at most.
    taken: usize,
    /// The users with searches that wait, in the order of their turns; the searches of each, in theirs.
    users: VecDeque<(UserId, VecDeque<oneshot::Sender<Turn>>)>,
}

/// The right to search now; the next turn is given when it is dropped.
pub struct Turn {
    of: Arc<Turns>,
    user: UserId,
}

impl Turns {
    /// Waits for a turn of a user's.
    ///
    /// # Errors
    /// [`Trouble::Overloaded`] where too many of this user's wait, or too many in all and no other user has more of them.
    pub(super) async fn take(self: &Arc<Self>, user: UserId) -> Result<Turn, Trouble> {
        let waits = {
            let mut state = self.state.lock();
            if state.taken < limits::SEARCHES_AT_ONCE {
                state.taken += 1;
                return Ok(Turn { of: self.clone(), user });
            }
            state.wait(user)?
        };
        waits.await.map_err(|_| Trouble::Overloaded)
    }
}

impl Turn {
    /// Lets others have their turns, and waits for the user's next.
    ///
    /// # Errors
    /// As of [`Turns::take`].
    pub(super) async fn again(self) -> Result<Self, Trouble> {
        let (turns, user) = (self.of.clone(), self.user);
        drop(self);
        turns.take(user).await
    }
}

impl State {
    fn wait(&mut self, user: UserId) -> Result<oneshot::Receiver<Turn>, Trouble> {
        // Those who went away.
        self.users.iter_mut().for_each(|(_, searches)| searches.retain(|search| !search.is_closed()));
        self.users.retain(|(_, searches)| !searches.is_empty());
        let own = self.users.iter().position(|(other, _)| *other == user);
        let count = own.map_or(0, |at| self.users[at].1.len());
        if count >= limits::SEARCHES_WAITING_EACH {
            return Err(Trouble::Overloaded);
        }
        if self.users.iter().map(|(_, searches)| searches.len()).sum::<usize>() >= limits::SEARCHES_WAITING {
            self.evict(count)?;
        }
        let (gives, waits) = oneshot::channel();
        match own {
            Some(at) => self.users[at].1.push_back(gives),
            None => self.users.push_back((user, [gives].into())),
        }
        Ok(waits)
    }

    /// Refuses the last search of the user who has the most, to make room for one of a user who has so few.
    fn evict(&mut self, few: usize) -> Result<(), Trouble> {
        let most = self.users.iter_mut().map(|(_, searches)| searches).max_by_key(|searches| searches.len());
        match most.filter(|searches| searches.len() > few + 1) {
            Some(searches) => {
                searches.pop_back();
                Ok(())
            }
            None => Err(Trouble::Overloaded),
        }
    }

    /// The search whose turn it is; its user is the last then.
    fn next(&mut self) -> Option<(UserId, oneshot::Sender<Turn>)> {
        while let Some((user, mut searches)) = self.users.pop_front() {
            let next = searches.pop_front();
            if !searches.is_empty() {
                self.users.push_back((user, searches));
            }
            if let Some(next) = next.filter(|next| !next.is_closed()) {
                return Some((user, next));
            }
        }
        None
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let next = {
            let mut state = self.of.state.lock();
            let next = state.next();
            state.taken -= usize::from(next.is_none());
            next
        };
        // Where it has gone away meanwhile, the turn is dropped again, and goes to the next.
        if let Some((user, next)) = next {
            drop(next.send(Turn { of: self.of.clone(), user }));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{future::Future, pin::Pin};

    use futures_util::FutureExt as _;

    use super::*;

    type Waits = Pin<Box<dyn Future<Output = Result<Turn, Trouble>>>>;

    /// Turns of which all are taken.
    fn taken() -> (Arc<Turns>, Vec<Turn>) {
        let turns = Arc::new(Turns::default());
        let take = |_| turns.take(UserId::from_bytes([0; 16])).now_or_never().unwrap().expect("it is free");
        let taken = (0..limits::SEARCHES_AT_ONCE).map(take).collect();
        (turns, taken)
    }

    /// A search of a user's that waits, or the answer that it has at once.
    fn begin(turns: &Arc<Turns>, user: u8) -> Result<Waits, Result<Turn, Trouble>> {
        let turns = turns.clone();
        let search = async move { turns.take(UserId::from_bytes([user; 16])).await };
        let mut waits: Waits = Box::pin(search.fuse());
        (&mut waits).now_or_never().map_or(Ok(waits), Err)
    }

    fn waits(turns: &Arc<Turns>, user: u8) -> Waits {
        begin(turns, user).ok().expect("it waits")
    }

    /// Lets a turn end and says which of the searches has the next.
    fn next(turn: &mut Option<Turn>, searches: &mut [(u8, Waits)]) -> u8 {
        drop(turn.take());
        let has_turn = |(user, waits): &mut (u8, Waits)| Some((*user, waits.now_or_never()?.ok()?));
        let (user, next) = searches.iter_mut().find_map(has_turn).expect("a turn that ends is given to the next");
        *turn = Some(next);
        user
    }

    #[test]
    fn users_have_their_turns_one_after_the_other() {
        let (turns, mut taken) = taken();
        let mut searches = [1, 1, 1, 2, 3, 2].map(|user| (user, waits(&turns, user)));
        let mut turn = taken.pop();
        assert_eq!([0; 6].map(|_| next(&mut turn, &mut searches)), [1, 2, 3, 1, 2, 1]);
    }

    #[test]
    fn a_flood_refuses_its_own_user_only() {
        let (turns, mut taken) = taken();
        let flooders = (limits::SEARCHES_WAITING / limits::SEARCHES_WAITING_EACH) as u8;
        let mut searches = Vec::new();
        for user in 1..=flooders {
            let flood = (0..3 * limits::SEARCHES_WAITING_EACH).filter_map(|_| Some((user, begin(&turns, user).ok()?)));
            searches.extend(flood);
        }
        assert_eq!(searches.len(), limits::SEARCHES_WAITING, "so many of each, and no more");
        // All places are taken, and still there is one for who has none.
        searches.push((99, waits(&turns, 99)));
        let refused = searches.iter_mut().filter_map(|(user, waits)| Some((*user, waits.now_or_never()?.err()?)));
        assert_eq!(
            refused.map(|(user, why)| (user <= flooders, why)).collect::<Vec<_>>(),
            [(true, Trouble::Overloaded)]
        );
        let mut turn = taken.pop();
        let order: Vec<u8> = (0..=flooders).map(|_| next(&mut turn, &mut searches)).collect();
        assert_eq!(order, (1..=flooders).chain([99]).collect::<Vec<_>>(), "each of the others had one turn before");
    }

    #[test]
    fn who_went_away_has_no_turn() {
        let (turns, taken) = taken();
        let gone: Vec<Waits> = (0..limits::SEARCHES_WAITING_EACH).map(|_| waits(&turns, 1)).collect();
        let mut other = waits(&turns, 2);
        drop(gone);
        drop(taken);
        assert!((&mut other).now_or_never().is_some_and(|turn| turn.is_ok()));
        assert!(begin(&turns, 1).is_err_and(|answer| answer.is_ok()), "and nothing is left behind");
    }
}
