//! Limits the sign-ups of a day: in all, and from one network.

use std::{collections::HashMap, net::IpAddr, time::Duration};

use kith_protocol::{Code, Timestamp};
use parking_lot::Mutex;

use crate::Error;

/// The milliseconds of a day.
const DAY_MS: u64 = 24 * 3600 * 1000;

/// The sign-ups of this day, UTC. Networks are at most as many as sign-ups; a restart begins anew.
pub(super) struct SignUps {
    per_network: u32,
    total: u32,
    today: Mutex<Today>,
}

#[derive(Default)]
struct Today {
    day: u64,
    total: u32,
    networks: HashMap<IpAddr, u32>,
}

/// A sign-up that is counted; no longer once this is dropped, unless it [happened](Self::happened).
pub(super) struct Counted<'a> {
    of: &'a SignUps,
    day: u64,
    network: IpAddr,
    happened: bool,
}

impl SignUps {
    pub fn new(per_network: u32, total: u32) -> Self {
        Self { per_network, total, today: Mutex::default() }
    }

    /// Counts a sign-up from a network.
    ///
    /// # Errors
    /// `rate_limited` until the next day, where there were as many as there may be.
    pub fn count(&self, network: IpAddr, now: Timestamp) -> Result<Counted<'_>, Error> {
        let day = now.millis() / DAY_MS;
        let mut today = self.today.lock();
        if today.day != day {
            *today = Today { day, ..Today::default() };
        }
        let from_here = today.networks.get(&network).copied().unwrap_or_default();
        if from_here >= self.per_network || today.total >= self.total {
            let detail = match from_here >= self.per_network {
                true => "As many accounts as may be were made from your network today.",
                false => "As many accounts as may be were made today.",
            };
            let tomorrow = Duration::from_millis(DAY_MS - now.millis() % DAY_MS);
            return Err(Error::new(Code::RateLimited).because(detail).after(tomorrow));
        }
        today.total += 1;
        today.networks.insert(network, from_here + 1);
        Ok(Counted { of: self, day, network, happened: false })
    }
}

impl Counted<'_> {
    /// Keeps the count.
    pub fn happened(mut self) {
        self.happened = true;
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        let mut today = self.of.today.lock();
        if self.happened || today.day != self.day {
            return;
        }
        today.total -= 1;
        if let Some(count) = today.networks.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                today.networks.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_and_all_together_have_so_many_a_day_and_what_fails_is_not_counted() {
        let sign_ups = SignUps::new(2, 3);
        let (morning, network) = (Timestamp::from_millis(5 * DAY_MS), |last: u8| IpAddr::from([198, 51, last, 0]));
        for _ in 0..10 {
            drop(sign_ups.count(network(1), morning).unwrap());
        }
        for _ in 0..2 {
            sign_ups.count(network(1), morning).unwrap().happened();
        }
        let refused = sign_ups.count(network(1), morning).err().unwrap();
        assert_eq!((refused.code, refused.retry_after), (Code::RateLimited, Some(Duration::from_millis(DAY_MS))));
        sign_ups.count(network(2), morning).unwrap().happened();
        assert!(sign_ups.count(network(3), morning).is_err());
        assert_eq!(sign_ups.today.lock().networks.len(), 2);
        sign_ups.count(network(1), Timestamp::from_millis(6 * DAY_MS)).unwrap().happened();
    }
}
