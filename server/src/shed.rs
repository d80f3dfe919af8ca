//! Load shedding: what the server drops, and when, so that messages keep flowing.
//!
//! Measured is the time from receiving a send to its `sent`. Past the first limit typing and presence are dropped, past
//! the second receipts too. Messages are never dropped: past the hard limit a send is refused before it costs anything.
//! How many may be under way follows Little's law: the rate at which they are acknowledged times the time that each may
//! take. A burst may be as many as [`UNDER_WAY_AT_MOST`]; once more are refused than taken it is no burst, and until none is
//! refused fewer may wait, so that those which are let in come through sooner.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use kith_protocol::{Code, frame::Sheddable};

use crate::{Error, limits};

/// Sends that may always be under way, whatever their rate.
const UNDER_WAY_AT_LEAST: u64 = 512;
/// Sends that may be under way while each is acknowledged in time.
const UNDER_WAY_AT_MOST: u64 = 8192;
/// The same in a flood: two commits of the store, so that it never waits for work.
const UNDER_WAY_IN_A_FLOOD: u64 = 2 * limits::STORE_BATCH as u64;

/// The level of load shedding, the higher the more is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// Nothing.
    Nothing = 0,
    /// Typing and presence.
    Light = 1,
    /// Receipts too.
    Receipts = 2,
}

impl Level {
    /// The kinds of frames that are dropped at this level, as `degraded` says it.
    pub const fn shed(self) -> &'static [Sheddable] {
        match self {
            Level::Nothing => &[],
            Level::Light => &[Sheddable::Presence, Sheddable::Typing],
            Level::Receipts => &[Sheddable::Presence, Sheddable::Typing, Sheddable::Receipts],
        }
    }
}

/// The limits of the time from receiving a send to its `sent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Past it typing and presence are dropped.
    pub light: Duration,
    /// Past it receipts are dropped too.
    pub receipts: Duration,
    /// Sends that would take longer are refused.
    pub refuse: Duration,
}

/// The meter and the valve of sends.
pub struct Shed {
    bounds: Bounds,
    level: AtomicU8,
    under_way: AtomicU64,
    allowed: AtomicU64,
    acknowledged: AtomicU64,
    waited_us: AtomicU64,
    /// Since the last look.
    refused: AtomicU64,
    /// More were refused than taken, and since then there were always some.
    flood: AtomicBool,
}

impl Shed {
    /// One that drops nothing yet.
    pub fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            level: AtomicU8::new(0),
            under_way: AtomicU64::new(0),
            allowed: AtomicU64::new(UNDER_WAY_AT_MOST),
            acknowledged: AtomicU64::new(0),
            waited_us: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            flood: AtomicBool::new(false),
        }
    }

    /// Returns the level at the moment.
    pub fn level(&self) -> Level {
        match self.level.load(Ordering::Relaxed) {
            0 => Level::Nothing,
            1 => Level::Light,
            _ => Level::Receipts,
        }
    }

    /// Lets a send in.
    ///
    /// # Errors
    /// `overloaded`, when so many are under way that this one would take too long.
    pub fn admit(self: &Arc<Self>) -> Result<Ticket, Error> {
        self.check()?;
        self.under_way.fetch_add(1, Ordering::Relaxed);
        let ticket = Ticket { shed: self.clone(), received: Instant::now() };
        Ok(ticket)
    }

    /// Checks that a send would be let in, before anything is done for it.
    ///
    /// # Errors
    /// As [`Shed::admit`].
    pub fn check(&self) -> Result<(), Error> {
        if self.under_way.load(Ordering::Relaxed) < self.allowed.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.refused.fetch_add(1, Ordering::Relaxed);
        Err(Error::new(Code::Overloaded).after(Duration::from_millis(1000)))
    }

    /// Looks at what happened in the `window` since the last look; the new level where it changed.
    pub fn look(&self, window: Duration) -> Option<Level> {
        let refused = self.refused.swap(0, Ordering::Relaxed);
        metrics::counter!("kith_sends_refused_total").increment(refused);
        let acknowledged = self.acknowledged.swap(0, Ordering::Relaxed);
        let waited = Duration::from_micros(self.waited_us.swap(0, Ordering::Relaxed));
        let under_way = self.under_way.load(Ordering::Relaxed);
        let mean = match (acknowledged, under_way) {
            (0, 0) => Duration::ZERO,
            // Nothing comes back: whatever is under way has waited for the whole window.
            (0, _) => window,
            _ => waited / acknowledged as u32,
        };
        let flood = refused > acknowledged || refused > 0 && self.flood.load(Ordering::Relaxed);
        self.flood.store(flood, Ordering::Relaxed);
        let at_most = if flood { UNDER_WAY_IN_A_FLOOD } else { UNDER_WAY_AT_MOST };
        let allowed = if mean < self.bounds.light {
            at_most
        } else {
            let rate = acknowledged as f64 / window.as_secs_f64();
            let in_time = (rate * self.bounds.refuse.as_secs_f64()) as u64;
            in_time.clamp(UNDER_WAY_AT_LEAST, at_most)
        };
        self.allowed.store(allowed, Ordering::Relaxed);
        let level = match mean {
            mean if mean >= self.bounds.receipts => Level::Receipts,
            mean if mean >= self.bounds.light => Level::Light,
            // Down one step at a time, so that a level does not flap.
            _ => match self.level() {
                Level::Receipts => Level::Light,
                _ => Level::Nothing,
            },
        };
        let before = self.level.swap(level as u8, Ordering::Relaxed);
        metrics::gauge!("kith_shed_level").set(f64::from(level as u8));
        (before != level as u8).then_some(level)
    }
}

