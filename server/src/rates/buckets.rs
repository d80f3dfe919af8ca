//! A map of token buckets in bounded memory, whoever comes.

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash, RandomState},
    mem,
};

use governor::{
    nanos::Nanos,
    state::{StateStore, keyed::ShrinkableKeyedStateStore},
};
use parking_lot::Mutex;

use crate::limits;

/// Parts of the buckets that are locked apart from each other.
const SHARDS: usize = 16;

/// The states of the buckets used lately: those of the current generation of a shard, and of the one before. When the
/// current one has its share it becomes the old one, whose buckets are dropped unless they were used again. To have a
/// bucket of theirs forgotten somebody would have to take from as many others.
pub struct Bounded<K> {
    shards: Vec<Mutex<Shard<K>>>,
    hasher: RandomState,
}

struct Shard<K> {
    current: HashMap<K, u64>,
    old: HashMap<K, u64>,
}

impl<K> Default for Bounded<K> {
    fn default() -> Self {
        let shard = || Mutex::new(Shard { current: HashMap::new(), old: HashMap::new() });
        Self { shards: (0..SHARDS).map(|_| shard()).collect(), hasher: RandomState::new() }
    }
}

impl<K: Hash + Eq + Clone> StateStore for Bounded<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let shard = self.hasher.hash_one(key) as usize % SHARDS;
        let mut shard = self.shards[shard].lock();
        let before = shard.current.get(key).or_else(|| shard.old.get(key)).map(|state| Nanos::from(*state));
        let (outcome, after) = decide(before)?;
        if shard.current.len() >= limits::BUCKETS / SHARDS / 2 && !shard.current.contains_key(key) {
            shard.old = mem::take(&mut shard.current);
        }
        shard.old.remove(key);
        shard.current.insert(key.clone(), after.as_u64());
        Ok(outcome)
    }
}

impl<K: Hash + Eq + Clone> ShrinkableKeyedStateStore<K> for Bounded<K> {
    fn retain_recent(&self, drop_below: Nanos) {
        for shard in &self.shards {
            let Shard { current, old } = &mut *shard.lock();
            for generation in [current, old] {
                generation.retain(|_, state| *state > drop_below.as_u64());
            }
        }
    }

    fn shrink_to_fit(&self) {
        for shard in &self.shards {
            let Shard { current, old } = &mut *shard.lock();
            current.shrink_to_fit();
            old.shrink_to_fit();
        }
    }

    fn len(&self) -> usize {
        let kept = |shard: &Mutex<Shard<K>>| {
            let shard = shard.lock();
            shard.current.len() + shard.old.len()
        };
        self.shards.iter().map(kept).sum()
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
