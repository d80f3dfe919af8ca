//! Kith: a messenger server that people run themselves.

pub mod account;
pub mod clock;
pub mod config;
pub mod error;
pub mod http;
pub mod limits;
pub mod roster;
pub mod store;

pub use error::Error;
