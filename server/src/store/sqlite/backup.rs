//! A copy of a store that goes on working, without its instance.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use rusqlite::Connection;

use super::{instance, open::OpenError};

/// The names that a copy has in the data directory while it is made.
const NAMES: [&str; 2] = ["store.db.copy", "store.db.copy-journal"];

/// Makes a copy of what `from` reads, as of now, in the data directory. It loses its name before anybody has it, so that it
/// is gone once it is closed, however the process ends.
///
/// It reads in one transaction: what is overwritten meanwhile leaves the disk when it ends.
pub(super) fn copy(from: &Connection, dir: &Path) -> Result<File, OpenError> {
    clear(dir)?;
    let made = make(from, &dir.join(NAMES[0]));
    let cleared = clear(dir);
    made.and_then(|file| cleared.map(|()| file))
}

fn make(from: &Connection, path: &Path) -> Result<File, OpenError> {
    let wrong = |error: io::Error| OpenError::of_file(path, &error);
    // SQLite would let everybody read it.
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(wrong)?;
    let name =
        path.to_str().ok_or_else(|| OpenError::Io { path: path.into(), why: "its name is no text".to_owned() })?;
    let made = from.execute("VACUUM INTO ?1", (name,)).and_then(|_| instance::forget(path));
    made.map_err(|error| OpenError::of_database(path, &error))?;
    File::open(path).map_err(wrong)
}

/// Removes what a crash left of a copy.
pub(super) fn clear(dir: &Path) -> Result<(), OpenError> {
    for name in NAMES {
        let path = dir.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(OpenError::of_file(&path, &error)),
            _ => {}
        }
    }
    Ok(())
}
