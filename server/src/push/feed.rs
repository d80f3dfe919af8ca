//! Finds whom to push what was said to: follows the logs, and leaves a row for each device and conversation.

use std::{collections::HashMap, sync::Arc};

use kith_protocol::{Code, ConversationId, DeviceId, Timestamp, UserId, limits::PAGE_BYTES};
use tokio::time::Instant;

use super::{
    Push, Work,
    queue::{Room, Target},
};
use crate::{
    Error,
    account::endpoint::Site,
    clock,
    conversation::Listener,
    limits,
    store::{
        self, Change, Condition, Direction, KeyRange, Kind, LogRange, Row, RowKey, StoreExt as _,
        schema::{self, Listed, Pending, Value},
    },
};

/// Rows of conversations that are read at a time.
const ROWS: usize = 256;
/// Seconds after which a row that waits is written again when something newer is said, so that it is not given up for the
/// age of the first.
const RENEW_S: u64 = 3600;

/// A conversation with entries that nobody has looked at.
struct Unpushed {
    conversation: ConversationId,
    /// Its rows, the lowest seq first; each says from where on.
    rows: Vec<(u64, Row)>,
    /// True while there may be entries to come that belong to its last row.
    appending: bool,
}

/// A message that was said.
struct Said {
    seq: u64,
    sender: UserId,
}

impl Push {
    /// Reads on in the conversations that were appended to; whether there is, or will be, more to be read.
    ///
    /// # Errors
    /// When the store does not answer for one of the conversations; the others were read. One that is damaged is tried again
    /// later.
    pub(super) async fn follow(self: &Arc<Self>, work: &mut Work) -> Result<bool, Error> {
        let (mut more, mut failed) = (false, None);
        for shard in 0..schema::SHARDS {
            let partition = schema::active::partition(shard);
            for unpushed in self.unpushed(&partition).await? {
                let conversation = unpushed.conversation;
                if work.postponed.has(conversation, Instant::now()) {
                    continue;
                }
                match self.catch_up(work, &partition, unpushed).await {
                    Ok(there) => more |= there,
                    Err(error) if error.damaged => work.postponed.put(conversation, Instant::now()),
                    Err(error) => failed = Some(error),
                }
                // Where very much was said, what is found is pushed meanwhile.
                self.turn(work).await;
            }
        }
        failed.map_or(Ok(more), Err)
    }

    async fn unpushed(&self, partition: &[u8]) -> Result<Vec<Unpushed>, Error> {
        let mut found: Vec<Unpushed> = Vec::new();
        let mut active = None;
        let mut range = KeyRange::default();
        loop {
            let rows = self.store.scan(partition.to_vec(), range.clone(), Direction::Ascending, ROWS).await?;
            let Some(last) = rows.last() else { return Ok(found) };
            range.from = schema::behind(&last.key);
            for row in rows {
                let conversation = schema::active::conversation_of(&row.key)?;
                if schema::active::is_active(&row.key) {
                    active = Some(conversation);
                }
                let Some(seq) = schema::active::unpushed_seq(&row.key) else { continue };
                match found.last_mut().filter(|last| last.conversation == conversation) {
                    Some(last) => last.rows.push((seq, row)),
                    None => {
                        let appending = active == Some(conversation);
                        found.push(Unpushed { conversation, rows: vec![(seq, row)], appending });
                    }
                }
            }
        }
    }

    /// Looks at a part of what a conversation's rows say; whether there is, or will be, more.
    async fn catch_up(&self, work: &mut Work, partition: &[u8], mut unpushed: Unpushed) -> Result<bool, Error> {
        let id = unpushed.conversation;
        let known = work.reached.get(&id).copied().unwrap_or(0);
        let from = unpushed.rows.first().map_or(0, |(seq, _)| *seq).max(known);
        let head = self.store.head(id).await?.map_or(0, |head| head.seq);
        let mut at = from.min(head);
        if at < head {
            let range =
                LogRange { log: id, seqs: at + 1..=head, direction: Direction::Ascending, limit: limits::PUSH_BATCH };
            let records = self.store.read_within(vec![range], PAGE_BYTES).await?.pop().unwrap_or_default();
            let Some(last) = records.last() else { return Ok(false) };
            at = last.seq;
            let oldest = clock::forget_until().millis().saturating_sub(limits::PUSH_TTL_S * 1000);
            let said: Vec<Said> = records
                .iter()
                .filter(|record| record.kind == Kind::Message && record.at.millis() >= oldest)
                .map(|record| Said { seq: record.seq, sender: record.sender })
                .collect();
            if !said.is_empty() {
                let (connected, targets) = self.targets(id, &said).await?;
                self.enqueue(work, targets).await?;
                let certain_at = Instant::now() + self.roster.silence();
                connected.into_iter().for_each(|target| work.doubts.put(certain_at, target, at));
            }
        }
        // The last of the rows that reach so far has all that is still to come.
        let reached = at >= head;
        if !reached || unpushed.appending {
            unpushed.rows.retain(|(seq, _)| *seq < at);
            unpushed.rows.pop();
            work.reached.insert(id, at);
            let rows = unpushed.rows.into_iter().map(|(_, row)| (row, None)).collect();
            self.store.delete_unchanged(partition.to_vec(), rows).await?;
            return Ok(true);
        }
        let done = self.finish(partition, unpushed).await?;
        if done {
            work.reached.remove(&id);
        }
        Ok(!done)
    }

