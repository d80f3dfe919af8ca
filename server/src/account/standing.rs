//! The standing of an account with the operator: new or not, suspended or not.

use kith_protocol::{Code, DeviceId, Timestamp, UserId, problem::CloseCode};

use super::{Accounts, check};
use crate::{
    Error, clock,
    store::{Change, StoreExt as _, schema},
    trust::Trust,
};

impl Accounts {
    /// Returns how far a user is trusted. Asks memory only, since every message asks: the identifier of a user says when it
    /// was made, and most were made long ago.
    pub fn trust(&self, user: UserId) -> Trust {
        let made = user.bytes()[..6].iter().fold(0, |millis, byte| millis << 8 | u64::from(*byte));
        let (made, newness) = (Timestamp::from_millis(made), self.settings.newness);
        match newness.trust(made, false, clock::now()) {
            Trust::New if self.cached_card(user).is_some_and(|card| card.vouched) => Trust::Full,
            trust => trust,
        }
    }

    /// Suspends an account, or ends that. All devices of one that is suspended are signed out, and none signs in; what it
    /// wrote, and how others see it, stays.
    ///
    /// # Errors
    /// `not_found` where nobody has this name.
    pub async fn set_suspended(&self, username: &str, suspended: bool) -> Result<(), Error> {
        let (user, _) = self.named(&check::folded(username)).await?.ok_or(Error::new(Code::NotFound))?;
        self.change(user, |row| {
            row.suspended = suspended;
            Ok(Vec::new())
        })
        .await?;
        if suspended {
            self.sign_out_others(user, None, Vec::new()).await?;
        }
        tracing::info!(%user, suspended, "suspension changed by the operator");
        Ok(())
    }

    /// Signs all devices of a user out but the one to `keep`, together with other changes. To be called after the user's
    /// row was changed, so that a device which signed in just before it is found too.
    pub(super) async fn sign_out_others(
        &self,
        user: UserId,
        keep: Option<DeviceId>,
        mut changes: Vec<Change>,
    ) -> Result<(), Error> {
        let mut others = self.device_rows(user).await?;
        others.retain(|(id, _)| Some(*id) != keep);
        changes.extend(others.iter().map(|(id, _)| Change::Delete(schema::user::device(*id))));
        self.store.change(schema::user::partition(user), changes).await?;
        self.signed_out(user, others).await;
        self.roster.close_user(user, keep, CloseCode::DeviceRevoked);
        Ok(())
    }
}
