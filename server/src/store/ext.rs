//! Needs that callers of a store have again and again, made of its verbs.

use std::future::Future;

use bytes::Bytes;
use kith_protocol::ConversationId;

use super::{
    Change, CommitError, Condition, Direction, Error, Head, KeyRange, Row, RowKey, Store,
    schema::{self, Value},
};
use crate::limits;

/// The verbs of a [`Store`] for one row, one log or a whole range.
pub trait StoreExt: Store {
    /// The value of one row, if it is there.
    ///
    /// # Errors
    /// When the engine does not read it.
    fn one(&self, row: RowKey) -> impl Future<Output = Result<Option<Bytes>, Error>> + Send {
        async move { Ok(self.get(vec![row]).await?.pop().flatten()) }
    }

    /// The value of one row, if it is there, in the form of this version.
    ///
    /// # Errors
    /// When the engine does not read it, or it is damaged.
    fn value<V: Value>(&self, row: RowKey) -> impl Future<Output = Result<Option<V>, Error>> + Send {
        async move { self.one(row).await?.map(|value| V::decode(&value)).transpose() }
    }

    /// All rows of a range, ascending, however many: for ranges that something else bounds.
    ///
    /// # Errors
    /// When the engine does not read them.
    fn all(&self, partition: Vec<u8>, range: KeyRange) -> impl Future<Output = Result<Vec<Row>, Error>> + Send {
        async move {
            let (mut rows, mut range): (Vec<Row>, _) = (Vec::new(), range);
            loop {
                let page = self.scan(partition.clone(), range.clone(), Direction::Ascending, limits::SCAN_ROWS).await?;
                let full = page.len() == limits::SCAN_ROWS;
                rows.extend(page);
                match rows.last() {
                    Some(last) if full => range.from = schema::behind(&last.key),
                    _ => return Ok(rows),
                }
            }
        }
    }

    /// Returns the head of one log; none where it is empty.
    ///
    /// # Errors
    /// When the engine does not read it.
    fn head(&self, log: ConversationId) -> impl Future<Output = Result<Option<Head>, Error>> + Send {
        async move { Ok(self.heads(vec![log]).await?.pop().flatten()) }
    }

    /// Makes changes in one partition, whatever is there.
    ///
    /// # Errors
    /// When the engine does not do it.
    fn change(&self, partition: Vec<u8>, changes: Vec<Change>) -> impl Future<Output = Result<(), Error>> + Send {
        async move { self.change_if(partition, changes, Vec::new()).await.map(drop) }
    }

    /// Makes changes in one partition if all conditions hold; false where one does not.
    ///
    /// # Errors
    /// When the engine does not do it.
    fn change_if(
        &self,
        partition: Vec<u8>,
        changes: Vec<Change>,
        conditions: Vec<Condition>,
    ) -> impl Future<Output = Result<bool, Error>> + Send {
        async move {
            match self.commit(partition, changes, conditions).await {
                Ok(()) => Ok(true),
                Err(CommitError::Condition { .. }) => Ok(false),
                Err(CommitError::Store(error)) => Err(error),
            }
        }
    }

    /// Sets the value of one row, whatever is there.
    ///
    /// # Errors
    /// When the engine does not do it.
    fn put(&self, row: RowKey, value: impl Into<Bytes>) -> impl Future<Output = Result<(), Error>> + Send {
        self.change(row.partition, vec![Change::Put(row.key, value.into())])
    }

    /// Deletes one row, if it is there.
    ///
    /// # Errors
    /// When the engine does not do it.
    fn delete(&self, row: RowKey) -> impl Future<Output = Result<(), Error>> + Send {
        self.change(row.partition, vec![Change::Delete(row.key)])
    }

    /// Deletes rows of one partition, however many.
    ///
    /// # Errors
    /// When the engine does not do it; some may be deleted.
    fn delete_all(&self, partition: Vec<u8>, keys: Vec<Vec<u8>>) -> impl Future<Output = Result<(), Error>> + Send {
        async move {
            for part in keys.chunks(limits::SCAN_ROWS) {
                self.change(partition.clone(), part.iter().cloned().map(Change::Delete).collect()).await?;
            }
            Ok(())
        }
    }

    /// The condition that a row still says `value`, whatever the version of the form in which it is kept; none where it says
    /// another one, or is not there.
    ///
    /// # Errors
    /// When the engine does not read it, or it is damaged.
    fn still<V>(&self, row: RowKey, value: &V) -> impl Future<Output = Result<Option<Condition>, Error>> + Send
    where
        V: Value + PartialEq + Sync,
    {
        async move {
            let Some(kept) = self.one(row.clone()).await? else { return Ok(None) };
            Ok((V::decode(&kept)? == *value).then(|| Condition::Equals(row.key, kept)))
        }
    }

    /// The value of a row, which is made where there is none.
    ///
    /// # Errors
    /// When the engine does not do it.
    fn kept(
        &self,
        row: RowKey,
        new: impl FnOnce() -> Bytes + Send,
    ) -> impl Future<Output = Result<Bytes, Error>> + Send {
        async move {
            if let Some(kept) = self.one(row.clone()).await? {
                return Ok(kept);
            }
            let value = new();
            let put = Change::Put(row.key.clone(), value.clone());
            match self.commit(row.partition, vec![put], vec![Condition::Absent(row.key)]).await {
                Ok(()) => Ok(value),
                Err(CommitError::Condition { current: Some(kept), .. }) => Ok(kept),
                Err(CommitError::Condition { current: None, .. }) => {
                    Err(Error::Unavailable("a row came and went".to_owned()))
                }
                Err(CommitError::Store(error)) => Err(error),
            }
        }
    }

    /// The key of the server in a row, which is made the first time that it is needed.
    ///
    /// # Errors
    /// When the engine does not do it, or the row is none of a key.
    fn kept_key(
        &self,
        row: RowKey,
        new: impl FnOnce() -> [u8; 32] + Send,
    ) -> impl Future<Output = Result<[u8; 32], Error>> + Send {
        async move { schema::server::key_of(&self.kept(row, || Bytes::copy_from_slice(&new())).await?) }
    }

    /// Deletes those of the rows that are still as they were read, and beside which there is no row of the other key that
    /// each comes with, if it has one.
    ///
    /// # Errors
    /// When the engine does not do it; some may be deleted.
    fn delete_unchanged(
        &self,
        partition: Vec<u8>,
        rows: Vec<(Row, Option<Vec<u8>>)>,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        async move {
            let mut rows = rows;
            while !rows.is_empty() {
                let deletes = rows.iter().map(|(row, _)| Change::Delete(row.key.clone())).collect();
                let same = rows.iter().map(|(row, _)| Condition::Equals(row.key.clone(), row.value.clone()));
                let alone = rows.iter().enumerate();
                let alone = alone.filter_map(|(at, (_, other))| Some((at, Condition::Absent(other.clone()?))));
                let (of, conditions): (Vec<_>, Vec<_>) = same.enumerate().chain(alone).unzip();
                match self.commit(partition.clone(), deletes, conditions).await {
                    Ok(()) => break,
                    Err(CommitError::Condition { index, .. }) => drop(rows.swap_remove(of[index])),
                    Err(CommitError::Store(error)) => return Err(error),
                }
            }
            Ok(())
        }
    }
}

impl<S: Store + ?Sized> StoreExt for S {}
