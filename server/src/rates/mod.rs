//! Token buckets for users, addresses and names.

mod buckets;

use std::{hash::Hash, net::IpAddr, num::NonZeroU32, time::Duration};

use governor::{
    DefaultDirectRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
};
use kith_protocol::{Code, DeviceId, UserId};

use self::buckets::Bounded;
use crate::{
    Error,
    account::{KnownDevice, sha256},
    clock,
    config::Limits,
    limits,
    network::Networks,
    trust::Trust,
};

type Buckets<K> = RateLimiter<K, Bounded<K>, DefaultClock, StateInformationMiddleware>;

/// The state of a client's bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The name of the bucket, which is a label of a metric too.
    pub bucket: &'static str,
    /// Requests that a full bucket allows.
    pub limit: u32,
    /// Requests that it allows now.
    pub remaining: u32,
    /// The time until it is full.
    pub reset_after: Duration,
}

/// The answer of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked {
    /// The state of the bucket now.
    pub standing: Standing,
    /// The time after which it may try again; none where it may now.
    pub retry_after: Option<Duration>,
}

impl Checked {
    /// The refusal, where it is one.
    ///
    /// # Errors
    /// `rate_limited`, with when to try again.
    pub fn result(self) -> Result<(), Error> {
        match self.retry_after {
            None => Ok(()),
            Some(after) => {
                metrics::counter!("kith_rate_limited_total", "bucket" => self.standing.bucket).increment(1);
                Err(Error::new(Code::RateLimited).after(after))
            }
        }
    }
}

/// The buckets of those who are not signed in: of each address, and wider ones of the networks it is in.
struct ByNetwork {
    near: Buckets<IpAddr>,
    site: Buckets<IpAddr>,
    wide: Buckets<IpAddr>,
}

impl ByNetwork {
    fn new(quota: impl Fn(u32) -> Quota) -> Self {
        Self {
            near: buckets(quota(1)),
            site: buckets(quota(limits::SITE_TIMES)),
            wide: buckets(quota(limits::WIDE_TIMES)),
        }
    }

    /// Takes from each, the nearest first; tells the first that refuses, or where the address stands.
    fn check(&self, from: &Networks, bucket: &'static str) -> Checked {
        let near = check(&self.near, &from.near, bucket);
        let wider = [(&self.site, &from.site), (&self.wide, &from.wide)];
        let mut all = std::iter::once(near).chain(wider.into_iter().map(|(buckets, key)| check(buckets, key, bucket)));
        all.find(|checked| checked.retry_after.is_some()).unwrap_or(near)
    }

    fn sweep(&self) {
        [&self.near, &self.site, &self.wide].into_iter().for_each(sweep);
    }
}

/// The buckets of users: those who are new have less.
struct ByTrust {
    full: Buckets<UserId>,
    new: Buckets<UserId>,
}

impl ByTrust {
    /// Of so many a second. A client opens with many requests, and then makes few: their burst is not less.
    fn new(per_s: u32, burst: u32, new_burst: u32) -> Self {
        let new_per_s = Trust::New.share(per_s.into()) as u32;
        let quota = |per_s: u32, burst: u32| Quota::per_second(some(per_s)).allow_burst(some(burst));
        Self { full: buckets(quota(per_s, burst)), new: buckets(quota(new_per_s, new_burst)) }
    }

    fn of(&self, trust: Trust) -> &Buckets<UserId> {
        match trust {
            Trust::New => &self.new,
            Trust::Full => &self.full,
        }
    }

    fn sweep(&self) {
        [&self.full, &self.new].into_iter().for_each(sweep);
    }
}

/// The answer of the buckets to a sign-in on a device that is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignIn {
    /// The standing of the bucket that decides.
    pub checked: Checked,
    /// True where the name is asked for so often that it has to wait for its turn among others of the kind.
    pub slowed: bool,
}

