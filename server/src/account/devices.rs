//! Devices and the tokens that they hold.

use kith_protocol::{
    Code, DeviceId, Timestamp, UserId,
    limits::{FEATURE_BYTES, FEATURES, Limits},
    problem::CloseCode,
    rest::{self, DeviceInfo},
};
use subtle::ConstantTimeEq;

use super::{Accounts, Actor, check, token};
use crate::{
    Error, limits,
    store::{
        self, Change, Condition, Row, RowKey, StoreExt as _,
        schema::{self, Device, Token, Value},
    },
};

/// Checks what a device says of itself.
pub(super) fn check(info: &DeviceInfo, bounds: &Limits) -> Result<(), Error> {
    check::line("/device/name", &info.name, bounds.name_chars)?;
    check::line("/device/platform", &info.platform, bounds.name_chars)?;
    match rest::are_features(&info.features) {
        true => Ok(()),
        false => Err(Error::field("/device/features", format!("{FEATURES} names of {FEATURE_BYTES} bytes at most"))),
    }
}

/// A device as its user sees it from `actor`.
pub(super) fn shown(id: DeviceId, row: &Device, actor: Actor) -> rest::Device {
    rest::Device {
        id,
        name: row.name.clone(),
        platform: row.platform.clone(),
        features: row.features.clone(),
        created_at: row.created_at,
        current: id == actor.device,
    }
}

/// The device of a row. One that is damaged can be seen and signed out, and no token is its.
fn device_of(user: UserId, device: DeviceId, row: &[u8]) -> Device {
    let of = || format!("the row of the device {device} of {user}");
    let unreadable = || Device {
        name: "damaged".to_owned(),
        platform: String::new(),
        created_at: Timestamp::default(),
        token_hash: [0; 32],
        features: Vec::new(),
    };
    store::unless_damaged(of, Device::decode(row)).unwrap_or_else(unreadable)
}

impl Accounts {
    /// Returns the user and the device of a token.
    ///
    /// # Errors
    /// `unauthenticated` where it is nobody's, or no longer.
    pub async fn authenticate(&self, token: &str) -> Result<Actor, Error> {
        let nobody = Error::new(Code::Unauthenticated);
        let Some(hash) = token::hash_of_token(token) else { return Err(nobody) };
        let Some(found) = self.store.one(schema::token::row(&hash)).await? else { return Err(nobody) };
        // What cannot be read proves nothing: its user signs in again.
        let of = || "the row of a token".to_owned();
        let Some(Token { user, device }) = store::unless_damaged(of, Token::decode(&found)) else { return Err(nobody) };
        let row = RowKey { partition: schema::user::partition(user), key: schema::user::device(device) };
        // The device's row decides: it is what a sign-out deletes.
        let Some(row) = self.store.one(row).await? else { return Err(nobody) };
        match bool::from(device_of(user, device, &row).token_hash.ct_eq(&hash)) {
            true => Ok(Actor { user, device }),
            false => Err(nobody),
        }
    }

    /// Keeps the features that the actor's device names, where they are others than before. Nothing is kept of one that was
    /// signed out meanwhile.
    ///
    /// # Errors
    /// As the store; `unavailable` where the row is changed again and again.
    pub async fn name_features(&self, actor: Actor, features: Vec<String>) -> Result<(), Error> {
        let (partition, key) = (schema::user::partition(actor.user), schema::user::device(actor.device));
        for _ in 0..limits::COMMIT_TRIES {
            let found = self.store.one(RowKey { partition: partition.clone(), key: key.clone() }).await?;
            let Some(before) = found else { return Ok(()) };
            let device = Device::decode(&before)?;
            if device.features == features {
                return Ok(());
            }
            let changes = vec![Change::Put(key.clone(), Device { features: features.clone(), ..device }.encode())];
            let unchanged = Condition::Equals(key.clone(), before);
            if self.store.change_if(partition.clone(), changes, vec![unchanged]).await? {
                return Ok(());
            }
        }
        Err(Error::new(Code::Unavailable))
    }

    /// The user's devices, in the order in which they signed in.
    pub async fn devices(&self, actor: Actor) -> Result<Vec<rest::Device>, Error> {
        let mut rows = self.device_rows(actor.user).await?;
        rows.sort_by_key(|(id, row)| (row.created_at, *id));
        Ok(rows.iter().map(|(id, row)| shown(*id, row, actor)).collect())
    }

    /// Signs a device of the actor's user out: its token stops working, and its connection is closed. One that signs
    /// itself out stays known; one that another signs out may be in other hands, and is known no longer.
    ///
    /// # Errors
    /// `not_found` where the user has no such device.
    pub async fn revoke(&self, actor: Actor, device: DeviceId) -> Result<(), Error> {
        let user = actor.user;
        let (partition, key) = (schema::user::partition(user), schema::user::device(device));
        // A device that names other features meanwhile is still there.
        for _ in 0..limits::COMMIT_TRIES {
            let found = self.store.one(RowKey { partition: partition.clone(), key: key.clone() }).await?;
            let value = found.ok_or(Error::new(Code::NotFound))?;
            let row = device_of(user, device, &value);
            let there = Condition::Equals(key.clone(), value);
            let lost = device != actor.device;
            let mut changes = self.forget_secrets(user, |last| lost && last == device).await?;
            changes.push(Change::Delete(key.clone()));
            if self.store.change_if(partition.clone(), changes, vec![there]).await? {
                self.signed_out(user, vec![(device, row)]).await;
                tracing::info!(%user, %device, "signed out");
                return Ok(());
            }
        }
        Err(Error::new(Code::Unavailable))
    }

    /// Every device of the user.
    pub(super) async fn device_rows(&self, user: UserId) -> Result<Vec<(DeviceId, Device)>, Error> {
        let rows = self.store.all(schema::user::partition(user), schema::user::devices()).await?;
        let read = |row: &Row| {
            let device = schema::user::device_of(&row.key)?;
            Ok((device, device_of(user, device, &row.value)))
        };
        rows.iter().map(read).collect()
    }

    /// Does what remains to be done when the rows of these devices are gone. A token's row that cannot be deleted stays
    /// without effect.
    pub(super) async fn signed_out(&self, user: UserId, devices: Vec<(DeviceId, Device)>) {
        for (device, _) in &devices {
            self.roster.close_device(user, *device, CloseCode::DeviceRevoked);
            if let Err(error) = self.subscriptions.remove(user, *device).await {
                tracing::warn!(%user, %device, %error, "a push subscription that is no longer good is left");
            }
        }
        if let Err(error) = self.drop_tokens(devices.iter().map(|(_, row)| row.token_hash)).await {
            tracing::warn!(%user, %error, "rows of tokens that are no longer good are left");
        }
    }

    pub(super) async fn drop_tokens(&self, hashes: impl IntoIterator<Item = [u8; 32]> + Send) -> Result<(), Error> {
        let hashes: Vec<_> = hashes.into_iter().collect();
        for hash in hashes {
            let row = schema::token::row(&hash);
            self.store.change(row.partition, vec![Change::Delete(row.key)]).await?;
        }
        Ok(())
    }
}
