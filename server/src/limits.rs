//! The bounds of the server. Those of the protocol are in [`kith_protocol::limits`].

/// Within how many seconds redacted and deleted content has left the disk.
pub const SCRUB_S: u64 = 60;
/// Bytes of one stored body: what a client's frame can bring in its JSON form, and what is told of its attachments.
pub const BODY_BYTES: usize = 128 * 1024;
/// Bytes of an entry's JSON form beside its body.
pub const ENTRY_BYTES: usize = 400;
/// Bytes of what a message tells of one attachment: its name, which has nothing to escape, and all else.
pub const ATTACHMENT_BYTES: usize = 1024;
/// Bytes of one conversation in a `heads` frame.
pub const HEAD_BYTES: usize = 400;
/// Rows of amendments that are read at a time for a page of messages.
pub const AMENDMENTS_TOGETHER: usize = 16;
/// Changes that may wait for the writer of the store.
pub const STORE_QUEUE: usize = 8192;
/// Changes that one durable write takes at most.
pub const STORE_BATCH: usize = 2048;
/// Bytes after which one durable write takes no more changes.
pub const STORE_BATCH_BYTES: usize = 4 * 1024 * 1024;
/// Bytes of one turn of a conversation: its bodies, the names of its rows and their values.
pub const STORE_TURN_BYTES: usize = 512 * 1024;
/// Reads that may wait for the readers of the store.
pub const STORE_READS: usize = 8192;
/// Readers of the embedded store.
pub const STORE_READERS: usize = 2;
/// Pages that the embedded store's writer keeps in memory, in KiB.
pub const STORE_WRITER_CACHE_KIB: i64 = 32 * 1024;
/// Pages that each of its readers keeps in memory, in KiB.
pub const STORE_READER_CACHE_KIB: i64 = 1024;
/// Identifiers whose numbers each of its threads remembers, times two.
pub const STORE_IDS: usize = 64 * 1024;
/// Heads that its writer remembers, times two.
pub const STORE_HEADS: usize = 64 * 1024;
/// Length of its write-ahead log, in bytes, from which on it is emptied.
pub const WAL_BYTES: u64 = 64 * 1024 * 1024;
/// Bytes of the log that are copied into the database at a time: the commits that wait for the disk meanwhile wait for little.
pub const CHECKPOINT_BYTES: u64 = 4 * 1024 * 1024;
/// Seconds after which the file of the log holds nothing any more that was written before, however short it is.
pub const CHECKPOINT_S: u64 = 20;
/// Bytes of a backup that are read at a time,
pub const BACKUP_PIECE_BYTES: usize = 256 * 1024;
/// and how many such pieces may wait to be taken.
pub const BACKUP_PIECES: usize = 4;
/// Seconds after which a backup is given up of which nothing is taken.
pub const BACKUP_STALLED_S: u64 = 600;
/// Bytes of one line of a backup's stream, of its manifest, and of the list of its media.
pub const BACKUP_LINE_BYTES: usize = 4096;
/// Commands that may wait for the task of one conversation.
pub const CONVERSATION_QUEUE: usize = 1024;
/// Commands that a conversation takes in one go, and so the entries of one append.
pub const CONVERSATION_BATCH: usize = 256;
/// Different damages that are remembered as logged; beyond, they may be logged once more.
pub const DAMAGE_LOGGED: usize = 10_000;
/// Conversations that are remembered as damaged; those beyond are found to be so whenever they are asked for.
pub const CONVERSATIONS_DAMAGED: usize = 100_000;
/// Conversations that are recovered at a time after a crash: what they write is made durable together.
pub const RECOVERED_TOGETHER: usize = 256;
/// Seconds until work that failed for damage is tried again.
pub const DAMAGE_AGAIN_S: u64 = 3600;
/// Rows of due work that are read at a time,
pub const DUE_ROWS: usize = 256;
/// and those of one bucket that a pass does.
pub const DUE_ROWS_PER_PASS: usize = 1024;
/// Seconds that a stored cursor stays behind what is done.
pub const DUE_SLACK_S: u64 = 600;
/// Seconds for which due work is looked for where nothing that can be believed says since when there is any.
pub const DUE_BACK_S: u64 = 366 * 24 * 3600;
/// Rows that a conversation writes in one turn, at most.
pub const TURN_ROWS: usize = 1024;
/// Times that a conversation proposes the same entries again without getting any of them into its log, because others append.
pub const APPEND_TRIES: usize = 8;
/// A conversation without work for so many seconds goes to sleep.
pub const CONVERSATION_IDLE_S: u64 = 60;
/// The time for which moved pointers may wait for the disk, in milliseconds.
pub const POINTER_FLUSH_MS: u64 = 2000;
/// Bytes that an entry counts for beside its body: its place, its names and its times.
pub const ENTRY_BYTES_BESIDE: u64 = 128;
/// Bytes of entries of one user and day after which a row says how many there are: a restart forgets fewer.
pub const ENTRY_BYTES_NOTED: u64 = 4 * 1024 * 1024;
/// Entries in the tail of a live conversation.
pub const TAIL_ENTRIES: usize = 128;
/// Bytes of the tails of all live conversations of the node.
pub const TAIL_BYTES: usize = 64 * 1024 * 1024;
/// Members of a conversation up to which it asks for each whether they are connected; in a larger one it keeps who is.
pub const MEMBERS_ASKED: usize = 256;
/// Users whose coming online is remembered, so that large conversations learn of it: 1 MiB.
pub const ROSTER_ARRIVALS: usize = 64 * 1024;
/// Conversations that may be live at a time.
pub const CONVERSATIONS_LIVE: usize = 200_000;
/// Bytes that may wait in one connection's queue before typing and presence are dropped,
pub const OUTBOX_SHED_BYTES: usize = 256 * 1024;
/// before receipts are dropped too,
pub const OUTBOX_SHED_RECEIPTS_BYTES: usize = 512 * 1024;
/// and before the connection is closed with 4103.
pub const OUTBOX_BYTES: usize = 4 * 1024 * 1024;
/// A user may hold one part in so many of all bytes that may wait to be written.
pub const WAITING_USERS: usize = 16;
/// Bytes by which it is counted for a user what waits in an outbox; shorter answers are not counted.
pub const WAITING_STEP_BYTES: usize = 4096;
/// Bytes that a page takes of what may wait, while it is made.
pub const PAGE_RESERVE_BYTES: usize = 1024 * 1024;
/// Milliseconds after which who was refused as overloaded may try again.
pub const OVERLOADED_MS: u64 = 1000;
/// Bytes that a connection must read of those that wait for it, or is closed when memory is short,
pub const STALLED_BYTES: u32 = 32 * 1024;
/// in so many seconds.
pub const STALLED_S: u32 = 5;
/// Conversations that a lane, or the writer of the store, wakes together at most.
pub const WOKEN_TOGETHER: usize = 16;
/// Answers to the sends of one connection that wait for one another while more of its sends are under way.
pub const ANSWERS_TOGETHER: u32 = 4;
/// Frames written with one system call.
pub const WRITE_FRAMES: usize = 64;
/// Bytes that the kernel takes of a socket before the server reads them: what a flood may queue in front of its own next
/// message, and so how late it may be.
pub const SOCKET_RECEIVE_BYTES: usize = 32 * 1024;
/// Bytes that the kernel takes of a socket before the client has them, times two: half a megabyte in some 200 ms of distance.
pub const SOCKET_SEND_BYTES: usize = 128 * 1024;
/// The same of an HTTP connection, where downloads are to be quick from afar.
pub const HTTP_SEND_BYTES: usize = 256 * 1024;
/// Bytes after which a connection that has more to read lets others have their turn.
pub const TURN_BYTES: usize = 8 * 1024;
/// Bytes of a thread's read buffer, which all its connections share.
pub const READ_BUFFER_BYTES: usize = 64 * 1024;
/// Seconds in which a connection must have said hello.
pub const HELLO_S: u64 = 10;
/// Hellos of a user in a second, over time,
pub const HELLOS_PER_S: u32 = 2;
/// and at once: all devices may come back a few times.
pub const HELLOS_BURST: u32 = 256;
/// Frames other than sends that the sockets of a user, all together, may send in a second; as many pings of RFC 6455 may
/// come before a hello.
pub const FRAMES_PER_S: u32 = 100;
/// Sockets and long polls of a user, for each device that they may have: those that broke unnoticed count too.
pub const SOCKETS_PER_DEVICE: usize = 4;
/// Milliseconds in which the others are told once that a member types.
pub const TYPING_MS: u64 = 2000;
/// Bytes of the longest frame that an operator may allow.
pub const FRAME_BYTES_AT_MOST: usize = 64 * 1024;
/// Bytes of the head of an HTTP request.
pub const HTTP_HEAD_BYTES: usize = 16 * 1024;
/// Header fields of an HTTP request.
pub const HTTP_HEADERS: usize = 64;
/// Seconds in which the head of an HTTP request must be there.
pub const HTTP_HEAD_S: u64 = 10;
/// Milliseconds for which a client may take nothing of what is sent to it before its connection is closed.
pub const UNREAD_MS: u32 = 120_000;
/// Seconds after which a REST request is given up.
pub const HTTP_REQUEST_S: u64 = 30;
/// Milliseconds for which an answer is held that tells a client to come back later: on one connection there are no more
/// refusals than that.
pub const REFUSED_PAUSE_MS: u64 = 100;
/// Milliseconds by which an entry's time has to be held, so as not to lie before the entry in front of it, for the entry to
/// say its true time too. Corrections of a clock that is kept well are smaller.
pub const HELD_MS: u64 = 1000;
/// Seconds after which the time is kept again for the next run.
pub const CLOCK_KEPT_S: u64 = 600;
/// The time for which an operator's command waits for a server that still starts, in milliseconds.
pub const OPERATOR_WAIT_MS: u64 = 5_000;
/// Passwords hashed at a time, one for every two cores at most; each takes 19 MiB and a core for some 15 ms.
pub const PASSWORDS_AT_ONCE: usize = 4;
/// Passwords of devices that are not known that may wait to be hashed; more are refused as overloaded,
pub const PASSWORDS_WAITING: usize = 256;
/// those of known devices,
pub const PASSWORDS_KNOWN: usize = 256;
/// those for names that are asked for too often,
pub const PASSWORDS_SLOWED: usize = 64;
/// and of all these those of one user or address.
pub const PASSWORDS_EACH: usize = 16;
/// Passwords a second that are hashed for names that are asked for too often, all together.
pub const PASSWORDS_SLOWED_PER_S: u32 = 4;
/// The number of turns until a device that is not known is before those that are.
pub const PASSWORDS_UNKNOWN_EVERY: usize = 4;
/// Device secrets of a user; with one more, the one that was not used for longest is forgotten.
pub const DEVICE_SECRETS: usize = 64;
/// Token buckets of one kind; beyond, those that were not used for longest are forgotten, and with that full.
pub const BUCKETS: usize = 65_536;
/// The multiple of what one address may do that a whole /56 may, or the /24 of an IPv4 address,
pub const SITE_TIMES: u32 = 4;
/// and a whole /48.
pub const WIDE_TIMES: u32 = 16;
/// The multiple of the tries for a name from one address that may be made for it in all before it is slow.
pub const NAME_TIMES: u32 = 3;
/// The factor by which the bucket of a name at an address fills again slower than it was full at first.
pub const NAME_REFILL_TIMES: u32 = 5;
/// The divisor of what others may do that a new account may do.
pub const NEW_ACCOUNT_SHARE: u64 = 10;
/// Users that one search for people finds at most,
pub const USERS_FOUND: usize = 20;
/// characters of a name that it takes,
pub const USERS_SEARCH_CHARS: usize = 2;
/// searches for people that a user may make a second, over time,
pub const USERS_SEARCHES_PER_S: u32 = 1;
/// and at once.
pub const USERS_SEARCHES_BURST: u32 = 30;
/// Failed sign-ins that are logged a second, over time,
pub const FAILURES_LOGGED_PER_S: u32 = 5;
/// and at once; others are counted only.
pub const FAILURES_LOGGED_BURST: u32 = 50;
/// Times that a change of a user's row is tried when others change it too.
pub const COMMIT_TRIES: usize = 16;
/// Users whose cards are kept in memory; each takes some 200 bytes and 16 for each user they block or whose request waits.
pub const CARDS: usize = 65_536;
/// Users that one user may block.
pub const BLOCKED_USERS: usize = 1000;
/// Requests of one user that wait for an answer; one more takes the place of the oldest of the stranger with the most.
pub const REQUESTS: usize = 100;
/// The time for which a request waits for an answer, in seconds: 30 days.
pub const REQUEST_S: u64 = 30 * 24 * 3600;
/// Reports that one user makes on one day,
pub const REPORTS_PER_DAY: u32 = 20;
/// and those of all users that wait for the operator; one more takes the place of the oldest of who made the most.
pub const REPORTS: usize = 1000;
/// The time for which a report is kept that nobody closes, in seconds: 90 days.
pub const REPORT_S: u64 = 90 * 24 * 3600;
/// Messages that one report shows,
pub const REPORT_MESSAGES: usize = 20;
/// bytes of the text of each, the rest of which is cut off,
pub const REPORT_TEXT_BYTES: usize = 4096;
/// and characters of its reason.
pub const REPORT_REASON_CHARS: usize = 1000;
/// Rows that are read at a time where all of a range are needed.
pub const SCAN_ROWS: usize = 500;
/// The time for which an invite is good, in seconds: 7 days.
pub const INVITE_S: u64 = 7 * 24 * 3600;
/// Invites of one user that may be open at a time.
pub const INVITES_OPEN: usize = 100;
/// Characters of an e-mail address (RFC 5321, section 4.5.3.1.3).
pub const EMAIL_CHARS: usize = 254;
/// Characters of a telephone number.
pub const PHONE_CHARS: usize = 32;
/// Characters of an `Idempotency-Key`.
pub const IDEMPOTENCY_KEY_CHARS: usize = 255;
/// Rows of used idempotency keys that are looked at when one is added, to drop those that are too old.
pub const REPLAYS_SWEPT: usize = 16;
/// Seconds for which a password that the operator gave out signs in.
pub const ONE_TIME_PASSWORD_S: u64 = 24 * 3600;
/// Users that an import writes at a time, so that they share durable writes.
pub const IMPORTS_AT_ONCE: usize = 512;
/// Users of an import that one request to the operator's socket brings.
pub const IMPORT_USERS: usize = 1000;
/// Bytes of one line of an import.
pub const IMPORT_LINE_BYTES: usize = 4096;
/// Seconds between two sweeps of the rate limits' state.
pub const RATES_SWEEP_S: u64 = 10;
/// Sequential misses of the rate limit after which a connection is closed with 4008.
pub const RATE_LIMITED_IN_A_ROW: u32 = 100;
/// Silent heartbeats after which a connection is closed with 4009.
pub const HEARTBEATS_MISSED: u32 = 3;
/// The time for which a user whose connection broke still counts as online, in seconds.
pub const PRESENCE_GRACE_S: u64 = 30;
/// The period at which last seen is stored for one who stays, in seconds.
pub const LAST_SEEN_S: u64 = 300;
/// Media that one user sends in one request each, at a time,
pub const MEDIA_SENDING_EACH: usize = 4;
/// and all users together; each is in memory as far as it has come.
pub const MEDIA_SENDING: usize = 32;
/// Seconds over which the rate of a sender is looked at where all places are taken,
pub const SLOW_S: u64 = 30;
/// and the bytes a second below which one makes way for another then.
pub const SLOW_BYTES_PER_S: u64 = 2000;
/// Seconds without a byte after which a media that is being sent is given up,
pub const MEDIA_SILENT_S: u64 = 30;
/// and those after which it is in any case.
pub const MEDIA_SENDING_S: u64 = 600;
/// Uploads of one user to which requests write at a time,
pub const UPLOADING_EACH: usize = 8;
/// and those of all users together; each has a piece in memory.
pub const UPLOADING: usize = 256;
/// Bytes of an upload that are written in one go,
pub const UPLOAD_WRITE_BYTES: usize = 256 * 1024;
/// and the milliseconds after which fewer are.
pub const UPLOAD_WRITE_MS: u64 = 1000;
/// Seconds that one request may write to an upload.
pub const UPLOADING_S: u64 = 3600;
/// Seconds that a request waits for another that ends an upload or lets go of it.
pub const UPLOAD_WAIT_S: u64 = 20;
/// Uploads that become media at a time: their bytes are hashed and copied,
pub const UPLOADS_ENDING: usize = 4;
/// and those of one user.
pub const UPLOADS_ENDING_EACH: usize = 2;
/// Bytes of an upload that are copied in one go.
pub const UPLOAD_PIECE_BYTES: usize = 1024 * 1024;
/// Bytes by which it is known what an upload is, if it is no picture.
pub const UPLOAD_BEGINNING_BYTES: u64 = 64 * 1024;
/// Bytes that are read and dropped of a request that was refused, so that its sender hears why,
pub const UPLOAD_REFUSED_BYTES: u64 = 16 * 1024 * 1024;
/// and for how many seconds.
pub const UPLOAD_REFUSED_S: u64 = 10;
/// Pairs in an `Upload-Metadata`.
pub const UPLOAD_METADATA_PAIRS: usize = 16;
/// Seconds for which a signed url opens a media.
pub const MEDIA_URL_S: u64 = 3600;
/// The media reserve (see `room`) is this part of the file system,
pub const MEDIA_RESERVE_PART: u64 = 20;
/// but so many bytes at least: 1 GiB,
pub const MEDIA_RESERVE_AT_LEAST: u64 = 1024 * 1024 * 1024;
/// and so many at most: 20 GiB.
pub const MEDIA_RESERVE_AT_MOST: u64 = 20 * 1024 * 1024 * 1024;
/// The text reserve is this part of the media reserve,
pub const TEXT_RESERVE_PART: u64 = 4;
/// but no more than this part of the file system.
pub const TEXT_RESERVE_DISK_PART: u64 = 16;
/// Bytes of the ballast at most; it is no more than a quarter of the text reserve.
pub const BALLAST_BYTES: u64 = 16 * 1024 * 1024;
/// Bytes of the row by which the store tells whether a full disk has room again: more than a message takes.
pub const STORE_PROBE_BYTES: usize = 256 * 1024;
/// Pixels of a picture,
pub const PICTURE_PIXELS: u64 = 108_000_000;
/// and bytes that reading any takes beside what its size says: the small picture, its forms, what a decoder is.
pub const PICTURE_FIXED_BYTES: u64 = 16 * 1024 * 1024;
/// The multiple of its bytes that the codes of a lossless WebP may take in memory.
pub const WEBP_CODES_GROW: u64 = 640;
/// Pictures that are read at a time,
pub const PICTURES_AT_ONCE: usize = 2;
/// and those of one user.
pub const PICTURES_EACH: usize = 1;
/// Pictures that may wait to be read,
pub const PICTURES_WAITING: usize = 64;
/// and the seconds that each of them may.
pub const PICTURE_WAIT_S: u64 = 60;
/// Bytes in which all pictures are read: of what the process may have this part,
pub const PICTURES_PART: u64 = 8;
/// but so many at least,
pub const PICTURES_BYTES_AT_LEAST: u64 = 256 * 1024 * 1024;
/// and so many at most.
pub const PICTURES_BYTES_AT_MOST: u64 = 1024 * 1024 * 1024;
/// Pixels of the longer side of a thumbnail.
pub const THUMBNAIL_PIXELS: u32 = 512;
/// Seconds for which it is believed that a message or a profile refers to a media, before it is asked.
pub const MEDIA_PERHAPS_S: u64 = 3600;
/// Characters of the address of a push subscription.
pub const PUSH_ENDPOINT_CHARS: usize = 2048;
/// Bytes of what is sent to a push service, with its encryption: what every one of them must take (RFC 8030, section 7.2).
pub const PUSH_BYTES: usize = 4096;
/// Bytes of a text that is pushed where a push service would not take more.
pub const PUSH_SMALL_TEXT_BYTES: usize = 128;
/// Pushes under way at a time,
pub const PUSHES_AT_ONCE: usize = 64;
/// those to the hosts of one registrable domain,
pub const PUSHES_PER_DOMAIN: usize = 8;
/// and those to the devices of one user.
pub const PUSHES_PER_USER_AT_ONCE: usize = 4;
/// Conversations that may wait in memory to be pushed, one for each device; what is beyond waits in its rows,
pub const PUSHES_PENDING: usize = 100_000;
/// and those of one user.
pub const PUSHES_PER_USER: usize = 256;
const _: () = assert!(PUSHES_PER_USER_AT_ONCE < PUSHES_PER_DOMAIN && PUSHES_PER_DOMAIN < PUSHES_AT_ONCE);
const _: () = assert!(PUSHES_PER_USER < PUSHES_PENDING);
/// Entries of one conversation in which one look seeks for whom to push.
pub const PUSH_BATCH: usize = 500;
/// The newest entries of a conversation among which a push finds its message.
pub const PUSH_MESSAGES: usize = 50;
/// Seconds that a connection to a push service may take to be made, with the look-up of its name and with TLS.
pub const PUSH_CONNECT_S: u64 = 5;
/// Hosts of push services of which it is remembered how they answered.
pub const PUSH_HOSTS: usize = 4096;
/// Seconds for which a host is left alone that was not reached, the first time, then twice as long each time,
pub const PUSH_PAUSE_S: u64 = 5;
/// up to so many seconds. One that answered anybody within as many is not left alone.
pub const PUSH_PAUSE_AT_MOST_S: u64 = 60;
/// Seconds that one push may take,
pub const PUSH_TAKES_S: u64 = 15;
/// seconds after which it is tried again the first time, then twice as long each time,
pub const PUSH_RETRY_S: u64 = 5;
/// up to so many seconds,
pub const PUSH_RETRY_AT_MOST_S: u64 = 3600;
/// and the seconds after which a push is given up, here and at the push service: a day.
pub const PUSH_TTL_S: u64 = 24 * 3600;
/// Seconds for which a person who did something on a device needs no push on another.
pub const PUSH_ACTIVE_S: u64 = 60;
/// Bytes of the head of a push service's answer.
pub const PUSH_ANSWER_BYTES: usize = 16 * 1024;
/// Long polls of one user at a time.
pub const POLLS_PER_USER: usize = 8;
/// Frames in one request of a long poll.
pub const POLL_COMMANDS: usize = 100;
/// Seconds without a GET after which a long poll ends.
pub const POLL_IDLE_S: u64 = 60;
/// Seconds that a GET of a long poll may wait.
pub const POLL_WAIT_S: u64 = 50;
/// Characters of what is searched for.
pub const SEARCH_QUERY_CHARS: usize = 256;
/// Words of what is searched for; a pair of characters is one where a script has no spaces.
pub const SEARCH_WORDS: usize = 64;
/// Letters from which on the last word may be the beginning of one; fewer letters begin too many words.
pub const SEARCH_BEGINNING_CHARS: usize = 3;
/// Places in one message that a search marks.
pub const SEARCH_HIGHLIGHTS: usize = 100;
/// Messages that are found before the best of them are chosen.
pub const SEARCH_CANDIDATES: usize = 500;
/// The time for which one search may look, in milliseconds, before those that wait have their turns.
pub const SEARCH_LOOK_MS: u64 = 20;
/// Searches that look at the same time.
pub const SEARCHES_AT_ONCE: usize = 2;
/// Searches that may wait for those; more are refused as overloaded.
pub const SEARCHES_WAITING: usize = 64;
/// Searches of one user that may wait; more of the user's are refused as overloaded.
pub const SEARCHES_WAITING_EACH: usize = 8;
/// Pages that each of the index's connections keeps in memory, in KiB.
pub const SEARCH_CACHE_KIB: i64 = 4 * 1024;
/// Entries that the index takes in one durable write.
pub const SEARCH_BATCH: usize = 500;
/// Entries of one conversation, or of the walk through all, after which the indexing looks for what is more urgent.
pub const SEARCH_TURN: u64 = 5000;
/// The factor by which the indexing rests longer than each durable write of the index took: it has a share of a core at most.
pub const SEARCH_REST: u32 = 3;
/// Length of the index's write-ahead log, in bytes, from which on it is emptied.
pub const SEARCH_WAL_BYTES: u64 = 16 * 1024 * 1024;

