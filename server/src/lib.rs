//! Kith: a messenger server that people run themselves.

pub mod account;
pub mod clock;
pub mod error;
pub mod limits;
pub mod roster;
pub mod socket;
pub mod store;

pub use error::Error;
