//! From a conversation to the connections of its members on this node.
//!
//! `fanout` gives what happened to whom the `roster` knows as connected: frames that `encoding` wrote once for all of them,
//! into the `outbox` of each connection, from where whatever carries it takes them. What waits there is counted: by user in
//! an `allowance`, in all in the `budget`; where that runs short, `relief` closes the connections that do not read.

pub mod allowance;
pub mod budget;
pub mod encoding;
pub mod fanout;
pub mod outbox;
pub mod relief;
pub mod roster;
pub mod watchers;