/// All buckets of the server. Their number is bounded, and full ones take no memory after a sweep.
pub struct Rates {
    /// The trust in a user.
    trust: Box<dyn Fn(UserId) -> Trust + Send + Sync>,
    sends: ByTrust,
    requests: ByTrust,
    searches: ByTrust,
    hellos: Buckets<UserId>,
    guests: ByNetwork,
    sign_ins: ByNetwork,
    /// Of a name at an address.
    named: Buckets<(u64, Option<IpAddr>)>,
    /// Of a name, wherever it is asked for.
    names: Buckets<u64>,
    /// Of a device secret, or of a device that is signed in.
    proofs: Buckets<[u8; 16]>,
    failures: DefaultDirectRateLimiter,
    /// With which names are hashed; another one in every run.
    key: [u8; 32],
}

impl Rates {
    /// Full buckets.
    pub fn new(config: &Limits, trust: impl Fn(UserId) -> Trust + Send + Sync + 'static) -> Self {
        let per_second = |per_s: u32, burst: u32| Quota::per_second(some(per_s)).allow_burst(some(burst));
        let per_minute = |times: u32| Quota::per_minute(some(config.signins_per_min.saturating_mul(times)));
        let guests = |times: u32| {
            per_second(config.requests_per_s.saturating_mul(times), config.requests_burst.saturating_mul(times))
        };
        let named = Quota::per_minute(some(config.signins_per_min.div_ceil(limits::NAME_REFILL_TIMES)));
        Self {
            trust: Box::new(trust),
            sends: ByTrust::new(
                config.sends_per_s,
                config.sends_burst,
                Trust::New.share(config.sends_burst.into()) as u32,
            ),
            requests: ByTrust::new(config.requests_per_s, config.requests_burst, config.requests_burst),
            searches: ByTrust::new(
                limits::USERS_SEARCHES_PER_S,
                limits::USERS_SEARCHES_BURST,
                limits::USERS_SEARCHES_BURST,
            ),
            hellos: buckets(per_second(limits::HELLOS_PER_S, limits::HELLOS_BURST)),
            guests: ByNetwork::new(guests),
            sign_ins: ByNetwork::new(per_minute),
            named: buckets(named.allow_burst(some(config.signins_per_min))),
            names: buckets(per_minute(limits::NAME_TIMES)),
            proofs: buckets(per_minute(1)),
            failures: RateLimiter::direct(per_second(limits::FAILURES_LOGGED_PER_S, limits::FAILURES_LOGGED_BURST)),
            key: clock::random(),
        }
    }

    /// Counts a message of a user, through whichever door.
    ///
    /// # Errors
    /// After how long the user may try again.
    pub fn send(&self, user: UserId) -> Result<(), Duration> {
        match self.sending(user).retry_after {
            None => Ok(()),
            Some(after) => {
                metrics::counter!("kith_rate_limited_total", "bucket" => "sends").increment(1);
                Err(after)
            }
        }
    }

    /// Counts a message of a user, and tells where they stand.
    pub fn sending(&self, user: UserId) -> Checked {
        check(self.sends.of((self.trust)(user)), &user, "sends")
    }

    /// Counts another request of a user.
    pub fn request(&self, user: UserId) -> Checked {
        check(self.requests.of((self.trust)(user)), &user, "requests")
    }

    /// Counts a search of a user for people.
    pub fn search_for_people(&self, user: UserId) -> Checked {
        check(self.searches.of((self.trust)(user)), &user, "people")
    }

    /// Counts a hello of a user.
    ///
    /// # Errors
    /// After how long the user may try again.
    pub fn hello(&self, user: UserId) -> Result<(), Duration> {
        let checked = check(&self.hellos, &user, "hellos");
        match checked.result() {
            Ok(()) => Ok(()),
            Err(error) => Err(error.retry_after.unwrap_or_default()),
        }
    }

    /// Counts a request of who is not signed in.
    pub fn guest(&self, from: &Networks) -> Checked {
        self.guests.check(from, "address")
    }

