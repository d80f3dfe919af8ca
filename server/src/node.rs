//! One node: everything that a door needs, and the little work that runs by the clock.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use kith_protocol::{
    DeviceId, InstanceId, ServerFrame, UserId,
    frame::{Degraded, Goaway},
    problem::CloseCode,
};
use parking_lot::Mutex;
use tokio::{
    sync::OnceCell,
    time::{MissedTickBehavior, interval},
};

use crate::{
    Error,
    account::{Accounts, Actor, subscriptions::Subscriptions},
    config::Config,
    conversation::Conversations,
    delivery::{budget::Budget, encoding, outbox::Class, relief::Relief, roster::Roster},
    limits,
    media::{Media, objects::Objects},
    places::Places,
    presence::Presence,
    push::Push,
    rates::Rates,
    reports::Reports,
    room::Room,
    search::{Search, fts::Index},
    shed::{Bounds, Shed},
    store::{self, Store},
    timekeeper,
    work::Backoff,
};

/// The period at which the load is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A node that serves.
pub struct Node {
    /// The operator's configuration.
    pub config: Config,
    /// The store; a door asks for its contents by way of those below.
    store: Arc<dyn Store>,
    /// The instance of the data, once that was asked.
    instance: OnceCell<InstanceId>,
    /// The accounts.
    pub accounts: Arc<Accounts>,
    /// The media.
    pub media: Arc<Media>,
    /// The conversations.
    pub conversations: Conversations,
    /// The search for messages.
    pub search: Search,
    /// The push of messages.
    pub push: Arc<Push>,
    /// The reports that wait for the operator.
    pub reports: Reports,
    /// The roster of connections.
    pub roster: Arc<Roster>,
    /// The presence of users.
    pub presence: Arc<Presence>,
    /// The load shedding.
    pub shed: Arc<Shed>,
    /// The rate limits.
    pub rates: Rates,
    /// The places of connections.
    pub places: Arc<Places>,
    /// Users whose erasure a crash interrupted.
    erasures: Mutex<Vec<UserId>>,
}

impl Node {
    /// Puts a node together. It works by the clock once [`Node::run`] is.
    pub fn new(config: Config, store: Arc<dyn Store>, objects: Arc<Objects>, index: Arc<Index>) -> Arc<Self> {
        let budget = Budget::new(usize::try_from(config.limits.waiting_bytes).unwrap_or(usize::MAX));
        let roster = Arc::new(Roster::new(config.heartbeat_ms, config.limits.sockets_of_user(), budget));
        let millis = |ms: u32| Duration::from_millis(ms.into());
        let load = &config.load;
        let (light, receipts) = (millis(load.shed_ms), millis(load.shed_receipts_ms));
        let shed = Arc::new(Shed::new(Bounds { light, receipts, refuse: millis(load.refuse_ms) }));
        let room = Arc::new(Room::of(&config.data_dir, config.media.min_free_bytes));
        let media = Arc::new(Media::new(store.clone(), objects, room, config.media()));
        let subscriptions = Arc::new(Subscriptions::new(store.clone(), config.push()));
        let accounts = Arc::new(Accounts::new(
            store.clone(),
            roster.clone(),
            media.clone(),
            subscriptions.clone(),
            config.accounts(),
        ));
        let conversations = Conversations::new(
            store.clone(),
            accounts.clone(),
            media.clone(),
            subscriptions.clone(),
            roster.clone(),
            shed.clone(),
            config.stated_limits(),
        );
        let search = Search::new(store.clone(), conversations.clone(), index);
        let presence = Arc::new(Presence::new(accounts.clone(), roster.clone(), shed.clone()));
        let push = Arc::new(Push::new(
            store.clone(),
            subscriptions,
            conversations.clone(),
            accounts.clone(),
            roster.clone(),
            presence.clone(),
        ));
        let reports = Reports::new(store.clone(), accounts.clone(), conversations.clone());
        let trusting = accounts.clone();
        let rates = Rates::new(&config.limits, move |user| trusting.trust(user));
        let (connections, of_address) = (config.limits.connections, config.limits.connections_of_address());
        let places = Places::new(connections as usize, of_address as usize, config.trusted_proxies.clone());
        Arc::new(Self {
            config,
            store,
            instance: OnceCell::new(),
            accounts,
            media,
            conversations,
            search,
            push,
            reports,
            roster,
            presence,
            shed,
            rates,
            places,
            erasures: Mutex::default(),
        })
    }

