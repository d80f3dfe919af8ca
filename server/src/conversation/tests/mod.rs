//! Stories of conversations that several keepers take for theirs.

mod keepers;
mod lost;
mod oracle;
mod script;
mod world;
