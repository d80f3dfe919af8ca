//! Keeps the index up to date with the logs, in the background.
//!
//! Work is found in two ways, both of them rows of the store. What is appended now leaves a row behind, which is deleted
//! once the index reflects the log (`schema::active`). What was there before the index is found by a walk through all users
//! and their conversations. How far each conversation is indexed, and how far the walk has come, is kept in the index,
//! written together with what it says: a crash repeats work and skips none, and an index that was lost begins with a walk.

use std::time::Duration;

use kith_protocol::{Body, Code, ConversationId, UserId, limits::PAGE_BYTES};
use tokio::time::{Instant, sleep};

use super::{
    Reindexed, Search,
    fts::{Change, Text, Trouble},
};
use crate::{
    Error, clock,
    delivery::encoding,
    limits,
    store::{self, Direction, KeyRange, Kind, LogRange, Record, StoreExt as _, schema},
    telemetry,
};

/// The pause before a new message is looked for; what comes meanwhile is done with it.
const SOON: Duration = Duration::from_millis(250);
/// The pause before a conversation is looked at again that says that it is still appending.
const AGAIN: Duration = Duration::from_secs(1);
/// The period at which an idle server looks into its index for what has expired.
const IDLE: Duration = Duration::from_secs(5);
/// The longest rest after a write, also where the disk was slow.
const REST: Duration = Duration::from_millis(250);
/// The time for which what does not work is left alone.
const RETRY: Duration = Duration::from_secs(10);
/// Rows of conversations that are read at a time.
const ROWS: usize = 256;
/// Users that one step of the walk reads.
const USERS: usize = 64;

/// The reason why the index is not further.
#[derive(Debug, thiserror::Error)]
enum Stuck {
    #[error(transparent)]
    Index(#[from] Trouble),
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// The work that a look has left to do, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Left {
    Nothing,
    /// Conversations that are appending.
    Later,
    /// There is more to be read at once.
    More,
}

/// A row that has a conversation indexed.
struct Unindexed {
    conversation: ConversationId,
    key: Vec<u8>,
    value: bytes::Bytes,
    /// True while there may be entries to come that belong to this row.
    appending: bool,
}

pub(super) fn describe_metrics() {
    use metrics::Unit;
    let lag = "Entries that the search index lacks, of the conversations that were appended to.";
    metrics::describe_gauge!("kith_search_lag_entries", Unit::Count, lag);
    let rebuilding = "Whether the search index is being made from what was there before it.";
    metrics::describe_gauge!("kith_search_rebuilding", rebuilding);
}

impl Search {
    /// Keeps the index up to date, for ever; once at a time.
    pub async fn run(&self) {
        let appending = self.conversations.appending();
        let mut waiting = Vec::new();
        // The last run may have left something.
        let mut wakes = true;
        loop {
            let pause = match self.look(&mut waiting, wakes).await {
                Ok(Left::More) => {
                    wakes = true;
                    continue;
                }
                Ok(left) => {
                    wakes = left == Left::Later;
                    if wakes { AGAIN } else { IDLE }
                }
                Err(stuck) => {
                    give_up(&stuck, &mut waiting);
                    wakes = true;
                    RETRY
                }
            };
            tokio::select! {
                biased;
                () = self.called.notified() => {}
                () = appending.notified(), if !wakes => {
                    sleep(SOON).await;
                    wakes = true;
                }
                () = sleep(pause) => {}
            }
        }
    }

    /// Does a part of what there is to do. The store is asked only if something `wakes` it.
    async fn look(&self, waiting: &mut Vec<Reindexed>, wakes: bool) -> Result<Left, Stuck> {
        let wanted = std::mem::take(&mut *self.wanted.lock());
        let anew = !wanted.is_empty();
        waiting.extend(wanted);
        if anew {
            self.index.clear().await?;
        }
        let mut left = Left::Nothing;
        if wakes || anew {
            left = self.follow().await?;
            if !self.walk().await? {
                left = Left::More;
            }
        }
        self.index.tidy(clock::forget_until()).await?;
        if left < Left::More && !waiting.is_empty() {
            let messages = self.index.messages().await?;
            waiting.drain(..).for_each(|done| drop(done.send(Ok(messages))));
        }
        Ok(left)
    }

