//! Backups: folders that the command writes, from bytes that the server gives on the operator's socket.
//!
//! A backup is a data directory with two more files. `media.sha256` has a line for each object of `media`, as `sha256sum
//! --check` reads it, in the order of their names; `manifest.json` says what the whole is, and is written last. A folder
//! with the file `unfinished` is none yet.

mod folder;
mod give;
mod list;
mod restore;
mod take;

use std::{fs, path::Path};

use kith_protocol::Timestamp;
use serde::{Deserialize, Serialize};

pub(super) use self::give::Giving;
pub use self::{
    restore::{Restored, restore},
    take::{Taken, take},
};
use crate::{limits, media::objects, store::schema};

/// The manifest's name in a backup.
const MANIFEST: &str = "manifest.json";
/// The name of the list of media.
const MEDIA_LIST: &str = "media.sha256";
/// The database's name.
const DATABASE: &str = "store.db";
/// The version of the form of a backup.
const FORM: u32 = 1;
/// Names that are told of damaged objects.
const NAMES_TOLD: usize = 20;
/// The last line of a backup's stream.
const END: &str = "end";

/// The manifest of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the form of the backup.
    pub version: u32,
    /// The version of the program that gave it.
    pub program: String,
    /// The version of the data directory.
    pub data_version: u32,
    /// The moment of which it is.
    pub at: Timestamp,
    /// The database.
    pub database: Summed,
    /// The list of the media.
    pub media_list: Summed,
    /// The number of objects that it names.
    pub media: u64,
    /// Bytes of them all.
    pub media_bytes: u64,
}

/// A file by which it is known again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summed {
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
}

impl Manifest {
    /// Reads the manifest of a whole backup. The error is one line for a person.
    fn read(backup: &Path) -> Result<Self, String> {
        let shown = backup.display();
        if backup.join(crate::backends::UNFINISHED).exists() {
            return Err(format!("{shown} is no whole backup: it has not ended (repeat the command that made it)"));
        }
        let bytes = fs::read(backup.join(MANIFEST))
            .map_err(|error| format!("{shown} is no backup: {MANIFEST} cannot be read: {error}"))?;
        let manifest: Self = serde_json::from_slice(&bytes)
            .map_err(|error| format!("{shown} is no backup that can be read: {MANIFEST}: {error}"))?;
        if manifest.version > FORM || manifest.data_version > schema::VERSION {
            return Err(format!("{shown} was made by a newer version of kith ({})", manifest.program));
        }
        Ok(manifest)
    }
}

/// The progress of a backup or a restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Bytes that are there.
    pub done: u64,
    /// Bytes of the whole; 0 while that is not known.
    pub total: u64,
}

/// The function to which progress is told.
struct Told<P> {
    progress: P,
    now: Progress,
}

impl<P: FnMut(Progress)> Told<P> {
    fn new(progress: P, total: u64) -> Self {
        Self { progress, now: Progress { done: 0, total } }
    }

    fn add(&mut self, bytes: u64) {
        self.now.done = self.now.done.saturating_add(bytes).min(self.now.total);
        (self.progress)(self.now);
    }
}

/// Adds the name of a damaged object to those that are told, as long as there are few.
fn names_of(told: &mut Vec<String>, name: &str) {
    if told.len() < NAMES_TOLD {
        told.push(format!("{}/{name}", crate::backends::MEDIA));
    }
}

/// The first line of a backup's stream. The bytes of the database follow, then a line for each object, then [`END`].
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    program: String,
    data_version: u32,
    at: Timestamp,
    database_bytes: u64,
    media: u64,
    media_bytes: u64,
}

/// An object as a line of the stream names it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Object {
    name: String,
    sha256: [u8; 32],
    part: objects::Part,
    bytes: u64,
}

impl Object {
    fn line(name: &str, bytes: u64) -> String {
        format!("{name} {bytes}\n")
    }

    fn parse(line: &str) -> Option<Self> {
        let (name, bytes) = line.split_once(' ')?;
        let (sha256, part) = objects::named(name)?;
        Some(Self { name: name.to_owned(), sha256, part, bytes: bytes.parse().ok()? })
    }
}

const _: () = assert!(limits::BACKUP_LINE_BYTES <= limits::BACKUP_PIECE_BYTES);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_named_as_the_folder_of_media_does_and_not_otherwise() {
        let sha256 = [0xab; 32];
        for part in [objects::Part::Whole, objects::Part::Thumbnail] {
            let name = objects::name(&sha256, part);
            let line = Object::line(&name, 7);
            assert_eq!(Object::parse(line.trim_end()), Some(Object { name, sha256, part, bytes: 7 }));
        }
        let whole = objects::name(&sha256, objects::Part::Whole);
        for wrong in [
            "../../etc/passwd 7".to_owned(),
            format!("../{} 7", &whole[3..]),
            format!("{} 7", &whole[3..]),
            format!("{} 7", whole.to_uppercase()),
            format!("cd{} 7", &whole[2..]),
            format!("{whole}.other 7"),
            format!("{whole} seven"),
            whole,
        ] {
            assert_eq!(Object::parse(&wrong), None, "{wrong}");
        }
    }
}
