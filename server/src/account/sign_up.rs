//! New accounts.

use bytes::Bytes;
use kith_protocol::{
    Code, DeviceId, UserId,
    rest::{NewUser, Privacy, Registration, SignedIn},
};

use super::{Accounts, Actor, Turn, check, devices, invites::Good, known::Secret, profile, token};
use crate::{
    Error, clock, limits,
    store::{
        Change, CommitError, Condition, StoreExt as _,
        schema::{self, Device, Token, User, Value},
    },
};

/// The outcome of a claim of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    Won,
    Taken,
}

impl Accounts {
    /// Makes an account, and signs its first device in.
    ///
    /// The order of the commits: first the user's partition (profile and device) and the token's row, then the invite is
    /// used up, and last the name is claimed. Until then nothing leads to the other rows, so that a crash leaves no half
    /// account, only rows that nobody can reach and, at worst, an invite that has been used for nothing. Of two who want
    /// one name the condition on its row lets one win; the other's rows are taken back.
    ///
    /// # Errors
    /// `registration_closed`, `username_taken`, `rate_limited` where there were too many today, `invalid_request` with the
    /// field, `overloaded` when too many passwords wait.
    pub async fn sign_up(&self, new: NewUser, turn: Turn) -> Result<SignedIn, Error> {
        let bounds = &self.settings.limits;
        check::username(&new.username, bounds)?;
        check::password("/password", &new.password, bounds)?;
        let display_name = new.display_name.unwrap_or_else(|| new.username.clone());
        check::name("/display_name", &display_name, bounds.name_chars)?;
        let info = new.device.unwrap_or_default();
        devices::check(&info, bounds)?;
        let invite = match (self.settings.registration, new.invite) {
            (Registration::Open, _) => None,
            (Registration::Closed, _) => return Err(Error::new(Code::RegistrationClosed)),
            (Registration::Invite, code) => Some(self.good_invite(code.as_deref().unwrap_or_default()).await?),
        };
        if self.named(&new.username).await?.is_some() {
            return Err(Error::new(Code::UsernameTaken));
        }
        let vouched = invite.as_ref().is_some_and(Good::is_the_operators);
        let counted = match turn.networks().filter(|_| !vouched) {
            Some(from) => Some(self.sign_ups.count(from.site, clock::now())?),
            None => None,
        };

        let now = clock::now();
        let (user, device) = (UserId::new(clock::uuid()), DeviceId::new(clock::uuid()));
        let token = token::new_token();
        let token_hash = token::sha256(token.as_bytes());
        let row = User {
            username: new.username,
            display_name,
            about: None,
            avatar: None,
            email: None,
            phone: None,
            privacy: Privacy::default(),
            password: self.passwords.hash(new.password, turn).await?,
            created_at: now,
            last_seen: None,
            erased: false,
            suspended: false,
            vouched,
        };
        let device_row =
            Device { name: info.name, platform: info.platform, created_at: now, token_hash, features: info.features };
        let secret = Secret::new(device, now);
        self.write_user(user, &row, Some((device, &device_row)), secret.changes).await?;
        if let Some(invite) = &invite
            && let Err(error) = self.use_up(invite).await
        {
            self.take_back(user, Some((device, &device_row))).await;
            return Err(error);
        }
        if self.claim(&row.username, user).await? == Claim::Taken {
            self.take_back(user, Some((device, &device_row))).await;
            if let Some(invite) = invite {
                self.give_back(invite).await?;
            }
            return Err(Error::new(Code::UsernameTaken));
        }
        self.cards.forget(user);
        if let Some(counted) = counted {
            counted.happened();
        }
        tracing::info!(%user, %device, "signed up");
        let device = devices::shown(device, &device_row, Actor { user, device });
        Ok(SignedIn { user: profile::own(user, &row), device, token, device_secret: Some(secret.text) })
    }

    /// Writes the rows of a user whom nobody can find yet.
    pub(super) async fn write_user(
        &self,
        user: UserId,
        row: &User,
        device: Option<(DeviceId, &Device)>,
        mut changes: Vec<Change>,
    ) -> Result<(), Error> {
        changes.push(Change::Put(schema::user::profile(), row.encode()));
        changes.extend(device.map(|(id, row)| Change::Put(schema::user::device(id), row.encode())));
        let rows = self.store.change(schema::user::partition(user), changes);
        let token = async {
            let Some((device, row)) = device else { return Ok(()) };
            self.put_token(&row.token_hash, Token { user, device }).await
        };
        // Together, so that they may share a durable write.
        let (rows, token) = tokio::join!(rows, token);
        rows?;
        token
    }

    /// Writes the row that finds a device by its token.
    pub(super) async fn put_token(&self, hash: &[u8; 32], token: Token) -> Result<(), Error> {
        let row = schema::token::row(hash);
        Ok(self.store.change(row.partition, vec![Change::Put(row.key, token.encode())]).await?)
    }

    /// Makes `name` the user's, unless it is somebody's.
    ///
    /// A name whose user is erased or never came to be is free: its row is what a crash left.
    pub(super) async fn claim(&self, name: &str, user: UserId) -> Result<Claim, Error> {
        let row = schema::name::row(name);
        let put = Change::Put(row.key.clone(), Bytes::copy_from_slice(&user.bytes()));
        let mut condition = Condition::Absent(row.key.clone());
        for _ in 0..limits::COMMIT_TRIES {
            match self.store.commit(row.partition.clone(), vec![put.clone()], vec![condition]).await {
                Ok(()) => return Ok(Claim::Won),
                Err(CommitError::Store(error)) => return Err(error.into()),
                Err(CommitError::Condition { current: None, .. }) => condition = Condition::Absent(row.key.clone()),
                Err(CommitError::Condition { current: Some(current), .. }) => {
                    let holder = schema::name::user_of(&current)?;
                    if self.user(holder).await?.is_some_and(|(row, _)| !row.erased) {
                        return Ok(Claim::Taken);
                    }
                    condition = Condition::Equals(row.key.clone(), current);
                }
            }
        }
        Err(Error::new(Code::Overloaded))
    }

    /// Deletes the rows of a user whom nobody could find. What cannot be deleted stays without effect.
    pub(super) async fn take_back(&self, user: UserId, device: Option<(DeviceId, &Device)>) {
        let mut changes = vec![Change::Delete(schema::user::profile())];
        changes.extend(device.map(|(id, _)| Change::Delete(schema::user::device(id))));
        let rows = match self.forget_secrets(user, |_| true).await {
            Ok(secrets) => {
                changes.extend(secrets);
                self.store.change(schema::user::partition(user), changes).await.map_err(Error::from)
            }
            Err(error) => Err(error),
        };
        let tokens = self.drop_tokens(device.iter().map(|(_, row)| row.token_hash)).await;
        if let Err(error) = rows.and(tokens) {
            tracing::warn!(%user, %error, "rows of a sign-up that did not happen are left");
        }
    }
}
