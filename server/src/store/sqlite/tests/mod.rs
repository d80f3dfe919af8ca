//! Tests of this engine alone: its directory, what leaves its disk, and that it answers as the model does.

mod chain;
mod directory;
mod erasure;
mod model;
