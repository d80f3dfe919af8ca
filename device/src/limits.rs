//! The bounds of a device. The limits of the protocol are in [`kith_protocol::limits`]; these are our own.

/// Messages that may wait to be sent; the driver refuses more.
pub const OUTBOX_MESSAGES: usize = 1000;
/// Events that may wait for the program before frames are to be left with the network.
pub const EVENTS_BEHIND: usize = 1024;
/// Entries of each conversation that are kept, unless the program says otherwise.
pub const ENTRIES_KEPT: usize = 1000;
/// Conversations that are asked for at a time: so many full pages may wait for one connection at the server, which closes
/// one for which 4 MiB wait.
pub const SYNCS_AT_ONCE: usize = 2;
/// Seconds after which a `sync` counts as not answered.
pub const SYNC_ANSWER_S: u64 = 30;
/// Times that the same `sync` is asked in vain before it is given up,
pub const SYNC_TRIES: u32 = 8;
/// and milliseconds before the second time, then twice as long each time,
pub const SYNC_AGAIN_MS: u64 = 1000;
/// up to so many.
pub const SYNC_AGAIN_AT_MOST_MS: u64 = 60_000;
/// Seconds after which an unanswered `send` is sent again.
pub const SENT_ANSWER_S: u64 = 15;
/// Milliseconds before a send is tried again, where the server does not say, then twice as long each time,
pub const SEND_AGAIN_MS: u64 = 1000;
/// up to so many.
pub const SEND_AGAIN_AT_MOST_MS: u64 = 60_000;
/// Times that the server may say that its disk is full before a send has failed.
pub const STORAGE_FULL_TRIES: u32 = 3;
/// Milliseconds that the server has to send by itself what a `hello` lacks, before the client asks for it.
pub const RESUME_MS: u64 = 2000;
/// Milliseconds for which moved pointers are collected: each conversation tells at most one in so long.
pub const POINTERS_MS: u64 = 200;
/// Conversations whose pointers are told then: with two frames each, half of the frames that a server takes in a second.
pub const POINTERS_AT_ONCE: usize = 5;
/// Milliseconds for which a `typing` stands.
pub const TYPING_MS: u64 = 3000;
/// Seconds in which a `hello` must be answered.
pub const READY_S: u64 = 10;
/// Heartbeats without a word from the server after which the connection is given up.
pub const SILENT_HEARTBEATS: u32 = 3;
/// Milliseconds of which the first reconnect waits a random part; each further one doubles it,
pub const RECONNECT_FIRST_MS: u64 = 1000;
/// up to so many.
pub const RECONNECT_MAX_MS: u64 = 30_000;
/// Seconds that a connection must have stood for the next reconnect to be a first one.
pub const STEADY_S: u64 = 5;
/// Characters of a text from outside that says why a connection or a request failed.
pub const REASON_CHARS: usize = 300;

// A page of heads or entries makes an event for each at most.
const _: () = assert!(kith_protocol::limits::HEADS_CONVERSATIONS <= EVENTS_BEHIND);
const _: () = assert!(SYNCS_AT_ONCE * kith_protocol::limits::PAGE_BYTES <= 2 * 1024 * 1024);