/// One send under way; gone when it is dropped.
pub struct Ticket {
    shed: Arc<Shed>,
    received: Instant,
}

impl Ticket {
    /// Says that the send is durable.
    pub fn acknowledged(self) {
        let waited = self.received.elapsed();
        self.shed.acknowledged.fetch_add(1, Ordering::Relaxed);
        self.shed.waited_us.fetch_add(waited.as_micros() as u64, Ordering::Relaxed);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.shed.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds {
        light: Duration::from_millis(100),
        receipts: Duration::from_millis(200),
        refuse: Duration::from_millis(300),
    };

    #[test]
    fn a_stalled_disk_sheds_and_then_refuses() {
        let shed = Arc::new(Shed::new(BOUNDS));
        let mut under_way: Vec<_> = (0..UNDER_WAY_AT_LEAST).map(|_| shed.admit().ok().unwrap()).collect();
        assert_eq!(shed.look(Duration::from_millis(250)), Some(Level::Receipts));
        assert_eq!(shed.admit().err().map(|error| error.code), Some(Code::Overloaded));
        under_way.clear();
        assert!(shed.admit().is_ok());
        assert_eq!(shed.look(Duration::from_millis(250)), Some(Level::Light));
        assert_eq!(shed.look(Duration::from_millis(250)), Some(Level::Nothing));
        assert_eq!(shed.look(Duration::from_millis(250)), None);
    }

    #[test]
    fn a_flood_may_keep_fewer_under_way_than_a_burst() {
        let shed = Arc::new(Shed::new(BOUNDS));
        let window = |refused: u64| {
            let taken: Vec<Ticket> = std::iter::from_fn(|| shed.admit().ok()).collect();
            // The one after the last was refused.
            assert!((1..refused).all(|_| shed.check().is_err()));
            let count = taken.len() as u64;
            taken.into_iter().for_each(Ticket::acknowledged);
            shed.look(Duration::from_millis(250));
            count
        };
        assert_eq!(window(UNDER_WAY_AT_MOST), UNDER_WAY_AT_MOST);
        assert_eq!(window(UNDER_WAY_AT_MOST + 1), UNDER_WAY_AT_MOST);
        assert_eq!(window(UNDER_WAY_IN_A_FLOOD + 1), UNDER_WAY_IN_A_FLOOD);
        assert_eq!(window(1), UNDER_WAY_IN_A_FLOOD);
        assert_eq!(window(1), UNDER_WAY_IN_A_FLOOD);
        shed.look(Duration::from_millis(250));
        assert_eq!(window(1), UNDER_WAY_AT_MOST);
    }

    #[test]
    fn what_may_be_under_way_follows_the_rate_when_it_takes_too_long() {
        let shed = Arc::new(Shed::new(BOUNDS));
        for _ in 0..1000 {
            let mut ticket = shed.admit().ok().unwrap();
            ticket.received -= Duration::from_millis(150);
            ticket.acknowledged();
        }
        assert_eq!(shed.look(Duration::from_millis(250)), Some(Level::Light));
        let under_way: Vec<_> = std::iter::from_fn(|| shed.admit().ok()).take(100_000).collect();
        assert_eq!(under_way.len(), 1200);
    }
}
