//! The operator's doors: an address for probes and metrics, and a Unix socket in the data directory on which the
//! program's own commands speak to a running server.

pub mod backup;
pub mod client;
mod connection;
mod door;
mod import;
pub mod inspect;
mod operations;
mod probes;
pub mod repair;
pub mod verify;

pub use self::{
    door::{Bound, SOCKET, bind, router as door},
    import::{ImportError, import},
    operations::Operations,
    probes::router,
};
