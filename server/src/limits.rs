//! What bounds the server. The limits of the protocol are in [`kith_protocol::limits`]; these are ours.

/// Within how many seconds redacted and deleted content has left the disk.
pub const SCRUB_S: u64 = 60;
/// Bytes of one stored body: the longest text with every byte escaped as `\u00xx`, and its mentions.
pub const BODY_BYTES: usize = 128 * 1024;
/// Changes that may wait for the writer of the store.
pub const STORE_QUEUE: usize = 8192;
/// Changes that one durable write takes at most.
pub const STORE_BATCH: usize = 2048;
/// Reads that may wait for the readers of the store.
pub const STORE_READS: usize = 8192;
/// Readers of the embedded store.
pub const STORE_READERS: usize = 2;
/// Commands that may wait for the task of one conversation.
pub const CONVERSATION_QUEUE: usize = 1024;
/// Commands that a conversation takes in one go, and so the entries of one append.
pub const CONVERSATION_BATCH: usize = 256;
/// A conversation without work for so many seconds goes to sleep.
pub const CONVERSATION_IDLE_S: u64 = 60;
/// How long moved pointers may wait for the disk, in milliseconds.
pub const POINTER_FLUSH_MS: u64 = 2000;
/// Entries in the tail of a live conversation.
pub const TAIL_ENTRIES: usize = 128;
/// Bytes of the tails of all live conversations of the node.
pub const TAIL_BYTES: usize = 64 * 1024 * 1024;
/// Conversations that may be live at a time.
pub const CONVERSATIONS_LIVE: usize = 200_000;
/// Bytes that may wait in one connection's queue before typing and presence are dropped,
pub const OUTBOX_SHED_BYTES: usize = 256 * 1024;
/// before receipts are dropped too,
pub const OUTBOX_SHED_RECEIPTS_BYTES: usize = 512 * 1024;
/// and before the connection is closed with 4103.
pub const OUTBOX_BYTES: usize = 4 * 1024 * 1024;
/// Frames written with one system call.
pub const WRITE_FRAMES: usize = 64;
/// Bytes of a thread's read buffer, which all its connections share.
pub const READ_BUFFER_BYTES: usize = 64 * 1024;
/// Seconds in which a connection must have said hello.
pub const HELLO_S: u64 = 10;
/// Seconds in which the head of an HTTP request must be there.
pub const HTTP_HEAD_S: u64 = 10;
/// Seconds after which a REST request is given up.
pub const HTTP_REQUEST_S: u64 = 30;
/// Passwords hashed at a time; each takes 19 MiB and a core for some 15 ms.
pub const PASSWORDS_AT_ONCE: usize = 1;
/// Passwords that may wait to be hashed; more are refused as overloaded.
pub const PASSWORDS_WAITING: usize = 256;
/// Sequential misses of the rate limit after which a connection is closed with 4008.
pub const RATE_LIMITED_IN_A_ROW: u32 = 100;
/// Silent heartbeats after which a connection is closed with 4009.
pub const HEARTBEATS_MISSED: u32 = 3;
/// How long a user whose connection broke still counts as online, in seconds.
pub const PRESENCE_GRACE_S: u64 = 30;
/// How often last seen is stored for one who stays, in seconds.
pub const LAST_SEEN_S: u64 = 300;
/// Long polls of one user at a time.
pub const POLLS_PER_USER: usize = 8;
/// Seconds without a GET after which a long poll ends.
pub const POLL_IDLE_S: u64 = 60;
/// Seconds that a GET of a long poll may wait.
pub const POLL_WAIT_S: u64 = 50;

// A slow reader loses what can be lost before it loses its connection, and one hello must fit.
const _: () = assert!(
    OUTBOX_SHED_BYTES < OUTBOX_SHED_RECEIPTS_BYTES && OUTBOX_SHED_RECEIPTS_BYTES < OUTBOX_BYTES
);
const _: () = assert!(kith_protocol::limits::RESUME_BYTES < OUTBOX_BYTES / 2);
const _: () = assert!(CONVERSATION_BATCH <= CONVERSATION_QUEUE && STORE_BATCH <= STORE_QUEUE);
const _: () = assert!(POLL_WAIT_S < POLL_IDLE_S);
// One full page of the largest entries must pass a connection.
const _: () = assert!(kith_protocol::limits::PAGE_ITEMS * 16 * 1024 < OUTBOX_BYTES);
