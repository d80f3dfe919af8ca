//! Closes who does not read when memory is short: the one for whom most waits first.

use std::{collections::HashMap, sync::Arc};

use kith_protocol::problem::CloseCode;

use crate::{
    delivery::{outbox::Outbox, roster::Roster},
    limits,
    places::{Places, Visit},
};

/// The progress of each connection, watched only while memory is short.
#[derive(Default)]
pub struct Relief {
    seen: HashMap<usize, Seen>,
}

/// A connection at one look.
#[derive(Clone, Copy)]
struct Seen {
    /// Bytes that were written to it when it last had read enough.
    written: u32,
    /// Looks since then.
    looks: u32,
}

/// A connection for which something waits.
enum Waiting {
    Socket(Arc<Outbox>),
    Http(Arc<Visit>),
}

impl Relief {
    /// Closes those who have not read [`limits::STALLED_BYTES`] in [`limits::STALLED_S`] looks, until enough is freed. To
    /// be called every second.
    pub fn look(&mut self, roster: &Roster, places: &Places) {
        let mut shortage = roster.budget.shortage();
        let before = std::mem::take(&mut self.seen);
        if shortage == 0 {
            return;
        }
        let mut stalled = Vec::new();
        let mut note = |key: usize, (bytes, written): (usize, u32), waiting: Waiting| {
            if bytes < limits::WAITING_STEP_BYTES {
                return;
            }
            let first = Seen { written, looks: 0 };
            let seen = before.get(&key).copied().unwrap_or(first);
            let reads = written.wrapping_sub(seen.written) >= limits::STALLED_BYTES;
            let now = if reads { first } else { Seen { looks: seen.looks + 1, ..seen } };
            self.seen.insert(key, now);
            if now.looks > limits::STALLED_S {
                stalled.push((bytes, waiting));
            }
        };
        roster.all(|outbox| note(Arc::as_ptr(outbox) as usize, outbox.traffic(), Waiting::Socket(outbox.clone())));
        places.visits(|visit| note(Arc::as_ptr(visit) as usize, visit.traffic(), Waiting::Http(visit.clone())));
        stalled.sort_unstable_by_key(|(bytes, _)| std::cmp::Reverse(*bytes));
        for (bytes, waiting) in stalled {
            if shortage == 0 {
                return;
            }
            shortage = shortage.saturating_sub(bytes);
            metrics::counter!("kith_stalled_closed_total").increment(1);
            match waiting {
                Waiting::Socket(outbox) => outbox.close(CloseCode::SlowReader),
                Waiting::Http(visit) => visit.cut(),
            }
        }
    }
}