    /// Reads on in the conversations that were appended to.
    async fn follow(&self) -> Result<Left, Stuck> {
        let (mut left, mut lag, mut turn) = (Left::Nothing, 0, limits::SEARCH_TURN);
        for shard in 0..schema::SHARDS {
            let partition = schema::active::partition(shard);
            let mut range = KeyRange::default();
            let mut active = None;
            loop {
                let rows = self.store.scan(partition.clone(), range.clone(), Direction::Ascending, ROWS).await?;
                let Some(last) = rows.last() else { break };
                range.from = schema::behind(&last.key);
                let mut unindexed = Vec::with_capacity(rows.len());
                for row in rows {
                    let conversation = schema::active::conversation_of(&row.key)?;
                    if schema::active::is_active(&row.key) {
                        active = Some(conversation);
                    }
                    if !schema::active::is_unindexed(&row.key) {
                        continue;
                    }
                    let appending = active == Some(conversation);
                    unindexed.push(Unindexed { conversation, key: row.key, value: row.value, appending });
                }
                let ids = unindexed.iter().map(|row| row.conversation).collect();
                let (behind, reached) = self.catch_up(ids, &mut turn).await?;
                lag += behind;
                let done: Vec<_> = unindexed.into_iter().zip(reached).filter(|(_, reached)| *reached).collect();
                left = left.max(if turn == 0 { Left::More } else { Left::Nothing });
                left = left.max(if done.iter().any(|(row, _)| row.appending) { Left::Later } else { Left::Nothing });
                let finished = done.into_iter().map(|(row, _)| row).filter(|row| !row.appending).collect();
                self.finish(partition.clone(), finished).await?;
            }
        }
        metrics::gauge!("kith_search_lag_entries").set(lag as f64);
        Ok(left)
    }

    /// Deletes the rows of conversations that are indexed, but for those that were written again meanwhile, and those of
    /// conversations that have begun to append: such a row stands for all that is still to come.
    async fn finish(&self, partition: Vec<u8>, rows: Vec<Unindexed>) -> Result<(), store::Error> {
        let row = |row: Unindexed| {
            let active = schema::active::row(row.conversation).key;
            (store::Row { key: row.key, value: row.value }, Some(active))
        };
        let rows = rows.into_iter().map(row).collect();
        self.store.delete_unchanged(partition, rows).await
    }

    /// Goes on through all users and their conversations, from the first after an index was made; whether it is over.
    async fn walk(&self) -> Result<bool, Stuck> {
        let walked = self.index.walked().await?;
        metrics::gauge!("kith_search_rebuilding").set(if walked.is_some() { 1.0 } else { 0.0 });
        let Some(mut name) = walked else { return Ok(true) };
        let users = self.users_after(&name).await?;
        if users.is_empty() {
            self.index.walk(None).await?;
            return Ok(false);
        }
        let mut turn = limits::SEARCH_TURN;
        for (next, user) in users {
            let mut after = None;
            while let Some(user) = user
                && turn > 0
            {
                let range = after.map_or_else(schema::user::all_listed, schema::user::listed_after);
                let rows = self.store.scan(schema::user::partition(user), range, Direction::Ascending, ROWS).await?;
                let ids: Vec<_> =
                    rows.iter().map(|row| schema::user::conversation_of(&row.key)).collect::<Result<_, _>>()?;
                let Some(last) = ids.last() else { break };
                after = Some(*last);
                self.catch_up(ids, &mut turn).await?;
            }
            if turn == 0 {
                break;
            }
            name = next;
        }
        self.index.walk(Some(name)).await?;
        Ok(false)
    }

    /// The next users after a name, in the order of the walk; of a name that is damaged there is none.
    async fn users_after(&self, name: &str) -> Result<Vec<(String, Option<UserId>)>, store::Error> {
        let first = name.as_bytes().first().copied();
        for byte in schema::name::first_bytes().skip_while(|byte| first.is_some_and(|first| *byte != first)) {
            let prefix = char::from(byte).to_string();
            let range = schema::name::range(&prefix, Some(name).filter(|_| first == Some(byte)));
            let rows = self.store.scan(schema::name::partition(&prefix), range, Direction::Ascending, USERS).await?;
            if !rows.is_empty() {
                let user = |row: &store::Row| {
                    let name = String::from_utf8_lossy(&row.key).into_owned();
                    let user = store::unless_damaged(|| format!("the name {name}"), schema::name::user_of(&row.value));
                    (name, user)
                };
                return Ok(rows.iter().map(user).collect());
            }
        }
        Ok(Vec::new())
    }

