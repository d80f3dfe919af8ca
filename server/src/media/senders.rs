//! The senders of media in one request each: each media is in memory as far as it has come.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use kith_protocol::{Code, UserId};
use parking_lot::Mutex;
use tokio::sync::watch;

use super::{
    Media,
    pace::{Pace, who_makes_way},
};
use crate::{Error, limits};

/// The senders at a time.
#[derive(Default)]
pub(super) struct Senders {
    of: HashMap<u64, Sender>,
    next: u64,
}

struct Sender {
    user: UserId,
    pace: Pace,
    /// True once all has come: then nothing that it sends is waited for.
    whole: bool,
    /// Told to whoever has to make way.
    evict: watch::Sender<bool>,
}

/// The guard of a media that a user sends in one request; the request has ended when it is dropped.
pub struct Sending {
    of: Arc<Mutex<Senders>>,
    key: u64,
    evicted: watch::Receiver<bool>,
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.of.lock().of.remove(&self.key);
    }
}

impl Sending {
    /// Notes that bytes have come.
    pub fn came(&self, bytes: u64) {
        if let Some(sender) = self.of.lock().of.get_mut(&self.key) {
            sender.pace.came(bytes, Instant::now());
        }
    }

    /// Notes that all has come; from here on it makes way for nobody.
    pub fn ended(&self) {
        if let Some(sender) = self.of.lock().of.get_mut(&self.key) {
            sender.whole = true;
        }
    }

    /// Ends when this one has to make way for another.
    pub async fn evicted(&self) {
        let mut evicted = self.evicted.clone();
        // An error says the same: its place is another's already.
        let _ = evicted.wait_for(|evicted| *evicted).await;
    }
}

impl Media {
    /// Lets a user send one more media now. Where all places are taken a slow sender makes way.
    ///
    /// # Errors
    /// `overloaded` where they send too many, or all places are taken and nobody makes way; `storage_full`.
    pub fn admit(&self, user: UserId) -> Result<Sending, Error> {
        self.room.for_media(0)?;
        let overloaded = || Error::new(Code::Overloaded).after(Duration::from_secs(1));
        let (mut senders, now) = (self.sending.lock(), Instant::now());
        if senders.of.values().filter(|sender| sender.user == user).count() >= limits::MEDIA_SENDING_EACH {
            return Err(overloaded());
        }
        if senders.of.len() >= limits::MEDIA_SENDING {
            let sending = senders.of.iter().filter(|(_, sender)| !sender.whole);
            let all = sending.map(|(key, sender)| (*key, sender.user, &sender.pace));
            let slow = who_makes_way(all, user, now).ok_or_else(overloaded)?;
            // What it has sent is freed as soon as it hears of that.
            if let Some(slow) = senders.of.remove(&slow) {
                slow.evict.send_replace(true);
                metrics::counter!("kith_slow_senders_evicted_total").increment(1);
            }
        }
        let (evict, evicted) = watch::channel(false);
        let key = senders.next;
        senders.next += 1;
        senders.of.insert(key, Sender { user, pace: Pace::of(now), whole: false, evict });
        Ok(Sending { of: self.sending.clone(), key, evicted })
    }
}
