//! Users of whom the store has more to be pushed than the queue may hold: their rows are read again, some at a time, and put
//! where there is room meanwhile. So who has very much to be pushed waits for their own pushes, and nobody else does.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use kith_protocol::UserId;
use tokio::time::Instant;

use super::{Push, Work, queue::Target};
use crate::{
    Error, clock, limits,
    store::{
        self, Direction, Row, StoreExt as _,
        schema::{self, Pending, Value},
    },
};

/// The time for which the rows of a user are left alone before more of them are read.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// A pass through the rows of a user.
#[derive(Default)]
struct Pass {
    /// The key from which on to read; empty at the beginning.
    from: Vec<u8>,
    /// True where something was left out in this pass.
    left: bool,
}

/// The users with rows that are not in the queue, and when the rows of each are read next.
#[derive(Default)]
pub struct Behind {
    users: HashMap<UserId, Pass>,
    turns: VecDeque<(Instant, UserId)>,
}

impl Behind {
    /// The number of users.
    pub fn len(&self) -> usize {
        self.users.len()
    }

    /// Returns true for a user with such rows.
    pub fn has(&self, user: UserId) -> bool {
        self.users.contains_key(&user)
    }

    /// Notes that something of a user is not in the queue.
    pub fn note(&mut self, user: UserId, now: Instant) {
        let Self { users, turns } = self;
        let pass = users.entry(user).or_insert_with(|| {
            turns.push_back((now + LOOK_AGAIN, user));
            Pass::default()
        });
        pass.left = true;
    }

    /// Returns the time of the next turn.
    pub fn next_due(&self) -> Option<Instant> {
        self.turns.front().map(|(at, _)| *at)
    }

    /// Takes the user whose turn it is, if it is anybody's, and has them wait for the next one.
    fn take(&mut self, now: Instant) -> Option<(UserId, Vec<u8>)> {
        let (_, user) = self.turns.front().copied().filter(|(at, _)| *at <= now)?;
        self.turns.pop_front();
        self.turns.push_back((now + LOOK_AGAIN, user));
        let pass = self.users.entry(user).or_default();
        if pass.from.is_empty() {
            pass.left = false;
        }
        Some((user, pass.from.clone()))
    }

    /// Notes from where on to read next. A pass that came to its end and left nothing out was the last.
    fn passed(&mut self, user: UserId, next: Option<Vec<u8>>) {
        let Some(pass) = self.users.get_mut(&user) else { return };
        if next.is_none() && !pass.left {
            self.users.remove(&user);
            self.turns.retain(|(_, other)| *other != user);
        } else {
            pass.from = next.unwrap_or_default();
        }
    }
}

impl Push {
    /// Reads some rows of the user whose turn it is, and puts what is not in the queue. What is too old is given up.
    ///
    /// # Errors
    /// When the store does not answer, or has a row that cannot be read.
    pub(super) async fn catch_up_with_rows(&self, work: &mut Work) -> Result<(), Error> {
        let Some((user, from)) = work.behind.take(Instant::now()) else { return Ok(()) };
        let partition = schema::push::partition_of(user);
        let mut range = schema::push::pending_of_user(user);
        if !from.is_empty() {
            range.from = from;
        }
        let rows = self.store.scan(partition.clone(), range, Direction::Ascending, limits::SCAN_ROWS).await?;
        let full = rows.len() == limits::SCAN_ROWS;
        let next = rows.last().filter(|_| full).map(|last| schema::behind(&last.key));
        let mut outdated = Vec::new();
        for row in rows {
            if !self.recall_row(work, user, &row)? {
                outdated.push((row, None));
            }
        }
        work.behind.passed(user, next);
        let given_up = outdated.len() as u64;
        self.store.delete_unchanged(partition, outdated).await?;
        metrics::counter!("kith_pushes_total", "outcome" => "given_up").increment(given_up);
        Ok(())
    }

    /// Puts what a row of a user says, unless it is in the queue already; false where it is too old, or damaged.
    fn recall_row(&self, work: &mut Work, user: UserId, row: &Row) -> Result<bool, Error> {
        let (_, device) = schema::push::device_of(&row.key)?;
        let target = Target { user, device, conversation: schema::push::conversation_of(&row.key)? };
        if work.queue.row(&target).is_some() {
            return Ok(true);
        }
        let of = || format!("what waits to be pushed to {user} on {device}");
        let Some(pending) = store::unless_damaged(of, Pending::decode(&row.value)) else { return Ok(false) };
        if clock::forget_until().since(pending.since).as_secs() >= limits::PUSH_TTL_S {
            return Ok(false);
        }
        self.put(work, target, pending);
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_looked_at_until_a_whole_pass_left_nothing_out() {
        let (mut behind, mut now) = (Behind::default(), Instant::now());
        let (one, other) = (UserId::from_bytes([1; 16]), UserId::from_bytes([2; 16]));
        behind.note(one, now);
        behind.note(other, now);
        behind.note(one, now);
        assert!(behind.take(now).is_none());
        now += LOOK_AGAIN;
        assert_eq!(behind.take(now), Some((one, vec![])));
        behind.passed(one, Some(vec![7]));
        assert_eq!(behind.take(now), Some((other, vec![])), "they take turns");
        behind.passed(other, None);
        assert_eq!((behind.len(), behind.has(other)), (1, false));
        now += LOOK_AGAIN;
        assert_eq!(behind.take(now), Some((one, vec![7])));
        behind.note(one, now);
        behind.passed(one, None);
        now += LOOK_AGAIN;
        assert_eq!(behind.take(now), Some((one, vec![])), "something was left out");
        behind.passed(one, None);
        assert_eq!((behind.len(), behind.next_due()), (0, None));
    }
}
