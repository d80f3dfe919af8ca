//! Stories through the real doors: a real server on port 0, the real client, one story a test.

mod access;
mod accounts;
mod connections;
mod corpus;
mod delivery;
mod documents;
mod house_rules;
mod media;
mod members;
mod messages;
mod pages;
mod presence;
mod promises;
mod protection;
mod push;
mod quota;
mod receipts;
mod registration;
mod search;
mod silence;
mod strangers;
mod tls;
mod upgrade;
mod uploads;
mod words;
mod world;
