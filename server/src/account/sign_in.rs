//! Signing in, and the passwords that allow it.

use std::time::Duration;

use kith_protocol::{
    Code, DeviceId, Timestamp, UserId,
    rest::{ChangePassword, DeviceInfo, NewSession, SignedIn},
};

use super::{Accounts, Actor, Turn, check, devices, profile, token};
use crate::{
    Error, clock, limits,
    store::{
        Change, Condition, StoreExt as _,
        schema::{self, Device, Token, User, Value},
    },
};

/// In front of a password that an operator gave out: it signs in once. The time until which it does follows, in milliseconds
/// and with a colon behind it, and then its hash.
const ONCE: &str = "once:";
/// In front of the hash of such a password once it was used: all it is good for is to be replaced.
const USED: &str = "used:";

/// A password as it is kept: its hash, and how often it signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kept<'a> {
    hash: &'a str,
    signs_in: SignsIn,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SignsIn {
    Always,
    OnceUntil(Timestamp),
    Never,
}

impl<'a> Kept<'a> {
    fn read(stored: &'a str) -> Self {
        if let Some(hash) = stored.strip_prefix(USED) {
            return Self { hash, signs_in: SignsIn::Never };
        }
        let Some(once) = stored.strip_prefix(ONCE) else {
            return Self { hash: stored, signs_in: if stored.is_empty() { SignsIn::Never } else { SignsIn::Always } };
        };
        let dated = once.split_once(':').and_then(|(until, hash)| Some((until.parse().ok()?, hash)));
        // One without a time is of an older program. Nobody knows when it was given out, so it has ended.
        let (until, hash) = dated.unwrap_or((0, once));
        Self { hash, signs_in: SignsIn::OnceUntil(Timestamp::from_millis(until)) }
    }

    /// The hash that a password must have to sign in.
    fn to_sign_in(self) -> Option<&'a str> {
        (self.signs_in != SignsIn::Never).then_some(self.hash)
    }
}

impl Accounts {
    /// Signs a device in. Takes as long for a name that nobody has.
    ///
    /// # Errors
    /// `wrong_password`, whether the name or the password is wrong; `suspended`; `password_expired`; `overloaded` when too many passwords wait.
    pub async fn sign_in(&self, new: NewSession, turn: Turn) -> Result<SignedIn, Error> {
        let info = new.device.unwrap_or_default();
        devices::check(&info, &self.settings.limits)?;
        // No such password can be right, and what is hashed must be bounded.
        if new.password.chars().count() > self.settings.limits.password_chars[1] as usize {
            return Err(Error::new(Code::WrongPassword));
        }
        let found = self.named(&check::folded(&new.username)).await?;
        let hash = found.as_ref().and_then(|(_, row)| Kept::read(&row.password).to_sign_in());
        let right = self.passwords.verify(new.password, hash, turn).await?;
        let Some((user, row)) = found.filter(|_| right) else {
            return Err(Error::new(Code::WrongPassword));
        };
        // Told only to who has the password.
        if row.suspended {
            return Err(Error::new(Code::Suspended));
        }
        if let SignsIn::OnceUntil(until) = Kept::read(&row.password).signs_in
            && until <= clock::now()
        {
            return Err(Error::new(Code::PasswordExpired));
        }
        self.add_device(user, &row.password, info, new.device_secret.as_deref()).await
    }

