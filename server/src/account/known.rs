//! Device secrets: what tells a sign-in on a device that its user had signed in on from all others.
//!
//! A device secret opens nothing. It is what a password waits by: among known devices instead of among everybody.

use kith_protocol::{DeviceId, Timestamp, UserId};

use super::{Accounts, check, token};
use crate::{
    Error, limits,
    store::{
        self, Change, Row, RowKey, StoreExt as _,
        schema::{self, Known, Value},
    },
};

/// A device that has shown a good device secret of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownDevice {
    /// The user of the device.
    pub user: UserId,
    /// The hash of the secret.
    pub hash: [u8; 32],
}

/// The device secret that a sign-in answers with, and what is to be kept of it.
pub(super) struct Secret {
    pub text: String,
    pub changes: Vec<Change>,
}

impl Secret {
    /// A new one.
    pub fn new(device: DeviceId, now: Timestamp) -> Self {
        let text = token::new_device_secret();
        let row = Known { device, used_at: now };
        let changes = vec![Change::Put(schema::user::known(&token::sha256(text.as_bytes())), row.encode())];
        Self { text, changes }
    }
}

impl Accounts {
    /// Returns the device, if `secret` is a device secret of the user of this name.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn known_device(&self, username: &str, secret: Option<&str>) -> Result<Option<KnownDevice>, Error> {
        let Some(hash) = secret.and_then(token::hash_of_device_secret) else { return Ok(None) };
        let Some((user, _)) = self.named(&check::folded(username)).await? else { return Ok(None) };
        let row = RowKey { partition: schema::user::partition(user), key: schema::user::known(&hash) };
        Ok(self.store.one(row).await?.map(|_| KnownDevice { user, hash }))
    }

    /// Renews the device secret that was shown at a sign-in, or makes one; those that were not used for longest are
    /// forgotten where there are too many.
    pub(super) async fn renewed(
        &self,
        user: UserId,
        device: DeviceId,
        shown: Option<&str>,
        now: Timestamp,
    ) -> Result<Secret, Error> {
        let shown = shown.and_then(|text| Some((text, schema::user::known(&token::hash_of_device_secret(text)?))));
        let mut rows = self.known_rows(user).await?;
        let renewed = shown.filter(|(_, key)| rows.iter().any(|(known, _)| known == key));
        if let Some((text, key)) = renewed {
            let row = Known { device, used_at: now };
            return Ok(Secret { text: text.to_owned(), changes: vec![Change::Put(key, row.encode())] });
        }
        rows.sort_by_key(|(_, row)| row.used_at);
        let excess = (rows.len() + 1).saturating_sub(limits::DEVICE_SECRETS);
        let mut secret = Secret::new(device, now);
        secret.changes.extend(rows.drain(..excess).map(|(key, _)| Change::Delete(key)));
        Ok(secret)
    }

    /// Returns what forgets the user's device secrets for which `which` holds, by the device that used each last.
    pub(super) async fn forget_secrets(
        &self,
        user: UserId,
        which: impl Fn(DeviceId) -> bool,
    ) -> Result<Vec<Change>, Error> {
        let rows = self.known_rows(user).await?;
        Ok(rows.into_iter().filter(|(_, row)| which(row.device)).map(|(key, _)| Change::Delete(key)).collect())
    }

    async fn known_rows(&self, user: UserId) -> Result<Vec<(Vec<u8>, Known)>, Error> {
        let rows = self.store.all(schema::user::partition(user), schema::user::all_known()).await?;
        let of = || format!("a device secret of {user}");
        // One that is damaged is that of no device, and the first to be forgotten.
        let nobody = Known { device: DeviceId::from_bytes([0; 16]), used_at: Timestamp::default() };
        let read = |row: Row| (row.key, store::unless_damaged(of, Known::decode(&row.value)).unwrap_or(nobody));
        Ok(rows.into_iter().map(read).collect())
    }
}
