//! Presence and last seen: told to those who watch, and only to those who may know.
//!
//! A user is there while a device is connected. One whose connection broke counts as there for
//! [`limits::PRESENCE_GRACE_S`] more. `last_seen` moves with what a person does, and is written when they go or every
//! [`limits::LAST_SEEN_S`], never for a heartbeat.

use std::{
    collections::{HashMap, VecDeque},
    hash::BuildHasher,
    sync::Arc,
};

use kith_protocol::{
    DeviceId, ServerFrame, Timestamp, UserId,
    frame::Presence as Told,
    rest::{Audience, PresenceInfo, PresenceState},
};
use parking_lot::Mutex;

use crate::{
    Error,
    account::{Accounts, Actor},
    clock,
    delivery::{
        encoding,
        outbox::{Class, ConnectionId},
        roster::Roster,
        watchers::Watchers,
    },
    limits,
    shed::{Level, Shed},
};

const SHARDS: usize = 64;

/// A user who is there, or still counts as there.
struct There {
    /// The time at which a person last did something here; the epoch if nobody has.
    active_at: Timestamp,
    /// On which device that was.
    active_on: Option<DeviceId>,
    /// The time at which that was last written.
    stored_at: Timestamp,
    /// The second of the node's life in which they are gone, if the connection broke.
    gone_s: Option<u32>,
}

/// The presence of the node's users.
pub struct Presence {
    accounts: Arc<Accounts>,
    roster: Arc<Roster>,
    shed: Arc<Shed>,
    there: Box<[Mutex<HashMap<UserId, There>>]>,
    watchers: Box<[Mutex<HashMap<UserId, Watchers>>]>,
    hasher: std::hash::RandomState,
    /// Users whose connection broke, in the order in which they will be gone.
    broken: Mutex<VecDeque<(u32, UserId)>>,
}

impl Presence {
    /// The presence of an empty node.
    pub fn new(accounts: Arc<Accounts>, roster: Arc<Roster>, shed: Arc<Shed>) -> Self {
        Self {
            accounts,
            roster,
            shed,
            there: (0..SHARDS).map(|_| Mutex::default()).collect(),
            watchers: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: std::hash::RandomState::new(),
            broken: Mutex::default(),
        }
    }

    fn place(&self, user: UserId) -> usize {
        self.hasher.hash_one(user) as usize % SHARDS
    }

    /// The user's first connection has come.
    pub fn came(self: &Arc<Self>, user: UserId) {
        let never = Timestamp::default();
        let before = {
            let mut there = self.there[self.place(user)].lock();
            match there.get_mut(&user) {
                Some(there) => {
                    there.gone_s = None;
                    true
                }
                None => {
                    there.insert(user, There { active_at: never, active_on: None, stored_at: never, gone_s: None });
                    false
                }
            }
        };
        if !before {
            self.announce(user, PresenceState::Online);
        }
    }

    /// The user's last connection has gone; it was last heard in second `heard_s` of the node's life.
    pub fn left(self: &Arc<Self>, user: UserId, heard_s: u32, at_once: bool) {
        if at_once {
            return self.gone(user, None);
        }
        let gone_s = heard_s + limits::PRESENCE_GRACE_S as u32;
        if let Some(there) = self.there[self.place(user)].lock().get_mut(&user) {
            there.gone_s = Some(gone_s);
            let mut broken = self.broken.lock();
            let place = broken.partition_point(|(other, _)| *other <= gone_s);
            broken.insert(place, (gone_s, user));
        }
    }

    /// Lets those go whose grace is over. To be called every second.
    pub fn tick(self: &Arc<Self>) {
        let now = self.roster.now();
        loop {
            let due = {
                let mut broken = self.broken.lock();
                match broken.front() {
                    Some((gone_s, _)) if *gone_s <= now => broken.pop_front(),
                    Some(_) => None,
                    None => {
                        *broken = VecDeque::new();
                        None
                    }
                }
            };
            let Some((gone_s, user)) = due else { return };
            self.gone(user, Some(gone_s));
        }
    }

    /// The user is gone, unless they came back; `grace` is the second that was set when the connection broke.
    fn gone(self: &Arc<Self>, user: UserId, grace: Option<u32>) {
        let there = {
            let mut there = self.there[self.place(user)].lock();
            let came_back = self.roster.is_online(user)
                || grace.is_some() && there.get(&user).is_none_or(|there| there.gone_s != grace);
            if came_back {
                return;
            }
            let gone = there.remove(&user);
            // A crowd that left must not leave its seats.
            if there.capacity() > 64 && there.len() * 4 < there.capacity() {
                there.shrink_to_fit();
            }
            gone
        };
        let Some(there) = there else { return };
        let presence = self.clone();
        tokio::spawn(async move {
            // Also where it was given to be written a moment ago: that may be under way still.
            if there.active_at > Timestamp::default() {
                presence.store(user, there.active_at).await;
            }
            presence.announce(user, PresenceState::Offline);
        });
    }

