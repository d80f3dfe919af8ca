//! A backup becomes a data directory again.

use std::{fs, io::Write as _, path::Path};

use kith_protocol::Timestamp;

use super::{
    DATABASE, MEDIA_LIST, Manifest, Progress, Summed, Told,
    folder::{Folder, hash_of, made, of_file},
    list::Reading,
    names_of,
};
use crate::{backends::MEDIA, media::objects::hexadecimal};

/// The note in a folder into which a backup is being restored.
const BEGUN: &str = "A backup is being restored into this folder. The same command begins again.\n";

/// The outcome of a restore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The moment of which it is.
    pub at: Timestamp,
    /// Bytes of the database.
    pub database_bytes: u64,
    /// Objects of media.
    pub media: u64,
    /// The number of objects that are not as the backup says, and were left out.
    pub damaged: u64,
    /// The names of the first of those.
    pub names: Vec<String>,
}

/// Copies a backup into a folder that is new, empty, or in which this was begun before, and checks every byte of it on the
/// way. It blocks the thread; `progress` is told how far it is.
///
/// # Errors
/// One line for the operator: the backup is not whole, its database is damaged, or a file cannot be read or written.
pub fn restore(backup: &Path, to: &Path, progress: impl FnMut(Progress)) -> Result<Restored, String> {
    let manifest = Manifest::read(backup)?;
    let list = backup.join(MEDIA_LIST);
    let found = summed(&list, |_| Ok(())).map_err(of_file(&list))?;
    is_as_said(&list, &found, &manifest.media_list)?;
    let folder = Folder::begin(to, BEGUN)?;
    let total = manifest.database.bytes.saturating_add(manifest.media_bytes);
    let mut progress = Told::new(progress, total);
    let database = backup.join(DATABASE);
    let unread = || format!("{} cannot be read", database.display());
    let found = copied(&database, &folder.database(), &mut progress)?.ok_or_else(unread)?;
    is_as_said(&database, &found, &manifest.database)?;
    let (at, database_bytes) = (manifest.at, manifest.database.bytes);
    let mut restored = Restored { at, database_bytes, media: 0, damaged: 0, names: Vec::new() };
    let mut list = Reading::open(backup)?;
    while let Some(line) = list.take()? {
        let (from, file) = (backup.join(MEDIA).join(&line.name), folder.file_of(&line.name)?);
        // One that cannot be read is no reason to lose all others.
        let found = copied(&from, &file, &mut progress)?;
        if found.is_some_and(|found| found.sha256 == hexadecimal(&line.sha256)) {
            restored.media += 1;
            continue;
        }
        let _ = fs::remove_file(&file);
        restored.damaged += 1;
        names_of(&mut restored.names, &line.name);
    }
    folder.end()?;
    Ok(restored)
}

fn is_as_said(file: &Path, found: &Summed, said: &Summed) -> Result<(), String> {
    if found == said {
        return Ok(());
    }
    Err(format!(
        "{} is damaged: it is not what was backed up (kith verify tells more, another backup may be whole)",
        file.display()
    ))
}

/// Copies a file: how it is known again, or nothing where it cannot be read.
fn copied<P: FnMut(Progress)>(from: &Path, to: &Path, progress: &mut Told<P>) -> Result<Option<Summed>, String> {
    let mut file = made(to)?;
    let mut failed = None;
    let found = summed(from, |piece| {
        progress.add(piece.len() as u64);
        file.write_all(piece).inspect_err(|error| failed = Some(format!("{}: {error}", to.display())))
    });
    failed.map_or_else(|| Ok(found.ok()), Err)
}

fn summed(file: &Path, mut seen: impl FnMut(&[u8]) -> std::io::Result<()>) -> std::io::Result<Summed> {
    let mut bytes = 0;
    let hash = hash_of(file, |piece| {
        bytes += piece.len() as u64;
        seen(piece)
    })?;
    Ok(Summed { bytes, sha256: hexadecimal(&hash) })
}
