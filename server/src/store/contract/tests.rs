//! Both engines of this program go through the contract.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use kith_protocol::{ConversationId, UserId, Uuid};
use tempfile::TempDir;

use super::check;
use crate::store::{
    Answer, Change, CommitError, Condition, Direction, Head, KeyRange, LogRange, Raise, Record, Row, RowKey, Store,
    Turn, WriteError, memory::Memory, sqlite::Sqlite,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_model_keeps_the_contract() {
    check(async || Arc::new(Memory::new()) as Arc<dyn Store>).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_keeps_the_contract() {
    let dirs = Mutex::new(Vec::new());
    check(async || {
        let dir = tempfile::tempdir().unwrap();
        let store = Sqlite::open(dir.path()).unwrap();
        dirs.lock().unwrap().push(dir);
        store as Arc<dyn Store>
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_keeps_the_contract_when_it_is_opened_anew_for_each_call() {
    check(async || Arc::new(Reopened { dir: tempfile::tempdir().unwrap(), turn: tokio::sync::Mutex::new(()) }) as _)
        .await;
}

/// A directory that is opened for a call, and closed after it: nothing that an engine keeps in memory helps it.
struct Reopened {
    dir: TempDir,
    turn: tokio::sync::Mutex<()>,
}

impl Reopened {
    async fn with<T>(&self, call: impl AsyncFnOnce(&Sqlite) -> T) -> T {
        let _turn = self.turn.lock().await;
        let store = Sqlite::open(self.dir.path()).unwrap();
        call(&store).await
    }
}

impl Store for Reopened {
    fn write(&self, log: ConversationId, expected_head: u64, turn: Turn) -> Answer<'_, (), WriteError> {
        Box::pin(async move { self.with(async |store| store.write(log, expected_head, turn).await).await })
    }
    fn confirm(&self, log: ConversationId, head: u64) -> Answer<'_, (), WriteError> {
        Box::pin(async move { self.with(async |store| store.confirm(log, head).await).await })
    }
    fn find(&self, log: ConversationId, user: UserId, client_id: Uuid) -> Answer<'_, Option<u64>> {
        Box::pin(async move { self.with(async |store| store.find(log, user, client_id).await).await })
    }
    fn read_within(&self, ranges: Vec<LogRange>, bytes: usize) -> Answer<'_, Vec<Vec<Record>>> {
        Box::pin(async move { self.with(async |store| store.read_within(ranges, bytes).await).await })
    }
    fn heads(&self, logs: Vec<ConversationId>) -> Answer<'_, Vec<Option<Head>>> {
        Box::pin(async move { self.with(async |store| store.heads(logs).await).await })
    }
    fn get(&self, rows: Vec<RowKey>) -> Answer<'_, Vec<Option<Bytes>>> {
        Box::pin(async move { self.with(async |store| store.get(rows).await).await })
    }
    fn scan(&self, partition: Vec<u8>, range: KeyRange, direction: Direction, limit: usize) -> Answer<'_, Vec<Row>> {
        Box::pin(async move { self.with(async |store| store.scan(partition, range, direction, limit).await).await })
    }
    fn commit(
        &self,
        partition: Vec<u8>,
        changes: Vec<Change>,
        conditions: Vec<Condition>,
    ) -> Answer<'_, (), CommitError> {
        Box::pin(async move { self.with(async |store| store.commit(partition, changes, conditions).await).await })
    }
    fn raise(&self, rows: Vec<Raise>) -> Answer<'_, ()> {
        Box::pin(async move { self.with(async |store| store.raise(rows).await).await })
    }
    fn ready(&self) -> Answer<'_, ()> {
        Box::pin(async move { self.with(async |store| store.ready().await).await })
    }
}
