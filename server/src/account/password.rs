//! Passwords, hashed and verified on threads of their own.
//!
//! A hash takes a core for some 15 ms and 19 MiB. A few threads of low priority take them in turn, so that however many
//! people sign in at once, messages keep their cores. Who waits, waits in fair queues: known devices in one of their own,
//! users in turn; others by the network of their address; and who would have to wait too long is told so instead.

use std::{
    collections::VecDeque,
    net::IpAddr,
    num::NonZeroUsize,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version,
    password_hash::{self, phc::PasswordHash},
};
use kith_protocol::{Code, UserId};
use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;

use super::turns::{Line, Turns};
use crate::{Error, clock, limits, network::Networks};

// OWASP's password storage cheat sheet: argon2id with 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
// Hashes that an operator brings may be dearer than ours, but not so dear that one sign-in stops all others.
const MEMORY_KIB_MAX: u32 = 128 * 1024;
const PASSES_MAX: u32 = 16;
const LANES_MAX: u32 = 8;
/// The priority of the threads below the rest of the server, as `nice` counts.
const NICE: i32 = 10;

/// The queue in which a password waits to be hashed. Nobody's address is known of a program on the machine itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Among those who have shown that they are this user, or have a device secret of theirs.
    Known(UserId),
    /// Among the others, by network.
    Unknown(Option<Networks>),
    /// Among those who ask for a name that is asked for too often: after the others, and a few a second only.
    Slowed(Option<Networks>),
}

impl Turn {
    /// Returns the networks from which it is asked, where they are known and count.
    pub fn networks(self) -> Option<Networks> {
        match self {
            Self::Known(_) => None,
            Self::Unknown(from) | Self::Slowed(from) => from,
        }
    }
}

enum Work {
    Hash { password: String, answer: oneshot::Sender<String> },
    Verify { password: String, hash: String, answer: oneshot::Sender<bool> },
}

impl Work {
    /// Returns true once nobody waits for the answer any longer.
    fn is_abandoned(&self) -> bool {
        match self {
            Self::Hash { answer, .. } => answer.is_closed(),
            Self::Verify { answer, .. } => answer.is_closed(),
        }
    }
}

/// The networks take turns, and in each the addresses.
type ByNetwork = Turns<Option<IpAddr>, Turns<Option<IpAddr>, VecDeque<Work>>>;

/// The queue in front of the hashing threads.
#[derive(Default)]
struct Waiting {
    known: Turns<UserId, VecDeque<Work>>,
    unknown: ByNetwork,
    slowed: ByNetwork,
    /// The time at which the next of `slowed` may have its turn.
    slowed_from: Option<Instant>,
    turns: usize,
    ended: bool,
}

impl Waiting {
    /// Adds work to its queue. Where that is full, those who have gone make room, and then whoever has most waiting; the
    /// answer's other end is dropped where nothing is left for this one.
    fn add(&mut self, turn: Turn, work: Work) {
        match turn {
            Turn::Known(user) => {
                add(&mut self.known, work, limits::PASSWORDS_KNOWN, |line| (line.of(user), limits::PASSWORDS_EACH));
            }
            Turn::Unknown(from) => {
                add(&mut self.unknown, work, limits::PASSWORDS_WAITING, |line| of_network(line, from));
            }
            Turn::Slowed(from) => {
                add(&mut self.slowed, work, limits::PASSWORDS_SLOWED, |line| of_network(line, from));
            }
        }
    }

    /// Takes the work whose turn it is at `now`.
    fn next(&mut self, now: Instant) -> Option<Work> {
        if self.slowed_from.is_none_or(|from| from <= now)
            && let Some(work) = self.slowed.next()
        {
            self.slowed_from = Some(now + Duration::from_secs(1) / limits::PASSWORDS_SLOWED_PER_S);
            return Some(work);
        }
        self.turns = self.turns.wrapping_add(1);
        if self.turns.is_multiple_of(limits::PASSWORDS_UNKNOWN_EVERY) {
            self.unknown.next().or_else(|| self.known.next())
        } else {
            self.known.next().or_else(|| self.unknown.next())
        }
    }
}

