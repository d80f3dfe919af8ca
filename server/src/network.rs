//! The networks that an address belongs to, by which those who are not signed in are counted.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

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

#[cfg(test)]
mod tests {
    use super::*;

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
