//! Opening a data directory: who may, what is in it, and how its connections are set.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io,
    os::unix::{
        ffi::OsStrExt as _,
        fs::{DirBuilderExt as _, OpenOptionsExt as _},
    },
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _};

use super::{failure, rows::full_key, snapshot::integrity, sum, upgrade};
use crate::{limits, sqlite::scrub::PAGE, store::schema};

/// The reason why a data directory was not opened. Each is one line that names the path; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("{} is in use by another process", .0.display())]
    Locked(PathBuf),
    /// A directory that was written by a later version of this program.
    #[error("{} was written by a newer version of kith (data version {found}, this one reads up to {})", .dir.display(), schema::VERSION)]
    Newer {
        /// The directory.
        dir: PathBuf,
        /// The version of its rows.
        found: u32,
    },
    /// The file system does not let us.
    #[error("cannot read and write {}: permission denied", .0.display())]
    Denied(PathBuf),
    /// There is a file of that name.
    #[error("{} is not a directory", .0.display())]
    NotADirectory(PathBuf),
    /// There is no such directory, or nothing was ever kept in it.
    #[error("{} holds no data of kith", .0.display())]
    Absent(PathBuf),
    /// A directory that is damaged so that it cannot be opened.
    #[error("{} is damaged: {why}; `kith verify` names what is, and docs/operating.md says what to do", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The error.
        why: String,
    },
    /// A folder that is something else.
    #[error("{} is not a database of kith: {why}", .path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The difference.
        why: String,
    },
    /// A backup or a restore into it has not ended.
    #[error("{} is not whole: a backup or a restore into it has not ended (repeat that command)", .0.display())]
    Unfinished(PathBuf),
    /// A directory that cannot be read or written for another reason.
    #[error("cannot open {}: {why}", .path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The error.
        why: String,
    },
}

impl OpenError {
    pub(super) fn of_file(path: &Path, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => OpenError::Denied(path.into()),
            io::ErrorKind::NotADirectory => OpenError::NotADirectory(path.into()),
            _ => OpenError::Io { path: path.into(), why: error.to_string() },
        }
    }

    pub(super) fn of_database(path: &Path, error: &rusqlite::Error) -> Self {
        let why = error.to_string();
        let code = error.sqlite_error_code();
        // SQLite does not say why. Opening the file is no question to ask at any other time: closing it again would
        // give up the locks that SQLite holds on it.
        if code == Some(ErrorCode::CannotOpen)
            && let Err(error) = File::open(path)
        {
            return OpenError::of_file(path, &error);
        }
        let path = path.into();
        match code {
            Some(ErrorCode::NotADatabase) => OpenError::Foreign { path, why },
            Some(ErrorCode::DatabaseCorrupt) => OpenError::Damaged { path, why },
            Some(ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => OpenError::Denied(path),
            _ => OpenError::Io { path, why },
        }
    }
}

/// The disk under an engine. Other than the default is for the tests of the engine itself.
#[derive(Debug, Clone)]
pub struct Ground {
    /// The name of a registered SQLite VFS; the operating system's where there is none.
    pub vfs: Option<String>,
    /// True where a commit waits for the disk.
    pub sync: bool,
    /// Length of the write-ahead log, in bytes, from which on it is emptied.
    pub wal_bytes: u64,
}

impl Default for Ground {
    fn default() -> Self {
        Self { vfs: None, sync: true, wal_bytes: limits::WAL_BYTES }
    }
}

/// The database in a data directory.
pub(super) fn database(dir: &Path) -> PathBuf {
    dir.join("store.db")
}

/// Its write-ahead log.
pub(super) fn log(dir: &Path) -> PathBuf {
    dir.join("store.db-wal")
}

/// The database file itself, for those who know what they do.
pub(super) fn file(dir: &Path) -> Result<File, OpenError> {
    let path = database(dir);
    let file = OpenOptions::new().read(true).write(true).open(&path);
    file.map_err(|error| OpenError::of_file(&path, &error))
}

