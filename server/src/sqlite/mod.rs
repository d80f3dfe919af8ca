//! The file format of SQLite, as far as the store and the search index, which each have a file of their own, both need it.

pub(crate) mod scrub;
