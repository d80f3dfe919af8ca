//! Chance from one seed, so that a run that failed can be run again.

/// SplitMix64 (Steele, Lea, Flood 2014).
pub struct Chance(u64);

impl Chance {
    /// The chance of a test: the seed is `KITH_SEED`, or new; it is printed.
    pub fn new(test: &str) -> Self {
        let given = std::env::var("KITH_SEED").ok().map(|seed| seed.parse().expect("KITH_SEED is a number"));
        let seed = given.unwrap_or_else(|| u64::from_ne_bytes(kith::clock::random()));
        super::program::say(&format!("{test}: KITH_SEED={seed}"));
        Self(seed)
    }

    /// Another one that follows from this one.
    pub fn split(&mut self) -> Self {
        Self(self.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from `low` to below `high`.
    pub fn within(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low)
    }

    /// One of them.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.within(0, of.len() as u64) as usize]
    }
}
