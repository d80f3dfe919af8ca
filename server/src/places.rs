//! The places of connections: how many may be open, in all and of one address, and which is closed when they run short.
//!
//! A connection has its place from when it is accepted until it is closed, also once it has become a socket. One that is
//! HTTP still and asks nothing gives its place up to another that comes: the one that has asked nothing for longest.
//! A connection of a trusted proxy counts for whom the proxy speaks: while it asks something, and as long as it is a socket.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use ipnet::IpNet;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::network::Client;

/// The turn of a connection that is at work: none.
const AT_WORK: u64 = 0;
/// The hash of no address.
const NOBODY: u64 = 0;
/// One part in so many of all places is freed at a time, so that a crowd does not have all connections looked through for
/// each of its own.
const FREED: usize = 64;
/// The time for which nobody looks again when no connection was idle.
const BARREN: Duration = Duration::from_millis(50);

/// There is no place; the name is a label of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// In the whole server.
    Server,
    /// For this address.
    Address,
}

impl Full {
    /// Counts a connection that was refused for it.
    pub fn count(self) {
        let bound = match self {
            Self::Server => "server",
            Self::Address => "address",
        };
        metrics::counter!("kith_connections_refused_total", "bound" => bound).increment(1);
    }
}

/// The places of a server.
pub struct Places {
    most: usize,
    each: usize,
    trusted: Vec<IpNet>,
    hasher: RandomState,
    taken: AtomicUsize,
    /// Connections of each address that has some, by the address's hash.
    addresses: Mutex<HashMap<u64, usize>>,
    /// The last turn that was given to a connection which fell idle.
    turn: AtomicU64,
    visits: Mutex<Visits>,
}

#[derive(Default)]
struct Visits {
    open: HashMap<u64, Arc<Visit>>,
    next: u64,
    /// Connections that were told to go and whose places nobody was promised yet.
    promised: usize,
    barren_until: Option<Instant>,
}

/// One connection's place, until it is dropped. It is part of every idle connection, and so has no more than it needs.
pub struct Place {
    places: Arc<Places>,
    /// The hash of the address for which it counts, or [`NOBODY`].
    address: u64,
}

/// One connection that counts for an address, until it is dropped.
pub struct Counted {
    places: Arc<Places>,
    address: u64,
}

impl Places {
    /// All of them free: `most` in all, and `each` of them for one address; a `trusted` proxy has none of its own.
    pub fn new(most: usize, each: usize, trusted: Vec<IpNet>) -> Arc<Self> {
        Arc::new(Self {
            most,
            each,
            trusted,
            hasher: RandomState::new(),
            taken: AtomicUsize::new(0),
            addresses: Mutex::default(),
            turn: AtomicU64::new(AT_WORK),
            visits: Mutex::default(),
        })
    }

    /// Connections that are open.
    pub fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// Takes a place for a connection that was accepted; where none is free, that of one which asks nothing.
    ///
    /// # Errors
    /// When there is none.
    pub fn take(self: &Arc<Self>, peer: SocketAddr) -> Result<Place, Full> {
        let direct = Client::direct(peer.ip(), &self.trusted).key();
        let address = direct.map_or(Ok(NOBODY), |address| self.count(address))?;
        let place = Place { places: self.clone(), address };
        if self.taken.fetch_add(1, Ordering::Relaxed) >= self.most && !self.make_room() {
            return Err(Full::Server);
        }
        Ok(place)
    }

    /// Counts a connection for an address, of which this is the hash.
    fn count(&self, address: IpAddr) -> Result<u64, Full> {
        let address = self.hasher.hash_one(address).max(NOBODY + 1);
        let mut addresses = self.addresses.lock();
        let count = addresses.entry(address).or_default();
        if *count >= self.each {
            return Err(Full::Address);
        }
        *count += 1;
        Ok(address)
    }

    /// Takes back that a connection counts for an address.
    fn uncount(&self, address: u64) {
        if address == NOBODY {
            return;
        }
        let mut addresses = self.addresses.lock();
        let Some(count) = addresses.get_mut(&address) else { return };
        *count -= 1;
        if *count == 0 {
            addresses.remove(&address);
            // A crowd that left must not leave its seats.
            if addresses.capacity() > 1024 && addresses.len() * 4 < addresses.capacity() {
                addresses.shrink_to_fit();
            }
        }
    }

    /// Calls `each` with every connection that is HTTP still.
    pub fn visits(&self, each: impl FnMut(&Arc<Visit>)) {
        self.visits.lock().open.values().for_each(each);
    }