/// `Kith` in ASCII, the application's number in the file's header.
const APPLICATION: i32 = 0x4b69_7468;
/// The version of the tables below. Who knows only the first expects each milestone at once; what it wrote is read. Later
/// changes of the tables are told by [`schema::VERSION`] alone.
pub(super) const LAYOUT: i32 = 2;
const TABLES: &str = "
    CREATE TABLE ids (id INTEGER PRIMARY KEY, uuid BLOB NOT NULL UNIQUE, sum INTEGER NOT NULL);
    CREATE TABLE entries (
        id INTEGER PRIMARY KEY, conv INTEGER NOT NULL, seq INTEGER NOT NULL, back INTEGER NOT NULL, data BLOB NOT NULL,
        sum INTEGER NOT NULL
    );
    CREATE TABLE heads (conv INTEGER PRIMARY KEY, seq INTEGER NOT NULL, entry INTEGER NOT NULL);
    CREATE TABLE milestones (
        conv INTEGER NOT NULL, seq INTEGER NOT NULL, entry INTEGER NOT NULL, PRIMARY KEY (conv, seq)
    ) WITHOUT ROWID;
    CREATE TABLE dedup_other (key INTEGER PRIMARY KEY, entry INTEGER NOT NULL, day INTEGER NOT NULL);
    CREATE TABLE rows (key BLOB PRIMARY KEY, value BLOB NOT NULL, sum INTEGER NOT NULL) WITHOUT ROWID;
";

/// The file that says that a backup or a restore into a directory has not ended.
pub const UNFINISHED: &str = "unfinished";

/// Makes the directory if there is none, and keeps others out for as long as the file lives.
pub(super) fn lock(dir: &Path) -> Result<File, OpenError> {
    if dir.join(UNFINISHED).exists() {
        return Err(OpenError::Unfinished(dir.into()));
    }
    match DirBuilder::new().recursive(true).mode(0o700).create(dir) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(OpenError::NotADirectory(dir.into()));
        }
        made => made.map_err(|error| OpenError::of_file(dir, &error))?,
    }
    let path = dir.join("lock");
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
    let file = file.map_err(|error| OpenError::of_file(&path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked(dir.into())),
        Err(TryLockError::Error(error)) => Err(OpenError::of_file(&path, &error)),
    }
}

/// Looks at what is there without changing it: its version, if there is anything. The caller holds the lock.
fn look(dir: &Path, ground: &Ground) -> Result<Option<u32>, OpenError> {
    if !has_file(&database(dir))? {
        return Ok(None);
    }
    version(&untouched(dir, ground)?, dir).map(Some)
}

/// Looks whether the database is whole where the process before was ended for what it met in it.
pub(super) fn look_after_failure(dir: &Path, ground: &Ground) -> Result<(), OpenError> {
    let mark = failure::mark(dir);
    if !has_file(&mark)? {
        return Ok(());
    }
    let path = database(dir);
    let found = integrity(&connect(dir, ground, Mode::Write)?);
    let found = found.map_err(|error| OpenError::of_database(&path, &error))?;
    match found.into_iter().next() {
        Some(why) => Err(OpenError::Damaged { path, why }),
        None => {
            tracing::warn!("the process before was ended by its disk; the database is whole");
            fs::remove_file(&mark).map_err(|error| OpenError::of_file(&mark, &error))
        }
    }
}

/// Returns true if there is a file with something in it.
fn has_file(path: &Path) -> Result<bool, OpenError> {
    match fs::metadata(path) {
        Ok(file) => Ok(file.len() > 0),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(OpenError::of_file(path, &error)),
    }
}

/// A connection that reads and leaves no file behind, for as long as nobody else opens the directory.
fn untouched(dir: &Path, ground: &Ground) -> Result<Connection, OpenError> {
    // With a log to read, SQLite needs its shared memory; without one it would still make both.
    let mode = if has_file(&log(dir))? { Mode::Read } else { Mode::Immutable };
    connect(dir, ground, mode)
}

