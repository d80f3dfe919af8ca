//! A copy of a store that goes on working, without its instance.

use std::{
    fs::{self, DirBuilder, File},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::Path,
};

use rusqlite::Connection;

use super::{
    instance::forget_in_copy,
    open::{OpenError, database, sync_names},
};

/// Writes what `from` reads, as of now, to a directory that is new or empty, and waits until the disk has it.
///
/// It reads in one transaction: what is overwritten meanwhile leaves the disk when it ends.
pub(super) fn copy(from: &Connection, to: &Path) -> Result<(), OpenError> {
    let wrong = |error: io::Error| OpenError::of_file(to, &error);
    match DirBuilder::new().mode(0o700).create(to) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            if fs::read_dir(to).map_err(wrong)?.next().is_some() {
                return Err(OpenError::NotEmpty(to.into()));
            }
        }
        made => made.map_err(wrong)?,
    }
    let path = database(to);
    let name = path.to_str().ok_or_else(|| OpenError::Io { path: to.into(), why: "its name is no text".to_owned() })?;
    from.execute("VACUUM INTO ?1", (name,)).map_err(|error| OpenError::of_database(&path, &error))?;
    forget_in_copy(&path).map_err(|error| OpenError::of_database(&path, &error))?;
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).map_err(wrong)?;
    File::open(&path).and_then(|file| file.sync_all()).map_err(wrong)?;
    sync_names(to).map_err(wrong)
}
