//! The WebSocket of a device, from the bytes on the wire to the frames of the protocol.
//!
//! `accept` takes connections and hands them to hyper, as far as there are [`places`](crate::places); `upgrade` takes those
//! that become sockets back as raw streams; `lanes` carry them; `connection` is what one costs while it lasts, between
//! [`frame`](crate::frame), which is RFC 6455, and the [outbox](crate::delivery::outbox) of what waits to be written.

pub mod accept;
pub mod connection;
pub mod lanes;
pub mod stream;
pub mod upgrade;
