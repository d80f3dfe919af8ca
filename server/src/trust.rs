//! Trust in accounts: a new one may do a tenth of what others may, so that many of them are of little use.

use std::time::Duration;

use kith_protocol::Timestamp;

use crate::limits;

/// The trust in an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Made a short while ago, by nobody whom the operator knows.
    New,
    /// All others.
    Full,
}

/// The rule by which an account is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Newness {
    /// The number of hours for which an account is new; none ever is where this is 0.
    pub hours: u32,
}

impl Newness {
    /// Returns how far an account is trusted that was made at `created_at`; who was imported, or invited by the operator,
    /// is `vouched` for.
    pub fn trust(self, created_at: Timestamp, vouched: bool, now: Timestamp) -> Trust {
        let until = created_at.plus(Duration::from_secs(u64::from(self.hours) * 3600));
        if vouched || until <= now { Trust::Full } else { Trust::New }
    }
}

impl Trust {
    /// Returns how much of a bound the account has.
    pub fn share(self, bound: u64) -> u64 {
        match self {
            Self::New => bound.div_ceil(limits::NEW_ACCOUNT_SHARE),
            Self::Full => bound,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_new_for_its_first_hours_unless_somebody_vouches_for_it() {
        let (made, hour) = (Timestamp::from_millis(1_000_000), Duration::from_secs(3600));
        let day = Newness { hours: 24 };
        assert_eq!(day.trust(made, false, made), Trust::New);
        assert_eq!(day.trust(made, false, made.plus(23 * hour)), Trust::New);
        assert_eq!(day.trust(made, false, made.plus(24 * hour)), Trust::Full);
        assert_eq!(day.trust(made, true, made), Trust::Full);
        assert_eq!(Newness { hours: 0 }.trust(made, false, made), Trust::Full);
        assert_eq!([0, 1, 10, 101].map(|bound| Trust::New.share(bound)), [0, 1, 1, 11]);
        assert_eq!(Trust::Full.share(7), 7);
    }
}