    /// The instance of the data: a restored backup has another one than what it is a copy of. A server asks before its first
    /// connection, so that later it is in memory.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn instance(&self) -> Result<InstanceId, Error> {
        Ok(*self.instance.get_or_try_init(|| store::instance(&*self.store)).await?)
    }

    /// Reads what everybody needs, and finds what a crash interrupted; [`Node::run`] finishes that. Before the first
    /// connection.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn open(&self) -> Result<(), Error> {
        *self.erasures.lock() = self.accounts.erasures().await?;
        self.media.recover_uploads().await?;
        self.media.count_all().await?;
        self.push.open().await?;
        self.conversations.open().await
    }

    /// Erases a user: takes them out of every group and channel, then erases the account. `device` is the one that asks.
    ///
    /// # Errors
    /// When the store does not answer; asking again goes on where it stopped.
    pub async fn erase(&self, user: UserId, device: Option<DeviceId>) -> Result<(), Error> {
        let device = device.unwrap_or(DeviceId::from_bytes([0; 16]));
        self.conversations.leave_all(Actor { user, device }).await?;
        self.accounts.erase(user).await
    }

    /// Does what is due, for ever.
    pub async fn run(self: Arc<Self>) {
        tokio::join!(
            self.every_second(),
            self.finish_erasures(),
            self.recover_and_sweep(),
            self.look_at_load(),
            timekeeper::run(&*self.store),
            self.media.room.clone().run(),
            self.search.run(),
            self.push.run()
        );
    }

    async fn every_second(&self) {
        let mut second = interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut seconds, mut relief) = (0u64, Relief::default());
        loop {
            second.tick().await;
            relief.look(&self.roster, &self.places);
            self.roster.tick();
            self.presence.tick();
            metrics::gauge!("kith_connections").set(self.roster.connections() as f64);
            metrics::gauge!("kith_waiting_bytes").set(self.roster.budget.held() as f64);
            metrics::gauge!("kith_connections_open").set(self.places.taken() as f64);
            metrics::gauge!("kith_conversations_live").set(self.conversations.live() as f64);
            // As often as somebody reads it: it asks every connection.
            if seconds.is_multiple_of(10) {
                let mut waiting = 0;
                self.roster.all(|outbox| waiting += outbox.waiting());
                metrics::gauge!("kith_outbox_bytes").set(waiting as f64);
            }
            seconds += 1;
            if seconds.is_multiple_of(60) {
                self.rates.sweep();
                self.roster.sweep();
            }
        }
    }

    async fn finish_erasures(&self) {
        let mut left = std::mem::take(&mut *self.erasures.lock());
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(limits::DAMAGE_AGAIN_S));
        loop {
            left = self.accounts.finish_erasures(left).await;
            if left.is_empty() {
                return;
            }
            tokio::time::sleep(backoff.pause()).await;
        }
    }

    /// Folds what a crash left unfolded, then does what is due: what is to go may be what only an unfolded entry keeps.
    async fn recover_and_sweep(&self) {
        let began = Instant::now();
        let recovered = self.conversations.recover().await;
        if recovered > 0 {
            let ms = began.elapsed().as_millis() as u64;
            tracing::info!(conversations = recovered, ms, "folded what the last run left unfolded");
        }
        self.sweep().await;
    }

    async fn sweep(&self) {
        tokio::join!(
            self.conversations.expire(),
            self.conversations.end_requests(),
            self.media.collect(),
            self.media.collect_uploads(),
            self.forget_reports()
        );
    }

    /// Forgets old reports. They are kept for months.
    async fn forget_reports(&self) {
        let mut hour = interval(Duration::from_secs(3600));
        hour.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            hour.tick().await;
            if let Err(error) = self.reports.sweep().await {
                tracing::warn!(%error, "old reports wait for the store");
            }
        }
    }

    async fn look_at_load(&self) {
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last = Instant::now();
        loop {
            look.tick().await;
            let window = last.elapsed();
            last = Instant::now();
            if let Some(level) = self.shed.look(window) {
                let frame = encoding::frame(&ServerFrame::Degraded(Degraded { shed: level.shed().to_vec() }));
                self.roster.all(|outbox| outbox.push(frame.clone(), Class::Vital));
                tracing::info!(?level, "load level");
            }
        }
    }

    /// Tells every client to go elsewhere, gives them time, closes them, and writes what is in memory.
    pub async fn drain(&self) {
        let spread_ms = self.config.drain_s.saturating_mul(1000);
        let goaway = ServerFrame::Goaway(Goaway { reconnect_after_ms: 1000, spread_ms, url: None });
        let frame = encoding::frame(&goaway);
        self.roster.all(|outbox| outbox.push(frame.clone(), Class::Vital));
        let deadline = Instant::now() + Duration::from_secs(self.config.drain_s.into());
        while self.roster.connections() > 0 && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.roster.all(|outbox| outbox.close(CloseCode::Draining));
        let deadline = Instant::now() + Duration::from_secs(3);
        while self.roster.connections() > 0 && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.presence.stop().await;
        self.conversations.stop().await;
        timekeeper::keep(&*self.store).await;
    }
}
