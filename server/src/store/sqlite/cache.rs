//! A bounded map that forgets what was not asked for lately.

use std::{collections::HashMap, hash::Hash};

/// Two generations of at most `generation` entries: what is used moves to the young one, and when that is full the old
/// one is forgotten. No entry costs a list node, and no use a lock.
pub(super) struct Cache<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    generation: usize,
}

impl<K: Eq + Hash + Copy, V: Copy> Cache<K, V> {
    /// A cache of at most twice `generation` entries.
    pub(super) fn new(generation: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), generation }
    }

    pub(super) fn get(&mut self, key: &K) -> Option<V> {
        if let Some(value) = self.young.get(key) {
            return Some(*value);
        }
        let value = self.old.remove(key)?;
        self.put(*key, value);
        Some(value)
    }

    pub(super) fn put(&mut self, key: K, value: V) {
        if self.young.len() >= self.generation && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }

    pub(super) fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_the_rest_goes() {
        let mut cache = Cache::new(4);
        for key in 0..100 {
            cache.put(key, key * 2);
            assert_eq!(cache.get(&0), Some(0));
            assert!(cache.young.len() + cache.old.len() <= 8);
        }
        assert_eq!(cache.get(&99), Some(198));
        assert_eq!(cache.get(&1), None);
    }

    #[test]
    fn a_later_value_replaces_an_earlier_one_in_the_old_generation() {
        let mut cache = Cache::new(1);
        cache.put('a', 1);
        cache.put('b', 1);
        cache.put('a', 2);
        cache.put('c', 1);
        assert_eq!(cache.get(&'a'), Some(2));
    }
}
