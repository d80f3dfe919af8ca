//! Times, and how they are told: by percentiles.

use hdrhistogram::Histogram;
use serde::Serialize;

/// The longest time that is told apart from longer ones: ten minutes.
const LONGEST_US: u64 = 600_000_000;

/// A collection of times, to three digits.
#[derive(Debug, Clone)]
pub struct Latency(Histogram<u64>);

/// The summary of a set of latencies, in milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// The number of latencies.
    pub count: u64,
    /// Half of them were shorter.
    pub p50_ms: f64,
    /// Nine of ten were shorter.
    pub p90_ms: f64,
    /// 99 of 100.
    pub p99_ms: f64,
    /// 999 of 1 000.
    pub p999_ms: f64,
    /// The longest.
    pub max_ms: f64,
}

impl Default for Latency {
    fn default() -> Self {
        Self(Histogram::new_with_bounds(1, LONGEST_US, 3).expect("the bounds are in order"))
    }
}

impl Latency {
    /// Adds a time in µs.
    pub fn record(&mut self, us: u64) {
        self.0.saturating_record(us);
    }

    /// Tells them.
    pub fn summary(&self) -> Summary {
        let ms = |quantile| self.0.value_at_quantile(quantile) as f64 / 1000.0;
        Summary {
            count: self.0.len(),
            p50_ms: ms(0.5),
            p90_ms: ms(0.9),
            p99_ms: ms(0.99),
            p999_ms: ms(0.999),
            max_ms: self.0.max() as f64 / 1000.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_in_milliseconds() {
        let mut latency = Latency::default();
        (1..=1000).for_each(|ms| latency.record(ms * 1000));
        let told = latency.summary();
        assert_eq!(told.count, 1000);
        for (told, expected) in
            [(told.p50_ms, 500.0), (told.p99_ms, 990.0), (told.p999_ms, 999.0), (told.max_ms, 1000.0)]
        {
            assert!((told - expected).abs() <= expected / 1000.0 + 0.001, "{told} is not {expected}");
        }
    }
}