    /// Deletes the rows of a conversation that has been read to its end, unless it has begun to append since.
    async fn finish(&self, partition: &[u8], unpushed: Unpushed) -> Result<bool, store::Error> {
        let rows = unpushed.rows.into_iter().map(|(_, row)| row);
        let (deletes, same): (Vec<_>, Vec<_>) =
            rows.map(|row| (Change::Delete(row.key.clone()), Condition::Equals(row.key, row.value))).unzip();
        let asleep = Condition::Absent(schema::active::row(unpushed.conversation).key);
        let conditions = same.into_iter().chain([asleep]).collect();
        self.store.change_if(partition.to_vec(), deletes, conditions).await
    }

    /// The devices that are connected, and those of the others that are to be told of messages.
    async fn targets(&self, conversation: ConversationId, said: &[Said]) -> Result<(Vec<Target>, Vec<Target>), Error> {
        let audience = self.conversations.audience(conversation, None).await?;
        let mut listeners = Vec::new();
        for listener in audience.members {
            if self.concerns(listener, said).await? {
                listeners.push(listener.user);
            }
        }
        let (mut connected, mut targets) = (Vec::new(), Vec::new());
        for users in listeners.chunks(limits::SCAN_ROWS) {
            for user in self.unmuted(conversation, users).await? {
                for device in self.subscriptions.devices(user) {
                    let target = Target { user, device, conversation };
                    if self.roster.has_device(user, device) {
                        connected.push(target);
                    } else if !self.is_awake(user, device) {
                        targets.push(target);
                    }
                }
            }
        }
        Ok((connected, targets))
    }

    /// Has those pushed who were connected when something was said, have gone since, and did not get it: their connection
    /// was broken already. Kept in memory only, since a connection is no more than that.
    pub(super) async fn settle_doubts(&self, work: &mut Work) -> Result<(), Error> {
        while let Some((target, seq)) = work.doubts.take(Instant::now()) {
            let Target { user, device, conversation } = target;
            if !self.is_awake(user, device) && self.lacks(user, conversation, seq).await? {
                self.enqueue(work, vec![target]).await?;
            }
        }
        Ok(())
    }

