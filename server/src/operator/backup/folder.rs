//! The folder of a backup, and the files in it.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

use super::{DATABASE, MANIFEST, Manifest, Object};
use crate::{
    backends::{MEDIA, UNFINISHED},
    limits,
};

/// A folder that becomes a backup, or a data directory out of one. Every error is one line for a person.
pub(super) struct Folder(PathBuf);

/// Says in one line what went wrong with a file.
pub(super) fn of_file(path: &Path) -> impl Fn(io::Error) -> String {
    let shown = path.display().to_string();
    move |error| format!("{shown}: {error}")
}

/// Makes a file that its owner alone can read, in place of one that was there; who has that linked elsewhere keeps it.
pub(super) fn made(path: &Path) -> Result<File, String> {
    remove(path)?;
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(of_file(path))
}

fn remove(path: &Path) -> Result<(), String> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(of_file(path)(error)),
        _ => Ok(()),
    }
}

/// Hashes a file, a piece at a time.
pub(super) fn hash_of(path: &Path, mut seen: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<[u8; 32]> {
    let (mut file, mut hash) = (File::open(path)?, Sha256::new());
    let mut piece = vec![0; limits::BACKUP_PIECE_BYTES];
    loop {
        let read = file.read(&mut piece)?;
        if read == 0 {
            return Ok(hash.finalize().into());
        }
        hash.update(&piece[..read]);
        seen(&piece[..read])?;
    }
}

impl Folder {
    /// Takes a folder that is new, empty, or that was begun to be written and is not finished.
    pub(super) fn begin(path: &Path, why: &str) -> Result<Self, String> {
        let wrong = of_file(path);
        match DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let begun = path.join(UNFINISHED).exists();
                if !begun && fs::read_dir(path).map_err(&wrong)?.next().is_some() {
                    return Err(format!("{} is not empty", path.display()));
                }
            }
            made => made.map_err(&wrong)?,
        }
        let folder = Self(path.to_owned());
        let mut begun = made(&path.join(UNFINISHED))?;
        begun.write_all(why.as_bytes()).and_then(|()| begun.sync_all()).map_err(&wrong)?;
        remove(&path.join(MANIFEST))?;
        folder.sub(MEDIA)?;
        File::open(path).and_then(|folder| folder.sync_all()).map_err(wrong)?;
        Ok(folder)
    }

    /// The file of the database.
    pub(super) fn database(&self) -> PathBuf {
        self.0.join(DATABASE)
    }

    /// The file of an object, whose folder is made if it is not there.
    pub(super) fn file_of(&self, name: &str) -> Result<PathBuf, String> {
        if let Some((folder, _)) = name.split_once('/') {
            self.sub(&format!("{MEDIA}/{folder}"))?;
        }
        Ok(self.0.join(MEDIA).join(name))
    }

    fn sub(&self, name: &str) -> Result<(), String> {
        let path = self.0.join(name);
        match DirBuilder::new().mode(0o700).create(&path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(of_file(&path)(error)),
            _ => Ok(()),
        }
    }

    /// Returns whether the other folder lies on the same file system, so that its files can be linked.
    pub(super) fn is_beside(&self, other: &Path) -> Result<bool, String> {
        let device = |path: &Path| fs::metadata(path).map(|folder| folder.dev()).map_err(of_file(path));
        Ok(device(&self.0)? == device(other)?)
    }

    /// Ends a backup: the manifest is there once everything else is on the disk.
    pub(super) fn end_with(&self, manifest: &Manifest) -> Result<(), String> {
        self.sync()?;
        let (new, path) = (self.0.join("manifest.json.new"), self.0.join(MANIFEST));
        let bytes = serde_json::to_vec_pretty(manifest).map_err(|error| error.to_string())?;
        let mut file = made(&new)?;
        file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(of_file(&new))?;
        fs::rename(&new, &path).map_err(of_file(&path))?;
        self.end()
    }

    /// Ends a folder of which everything is there.
    pub(super) fn end(&self) -> Result<(), String> {
        self.sync()?;
        remove(&self.0.join(UNFINISHED))?;
        self.sync()
    }

    /// Waits until the disk has everything.
    fn sync(&self) -> Result<(), String> {
        let folder = File::open(&self.0).map_err(of_file(&self.0))?;
        rustix::fs::syncfs(&folder).map_err(|error| of_file(&self.0)(error.into()))
    }
}

/// Returns whether a file has the bytes of this object, by their number and their hash.
pub(super) fn holds(file: &Path, object: &Object, sha256: &[u8; 32]) -> bool {
    let same_length = fs::symlink_metadata(file).is_ok_and(|file| file.is_file() && file.len() == object.bytes);
    same_length && hash_of(file, |_| Ok(())).is_ok_and(|found| found == *sha256)
}
