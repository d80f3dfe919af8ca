//! The instance in copies. A copy has none, so that the first server which opens it chooses another than the original has:
//! by that devices notice that seqs may mean something else than they did.

use std::path::Path;

use rusqlite::Connection;

use super::{
    Ground,
    open::{self, OpenError},
    rows::full_key,
};
use crate::store::schema;

/// Takes the instance out of a directory that nobody has, so that the next server which opens it chooses another one:
/// for a copy that was made with other means than a backup. In a backup there is none.
///
/// # Errors
/// [`OpenError`], also where there is no such directory or another process has it.
pub fn forget_instance(dir: &Path) -> Result<(), OpenError> {
    // The lock would make the directory.
    drop(open::reader_alone(dir)?);
    let _lock = open::lock(dir)?;
    let connection = open::writer(dir, &Ground::default())?;
    forget(&connection).map_err(|error| OpenError::of_database(&open::database(dir), &error))
}

/// Takes the instance out of a copy that is being made, which nobody else has. The caller makes it last.
pub(super) fn forget_in_copy(database: &Path) -> rusqlite::Result<()> {
    let connection = Connection::open(database)?;
    // No file is made beside the copy: one that is not finished is no copy.
    connection.pragma_update(None, "journal_mode", "MEMORY")?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update(None, "secure_delete", "ON")?;
    forget(&connection)?;
    connection.close().map_err(|(_, error)| error)
}

fn forget(connection: &Connection) -> rusqlite::Result<()> {
    let row = schema::server::instance();
    connection.execute("DELETE FROM rows WHERE key = ?1", (full_key(&row.partition, &row.key),)).map(drop)
}