const _: () =
    assert!(PAGE_RESERVE_BYTES >= kith_protocol::limits::RESUME_BYTES && WAITING_STEP_BYTES < OUTBOX_SHED_BYTES);
// The bytes of the largest picture are there twice for a moment, whatever is left to show it in.
const _: () = assert!(2 * kith_protocol::limits::PICTURE_BYTES <= PICTURES_BYTES_AT_LEAST);
// Who writes to an upload may wait to end it.
const _: () = assert!(UPLOADING <= 1024 && UPLOADS_ENDING_EACH < UPLOADS_ENDING);
// A slow reader loses what can be lost before it loses its connection, and one hello must fit.
const _: () = assert!(OUTBOX_SHED_BYTES < OUTBOX_SHED_RECEIPTS_BYTES && OUTBOX_SHED_RECEIPTS_BYTES < OUTBOX_BYTES);
const _: () = assert!(kith_protocol::limits::RESUME_BYTES < OUTBOX_BYTES / 2);
const _: () = assert!(CONVERSATION_BATCH <= CONVERSATION_QUEUE && STORE_BATCH <= STORE_QUEUE);
// What was overwritten is gone when the log has been emptied, with time left to wait for reads that are under way.
const _: () = assert!(CHECKPOINT_S * 2 < SCRUB_S);
const _: () = assert!(TURN_ROWS <= STORE_BATCH);
// A turn has room for the largest body with the rows derived from it, and a durable write for a turn.
const _: () = assert!(2 * BODY_BYTES <= STORE_TURN_BYTES && STORE_TURN_BYTES <= STORE_BATCH_BYTES);
const _: () = assert!(POLL_WAIT_S < POLL_IDLE_S);
const _: () = assert!(kith_protocol::limits::PAGE_ITEMS <= SEARCH_CANDIDATES && SEARCH_BATCH as u64 <= SEARCH_TURN);
// A page has its bytes, or one entry. Whatever the texts are, one must pass a connection beside as much of other things.
const _: () = assert!(kith_protocol::limits::PAGE_BYTES + BODY_BYTES + 2 * ENTRY_BYTES < OUTBOX_BYTES / 2);
const _: () = assert!(FRAME_BYTES_AT_MOST + 32 * ATTACHMENT_BYTES + ENTRY_BYTES < BODY_BYTES);
const _: () = assert!(kith_protocol::limits::MEDIA_NAME_BYTES < ATTACHMENT_BYTES / 2);
const _: () = assert!(kith_protocol::limits::HEADS_CONVERSATIONS * HEAD_BYTES < kith_protocol::limits::PAGE_BYTES);
