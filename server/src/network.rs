//! The address of a client, and the networks that it belongs to, by which those who are not signed in are counted.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::http::HeaderMap;
use ipnet::IpNet;

/// The networks of one address, from the nearest to the widest.
///
/// Of IPv6 a customer is given a /64 at least, mostly a /56, often a /48: who has one has all the addresses in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Networks {
    /// The address itself.
    pub address: IpAddr,
    /// The address; of IPv6 its /64.
    pub near: IpAddr,
    /// Its /24; of IPv6 its /56.
    pub site: IpAddr,
    /// Its /24; of IPv6 its /48.
    pub wide: IpAddr,
}

impl Networks {
    /// Returns the networks of an address.
    pub fn of(address: IpAddr) -> Self {
        let address = address.to_canonical();
        match address {
            IpAddr::V4(v4) => {
                let network = Ipv4Addr::from_bits(v4.to_bits() >> 8 << 8).into();
                Self { address, near: address, site: network, wide: network }
            }
            IpAddr::V6(v6) => {
                let network = |bits: u32| Ipv6Addr::from_bits(v6.to_bits() >> (128 - bits) << (128 - bits)).into();
                Self { address, near: network(64), site: network(56), wide: network(48) }
            }
        }
    }
}

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

    /// Returns the key by which its connections are counted: the address, of IPv6 the half that a customer is given; none
    /// for a bare loopback peer, which has no limit.
    pub fn key(self) -> Option<IpAddr> {
        self.networks().map(|networks| networks.near)
    }

    /// Returns the networks by which its requests are counted; nothing for a bare loopback peer, which has no limit.
    pub fn networks(self) -> Option<Networks> {
        self.address.map(Networks::of)
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
        Client::of(peer.parse().ok(), &headers, &trusted).networks().map(|from| from.near.to_string())
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
    fn each_is_in_the_next() {
        let networks = |text: &str| {
            let Networks { near, site, wide, .. } = Networks::of(text.parse().unwrap());
            [near, site, wide].map(|network| network.to_string())
        };
        assert_eq!(networks("198.51.100.7"), ["198.51.100.7", "198.51.100.0", "198.51.100.0"]);
        assert_eq!(networks("::ffff:198.51.100.7"), networks("198.51.100.7"));
        assert_eq!(networks("2001:db8:1:2345::6"), ["2001:db8:1:2345::", "2001:db8:1:2300::", "2001:db8:1::"]);
    }
}
