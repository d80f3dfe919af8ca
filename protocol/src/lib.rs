//! The protocol of Kith's clients and servers.
//!
//! Identifiers and times are in [`id`] and [`time`], the entries of a conversation's log in [`entry`], the frames of the
//! socket in [`frame`], the bodies of the REST API in [`rest`], the parts of both that tell of users and conversations in
//! [`standing`], the errors of both in [`problem`], media in [`media`], and the bounds of all of them in [`limits`]. The
//! rules for emojis are in [`emoji`], those for visible names in [`visible`], those for texts in [`text`]. The prose is
//! docs/protocol.md.
//!
//! Invariant: nothing here does I/O, awaits, reads a clock or makes a random number.

pub mod emoji;
pub mod entry;
pub mod frame;
pub mod id;
pub mod limits;
pub mod media;
mod object;
pub mod problem;
pub mod push;
pub mod rest;
pub mod standing;
pub mod text;
pub mod time;
pub mod visible;

pub use entry::{Body, Entry, Message};
pub use frame::{ClientFrame, ServerFrame};
pub use id::{ConversationId, DeviceId, InstanceId, MediaId, MessageId, ReportId, UploadId, UserId};
pub use media::Media;
pub use problem::{Code, Problem};
pub use time::Timestamp;
pub use uuid::Uuid;
