//! Removing what SQLite leaves behind when it moves a row.
//!
//! `secure_delete` overwrites a row where it is deleted. But when a page is split or joined with another, rows are copied
//! to their new place, and the old copy stays in the page's unused middle, where no later delete finds it. So the unused
//! middle of every page that a checkpoint wrote is filled with zeros, in the database file itself, before the log is
//! emptied.
//!
//! That is safe beside SQLite: it never reads those bytes, and nobody but the thread of the checkpoints, which is the one
//! that does this, writes the file. A write that is torn or lost leaves old bytes where nobody looks, and the log, which
//! is still there, has the page done again.

use std::{collections::BTreeSet, fs::File, io, os::unix::fs::FileExt as _, path::PathBuf, sync::Arc};

/// Bytes of a page: SQLite's default.
pub(crate) const PAGE: usize = 4096;
/// Bytes of a frame's header in the log; the page follows. The log's own header has 32.
pub(crate) const FRAME_HEADER: usize = 24;
const LOG_HEADER: usize = 32;
/// The header of a log, another one for each log that is begun in the file.
pub(crate) type LogHeader = [u8; LOG_HEADER];
/// Pages from which on the first byte of a page no longer tells what it is: 128 GiB.
const PAGES_TOLD_APART: u64 = 0x0200_0000;

/// The pages that have to be looked at.
pub(crate) struct Scrub {
    /// The database's file. Must be closed after every connection: closing any descriptor of a file releases the POSIX
    /// locks that SQLite holds on it.
    database: Arc<File>,
    log: PathBuf,
    pages: BTreeSet<u32>,
    /// The header of the log whose frames were noted so far; where it was begun anew since, some may have been missed.
    header: Option<LogHeader>,
    noted: u64,
    /// True if frames may have been copied that were not noted.
    copying: bool,
    /// True if all pages have to be looked at.
    all: bool,
}

impl Scrub {
    /// Of a database and its write-ahead log.
    pub(crate) fn new(database: Arc<File>, log: PathBuf) -> Self {
        Self { database, log, pages: BTreeSet::new(), header: None, noted: 0, copying: false, all: false }
    }

    /// Has every page looked at, where nothing was noted.
    pub(crate) fn note_all(&mut self) {
        self.all = true;
    }

    /// Notes the pages in the first `frames` of the log.
    pub(crate) fn note(&mut self, frames: u64) -> io::Result<()> {
        if frames == 0 {
            return Ok(());
        }
        let log = File::open(&self.log)?;
        let mut header = [0; LOG_HEADER];
        log.read_exact_at(&mut header, 0)?;
        if self.header != Some(header) {
            // Only a log that was copied whole is begun anew.
            self.all |= self.header.is_some() && self.copying;
            (self.header, self.noted) = (Some(header), 0);
        }
        for frame in self.noted..frames {
            let mut page = [0; 4];
            log.read_exact_at(&mut page, LOG_HEADER as u64 + frame * (FRAME_HEADER + PAGE) as u64)?;
            self.pages.insert(u32::from_be_bytes(page));
        }
        self.noted = self.noted.max(frames);
        Ok(())
    }

    /// From now on frames are copied, until [`Scrub::copied`].
    pub(crate) fn copying(&mut self) {
        self.copying = true;
    }

    /// All frames that were copied are noted.
    pub(crate) fn copied(&mut self) {
        self.copying = false;
    }

    /// All frames were noted and the writer waits: whatever happens to the log from here on, none was missed.
    pub(crate) fn noted_all(&mut self) {
        self.header = None;
    }

    /// The header of the log; none where its file is empty.
    pub(crate) fn log_header(&self) -> io::Result<Option<LogHeader>> {
        let log = File::open(&self.log)?;
        if log.metadata()?.len() < LOG_HEADER as u64 {
            return Ok(None);
        }
        let mut header = [0; LOG_HEADER];
        log.read_exact_at(&mut header, 0)?;
        Ok(Some(header))
    }

    /// Cuts off what the file of the log holds behind its `frames`, while the writer waits: nobody reads there.
    pub(crate) fn end_log(&self, frames: u64) -> io::Result<()> {
        if frames == 0 {
            // Where a log was about to be begun and was not.
            return Ok(());
        }
        let log = File::options().write(true).open(&self.log)?;
        let end = LOG_HEADER as u64 + frames * (FRAME_HEADER + PAGE) as u64;
        if log.metadata()?.len() > end { log.set_len(end) } else { Ok(()) }
    }