    /// Adds a device, if the user's password is still the one that was verified.
    async fn add_device(
        &self,
        user: UserId,
        verified: &str,
        info: DeviceInfo,
        secret: Option<&str>,
    ) -> Result<SignedIn, Error> {
        let device = DeviceId::new(clock::uuid());
        let token = token::new_token();
        let row = Device {
            name: info.name,
            platform: info.platform,
            created_at: clock::now(),
            token_hash: token::sha256(token.as_bytes()),
            features: info.features,
        };
        self.put_token(&row.token_hash, Token { user, device }).await?;
        for _ in 0..limits::COMMIT_TRIES {
            let (mut account, before) = self.living(user).await.map_err(|_| Error::new(Code::WrongPassword))?;
            if account.password != verified {
                return Err(Error::new(Code::WrongPassword));
            }
            if account.suspended {
                return Err(Error::new(Code::Suspended));
            }
            let Kept { hash, signs_in } = Kept::read(verified);
            if matches!(signs_in, SignsIn::OnceUntil(_)) {
                account.password = format!("{USED}{hash}");
            }
            // Who signs in again and again without signing out loses the devices that have been there longest.
            let mut known = self.device_rows(user).await?;
            known.sort_by_key(|(id, row)| (row.created_at, *id));
            let excess = (known.len() + 1).saturating_sub(self.settings.limits.devices as usize);
            let gone: Vec<_> = known.drain(..excess).collect();
            let mut changes = vec![
                Change::Put(schema::user::device(device), row.encode()),
                Change::Put(schema::user::profile(), account.encode()),
            ];
            let secret = self.renewed(user, device, secret, row.created_at).await?;
            changes.extend(secret.changes);
            changes.extend(gone.iter().map(|(id, _)| Change::Delete(schema::user::device(*id))));
            let unchanged = Condition::Equals(schema::user::profile(), before);
            if self.store.change_if(schema::user::partition(user), changes, vec![unchanged]).await? {
                self.signed_out(user, gone).await;
                tracing::info!(%user, %device, "signed in");
                let actor = Actor { user, device };
                let device = devices::shown(device, &row, actor);
                return Ok(SignedIn {
                    user: profile::own(user, &account),
                    device,
                    token,
                    device_secret: Some(secret.text),
                });
            }
        }
        Err(Error::new(Code::Overloaded))
    }

    /// Checks that this is the user's password.
    ///
    /// # Errors
    /// `wrong_password` where it is not.
    pub async fn prove(&self, user: UserId, password: String) -> Result<User, Error> {
        if password.chars().count() > self.settings.limits.password_chars[1] as usize {
            return Err(Error::new(Code::WrongPassword));
        }
        let (row, _) = self.living(user).await?;
        match self.passwords.verify(password, Some(Kept::read(&row.password).hash), Turn::Known(user)).await? {
            true => Ok(row),
            false => Err(Error::new(Code::WrongPassword)),
        }
    }

    /// Changes the password, and signs all other devices out, which are known no longer.
    ///
    /// # Errors
    /// `wrong_password` where the old one is wrong, `invalid_request` where the new one cannot be one.
    pub async fn change_password(&self, actor: Actor, change: ChangePassword) -> Result<(), Error> {
        check::password("/new", &change.new, &self.settings.limits)?;
        let verified = self.prove(actor.user, change.old).await?.password;
        let hash = self.passwords.hash(change.new, Turn::Known(actor.user)).await?;
        self.set_password(actor.user, Some(&verified), hash, Some(actor.device)).await
    }

    /// Gives the user a password that signs in once within a day, and signs all devices out.
    ///
    /// # Errors
    /// `not_found` where nobody has this name.
    pub async fn reset(&self, username: &str) -> Result<String, Error> {
        let (user, _) = self.named(&check::folded(username)).await?.ok_or(Error::new(Code::NotFound))?;
        let password = token::one_time_password();
        let hash = self.passwords.hash(password.clone(), Turn::Known(user)).await?;
        let until = clock::now().plus(Duration::from_secs(limits::ONE_TIME_PASSWORD_S));
        let hash = format!("{ONCE}{}:{hash}", until.millis());
        self.set_password(user, None, hash, None).await?;
        tracing::info!(%user, "password reset by the operator");
        Ok(password)
    }

    async fn set_password(
        &self,
        user: UserId,
        verified: Option<&str>,
        hash: String,
        keep: Option<DeviceId>,
    ) -> Result<(), Error> {
        self.change(user, |row| {
            if verified.is_some_and(|verified| verified != row.password) {
                return Err(Error::new(Code::WrongPassword));
            }
            row.password.clone_from(&hash);
            Ok(Vec::new())
        })
        .await?;
        let forgotten = self.forget_secrets(user, |last| Some(last) != keep).await?;
        self.sign_out_others(user, keep, forgotten).await?;
        tracing::info!(%user, "password changed");
        Ok(())
    }
}
