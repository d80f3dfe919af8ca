//! A client of a Kith server.
//!
//! [`Server`] says where one is. [`rest`] calls its routes; [`socket`] speaks one frame at a time; [`timeline`] holds what a
//! device has of each conversation; [`connection`] puts the last two together and stays connected.
//!
//! Invariant: nothing here depends on the server's crate.

mod clock;
pub mod connection;
mod error;
pub mod limits;
pub mod rest;
mod server;
pub mod socket;
pub mod timeline;

pub use connection::{Client, Config, Event};
pub use error::{Closed, Error};
pub use hyper::{HeaderMap, Method, StatusCode};
pub use rest::Rest;
pub use server::Server;
pub use socket::Socket;
pub use timeline::Timeline;
