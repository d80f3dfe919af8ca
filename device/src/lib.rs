//! A device of a Kith server as a state machine: what happened goes in, what is to be done comes out.
//!
//! [`Device`] is the machine. A driver tells it of connections, frames, commands and the time, writes the frames that it says
//! and shows the [`Event`]s that it tells. [`timeline`] holds what the device has of each conversation.
//!
//! Invariant: nothing here does I/O, awaits, reads a clock or asks for randomness: the time is passed in, and chance follows
//! from a seed. The same input gives the same output.

mod backoff;
mod chance;
mod closed;
mod device;
mod event;
pub mod limits;
mod link;
mod outbox;
mod pointers;
mod pulls;
#[cfg(test)]
mod tests;
pub mod timeline;

pub use closed::Closed;
pub use device::{Config, Device};
pub use event::{Command, Due, Ended, Event, Next};
pub use timeline::Timeline;
