//! Many accounts at a time, with ready password hashes.

use std::sync::Arc;

use kith_protocol::{Code, DeviceId, UserId, frame::decode_body, limits::Limits, rest::Privacy};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use super::{Accounts, check, password, sign_up::Claim};
use crate::{
    Error, clock, limits,
    store::schema::{Device, User},
};

/// One user of an import: a line of its file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Imported {
    /// As at sign-up.
    pub username: String,
    /// Argon2id in PHC form.
    pub password_hash: String,
    /// The name to show; the username where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// SHA-256, in hexadecimal, of the token of a device that is made with the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_hash: Option<String>,
}

/// The outcome of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportSummary {
    /// The number of users that were made.
    pub imported: usize,
    /// The names that somebody has already; nothing of theirs was changed.
    pub existing: Vec<String>,
}

impl Imported {
    /// Reads and checks one line of an import.
    ///
    /// # Errors
    /// What is wrong with it, for a person.
    pub fn read(line: &[u8]) -> Result<Self, String> {
        if line.len() > limits::IMPORT_LINE_BYTES {
            return Err(format!("longer than {} bytes", limits::IMPORT_LINE_BYTES));
        }
        let user: Self = decode_body(line).map_err(|error| {
            let error = error.to_string();
            // Which line it is, is known better outside.
            error.split(" at line ").next().unwrap_or_default().trim_start_matches('/').to_owned()
        })?;
        user.check()?;
        Ok(user)
    }

    /// Checks that it can be made.
    ///
    /// # Errors
    /// What is wrong with it, for a person.
    pub fn check(&self) -> Result<(), String> {
        let bounds = Limits::default();
        let in_short = |error: Error| match error.fields.first() {
            Some(field) => format!("{} {}", field.pointer.trim_start_matches('/'), field.detail),
            None => error.to_string(),
        };
        check::username(&self.username, &bounds).map_err(in_short)?;
        if let Some(name) = &self.display_name {
            check::name("/display_name", name, bounds.name_chars).map_err(in_short)?;
        }
        password::check_hash(&self.password_hash).map_err(|why| format!("password_hash is {why}"))?;
        if self.token_hash.as_deref().is_some_and(|hash| from_hex(hash).is_none()) {
            return Err("token_hash must be 64 hexadecimal digits".to_owned());
        }
        Ok(())
    }
}

impl Accounts {
    /// Makes the users, many at a time so that they share durable writes.
    ///
    /// # Errors
    /// The first that is not about one user; those made before it stay, and a second import of them finds them existing.
    pub async fn import(self: &Arc<Self>, users: Vec<Imported>) -> Result<ImportSummary, Error> {
        let mut summary = ImportSummary::default();
        let mut running = JoinSet::new();
        for user in users {
            if running.len() >= limits::IMPORTS_AT_ONCE
                && let Some(done) = running.join_next().await
            {
                summary.add(done)?;
            }
            let accounts = self.clone();
            running.spawn(async move { accounts.import_one(user).await });
        }
        while let Some(done) = running.join_next().await {
            summary.add(done)?;
        }
        summary.existing.sort();
        Ok(summary)
    }

    /// Makes a user, or answers with the name where it is taken. The order of the commits is that of a sign-up.
    async fn import_one(&self, user: Imported) -> Result<Option<String>, Error> {
        if self.named(&user.username).await?.is_some() {
            return Ok(Some(user.username));
        }
        let now = clock::now();
        let id = UserId::new(clock::uuid());
        let device = user.token_hash.as_deref().and_then(from_hex).map(|token_hash| {
            let row = Device {
                name: "imported".to_owned(),
                platform: String::new(),
                created_at: now,
                token_hash,
                features: Vec::new(),
            };
            (DeviceId::new(clock::uuid()), row)
        });
        let device = device.as_ref().map(|(id, row)| (*id, row));
        let row = User {
            display_name: user.display_name.unwrap_or_else(|| user.username.clone()),
            username: user.username,
            about: None,
            avatar: None,
            email: None,
            phone: None,
            privacy: Privacy::default(),
            password: user.password_hash,
            created_at: now,
            last_seen: None,
            erased: false,
            suspended: false,
            vouched: true,
        };
        self.write_user(id, &row, device, Vec::new()).await?;
        match self.claim(&row.username, id).await? {
            Claim::Won => Ok(None),
            Claim::Taken => {
                self.take_back(id, device).await;
                Ok(Some(row.username))
            }
        }
    }
}

impl ImportSummary {
    fn add(&mut self, done: Result<Result<Option<String>, Error>, tokio::task::JoinError>) -> Result<(), Error> {
        match done.map_err(|_| Error::new(Code::Internal))?? {
            None => self.imported += 1,
            Some(name) => self.existing.push(name),
        }
        Ok(())
    }
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> = text.chars().map(|char| char.to_digit(16).map(|digit| digit as u8)).collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    bytes.try_into().ok().filter(|_| digits.len() == 64)
}
