//! The budget of bytes that wait to be written: those of the whole server, and each user's part of them.
//!
//! A buffer counts from when it is made until its last holder lets go of it, which is when the last connection has written
//! it: an entry that all members of a channel get is one buffer, and counts once. Besides, what waits in a user's outboxes
//! and answers counts for that user, whoever else waits for the same buffer: that is what one user keeps from being freed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use kith_protocol::Code;

use crate::{Error, delivery::allowance::Allowance, limits, places::Visit};

/// The bytes that may wait to be written.
pub struct Budget {
    most: usize,
    held: AtomicUsize,
}

impl Budget {
    /// One of which nothing is spent.
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, held: AtomicUsize::new(0) })
    }

    /// Bytes of it that one user may hold.
    pub fn of_user(&self) -> usize {
        (self.most / limits::WAITING_USERS).min(u32::MAX as usize / 2)
    }

    /// Bytes that are held.
    pub fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    /// By how many bytes more than half of it is held, once three quarters are: then who does not read is closed.
    pub fn shortage(&self) -> usize {
        let held = self.held();
        if held > self.most / 4 * 3 { held - self.most / 2 } else { 0 }
    }

    /// Counts a buffer until its last holder lets go of it.
    pub fn hold(self: &Arc<Self>, bytes: impl AsRef<[u8]> + Send + 'static) -> Bytes {
        let charge = Charge::new(self.clone(), None, bytes.as_ref().len());
        charge.around(bytes)
    }

    /// Takes room for a page that is about to be made for a user.
    ///
    /// # Errors
    /// `overloaded`, when this user or all users together hold too much.
    pub fn reserve(self: &Arc<Self>, allowance: &Arc<Allowance>) -> Result<Charge, Error> {
        let charge = Charge::new(self.clone(), Some(allowance.clone()), limits::PAGE_RESERVE_BYTES);
        let (bound, why) = if allowance.waiting() > self.of_user() {
            ("user", "Read what you have asked for first.")
        } else if self.held() > self.most {
            ("server", "Too much waits to be read.")
        } else {
            return Ok(charge);
        };
        metrics::counter!("kith_pages_refused_total", "bound" => bound).increment(1);
        Err(Error::new(Code::Overloaded).because(why).after(Duration::from_millis(limits::OVERLOADED_MS)))
    }
}

/// Bytes of the budget, and of a user's part where they are one user's, until it is dropped.
pub struct Charge {
    budget: Arc<Budget>,
    allowance: Option<Arc<Allowance>>,
    /// The connection on which they wait, once they do.
    visit: Option<Arc<Visit>>,
    bytes: usize,
}

impl Charge {
    /// The bytes that are charged.
    pub fn new(budget: Arc<Budget>, allowance: Option<Arc<Allowance>>, bytes: usize) -> Self {
        let mut charge = Self { budget, allowance, visit: None, bytes: 0 };
        charge.resize(bytes);
        charge
    }

    /// Counts so many bytes from now on.
    pub fn resize(&mut self, bytes: usize) {
        // Less is more by a number that wraps around.
        self.budget.held.fetch_add(bytes.wrapping_sub(self.bytes), Ordering::Relaxed);
        if let Some(allowance) = &self.allowance {
            allowance.recount(self.bytes, bytes);
        }
        if let Some(visit) = &self.visit {
            visit.waiting.fetch_add(bytes.wrapping_sub(self.bytes), Ordering::Relaxed);
        }
        self.bytes = bytes;
    }

    /// Says on which connection they wait.
    pub fn on(&mut self, visit: Option<Arc<Visit>>) {
        let bytes = self.bytes;
        self.resize(0);
        self.visit = visit;
        self.resize(bytes);
    }

    /// A charge of its own for so many bytes: they are no longer part of this one, as far as they were.
    pub fn part(&mut self, bytes: usize) -> Self {
        self.resize(self.bytes.saturating_sub(bytes));
        let mut part = Self::new(self.budget.clone(), self.allowance.clone(), 0);
        part.visit.clone_from(&self.visit);
        part.resize(bytes);
        part
    }

    /// A buffer that is charged until its last holder lets go of it.
    pub fn around(self, bytes: impl AsRef<[u8]> + Send + 'static) -> Bytes {
        Bytes::from_owner(Charged { bytes, _charge: self })
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.resize(0);
    }
}

struct Charged<B> {
    bytes: B,
    _charge: Charge,
}

impl<B: AsRef<[u8]>> AsRef<[u8]> for Charged<B> {
    fn as_ref(&self) -> &[u8] {
        self.bytes.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_counts_once_and_until_its_last_holder_lets_go() {
        let budget = Budget::new(1 << 30);
        let frame = budget.hold(vec![0; 1000]);
        let readers = [frame.clone(), frame.slice(..10)];
        assert_eq!(budget.held(), 1000);
        drop(frame);
        assert_eq!(budget.held(), 1000);
        drop(readers);
        assert_eq!(budget.held(), 0);
    }

    #[test]
    fn a_user_has_a_part_and_all_have_the_whole() {
        let budget = Budget::new(limits::WAITING_USERS * 4 * limits::PAGE_RESERVE_BYTES);
        let users: Vec<_> =
            (0..2 * limits::WAITING_USERS).map(|_| Arc::new(Allowance::new(budget.of_user()))).collect();
        let mut kept = Vec::new();
        for user in &users[..limits::WAITING_USERS] {
            let before = kept.len();
            kept.extend(std::iter::from_fn(|| budget.reserve(user).ok()));
            assert_eq!(kept.len() - before, 4);
        }
        let other = budget.reserve(&users[limits::WAITING_USERS]).err().map(|error| error.code);
        assert_eq!(other, Some(Code::Overloaded));
        assert!(budget.shortage() > 0);
        kept.truncate(4);
        assert!(budget.reserve(&users[0]).is_err());
        assert!(budget.reserve(&users[1]).is_ok());
        drop(kept);
        assert_eq!((budget.held(), users.iter().map(|user| user.waiting()).sum::<usize>()), (0, 0));
    }

    #[test]
    fn the_parts_of_an_answer_are_charged_one_by_one() {
        let budget = Budget::new(1 << 30);
        let user = Arc::new(Allowance::new(budget.of_user()));
        let mut rest = Charge::new(budget.clone(), Some(user.clone()), 100);
        let first = rest.part(70).around(vec![0; 70]);
        assert_eq!((budget.held(), user.waiting()), (100, 100));
        let second = rest.part(50).around(vec![0; 50]);
        assert_eq!(budget.held(), 120, "more than was announced is taken anew");
        drop((first, rest));
        assert_eq!((budget.held(), user.waiting()), (50, 50));
        drop(second);
        assert_eq!((budget.held(), user.waiting()), (0, 0));
    }
}
