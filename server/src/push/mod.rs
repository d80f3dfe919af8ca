//! Push: wakes devices that are not connected when something is said, through the push services of their browsers.
//!
//! ```text
//!   conversation ─▶ store ◀── feed ─▶ queue ─▶ delivery ─▶ seal ─▶ send ─▶ push service ─▶ device
//! ```
//! A message never waits for it. Before a conversation appends that a subscribed user is a member of, it leaves a row that
//! says from where on (`schema::active::unpushed`); `feed` reads the entries behind it and writes a row for each device and
//! conversation that is to be pushed (`schema::push`), and only then deletes the first. `delivery` looks again whether the
//! device still needs it, tells it the newest unread message, and deletes the second row when the push service has it. So
//! what was `sent` is pushed at least once, whatever fails or restarts in between, or is given up after
//! [`crate::limits::PUSH_TTL_S`]. Several messages are one push: each replaces the one before.
//!
//! Subscribers choose the push services, and how much is to be pushed to them. So each user has bounds of their own, in what
//! waits and in what is under way (`queue`, `behind`), and a host that is not reached is left alone for a while (`hosts`).

mod behind;
mod delivery;
mod doubts;
mod feed;
mod hosts;
mod queue;
mod seal;
mod send;
mod vapid;

use std::{collections::HashMap, sync::Arc, time::Duration};

use kith_protocol::{Code, ConversationId};
use parking_lot::RwLock;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};

use self::{
    behind::Behind,
    delivery::Outcome,
    doubts::Doubts,
    queue::{Begun, Queue},
    send::Sender,
    vapid::Vapid,
};
use crate::{
    Error,
    account::{Accounts, subscriptions::Subscriptions},
    conversation::{Conversations, Postponed},
    delivery::roster::Roster,
    presence::Presence,
    store::{
        self, Store, StoreExt as _,
        schema::{self, server},
    },
    telemetry,
};

/// The pause before a new message is looked for; what comes meanwhile is pushed with it.
const SOON: Duration = Duration::from_millis(250);
/// The pause before conversations are looked at again that are still appending.
const AGAIN: Duration = Duration::from_secs(1);
/// The time for which a store that does not answer is left alone.
const RETRY: Duration = Duration::from_secs(10);

/// The pushing of a node.
pub struct Push {
    /// The push subscriptions.
    pub subscriptions: Arc<Subscriptions>,
    store: Arc<dyn Store>,
    conversations: Conversations,
    accounts: Arc<Accounts>,
    roster: Arc<Roster>,
    presence: Arc<Presence>,
    /// The key that signs pushes, once it was opened.
    vapid: RwLock<Option<Arc<Vapid>>>,
    sender: Sender,
}

/// The memory of the one task that pushes.
#[derive(Default)]
struct Work {
    queue: Queue,
    behind: Behind,
    under_way: JoinSet<(Begun, Outcome)>,
    /// The seqs up to which the conversations have been looked at that are still appending.
    reached: HashMap<ConversationId, u64>,
    /// Conversations that met damage.
    postponed: Postponed,
    doubts: Doubts,
}

impl Push {
    /// Pushes what is said in these conversations, once it is [opened](Self::open) and [run](Self::run).
    pub fn new(
        store: Arc<dyn Store>,
        subscriptions: Arc<Subscriptions>,
        conversations: Conversations,
        accounts: Arc<Accounts>,
        roster: Arc<Roster>,
        presence: Arc<Presence>,
    ) -> Self {
        use metrics::Unit;
        let help = "Pushes, by what became of each.";
        metrics::describe_counter!("kith_pushes_total", Unit::Count, help);
        let help = "Conversations that wait to be pushed, one for each device.";
        metrics::describe_gauge!("kith_pushes_waiting", Unit::Count, help);
        let help = "Users of whom more waits to be pushed than may wait in memory.";
        metrics::describe_gauge!("kith_push_users_behind", Unit::Count, help);
        metrics::describe_gauge!("kith_push_subscriptions", Unit::Count, "Devices that can be woken.");
        let (vapid, sender) = (RwLock::default(), Sender::default());
        Self { subscriptions, store, conversations, accounts, roster, presence, vapid, sender }
    }

