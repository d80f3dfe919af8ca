//! Kith: a messenger server that people run themselves.

pub mod account;
pub mod backends;
pub mod clock;
pub mod config;
pub mod error;
pub mod http;
pub mod limits;
pub mod operator;
pub mod roster;
pub mod server;
pub mod store;
pub mod telemetry;

pub use error::Error;