    /// Follows a connection as long as it is HTTP.
    pub fn enter(self: &Arc<Self>, place: &Place) -> Visiting {
        let mut visits = self.visits.lock();
        let number = visits.next;
        visits.next += 1;
        let visit = Arc::new(Visit {
            places: self.clone(),
            number,
            proxied: place.address == NOBODY,
            counted: Mutex::new(None),
            idle_since: AtomicU64::new(self.next_turn()),
            asked: AtomicBool::new(false),
            blocked: AtomicBool::new(false),
            socket: AtomicBool::new(false),
            waiting: AtomicUsize::new(0),
            written: AtomicU32::new(0),
            cut: AtomicBool::new(false),
            told: AtomicBool::new(false),
            go: Notify::new(),
        });
        visits.open.insert(number, visit.clone());
        Visiting(visit)
    }

    fn next_turn(&self) -> u64 {
        self.turn.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Promises the place of a connection that asks nothing; true where there was one.
    fn make_room(&self) -> bool {
        let mut visits = self.visits.lock();
        if visits.promised == 0 {
            visits.tell_to_go((self.most / FREED).max(1));
        }
        let room = visits.promised > 0;
        visits.promised = visits.promised.saturating_sub(1);
        room
    }
}

impl Visits {
    /// Tells so many connections to go: those that have asked nothing for longest.
    fn tell_to_go(&mut self, count: usize) {
        let now = Instant::now();
        if self.barren_until.is_some_and(|until| now < until) {
            return;
        }
        let mut idle: Vec<_> = self.open.values().filter_map(|visit| Some((visit.idle()?, visit))).collect();
        idle.sort_unstable_by_key(|(since, _)| *since);
        for (_, visit) in idle.iter().take(count) {
            visit.told.store(true, Ordering::Relaxed);
            visit.go.notify_one();
        }
        self.promised = idle.len().min(count);
        self.barren_until = (self.promised == 0).then(|| now + BARREN);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.uncount(self.address);
        self.places.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Place {
    /// Has the connection count for whom its proxy spoke, from now on.
    pub fn count_for(&mut self, counted: Option<Counted>) {
        if let Some(mut counted) = counted.filter(|_| self.address == NOBODY) {
            self.address = std::mem::replace(&mut counted.address, NOBODY);
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.places.uncount(self.address);
    }
}

/// A connection as long as it is HTTP.
pub struct Visit {
    places: Arc<Places>,
    number: u64,
    /// True where it counts for the address for which its proxy speaks.
    proxied: bool,
    /// For whom that is, while they ask something.
    counted: Mutex<Option<Counted>>,
    idle_since: AtomicU64,
    asked: AtomicBool,
    /// The answer is not all written.
    blocked: AtomicBool,
    /// True once it becomes a socket.
    socket: AtomicBool,
    /// Bytes of answers that wait to be written.
    pub waiting: AtomicUsize,
    /// Bytes that were written, modulo 2³².
    written: AtomicU32,
    /// True once it is to end in the middle of what it does.
    cut: AtomicBool,
    told: AtomicBool,
    go: Notify,
}

impl Visit {
    /// Begins a request of a client; the connection is at work until what this returns is dropped.
    ///
    /// # Errors
    /// When the client's address has as many connections as it may have.
    pub fn ask(self: &Arc<Self>, client: Client) -> Result<Asking, Full> {
        self.asked.store(true, Ordering::Relaxed);
        self.idle_since.store(AT_WORK, Ordering::Relaxed);
        let asking = Asking(self.clone());
        if let Some(address) = client.forwarded().filter(|_| self.proxied) {
            let address = self.places.count(address)?;
            *self.counted.lock() = Some(Counted { places: self.places.clone(), address });
        }
        Ok(asking)
    }

    /// Says that the connection becomes a socket; for whom that counts.
    pub fn become_socket(&self) -> Option<Counted> {
        self.socket.store(true, Ordering::Relaxed);
        self.counted.lock().take()
    }

    /// Notes how many bytes were written; none where the client takes no more.
    pub fn wrote(&self, bytes: Option<usize>) {
        self.blocked.store(bytes.is_none(), Ordering::Relaxed);
        self.written.fetch_add(bytes.unwrap_or(0) as u32, Ordering::Relaxed);
    }

    /// Bytes of answers that wait, and how many bytes were written so far, modulo 2³².
    pub fn traffic(&self) -> (usize, u32) {
        (self.waiting.load(Ordering::Relaxed), self.written.load(Ordering::Relaxed))
    }

    /// Ends the connection in the middle of what it does.
    pub fn cut(&self) {
        self.cut.store(true, Ordering::Relaxed);
        self.go.notify_one();
    }

    /// Waits until the connection is to go, since others need its place; true where it is to finish what it may be in the middle of.
    pub async fn told_to_go(&self) -> bool {
        self.go.notified().await;
        self.asked.load(Ordering::Relaxed) && !self.cut.load(Ordering::Relaxed)
    }

    /// Since which turn it asks nothing; none where it does, or has not got its answer, or was told to go.
    fn idle(&self) -> Option<u64> {
        let since = self.idle_since.load(Ordering::Relaxed);
        let busy = [&self.blocked, &self.socket, &self.told].iter().any(|busy| busy.load(Ordering::Relaxed));
        (since != AT_WORK && !busy).then_some(since)
    }
}

/// Follows a connection until it is closed or has become a socket.
pub struct Visiting(Arc<Visit>);

impl std::ops::Deref for Visiting {
    type Target = Arc<Visit>;

    fn deref(&self) -> &Arc<Visit> {
        &self.0
    }
}

impl Drop for Visiting {
    fn drop(&mut self) {
        let mut visits = self.0.places.visits.lock();
        visits.open.remove(&self.0.number);
        if self.0.told.load(Ordering::Relaxed) {
            // Its place is free now for whoever comes.
            visits.promised = visits.promised.saturating_sub(1);
        }
        if visits.open.capacity() > 1024 && visits.open.len() * 4 < visits.open.capacity() {
            visits.open.shrink_to_fit();
        }
    }
}

/// A request that is under way on a connection.
pub struct Asking(Arc<Visit>);

impl Asking {
    /// The connection that it is under way on.
    pub fn visit(&self) -> &Arc<Visit> {
        &self.0
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        *self.0.counted.lock() = None;
        self.0.idle_since.store(self.0.places.next_turn(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies() -> Vec<IpNet> {
        vec!["127.0.0.0/8".parse().unwrap()]
    }

    fn places(connections: u32, of_address: u32) -> Arc<Places> {
        Places::new(connections as usize, of_address as usize, proxies())
    }

    fn peer(address: &str) -> SocketAddr {
        SocketAddr::new(address.parse().unwrap(), 9)
    }

    fn forwarded(address: &str) -> Client {
        let mut headers = axum::http::HeaderMap::new();
        headers.insert("x-forwarded-for", address.parse().unwrap());
        Client::of("127.0.0.1".parse().ok(), &headers, &proxies())
    }

    #[test]
    fn an_address_has_its_share_and_a_proxy_has_that_of_whom_it_speaks_for() {
        let places = places(100, 2);
        let [one, _other] = ["2001:db8::1", "2001:db8::2"].map(|address| places.take(peer(address)).unwrap());
        assert_eq!(places.take(peer("2001:db8::3")).err(), Some(Full::Address), "of the same network");
        drop(one);
        assert!(places.take(peer("2001:db8::3")).is_ok());
        // The proxy itself has no bound.
        let proxied: Vec<_> = (0..3).map(|_| places.take(peer("127.0.0.1")).unwrap()).collect();
        let visits: Vec<_> = proxied.iter().map(|place| places.enter(place)).collect();
        let asking = [visits[0].ask(forwarded("198.51.100.1")).ok(), visits[1].ask(forwarded("198.51.100.1")).ok()];
        assert!(asking.iter().all(Option::is_some));
        assert_eq!(visits[2].ask(forwarded("198.51.100.1")).err(), Some(Full::Address));
        assert!(visits[2].ask(forwarded("198.51.100.2")).is_ok());
        drop(asking);
        // What becomes a socket counts for as long as it is one.
        for visit in &visits[..2] {
            let _asking = visit.ask(forwarded("198.51.100.1")).unwrap();
            let counted = visit.become_socket();
            assert!(counted.is_some());
            std::mem::forget(counted);
        }
        assert_eq!(visits[2].ask(forwarded("198.51.100.1")).err(), Some(Full::Address));
        assert!(visits[2].ask(forwarded("127.0.0.1")).is_ok());
    }

    #[test]
    fn who_asks_nothing_makes_room_the_longest_first() {
        let places = places(3, 3);
        let three = [1, 2, 3].map(|_| places.take(peer("127.0.0.1")).unwrap());
        let visits = [0, 1, 2].map(|index: usize| places.enter(&three[index]));
        let asking = visits[0].ask(forwarded("198.51.100.1")).unwrap();
        drop(visits[1].ask(forwarded("198.51.100.1")));
        let told = |index: usize| visits[index].told.load(Ordering::Relaxed);
        let _fourth = places.take(peer("203.0.113.1")).unwrap();
        assert_eq!([told(0), told(1), told(2)], [false, false, true], "the one that never asked");
        let _fifth = places.take(peer("203.0.113.1")).unwrap();
        assert_eq!([told(0), told(1)], [false, true]);
        assert_eq!(
            places.take(peer("203.0.113.1")).err(),
            Some(Full::Server),
            "one is at work, the others are leaving"
        );
        std::thread::sleep(BARREN);
        drop(asking);
        visits[0].wrote(None);
        assert_eq!(places.take(peer("203.0.113.1")).err(), Some(Full::Server), "it has not read its answer");
        std::thread::sleep(BARREN);
        visits[0].wrote(Some(1));
        assert!(places.take(peer("203.0.113.1")).is_ok());
    }
}