    /// Reads the key of this server, which is made the first time, and the subscriptions. Before the first connection.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn open(&self) -> Result<(), Error> {
        if !self.subscriptions.settings().enabled {
            return Ok(());
        }
        match self.store.kept_key(server::push_key(), Vapid::secret).await {
            // A new one would be another server's to every push service. Nothing is pushed, and all else goes on.
            Err(store::Error::Corrupt(why)) => {
                telemetry::damage(&format!("the key for push services: {why}"));
                return Ok(());
            }
            secret => self.sign_with(&secret?)?,
        }
        self.subscriptions.load().await
    }

    fn sign_with(&self, secret: &[u8; 32]) -> Result<(), Error> {
        let contact = self.subscriptions.settings().contact.clone();
        let vapid = Vapid::new(secret, contact).ok_or(Error::new(Code::Internal))?;
        *self.vapid.write() = Some(Arc::new(vapid));
        Ok(())
    }

    /// Signs with another key from now on. Every subscription is bound to the one before and is forgotten: how many there
    /// were. A device is woken again once it has subscribed anew.
    ///
    /// # Errors
    /// When the store does not answer; asking again does it all.
    pub async fn rotate_key(&self) -> Result<usize, Error> {
        let before = self.subscriptions.remove_all().await?;
        let secret = Vapid::secret();
        self.store.put(server::push_key(), secret.to_vec()).await?;
        if self.subscriptions.settings().enabled {
            self.sign_with(&secret)?;
        }
        // Those that were made meanwhile are of the key before.
        let forgotten = before + self.subscriptions.remove_all().await?;
        tracing::info!(forgotten, "the key that signs pushes is another one");
        Ok(forgotten)
    }

    /// The public key that devices subscribe with, in base64url; none where this server does not push.
    pub fn key(&self) -> Option<String> {
        self.vapid.read().as_ref().map(|vapid| vapid.public().to_owned())
    }

    /// Pushes, for ever; once at a time. Without a subscription it sleeps.
    pub async fn run(self: &Arc<Self>) {
        if self.vapid.read().is_none() {
            return std::future::pending().await;
        }
        let mut work = Work::default();
        while let Err(error) = self.recall(&mut work).await {
            tracing::warn!(%error, "what is to be pushed cannot be read");
            sleep(RETRY).await;
        }
        let pushing = self.conversations.pushing();
        // The last run may have left something.
        let mut look_at = Some(Instant::now());
        loop {
            self.turn(&mut work).await;
            let due = [look_at, work.queue.next_due(), work.behind.next_due(), work.doubts.next_due()];
            let due = due.into_iter().flatten().min();
            tokio::select! {
                biased;
                Some(done) = work.under_way.join_next() => self.take_outcome(&mut work.queue, done).await,
                () = pushing.notified() => {
                    let soon = Instant::now() + SOON;
                    look_at = Some(look_at.map_or(soon, |at| at.min(soon)));
                }
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    if look_at.is_some_and(|at| at <= Instant::now()) {
                        look_at = self.look(&mut work).await;
                    }
                    if let Err(error) = self.settle_doubts(&mut work).await {
                        tracing::warn!(%error, "it is not certain that a device got what was said");
                    }
                    if let Err(error) = self.catch_up_with_rows(&mut work).await {
                        tracing::warn!(%error, "what waits to be pushed cannot be read");
                    }
                }
            }
        }
    }

    /// Takes the outcome of what has ended, and begins what is due.
    async fn turn(self: &Arc<Self>, work: &mut Work) {
        while let Some(done) = work.under_way.try_join_next() {
            self.take_outcome(&mut work.queue, done).await;
        }
        while let Some(begun) = work.queue.begin(Instant::now()) {
            let push = self.clone();
            work.under_way.spawn(async move { (begun, push.deliver(begun).await) });
        }
        metrics::gauge!("kith_pushes_waiting").set(work.queue.len() as f64);
        metrics::gauge!("kith_push_users_behind").set(work.behind.len() as f64);
    }

    /// Looks for what was said; when to look again, if not only when something is said.
    async fn look(self: &Arc<Self>, work: &mut Work) -> Option<Instant> {
        metrics::gauge!("kith_push_subscriptions").set(self.subscriptions.count() as f64);
        match self.follow(work).await {
            Ok(true) => Some(Instant::now() + AGAIN),
            Ok(false) => None,
            Err(error) => {
                tracing::warn!(%error, "pushes wait");
                Some(Instant::now() + RETRY)
            }
        }
    }

    async fn take_outcome(&self, queue: &mut Queue, done: Result<(Begun, Outcome), tokio::task::JoinError>) {
        // Only a panic ends one without an outcome; its row has it tried again by the next run.
        let Ok((begun, outcome)) = done else { return };
        if let Err(error) = self.settle(queue, begun, outcome).await {
            tracing::warn!(%error, "the outcome of a push was not kept");
        }
    }

    /// Reads what the last run left to be pushed.
    async fn recall(&self, work: &mut Work) -> Result<(), Error> {
        for shard in 0..schema::SHARDS {
            self.recall_shard(work, shard).await?;
        }
        Ok(())
    }
}
