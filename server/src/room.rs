//! Room on the disk: how much the file system of the data directory has free, and what is refused while that is little.
//!
//! Three amounts, the smaller ones derived from the first ([`Reserves`]): while less than the *media reserve* is free,
//! media are refused; while less than the *text reserve* is free, whatever adds to a log, and new accounts; deleting,
//! leaving, signing in and the operator's commands never are, but for a backup that has no room itself. Others fill a disk
//! too: so that those work on one without a free byte, a file without meaning, the *ballast*, holds room and is removed
//! then.
//!
//! Free space is looked at once a second by [`Room::run`], and by no request.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use kith_protocol::Code;
use rustix::fs::{StatVfs, statvfs};
use tokio::time::{MissedTickBehavior, interval};

use crate::{Error, clock, limits};

/// The ballast's name in the data directory.
pub const BALLAST: &str = "ballast";
/// The time after which a client may ask again whether there is room.
const AGAIN: Duration = Duration::from_secs(30);

/// Bytes that are to stay free, for whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reserves {
    /// Media leave these.
    media: u64,
    /// Texts leave these.
    texts: u64,
    /// The ballast holds these.
    ballast: u64,
}

impl Reserves {
    /// Computes the reserves of a file system of `size` bytes, on which media leave `min_free_bytes` where the operator
    /// says so.
    fn of(size: u64, min_free_bytes: Option<u64>) -> Self {
        let usual =
            (size / limits::MEDIA_RESERVE_PART).clamp(limits::MEDIA_RESERVE_AT_LEAST, limits::MEDIA_RESERVE_AT_MOST);
        let media = min_free_bytes.unwrap_or(usual);
        // On a disk that is smaller than its reserve there is room for texts still.
        let texts = (media / limits::TEXT_RESERVE_PART).min(size / limits::TEXT_RESERVE_DISK_PART);
        Self { media, texts, ballast: (texts / limits::TEXT_RESERVE_PART).min(limits::BALLAST_BYTES) }
    }
}

/// The room of a data directory.
pub struct Room {
    dir: PathBuf,
    min_free_bytes: Option<u64>,
    /// As of the last look, in bytes.
    free: AtomicU64,
    media: AtomicU64,
    texts: AtomicU64,
}

impl Room {
    /// Looks at the room of a directory for the first time.
    pub fn of(dir: &Path, min_free_bytes: Option<u64>) -> Self {
        let (free, media, texts) = (AtomicU64::new(u64::MAX), AtomicU64::new(0), AtomicU64::new(0));
        let room = Self { dir: dir.to_owned(), min_free_bytes, free, media, texts };
        room.look();
        room
    }

    /// Returns an error unless so many more bytes of media may be written.
    ///
    /// # Errors
    /// `storage_full`.
    pub fn for_media(&self, bytes: u64) -> Result<(), Error> {
        let needed = self.media.load(Ordering::Relaxed).saturating_add(bytes);
        if self.free.load(Ordering::Relaxed) >= needed { Ok(()) } else { Err(full()) }
    }

    /// Returns an error unless texts may be written.
    ///
    /// # Errors
    /// `storage_full`.
    pub fn for_texts(&self) -> Result<(), Error> {
        let [free, needed] = [&self.free, &self.texts].map(|bytes| bytes.load(Ordering::Relaxed));
        if free >= needed { Ok(()) } else { Err(full()) }
    }

    /// Says in one line for the operator why messages are refused; nothing while they are not.
    pub fn lacks_for_texts(&self) -> Option<String> {
        self.for_texts().err().map(|_| self.lack("messages", &self.texts))
    }

    /// The same of media.
    pub fn lacks_for_media(&self) -> Option<String> {
        self.for_media(0).err().map(|_| self.lack("media", &self.media))
    }

    /// Says in one line for the operator why so many bytes may not be written for a while, beside what texts leave;
    /// nothing where they may.
    pub fn lacks_for_copy(&self, bytes: u64) -> Option<String> {
        let [free, texts] = [&self.free, &self.texts].map(|bytes| bytes.load(Ordering::Relaxed));
        (free < texts.saturating_add(bytes)).then(|| {
            let dir = self.dir.display();
            format!("{bytes} bytes of room are needed in {dir} beside the {texts} that messages leave; {free} are free")
        })
    }

    fn lack(&self, what: &str, reserve: &AtomicU64) -> String {
        let [free, reserve] = [&self.free, reserve].map(|bytes| bytes.load(Ordering::Relaxed));
        format!("{what} are refused: {free} bytes are free in {}, fewer than {reserve}", self.dir.display())
    }

