//! Kith: a messenger server that people run themselves.
//!
//! The modules stand in the order in which a message meets them: a frame is decoded in [`socket`]; [`session`] checks that
//! a live device speaks; [`conversation`] asks whether the user may write, drops what was sent before, gives the entry the
//! next seq and hands it to the [`store`]; when it is durable the sender is told, and [`fanout`] gives it to the sessions
//! of every member, which [`roster`] knows. REST walks the same way from one door later: [`http`].

pub mod server;

pub mod socket;

pub mod session;

pub mod http;

pub mod account;
pub mod conversation;
pub mod media;

pub mod store;

pub mod allowance;
pub mod budget;
pub mod fanout;
pub mod presence;
pub mod push;
pub mod relief;
pub mod reports;
pub mod room;
pub mod roster;
pub mod search;
pub mod shed;
pub mod wire;

pub mod backends;
pub mod node;
pub mod operator;

pub mod clock;
pub mod config;
pub mod error;
pub mod gather;
pub mod limits;
pub mod network;
pub mod page_bytes;
pub mod telemetry;
pub mod timekeeper;
pub mod trust;

pub use error::Error;
