//! The roster of the connections of this node: for each user the outboxes of their connections, and the one wheel that
//! finds the silent among them.

use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasher, Hash},
    num::NonZeroU64,
    sync::{
        Arc, Weak,
        atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use kith_protocol::{DeviceId, UserId, problem::CloseCode};
use parking_lot::{Mutex, RwLock};
use smallvec::SmallVec;

use crate::{
    delivery::{
        allowance::Allowance,
        budget::Budget,
        outbox::{ConnectionId, Outbox},
    },
    limits,
};

const SHARDS: usize = 64;
/// Slots of the wheel, a second each; longer than the longest time that a connection may be silent.
const SLOTS: usize = 256;

type Users = HashMap<UserId, User>;
type Named = HashMap<ConnectionId, Arc<Outbox>>;

/// Somebody who is connected, or was until a moment ago.
struct User {
    connections: SmallVec<[Arc<Outbox>; 1]>,
    allowance: Arc<Allowance>,
}

/// The outcome of a join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joined {
    /// The user's only connection.
    First,
    /// The user has others.
    Another,
    /// The user has as many as they may have: it did not join.
    TooMany,
}

/// The users who came online last, in order.
#[derive(Default)]
struct Arrivals {
    /// The number of arrivals before the first of these.
    before: u64,
    users: VecDeque<UserId>,
}

/// The connections of the node.
pub struct Roster {
    users: Box<[RwLock<Users>]>,
    /// The connections by their names.
    named: Box<[RwLock<Named>]>,
    /// The number in the name of the next connection.
    next: AtomicU64,
    arrivals: RwLock<Arrivals>,
    hasher: std::hash::RandomState,
    connections: AtomicUsize,
    /// Connections that one user may have.
    each: usize,
    wheel: Mutex<Box<[Vec<Weak<Outbox>>]>>,
    /// Seconds since `born`, moved by `tick`, so that an idle connection reads no clock.
    now: AtomicU32,
    born: Instant,
    silence_s: u32,
    /// The bytes that may wait to be written.
    pub budget: Arc<Budget>,
    /// Counts what was put into outboxes.
    pub deliveries: metrics::Counter,
}

impl Default for Roster {
    fn default() -> Self {
        Self::new(10_000, usize::MAX, Budget::new(usize::MAX))
    }
}

impl Roster {
    /// An empty one, for clients that send something every `heartbeat_ms`, and for `each` connections of a user.
    pub fn new(heartbeat_ms: u32, each: usize, budget: Arc<Budget>) -> Self {
        let silence_s = (heartbeat_ms * limits::HEARTBEATS_MISSED).div_ceil(1000).min(SLOTS as u32 - 2);
        Self {
            users: (0..SHARDS).map(|_| RwLock::default()).collect(),
            named: (0..SHARDS).map(|_| RwLock::default()).collect(),
            next: AtomicU64::new(1),
            arrivals: RwLock::default(),
            hasher: std::hash::RandomState::new(),
            connections: AtomicUsize::new(0),
            each,
            wheel: Mutex::new((0..SLOTS).map(|_| Vec::new()).collect()),
            now: AtomicU32::new(0),
            born: Instant::now(),
            silence_s,
            budget,
            deliveries: metrics::counter!("kith_deliveries_total"),
        }
    }

    fn shard(&self, user: UserId) -> &RwLock<Users> {
        &self.users[self.hasher.hash_one(user) as usize % SHARDS]
    }

    fn named(&self, connection: ConnectionId) -> &RwLock<Named> {
        &self.named[self.hasher.hash_one(connection) as usize % SHARDS]
    }

    /// Seconds of the node's life, a second old at most.
    pub fn now(&self) -> u32 {
        self.now.load(Ordering::Relaxed)
    }

    /// The time for which a connection may be silent before it is closed, and somewhat longer: one that is there still has
    /// been heard since.
    pub fn silence(&self) -> Duration {
        // The first look at a new one is for its hello.
        Duration::from_secs(u64::from(self.silence_s).max(limits::HELLO_S + 1) + 2)
    }

    /// Opens the outbox of a new connection, which must say hello within [`limits::HELLO_S`].
    pub fn open(&self) -> Arc<Outbox> {
        let outbox = Arc::new(Outbox::new(self.now()));
        self.watch(&outbox, limits::HELLO_S as u32 + 1);
        outbox
    }