    /// Looks once a second, for ever.
    pub async fn run(self: Arc<Self>) {
        let mut second = interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            second.tick().await;
            let room = self.clone();
            // A file system may take its time to answer.
            if tokio::task::spawn_blocking(move || room.look()).await.is_err() {
                tracing::error!("free space could not be looked at");
            }
        }
    }

    /// Looks at what is free, and keeps the ballast or frees it.
    fn look(&self) {
        let (free, size) = match statvfs(&self.dir) {
            Ok(stat) => (free_bytes(&stat), stat.f_blocks.saturating_mul(stat.f_frsize)),
            Err(error) => {
                tracing::debug!(%error, "free space cannot be looked at");
                return;
            }
        };
        let reserves = Reserves::of(size, self.min_free_bytes);
        let before = [self.lacks_for_texts(), self.lacks_for_media()];
        self.media.store(reserves.media, Ordering::Relaxed);
        self.texts.store(reserves.texts, Ordering::Relaxed);
        self.free.store(free, Ordering::Relaxed);
        metrics::gauge!("kith_disk_free_bytes").set(free as f64);
        for (before, now) in before.into_iter().zip([self.lacks_for_texts(), self.lacks_for_media()]) {
            match (before, now) {
                (None, Some(why)) => tracing::warn!("{why}"),
                (Some(_), None) => tracing::info!("there is room again"),
                _ => {}
            }
        }
        if let Err(error) = balance(&self.dir.join(BALLAST), free, reserves) {
            tracing::warn!(%error, "the ballast could not be kept");
        }
    }
}

/// Frees the ballast of a directory whose disk is full, so that it can be opened.
pub fn make_way(dir: &Path) {
    let ballast = dir.join(BALLAST);
    let held = fs::metadata(&ballast).map_or(0, |file| file.len());
    if held > 0 && statvfs(dir).is_ok_and(|stat| free_bytes(&stat) < held) {
        // Whoever opens the directory says what does not work.
        let _ = fs::remove_file(ballast);
    }
}

fn free_bytes(stat: &StatVfs) -> u64 {
    stat.f_bavail.saturating_mul(stat.f_frsize)
}

fn full() -> Error {
    Error::new(Code::StorageFull).after(AGAIN)
}

/// Removes the ballast where less than its size is free, and makes it where texts have room beside it.
fn balance(ballast: &Path, free: u64, reserves: Reserves) -> io::Result<()> {
    let held = fs::metadata(ballast).map_or(0, |file| file.len());
    if held > 0 && (free < held || reserves.ballast == 0) {
        return fs::remove_file(ballast);
    }
    if held == reserves.ballast || free < reserves.texts.saturating_add(reserves.ballast) {
        return Ok(());
    }
    let made = make(ballast, reserves.ballast);
    if made.is_err() {
        fs::remove_file(ballast)?;
    }
    made
}

/// Writes a file that no file system can make smaller.
fn make(ballast: &Path, size: u64) -> io::Result<()> {
    const PIECE: usize = 64 * 1024;
    let mut file = File::create(ballast)?;
    let mut left = size;
    while left > 0 {
        let piece = &clock::random::<PIECE>()[..PIECE.min(usize::try_from(left).unwrap_or(PIECE))];
        file.write_all(piece)?;
        left -= piece.len() as u64;
    }
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;
    const GIB: u64 = 1024 * MIB;

    #[test]
    fn the_reserves_follow_the_disk_and_the_operator() {
        for (size, min_free_bytes, media, texts, ballast) in [
            (4096 * GIB, None, 20 * GIB, 5 * GIB, 16 * MIB),
            (100 * GIB, None, 5 * GIB, 5 * GIB / 4, 16 * MIB),
            (10 * GIB, None, GIB, 256 * MIB, 16 * MIB),
            (64 * MIB, None, GIB, 4 * MIB, MIB),
            (64 * MIB, Some(8 * MIB), 8 * MIB, 2 * MIB, MIB / 2),
            (100 * GIB, Some(0), 0, 0, 0),
        ] {
            assert_eq!(Reserves::of(size, min_free_bytes), Reserves { media, texts, ballast }, "{size}");
        }
    }

    #[test]
    fn the_ballast_is_there_while_there_is_room_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let ballast = dir.path().join(BALLAST);
        let reserves = Reserves { media: 4 * MIB, texts: MIB, ballast: 100_000 };
        let held = |free| {
            balance(&ballast, free, reserves).unwrap();
            fs::metadata(&ballast).map_or(0, |file| file.len())
        };
        assert_eq!(held(MIB), 0, "texts have room without it only");
        assert_eq!(held(MIB + 100_000), 100_000);
        assert_eq!(held(100_000), 100_000, "texts are refused by then");
        assert_eq!(held(99_999), 0);
        assert_eq!(held(199_999), 0, "what it has freed is not taken back");
        assert_eq!(held(2 * MIB), 100_000);
        balance(&ballast, 2 * MIB, Reserves { ballast: 0, ..reserves }).unwrap();
        assert!(!ballast.exists());
    }

    #[test]
    fn a_directory_that_cannot_be_looked_at_refuses_nothing() {
        let room = Room::of(Path::new("/nowhere/at/all"), None);
        assert_eq!((room.for_media(MIB), room.for_texts()), (Ok(()), Ok(())));
        assert_eq!((room.lacks_for_media(), room.lacks_for_texts()), (None, None));
    }
}
