//! The bounds of the tokio side of this client: the limits of a device are in [`kith_device::limits`], those of the protocol in
//! [`kith_protocol::limits`].

pub use kith_device::limits::OUTBOX_MESSAGES;

/// Seconds in which a server must take a connection, TLS included.
pub const CONNECT_S: u64 = 10;
/// Seconds in which a request must be answered, its body included.
pub const REQUEST_S: u64 = 35;
/// Connections to one server that are kept for the next request.
pub const IDLE_CONNECTIONS: usize = 4;
/// Bytes of an answer: a page of the longest entries, each byte of their text escaped as `\u00xx`.
pub const ANSWER_BYTES: usize = 32 * 1024 * 1024;
/// Bytes of a frame from the server, on the same reckoning.
pub const FRAME_BYTES: usize = 32 * 1024 * 1024;
/// Bytes of a socket's read buffer.
pub const READ_BUFFER_BYTES: usize = 16 * 1024;
/// Seconds in which the server must take what is written to a socket.
pub const WRITE_S: u64 = 10;
/// Seconds that a clean close waits for the other side.
pub const CLOSE_S: u64 = 2;
/// Commands from the handles that may wait for the connection's task.
pub const COMMANDS: usize = 2048;
/// Events that may wait for the program; [`kith_device::limits::EVENTS_BEHIND`] more wait in the device.
pub const EVENTS: usize = 1024;

// A handle that may put a message into the outbox finds room for its command, with half left for all others.
const _: () = assert!(OUTBOX_MESSAGES <= COMMANDS / 2);
// A server that does not cut its pages by bytes sends so much.
const _: () = assert!(kith_protocol::limits::PAGE_ITEMS * 16 * 1024 * 6 < ANSWER_BYTES);
