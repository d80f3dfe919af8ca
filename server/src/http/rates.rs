//! Token buckets for users, addresses and names.

use std::{
    hash::Hash,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    num::NonZeroU32,
    time::Duration,
};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
    state::keyed::DefaultKeyedStateStore,
};
use ipnet::IpNet;
use kith_protocol::{Code, UserId};

use crate::{Error, config::Limits, limits};

type Buckets<K> = RateLimiter<K, DefaultKeyedStateStore<K>, DefaultClock, StateInformationMiddleware>;

/// Characters of a name that its bucket knows: those of the longest username.
const NAME_CHARS: usize = 32;

/// The address at the other end of a request, as far as it can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    address: Option<IpAddr>,
    forwarded: bool,
}

impl Client {
    /// The address of `peer`, or, where that is a trusted proxy, the last one it names that is none.
    pub fn of(peer: Option<IpAddr>, headers: &HeaderMap, trusted: &[IpNet]) -> Self {
        let Some(mut address) = peer.map(|peer| peer.to_canonical()) else {
            return Self { address: None, forwarded: false };
        };
        let named = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
        let named: Vec<&str> = named.flat_map(|value| value.split(',')).map(str::trim).collect();
        let mut forwarded = false;
        for name in named.into_iter().rev() {
            if !trusted.iter().any(|range| range.contains(&address)) {
                break;
            }
            let socket = || name.parse::<SocketAddr>().map(|socket| socket.ip());
            let Ok(next) = name.parse::<IpAddr>().or_else(|_| socket()) else { break };
            (address, forwarded) = (next.to_canonical(), true);
        }
        // Who connects from the machine itself is a program of its operator.
        Self { address: Some(address).filter(|address| forwarded || !address.is_loopback()), forwarded }
    }

    /// The address of a peer as far as it speaks for itself: none for a trusted proxy.
    pub fn direct(peer: IpAddr, trusted: &[IpNet]) -> Self {
        let peer = peer.to_canonical();
        let itself = !peer.is_loopback() && !trusted.iter().any(|range| range.contains(&peer));
        Self { address: Some(peer).filter(|_| itself), forwarded: false }
    }

    /// As [`Client::key`], of a client for whom a trusted proxy speaks.
    pub fn forwarded(self) -> Option<IpAddr> {
        self.key().filter(|_| self.forwarded)
    }

    /// What its requests are counted by: the address, of IPv6 the half that a customer is given; nothing for a bare
    /// loopback peer, which has no limit.
    pub fn key(self) -> Option<IpAddr> {
        self.address.map(|address| match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        })
    }
}

/// Where a client stands with a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    bucket: &'static str,
    limit: u32,
    remaining: u32,
    reset_after: Duration,
}

impl Standing {
    /// Sets the headers that tell it.
    pub fn write(self, headers: &mut HeaderMap) {
        let seconds = self.reset_after.as_millis().div_ceil(1000) as u64;
        headers.insert(HeaderName::from_static("x-ratelimit-limit"), HeaderValue::from(self.limit));
        headers.insert(HeaderName::from_static("x-ratelimit-remaining"), HeaderValue::from(self.remaining));
        headers.insert(HeaderName::from_static("x-ratelimit-reset-after"), HeaderValue::from(seconds));
        headers.insert(HeaderName::from_static("x-ratelimit-bucket"), HeaderValue::from_static(self.bucket));
    }
}

/// What a bucket said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked {
    /// Where the client stands now.
    pub standing: Standing,
    /// When it may try again; nothing where it may now.
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

/// All buckets of the server. Full ones take no memory after a sweep.
pub struct Rates {
    sends: Buckets<UserId>,
    requests: Buckets<UserId>,
    hellos: Buckets<UserId>,
    guests: Buckets<IpAddr>,
    sign_in_addresses: Buckets<IpAddr>,
    sign_in_names: Buckets<String>,
}

