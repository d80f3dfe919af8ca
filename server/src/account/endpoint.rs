//! The addresses to which a push may go: on the public internet, over https, and nowhere else.
//!
//! An address is chosen by whoever subscribes, so it must not lead the server to what only the server can reach. The url is
//! checked when it is told, and each address that its name resolves to before a connection is made to it.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ipnet::IpNet;
use kith_protocol::push::PushSubscription;
use p256::PublicKey;
use url::{Host, Url};

use crate::{Error, clock, limits, store::schema::Subscription};

/// Networks of IPv4 that are not the public internet: the registry of special addresses (RFC 6890), multicast, and what is
/// reserved.
const NOT_PUBLIC_V4: [&str; 15] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
];
/// The unicast addresses of IPv6,
const PUBLIC_V6: &str = "2000::/3";
/// and what among them is not the public internet: protocol assignments with Teredo, documentation, 6to4.
const NOT_PUBLIC_V6: [&str; 4] = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"];
/// The well-known prefix of NAT64 (RFC 6052): an IPv4 address stands in its last four bytes.
const NAT64: &str = "64:ff9b::/96";

/// Returns true for an address of the public internet.
pub fn is_public(address: IpAddr) -> bool {
    let within = |net: &str| net.parse::<IpNet>().is_ok_and(|net| net.contains(&address));
    match address {
        IpAddr::V4(_) => !NOT_PUBLIC_V4.into_iter().any(within),
        IpAddr::V6(six) => match carried(six) {
            Some(four) => is_public(four.into()),
            None => within(PUBLIC_V6) && !NOT_PUBLIC_V6.into_iter().any(within),
        },
    }
}

/// The IPv4 address to which an IPv6 address leads.
fn carried(six: Ipv6Addr) -> Option<Ipv4Addr> {
    let nat64 = NAT64.parse::<IpNet>().is_ok_and(|net| net.contains(&IpAddr::V6(six)));
    let [.., a, b, c, d] = six.octets();
    six.to_ipv4_mapped().or(nat64.then_some(Ipv4Addr::new(a, b, c, d)))
}

/// The place of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// `host` or `host:port`.
    pub host: Arc<str>,
    /// The owner of its host: the registrable domain, by the public suffix list, or the address itself.
    pub domain: Arc<str>,
}

impl Site {
    /// The site of an address that cannot be read.
    pub fn unknown() -> Self {
        Self { host: "".into(), domain: "".into() }
    }
}

/// The address of a subscription.
#[derive(Clone)]
pub struct Endpoint {
    url: Url,
    /// True where this machine itself is allowed; for tests.
    loopback: bool,
}

impl Endpoint {
    /// Reads an address. `loopback` allows http to this machine, for tests.
    ///
    /// # Errors
    /// What is wrong with it, for who told it.
    pub fn read(text: &str, loopback: bool) -> Result<Self, &'static str> {
        if text.len() > limits::PUSH_ENDPOINT_CHARS {
            return Err("2048 characters at most");
        }
        let url = Url::parse(text).map_err(|_| "expected a url")?;
        let endpoint = Self { url, loopback };
        let public = match endpoint.url.host() {
            None => return Err("expected an https url"),
            Some(Host::Domain(name)) => {
                let name = name.trim_end_matches('.');
                name.contains('.') && !name.ends_with(".localhost")
            }
            Some(Host::Ipv4(four)) => is_public(four.into()),
            Some(Host::Ipv6(six)) => is_public(six.into()),
        };
        let here = loopback && endpoint.is_loopback();
        if endpoint.url.scheme() != "https" && !(here && endpoint.url.scheme() == "http") {
            return Err("expected an https url");
        }
        if !endpoint.url.username().is_empty() || endpoint.url.password().is_some() {
            return Err("a url without a user");
        }
        if endpoint.url.port() == Some(0) {
            return Err("there is no port 0");
        }
        if public || here { Ok(endpoint) } else { Err("not an address of the public internet") }
    }

    /// One that nobody has checked.
    #[cfg(test)]
    pub fn unchecked(text: &str) -> Self {
        Self { url: Url::parse(text).unwrap(), loopback: false }
    }

    fn is_loopback(&self) -> bool {
        match self.url.host() {
            Some(Host::Ipv4(four)) => four.is_loopback(),
            Some(Host::Ipv6(six)) => six.is_loopback(),
            _ => false,
        }
    }

    /// Returns true if a connection may be made to an address that its host resolved to.
    pub fn may_reach(&self, address: IpAddr) -> bool {
        is_public(address) || self.loopback && self.is_loopback() && address.is_loopback()
    }

    /// Returns true if it is reached with TLS.
    pub fn is_tls(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// The host without the brackets of an address, and the port.
    pub fn place(&self) -> (String, u16) {
        let host = self.url.host().map_or_else(String::new, |host| match host {
            Host::Domain(name) => name.to_owned(),
            Host::Ipv4(four) => four.to_string(),
            Host::Ipv6(six) => six.to_string(),
        });
        (host, self.url.port_or_known_default().unwrap_or(443))
    }

    /// Returns its place.
    pub fn site(&self) -> Site {
        let (name, _) = self.place();
        let domain = match self.url.host() {
            Some(Host::Domain(_)) => psl::domain_str(name.trim_end_matches('.')).unwrap_or(name.as_str()),
            _ => name.as_str(),
        };
        Site { host: self.authority().into(), domain: domain.into() }
    }

    /// `host` or `host:port`, as a request names it.
    pub fn authority(&self) -> &str {
        self.url.authority()
    }

    /// The target of a request: the path, and the query if there is one.
    pub fn target(&self) -> String {
        let query = self.url.query().map_or_else(String::new, |query| format!("?{query}"));
        format!("{}{query}", self.url.path())
    }

    /// The origin, which a signature is for (RFC 8292).
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }
}

