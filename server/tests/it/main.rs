//! Stories through real doors: a real server, a real client, a real data directory.

mod accounts;
