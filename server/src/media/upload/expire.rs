//! Removes the uploads that do not go on, and what a crash left of those that never began or have ended.

use std::{sync::atomic::Ordering, time::Duration};

use kith_protocol::{Code, Timestamp, UploadId, UserId};

use super::media_of;
use crate::{
    Error, clock, limits,
    media::Media,
    store::{
        self, Change, Direction, KeyRange, Row,
        schema::{self},
    },
};

/// Uploads that one look takes from a shard.
const AT_ONCE: usize = 256;

impl Media {
    /// Has an upload looked at when it is `at`.
    pub(super) async fn look_at_upload(&self, at: Timestamp, owner: UserId, id: UploadId) -> Result<(), Error> {
        let row = schema::media::upload(at, id);
        self.put(row.partition, vec![Change::Put(row.key, schema::media::user_value(owner))]).await?;
        self.uploads.look_ms.fetch_min(at.millis(), Ordering::SeqCst);
        Ok(())
    }

    /// Finishes what a crash interrupted. Before anybody can send.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn recover_uploads(&self) -> Result<(), Error> {
        for shard in 0..schema::SHARDS {
            let (partition, mut range) = (schema::media::uploads_partition(shard), KeyRange::default());
            loop {
                let rows = self.store.scan(partition.clone(), range.clone(), Direction::Ascending, AT_ONCE).await?;
                let Some(last) = rows.last() else { break };
                range.from = [&last.key[..], &[0]].concat();
                for row in rows {
                    match self.recover_upload(&partition, row).await {
                        // The sweep comes back to it.
                        Err(error) if error.damaged => {}
                        recovered => recovered?,
                    }
                }
            }
        }
        Ok(())
    }

    async fn recover_upload(&self, partition: &[u8], Row { key, value }: Row) -> Result<(), Error> {
        let (id, owner) = (schema::media::upload_of(&key)?, schema::media::user_of(&value)?);
        match self.uploads_row(owner, id).await {
            // It is the note that goes last, so that a crash here is the same again.
            Err(error) if error.code == Code::NotFound => {
                self.forget(owner, id).await?;
                self.put(partition.to_vec(), vec![Change::Delete(key)]).await
            }
            Ok((_, false)) if self.maybe(media_of(id)).await?.is_some() => match self.standing(owner, id).await {
                Ok(standing) => self.settle(owner, &standing).await,
                Err(_) => Ok(()),
            },
            Ok((_, true)) => self.objects.parts.remove(id).await,
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Looks at every upload whose time has come; how many were removed. Where there is none, it looks at a number for
    /// that and not at the store.
    ///
    /// # Errors
    /// When the store does not answer; the next look tries again what was not done. What meets damage is tried again later.
    pub async fn collect_uploads(&self) -> Result<usize, Error> {
        if clock::forget_until().millis() < self.uploads.look_ms.load(Ordering::SeqCst) {
            return Ok(0);
        }
        self.uploads.look_ms.store(u64::MAX, Ordering::SeqCst);
        let collected = self.collect_due_uploads().await;
        if collected.is_err() {
            self.uploads.look_ms.store(0, Ordering::SeqCst);
        }
        collected
    }

    async fn collect_due_uploads(&self) -> Result<usize, Error> {
        let (mut collected, mut failed) = (0, None);
        for shard in 0..schema::SHARDS {
            let partition = schema::media::uploads_partition(shard);
            let rows = self.store.scan(partition.clone(), KeyRange::default(), Direction::Ascending, AT_ONCE).await?;
            let mut next_ms = if rows.len() == AT_ONCE { 0 } else { u64::MAX };
            for row in rows {
                let (at, id) = (schema::media::upload_at(&row.key)?, schema::media::upload_of(&row.key)?);
                if at > clock::forget_until() {
                    next_ms = at.millis();
                    break;
                }
                let looked = match schema::media::user_of(&row.value) {
                    Ok(owner) => self.look_at_due(owner, id).await,
                    Err(error) => Err(error.into()),
                };
                match looked {
                    Ok(removed) => collected += usize::from(removed),
                    Err(error) if error.damaged => {
                        let at = store::later();
                        next_ms = next_ms.min(at.millis());
                        store::postpone(&*self.store, row, schema::media::upload(at, id)).await?;
                        continue;
                    }
                    Err(error) => {
                        failed = Some(error);
                        continue;
                    }
                }
                self.put(partition.clone(), vec![Change::Delete(row.key)]).await?;
            }
            self.uploads.look_ms.fetch_min(next_ms, Ordering::SeqCst);
        }
        failed.map_or(Ok(collected), Err)
    }

    /// Removes an upload unless it goes on; whether it was.
    async fn look_at_due(&self, owner: UserId, id: UploadId) -> Result<bool, Error> {
        // Who is in the middle of it is not disturbed.
        let Ok(_turn) = self.uploads.turns.take(owner, id) else {
            let later = clock::now().plus(Duration::from_secs(1));
            return self.look_at_upload(later, owner, id).await.map(|()| false);
        };
        match self.standing(owner, id).await {
            Ok(standing) => self.look_at_upload(standing.expires_at, owner, id).await.map(|()| false),
            Err(error) if error.code == Code::NotFound => {
                self.forget(owner, id).await?;
                tracing::debug!(%id, "an upload was removed");
                Ok(true)
            }
            Err(error) => Err(error),
        }
    }

    /// Removes all uploads of a user who leaves.
    pub(in crate::media) async fn erase_uploads(&self, owner: UserId) -> Result<(), Error> {
        loop {
            let (partition, range) = (schema::user::partition(owner), schema::user::all_uploads());
            let rows = self.store.scan(partition, range, Direction::Ascending, limits::SCAN_ROWS).await?;
            if rows.is_empty() {
                return Ok(());
            }
            for row in rows {
                let id = schema::user::upload_of(&row.key)?;
                self.uploads.turns.interrupt(id).await;
                self.forget(owner, id).await?;
            }
        }
    }
}
