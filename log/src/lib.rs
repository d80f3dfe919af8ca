//! The meaning of a conversation's log, in one place: the server, `kith verify` and the Rust client fold logs by it.
//!
//! [`State`] is what the entries up to one of them come to: settings, members, counts. [`Amendment`] is what later entries
//! did to one message. [`Fold`] derives both from a whole log, [`messages`] the messages that a client shows of a part of
//! one. `rules` says who may append which entry.
//!
//! Invariant: nothing here does I/O, awaits, reads a clock or makes a random number. The same entries in the same order
//! always come to the same.

mod amendment;
mod counts;
mod entry;
mod fold;
mod message;
mod rules;
mod state;

pub use self::{
    amendment::Amendment,
    counts::Counts,
    entry::{Content, Entry},
    fold::Fold,
    message::{message, messages},
    rules::{Refusal, founders},
    state::{Member, Settings, State, Wrong},
};