/// Reads the version of a database, which must be ours and not too new.
pub(super) fn version(connection: &Connection, dir: &Path) -> Result<u32, OpenError> {
    let path = database(dir);
    let wrong = |error: rusqlite::Error| OpenError::of_database(&path, &error);
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0)).map_err(wrong);
    if pragma("application_id")? != APPLICATION {
        return Err(OpenError::Foreign { path, why: "another program made it".to_owned() });
    }
    let newer = |found| Err(OpenError::Newer { dir: dir.into(), found });
    let layout = pragma("user_version")?;
    if layout > LAYOUT {
        return newer(layout as u32);
    }
    let key = full_key(&schema::server::partition(), &schema::server::version());
    // The third column is there since version 3.
    let row = connection
        .query_row("SELECT * FROM rows WHERE key = ?1", (&key,), |row| {
            Ok((row.get::<_, Vec<u8>>(1)?, if row.as_ref().column_count() > 2 { row.get(2)? } else { 0 }))
        })
        .optional()
        .map_err(wrong)?;
    if row.as_ref().is_some_and(|(value, kept)| !sum::holds(*kept, sum::of_row(&key, value))) {
        return Err(OpenError::Damaged { path, why: "the checksum of its version is wrong".to_owned() });
    }
    match row.map(|(value, _)| schema::server::version_of(&value)) {
        Some(Ok(found)) if found > schema::VERSION => newer(found),
        Some(Ok(0)) => Err(OpenError::Foreign { path, why: "there is no version 0".to_owned() }),
        Some(Ok(found)) => Ok(found),
        Some(Err(error)) => Err(OpenError::Foreign { path, why: error.to_string() }),
        None => Err(OpenError::Foreign { path, why: "it does not say its version".to_owned() }),
    }
}

/// The connection that writes, on tables that are there.
pub(super) fn writer(dir: &Path, ground: &Ground) -> Result<Connection, OpenError> {
    let found = look(dir, ground)?;
    if found.is_none() {
        create(dir)?;
    }
    let connection = connect(dir, ground, Mode::Write)?;
    let set = || -> rusqlite::Result<()> {
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", if ground.sync { "FULL" } else { "OFF" })?;
        connection.pragma_update(None, "secure_delete", "ON")?;
        connection.pragma_update(None, "cache_size", -limits::STORE_WRITER_CACHE_KIB)?;
        upgrade::make(&connection, found.unwrap_or(schema::VERSION))
    };
    set().map_err(|error| OpenError::of_database(&database(dir), &error))?;
    Ok(connection)
}

/// Makes the database under another name, and gives it its own when it is complete and durable: there is none that was
/// begun and not finished, nor a rollback journal beside one.
fn create(dir: &Path) -> Result<(), OpenError> {
    let path = dir.join("store.db.new");
    let wrong = |error: io::Error| OpenError::of_file(&path, &error);
    for left_over in ["", "-journal", "-wal", "-shm"] {
        match fs::remove_file(dir.join(format!("store.db.new{left_over}"))) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(wrong(error)),
            _ => {}
        }
    }
    // SQLite would let everybody read it.
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(wrong)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let made = Connection::open_with_flags(&path, flags).and_then(|connection| {
        connection.pragma_update(None, "page_size", PAGE as i64)?;
        create_tables(&connection)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.close().map_err(|(_, error)| error)
    });
    made.map_err(|error| OpenError::of_database(&path, &error))?;
    File::open(&path).and_then(|file| file.sync_all()).map_err(wrong)?;
    fs::rename(&path, database(dir)).map_err(wrong)?;
    sync_names(dir).map_err(wrong)
}

/// Makes the names in a directory last, and its own.
pub(super) fn sync_names(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()?;
    match fs::canonicalize(dir)?.parent() {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}

fn create_tables(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "application_id", APPLICATION)?;
    connection.pragma_update(None, "user_version", LAYOUT)?;
    connection.execute_batch(TABLES)?;
    set_version(connection, schema::VERSION)
}

/// Writes the version of a directory.
pub(super) fn set_version(connection: &Connection, version: u32) -> rusqlite::Result<()> {
    let key = full_key(&schema::server::partition(), &schema::server::version());
    let value = &schema::server::version_value(version)[..];
    if version < sum::SINCE {
        connection.execute("REPLACE INTO rows (key, value) VALUES (?1, ?2)", (key, value))?;
    } else {
        let sum = sum::of_row(&key, value);
        connection.execute("REPLACE INTO rows (key, value, sum) VALUES (?1, ?2, ?3)", (key, value, sum))?;
    }
    Ok(())
}

