//! Prints the rows and entries of a directory, in lines that a person can read: `kith inspect`.
//!
//! Texts, passwords and tokens are not shown, only how long they are.

use std::{fmt, path::Path, str::FromStr};

use kith_protocol::{ConversationId, MediaId, MessageId, UserId, limits::PAGE_BYTES};

use crate::{
    page_bytes::PageBytes,
    store::{
        Direction, Error, KeyRange, LogRange, Record, RowKey,
        schema::{self, conversation, name, shown, user},
        sqlite::{OpenError, Reader, Snapshot},
    },
};

/// Entries or rows that are read at a time.
const PAGE: usize = 1000;

/// The subject of an inspection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// Every row of a user.
    User(UserId),
    /// The same, by name.
    Name(String),
    /// Every row and every entry of a conversation.
    Conversation(ConversationId),
    /// One entry.
    Message(MessageId),
    /// Every row of a media.
    Media(MediaId),
    /// Every row of some kinds of partitions, by the bytes that begin them.
    All(&'static [&'static [u8]]),
}

/// A text that names nothing to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected user_…, conv_…, conv_….SEQ, media_…, @NAME, or one of server, names, directs, invites, channels, active, pushes, expiring, requests, reports, collects, uploads, due"
)]
pub struct BadSubject;

impl FromStr for Subject {
    type Err = BadSubject;

    fn from_str(text: &str) -> Result<Self, BadSubject> {
        if let Some(name) = text.strip_prefix('@') {
            return Ok(Subject::Name(name.to_owned()));
        }
        if let Some((_, prefixes)) = schema::PARTITIONS.iter().find(|(name, _)| *name == text) {
            return Ok(Subject::All(prefixes));
        }
        let user = text.parse().map(Subject::User).ok();
        let conversation = || text.parse().map(Subject::Conversation).ok();
        let message = || text.parse().map(Subject::Message).ok();
        let media = || text.parse().map(Subject::Media).ok();
        user.or_else(conversation).or_else(message).or_else(media).ok_or(BadSubject)
    }
}

/// The reason why nothing, or not all, was shown.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// The directory cannot be read.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The contents cannot be read.
    #[error(transparent)]
    Read(#[from] Error),
    /// There is nothing of that name.
    #[error("there is no such user")]
    NoUser,
}

/// Shows all that is kept of `what`, a line at a time, as of now and beside a server that works.
///
/// # Errors
/// [`InspectError`]; what could be read has been shown.
pub fn inspect(dir: &Path, what: &Subject, mut show: impl FnMut(&str)) -> Result<(), InspectError> {
    let snapshot = Snapshot::open(dir)?;
    let mut reader = snapshot.reader();
    match what {
        Subject::User(id) => rows(&mut reader, user::partition(*id), &mut show)?,
        Subject::Media(id) => rows(&mut reader, schema::media::partition(*id), &mut show)?,
        Subject::Name(name) => {
            let found = reader.get(&name::row(&name.to_lowercase()))?.ok_or(InspectError::NoUser)?;
            rows(&mut reader, user::partition(name::user_of(&found)?), &mut show)?;
        }
        Subject::Conversation(id) => {
            rows(&mut reader, conversation::partition(*id), &mut show)?;
            entries(&mut reader, *id, &mut show)?;
        }
        Subject::Message(MessageId { conversation, seq }) => {
            let range = LogRange { log: *conversation, seqs: *seq..=*seq, direction: Direction::Ascending, limit: 1 };
            reader.read(&range, &mut PageBytes::new(usize::MAX))?.iter().for_each(|record| show(&entry(record)));
            let row = RowKey { partition: conversation::partition(*conversation), key: conversation::amendment(*seq) };
            if let Some(value) = reader.get(&row)? {
                show(&line(&row.partition, &row.key, &value));
            }
        }
        Subject::All(prefixes) => snapshot.each_row(|row| {
            if prefixes.iter().any(|prefix| row.partition.starts_with(prefix)) {
                show(&line(row.partition, row.key, row.value));
            }
        })?,
    }
    Ok(())
}

fn rows(reader: &mut Reader<'_>, partition: Vec<u8>, show: &mut impl FnMut(&str)) -> Result<(), Error> {
    let mut range = KeyRange::default();
    loop {
        let page = reader.scan(&partition, &range, Direction::Ascending, PAGE)?;
        page.iter().for_each(|row| show(&line(&partition, &row.key, &row.value)));
        match page.last() {
            Some(last) if page.len() == PAGE => range.from = schema::behind(&last.key),
            _ => return Ok(()),
        }
    }
}

fn entries(reader: &mut Reader<'_>, log: ConversationId, show: &mut impl FnMut(&str)) -> Result<(), Error> {
    let mut first = 1;
    loop {
        let range = LogRange { log, seqs: first..=u64::MAX, direction: Direction::Ascending, limit: PAGE };
        let page = reader.read(&range, &mut PageBytes::new(PAGE_BYTES))?;
        page.iter().for_each(|record| show(&entry(record)));
        match page.last() {
            Some(last) => first = last.seq + 1,
            None => return Ok(()),
        }
    }
}

/// An entry without what it says.
fn entry(record: &Record) -> String {
    let Record { seq, kind, sender, device, client_id, at, true_at, expires_at, counts, body } = record;
    let mut line = format!("{seq:>8}  {at}  {:<20} {sender}", kind.name());
    let mut add = |name: &str, value: Option<&dyn fmt::Display>| {
        if let Some(value) = value {
            line.push_str(&format!(" {name} {value}"));
        }
    };
    add("device", device.as_ref().map(|device| device as _));
    add("client_id", client_id.as_ref().map(|client_id| client_id as _));
    add("true", true_at.as_ref().map(|at| at as _));
    add("expires", expires_at.as_ref().map(|at| at as _));
    line + &format!(
        " messages {} mentioning {} rev {} body ({} bytes)",
        counts.messages,
        counts.mentioning,
        counts.rev,
        body.len()
    )
}

/// A row without what is secret in it.
fn line(partition: &[u8], key: &[u8], value: &[u8]) -> String {
    let place = match schema::place(partition, key) {
        Ok(place) => place,
        Err(error) => return format!("{}: {error} ({} bytes)", schema::named(partition, key), value.len()),
    };
    let name = schema::named(partition, key);
    let shown = shown(place, value).unwrap_or_else(|error| format!("{error} ({} bytes)", value.len()));
    if shown.is_empty() { name } else { format!("{name}: {shown}") }
}