    /// Returns true if no device of a member has said that it has an entry.
    async fn lacks(&self, user: UserId, conversation: ConversationId, seq: u64) -> Result<bool, Error> {
        match self.conversations.audience(conversation, Some(user)).await {
            Ok(audience) => Ok(audience.members.iter().any(|listener| listener.delivered < seq)),
            Err(error) if error.code == Code::NotFound || error.damaged => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Returns true if one of the messages is news to a member.
    async fn concerns(&self, listener: Listener, said: &[Said]) -> Result<bool, Error> {
        let Listener { user, since, read, .. } = listener;
        let is_news = |it: &Said| it.seq > read && it.seq >= since && it.sender != user;
        if !said.iter().any(is_news) {
            return Ok(false);
        }
        let card = self.accounts.card(user).await?;
        Ok(said.iter().any(|it| is_news(it) && !card.blocked.contains(&it.sender)))
    }

    /// Returns the members among these who have not muted a conversation.
    async fn unmuted(&self, conversation: ConversationId, users: &[UserId]) -> Result<Vec<UserId>, Error> {
        let row = |user: &UserId| RowKey {
            partition: schema::user::partition(*user),
            key: schema::user::listed(conversation),
        };
        let rows = self.store.get(users.iter().map(row).collect()).await?;
        let mut unmuted = Vec::with_capacity(users.len());
        for (user, row) in users.iter().zip(rows) {
            // Where there is none, they have left.
            let Some(row) = row else { continue };
            let of = || format!("{conversation} in the list of {user}");
            if !is_muted(&store::unless_damaged(of, Listed::decode(&row)).unwrap_or_default()) {
                unmuted.push(*user);
            }
        }
        Ok(unmuted)
    }

    /// Returns true for a device that needs no push: it is connected, or the person is at another one.
    pub(super) fn is_awake(&self, user: UserId, device: DeviceId) -> bool {
        self.roster.has_device(user, device) || self.presence.is_active_elsewhere(user, device)
    }

    /// Writes the rows of what is to be pushed, and has it begun.
    async fn enqueue(&self, work: &mut Work, targets: Vec<Target>) -> Result<(), Error> {
        let kept = self.kept(work, &targets).await?;
        let now = clock::now();
        let fresh = Pending { since: now, not_before: now, attempts: 0 };
        let mut changes: HashMap<Vec<u8>, Vec<(Target, Pending)>> = HashMap::new();
        for target in targets {
            let row = match work.queue.renew(&target).or_else(|| kept.get(&target).copied()) {
                None => fresh,
                Some(row) if now.since(row.since).as_secs() >= RENEW_S => Pending { since: now, ..row },
                Some(_) => continue,
            };
            changes.entry(schema::push::partition_of(target.user)).or_default().push((target, row));
        }
        for (partition, rows) in changes {
            for part in rows.chunks(limits::SCAN_ROWS) {
                let puts = part.iter().map(|(target, row)| Change::Put(key(target), row.encode())).collect();
                self.store.change(partition.clone(), puts).await?;
                for (target, row) in part {
                    self.put(work, *target, *row);
                }
            }
        }
        Ok(())
    }

    /// The rows of those of the targets that may have one and are not in the queue.
    async fn kept(&self, work: &Work, targets: &[Target]) -> Result<HashMap<Target, Pending>, Error> {
        let perhaps = |target: &&Target| work.behind.has(target.user) && work.queue.row(target).is_none();
        let perhaps: Vec<Target> = targets.iter().filter(perhaps).copied().collect();
        let mut kept = HashMap::new();
        for part in perhaps.chunks(limits::SCAN_ROWS) {
            let row = |target: &Target| schema::push::pending(target.user, target.device, target.conversation);
            let rows = self.store.get(part.iter().map(row).collect()).await?;
            for (target, row) in part.iter().zip(rows) {
                if let Some(row) = row {
                    let of = || format!("what waits to be pushed of {}", target.conversation);
                    kept.extend(store::unless_damaged(of, Pending::decode(&row)).map(|row| (*target, row)));
                }
            }
        }
        Ok(kept)
    }

    /// Puts what a row says, or has it wait in the row where the user has too many.
    pub(super) fn put(&self, work: &mut Work, target: Target, row: Pending) {
        if work.queue.renew(&target).is_some() {
            return work.queue.rewrite(&target, row);
        }
        let site = self.subscriptions.site(target.user, target.device).unwrap_or_else(Site::unknown);
        let now = Instant::now();
        if work.queue.put(target, row, site, now + row.not_before.since(clock::now())) != Room::Free {
            work.behind.note(target.user, now);
        }
    }

    pub(super) async fn recall_shard(&self, work: &mut Work, shard: u8) -> Result<(), Error> {
        let partition = schema::push::partition(shard);
        let mut range = schema::push::all_pending();
        loop {
            let scan = self.store.scan(partition.clone(), range.clone(), Direction::Ascending, limits::SCAN_ROWS);
            let rows = scan.await?;
            let Some(last) = rows.last() else { return Ok(()) };
            range.from = schema::behind(&last.key);
            for row in rows {
                let (user, device) = schema::push::device_of(&row.key)?;
                let target = Target { user, device, conversation: schema::push::conversation_of(&row.key)? };
                let of = || format!("what waits to be pushed to {user} on {device}");
                if let Some(row) = store::unless_damaged(of, Pending::decode(&row.value)) {
                    self.put(work, target, row);
                }
            }
        }
    }
}

/// Returns true if a person wants to hear nothing of a conversation now.
pub(super) fn is_muted(listed: &Listed) -> bool {
    listed.muted_until.is_some_and(|until: Timestamp| until > clock::now())
}

/// The key of the row of a target.
pub(super) fn key(target: &Target) -> Vec<u8> {
    schema::push::pending(target.user, target.device, target.conversation).key
}