/// Makes a directory one of the first version, as the programs of that time left it.
#[cfg(test)]
pub(super) fn make_first(connection: &Connection) -> rusqlite::Result<()> {
    for table in sum::TABLES {
        connection.execute_batch(&format!("ALTER TABLE {table} DROP COLUMN sum"))?;
    }
    connection.pragma_update(None, "user_version", 1)?;
    set_version(connection, 1)
}

/// A connection for the checkpoints.
pub(super) fn checkpointer(dir: &Path, ground: &Ground) -> Result<Connection, OpenError> {
    let connection = connect(dir, ground, Mode::Write)?;
    let sync = if ground.sync { "FULL" } else { "OFF" };
    // The writer waits while this one does.
    let set = connection.pragma_update(None, "synchronous", sync).and_then(|()| connection.busy_timeout(BUSY_BRIEF));
    set.map_err(|error| OpenError::of_database(&database(dir), &error))?;
    Ok(connection)
}

/// A connection that cannot write.
pub(super) fn reader(dir: &Path, ground: &Ground) -> Result<Connection, OpenError> {
    let connection = connect(dir, ground, Mode::Read)?;
    let set = connection.pragma_update(None, "cache_size", -limits::STORE_READER_CACHE_KIB);
    set.map_err(|error| OpenError::of_database(&database(dir), &error))?;
    Ok(connection)
}

/// A connection that cannot write, to a directory that may be in use; where it is not, the lock that keeps it so.
pub(super) fn reader_alone(dir: &Path) -> Result<(Connection, Option<File>), OpenError> {
    let kind = fs::metadata(dir).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => OpenError::Absent(dir.into()),
        _ => OpenError::of_file(dir, &error),
    })?;
    if !kind.is_dir() {
        return Err(OpenError::NotADirectory(dir.into()));
    }
    if !has_file(&database(dir))? {
        return Err(OpenError::Absent(dir.into()));
    }
    let ground = Ground::default();
    // A copy of a directory need not have the file.
    let lock = File::open(dir.join("lock")).ok();
    let in_use = lock.as_ref().is_some_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)));
    let connection = if in_use { reader(dir, &ground)? } else { untouched(dir, &ground)? };
    if version(&connection, dir)? < sum::SINCE {
        // Who reads finds the column that an older directory has not: what has none has 0 there.
        for table in sum::TABLES {
            let view = format!("CREATE TEMP VIEW {table} AS SELECT *, 0 AS sum FROM main.{table}");
            connection.execute_batch(&view).map_err(|error| OpenError::of_database(&database(dir), &error))?;
        }
    }
    Ok((connection, lock))
}

const BUSY: Duration = Duration::from_secs(10);
const BUSY_BRIEF: Duration = Duration::from_millis(10);

/// The rights of a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Write,
    Read,
    /// Read what nobody changes.
    Immutable,
}

fn connect(dir: &Path, ground: &Ground, mode: Mode) -> Result<Connection, OpenError> {
    let path = database(dir);
    let flags = match mode {
        Mode::Write => OpenFlags::SQLITE_OPEN_READ_WRITE,
        Mode::Read | Mode::Immutable => OpenFlags::SQLITE_OPEN_READ_ONLY,
    };
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let uri = uri(&path, mode);
    let connection = match &ground.vfs {
        Some(vfs) => Connection::open_with_flags_and_vfs(&uri, flags, vfs.as_str()),
        None => Connection::open_with_flags(&uri, flags),
    };
    let set = |connection: Connection| {
        connection.busy_timeout(BUSY)?;
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        connection.pragma_update(None, "foreign_keys", "OFF")?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        Ok(connection)
    };
    connection.and_then(set).map_err(|error| OpenError::of_database(&path, &error))
}

/// The file's name as SQLite's URI (RFC 3986), with every byte escaped that could mean something.
fn uri(path: &Path, mode: Mode) -> String {
    let mut uri = "file:".to_owned();
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => uri.push(char::from(*byte)),
            _ => uri.push_str(&format!("%{byte:02x}")),
        }
    }
    if mode == Mode::Immutable {
        uri.push_str("?immutable=1");
    }
    uri
}
