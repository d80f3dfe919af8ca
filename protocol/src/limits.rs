//! The bounds of the protocol: each limit a server states in `GET /v1/info`, and those that no server may change.

use serde::{Deserialize, Serialize};

/// Entries, folded messages or other items in one answer, at most.
pub const PAGE_ITEMS: usize = 200;
/// Bytes of the items of one answer, as JSON: where more were asked for, it is cut at its far end. It has one item at
/// least, whatever its size.
pub const PAGE_BYTES: usize = 1024 * 1024;
/// Items in one answer where the request names no limit.
pub const PAGE_ITEMS_DEFAULT: usize = 50;
/// Conversations that a `hello` or a resume may name.
pub const HAVE_CONVERSATIONS: usize = 500;
/// Features that a device names, at most,
pub const FEATURES: usize = 32;
/// and bytes of the name of one.
pub const FEATURE_BYTES: usize = 32;
/// Conversations in one `heads` frame.
pub const HEADS_CONVERSATIONS: usize = 500;
/// Entries of one conversation that a `hello` brings by itself.
pub const RESUME_ENTRIES: usize = 100;
/// Bytes of entries that a `hello` brings by itself, all conversations together.
pub const RESUME_BYTES: usize = 256 * 1024;
/// Users that one connection may watch.
pub const WATCHED_USERS: usize = 500;
/// Conversations that one connection may watch: those on screen.
pub const WATCHED_CONVERSATIONS: usize = 20;
/// Moves of a pointer that are kept, for the times in a message's read receipts.
pub const POINTER_MOVES: usize = 32;
/// Bytes of a reaction: one emoji, its modifiers and joiners included.
pub const EMOJI_BYTES: usize = 64;
/// Different emojis that one user puts to one message,
pub const REACTIONS_EACH: usize = 20;
/// and all users together.
pub const REACTIONS: usize = 100;
/// Edits of one message.
pub const EDITS: usize = 100;
/// Bytes of a media that is sent in one request.
pub const MEDIA_BYTES: u64 = 8 * 1024 * 1024;
/// Bytes of a picture, however it is sent: the server reads it as a whole.
pub const PICTURE_BYTES: u64 = 64 * 1024 * 1024;
/// Uploads of one user that may be unfinished at a time.
pub const UPLOADS_OPEN: usize = 16;
/// Bytes of an `Upload-Metadata`.
pub const UPLOAD_METADATA_BYTES: usize = 2048;
/// Bytes of a media's name.
pub const MEDIA_NAME_BYTES: usize = 255;
/// The time for which a `client_id` or an `Idempotency-Key` is remembered, in seconds: 7 days.
pub const IDEMPOTENCY_S: u64 = 7 * 24 * 3600;

/// The limits that a server states in its `info`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Limits {
    /// Bytes of a message's text in UTF-8.
    pub text_bytes: u32,
    /// Attachments of one message.
    pub attachments: u32,
    /// Users that one message mentions.
    pub mentions: u32,
    /// Members of a group.
    pub group_members: u32,
    /// Members of a channel.
    pub channel_members: u32,
    /// Characters of a conversation's title.
    pub title_chars: u32,
    /// Characters of a conversation's topic, or of a profile's `about`.
    pub topic_chars: u32,
    /// Characters of a user's or a device's displayed name.
    pub name_chars: u32,
    /// Characters of a username, at least and at most, of `a-z 0-9 . _ -`.
    pub username_chars: [u32; 2],
    /// Characters of a password, at least and at most.
    pub password_chars: [u32; 2],
    /// Bytes of a frame from a client.
    pub frame_bytes: u32,
    /// Bytes of a REST body.
    pub body_bytes: u32,
    /// Items of one page.
    pub page_items: u32,
    /// Devices of one user.
    pub devices: u32,
    /// Bytes of all entries that one user causes in a day of UTC: messages, edits, reactions, changes of members.
    #[serde(default)]
    pub entry_bytes_per_day: u64,
    /// Bytes of a media that is sent in one request.
    #[serde(default)]
    pub media_bytes: u64,
    /// Bytes of a media that is sent in parts.
    #[serde(default)]
    pub upload_bytes: u64,
    /// Bytes of a picture, however it is sent.
    #[serde(default)]
    pub picture_bytes: u64,
    /// Uploads of one user that may be unfinished at a time.
    #[serde(default)]
    pub uploads_open: u32,
    /// Bytes of all media of one user.
    #[serde(default)]
    pub media_quota_bytes: u64,
    /// Conversations that one user may have begun or accepted.
    #[serde(default)]
    pub conversations: u32,
    /// Conversations that one user may begin on one day, UTC.
    #[serde(default)]
    pub begins_per_day: u32,
    /// Direct conversations with which strangers reach one user on one day; those beyond wait as requests.
    #[serde(default)]
    pub stranger_directs_per_day: u32,
    /// Groups and channels to which strangers add one user on one day; those beyond wait as requests.
    #[serde(default)]
    pub stranger_groups_per_day: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            text_bytes: 16 * 1024,
            attachments: 32,
            mentions: 100,
            group_members: 100,
            channel_members: 100_000,
            title_chars: 200,
            topic_chars: 1000,
            name_chars: 100,
            username_chars: [3, 32],
            password_chars: [8, 128],
            frame_bytes: 64 * 1024,
            body_bytes: 64 * 1024,
            page_items: PAGE_ITEMS as u32,
            devices: 64,
            entry_bytes_per_day: 256 * 1024 * 1024,
            media_bytes: MEDIA_BYTES,
            upload_bytes: 256 * 1024 * 1024,
            picture_bytes: PICTURE_BYTES,
            uploads_open: UPLOADS_OPEN as u32,
            media_quota_bytes: 1024 * 1024 * 1024,
            conversations: 5000,
            begins_per_day: 50,
            stranger_directs_per_day: 3,
            stranger_groups_per_day: 0,
        }
    }
}

const _: () = assert!(PAGE_ITEMS_DEFAULT <= PAGE_ITEMS && RESUME_ENTRIES <= PAGE_ITEMS);
const _: () = assert!(RESUME_BYTES <= PAGE_BYTES);
