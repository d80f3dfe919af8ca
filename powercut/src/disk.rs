//! A disk with its two states: the contents that are safe, and those that it only claims to have.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard},
};

use crate::chance::Chance;

/// Bytes that a disk writes whole or not at all.
const SECTOR: usize = 512;

static DISK: Mutex<Disk> = Mutex::new(Disk { files: BTreeMap::new(), room: BTreeMap::new(), broken: false });

pub(crate) struct Disk {
    files: BTreeMap<PathBuf, File>,
    /// Bytes that the files of a directory may have.
    room: BTreeMap<PathBuf, u64>,
    broken: bool,
}

#[derive(Default)]
struct File {
    /// The synced contents; none where not even the name is safe.
    safe: Option<Vec<u8>>,
    /// The changes since, in their order.
    since: Vec<Change>,
    /// Its length as everybody sees it.
    length: u64,
}

enum Change {
    Write(u64, Vec<u8>),
    Truncate(u64),
    Delete,
}

fn disk() -> MutexGuard<'static, Disk> {
    DISK.lock().expect("nobody panics with it")
}

/// A file is there now.
pub(crate) fn opened(path: &Path) {
    let mut disk = disk();
    if !disk.files.contains_key(path) {
        // What was there before the power was on is safe.
        let there = fs::read(path).unwrap_or_default();
        let length = there.len() as u64;
        let safe = (length > 0).then_some(there);
        disk.files.insert(path.to_owned(), File { safe, since: Vec::new(), length });
    }
}

/// Returns true if there is room for a write.
pub(crate) fn has_room(path: &Path, offset: u64, length: u64) -> bool {
    let disk = disk();
    let Some(room) = path.parent().and_then(|dir| disk.room.get(dir)) else { return true };
    let siblings = disk.files.iter().filter(|(other, _)| other.parent() == path.parent());
    let grows = |(other, file): (&PathBuf, &File)| {
        if *other == path { file.length.max(offset + length) } else { file.length }
    };
    let before: u64 = disk.files.get(path).map_or(0, |file| file.length);
    offset + length <= before || siblings.map(grows).sum::<u64>() <= *room
}

pub(crate) fn wrote(path: &Path, offset: u64, bytes: &[u8]) {
    if let Some(file) = disk().files.get_mut(path) {
        file.length = file.length.max(offset + bytes.len() as u64);
        file.since.push(Change::Write(offset, bytes.to_vec()));
    }
}

pub(crate) fn truncated(path: &Path, length: u64) {
    if let Some(file) = disk().files.get_mut(path) {
        file.length = length;
        file.since.push(Change::Truncate(length));
    }
}

/// Syncs a file; returns false where the disk is to fail.
pub(crate) fn synced(path: &Path) -> bool {
    let mut disk = disk();
    if disk.broken {
        return false;
    }
    if let Some(file) = disk.files.get_mut(path) {
        let mut safe = file.safe.take();
        for change in file.since.drain(..) {
            change.happen(&mut safe, |_| true);
        }
        file.safe = Some(safe.unwrap_or_default());
    }
    true
}

pub(crate) fn deleted(path: &Path, for_good: bool) {
    let mut disk = disk();
    if for_good {
        disk.files.remove(path);
    } else if let Some(file) = disk.files.get_mut(path) {
        file.length = 0;
        file.since.push(Change::Delete);
    }
}

impl Change {
    /// Happens to what is safe, in those sectors of a write that `keeps`.
    fn happen(&self, safe: &mut Option<Vec<u8>>, mut keeps: impl FnMut(u64) -> bool) {
        match self {
            Change::Delete => *safe = None,
            Change::Truncate(length) => safe.get_or_insert_default().resize(*length as usize, 0),
            Change::Write(offset, bytes) => {
                let safe = safe.get_or_insert_default();
                let (mut from, end) = (*offset as usize, *offset as usize + bytes.len());
                while from < end {
                    let to = ((from / SECTOR + 1) * SECTOR).min(end);
                    if keeps((from / SECTOR) as u64) {
                        if safe.len() < to {
                            safe.resize(to, 0);
                        }
                        safe[from..to].copy_from_slice(&bytes[from - *offset as usize..to - *offset as usize]);
                    }
                    from = to;
                }
            }
        }
    }
}

/// Writes the files of `dir` to `to` as a power cut might leave them now.
///
/// # Errors
/// Those of writing the files.
pub fn cut(dir: &Path, to: &Path, chance: &mut Chance) -> io::Result<()> {
    let disk = disk();
    for (path, file) in disk.files.iter().filter(|(path, _)| path.parent() == Some(dir)) {
        let mut left = file.safe.clone();
        // Everything got there, nothing, a beginning, or anything.
        let upto = match chance.below(4) {
            0 => file.since.len(),
            1 => 0,
            _ => chance.below(file.since.len() as u64 + 1) as usize,
        };
        let (keeps, tears) = ([100, 100, 90, 50][chance.below(4) as usize], chance.happens(50));
        for (place, change) in file.since[..upto].iter().enumerate() {
            // The last one is caught in the middle; those before it may have been held back.
            if place + 1 == upto || chance.happens(keeps) {
                change.happen(&mut left, |_| !tears || chance.happens(if place + 1 == upto { 50 } else { 95 }));
            }
        }
        if let (Some(left), Some(name)) = (left, path.file_name()) {
            fs::write(to.join(name), left)?;
        }
    }
    Ok(())
}

/// Leaves so many bytes for all files of `dir`; as many as there are without a number.
pub fn fill(dir: &Path, room: Option<u64>) {
    let mut disk = disk();
    match room {
        Some(room) => disk.room.insert(dir.to_owned(), room),
        None => disk.room.remove(dir),
    };
}

/// From now on no sync succeeds, for the whole process.
pub fn break_sync() {
    disk().broken = true;
}
