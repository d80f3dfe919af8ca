//! Chance from a seed.

use std::time::Duration;

/// A SplitMix64 generator (Steele, Lea and Flood 2014): it spreads retries, and is no source of secrets.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A random part of `whole`, so that many devices do not do the same at the same time.
    pub(crate) fn part(&mut self, whole: Duration) -> Duration {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let high = (mixed ^ (mixed >> 31)) >> 32;
        whole.mul_f64(high as f64 / (f64::from(u32::MAX) + 1.0))
    }
}
