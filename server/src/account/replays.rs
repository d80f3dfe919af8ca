//! Idempotency keys that were used, so that a repeated request is answered and not done again.

use std::time::Duration;

use kith_protocol::{UserId, limits::IDEMPOTENCY_S};

use super::Accounts;
pub use crate::store::schema::Replay;
use crate::{
    Error, clock, limits,
    store::{
        self, Change, Direction, RowKey, StoreExt as _,
        schema::{self, Value},
    },
};

impl Accounts {
    /// Returns the answer to the user's request with this key, if it was given within the last 7 days.
    pub async fn replay(&self, user: UserId, key: [u8; 16]) -> Result<Option<Replay>, Error> {
        let row = RowKey { partition: schema::user::partition(user), key: schema::user::replay(key) };
        let found = self.store.one(row).await?.map(|value| Replay::decode(&value)).transpose()?;
        Ok(found.filter(|replay| !is_old(replay)))
    }

    /// Remembers what was answered. Some other keys of the user are looked at too, and dropped where they are too old.
    pub async fn remember(&self, user: UserId, key: [u8; 16], replay: &Replay) -> Result<(), Error> {
        let partition = schema::user::partition(user);
        // Keys are hashes: those from a random one on are a fair sample of all.
        let sample = schema::user::replays_from(clock::random());
        let scan = self.store.scan(partition.clone(), sample, Direction::Ascending, limits::REPLAYS_SWEPT);
        let mut changes = Vec::new();
        for row in scan.await? {
            let of = || format!("an idempotency key of {user}");
            if store::unless_damaged(of, Replay::decode(&row.value)).is_some_and(|replay| is_old(&replay)) {
                changes.push(Change::Delete(row.key));
            }
        }
        changes.push(Change::Put(schema::user::replay(key), replay.encode()));
        Ok(self.store.change(partition, changes).await?)
    }
}

fn is_old(replay: &Replay) -> bool {
    clock::forget_until().since(replay.at) > Duration::from_secs(IDEMPOTENCY_S)
}