/// Reads a subscription as a device tells it.
///
/// # Errors
/// The field that is not valid.
pub fn read(told: &PushSubscription, loopback: bool) -> Result<Subscription, Error> {
    let bad = |pointer: &str, detail: &str| Error::field(pointer, detail);
    Endpoint::read(&told.endpoint, loopback).map_err(|detail| bad("/endpoint", detail))?;
    let key = base64::<65>(&told.keys.p256dh).filter(|key| PublicKey::from_sec1_bytes(key).is_ok());
    let key = key.ok_or_else(|| bad("/keys/p256dh", "expected an uncompressed point of P-256 in base64url"))?;
    let auth = base64::<16>(&told.keys.auth).ok_or_else(|| bad("/keys/auth", "expected 16 bytes in base64url"))?;
    Ok(Subscription { endpoint: told.endpoint.clone(), key: key.to_vec(), auth, created_at: clock::now() })
}

/// The bytes of a text in base64url, with or without padding, if they are `N`.
pub fn base64<const N: usize>(text: &str) -> Option<[u8; N]> {
    let text = text.trim_end_matches('=');
    // Before anything is decoded that is too long.
    (text.len() == (N * 4).div_ceil(3)).then(|| URL_SAFE_NO_PAD.decode(text).ok())??.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_one_owner_are_one_domain() {
        for (url, host, domain) in [
            ("https://fcm.googleapis.com/fcm/send/x", "fcm.googleapis.com", "fcm.googleapis.com"),
            ("https://updates.push.services.mozilla.com/x", "updates.push.services.mozilla.com", "mozilla.com"),
            ("https://a.b.example.co.uk:8443/x", "a.b.example.co.uk:8443", "example.co.uk"),
            ("https://one.github.io/", "one.github.io", "one.github.io"),
            ("https://192.0.2.1:444/x", "192.0.2.1:444", "192.0.2.1"),
            ("https://[2001:db8::1]/x", "[2001:db8::1]", "2001:db8::1"),
        ] {
            assert_eq!(Endpoint::unchecked(url).site(), Site { host: host.into(), domain: domain.into() }, "{url}");
        }
    }

    #[test]
    fn only_addresses_of_the_public_internet_are_public() {
        for text in ["1.1.1.1", "142.250.74.10", "172.32.0.1", "100.128.0.1", "2606:4700::1", "2a00:1450::1"] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
        for text in ["::ffff:1.1.1.1", "64:ff9b::101:101"] {
            assert!(is_public(text.parse().unwrap()), "{text} leads to 1.1.1.1");
        }
        for text in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:10::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn an_endpoint_is_https_on_a_public_host() {
        for text in ["https://push.example.org/a/b?c=d", "https://push.example.org:8443/x", "https://1.1.1.1/x"] {
            Endpoint::read(text, false).unwrap_or_else(|why| panic!("{text}: {why}"));
        }
        for text in [
            "",
            "push",
            "/push",
            "http://push.example.org/",
            "ftp://push.example.org/",
            "javascript:alert(1)",
            "https://",
            "https://user@push.example.org/",
            "https://user:word@push.example.org/",
            "https://localhost/",
            "https://printer/",
            "https://a.localhost/",
            "https://localhost./",
            "https://push.example.org:0/",
            "https://127.0.0.1/",
            "https://10.0.0.1/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[fd00::1]/",
            "http://127.0.0.1/",
            // What other ways there are to write 127.0.0.1 and 169.254.169.254.
            "https://127.1/",
            "https://0x7f.1/",
            "https://2130706433/",
            "https://0177.0.0.1/",
            "https://2852039166/",
            "https://127.0.0.1./",
        ] {
            assert!(Endpoint::read(text, false).is_err(), "{text}");
        }
        assert!(Endpoint::read(&format!("https://push.example.org/{}", "a".repeat(2048)), false).is_err());
    }

    #[test]
    fn a_test_may_use_this_machine_and_no_other() {
        for text in ["http://127.0.0.1:9/x", "https://127.0.0.1/x", "http://[::1]:9/x"] {
            let endpoint = Endpoint::read(text, true).unwrap_or_else(|why| panic!("{text}: {why}"));
            assert!(endpoint.may_reach([127, 0, 0, 1].into()) && !endpoint.may_reach([10, 0, 0, 1].into()));
        }
        for text in ["http://10.0.0.1/", "http://push.example.org/", "https://localhost/", "http://localhost/"] {
            assert!(Endpoint::read(text, true).is_err(), "{text}");
        }
        assert!(!Endpoint::read("https://push.example.org/", true).unwrap().may_reach([127, 0, 0, 1].into()));
    }

    #[test]
    fn a_request_names_what_the_url_names() {
        let endpoint = Endpoint::read("https://Push.Example.org:8443/a%20b/?c=d#e", false).unwrap();
        assert_eq!(endpoint.place(), ("push.example.org".to_owned(), 8443));
        assert_eq!((endpoint.authority(), &*endpoint.target()), ("push.example.org:8443", "/a%20b/?c=d"));
        assert_eq!(endpoint.origin(), "https://push.example.org:8443");
        assert_eq!(
            Endpoint::read("https://push.example.org:443/", false).unwrap().origin(),
            "https://push.example.org"
        );
    }
}