impl Rates {
    /// Full buckets.
    pub fn new(config: &Limits) -> Self {
        let quota = |per_s: u32, burst: u32| {
            let at_least_one = |number: u32| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
            Quota::per_second(at_least_one(per_s)).allow_burst(at_least_one(burst))
        };
        let requests = quota(config.requests_per_s, config.requests_burst);
        let sign_ins = Quota::per_minute(NonZeroU32::new(config.signins_per_min).unwrap_or(NonZeroU32::MIN));
        Self {
            sends: buckets(quota(config.sends_per_s, config.sends_burst)),
            requests: buckets(requests),
            hellos: buckets(quota(limits::HELLOS_PER_S, limits::HELLOS_BURST)),
            guests: buckets(requests),
            sign_in_addresses: buckets(sign_ins),
            sign_in_names: buckets(sign_ins),
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
        check(&self.sends, &user, "sends")
    }

    /// Counts another request of a user.
    pub fn request(&self, user: UserId) -> Checked {
        check(&self.requests, &user, "requests")
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
    pub fn guest(&self, address: IpAddr) -> Checked {
        check(&self.guests, &address, "address")
    }

    /// Counts a sign-up or sign-in from this address, if there is one, under this name. Tells the stricter standing.
    pub fn sign_in(&self, address: Option<IpAddr>, name: &str) -> Checked {
        let from = address.map(|address| check(&self.sign_in_addresses, &address, "sign_ins_address"));
        if let Some(refused) = from.filter(|checked| checked.retry_after.is_some()) {
            return refused;
        }
        let name = name.chars().take(NAME_CHARS).collect::<String>().to_ascii_lowercase();
        let named = check(&self.sign_in_names, &name, "sign_ins_name");
        let looser = |from: &Checked| from.standing.remaining < named.standing.remaining;
        from.filter(looser).filter(|_| named.retry_after.is_none()).unwrap_or(named)
    }

    /// Forgets the buckets that are full.
    pub fn sweep(&self) {
        sweep(&self.sends);
        sweep(&self.requests);
        sweep(&self.hellos);
        sweep(&self.guests);
        sweep(&self.sign_in_addresses);
        sweep(&self.sign_in_names);
    }
}

fn buckets<K: Hash + Eq + Clone>(quota: Quota) -> Buckets<K> {
    RateLimiter::keyed(quota).with_middleware()
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

    fn client(peer: &str, forwarded: &[&str], trusted: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|range| range.parse().unwrap()).collect();
        Client::of(peer.parse().ok(), &headers, &trusted).key().map(|key| key.to_string())
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let local = ["127.0.0.0/8", "::1/128"];
        assert_eq!(client("127.0.0.1", &[], &local), None);
        assert_eq!(client("203.0.113.9", &["198.51.100.1"], &local), Some("203.0.113.9".into()));
        assert_eq!(client("127.0.0.1", &["198.51.100.1"], &local), Some("198.51.100.1".into()));
        // The left part is what the client itself may have written.
        assert_eq!(client("127.0.0.1", &["10.9.9.9, 198.51.100.1"], &local), Some("198.51.100.1".into()));
        let two = ["127.0.0.0/8", "10.0.0.0/8"];
        assert_eq!(client("127.0.0.1", &["1.2.3.4, 198.51.100.1", "10.0.0.1:99"], &two), Some("198.51.100.1".into()));
        assert_eq!(client("127.0.0.1", &["rubbish"], &local), None);
        assert_eq!(client("::ffff:127.0.0.1", &["[2001:db8::1]:4"], &local), Some("2001:db8::".into()));
        assert_eq!(client("2001:db8:0:1:2::3", &[], &local), Some("2001:db8:0:1::".into()));
    }

    #[test]
    fn a_bucket_gives_its_burst_and_then_tells_when() {
        let rates = Rates::new(&Limits { signins_per_min: 3, ..Limits::default() });
        for remaining in [2, 1, 0] {
            let checked = rates.sign_in(None, "anna");
            assert_eq!((checked.retry_after, checked.standing.remaining), (None, remaining));
            assert_eq!(checked.standing.limit, 3);
        }
        let refused = rates.sign_in(None, "anna");
        assert!(refused.retry_after.is_some_and(|after| after <= Duration::from_secs(20)));
        assert_eq!(refused.result().unwrap_err().code, Code::RateLimited);
        assert_eq!(rates.sign_in(None, "bela").retry_after, None);
    }

    #[test]
    fn a_name_is_guessed_slowly_from_many_addresses() {
        let rates = Rates::new(&Limits { signins_per_min: 2, ..Limits::default() });
        let address = |last: u8| Some(IpAddr::from([198, 51, 100, last]));
        assert_eq!(rates.sign_in(address(1), "anna").retry_after, None);
        assert_eq!(rates.sign_in(address(2), "Anna").retry_after, None);
        assert!(rates.sign_in(address(3), "anna").retry_after.is_some());
        assert_eq!(rates.sign_in(address(1), "bela").retry_after, None);
        assert!(rates.sign_in(address(1), "cora").retry_after.is_some());
    }

    #[test]
    fn full_buckets_are_forgotten() {
        let rates = Rates::new(&Limits { requests_per_s: 1_000_000, ..Limits::default() });
        rates.request(UserId::from_bytes([1; 16]));
        std::thread::sleep(Duration::from_millis(2));
        rates.sweep();
        assert!(rates.requests.is_empty());
    }
}
