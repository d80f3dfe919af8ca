//! Invites: codes that let one person sign up where registration is by invite.

use std::time::Duration;

use bytes::Bytes;
use kith_protocol::{Code, Timestamp, UserId, rest};
use serde::{Deserialize, Serialize};

use super::{Accounts, token};
use crate::{
    Error, clock, limits,
    store::{
        self, Change, Condition, StoreExt as _,
        schema::{self, Invite, Value},
    },
};

/// The people who may invite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvitesBy {
    /// Only the operator, with `kith invite`.
    Operators,
    /// Every user too.
    Everyone,
}

/// An invite that somebody is about to use.
pub(super) struct Good {
    hash: [u8; 32],
    value: Bytes,
}

impl Good {
    /// Returns true where the operator invited, and no user.
    pub fn is_the_operators(&self) -> bool {
        Invite::decode(&self.value).is_ok_and(|invite| invite.by.is_none())
    }
}

impl Accounts {
    /// Makes an invite: by a user, or by the operator.
    ///
    /// # Errors
    /// `registration_closed` where users may not invite; `invalid_request` for more than [`limits::INVITES_OPEN`].
    pub async fn invite(&self, by: Option<UserId>) -> Result<rest::Invite, Error> {
        if by.is_some() && self.settings.invites_by == InvitesBy::Operators {
            return Err(Error::new(Code::RegistrationClosed).because("On this server only its operators invite."));
        }
        let expires_at = clock::now().plus(Duration::from_secs(limits::INVITE_S));
        let code = token::code_of(clock::random());
        let hash = token::sha256(code.as_bytes());
        // The user's own row first: it is what an erasure finds the invite by.
        if let Some(by) = by {
            self.list_invite(by, &hash, expires_at).await?;
        }
        let row = schema::invite::row(&hash);
        self.store.change(row.partition, vec![Change::Put(row.key, Invite { by, expires_at }.encode())]).await?;
        Ok(rest::Invite { code, expires_at })
    }

    /// Writes the invite into the user's list, and drops those from it that are no longer good.
    async fn list_invite(&self, by: UserId, hash: &[u8; 32], until: Timestamp) -> Result<(), Error> {
        let partition = schema::user::partition(by);
        let rows = self.store.all(partition.clone(), schema::user::invites()).await?;
        let mut changes = vec![Change::Put(schema::user::invite(hash), schema::user::time_value(until))];
        for row in &rows {
            let of = || format!("an invite of {by}");
            if store::unless_damaged(of, schema::user::time_of(&row.value))
                .is_none_or(|until| until <= clock::forget_until())
            {
                let invite = schema::invite::row(&schema::user::invite_of(&row.key)?);
                self.store.change(invite.partition, vec![Change::Delete(invite.key)]).await?;
                changes.push(Change::Delete(row.key.clone()));
            }
        }
        let at_most = self.trust(by).share(limits::INVITES_OPEN as u64);
        if (rows.len() + 1 - (changes.len() - 1)) as u64 > at_most {
            let detail = format!("{at_most} invites are open; wait until some were used or are too old.");
            return Err(Error::new(Code::InvalidRequest).because(detail));
        }
        Ok(self.store.change(partition, changes).await?)
    }

    /// The invite of a code, if it is good now.
    pub(super) async fn good_invite(&self, code: &str) -> Result<Good, Error> {
        let hash = token::sha256(code.as_bytes());
        let found = self.store.one(schema::invite::row(&hash)).await?;
        let refused = || Error::field("/invite", "is none that is good now");
        let value = found.ok_or_else(refused)?;
        match Invite::decode(&value)?.expires_at > clock::now() {
            true => Ok(Good { hash, value }),
            false => Err(refused()),
        }
    }

    /// Takes the invite, so that nobody else can.
    pub(super) async fn use_up(&self, invite: &Good) -> Result<(), Error> {
        let row = schema::invite::row(&invite.hash);
        let there = Condition::Equals(row.key.clone(), invite.value.clone());
        if !self.store.change_if(row.partition, vec![Change::Delete(row.key)], vec![there]).await? {
            return Err(Error::field("/invite", "is none that is good now"));
        }
        match Invite::decode(&invite.value)?.by {
            Some(by) => {
                let gone = vec![Change::Delete(schema::user::invite(&invite.hash))];
                Ok(self.store.change(schema::user::partition(by), gone).await?)
            }
            None => Ok(()),
        }
    }

    /// Makes the invite good again, since its sign-up failed.
    pub(super) async fn give_back(&self, invite: Good) -> Result<(), Error> {
        let Invite { by, expires_at } = Invite::decode(&invite.value)?;
        if let Some(by) = by {
            let row = Change::Put(schema::user::invite(&invite.hash), schema::user::time_value(expires_at));
            self.store.change(schema::user::partition(by), vec![row]).await?;
        }
        let row = schema::invite::row(&invite.hash);
        Ok(self.store.change(row.partition, vec![Change::Put(row.key, invite.value)]).await?)
    }
}
