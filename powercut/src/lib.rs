//! A disk that loses its power.
//!
//! [`register`] puts a VFS of the name [`NAME`] before SQLite's own. It passes everything on, and remembers of each file
//! what was synced and what was only written. [`cut`] then writes the files as a power cut might leave them: what was
//! synced, and of the rest whatever chance kept, sector by sector and in any order. [`fill`] leaves no more room on it,
//! and [`break_sync`] lets every sync fail.
//!
//! What it takes for granted, as SQLite does: a sector is written whole or not at all, a write harms nothing beside it,
//! a sync orders what was written before it to the same file, and a new log's sync makes its name last.

pub mod chance;
mod disk;
mod vfs;

pub use self::{
    disk::{break_sync, cut, fill},
    vfs::{NAME, register},
};
