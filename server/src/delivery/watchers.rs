//! Connections that are told of something as long as they watch it.

use std::sync::Arc;

use super::{
    outbox::{ConnectionId, Outbox},
    roster::Roster,
};

/// The connections that watch a user or a conversation; some of them may be gone.
#[derive(Debug, Default)]
pub struct Watchers(Vec<ConnectionId>);

impl Watchers {
    /// True where none watches.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a connection. Before it takes more memory it forgets those that are gone.
    pub fn add(&mut self, roster: &Roster, connection: ConnectionId) {
        if self.0.contains(&connection) {
            return;
        }
        if self.0.len() == self.0.capacity() {
            self.there(roster);
            // As much again, so that many who come are not each looked up for each other.
            self.0.reserve(self.0.len().max(1));
        }
        self.0.push(connection);
    }

    /// Removes a connection.
    pub fn remove(&mut self, connection: ConnectionId) {
        self.0.retain(|other| *other != connection);
    }

    /// The connections that are still there; the others are forgotten.
    pub fn there(&mut self, roster: &Roster) -> Vec<Arc<Outbox>> {
        let mut there = Vec::with_capacity(self.0.len());
        self.0.retain(|connection| match roster.find(*connection) {
            Some(outbox) => {
                there.push(outbox);
                true
            }
            None => false,
        });
        there
    }
}

#[cfg(test)]
mod tests {
    use kith_protocol::{DeviceId, UserId};

    use super::*;

    #[test]
    fn a_connection_that_is_gone_is_forgotten_and_one_that_is_there_is_told_once() {
        let roster = Roster::default();
        let connect = |device: u16| {
            let outbox = roster.open();
            let device = DeviceId::from_bytes([&device.to_be_bytes()[..], &[0; 14]].concat().try_into().unwrap());
            roster.identify(&outbox, UserId::from_bytes([1; 16]), device);
            roster.join(&outbox);
            (outbox.connection().unwrap(), outbox)
        };
        let mut watchers = Watchers::default();
        let (stays, kept) = connect(0);
        watchers.add(&roster, stays);
        for device in 1..1000 {
            let (connection, outbox) = connect(device);
            watchers.add(&roster, connection);
            watchers.add(&roster, stays);
            roster.leave(&outbox);
        }
        assert!(watchers.0.len() <= 4, "{} are remembered", watchers.0.len());
        let there = watchers.there(&roster);
        assert!(there.len() == 1 && Arc::ptr_eq(&there[0], &kept));
        watchers.remove(stays);
        assert!(watchers.is_empty());
    }
}
