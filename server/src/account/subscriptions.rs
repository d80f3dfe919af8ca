//! Push subscriptions: the addresses at which devices are woken. Their rows are in the store; the users who have any are in
//! memory, because every message asks for them.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use kith_protocol::{Code, DeviceId, UserId, push::PushSubscription};
use parking_lot::RwLock;

use super::endpoint::{self, Endpoint, Site};
use crate::{
    Error,
    store::{
        self, Change, RowKey, Store, StoreExt as _,
        schema::{self, Subscription, Value},
    },
};

/// The operator's settings of push.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// True where there is any.
    pub enabled: bool,
    /// The contact whom push services may ask about this server: `mailto:` or `https:`.
    pub contact: Option<String>,
    /// True where this machine itself may be a push service; for tests.
    pub loopback: bool,
}

/// The devices of a user that have a subscription, and where each is woken.
type Devices = Vec<(DeviceId, Site)>;

/// The subscriptions of the server.
pub struct Subscriptions {
    store: Arc<dyn Store>,
    settings: Settings,
    users: RwLock<HashMap<UserId, Devices>>,
    /// Goes up with each subscription, so that who found none among some users knows when to look again.
    version: AtomicU64,
}

impl Subscriptions {
    /// The subscriptions that `store` keeps, once they are loaded.
    pub fn new(store: Arc<dyn Store>, settings: Settings) -> Self {
        Self { store, settings, users: RwLock::default(), version: AtomicU64::new(0) }
    }

