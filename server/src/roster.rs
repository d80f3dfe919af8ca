//! Who is connected to this node.

use kith_protocol::{DeviceId, UserId, problem::CloseCode};

/// The devices that are connected to this node.
#[derive(Debug, Default)]
pub struct Roster {}

impl Roster {
    /// Closes the connection of a device, if it has one here.
    pub fn close_device(&self, user: UserId, device: DeviceId, code: CloseCode) {
        tracing::debug!(%user, %device, ?code, "device closed");
    }

    /// Closes the connections of all of a user's devices but one.
    pub fn close_user(&self, user: UserId, except: Option<DeviceId>, code: CloseCode) {
        tracing::debug!(%user, ?except, ?code, "user closed");
    }
}
