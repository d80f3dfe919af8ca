//! Users: who they are, what signs them in, whom they block, and how they leave.
//!
//! An account lies in several partitions, and a commit reaches one. Two rows therefore decide, and all others only help
//! to find them: a user exists when their **name's row** leads to a profile that is not erased, and a token is good when
//! the **device's row** in its user's partition holds its hash. What a crash leaves half done is then either not there
//! or without effect: see [`sign_up`](Accounts::sign_up) and [`erase`](Accounts::erase).

mod blocks;
mod cards;
pub(crate) mod check;
mod devices;
pub mod endpoint;
mod erase;
mod import;
mod invites;
mod known;
mod password;
mod profile;
mod replays;
mod sign_in;
mod sign_out;
mod sign_up;
mod signups;
mod standing;
pub mod subscriptions;
mod token;
mod turns;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use kith_protocol::{Code, DeviceId, UserId, limits::Limits, rest::Registration};

pub use self::{
    cards::Card,
    import::{ImportSummary, Imported},
    invites::InvitesBy,
    known::KnownDevice,
    password::Turn,
    profile::UserLine,
    replays::Replay,
    sign_out::SignedOut,
    token::sha256,
};
use self::{cards::Cards, password::Passwords, signups::SignUps, subscriptions::Subscriptions};
use crate::{
    Error,
    delivery::roster::Roster,
    limits,
    media::Media,
    store::{
        Change, Condition, Store, StoreExt as _,
        schema::{self, User, Value},
    },
    trust::Newness,
};

/// The operator's settings of accounts.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The people who may sign up.
    pub registration: Registration,
    /// The people who may invite.
    pub invites_by: InvitesBy,
    /// The bounds of names and passwords, and of the devices of a user.
    pub limits: Limits,
    /// The rule by which accounts are new.
    pub newness: Newness,
    /// Sign-ups a day from one network,
    pub signups_per_network: u32,
    /// and in all.
    pub signups: u32,
}

/// The actor of a request: a device that is signed in, and its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Actor {
    /// The user.
    pub user: UserId,
    /// The device.
    pub device: DeviceId,
}

/// All accounts of the server.
pub struct Accounts {
    store: Arc<dyn Store>,
    roster: Arc<Roster>,
    media: Arc<Media>,
    subscriptions: Arc<Subscriptions>,
    settings: Settings,
    passwords: Passwords,
    cards: Cards,
    sign_ups: SignUps,
}

impl Accounts {
    /// The accounts that `store` keeps; `roster` learns at once who is signed out.
    pub fn new(
        store: Arc<dyn Store>,
        roster: Arc<Roster>,
        media: Arc<Media>,
        subscriptions: Arc<Subscriptions>,
        settings: Settings,
    ) -> Self {
        let (passwords, cards) = (Passwords::start(), Cards::default());
        let sign_ups = SignUps::new(settings.signups_per_network, settings.signups);
        Self { store, roster, media, subscriptions, settings, passwords, cards, sign_ups }
    }

    /// The same without the threads that hash passwords: nobody signs in.
    #[cfg(test)]
    pub(crate) fn without_passwords(
        store: Arc<dyn Store>,
        roster: Arc<Roster>,
        media: Arc<Media>,
        subscriptions: Arc<Subscriptions>,
        settings: Settings,
    ) -> Self {
        let (passwords, cards) = (Passwords::without_threads(), Cards::default());
        let sign_ups = SignUps::new(settings.signups_per_network, settings.signups);
        Self { store, roster, media, subscriptions, settings, passwords, cards, sign_ups }
    }

    /// A user's row, and its stored form for a condition; `None` for one who never was. An erased one has a row too.
    async fn user(&self, user: UserId) -> Result<Option<(User, Bytes)>, Error> {
        let Some(value) = self.store.one(schema::user::profile_row(user)).await? else { return Ok(None) };
        Ok(Some((User::decode(&value)?, value)))
    }

    /// A user who is there.
    async fn living(&self, user: UserId) -> Result<(User, Bytes), Error> {
        let found = self.user(user).await?.filter(|(row, _)| !row.erased);
        found.ok_or(Error::new(Code::NotFound))
    }

    /// The user whose name this is.
    async fn named(&self, name: &str) -> Result<Option<(UserId, User)>, Error> {
        let Some(value) = self.store.one(schema::name::row(name)).await? else { return Ok(None) };
        let user = schema::name::user_of(&value)?;
        Ok(self.user(user).await?.filter(|(row, _)| !row.erased).map(|(row, _)| (user, row)))
    }

    /// Changes a user's row, and with it what `change` answers; asked again when another changed the row meanwhile.
    async fn change(
        &self,
        user: UserId,
        mut change: impl FnMut(&mut User) -> Result<Vec<Change>, Error> + Send,
    ) -> Result<User, Error> {
        for _ in 0..limits::COMMIT_TRIES {
            let (mut row, before) = self.living(user).await?;
            let mut changes = change(&mut row)?;
            changes.push(Change::Put(schema::user::profile(), row.encode()));
            let unchanged = Condition::Equals(schema::user::profile(), before);
            let done = self.store.change_if(schema::user::partition(user), changes, vec![unchanged]).await;
            self.cards.forget(user);
            if done? {
                return Ok(row);
            }
        }
        Err(Error::new(Code::Overloaded))
    }
}