    /// The operator's settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Reads which users have any, and drops those whose device a crash signed out halfway.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn load(&self) -> Result<(), Error> {
        if !self.settings.enabled {
            return Ok(());
        }
        for shard in 0..schema::SHARDS {
            for row in self.store.all(schema::push::partition(shard), schema::push::all_subscriptions()).await? {
                let (user, device) = schema::push::device_of(&row.key)?;
                if !self.is_signed_in(user, device).await? {
                    self.remove(user, device).await?;
                    continue;
                }
                let of = || format!("the push subscription of {user} on {device}");
                if let Some(row) = store::unless_damaged(of, Subscription::decode(&row.value)) {
                    self.note(user, device, &row);
                }
            }
        }
        Ok(())
    }

    /// Keeps where a user's device is woken, instead of what was known before.
    ///
    /// # Errors
    /// The field that is not valid; `not_found` where the user has no such device, or this server does not push.
    pub async fn set(&self, user: UserId, device: DeviceId, told: &PushSubscription) -> Result<(), Error> {
        if !self.settings.enabled || !self.is_signed_in(user, device).await? {
            return Err(Code::NotFound.into());
        }
        let subscription = endpoint::read(told, self.settings.loopback)?;
        let row = schema::push::subscription(user, device);
        self.store.put(row, subscription.encode()).await?;
        self.note(user, device, &subscription);
        // Signed out meanwhile: who did that has found nothing to remove.
        if !self.is_signed_in(user, device).await? {
            self.remove(user, device).await?;
            return Err(Code::NotFound.into());
        }
        tracing::info!(%user, %device, "push subscription kept");
        Ok(())
    }

    /// Wakes a user's device no longer.
    ///
    /// # Errors
    /// `not_found` where the user has no such device.
    pub async fn unset(&self, user: UserId, device: DeviceId) -> Result<(), Error> {
        if !self.is_signed_in(user, device).await? {
            return Err(Code::NotFound.into());
        }
        self.remove(user, device).await
    }

    /// Forgets where a device is woken and what was to be pushed to it, if there is anything.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn remove(&self, user: UserId, device: DeviceId) -> Result<(), Error> {
        let row = schema::push::subscription(user, device);
        let pending = self.store.all(row.partition.clone(), schema::push::pending_of(user, device)).await?;
        let mut gone: Vec<_> = pending.into_iter().map(|row| row.key).collect();
        if self.store.one(row.clone()).await?.is_some() {
            gone.push(row.key);
        }
        self.store.delete_all(row.partition, gone).await?;
        self.forget(user, Some(device));
        Ok(())
    }

    /// The same for a user's devices, with what a push service has said to be no more only if it is what is known now.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn remove_if(&self, user: UserId, device: DeviceId, gone: &Subscription) -> Result<(), Error> {
        let row = schema::push::subscription(user, device);
        let Some(same) = self.store.still(row.clone(), gone).await? else { return Ok(()) };
        match self.store.change_if(row.partition, vec![Change::Delete(row.key)], vec![same]).await? {
            true => self.remove(user, device).await,
            false => Ok(()),
        }
    }

    /// Forgets where all devices are woken: how many there were.
    ///
    /// # Errors
    /// When the store does not answer; some may be forgotten.
    pub async fn remove_all(&self) -> Result<usize, Error> {
        let mut removed = 0;
        for shard in 0..schema::SHARDS {
            for row in self.store.all(schema::push::partition(shard), schema::push::all_subscriptions()).await? {
                let (user, device) = schema::push::device_of(&row.key)?;
                self.remove(user, device).await?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// Forgets everything of a user.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn erase(&self, user: UserId) -> Result<(), Error> {
        let partition = schema::push::partition_of(user);
        for range in schema::push::all_of(user) {
            let rows = self.store.all(partition.clone(), range).await?;
            self.store.delete_all(partition.clone(), rows.into_iter().map(|row| row.key).collect()).await?;
        }
        self.forget(user, None);
        Ok(())
    }

    /// Goes up with each new subscription.
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// Returns the users among these who have any.
    pub fn those_of<V>(&self, members: &HashMap<UserId, V>) -> HashSet<UserId> {
        let users = self.users.read();
        match users.len() < members.len() {
            true => users.keys().copied().filter(|user| members.contains_key(user)).collect(),
            false => members.keys().copied().filter(|user| users.contains_key(user)).collect(),
        }
    }

    /// Returns true if one of these users has any.
    pub fn any_of<V>(&self, members: &HashMap<UserId, V>) -> bool {
        let users = self.users.read();
        match users.len() < members.len() {
            true => users.keys().any(|user| members.contains_key(user)),
            false => members.keys().any(|user| users.contains_key(user)),
        }
    }

    /// The devices of a user that have one.
    pub fn devices(&self, user: UserId) -> Vec<DeviceId> {
        self.users.read().get(&user).into_iter().flatten().map(|(device, _)| *device).collect()
    }

    /// The push service at which a device is woken.
    pub fn site(&self, user: UserId, device: DeviceId) -> Option<Site> {
        let users = self.users.read();
        users.get(&user)?.iter().find(|(other, _)| *other == device).map(|(_, site)| site.clone())
    }

    /// The number of subscriptions.
    pub fn count(&self) -> usize {
        self.users.read().values().map(Vec::len).sum()
    }

    fn note(&self, user: UserId, device: DeviceId, subscription: &Subscription) {
        let site = Endpoint::read(&subscription.endpoint, true).map(|endpoint| endpoint.site());
        {
            let mut users = self.users.write();
            let devices = users.entry(user).or_default();
            devices.retain(|(other, _)| *other != device);
            devices.push((device, site.unwrap_or_else(|_| Site::unknown())));
        }
        self.version.fetch_add(1, Ordering::Release);
    }

    fn forget(&self, user: UserId, device: Option<DeviceId>) {
        let mut users = self.users.write();
        if let Some(devices) = users.get_mut(&user) {
            devices.retain(|(other, _)| device.is_some_and(|device| device != *other));
            if devices.is_empty() {
                users.remove(&user);
            }
        }
    }

    async fn is_signed_in(&self, user: UserId, device: DeviceId) -> Result<bool, Error> {
        let row = RowKey { partition: schema::user::partition(user), key: schema::user::device(device) };
        Ok(self.store.one(row).await?.is_some())
    }
}