fn of_network(line: &mut ByNetwork, from: Option<Networks>) -> (&mut VecDeque<Work>, usize) {
    let line = line.of(from.map(|from| from.wide)).of(from.map(|from| from.near));
    // Programs on the machine itself are the operator's, who may use all of it.
    (line, from.map_or(usize::MAX, |_| limits::PASSWORDS_EACH))
}

/// Adds work to the line that `own` finds, which has a bound of its own.
fn add<L: Line<Item = Work>>(
    line: &mut L,
    work: Work,
    bound: usize,
    own: impl FnOnce(&mut L) -> (&mut VecDeque<Work>, usize),
) {
    if line.len() >= bound {
        line.retain(&mut |work| !work.is_abandoned());
    }
    let (own, each) = own(line);
    own.retain(|work| !work.is_abandoned());
    if own.len() < each {
        own.push_back(work);
    }
    if line.len() > bound {
        line.shed();
    }
}

#[derive(Default)]
struct Queues {
    waiting: Mutex<Waiting>,
    added: Condvar,
}

impl Queues {
    /// Waits for the work whose turn it is; nothing once the handle is gone.
    fn next(&self) -> Option<Work> {
        let mut waiting = self.waiting.lock();
        loop {
            if waiting.ended {
                return None;
            }
            match waiting.next(Instant::now()) {
                Some(work) => return Some(work),
                None => match waiting.slowed_from.filter(|_| waiting.slowed.len() > 0) {
                    Some(from) => drop(self.added.wait_until(&mut waiting, from)),
                    None => self.added.wait(&mut waiting),
                },
            }
        }
    }
}

/// The threads that hash passwords; they end with this handle.
pub struct Passwords {
    queues: Arc<Queues>,
    dummy: String,
}

impl Drop for Passwords {
    fn drop(&mut self) {
        self.queues.waiting.lock().ended = true;
        self.queues.added.notify_all();
    }
}

impl Passwords {
    /// Starts the threads: one for every two cores, within bounds.
    pub fn start() -> Self {
        let passwords = Self::without_threads();
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        for number in 0..(cores / 2).clamp(1, limits::PASSWORDS_AT_ONCE) {
            let queues = passwords.queues.clone();
            let thread = thread::Builder::new().name(format!("passwords {number}"));
            thread.spawn(move || work(&queues)).expect("the system gives a thread");
        }
        passwords
    }

    pub(super) fn without_threads() -> Self {
        // Its form is that of every hash of ours, so that to verify it takes as long.
        let salt = password_hash::phc::Salt::new(&[0; 16]).expect("16 bytes are a salt");
        let output = password_hash::phc::Output::new(&[0; 32]).expect("32 bytes are a hash");
        let dummy = format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}${output}");
        Self { queues: Arc::default(), dummy }
    }

    /// The hash of a password, in PHC form.
    ///
    /// # Errors
    /// [`Code::Overloaded`] when too many wait.
    pub async fn hash(&self, password: String, turn: Turn) -> Result<String, Error> {
        let (answer, hashed) = oneshot::channel();
        self.give(turn, Work::Hash { password, answer });
        hashed.await.map_err(|_| overloaded())
    }

    /// Returns true if this is the password of `hash`; without one it takes as long, and is not.
    ///
    /// # Errors
    /// [`Code::Overloaded`] when too many wait.
    pub async fn verify(&self, password: String, hash: Option<&str>, turn: Turn) -> Result<bool, Error> {
        let (answer, verified) = oneshot::channel();
        let given = hash.unwrap_or(&self.dummy).to_owned();
        self.give(turn, Work::Verify { password, hash: given, answer });
        let same = verified.await.map_err(|_| overloaded())?;
        Ok(same && hash.is_some())
    }

    fn give(&self, turn: Turn, work: Work) {
        self.queues.waiting.lock().add(turn, work);
        self.queues.added.notify_one();
    }
}

