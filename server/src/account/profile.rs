//! Profiles: the part of users that others see.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use kith_protocol::{
    Code, Timestamp, UserId,
    rest::{ChangeProfile, Page, Profile},
};

use super::{Accounts, check};
use crate::{
    Error, limits,
    media::Reference,
    store::{
        self, Direction, Row,
        schema::{self, User, Value},
    },
};

/// A user as others see them.
pub(super) fn seen(id: UserId, row: &User) -> Profile {
    Profile {
        id,
        username: (!row.erased).then(|| row.username.clone()),
        display_name: row.display_name.clone(),
        about: row.about.clone(),
        avatar: row.avatar.clone(),
        deleted: row.erased,
        email: None,
        phone: None,
        privacy: None,
    }
}

/// A user as they see themselves.
pub(super) fn own(id: UserId, row: &User) -> Profile {
    Profile { email: row.email.clone(), phone: row.phone.clone(), privacy: Some(row.privacy), ..seen(id, row) }
}

/// A user in the operator's list.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct UserLine {
    /// For ever.
    pub id: UserId,
    /// The name they sign in with.
    pub username: String,
    /// The name to show.
    pub display_name: String,
    /// The time at which they signed up.
    pub created_at: Timestamp,
    /// The time at which they were last there.
    pub last_seen: Option<Timestamp>,
    /// The number of devices that are signed in.
    pub devices: usize,
    /// True while the operator has suspended the account.
    pub suspended: bool,
}

impl Accounts {
    /// A user as `viewer` sees them.
    ///
    /// # Errors
    /// `not_found` where there never was such a user; an erased one is there, without a name.
    pub async fn profile(&self, viewer: UserId, user: UserId) -> Result<Profile, Error> {
        let (row, _) = self.user(user).await?.ok_or(Error::new(Code::NotFound))?;
        Ok(if viewer == user { own(user, &row) } else { seen(user, &row) })
    }

    /// Changes the fields that are there; an empty text unsets.
    ///
    /// # Errors
    /// `invalid_request` with the field.
    pub async fn change_profile(&self, user: UserId, change: ChangeProfile) -> Result<Profile, Error> {
        let bounds = &self.settings.limits;
        if let Some(name) = &change.display_name {
            check::name("/display_name", name, bounds.name_chars)?;
        }
        check::prose("/about", change.about.as_deref().unwrap_or_default(), bounds.topic_chars)?;
        check::email("/email", change.email.as_deref().unwrap_or_default())?;
        check::phone("/phone", change.phone.as_deref().unwrap_or_default())?;
        let avatar = change.avatar.as_deref().filter(|avatar| !avatar.is_empty());
        let picture = match avatar {
            Some(avatar) => Some(self.media.avatar(user, avatar).await?),
            None => None,
        };
        if let Some((id, row)) = &picture {
            self.media.refer(*id, row, Reference::User(user)).await?;
        }
        let mut before = None;
        let changed = self.change(user, |row| {
            before.clone_from(&row.avatar);
            let set = |field: &mut Option<String>, text: &Option<String>| {
                if let Some(text) = text {
                    *field = Some(text.clone()).filter(|text| !text.is_empty());
                }
            };
            if let Some(name) = &change.display_name {
                row.display_name.clone_from(name);
            }
            set(&mut row.about, &change.about);
            set(&mut row.avatar, &change.avatar);
            set(&mut row.email, &change.email);
            set(&mut row.phone, &change.phone);
            if let Some(privacy) = change.privacy {
                row.privacy.last_seen = privacy.last_seen.unwrap_or(row.privacy.last_seen);
                row.privacy.read_receipts = privacy.read_receipts.unwrap_or(row.privacy.read_receipts);
                row.privacy.groups = privacy.groups.unwrap_or(row.privacy.groups);
            }
            Ok(Vec::new())
        });
        let row = match changed.await {
            Ok(row) => row,
            Err(error) => {
                if let Some((id, row)) = &picture {
                    self.media.reconsider(*id, row).await;
                }
                return Err(error);
            }
        };
        // A picture that is nobody's any longer is kept for no one.
        let gone = before.filter(|before| row.avatar.as_ref() != Some(before)).and_then(|id| id.parse().ok());
        if let Some(gone) = gone
            && let Err(error) = self.media.release(gone, Reference::User(user)).await
        {
            tracing::warn!(%user, %error, "the avatar before was not released");
        }
        Ok(own(user, &row))
    }

