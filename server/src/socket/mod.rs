//! The WebSocket of a device, from the bytes on the wire to the frames of the protocol.
//!
//! `accept` takes connections and hands them to hyper, as far as there are `places`; `upgrade` takes those that become sockets back as raw streams;
//! `lanes` carry them; `connection` is what one costs while it lasts; `frame` is RFC 6455; `outbox` is what waits to be written.

pub mod accept;
pub mod connection;
pub mod frame;
pub mod lanes;
pub mod outbox;
pub mod places;
pub mod stream;
pub mod upgrade;
