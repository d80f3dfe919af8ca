//! Conversations, users and devices are small numbers inside the database; here is which.

use kith_protocol::Uuid;
use rusqlite::{Connection, OptionalExtension as _, Statement};

use super::cache::Cache;
use crate::limits;

/// The writer's side: numbers for identifiers, given when first needed.
pub(super) struct Numbers<'c> {
    known: Cache<Uuid, i64>,
    select: Statement<'c>,
    insert: Statement<'c>,
}

impl<'c> Numbers<'c> {
    pub(super) fn new(connection: &'c Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            known: Cache::new(limits::STORE_IDS),
            select: connection.prepare("SELECT id FROM ids WHERE uuid = ?1")?,
            insert: connection.prepare("INSERT INTO ids (uuid) VALUES (?1)")?,
        })
    }

    /// The number of `uuid`, if it has one.
    pub(super) fn find(&mut self, uuid: Uuid) -> rusqlite::Result<Option<i64>> {
        if let Some(id) = self.known.get(&uuid) {
            return Ok(Some(id));
        }
        let id = self.select.query_row((uuid.as_bytes(),), |row| row.get(0)).optional()?;
        if let Some(id) = id {
            self.known.put(uuid, id);
        }
        Ok(id)
    }

    /// The number of `uuid`, a new one if it had none.
    pub(super) fn give(&mut self, uuid: Uuid) -> rusqlite::Result<i64> {
        if let Some(id) = self.find(uuid)? {
            return Ok(id);
        }
        let id = self.insert.insert((uuid.as_bytes(),))?;
        self.known.put(uuid, id);
        Ok(id)
    }

    /// Forgets the numbers that were given in a transaction which was rolled back.
    pub(super) fn forget(&mut self) {
        self.known.clear();
    }
}

/// A reader's side, both ways. What it knows was committed, so it never has to forget.
pub(super) struct Names {
    numbers: Cache<Uuid, i64>,
    names: Cache<i64, Uuid>,
}

impl Names {
    pub(super) fn new() -> Self {
        Self { numbers: Cache::new(limits::STORE_IDS), names: Cache::new(limits::STORE_IDS) }
    }

    /// The number of `uuid`, if it has one.
    pub(super) fn number(&mut self, connection: &Connection, uuid: Uuid) -> rusqlite::Result<Option<i64>> {
        if let Some(id) = self.numbers.get(&uuid) {
            return Ok(Some(id));
        }
        let mut select = connection.prepare_cached("SELECT id FROM ids WHERE uuid = ?1")?;
        let id = select.query_row((uuid.as_bytes(),), |row| row.get(0)).optional()?;
        if let Some(id) = id {
            self.numbers.put(uuid, id);
        }
        Ok(id)
    }

    /// Whose number `id` is.
    pub(super) fn name(&mut self, connection: &Connection, id: i64) -> rusqlite::Result<Uuid> {
        if let Some(uuid) = self.names.get(&id) {
            return Ok(uuid);
        }
        let mut select = connection.prepare_cached("SELECT uuid FROM ids WHERE id = ?1")?;
        let bytes: [u8; 16] = select.query_row((id,), |row| row.get(0))?;
        let uuid = Uuid::from_bytes(bytes);
        self.names.put(id, uuid);
        Ok(uuid)
    }
}
