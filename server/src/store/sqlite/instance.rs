//! The instance in copies. A copy has none, so that the first server which opens it chooses another than the original has:
//! by that devices notice that seqs may mean something else than they did.

use std::path::Path;

use rusqlite::Connection;

use super::rows::full_key;
use crate::store::schema;

/// Takes the instance out of a copy that is being made, which nobody else has. The caller makes it last.
pub(super) fn forget(database: &Path) -> rusqlite::Result<()> {
    let connection = Connection::open(database)?;
    // No file is made beside the copy: one that is not finished is no copy.
    connection.pragma_update(None, "journal_mode", "MEMORY")?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update(None, "secure_delete", "ON")?;
    let row = schema::server::instance();
    connection.execute("DELETE FROM rows WHERE key = ?1", (full_key(&row.partition, &row.key),))?;
    connection.close().map_err(|(_, error)| error)
}