    /// Stores when a person last did something; an earlier time than the stored one is ignored.
    pub async fn set_last_seen(&self, user: UserId, at: Timestamp) -> Result<(), Error> {
        let change = self.change(user, |row| {
            row.last_seen = row.last_seen.max(Some(at));
            Ok(Vec::new())
        });
        change.await.map(drop)
    }

    /// The first users whose names begin with `prefix`, by name; as others see them. There is no next page, so that nobody
    /// reads the list of all users off.
    ///
    /// # Errors
    /// `invalid_request` for a prefix of fewer than [`limits::USERS_SEARCH_CHARS`].
    pub async fn search(&self, prefix: &str, limit: usize) -> Result<Page<Profile>, Error> {
        let prefix = check::folded(prefix);
        if prefix.chars().count() < limits::USERS_SEARCH_CHARS {
            let least = limits::USERS_SEARCH_CHARS;
            return Err(Error::field("?username", format!("must have {least} characters at least")));
        }
        let (partition, range) = (schema::name::partition(&prefix), schema::name::range(&prefix, None));
        let rows = self.store.scan(partition, range, Direction::Ascending, limit.min(limits::USERS_FOUND)).await?;
        let items = self.users_of(&rows).await?.iter().map(|(id, row)| seen(*id, row)).collect();
        Ok(Page { items, next_cursor: None })
    }

    /// All users by name, some at a time, for the operator.
    ///
    /// # Errors
    /// `invalid_request` where the cursor is none of ours.
    pub async fn list_all(&self, cursor: Option<&str>) -> Result<Page<UserLine>, Error> {
        let after = cursor.map(name_of_cursor).transpose()?;
        let first = after.as_deref().and_then(|name| name.as_bytes().first().copied());
        let mut items = Vec::new();
        for byte in schema::name::first_bytes().skip_while(|byte| first.is_some_and(|first| *byte != first)) {
            let prefix = char::from(byte).to_string();
            let after = after.as_deref().filter(|_| first == Some(byte));
            let range = schema::name::range(&prefix, after);
            let partition = schema::name::partition(&prefix);
            let rows = self.store.scan(partition, range, Direction::Ascending, limits::SCAN_ROWS).await?;
            for (id, row) in self.users_of(&rows).await? {
                let devices = self.device_rows(id).await?.len();
                let User { username, display_name, created_at, last_seen, suspended, .. } = row;
                items.push(UserLine { id, username, display_name, created_at, last_seen, devices, suspended });
            }
            if let Some(last) = rows.last().filter(|_| rows.len() == limits::SCAN_ROWS) {
                return Ok(Page { items, next_cursor: Some(cursor_of_name(&last.key)) });
            }
        }
        Ok(Page { items, next_cursor: None })
    }

    /// The users whom rows of names lead to, less those who are erased or damaged.
    async fn users_of(&self, names: &[Row]) -> Result<Vec<(UserId, User)>, Error> {
        let of = |row: &Row| format!("the row of the name {}", String::from_utf8_lossy(&row.key));
        let named = |row: &Row| store::unless_damaged(|| of(row), schema::name::user_of(&row.value));
        let ids: Vec<_> = names.iter().filter_map(named).collect();
        let found = self.store.get(ids.iter().map(|id| schema::user::profile_row(*id)).collect()).await?;
        let mut users = Vec::with_capacity(ids.len());
        for (id, value) in ids.into_iter().zip(found) {
            let of = || format!("the profile of {id}");
            let row = value.and_then(|value| store::unless_damaged(of, User::decode(&value)));
            users.extend(row.filter(|row| !row.erased).map(|row| (id, row)));
        }
        Ok(users)
    }
}

fn cursor_of_name(name: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(name)
}

fn name_of_cursor(cursor: &str) -> Result<String, Error> {
    let name = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|name| String::from_utf8(name).ok());
    name.ok_or_else(|| Error::field("?cursor", "is none that this server gave"))
}