    /// Cleans the pages that were noted, and waits until the disk has them.
    pub(crate) fn clean(&mut self) -> io::Result<()> {
        let count = self.database.metadata()?.len() / PAGE as u64;
        if count >= PAGES_TOLD_APART {
            tracing::warn!("the database is too large to remove the traces of rows that were moved");
            self.pages.clear();
            return Ok(());
        }
        let mut cleaned = 0;
        if std::mem::take(&mut self.all) {
            self.pages.extend(1..=count as u32);
        }
        for page in std::mem::take(&mut self.pages) {
            cleaned += u64::from(u64::from(page) <= count && self.clean_page(page)?);
        }
        if cleaned > 0 { self.database.sync_data() } else { Ok(()) }
    }

    fn clean_page(&self, page: u32) -> io::Result<bool> {
        let start = u64::from(page - 1) * PAGE as u64;
        let mut bytes = [0; PAGE];
        self.database.read_exact_at(&mut bytes, start)?;
        let Some(unused) = unused(&bytes, page == 1) else { return Ok(false) };
        if bytes[unused.clone()].iter().all(|byte| *byte == 0) {
            return Ok(false);
        }
        self.database.write_all_at(&[0; PAGE][unused.clone()], start + unused.start as u64)?;
        Ok(true)
    }
}

/// The unused middle of a b-tree page, between its cell pointers and its cells; none where it is another page. See
/// section 1.6 of SQLite's file format.
fn unused(page: &[u8; PAGE], first: bool) -> Option<std::ops::Range<usize>> {
    let header = if first { 100 } else { 0 };
    let header_bytes = match page[header] {
        2 | 5 => 12,
        10 | 13 => 8,
        _ => return None,
    };
    let number = |at: usize| usize::from(u16::from_be_bytes([page[header + at], page[header + at + 1]]));
    let end_of_pointers = header + header_bytes + 2 * number(3);
    let cells = number(5);
    (end_of_pointers <= cells && cells <= PAGE).then_some(end_of_pointers..cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(kind: u8, cells: u16, content: u16) -> [u8; PAGE] {
        let mut page = [0; PAGE];
        page[0] = kind;
        page[3..5].copy_from_slice(&cells.to_be_bytes());
        page[5..7].copy_from_slice(&content.to_be_bytes());
        page
    }

    #[test]
    fn a_log_that_is_begun_anew_is_missed_only_where_it_was_not_noted() {
        let dir = tempfile::tempdir().unwrap();
        let (database, log) = (dir.path().join("db"), dir.path().join("log"));
        let begin = |salt: u8, pages: &[u32]| {
            let mut bytes = vec![salt; LOG_HEADER];
            for page in pages {
                bytes.extend(page.to_be_bytes());
                bytes.resize(bytes.len() + FRAME_HEADER - 4 + PAGE, 0);
            }
            std::fs::write(&log, bytes).unwrap();
        };
        let mut scrub = Scrub::new(Arc::new(File::create(&database).unwrap()), log.clone());
        begin(1, &[7, 9]);
        scrub.note(1).unwrap();
        scrub.copying();
        scrub.note(2).unwrap();
        scrub.copied();
        begin(2, &[8]);
        scrub.note(1).unwrap();
        assert_eq!((scrub.all, scrub.pages.iter().copied().collect::<Vec<_>>()), (false, vec![7, 8, 9]));
        // The writer was faster than the note of what it had written before the copy ended.
        scrub.copying();
        begin(3, &[4]);
        scrub.note(1).unwrap();
        assert!(scrub.all);
    }

    #[test]
    fn only_the_middle_of_a_b_tree_page_is_unused() {
        assert_eq!(unused(&page(13, 3, 4000), false), Some(14..4000));
        assert_eq!(unused(&page(10, 0, 4096), false), Some(8..4096));
        assert_eq!(unused(&page(5, 1, 14), false), Some(14..14));
        assert_eq!(unused(&page(2, 1, 14), false), Some(14..14));
        // Overflow and free pages begin with a page's number.
        assert_eq!(unused(&page(0, 3, 4000), false), None);
        assert_eq!(unused(&page(1, 3, 4000), false), None);
        // What does not add up is left alone.
        assert_eq!(unused(&page(13, 3, 13), false), None);
        assert_eq!(unused(&page(13, 3, 5000), false), None);
        let mut first = [0; PAGE];
        first[100..108].copy_from_slice(&page(13, 2, 3000)[..8]);
        assert_eq!(unused(&first, true), Some(112..3000));
    }
}
