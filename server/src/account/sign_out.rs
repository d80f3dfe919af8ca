//! Signing out by the operator: one user, or everybody.

use std::sync::Arc;

use kith_protocol::{Code, UserId};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use super::{Accounts, check};
use crate::{Error, limits};

/// The outcome of a sign-out by the operator.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedOut {
    /// Devices.
    pub devices: usize,
    /// The cursor at which to go on, if not all users were looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

impl Accounts {
    /// Signs all devices of a user out, which are known no longer.
    ///
    /// # Errors
    /// `not_found` where nobody has this name.
    pub async fn sign_out(&self, username: &str) -> Result<SignedOut, Error> {
        let (user, _) = self.named(&check::folded(username)).await?.ok_or(Error::new(Code::NotFound))?;
        Ok(SignedOut { devices: self.sign_out_all_of(user).await?, next_cursor: None })
    }

    /// Signs all devices of some users out, in the order of their names, several users at a time.
    ///
    /// # Errors
    /// The first that is met; those before it are signed out, and asking again goes on.
    pub async fn sign_out_some(self: &Arc<Self>, cursor: Option<&str>) -> Result<SignedOut, Error> {
        let page = self.list_all(cursor).await?;
        let mut signed_out = SignedOut { devices: 0, next_cursor: page.next_cursor };
        let mut running = JoinSet::new();
        for user in page.items {
            if running.len() >= limits::IMPORTS_AT_ONCE
                && let Some(done) = running.join_next().await
            {
                signed_out.devices += done.map_err(|_| Error::new(Code::Internal))??;
            }
            let accounts = self.clone();
            running.spawn(async move { accounts.sign_out_all_of(user.id).await });
        }
        while let Some(done) = running.join_next().await {
            signed_out.devices += done.map_err(|_| Error::new(Code::Internal))??;
        }
        Ok(signed_out)
    }

    async fn sign_out_all_of(&self, user: UserId) -> Result<usize, Error> {
        let devices = self.device_rows(user).await?.len();
        let forgotten = self.forget_secrets(user, |_| true).await?;
        if devices > 0 || !forgotten.is_empty() {
            self.sign_out_others(user, None, forgotten).await?;
            tracing::info!(%user, devices, "signed out by the operator");
        }
        Ok(devices)
    }
}
