//! The references to a media.

use std::time::Duration;

use kith_protocol::{Code, ConversationId, MediaId};

use super::{Media, Reference, Row};
use crate::{
    Error, clock, limits,
    store::{
        Change, Direction, StoreExt as _,
        schema::{self, Collect},
    },
};

impl Media {
    /// Notes that something is about to refer to a media that was just read.
    ///
    /// # Errors
    /// `not_found` where it has gone meanwhile.
    pub async fn refer(&self, id: MediaId, row: &Row, by: Reference) -> Result<(), Error> {
        let change = Change::Put(schema::media::reference(by), schema::user::time_value(clock::now()));
        let there = self.store.still(schema::media::row(id), row).await?.ok_or(Error::new(Code::NotFound))?;
        match self.store.change_if(schema::media::partition(id), vec![change], vec![there]).await? {
            true => Ok(()),
            false => Err(Code::NotFound.into()),
        }
    }

    /// Notes that something no longer refers to a media; it is removed soon if nothing else does.
    ///
    /// # Errors
    /// When the store does not answer; then it is still referred to.
    pub async fn release(&self, id: MediaId, by: Reference) -> Result<(), Error> {
        let Some(row) = self.maybe(id).await? else { return Ok(()) };
        let collect = Collect { owner: row.owner, sha256: row.sha256 };
        // The first note is for a crash before the second, which is too early as long as the reference is there.
        self.look_at(clock::now().plus(Duration::from_secs(60)), id, &collect).await?;
        self.put(schema::media::partition(id), vec![Change::Delete(schema::media::reference(by))]).await?;
        self.look_at(clock::now(), id, &collect).await
    }

    /// Has a media looked at later because what was about to refer to it may not have come to it.
    pub async fn reconsider(&self, id: MediaId, row: &Row) {
        let at = clock::now().plus(Duration::from_secs(limits::MEDIA_PERHAPS_S + 60));
        let collect = Collect { owner: row.owner, sha256: row.sha256 };
        if let Err(error) = self.look_at(at, id, &collect).await {
            tracing::warn!(%id, %error, "a media that may be of no use was not noted");
        }
    }

    /// Returns true if it is somebody's avatar.
    pub async fn is_avatar(&self, id: MediaId) -> Result<bool, Error> {
        let (partition, range) = (schema::media::partition(id), schema::media::avatars());
        Ok(!self.store.scan(partition, range, Direction::Ascending, 1).await?.is_empty())
    }

    /// The conversations in which messages show it, with the last seq that does in each; so many rows are looked at in one
    /// go, and where to go on.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn shown_in(
        &self,
        id: MediaId,
        from: Vec<u8>,
    ) -> Result<(Vec<(ConversationId, u64)>, Option<Vec<u8>>), Error> {
        let (partition, range) = (schema::media::partition(id), schema::media::shown_from(&from));
        let rows = self.store.scan(partition, range, Direction::Ascending, limits::SCAN_ROWS).await?;
        let next = rows.last().filter(|_| rows.len() == limits::SCAN_ROWS).map(|last| schema::behind(&last.key));
        let mut shown: Vec<(ConversationId, u64)> = Vec::new();
        for row in rows {
            if let Reference::Message(conversation, seq) = schema::media::reference_of(&row.key)? {
                match shown.last_mut() {
                    Some(last) if last.0 == conversation => last.1 = seq,
                    _ => shown.push((conversation, seq)),
                }
            }
        }
        Ok((shown, next))
    }
}