    /// Returns the counters that the connections of a user share.
    pub fn allowance(&self, user: UserId) -> Arc<Allowance> {
        if let Some(there) = self.shard(user).read().get(&user) {
            return there.allowance.clone();
        }
        self.shard(user).write().entry(user).or_insert_with(|| self.user()).allowance.clone()
    }

    fn user(&self) -> User {
        User { connections: SmallVec::new(), allowance: Arc::new(Allowance::new(self.budget.of_user())) }
    }

    /// Says whose connection it is, once, and gives it a name.
    pub fn identify(&self, outbox: &Outbox, user: UserId, device: DeviceId) {
        let number = NonZeroU64::new(self.next.fetch_add(1, Ordering::Relaxed)).unwrap_or(NonZeroU64::MAX);
        outbox.identify(ConnectionId::new(number), user, device, self.allowance(user));
    }

    /// The connection of this name, while it has joined.
    pub fn find(&self, connection: ConnectionId) -> Option<Arc<Outbox>> {
        self.named(connection).read().get(&connection).cloned()
    }

    /// Adds a connection that has said hello.
    pub fn join(&self, outbox: &Arc<Outbox>) -> Joined {
        let (Some((user, _)), Some(name)) = (outbox.identity(), outbox.connection()) else { return Joined::TooMany };
        let mut users = self.shard(user).write();
        let User { connections, allowance } = users.entry(user).or_insert_with(|| self.user());
        if connections.len() >= self.each {
            metrics::counter!("kith_connections_refused_total", "bound" => "user").increment(1);
            return Joined::TooMany;
        }
        self.connections.fetch_add(1, Ordering::Relaxed);
        allowance.join();
        connections.push(outbox.clone());
        self.named(name).write().insert(name, outbox.clone());
        if connections.len() > 1 {
            return Joined::Another;
        }
        let mut arrivals = self.arrivals.write();
        if arrivals.users.len() == limits::ROSTER_ARRIVALS {
            arrivals.users.pop_front();
            arrivals.before += 1;
        }
        arrivals.users.push_back(user);
        Joined::First
    }

    /// The users who came online behind the first `arrivals` of this node; none where that is longer ago than
    /// [`limits::ROSTER_ARRIVALS`]. And how many have come by now.
    pub fn arrived_since(&self, arrivals: u64) -> (Option<Vec<UserId>>, u64) {
        let kept = self.arrivals.read();
        let now = kept.before + kept.users.len() as u64;
        let since = arrivals.checked_sub(kept.before).filter(|_| arrivals <= now);
        (since.map(|since| kept.users.iter().skip(since as usize).copied().collect()), now)
    }

    /// The users online for whom `is` holds.
    pub fn online(&self, is: impl Fn(UserId) -> bool) -> Vec<UserId> {
        let mut found = Vec::new();
        for shard in &self.users {
            let shard = shard.read();
            let online = shard.iter().filter(|(user, there)| !there.connections.is_empty() && is(**user));
            found.extend(online.map(|(user, _)| *user));
        }
        found
    }

    /// The number of users who are online, or were a moment ago.
    pub fn users(&self) -> usize {
        self.users.iter().map(|shard| shard.read().len()).sum()
    }

    /// Removes a connection; whether it was the user's last.
    pub fn leave(&self, outbox: &Arc<Outbox>) -> bool {
        let Some((user, _)) = outbox.identity() else { return false };
        let mut users = self.shard(user).write();
        let Some(User { connections, allowance }) = users.get_mut(&user) else { return false };
        let before = connections.len();
        connections.retain(|other| !Arc::ptr_eq(other, outbox));
        if connections.len() < before {
            self.connections.fetch_sub(1, Ordering::Relaxed);
            allowance.leave();
            if let Some(name) = outbox.connection() {
                let mut named = self.named(name).write();
                named.remove(&name);
                shrink(&mut named);
            }
        }
        let last = connections.is_empty() && before > 0;
        // The outbox itself has the other one.
        if last && Arc::strong_count(allowance) <= 2 {
            users.remove(&user);
            shrink(&mut users);
        }
        last
    }

    /// Forgets what the connections of those shared who have none any more.
    pub fn sweep(&self) {
        for shard in &self.users {
            let gone = |user: &User| user.connections.is_empty() && Arc::strong_count(&user.allowance) == 1;
            if shard.read().values().any(gone) {
                let mut users = shard.write();
                users.retain(|_, user| !gone(user));
                shrink(&mut users);
            }
        }
    }