    /// Counts a sign-up or sign-in from these networks, if there are any, under this name. Tells the stricter standing.
    /// The name alone never refuses, or whoever asks for it often would lock its owner out.
    pub fn sign_in(&self, from: Option<&Networks>, name: &str) -> SignIn {
        let near = from.map(|from| self.sign_ins.check(from, "sign_ins_address"));
        if let Some(refused) = near.filter(|checked| checked.retry_after.is_some()) {
            return SignIn { checked: refused, slowed: false };
        }
        let name = self.hash_of_name(name);
        let named = check(&self.named, &(name, from.map(|from| from.near)), "sign_ins_name");
        if named.retry_after.is_some() {
            return SignIn { checked: named, slowed: false };
        }
        let slowed = check(&self.names, &name, "sign_ins_name").retry_after.is_some();
        let stricter = near.filter(|near| near.standing.remaining < named.standing.remaining);
        SignIn { checked: stricter.unwrap_or(named), slowed }
    }

    /// Counts a sign-in on a known device.
    pub fn known(&self, device: &KnownDevice) -> Checked {
        let (key, _) = device.hash.split_first_chunk().expect("a hash has 32 bytes");
        check(&self.proofs, key, "sign_ins_device")
    }

    /// Counts a password by which a device that is signed in proves that its user is there.
    pub fn proof(&self, device: DeviceId) -> Checked {
        check(&self.proofs, &device.bytes(), "sign_ins_device")
    }

    /// Returns true as often as a failed sign-in may be logged.
    pub fn logs_failure(&self) -> bool {
        self.failures.check().is_ok()
    }

    /// Hashes a name with this run's key, so that a log can say that two are the same and not which.
    pub fn hash_of_name(&self, name: &str) -> u64 {
        let hash = sha256(&[&self.key[..], name.to_ascii_lowercase().as_bytes()].concat());
        let (first, _) = hash.split_first_chunk().expect("a hash has 32 bytes");
        u64::from_be_bytes(*first)
    }

    /// Forgets the buckets that are full.
    pub fn sweep(&self) {
        self.sends.sweep();
        self.requests.sweep();
        self.searches.sweep();
        sweep(&self.hellos);
        self.guests.sweep();
        self.sign_ins.sweep();
        sweep(&self.named);
        sweep(&self.names);
        sweep(&self.proofs);
    }
}

fn some(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN)
}

fn buckets<K: Hash + Eq + Clone>(quota: Quota) -> Buckets<K> {
    RateLimiter::new(quota, Bounded::default(), DefaultClock::default())
}

fn sweep<K: Hash + Eq + Clone>(buckets: &Buckets<K>) {
    buckets.retain_recent();
    buckets.shrink_to_fit();
}

