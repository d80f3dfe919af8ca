//! Removes the media that nothing refers to, and what was left of those that never were complete.

use std::time::Duration;

use bytes::Bytes;
use kith_protocol::{Body, MediaId, Timestamp, UserId};

use super::{Media, Reference, Row};
use crate::{
    Error, clock,
    delivery::encoding,
    limits,
    store::{
        Change, Direction, LogRange, RowKey, StoreExt as _,
        schema::{self, Collect, State, User, Value, due::Task},
    },
    work::Job,
};

/// Looks at media.
pub(super) struct Collection<'m>(pub(super) &'m Media);

impl Job for Collection<'_> {
    async fn perform(&self, task: Task, value: Bytes) -> Result<(), Error> {
        let Task::Media(id) = task else { return Ok(()) };
        self.0.look(id, &Collect::decode(&value)?).await
    }

    fn is_held(&self) -> bool {
        !self.0.objects.may_remove()
    }
}

/// The need for a media.
#[derive(PartialEq, Eq)]
enum Needed {
    /// Something refers to it.
    Yes,
    /// Something was about to, not long ago.
    Perhaps,
    /// Nothing.
    No,
}

impl Media {
    /// Has a media looked at when it is `at`.
    pub(super) async fn look_at(&self, at: Timestamp, id: MediaId, collect: &Collect) -> Result<(), Error> {
        Ok(self.looks.put(at, Task::Media(id), collect.encode()).await?)
    }

    /// Removes the media that nothing refers to, for ever.
    pub async fn collect(&self) {
        self.looks.run(&Collection(self)).await;
    }

    /// Removes a media unless something needs it.
    async fn look(&self, id: MediaId, collect: &Collect) -> Result<(), Error> {
        let again = async |after_s| self.look_at(clock::now().plus(Duration::from_secs(after_s)), id, collect).await;
        if self.is_ending(id) {
            return again(1).await;
        }
        if let Some(row) = self.maybe(id).await? {
            // Who has erased their account has erased their media, whatever refers to them.
            let erased = self.is_erased(row.owner).await?;
            if !erased && !row.doomed {
                match self.needed(id).await? {
                    Needed::Yes => return Ok(()),
                    Needed::Perhaps => return again(limits::MEDIA_PERHAPS_S).await,
                    Needed::No => {}
                }
            }
            // From here on nobody can refer to it; who did so just before is seen by the second look.
            if !self.doom(id, row, true).await? {
                return again(1).await;
            }
            if !self.objects.may_remove() {
                return again(1).await;
            }
            if !erased && self.needed(id).await? != Needed::No {
                if let Some(row) = self.maybe(id).await? {
                    self.doom(id, row, false).await?;
                }
                return again(limits::MEDIA_PERHAPS_S).await;
            }
        }
        self.remove(id, collect.owner, &collect.sha256).await?;
        tracing::debug!(%id, "a media was removed");
        Ok(())
    }

    /// Says whether a media is being removed; false where another changed it.
    async fn doom(&self, id: MediaId, row: Row, doomed: bool) -> Result<bool, Error> {
        let Some(before) = self.store.still(schema::media::row(id), &row).await? else { return Ok(false) };
        let change = Change::Put(schema::media::about(), Row { doomed, ..row }.encode());
        Ok(self.store.change_if(schema::media::partition(id), vec![change], vec![before]).await?)
    }

    /// Asks all that are said to refer to it whether they do. Those that say no are forgotten.
    async fn needed(&self, id: MediaId) -> Result<Needed, Error> {
        let partition = schema::media::partition(id);
        let mut range = schema::media::references();
        let mut perhaps = false;
        loop {
            let rows =
                self.store.scan(partition.clone(), range.clone(), Direction::Ascending, limits::SCAN_ROWS).await?;
            let Some(last) = rows.last() else { break };
            range.from = schema::behind(&last.key);
            for row in rows {
                let since = schema::user::time_of(&row.value)?;
                if since.plus(Duration::from_secs(limits::MEDIA_PERHAPS_S)) > clock::forget_until() {
                    // The message or the profile may be on its way.
                    perhaps = true;
                } else if self.refers(schema::media::reference_of(&row.key)?, id).await? {
                    return Ok(Needed::Yes);
                } else {
                    self.put(partition.clone(), vec![Change::Delete(row.key)]).await?;
                }
            }
        }
        Ok(if perhaps { Needed::Perhaps } else { Needed::No })
    }