    /// Indexes conversations up to their heads, as far as the entries of this `turn` reach, which are taken off: how many
    /// entries were lacking in all, and for each conversation whether the index has reached its head.
    async fn catch_up(&self, ids: Vec<ConversationId>, turn: &mut u64) -> Result<(u64, Vec<bool>), Stuck> {
        if ids.is_empty() {
            return Ok((0, Vec::new()));
        }
        let heads = self.conversations.heads(ids.clone()).await?;
        let progress = self.index.progress(ids.clone()).await?;
        let (mut behind, mut reached) = (0, Vec::with_capacity(ids.len()));
        for ((id, head), mut at) in ids.into_iter().zip(heads).zip(progress) {
            let head = head.map_or(0, |head| head.seq);
            behind += head.saturating_sub(at);
            let is_left_alone = self.postponed.lock().has(id, Instant::now());
            if is_left_alone || self.conversations.is_damaged(id) {
                reached.push(false);
                continue;
            }
            match self.index_up_to(id, &mut at, head, turn).await {
                Err(Stuck::Store(store::Error::Corrupt(why))) => {
                    telemetry::damage(&why);
                    self.postponed.lock().put(id, Instant::now());
                    reached.push(false);
                }
                indexed => {
                    indexed?;
                    reached.push(at >= head);
                }
            }
        }
        Ok((behind, reached))
    }

    /// Indexes a conversation from behind `at` up to its head, as far as this `turn` reaches.
    async fn index_up_to(&self, id: ConversationId, at: &mut u64, head: u64, turn: &mut u64) -> Result<(), Stuck> {
        while *at < head && *turn > 0 {
            let began = Instant::now();
            let limit = limits::SEARCH_BATCH.min(*turn as usize);
            let range = LogRange { log: id, seqs: *at + 1..=head, direction: Direction::Ascending, limit };
            let records = self.store.read_within(vec![range], PAGE_BYTES).await?.pop().unwrap_or_default();
            let Some(last) = records.last() else { break };
            let changes = self.changes(id, &records).await?;
            *at = last.seq;
            *turn -= (records.len() as u64).min(*turn);
            self.index.apply(id, *at, changes).await?;
            // People who talk go before people who will search.
            sleep((began.elapsed() * limits::SEARCH_REST).min(REST)).await;
        }
        Ok(())
    }

