//! A client of a Kith server.
//!
//! [`Server`] says where one is. [`rest`] calls its routes; [`socket`] speaks one frame at a time; [`connection`] keeps a
//! [`kith_device::Device`] connected, which decides what to say when and holds what it has of each conversation.
//!
//! Invariant: nothing here depends on the server's crate.

mod clock;
pub mod connection;
mod error;
pub mod limits;
pub mod rest;
mod server;
pub mod socket;

pub use connection::Client;
pub use error::Error;
pub use hyper::{HeaderMap, Method, StatusCode};
pub use kith_device::{Closed, Config, Event, Timeline, timeline};
pub use rest::Rest;
pub use server::Server;
pub use socket::Socket;
