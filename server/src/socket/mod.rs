//! The WebSocket of a device, from the bytes on the wire to the frames of the protocol.

pub mod frame;