    /// The changes of the index that entries cause.
    async fn changes(&self, log: ConversationId, records: &[Record]) -> Result<Vec<Change>, store::Error> {
        let mut changes = Vec::new();
        for record in records {
            match record.kind {
                Kind::Message | Kind::Edit | Kind::Delete => {}
                _ => continue,
            }
            match encoding::body(log, record)? {
                Body::Message(message) => changes.push(Change::Put(text(record, &message.text))),
                Body::Delete(target) => changes.push(Change::Remove(target.target)),
                Body::Edit(edit) => {
                    let seqs = edit.target..=edit.target;
                    let range = LogRange { log, seqs, direction: Direction::Ascending, limit: 1 };
                    let target = self.store.read(vec![range]).await?.into_iter().flatten().next();
                    // Where it was deleted since, an entry to come says so.
                    if let Some(target) = target.filter(|target| target.kind == Kind::Message) {
                        changes.push(Change::Put(text(&target, &edit.text)));
                    }
                }
                _ => {}
            }
        }
        Ok(changes)
    }
}

/// Tells those who wait that the index was not made.
fn give_up(stuck: &Stuck, waiting: &mut Vec<Reindexed>) {
    // What is damaged was said when it was found.
    if !matches!(stuck, Stuck::Index(Trouble::Damaged(_))) {
        tracing::warn!(%stuck, "the search index falls behind");
    }
    for done in waiting.drain(..) {
        let _ = done.send(Err(Error::new(Code::Unavailable).because(stuck.to_string())));
    }
}

fn text(record: &Record, text: &str) -> Text {
    let Record { seq, sender, at, expires_at, .. } = *record;
    Text { seq, sender, at, expires_at, text: text.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        config::Config,
        media::objects::Objects,
        node::Node,
        search::fts::Index,
        store::{Row, Store as _, memory::Memory},
    };

    async fn rows(store: &Memory) -> Vec<Row> {
        let mut rows = Vec::new();
        for shard in 0..schema::SHARDS {
            let scan = store.scan(schema::active::partition(shard), KeyRange::default(), Direction::Ascending, ROWS);
            rows.extend(scan.await.unwrap());
        }
        rows
    }

    /// Writes the rows that a conversation writes before it appends.
    async fn appends(store: &Memory, conversation: ConversationId, time: u8, active: bool) -> Vec<u8> {
        let row = schema::active::row(conversation);
        let key = schema::active::unindexed(conversation);
        let mut changes = vec![store::Change::Put(key.clone(), vec![time; 16].into())];
        changes.extend(active.then_some(store::Change::Put(row.key, Default::default())));
        store.commit(row.partition, changes, Vec::new()).await.unwrap();
        key
    }

    #[tokio::test]
    async fn a_conversation_that_appends_is_looked_at_again() {
        let (store, dir) = (Arc::new(Memory::new()), Arc::new(tempfile::tempdir().unwrap()));
        let node = Node::new(
            Config::default(),
            store.clone(),
            Arc::new(Objects::in_memory()),
            Index::new(dir.path(), dir.clone()),
        );
        let [quiet, busy, again, begun] = [1, 2, 3, 4].map(|n| ConversationId::from_bytes([16 * n; 16]));
        let quiet_key = appends(&store, quiet, 1, false).await;
        appends(&store, busy, 1, true).await;
        let again_key = appends(&store, again, 1, false).await;
        let of = |conversation, key: &Vec<u8>| Unindexed {
            conversation,
            key: key.clone(),
            value: vec![1; 16].into(),
            appending: false,
        };
        // One of them appends once more after it was looked at, and one had begun to while that was: their rows stay.
        let begun_key = appends(&store, begun, 1, true).await;
        let seen = vec![of(again, &again_key), of(begun, &begun_key), of(quiet, &quiet_key)];
        appends(&store, again, 2, false).await;
        for seen in seen {
            node.search.finish(schema::active::row(seen.conversation).partition, vec![seen]).await.unwrap();
        }
        let left = rows(&store).await;
        let stays = |key: &[u8]| left.iter().any(|row| row.key == key);
        assert_eq!([&again_key, &begun_key, &quiet_key].map(|key| stays(key)), [true, true, false]);
        // What says that it still appends stays, and has the next look come.
        assert!(node.search.follow().await.unwrap() == Left::Later);
        let mut left: Vec<_> = rows(&store).await.into_iter().map(|row| row.key).collect();
        let mut rows = [busy, begun].map(|id| [schema::active::row(id).key, schema::active::unindexed(id)]).concat();
        left.sort_unstable();
        rows.sort_unstable();
        assert_eq!(left, rows);
    }

    #[tokio::test]
    async fn an_index_is_made_anew_to_its_end_when_nothing_else_is_to_do() {
        let (store, dir) = (Arc::new(Memory::new()), Arc::new(tempfile::tempdir().unwrap()));
        // More than one step reads.
        for number in 0..=2 * USERS {
            let row = schema::name::row(&format!("user{number}"));
            let put = store::Change::Put(row.key, vec![number as u8; 16].into());
            store.commit(row.partition, vec![put], Vec::new()).await.unwrap();
        }
        let node =
            Node::new(Config::default(), store, Arc::new(Objects::in_memory()), Index::new(dir.path(), dir.clone()));
        let running = tokio::spawn({
            let node = node.clone();
            async move { node.search.run().await }
        });
        assert_eq!(node.search.reindex().await, Ok(0));
        // The second time it had been idle.
        assert_eq!(node.search.reindex().await, Ok(0));
        assert_eq!(node.search.index.walked().await, Ok(None), "who waited was told at the end of the walk");
        running.abort();
    }
}