    async fn refers(&self, by: Reference, id: MediaId) -> Result<bool, Error> {
        let row = match by {
            Reference::Message(log, seq) => {
                let range = LogRange { log, seqs: seq..=seq, direction: Direction::Ascending, limit: 1 };
                let record = self.store.read(vec![range]).await?.into_iter().flatten().next();
                let body = record.map(|record| encoding::body(log, &record)).transpose()?;
                return Ok(matches!(body, Some(Body::Message(text)) if text.attachments.iter().any(|it| it.id == id)));
            }
            Reference::User(user) => schema::user::profile_row(user),
            Reference::Conversation(conversation) => {
                let partition = schema::conversation::partition(conversation);
                RowKey { partition, key: schema::conversation::state() }
            }
        };
        let Some(value) = self.store.one(row).await? else { return Ok(false) };
        let Reference::Conversation(conversation) = by else {
            return Ok(User::decode(&value)?.avatar == Some(id.to_string()));
        };
        let state = State::decode(&value)?;
        let head = self.store.head(conversation).await?;
        // A row that does not reflect the log yet does not say what its last entries did.
        Ok(state.settings.avatar == Some(id.to_string()) || head.is_some_and(|head| head.seq != state.seq))
    }

    /// Removes all of a media, whatever there is of it. The row that makes it one goes last.
    pub(super) async fn remove(&self, id: MediaId, owner: UserId, sha256: &[u8; 32]) -> Result<(), Error> {
        self.disown(id, sha256).await?;
        self.give_back(owner, id).await?;
        let partition = schema::media::partition(id);
        loop {
            let range = schema::media::references();
            let rows = self.store.scan(partition.clone(), range, Direction::Ascending, limits::SCAN_ROWS).await?;
            if rows.is_empty() {
                break;
            }
            self.put(partition.clone(), rows.into_iter().map(|row| Change::Delete(row.key)).collect()).await?;
        }
        self.put(partition, vec![Change::Delete(schema::media::about())]).await
    }

    /// The bytes are this media's no longer; if they are nobody's, they are removed.
    async fn disown(&self, id: MediaId, sha256: &[u8; 32]) -> Result<(), Error> {
        let partition = schema::media::bytes_partition(sha256);
        let others = async || {
            let range = schema::media::all_bytes_of();
            let scan = self.store.scan(partition.clone(), range, Direction::Ascending, 1).await?;
            Ok::<_, Error>(!scan.is_empty())
        };
        self.put(partition.clone(), vec![Change::Delete(schema::media::bytes_of(id))]).await?;
        if others().await? {
            return Ok(());
        }
        // From here on nobody can make the bytes theirs; who did so just before is seen by the second look.
        self.put(partition.clone(), vec![Change::Put(schema::media::removing(), Bytes::new())]).await?;
        if !others().await? {
            self.objects.remove(sha256).await?;
        }
        self.put(partition.clone(), vec![Change::Delete(schema::media::removing())]).await
    }

    async fn is_erased(&self, owner: UserId) -> Result<bool, Error> {
        let profile = self.store.one(schema::user::profile_row(owner)).await?;
        Ok(profile.map(|profile| User::decode(&profile)).transpose()?.is_none_or(|profile| profile.erased))
    }

    /// Removes all media of a user, whatever refers to them, and what they were about to send.
    ///
    /// # Errors
    /// When the store does not answer; asking again goes on.
    pub async fn erase(&self, owner: UserId) -> Result<(), Error> {
        self.erase_uploads(owner).await?;
        loop {
            let (partition, range) = (schema::user::partition(owner), schema::user::all_media());
            let rows = self.store.scan(partition.clone(), range, Direction::Ascending, limits::SCAN_ROWS).await?;
            if rows.is_empty() {
                return Ok(());
            }
            for row in rows {
                let id = schema::user::media_of(&row.key)?;
                // One that is not complete has its note, which removes what there is of it.
                if let Some(media) = self.maybe(id).await? {
                    let sha256 = media.sha256;
                    self.look_at(clock::now(), id, &Collect { owner, sha256 }).await?;
                    self.doom(id, media, true).await?;
                    // While somebody copies the bytes they stay: then the note has them removed.
                    if self.objects.may_remove() {
                        self.remove(id, owner, &sha256).await?;
                    }
                }
                self.give_back(owner, id).await?;
            }
        }
    }
}
