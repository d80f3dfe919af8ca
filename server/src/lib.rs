//! Kith: a messenger server that people run themselves.
//!
//! The modules stand in the order of their imports: each imports only modules that stand below it. It is also the order in
//! which a message meets them: [`socket`] reads a [`frame`]; [`session`] checks that a live device speaks; [`conversation`]
//! asks whether the user may write, drops what was sent before, gives the entry the next seq and hands it to the [`store`];
//! when it is durable the sender is told, and [`delivery`] gives it to the connections of every member. REST walks the same
//! way from one door later: [`http`].

pub mod server;

pub mod operator;

pub mod backends;

pub mod socket;

pub mod http;

pub mod session;

pub mod node;

pub mod push;
pub mod search;

pub mod presence;
pub mod reports;

pub mod conversation;

pub mod rates;
pub mod timekeeper;

pub mod config;

pub mod account;
pub mod media;
pub mod trust;

pub mod delivery;
pub mod frame;
pub mod places;

pub mod network;
pub mod room;
pub mod shed;

pub mod work;

pub mod error;

pub mod store;

pub mod clock;
pub mod gather;
pub mod page_bytes;
pub mod sqlite;
pub mod telemetry;

pub mod limits;

pub use error::Error;
