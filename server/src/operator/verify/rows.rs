//! The rows: each is what its key says, and what it refers to is there.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use kith_log::Content;
use kith_protocol::{ConversationId, MediaId, Timestamp, UploadId, UserId};
use sha2::{Digest as _, Sha256};

use super::{Check, Progress};
use crate::{
    delivery::encoding,
    media::{
        objects::{Part, file_of},
        parts::part_of,
    },
    page_bytes::PageBytes,
    store::{
        Direction, Error, LogRange, RowKey,
        schema::{
            self, Amendment, Collect, Device, Invite, Kept, Known, Listed, Media, Member, Pending, Place, Replay,
            Report, Request, State, Subscription, Today, Token, Upload, User, Value, conversation, name, token, user,
        },
        sqlite::{RawRow, Reader, Snapshot},
    },
};

impl<P: FnMut(Progress)> Check<P> {
    pub(super) fn rows(&mut self, snapshot: &Snapshot) -> Result<(), Error> {
        let total = self.report.rows;
        let (media, uploads, reader) = (self.media.clone(), self.uploads.clone(), snapshot.reader());
        let mut look = Look { media, uploads, reader, damaged_beside: false };
        let (mut done, mut stopped) = (0, Ok(()));
        snapshot.each_row(|RawRow { partition, key, value, holds, unchecked, .. }| {
            self.report.unchecked += u64::from(unchecked);
            let mut tell = |what: &str| self.report.problem(|| format!("{}: {what}", schema::named(partition, key)));
            look.damaged_beside = false;
            let wrong = schema::place(partition, key).and_then(|place| look.row(&place, key, value));
            match wrong {
                _ if !holds => tell("its checksum is wrong"),
                Err(Error::Corrupt(_)) if look.damaged_beside => {}
                Ok(wrong) => wrong.iter().for_each(|what| tell(what)),
                Err(Error::Corrupt(why)) => tell(&why),
                Err(error) => stopped = Err(error),
            }
            done += 1;
            self.told("rows", done, total);
        })?;
        stopped
    }
}

/// The problems of a row, one line each.
type Wrong = Vec<String>;

struct Look<'c> {
    /// The folder of the bytes of media.
    media: PathBuf,
    /// The folder of what has come of uploads.
    uploads: PathBuf,
    reader: Reader<'c>,
    /// True if something damaged was met that is not the row itself.
    damaged_beside: bool,
}

