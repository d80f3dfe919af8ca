//! A client of a Kith server.
//!
//! [`Server`] says where one is. [`rest`] calls its routes, [`socket`] speaks one frame at a time.
//!
//! Invariant: nothing here depends on the server's crate.

mod clock;
mod error;
pub mod limits;
pub mod rest;
mod server;
pub mod socket;

pub use error::{Closed, Error};
pub use hyper::{HeaderMap, Method, StatusCode};
pub use rest::Rest;
pub use server::Server;
pub use socket::Socket;