fn check<K: Hash + Eq + Clone>(buckets: &Buckets<K>, key: &K, bucket: &'static str) -> Checked {
    let standing = |quota: Quota, remaining: u32| {
        let limit = quota.burst_size().get();
        let reset_after = quota.replenish_interval() * limit.saturating_sub(remaining);
        Standing { bucket, limit, remaining, reset_after }
    };
    match buckets.check_key(key) {
        Ok(state) => Checked { standing: standing(state.quota(), state.remaining_burst_capacity()), retry_after: None },
        Err(until) => {
            let after = until.wait_time_from(buckets.clock().now());
            Checked { standing: standing(until.quota(), 0), retry_after: Some(after) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_its_burst_and_then_tells_when() {
        let rates = Rates::new(&Limits { signins_per_min: 3, ..Limits::default() }, |_| Trust::Full);
        for remaining in [2, 1, 0] {
            let SignIn { checked, slowed } = rates.sign_in(None, "anna");
            assert_eq!((checked.retry_after, checked.standing.remaining, slowed), (None, remaining, false));
            assert_eq!(checked.standing.limit, 3);
        }
        let refused = rates.sign_in(None, "anna").checked;
        assert!(refused.retry_after.is_some_and(|after| after <= Duration::from_secs(60)));
        assert_eq!(refused.result().unwrap_err().code, Code::RateLimited);
        assert_eq!(rates.sign_in(None, "bela").checked.retry_after, None);
    }

    fn from(address: &str) -> Networks {
        Networks::of(address.parse().unwrap())
    }

    #[test]
    fn a_name_is_guessed_slowly_from_many_addresses_and_nobody_is_locked_out() {
        let rates = Rates::new(&Limits { signins_per_min: 2, ..Limits::default() }, |_| Trust::Full);
        let guess = |last: u8, name: &str| {
            let SignIn { checked, slowed } = rates.sign_in(Some(&from(&format!("198.51.{last}.1"))), name);
            (checked.retry_after.is_none(), slowed)
        };
        for last in 0..2 * limits::NAME_TIMES as u8 {
            assert_eq!(guess(last, "anna"), (true, false));
        }
        assert_eq!(guess(100, "Anna"), (true, true));
        assert_eq!(guess(1, "bela"), (true, false));
        assert!(!guess(1, "cora").0);
        let hash = [1; 32];
        let known = KnownDevice { user: UserId::from_bytes([1; 16]), hash };
        assert_eq!(rates.known(&known).retry_after, None);
    }

    #[test]
    fn who_has_many_addresses_has_one_share_for_each_network() {
        let rates = Rates::new(&Limits { requests_per_s: 1, requests_burst: 10, ..Limits::default() }, |_| Trust::Full);
        let taken = |address: &dyn Fn(u32) -> String| {
            (0..1000).filter(|number| rates.guest(&from(&address(*number))).retry_after.is_none()).count() as u32
        };
        let site = taken(&|number| format!("2001:db8:1:{number:02x}::1", number = number % 256));
        assert!((10 * limits::SITE_TIMES..10 * limits::SITE_TIMES + 5).contains(&site), "{site}");
        let wide = taken(&|number| format!("2001:db8:2:{:x}::1", number << 4));
        assert!((10 * limits::WIDE_TIMES..10 * limits::WIDE_TIMES + 20).contains(&wide), "{wide}");
        let v4 = taken(&|number| format!("198.51.100.{}", number % 256));
        assert!((10 * limits::SITE_TIMES..10 * limits::SITE_TIMES + 5).contains(&v4), "{v4}");
        assert_eq!(rates.guest(&from("2001:db8:3::1")).retry_after, None);
    }

    #[test]
    fn however_many_addresses_there_are_the_buckets_take_little_memory() {
        let rates = Rates::new(&Limits::default(), |_| Trust::Full);
        for number in 0..3 * limits::BUCKETS as u32 {
            let address = std::net::Ipv6Addr::from_bits(0x2001_0db8 << 96 | u128::from(number) << 64);
            rates.sign_in(Some(&Networks::of(address.into())), &number.to_string());
        }
        for kept in [rates.sign_ins.near.len(), rates.named.len(), rates.names.len()] {
            assert!(kept <= limits::BUCKETS, "{kept}");
        }
    }

    #[test]
    fn who_is_new_sends_a_tenth() {
        let new = UserId::from_bytes([1; 16]);
        let limits = Limits { sends_per_s: 1, sends_burst: 50, ..Limits::default() };
        let rates = Rates::new(&limits, move |user| if user == new { Trust::New } else { Trust::Full });
        let sent = |user| (0..100).filter(|_| rates.send(user).is_ok()).count();
        assert_eq!((sent(new), sent(UserId::from_bytes([2; 16]))), (5, 50));
    }

    #[test]
    fn full_buckets_are_forgotten() {
        let rates = Rates::new(&Limits { requests_per_s: 1_000_000, ..Limits::default() }, |_| Trust::Full);
        rates.request(UserId::from_bytes([1; 16]));
        std::thread::sleep(Duration::from_millis(2));
        rates.sweep();
        assert!(rates.requests.full.is_empty());
    }
}
