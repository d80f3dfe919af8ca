//! Conversations, users and devices are small numbers inside the database; here is which.

use kith_protocol::Uuid;
use rusqlite::{Connection, OptionalExtension as _, Statement};

use super::{
    cache::Cache,
    failure::{Failure, of_reading},
    sum,
};
use crate::{limits, store::Error};

const SELECT_NUMBER: &str = "SELECT id, sum FROM ids WHERE uuid = ?1";

/// Checks what the table says of `uuid`: that `id` is its number.
fn checked(id: i64, uuid: Uuid, kept: i64) -> Result<i64, Error> {
    if sum::holds(kept, sum::of_id(id, uuid)) {
        return Ok(id);
    }
    Err(Error::Corrupt(format!("the number {id} of the identifier {uuid}: its checksum is wrong")))
}

/// The writer's side: numbers for identifiers, given when first needed.
pub(super) struct Numbers<'c> {
    connection: &'c Connection,
    known: Cache<Uuid, i64>,
    /// The next number to give.
    next: i64,
    select: Statement<'c>,
    insert: Statement<'c>,
}

impl<'c> Numbers<'c> {
    pub(super) fn new(connection: &'c Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            connection,
            known: Cache::new(limits::STORE_IDS),
            next: next(connection)?,
            select: connection.prepare(SELECT_NUMBER)?,
            insert: connection.prepare("INSERT INTO ids (id, uuid, sum) VALUES (?1, ?2, ?3)")?,
        })
    }

    /// The number of `uuid`, if it has one.
    pub(super) fn find(&mut self, uuid: Uuid) -> Result<Option<i64>, Failure> {
        if let Some(id) = self.known.get(&uuid) {
            return Ok(Some(id));
        }
        let found = self.select.query_row((uuid.as_bytes(),), |row| Ok((row.get(0)?, row.get(1)?)));
        let Some((id, kept)) = found.optional()? else { return Ok(None) };
        let id = checked(id, uuid, kept)?;
        self.known.put(uuid, id);
        Ok(Some(id))
    }

    /// The number of `uuid`, a new one if it had none.
    pub(super) fn give(&mut self, uuid: Uuid) -> Result<i64, Failure> {
        if let Some(id) = self.find(uuid)? {
            return Ok(id);
        }
        let id = self.next;
        self.insert.execute((id, uuid.as_bytes(), sum::of_id(id, uuid)))?;
        self.next += 1;
        self.known.put(uuid, id);
        Ok(id)
    }

    /// Forgets the numbers that were given in a transaction which was rolled back.
    pub(super) fn reload(&mut self) -> rusqlite::Result<()> {
        self.known.clear();
        self.next = next(self.connection)?;
        Ok(())
    }
}

fn next(connection: &Connection) -> rusqlite::Result<i64> {
    let last: Option<i64> = connection.query_row("SELECT max(id) FROM ids", [], |row| row.get(0))?;
    // Above the last number there is none: the insert says so.
    Ok(last.unwrap_or(0).saturating_add(1))
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
    pub(super) fn number(&mut self, connection: &Connection, uuid: Uuid) -> Result<Option<i64>, Error> {
        if let Some(id) = self.numbers.get(&uuid) {
            return Ok(Some(id));
        }
        let mut select = connection.prepare_cached(SELECT_NUMBER).map_err(of_reading)?;
        let found = select.query_row((uuid.as_bytes(),), |row| Ok((row.get(0)?, row.get(1)?)));
        let Some((id, kept)) = found.optional().map_err(of_reading)? else { return Ok(None) };
        let id = checked(id, uuid, kept)?;
        self.numbers.put(uuid, id);
        Ok(Some(id))
    }

    /// Returns the identifier whose number `id` is.
    pub(super) fn name(&mut self, connection: &Connection, id: i64) -> Result<Uuid, Error> {
        if let Some(uuid) = self.names.get(&id) {
            return Ok(uuid);
        }
        let mut select = connection.prepare_cached("SELECT uuid, sum FROM ids WHERE id = ?1").map_err(of_reading)?;
        let found = select.query_row((id,), |row| Ok((row.get(0)?, row.get(1)?)));
        let found: Option<([u8; 16], i64)> = found.optional().map_err(of_reading)?;
        let (bytes, kept) = found.ok_or_else(|| Error::Corrupt(format!("the number {id} is no identifier's")))?;
        let uuid = Uuid::from_bytes(bytes);
        checked(id, uuid, kept)?;
        self.names.put(id, uuid);
        Ok(uuid)
    }
}