fn overloaded() -> Error {
    Error::new(Code::Overloaded).after(Duration::from_secs(2))
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("the parameters are within argon2's bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn work(queues: &Queues) {
    // On Linux this is the priority of the thread alone. Where it cannot be had, hashing is only less polite.
    let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICE);
    let argon2 = argon2();
    while let Some(work) = queues.next() {
        // Who has gone while they waited need not be served.
        if work.is_abandoned() {
            continue;
        }
        match work {
            Work::Hash { password, answer } => {
                let salt: [u8; 16] = clock::random();
                let hash = argon2.hash_password_with_salt(password.as_bytes(), &salt);
                let _ = answer.send(hash.expect("a password of bounded length has a hash").to_string());
            }
            Work::Verify { password, hash, answer } => {
                let same = PasswordHash::new(&hash).is_ok_and(|hash| {
                    let verified: Result<(), _> = argon2.verify_password(password.as_bytes(), &hash);
                    verified.is_ok()
                });
                let _ = answer.send(same);
            }
        }
    }
}

/// Checks a hash that was made elsewhere: argon2id in PHC form, at a price that this server would pay.
///
/// # Errors
/// What is wrong with it, for a person.
pub fn check_hash(hash: &str) -> Result<(), &'static str> {
    let hash = PasswordHash::new(hash).map_err(|_| "not a hash in PHC form")?;
    if hash.algorithm.as_str() != "argon2id" || hash.hash.is_none() || hash.salt.is_none() {
        return Err("not an argon2id hash with its salt");
    }
    let params = Params::try_from(&hash).map_err(|_| "not the parameters of argon2id")?;
    if params.m_cost() > MEMORY_KIB_MAX || params.t_cost() > PASSES_MAX || params.p_cost() > LANES_MAX {
        return Err("dearer than this server would pay for a sign-in");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL: Turn = Turn::Unknown(None);

    #[tokio::test]
    async fn a_password_is_verified_by_its_hash_alone() {
        let passwords = Passwords::start();
        let hash = passwords.hash("correct horse".to_owned(), LOCAL).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        check_hash(&hash).unwrap();
        assert!(passwords.verify("correct horse".to_owned(), Some(&hash), LOCAL).await.unwrap());
        assert!(!passwords.verify("correct horsf".to_owned(), Some(&hash), LOCAL).await.unwrap());
        assert!(!passwords.verify("correct horse".to_owned(), None, LOCAL).await.unwrap());
    }

    #[test]
    fn the_dummy_is_verified_like_any_other() {
        let passwords = Passwords::start();
        check_hash(&passwords.dummy).unwrap();
        let hash = PasswordHash::new(&passwords.dummy).unwrap();
        let verified: password_hash::Result<()> = argon2().verify_password(b"", &hash);
        assert_eq!(verified, Err(password_hash::Error::PasswordInvalid));
    }

    #[test]
    fn what_would_cost_too_much_is_no_hash() {
        let rest = "AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        check_hash(&format!("$argon2id$v=19$m=8192,t=1,p=1${rest}")).unwrap();
        for bad in ["m=4194304,t=1,p=1", "m=8192,t=4000,p=1", "m=8192,t=1,p=200"] {
            check_hash(&format!("$argon2id$v=19${bad}${rest}")).unwrap_err();
        }
        check_hash(&format!("$argon2i$v=19$m=8192,t=1,p=1${rest}")).unwrap_err();
        check_hash("hunter2").unwrap_err();
    }

    /// Work under a name, and the end at which its asker waits.
    fn named(name: &str) -> (Work, oneshot::Receiver<String>) {
        let (answer, hashed) = oneshot::channel();
        (Work::Hash { password: name.to_owned(), answer }, hashed)
    }

    fn name(work: Work) -> String {
        match work {
            Work::Hash { password, .. } | Work::Verify { password, .. } => password,
        }
    }

    fn unknown(address: [u8; 4]) -> Turn {
        Turn::Unknown(Some(Networks::of(address.into())))
    }

    #[test]
    fn a_known_device_waits_for_none_of_those_who_are_not() {
        let mut waiting = Waiting::default();
        let mut askers = Vec::new();
        let mut add = |waiting: &mut Waiting, turn, name: &str| {
            let (work, asker) = named(name);
            waiting.add(turn, work);
            askers.push(asker);
        };
        for number in 0..=u8::MAX {
            add(&mut waiting, unknown([198, 51, number, 1]), "guess");
        }
        let user = |byte: u8| UserId::from_bytes([byte; 16]);
        for _ in 0..limits::PASSWORDS_EACH {
            add(&mut waiting, Turn::Known(user(1)), "busy");
        }
        add(&mut waiting, Turn::Known(user(2)), "anna");
        let order: Vec<_> = (0..8).map(|_| name(waiting.next(Instant::now()).unwrap())).collect();
        let anna = order.iter().position(|name| name == "anna").unwrap();
        assert!(anna <= 2, "{order:?}");
        assert!(order.iter().filter(|name| *name == "guess").count() == 2, "{order:?}");
    }

    #[test]
    fn an_address_of_its_own_waits_for_one_of_each_other_network() {
        let mut waiting = Waiting::default();
        let mut askers = Vec::new();
        for (turn, name) in
            (0..40).map(|last| (unknown([198, 51, 100, last]), "guess")).chain([(unknown([192, 0, 2, 1]), "anna")])
        {
            let (work, asker) = named(name);
            waiting.add(turn, work);
            askers.push(asker);
        }
        let order: Vec<_> = (0..2).map(|_| name(waiting.next(Instant::now()).unwrap())).collect();
        assert_eq!(order, ["guess", "anna"]);
    }

    #[test]
    fn a_name_that_is_asked_for_too_often_is_slow_and_starved_by_nobody() {
        let mut waiting = Waiting::default();
        let mut askers = Vec::new();
        for (turn, name) in
            [(Turn::Slowed(None), "slowed"), (Turn::Slowed(None), "slowed"), (Turn::Unknown(None), "other")]
        {
            let (work, asker) = named(name);
            waiting.add(turn, work);
            askers.push(asker);
        }
        let now = Instant::now();
        let mut next = |now| waiting.next(now).map(name);
        assert_eq!([next(now), next(now), next(now)], [Some("slowed".into()), Some("other".into()), None]);
        assert_eq!(next(now + Duration::from_secs(1)), Some("slowed".into()));
    }

    #[tokio::test]
    async fn more_than_may_wait_are_refused_as_overloaded_and_first_who_have_most_waiting() {
        let passwords = Passwords::without_threads();
        let ask = |turn| passwords.hash("correct horse".to_owned(), turn);
        let mut greedy: Vec<_> = (0..limits::PASSWORDS_WAITING).map(|_| Box::pin(ask(Turn::Unknown(None)))).collect();
        let pending = async |asked: &mut Vec<_>| {
            let mut refused = 0;
            for ask in asked.iter_mut() {
                if let Ok(answer) = tokio::time::timeout(Duration::ZERO, ask).await {
                    let error: Error = Result::unwrap_err(answer);
                    assert!(error.code == Code::Overloaded && error.retry_after.is_some());
                    refused += 1;
                }
            }
            refused
        };
        assert_eq!(pending(&mut greedy).await, 0);
        let mut each: Vec<_> =
            (0..limits::PASSWORDS_EACH + 5).map(|_| Box::pin(ask(unknown([192, 0, 2, 1])))).collect();
        assert_eq!(pending(&mut each).await, 5);
        assert_eq!(pending(&mut greedy).await, limits::PASSWORDS_EACH);
    }
}
