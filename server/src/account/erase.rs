//! The erasure of an account.

use kith_protocol::{Code, Timestamp, UserId, problem::CloseCode, rest::Privacy};

use super::{Accounts, check};
use crate::{
    Error, limits,
    store::{
        Change, Condition, Direction, StoreExt as _,
        schema::{self, User, Value},
    },
};

impl Accounts {
    /// Erases an account: of its profile a row stays that says so, and nothing else. What it wrote in conversations is
    /// theirs.
    ///
    /// The order: a note that the erasure has begun, then the profile together with the devices (from here on the user
    /// is gone, and their tokens with them), then all that is left, the name, and the note. After a crash
    /// [`finish_erasures`](Self::finish_erasures) goes on.
    ///
    /// # Errors
    /// `not_found` where there is no such user.
    pub async fn erase(&self, user: UserId) -> Result<(), Error> {
        let (row, _) = self.user(user).await?.ok_or(Error::new(Code::NotFound))?;
        // The name is in the profile, which is emptied first: it is kept in the note until its row is gone.
        let note = Change::Put(schema::server::erasing(user), row.username.into_bytes().into());
        self.store.change(schema::server::partition(), vec![note]).await?;
        self.finish(user).await
    }

    /// The user of this name, as a person typed it.
    ///
    /// # Errors
    /// `not_found` where nobody has this name.
    pub async fn find(&self, username: &str) -> Result<UserId, Error> {
        let found = self.named(&check::folded(username)).await?;
        found.map(|(user, _)| user).ok_or(Error::new(Code::NotFound))
    }

    /// The users whose erasure a crash interrupted; to be asked for before anybody is served.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn erasures(&self) -> Result<Vec<UserId>, Error> {
        let rows = self.store.all(schema::server::partition(), schema::server::all_erasing()).await?;
        Ok(rows.iter().map(|row| schema::server::user_of(&row.key)).collect::<Result<_, _>>()?)
    }

    /// Goes on with the erasures of these users. Returns those with whom that did not come to its end: the others are erased.
    pub async fn finish_erasures(&self, users: Vec<UserId>) -> Vec<UserId> {
        let mut left = Vec::new();
        for user in users {
            if let Err(error) = self.finish(user).await {
                tracing::warn!(%user, %error, "an erasure that was begun did not come to its end");
                left.push(user);
            }
        }
        left
    }

    async fn finish(&self, user: UserId) -> Result<(), Error> {
        let note = schema::server::erasing(user);
        let note_row = crate::store::RowKey { partition: schema::server::partition(), key: note.clone() };
        let name = self.store.one(note_row).await?.unwrap_or_default();
        self.empty_profile(user).await?;
        self.roster.close_user(user, None, CloseCode::DeviceRevoked);
        self.empty_partition(user).await?;
        self.cards.forget(user);
        if let Ok(name) = str::from_utf8(&name)
            && !name.is_empty()
        {
            self.free_name(name, user).await?;
        }
        self.store.change(schema::server::partition(), vec![Change::Delete(note)]).await?;
        tracing::info!(%user, "account erased");
        Ok(())
    }

    /// Makes the profile that of an erased user.
    async fn empty_profile(&self, user: UserId) -> Result<(), Error> {
        let erased = User {
            username: String::new(),
            display_name: String::new(),
            about: None,
            avatar: None,
            email: None,
            phone: None,
            privacy: Privacy::default(),
            password: String::new(),
            created_at: Timestamp::default(),
            last_seen: None,
            erased: true,
            suspended: false,
            vouched: false,
        };
        let devices = self.device_rows(user).await?;
        let gone = devices.iter().map(|(id, _)| Change::Delete(schema::user::device(*id)));
        let changes = gone.chain([Change::Put(schema::user::profile(), erased.encode())]).collect();
        // Without a condition: whoever changes a profile, or signs in, does so on the condition that it is as they read it.
        let done = self.store.change(schema::user::partition(user), changes).await;
        self.cards.forget(user);
        done?;
        self.signed_out(user, devices).await;
        Ok(())
    }

    /// Deletes every row of the user's partition but the profile, and what those rows lead to.
    async fn empty_partition(&self, user: UserId) -> Result<(), Error> {
        let partition = schema::user::partition(user);
        // What the rows lead to goes before them, so that after a crash it is found again.
        self.media.erase(user).await?;
        self.subscriptions.erase(user).await?;
        self.drop_tokens(self.device_rows(user).await?.into_iter().map(|(_, row)| row.token_hash)).await?;
        for row in self.store.all(partition.clone(), schema::user::invites()).await? {
            let invite = schema::invite::row(&schema::user::invite_of(&row.key)?);
            self.store.change(invite.partition, vec![Change::Delete(invite.key)]).await?;
        }
        loop {
            let range = schema::user::after_profile();
            let rows = self.store.scan(partition.clone(), range, Direction::Ascending, limits::SCAN_ROWS).await?;
            if rows.is_empty() {
                return Ok(());
            }
            self.store.change(partition.clone(), rows.into_iter().map(|row| Change::Delete(row.key)).collect()).await?;
        }
    }

    /// Deletes the name's row, if it still is this user's.
    async fn free_name(&self, name: &str, user: UserId) -> Result<(), Error> {
        let row = schema::name::row(name);
        let held = Condition::Equals(row.key.clone(), bytes::Bytes::copy_from_slice(&user.bytes()));
        self.store.change_if(row.partition, vec![Change::Delete(row.key)], vec![held]).await?;
        Ok(())
    }
}
