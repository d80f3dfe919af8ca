//! Rows as a person reads them.

use kith_protocol::MessageId;

use super::{
    Amendment, Collect, Device, Invite, Kept, Known, Listed, Media, Member, Pending, Place, Replay, Report, Request,
    State, Subscription, Today, Token, Upload, User, Value, direct, due::Kind, media, name, server, user,
};
use crate::store::Error;

/// The kinds of partitions that can be looked at as a whole, by their names; each with the bytes that begin its partitions.
pub static PARTITIONS: [(&str, &[&[u8]]); 13] = [
    ("server", &[b"m"]),
    ("names", &[b"n"]),
    ("directs", &[b"d"]),
    ("invites", &[b"i"]),
    ("channels", &[b"h"]),
    ("active", &[b"a"]),
    ("pushes", &[b"p"]),
    // Those of a directory of version 3, and those that this program writes.
    ("expiring", &[b"x", &Kind::Expiry.prefix()]),
    ("requests", &[b"e", &Kind::Request.prefix()]),
    ("reports", &[b"r"]),
    ("collects", &[b"g", &Kind::Media.prefix()]),
    ("uploads", &[b"w", &Kind::Upload.prefix()]),
    ("due", &[b"f"]),
];

/// Shows a row, without what is secret in it.
///
/// # Errors
/// [`Error::Corrupt`] where it is not what its place has.
pub fn shown(place: Place, value: &[u8]) -> Result<String, Error> {
    Ok(match place {
        Place::Version => server::version_of(value)?.to_string(),
        Place::Probe | Place::UserInvite(..) => user::time_of(value)?.to_string(),
        Place::MediaKey | Place::PushKey | Place::SearchKey => format!("({} bytes)", value.len()),
        Place::Instance => server::instance_of(value)?.to_string(),
        Place::Clock => format!("{:?}", Kept::decode(value)?),
        Place::Erasing(_) => String::from_utf8_lossy(value).into_owned(),
        Place::Profile(_) => {
            let row = User::decode(value)?;
            let password = format!("({} bytes)", row.password.len());
            format!("{:?}", User { password, ..row })
        }
        Place::Device(..) => {
            let Device { name, platform, created_at, token_hash, features } = Device::decode(value)?;
            format!("{name:?} on {platform:?} since {created_at}, {features:?}, a token ({} bytes)", token_hash.len())
        }
        Place::Listed(..) => format!("{:?}", Listed::decode(value)?),
        Place::Report(_) => {
            let Report { by, at, user, conversation, reason, messages } = Report::decode(value)?;
            let messages: Vec<_> =
                messages.iter().map(|it| MessageId { conversation: it.conversation, seq: it.seq }).collect();
            format!("by {by} at {at} of {user:?} {conversation:?} {messages:?}, a reason ({} bytes)", reason.len())
        }
        Place::Request(..) => format!("{:?}", Request::decode(value)?),
        Place::Today(_) => format!("{:?}", Today::decode(value)?),
        Place::Replay(_) => {
            let Replay { status, resource, at, .. } = Replay::decode(value)?;
            format!("{status} {resource} at {at}")
        }
        Place::Media(_) => {
            let row = Media::decode(value)?;
            let name = row.name.as_ref().map(|name| format!("({} bytes)", name.len()));
            format!("{:?}", Media { name, ..row })
        }
        Place::Subscription(..) => {
            let Subscription { endpoint, created_at, .. } = Subscription::decode(value)?;
            format!("since {created_at}, an endpoint ({} bytes) and its keys", endpoint.len())
        }
        Place::Pending(..) => format!("{:?}", Pending::decode(value)?),
        Place::Collect(..) => format!("{:?}", Collect::decode(value)?),
        Place::Upload(..) | Place::Uploaded(..) => {
            let Upload { length, metadata } = Upload::decode(value)?;
            format!("{length} bytes, said to be ({} bytes)", metadata.len())
        }
        Place::UploadDue(..) => media::user_of(value)?.to_string(),
        Place::Reference(..) | Place::DueSince | Place::DueCursor(..) => user::time_of(value)?.to_string(),
        Place::UserMedia(..) | Place::UserMediaBytes(_) | Place::Written(..) => {
            format!("{} bytes", user::size_of(value)?)
        }
        Place::Name => name::user_of(value)?.to_string(),
        Place::Token(_) => format!("{:?}", Token::decode(value)?),
        Place::Direct(..) => direct::conversation_of(value)?.to_string(),
        Place::Invite => format!("{:?}", Invite::decode(value)?),
        Place::Known(..) => format!("{:?}", Known::decode(value)?),
        Place::State(_) => format!("{:?}", State::decode(value)?),
        Place::Member(..) => format!("{:?}", Member::decode(value)?),
        Place::Amendment(..) => format!("{:?}", Amendment::decode(value)?),
        Place::Blocked(..)
        | Place::Mention(..)
        | Place::Contact(..)
        | Place::Channel(_)
        | Place::Active(_)
        | Place::BytesOf(..)
        | Place::BytesRemoving(_)
        | Place::Unindexed(_)
        | Place::Unpushed(..)
        | Place::RequestDue(..)
        | Place::ReportMade(..)
        | Place::Expiring(..) => String::new(),
    })
}
