//! The counters that all the sockets of a run share.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use serde::Serialize;

use crate::{
    error::Result,
    latency::{Latency, Summary},
    mark::Clock,
    order::Check,
    proc::{Machine, Spent, Usage},
};

/// The counts of a run. One thread, so no atomics.
#[derive(Debug)]
pub struct Tally {
    /// The clock of the run.
    pub clock: Clock,
    /// Times are recorded of the messages that are due from here on, in µs of the clock: also of those that are
    /// answered after the end, or the slowest would be left out.
    pub from_us: u64,
    /// Messages that got `sent`.
    pub sent: Cell<u64>,
    /// Entries that a socket heard.
    pub delivered: Cell<u64>,
    /// Reads of sockets that brought at least one frame.
    pub reads: Cell<u64>,
    /// Frames that they brought.
    pub frames: Cell<u64>,
    /// Messages that were due while their socket took nothing more, and so were never sent.
    pub held_back: Cell<u64>,
    /// `typing` frames that went out,
    pub typing_sent: Cell<u64>,
    /// and that came in.
    pub typing_heard: Cell<u64>,
    /// From when a message was due to its `sent`.
    pub sent_latency: RefCell<Latency>,
    /// From when it was written to its `sent`.
    pub written_latency: RefCell<Latency>,
    /// From when a message was due to when it reached each socket that heard it.
    pub delivered_latency: RefCell<Latency>,
    /// The same to when the generator had read it there.
    pub read_latency: RefCell<Latency>,
    /// From when a message was due to when it reached the last socket that heard it.
    pub last_latency: RefCell<Latency>,
    /// From when a message was due to when the generator wrote it.
    pub late: RefCell<Latency>,
    /// Refused sends, by code.
    pub refused: RefCell<BTreeMap<String, u64>>,
    /// The kinds of frames that the server said it sheds, each combination once.
    pub degraded: RefCell<BTreeSet<String>>,
}

/// Adds to a counter.
pub fn add(counter: &Cell<u64>, more: u64) {
    counter.set(counter.get() + more);
}

/// A moment of a run.
#[derive(Debug)]
pub struct Moment {
    at: Instant,
    server: Option<Usage>,
    own: Usage,
    machine: Option<Machine>,
    counts: [u64; 4],
}

/// A run, told.
#[derive(Debug, Serialize)]
pub struct Measured {
    /// The measured time, in seconds.
    pub seconds: f64,
    /// Messages that got `sent` in that time.
    pub messages: u64,
    /// For each second.
    pub messages_per_s: f64,
    /// For each second of the server's CPU time.
    pub messages_per_cpu_s: Option<f64>,
    /// Entries that sockets heard in that time.
    pub deliveries: u64,
    /// For each second.
    pub deliveries_per_s: f64,
    /// For each second of the server's CPU time.
    pub deliveries_per_cpu_s: Option<f64>,
    /// Frames that one read of a client brought.
    pub frames_per_read: f64,
    /// From when a message was due to its `sent`.
    pub sent_latency: Summary,
    /// From when a message was written to its `sent`.
    pub written_latency: Summary,
    /// From when a message was due to when it reached each socket that heard it.
    pub delivered_latency: Summary,
    /// The same to when the generator had read it there.
    pub read_latency: Summary,
    /// From when a message was due to when it reached the last socket that heard it, where that was asked for.
    pub last_latency: Summary,
    /// The delay of the generator itself.
    pub generator_late: Summary,
    /// Refused sends of the whole run, by code.
    pub refused: BTreeMap<String, u64>,
    /// Messages of the whole run that were never written, because their socket took no more.
    pub held_back: u64,
    /// `typing` frames of the whole run: sent and heard.
    pub typing: [u64; 2],
    /// The kinds of frames that the server said it sheds.
    pub degraded: BTreeSet<String>,
    /// The resources that the server used.
    pub server: Option<Spent>,
    /// The resources that the generator used.
    pub generator: Spent,
    /// Of the machine's CPU time, what its host gave to others while it was wanted here.
    pub stolen_percent: Option<f64>,
    /// The broken promises.
    pub check: Check,
}

impl Measured {
    /// Returns true if the server dropped anything.
    pub fn has_shed(&self) -> bool {
        self.degraded.iter().any(|shed| shed != "[]")
    }
}

impl Tally {
    /// Nothing has happened; the warm-up lasts until `from_us`.
    pub fn new(from_us: u64) -> Self {
        Self {
            clock: Clock::new(),
            from_us,
            sent: Cell::default(),
            delivered: Cell::default(),
            reads: Cell::default(),
            frames: Cell::default(),
            held_back: Cell::default(),
            typing_sent: Cell::default(),
            typing_heard: Cell::default(),
            sent_latency: RefCell::default(),
            written_latency: RefCell::default(),
            delivered_latency: RefCell::default(),
            read_latency: RefCell::default(),
            last_latency: RefCell::default(),
            late: RefCell::default(),
            refused: RefCell::default(),
            degraded: RefCell::default(),
        }
    }

    /// Records how long after `due_us` it is now, unless the message belongs to the warm-up.
    pub fn record(&self, latency: &RefCell<Latency>, due_us: u64, now_us: u64) {
        if due_us >= self.from_us {
            latency.borrow_mut().record(now_us.saturating_sub(due_us));
        }
    }

    /// Reads all counters now.
    ///
    /// # Errors
    /// The server's process is gone.
    pub fn moment(&self, server_pid: Option<u32>) -> Result<Moment> {
        Ok(Moment {
            at: Instant::now(),
            server: server_pid.map(Usage::of).transpose()?,
            own: Usage::own()?,
            machine: Machine::now(),
            counts: [self.sent.get(), self.delivered.get(), self.frames.get(), self.reads.get()],
        })
    }

    /// Tells what happened from one moment to another.
    pub fn tell(&self, from: &Moment, to: &Moment, check: Check) -> Measured {
        let time = to.at.saturating_duration_since(from.at).max(Duration::from_millis(1));
        let [messages, deliveries, frames, reads] = std::array::from_fn(|which| to.counts[which] - from.counts[which]);
        let server = to.server.zip(from.server).map(|(to, from)| to.since(&from, time));
        let per_cpu_s =
            |count: u64| server.as_ref().filter(|spent| spent.cpu_s > 0.0).map(|spent| count as f64 / spent.cpu_s);
        Measured {
            seconds: time.as_secs_f64(),
            messages,
            messages_per_s: messages as f64 / time.as_secs_f64(),
            messages_per_cpu_s: per_cpu_s(messages),
            deliveries,
            deliveries_per_s: deliveries as f64 / time.as_secs_f64(),
            deliveries_per_cpu_s: per_cpu_s(deliveries),
            frames_per_read: frames as f64 / reads.max(1) as f64,
            sent_latency: self.sent_latency.borrow().summary(),
            written_latency: self.written_latency.borrow().summary(),
            delivered_latency: self.delivered_latency.borrow().summary(),
            read_latency: self.read_latency.borrow().summary(),
            last_latency: self.last_latency.borrow().summary(),
            generator_late: self.late.borrow().summary(),
            refused: self.refused.borrow().clone(),
            held_back: self.held_back.get(),
            typing: [self.typing_sent.get(), self.typing_heard.get()],
            degraded: self.degraded.borrow().clone(),
            generator: to.own.since(&from.own, time),
            server,
            stolen_percent: to.machine.zip(from.machine).map(|(to, from)| to.stolen_percent_since(&from)),
            check,
        }
    }
}