    /// Returns true if the person last did something on another device than this one, which is there still, and not longer
    /// ago than [`limits::PUSH_ACTIVE_S`].
    pub fn is_active_elsewhere(&self, user: UserId, device: DeviceId) -> bool {
        let Some((at, on)) = self.there[self.place(user)].lock().get(&user).map(|it| (it.active_at, it.active_on))
        else {
            return false;
        };
        let lately = clock::now().since(at).as_secs() < limits::PUSH_ACTIVE_S;
        lately && on.is_some_and(|on| on != device && self.roster.has_device(user, on))
    }

    /// Notes that the person did something on a device.
    pub fn touch(self: &Arc<Self>, Actor { user, device }: Actor) {
        let now = clock::now();
        let due = {
            let mut there = self.there[self.place(user)].lock();
            let Some(there) = there.get_mut(&user) else { return };
            there.active_at = now;
            there.active_on = Some(device);
            let due = now.since(there.stored_at).as_secs() >= limits::LAST_SEEN_S;
            if due {
                there.stored_at = now;
            }
            due
        };
        if due {
            let presence = self.clone();
            tokio::spawn(async move { presence.store(user, now).await });
        }
    }

    async fn store(&self, user: UserId, at: Timestamp) {
        match self.accounts.set_last_seen(user, at).await {
            Ok(()) => {}
            // The account was erased meanwhile: nothing is to be kept.
            Err(error) if error.code == kith_protocol::Code::NotFound => {}
            Err(error) => tracing::warn!(%user, %error, "last seen was not stored"),
        }
    }

    /// Writes when those who are there were last seen, before the node stops.
    pub async fn stop(&self) {
        for shard in &self.there {
            let unstored: Vec<_> = {
                let there = shard.lock();
                there
                    .iter()
                    .filter(|(_, it)| it.active_at > it.stored_at)
                    .map(|(user, it)| (*user, it.active_at))
                    .collect()
            };
            for (user, at) in unstored {
                self.store(user, at).await;
            }
        }
    }

    /// Tells a connection of these users' comings and goings from now on.
    pub fn watch(&self, connection: ConnectionId, users: &[UserId]) {
        for user in users {
            let mut watchers = self.watchers[self.place(*user)].lock();
            watchers.entry(*user).or_default().add(&self.roster, connection);
        }
    }

    /// Stops telling a connection of the presence of users.
    pub fn unwatch<'a>(&self, connection: ConnectionId, users: impl Iterator<Item = &'a UserId>) {
        for user in users {
            let mut shard = self.watchers[self.place(*user)].lock();
            let Some(watchers) = shard.get_mut(user) else { continue };
            watchers.remove(connection);
            if watchers.is_empty() {
                shard.remove(user);
            }
        }
    }

    fn announce(self: &Arc<Self>, user: UserId, state: PresenceState) {
        if self.shed.level() >= Level::Light {
            return;
        }
        let watchers = {
            let mut shard = self.watchers[self.place(user)].lock();
            let Some(watchers) = shard.get_mut(&user) else { return };
            let there = watchers.there(&self.roster);
            if watchers.is_empty() {
                shard.remove(&user);
            }
            there
        };
        if watchers.is_empty() {
            return;
        }
        let presence = self.clone();
        tokio::spawn(async move {
            for watcher in watchers {
                let Some((viewer, _)) = watcher.identity() else { continue };
                // Whoever may not know must not learn it from what changes.
                if !presence.may_see(viewer, user).await.unwrap_or(false) {
                    continue;
                }
                let last_seen = match state {
                    PresenceState::Online => None,
                    PresenceState::Offline => presence.accounts.card(user).await.ok().and_then(|card| card.last_seen),
                };
                let frame = ServerFrame::Presence(Told { user, state, last_seen });
                watcher.push(encoding::frame(&frame), Class::Light);
            }
        });
    }

    /// A user's presence as another may see it; who may not know sees "offline", and no time.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn of(&self, viewer: UserId, user: UserId) -> Result<PresenceInfo, Error> {
        let hidden = PresenceInfo { state: PresenceState::Offline, last_seen: None };
        if !self.may_see(viewer, user).await? {
            return Ok(hidden);
        }
        if self.there[self.place(user)].lock().contains_key(&user) {
            return Ok(PresenceInfo { state: PresenceState::Online, last_seen: None });
        }
        let last_seen = self.accounts.card(user).await?.last_seen;
        Ok(PresenceInfo { last_seen, ..hidden })
    }

    async fn may_see(&self, viewer: UserId, user: UserId) -> Result<bool, Error> {
        if viewer == user {
            return Ok(true);
        }
        let (own, card) = (self.accounts.card(viewer).await?, self.accounts.card(user).await?);
        if !card.exists || card.erased || card.blocked.contains(&viewer) || own.blocked.contains(&user) {
            return Ok(false);
        }
        // Whose request waits learns nothing of whether one is there to answer it.
        if self.accounts.has_requested(user, viewer).await? {
            return Ok(false);
        }
        match card.privacy.last_seen {
            Audience::Everyone => Ok(true),
            Audience::Nobody => Ok(false),
            Audience::Contacts => self.accounts.is_contact(user, viewer).await,
        }
    }
}
