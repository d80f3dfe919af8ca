//! The state of every route.

use std::{sync::Arc, time::Duration};

use tokio::time::{MissedTickBehavior, interval};

use super::{in_flight::InFlight, polls::open::Polls};
use crate::node::Node;

/// The state that the routes share: the node, and what belongs to requests alone.
pub struct App {
    /// The node.
    pub node: Arc<Node>,
    /// Clients without a socket.
    pub polls: Polls,
    /// Requests with an idempotency key that are being done.
    pub in_flight: InFlight,
}

impl App {
    /// The routes' state, without a poll and without a request.
    pub fn new(node: Arc<Node>) -> Arc<Self> {
        Arc::new(Self { node, polls: Polls::default(), in_flight: InFlight::default() })
    }

    /// Ends the polls that nobody fetches, for ever.
    pub async fn run(self: Arc<Self>) {
        let mut second = interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            second.tick().await;
            self.polls.tick();
        }
    }
}