impl Look<'_> {
    fn row(&mut self, place: &Place, key: &[u8], value: &[u8]) -> Result<Wrong, Error> {
        Ok(match *place {
            Place::Version => schema::server::version_of(value).map(|_| vec![])?,
            Place::Clock => Kept::decode(value).map(|_| vec![])?,
            Place::Profile(id) => self.profile(id, &User::decode(value)?)?,
            Place::Device(id, device) => {
                let row = Device::decode(value)?;
                let token = self.value::<Token>(&token::row(&row.token_hash))?;
                missing(token == Some(Token { user: id, device }), "its token leads elsewhere")
            }
            Place::Known(..) => Known::decode(value).map(|_| vec![])?,
            Place::Listed(..) => Listed::decode(value).map(|_| vec![])?,
            Place::Report(id) => {
                let by = Report::decode(value)?.by;
                let made = RowKey { partition: schema::report::partition(), key: schema::report::made(id, by) };
                missing(self.is_there(&made)?, "it is not listed")
            }
            Place::ReportMade(id, _) => missing(self.is_there(&schema::report::row(id))?, "there is no such report"),
            Place::Request(..) => Request::decode(value).map(|_| vec![])?,
            Place::Today(_) => Today::decode(value).map(|_| vec![])?,
            Place::Replay(_) => Replay::decode(value).map(|_| vec![])?,
            Place::Name => {
                let row = self.value::<User>(&user::profile_row(name::user_of(value)?))?;
                missing(
                    row.is_some_and(|row| row.username.as_bytes() == key),
                    "its user is not there, or has another name",
                )
            }
            Place::Token(hash) => {
                let Token { user: id, device } = Token::decode(value)?;
                let row = RowKey { partition: user::partition(id), key: user::device(device) };
                let row = self.value::<Device>(&row)?;
                missing(row.is_some_and(|row| row.token_hash == hash), "its device is not there, or has another token")
            }
            Place::Direct(..) => schema::direct::conversation_of(value).map(|_| vec![])?,
            Place::Invite => Invite::decode(value).map(|_| vec![])?,
            Place::State(id) => self.state(id, &State::decode(value)?)?,
            Place::Member(id, user) => self.member(id, user, &Member::decode(value)?)?,
            Place::Amendment(id, seq) => self.amendment(id, seq, &Amendment::decode(value)?)?,
            Place::Mention(user, at, id, seq) => self.mention(user, at, (id, seq))?,
            Place::UserInvite(_, hash) => {
                schema::user::time_of(value)?;
                // It goes before the row that leads to it, and may have been used.
                let row = self.value::<Invite>(&schema::invite::row(&hash))?;
                missing(row.is_none_or(|row| row.by.is_some()), "its invite is the operator's")
            }
            Place::Media(id) => self.media(id, &Media::decode(value)?)?,
            Place::MediaKey | Place::PushKey | Place::SearchKey => schema::server::key_of(value).map(|_| vec![])?,
            Place::Instance => schema::server::instance_of(value).map(|_| vec![])?,
            Place::Subscription(..) => Subscription::decode(value).map(|_| vec![])?,
            Place::Pending(..) => Pending::decode(value).map(|_| vec![])?,
            Place::Collect(..) => Collect::decode(value).map(|_| vec![])?,
            Place::Upload(_, id) => self.upload(id, &Upload::decode(value)?),
            Place::Uploaded(..) => Upload::decode(value).map(|_| vec![])?,
            Place::UploadDue(..) => schema::media::user_of(value).map(|_| vec![])?,
            Place::Reference(..) | Place::DueSince | Place::DueCursor(..) => is_time(value)?,
            Place::UserMedia(..) | Place::UserMediaBytes(_) | Place::Written(..) => {
                schema::user::size_of(value).map(|_| vec![])?
            }
            Place::BytesOf(..) | Place::BytesRemoving(_) => vec![],
            Place::Probe
            | Place::Erasing(_)
            | Place::Blocked(..)
            | Place::Contact(..)
            | Place::Channel(_)
            | Place::Active(_)
            | Place::Unindexed(_)
            | Place::Unpushed(..)
            | Place::RequestDue(..)
            | Place::Expiring(..) => vec![],
        })
    }

    fn is_there(&mut self, row: &RowKey) -> Result<bool, Error> {
        Ok(self.beside(|reader| reader.get(row))?.is_some())
    }

    /// Reads what another row or an entry says; damage there is told where that is looked at.
    fn beside<T>(&mut self, read: impl FnOnce(&mut Reader<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let read = read(&mut self.reader);
        self.damaged_beside |= matches!(read, Err(Error::Corrupt(_)));
        read
    }

    fn value<V: Value>(&mut self, row: &RowKey) -> Result<Option<V>, Error> {
        self.beside(|reader| reader.get(row)?.map(|value| V::decode(&value)).transpose())
    }

    fn profile(&mut self, id: UserId, row: &User) -> Result<Wrong, Error> {
        if row.username.is_empty() {
            return Ok(missing(row.erased && row.password.is_empty(), "it has no name and is not erased"));
        }
        let named = self.beside(|reader| reader.get(&name::row(&row.username)))?;
        Ok(missing(named.as_deref() == Some(&id.bytes()[..]), "its name leads elsewhere"))
    }

    /// A media that somebody may ask for has bytes, and they are those that its row names.
    fn media(&mut self, id: MediaId, row: &Media) -> Result<Wrong, Error> {
        if row.doomed {
            return Ok(vec![]);
        }
        let own = RowKey { partition: schema::media::bytes_partition(&row.sha256), key: schema::media::bytes_of(id) };
        let mut wrong = missing(
            self.beside(|reader| reader.get(&own))?.is_some(),
            "its bytes may be removed: they are not noted as its",
        );
        match bytes(&file_of(&self.media, &row.sha256, Part::Whole)) {
            Ok((size, sha256)) if (size, sha256) == (row.size, row.sha256) => {}
            Ok(_) => wrong.push("its bytes are not those that were sent".to_owned()),
            Err(error) => wrong.push(format!("its bytes cannot be read: {error}")),
        }
        if row.picture.as_ref().is_some_and(|picture| picture.thumbnail.is_some())
            && !file_of(&self.media, &row.sha256, Part::Thumbnail).exists()
        {
            wrong.push("its thumbnail is not there".to_owned());
        }
        Ok(wrong)
    }

    /// Checks that no more of an upload has come than all of it. That nothing is there is no fault: a backup leaves it out.
    fn upload(&self, id: UploadId, row: &Upload) -> Wrong {
        let about = fs::metadata(part_of(&self.uploads, id));
        missing(about.is_err() || about.is_ok_and(|about| about.len() <= row.length), "it has more bytes than it may")
    }

    fn head(&mut self, id: ConversationId) -> Result<u64, Error> {
        Ok(self.beside(|reader| reader.head(id))?.map_or(0, |head| head.seq))
    }

    fn state(&mut self, id: ConversationId, row: &State) -> Result<Wrong, Error> {
        let range = LogRange { log: id, seqs: row.seq..=row.seq, direction: Direction::Ascending, limit: 1 };
        let Some(entry) = self.beside(|reader| reader.read(&range, &mut PageBytes::new(usize::MAX)))?.pop() else {
            return Ok(vec![format!("it reflects {}, which is not in the log", row.seq)]);
        };
        let counts = row.counts;
        Ok(missing(
            counts == entry.counts,
            &format!("its totals are {counts:?}, those of its entry {:?}", entry.counts),
        ))
    }

    fn member(&mut self, id: ConversationId, user: UserId, row: &Member) -> Result<Wrong, Error> {
        let head = self.head(id)?;
        let state =
            self.value::<State>(&RowKey { partition: conversation::partition(id), key: conversation::state() })?;
        let Some(state) = state else {
            // What has to be folded has none yet.
            let waits = self.beside(|reader| reader.get(&schema::active::row(id)))?.is_some();
            return Ok(missing(waits, "its conversation has no state"));
        };
        let mut wrong = missing(
            row.log.joined <= state.seq
                && row.log.since <= row.log.joined.max(1)
                && row.pointers.read.seq.max(row.pointers.delivered.seq) <= head,
            "it points above the log",
        );
        let profile = self.value::<User>(&user::profile_row(user))?;
        let gone = profile.is_none_or(|profile| profile.erased);
        let listed = RowKey { partition: user::partition(user), key: user::listed(id) };
        if state.seq == head && !gone && row.pointers.accepted && self.beside(|reader| reader.get(&listed))?.is_none() {
            wrong.push("the conversation is not in the member's list".to_owned());
        }
        Ok(wrong)
    }

    /// A mention leads to a message that mentions the user, or mentioned them before its content was gone.
    fn mention(&mut self, user: UserId, at: Timestamp, (log, seq): (ConversationId, u64)) -> Result<Wrong, Error> {
        let range = LogRange { log, seqs: seq..=seq, direction: Direction::Ascending, limit: 1 };
        let Some(record) = self.beside(|reader| reader.read(&range, &mut PageBytes::new(usize::MAX)))?.pop() else {
            return Ok(vec!["it refers to what is not in the log".to_owned()]);
        };
        let body = self.beside(|_| encoding::body(log, &record))?;
        let entry = kith_log::Entry { seq, sender: record.sender, at: record.at, content: (&body).into() };
        let names = match entry.content {
            Content::Message { mentions } => mentions.contains(&user),
            content => content.counted(),
        };
        let holds = names && record.at == at && record.sender != user;
        Ok(missing(holds, "its message does not mention the user"))
    }

    fn amendment(&mut self, id: ConversationId, seq: u64, row: &Amendment) -> Result<Wrong, Error> {
        let head = self.head(id)?;
        let ordered = row.edits.is_sorted() && row.edits.iter().all(|edit| (seq + 1..=head).contains(edit));
        Ok(missing(ordered && (1..=head).contains(&seq), "it refers to what is not in the log"))
    }
}

/// The size and SHA-256 of a file.
fn bytes(path: &Path) -> io::Result<(u64, [u8; 32])> {
    let (mut file, mut hasher) = (File::open(path)?, Sha256::new());
    let (mut size, mut piece) = (0, vec![0; 64 * 1024]);
    loop {
        match file.read(&mut piece)? {
            0 => return Ok((size, hasher.finalize().into())),
            read => {
                hasher.update(&piece[..read]);
                size += read as u64;
            }
        }
    }
}

/// Checks that a value is a time.
fn is_time(value: &[u8]) -> Result<Wrong, Error> {
    schema::user::time_of(value).map(|_| vec![])
}

/// Says `what` unless it `holds`.
fn missing(holds: bool, what: &str) -> Wrong {
    if holds { vec![] } else { vec![what.to_owned()] }
}
