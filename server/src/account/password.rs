//! Passwords, hashed and verified on one thread of their own.
//!
//! A hash takes a core for some 15 ms and 19 MiB. One thread of low priority takes them in turn, so that however many
//! people sign in at once, messages keep their cores; who would have to wait too long is told so instead.

use std::{
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
    time::Duration,
};

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version,
    password_hash::{self, phc::PasswordHash},
};
use kith_protocol::Code;
use tokio::sync::oneshot;

use crate::{Error, clock, limits};

// OWASP's password storage cheat sheet: argon2id with 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
// Hashes that an operator brings may be dearer than ours, but not so dear that one sign-in stops all others.
const MEMORY_KIB_MAX: u32 = 128 * 1024;
const PASSES_MAX: u32 = 16;
const LANES_MAX: u32 = 8;
/// How much below the rest of the server the thread runs, as `nice` counts.
const NICE: i32 = 10;

// With more hashed at a time, the one thread here would have to become a pool.
const _: () = assert!(limits::PASSWORDS_AT_ONCE == 1);

enum Job {
    Hash { password: String, answer: oneshot::Sender<String> },
    Verify { password: String, hash: String, answer: oneshot::Sender<bool> },
}

/// The thread that hashes passwords; it ends with this handle.
#[derive(Debug)]
pub struct Passwords {
    jobs: SyncSender<Job>,
    dummy: String,
}

impl Passwords {
    /// Starts the thread.
    pub fn start() -> Self {
        let (jobs, queue) = sync_channel(limits::PASSWORDS_WAITING);
        let thread = thread::Builder::new().name("passwords".to_owned());
        thread.spawn(move || work(&queue)).expect("the system gives a thread");
        // Its form is that of every hash of ours, so that to verify it takes as long.
        let salt = password_hash::phc::Salt::new(&[0; 16]).expect("16 bytes are a salt");
        let output = password_hash::phc::Output::new(&[0; 32]).expect("32 bytes are a hash");
        let dummy = format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}${output}");
        Self { jobs, dummy }
    }

    /// The hash of a password, in PHC form.
    ///
    /// # Errors
    /// [`Code::Overloaded`] when too many wait.
    pub async fn hash(&self, password: String) -> Result<String, Error> {
        let (answer, hashed) = oneshot::channel();
        self.give(Job::Hash { password, answer })?;
        hashed.await.map_err(|_| Error::new(Code::Internal))
    }

    /// Whether this is the password of `hash`; without one it takes as long, and is not.
    ///
    /// # Errors
    /// [`Code::Overloaded`] when too many wait.
    pub async fn verify(&self, password: String, hash: Option<&str>) -> Result<bool, Error> {
        let (answer, verified) = oneshot::channel();
        let given = hash.unwrap_or(&self.dummy).to_owned();
        self.give(Job::Verify { password, hash: given, answer })?;
        let same = verified.await.map_err(|_| Error::new(Code::Internal))?;
        Ok(same && hash.is_some())
    }

    fn give(&self, job: Job) -> Result<(), Error> {
        self.jobs.try_send(job).map_err(|_| Error::new(Code::Overloaded).after(Duration::from_secs(2)))
    }
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("the parameters are within argon2's bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn work(queue: &Receiver<Job>) {
    // On Linux this is the priority of the thread alone. Where it cannot be had, hashing is only less polite.
    let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICE);
    let argon2 = argon2();
    while let Ok(job) = queue.recv() {
        match job {
            // Who has gone while they waited need not be served.
            Job::Hash { answer, .. } if answer.is_closed() => {}
            Job::Verify { answer, .. } if answer.is_closed() => {}
            Job::Hash { password, answer } => {
                let salt: [u8; 16] = clock::random();
                let hash = argon2.hash_password_with_salt(password.as_bytes(), &salt);
                let _ = answer.send(hash.expect("a password of bounded length has a hash").to_string());
            }
            Job::Verify { password, hash, answer } => {
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

    #[tokio::test]
    async fn a_password_is_verified_by_its_hash_alone() {
        let passwords = Passwords::start();
        let hash = passwords.hash("correct horse".to_owned()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        check_hash(&hash).unwrap();
        assert!(passwords.verify("correct horse".to_owned(), Some(&hash)).await.unwrap());
        assert!(!passwords.verify("correct horsf".to_owned(), Some(&hash)).await.unwrap());
        assert!(!passwords.verify("correct horse".to_owned(), None).await.unwrap());
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

    #[tokio::test]
    async fn more_than_may_wait_are_refused_as_overloaded() {
        let passwords = Passwords::start();
        let mut waiting = Vec::new();
        let refused = loop {
            let (answer, hashed) = oneshot::channel();
            match passwords.give(Job::Hash { password: "x".repeat(8), answer }) {
                Ok(()) => waiting.push(hashed),
                Err(error) => break error,
            }
            assert!(waiting.len() <= 2 * limits::PASSWORDS_WAITING);
        };
        assert_eq!(refused.code, Code::Overloaded);
        assert!(refused.retry_after.is_some());
    }
}
