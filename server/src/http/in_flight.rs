//! Requests with an idempotency key that are being done: one at a time for each key.

use std::collections::HashMap;

use kith_protocol::UserId;
use parking_lot::Mutex;
use tokio::sync::watch;

/// A key of a user, by the name of its row.
type Key = (UserId, [u8; 16]);

/// Requests with a key that are being done: a repetition waits for the first.
#[derive(Default)]
pub struct InFlight {
    claims: Mutex<HashMap<Key, watch::Receiver<()>>>,
}

/// The claim that this request is the one that is being done; it ends when it is dropped.
pub(super) struct Claim<'a> {
    of: &'a InFlight,
    key: Key,
    _wakes: watch::Sender<()>,
}

impl InFlight {
    /// Claims a key of a user, once no other request has it.
    pub(super) async fn claim(&self, key: Key) -> Claim<'_> {
        loop {
            let mut other = {
                let mut claims = self.claims.lock();
                match claims.get(&key) {
                    Some(other) => other.clone(),
                    None => {
                        let (wakes, waits) = watch::channel(());
                        claims.insert(key, waits);
                        return Claim { of: self, key, _wakes: wakes };
                    }
                }
            };
            // Nothing is ever sent: this ends when the other is done.
            let _ = other.changed().await;
        }
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.of.claims.lock().remove(&self.key);
    }
}
