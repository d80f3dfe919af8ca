//! Kith: a messenger server that people run themselves.

pub mod clock;
pub mod error;
pub mod limits;
pub mod socket;
pub mod store;

pub use error::Error;