    /// Calls `each` with every connection of the user.
    pub fn each(&self, user: UserId, mut each: impl FnMut(&Arc<Outbox>)) {
        if let Some(there) = self.shard(user).read().get(&user) {
            there.connections.iter().for_each(&mut each);
        }
    }

    /// Calls `each` with every connection of the node.
    pub fn all(&self, mut each: impl FnMut(&Arc<Outbox>)) {
        for shard in &self.users {
            shard.read().values().flat_map(|user| &user.connections).for_each(&mut each);
        }
    }

    /// Returns true while a device of the user is connected.
    pub fn is_online(&self, user: UserId) -> bool {
        self.shard(user).read().get(&user).is_some_and(|there| !there.connections.is_empty())
    }

    /// Returns true while this device is connected.
    pub fn has_device(&self, user: UserId, device: DeviceId) -> bool {
        let mut found = false;
        self.each(user, |outbox| found |= outbox.identity().is_some_and(|(_, other)| other == device));
        found
    }

    /// Connections that have said hello.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Closes the connections of a device.
    pub fn close_device(&self, user: UserId, device: DeviceId, code: CloseCode) {
        self.each(user, |outbox| {
            if outbox.identity().is_some_and(|(_, other)| other == device) {
                outbox.close(code);
            }
        });
    }

    /// Closes the connections of a user, but those of one device.
    pub fn close_user(&self, user: UserId, except: Option<DeviceId>, code: CloseCode) {
        self.each(user, |outbox| {
            if outbox.identity().map(|(_, device)| device) != except {
                outbox.close(code);
            }
        });
    }

    fn watch(&self, outbox: &Arc<Outbox>, in_s: u32) {
        let slot = (self.now() + in_s) as usize % SLOTS;
        self.wheel.lock()[slot].push(Arc::downgrade(outbox));
    }

    /// Turns the wheel up to now; closes the connections that were silent for too long. To be called every second.
    pub fn tick(&self) {
        let until = self.born.elapsed().as_secs() as u32;
        while self.now() < until {
            let now = self.now.fetch_add(1, Ordering::Relaxed) + 1;
            let due = std::mem::take(&mut self.wheel.lock()[now as usize % SLOTS]);
            for outbox in due.into_iter().filter_map(|outbox| outbox.upgrade()) {
                let silent_s = now.saturating_sub(outbox.heard());
                if outbox.closed().is_some() {
                    continue;
                } else if outbox.identity().is_none() {
                    outbox.close(CloseCode::HelloExpected);
                } else if silent_s > self.silence_s {
                    outbox.close(CloseCode::HeartbeatMissed);
                } else {
                    self.watch(&outbox, self.silence_s - silent_s + 1);
                }
            }
        }
    }
}

/// A crowd that left must not leave its seats.
fn shrink<K: Eq + Hash, V>(seats: &mut HashMap<K, V>) {
    if seats.capacity() > 64 && seats.len() * 4 < seats.capacity() {
        seats.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_and_the_last_connection_of_a_user_are_told() {
        let roster = Roster::new(10_000, 2, Budget::new(usize::MAX));
        let user = UserId::from_bytes([1; 16]);
        let [one, other, third] = [1, 2, 3].map(|device| {
            let outbox = roster.open();
            roster.identify(&outbox, user, DeviceId::from_bytes([device; 16]));
            outbox
        });
        assert_eq!(roster.join(&one), Joined::First);
        assert_eq!(roster.join(&other), Joined::Another);
        assert_eq!(roster.join(&third), Joined::TooMany);
        assert_eq!(roster.arrived_since(0), (Some(vec![user]), 1));
        assert_eq!(roster.arrived_since(1), (Some(Vec::new()), 1));
        assert_eq!(roster.online(|other| other == user), [user]);
        assert_eq!(roster.connections(), 2);
        let found = |outbox: &Outbox| outbox.connection().and_then(|name| roster.find(name)).is_some();
        assert_eq!((found(&one), found(&other), found(&third)), (true, true, false));
        assert!(!roster.leave(&one));
        assert!(!roster.leave(&one));
        assert_eq!((found(&one), found(&other)), (false, true));
        assert!(roster.leave(&other));
        assert_eq!((roster.connections(), roster.is_online(user)), (0, false));
        // What they share lasts as long as somebody has it.
        assert!(Arc::ptr_eq(&roster.allowance(user), third.allowance().unwrap()));
        drop((one, other, third));
        roster.sweep();
        assert!(roster.users.iter().all(|shard| shard.read().is_empty()));
    }
}
