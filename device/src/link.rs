//! One connection, as the device sees it.

use std::time::{Duration, Instant};

use kith_protocol::{DeviceId, UserId};

use crate::limits;

/// The state of one connection; a new one replaces it.
pub(crate) struct Link {
    /// The user and the device, as the server says; nobody before `ready`.
    pub(crate) ready: Option<(UserId, DeviceId)>,
    pub(crate) heartbeat: Duration,
    pub(crate) ping: Instant,
    /// The number of pings that were said and answered,
    pub(crate) pings: u64,
    pub(crate) pongs: u64,
    /// and how many must be answered until all is here that the server sends by itself after a hello; not known before
    /// the last page of heads.
    pub(crate) resumed: Option<u64>,
    /// The time at which the server last said something.
    pub(crate) heard: Instant,
    pub(crate) opened: Instant,
    pub(crate) resume: Option<Instant>,
    pub(crate) caught_up: bool,
    /// True from the `ready` of another instance until all is here that the server sends by itself: it answers what the
    /// hello said of the instance before, so that what it passes over is not known.
    pub(crate) stale: bool,
    pub(crate) leave: Option<Leave>,
}

/// The wish of a server that drains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leave {
    /// The time of the next attempt.
    pub(crate) at: Instant,
    /// The address to go to, if not the same one.
    pub(crate) url: Option<String>,
}

impl Link {
    pub(crate) fn new(now: Instant) -> Self {
        let heartbeat = Duration::from_secs(limits::READY_S);
        Self {
            ready: None,
            heartbeat,
            ping: now + heartbeat,
            pings: 0,
            pongs: 0,
            resumed: None,
            heard: now,
            opened: now,
            resume: None,
            caught_up: false,
            stale: false,
            leave: None,
        }
    }

    /// The time at which the server has been silent for too long: it answers each heartbeat.
    pub(crate) fn silence(&self) -> Instant {
        let patience = if self.ready.is_some() { self.heartbeat * limits::SILENT_HEARTBEATS } else { self.heartbeat };
        self.heard + patience
    }
}
