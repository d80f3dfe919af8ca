//! The list of a backup's media: a line for each object, in the order of their names, as `sha256sum --check` reads it.

use std::{
    fs::File,
    io::{BufRead, BufReader, BufWriter, Read as _, Write as _},
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

use super::{MEDIA_LIST, Summed, folder::made};
use crate::{
    backends::MEDIA,
    limits,
    media::objects::{self, hexadecimal},
};

/// A list that is written.
pub(super) struct Writing {
    file: BufWriter<File>,
    path: PathBuf,
    hash: Sha256,
    bytes: u64,
}

impl Writing {
    /// The list of a backup, empty.
    pub(super) fn new(backup: &Path) -> Result<Self, String> {
        let path = backup.join(MEDIA_LIST);
        Ok(Self { file: BufWriter::new(made(&path)?), path, hash: Sha256::new(), bytes: 0 })
    }

    /// Adds an object, whose bytes have this hash.
    pub(super) fn add(&mut self, name: &str, sha256: &[u8; 32]) -> Result<(), String> {
        let line = format!("{}  {MEDIA}/{name}\n", hexadecimal(sha256));
        self.hash.update(&line);
        self.bytes += line.len() as u64;
        self.file.write_all(line.as_bytes()).map_err(|error| format!("{}: {error}", self.path.display()))
    }

    /// Ends the list.
    pub(super) fn end(mut self) -> Result<Summed, String> {
        self.file.flush().map_err(|error| format!("{}: {error}", self.path.display()))?;
        Ok(Summed { bytes: self.bytes, sha256: hexadecimal(&self.hash.finalize().into()) })
    }
}

/// An object of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) sha256: [u8; 32],
}

/// A list that is read.
pub(super) struct Reading {
    file: BufReader<File>,
    path: PathBuf,
    next: Option<Line>,
}

impl Reading {
    /// The list of a backup.
    pub(super) fn open(backup: &Path) -> Result<Self, String> {
        let path = backup.join(MEDIA_LIST);
        let file = File::open(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut list = Self { file: BufReader::new(file), path, next: None };
        list.read()?;
        Ok(list)
    }

    /// The object whose turn it is, if the list does not end here.
    pub(super) fn take(&mut self) -> Result<Option<Line>, String> {
        let line = self.next.take();
        if line.is_some() {
            self.read()?;
        }
        Ok(line)
    }

    /// The hash of an object's bytes, if the list names it. Each is to be asked for after those before it.
    pub(super) fn find(&mut self, name: &str) -> Result<Option<[u8; 32]>, String> {
        while self.next.as_ref().is_some_and(|line| line.name.as_str() < name) {
            self.read()?;
        }
        Ok(self.next.as_ref().filter(|line| line.name == name).map(|line| line.sha256))
    }

    fn read(&mut self) -> Result<(), String> {
        let wrong = |why: &str| format!("{}: {why}", self.path.display());
        let mut line = Vec::new();
        let mut bounded = (&mut self.file).take(limits::BACKUP_LINE_BYTES as u64);
        bounded.read_until(b'\n', &mut line).map_err(|error| wrong(&error.to_string()))?;
        let last = self.next.take();
        if line.is_empty() {
            return Ok(());
        }
        let next = parse(&line).ok_or_else(|| wrong("this is no list of media"))?;
        if last.is_some_and(|last| last.name >= next.name) {
            return Err(wrong("it is not in order"));
        }
        self.next = Some(next);
        Ok(())
    }
}

fn parse(line: &[u8]) -> Option<Line> {
    let (sha256, path) = std::str::from_utf8(line).ok()?.strip_suffix('\n')?.split_once("  ")?;
    let name = path.strip_prefix(MEDIA)?.strip_prefix('/')?;
    objects::named(name)?;
    Some(Line { name: name.to_owned(), sha256: objects::sha256_of(sha256)? })
}
