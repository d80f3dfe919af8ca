//! Opening a directory: who may open what.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use rusqlite::Connection;
use tempfile::tempdir;
use xxhash_rust::xxh3::xxh3_64;

use super::super::{
    OpenError, Snapshot, Sqlite,
    open::{database, set_version},
};
use crate::store::{Change, RowKey, Store as _, schema};

/// Every file of a directory, and a hash of what it holds.
fn contents(dir: &Path) -> Vec<(String, u64)> {
    let files = fs::read_dir(dir).unwrap().map(|file| file.unwrap());
    let mut contents: Vec<_> =
        files.map(|file| (file.file_name().into_string().unwrap(), xxh3_64(&fs::read(file.path()).unwrap()))).collect();
    contents.sort();
    contents
}

fn refused(dir: &Path) -> String {
    Sqlite::open(dir).err().expect("it is refused").to_string()
}

#[test]
fn a_new_directory_is_made_for_its_owner_only() {
    let dir = tempdir().unwrap();
    let dir = dir.path().join("one/two");
    let store = Sqlite::open(&dir).unwrap();
    assert_eq!(fs::metadata(&dir).unwrap().permissions().mode() & 0o777, 0o700);
    for file in fs::read_dir(&dir).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o077, 0, "{file:?}");
    }
    drop(store);
    Sqlite::open(&dir).unwrap();
}

#[test]
fn a_creation_that_was_interrupted_begins_anew() {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("store.db.new"), "half").unwrap();
    fs::write(dir.path().join("store.db.new-journal"), "half").unwrap();
    fs::write(database(dir.path()), "").unwrap();
    drop(Sqlite::open(dir.path()).unwrap());
    let names: Vec<String> = contents(dir.path()).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["lock", "store.db"]);
}

#[test]
fn a_directory_has_one_owner_at_a_time() {
    let dir = tempdir().unwrap();
    let first = Sqlite::open(dir.path()).unwrap();
    assert_eq!(refused(dir.path()), format!("{} is in use by another process", dir.path().display()));
    drop(first);
    Sqlite::open(dir.path()).unwrap();
}

#[test]
fn data_of_a_newer_version_is_left_as_it_is() {
    let dir = tempdir().unwrap();
    drop(Sqlite::open(dir.path()).unwrap());
    let set = |version: u32| {
        set_version(&Connection::open(database(dir.path())).unwrap(), version).unwrap();
    };
    set(schema::VERSION + 1);
    let before = contents(dir.path());
    let newer = format!("was written by a newer version of kith (data version {}", schema::VERSION + 1);
    assert!(refused(dir.path()).contains(&newer));
    assert_eq!(contents(dir.path()), before);

    set(schema::VERSION);
    Connection::open(database(dir.path())).unwrap().pragma_update(None, "user_version", 7).unwrap();
    let before = contents(dir.path());
    assert!(matches!(Sqlite::open(dir.path()), Err(OpenError::Newer { found: 7, .. })));
    assert_eq!(contents(dir.path()), before);
}

#[test]
fn what_is_no_database_of_ours_is_left_as_it_is() {
    let dir = tempdir().unwrap();
    fs::write(database(dir.path()), "my shopping list, which is longer than a header would be".repeat(20)).unwrap();
    let before = contents(dir.path());
    assert!(refused(dir.path()).contains("store.db is not a database of kith: "), "{}", refused(dir.path()));
    let (changed, file) = (contents(dir.path()), before);
    assert_eq!(changed[1], file[0]);

    fs::remove_file(database(dir.path())).unwrap();
    Connection::open(database(dir.path())).unwrap().execute_batch("CREATE TABLE recipes (name)").unwrap();
    assert!(refused(dir.path()).ends_with("store.db is not a database of kith: another program made it"));

    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    assert_eq!(refused(&file), format!("{} is not a directory", file.display()));
    assert_eq!(refused(&file.join("data")), format!("{} is not a directory", file.join("data").display()));
}

#[test]
fn what_the_file_system_refuses_is_told_in_a_line() {
    let denied = OpenError::of_file(Path::new("/data/store.db"), &std::io::ErrorKind::PermissionDenied.into());
    assert_eq!(denied.to_string(), "cannot read and write /data/store.db: permission denied");
    // Nobody, not even root, makes a directory beneath this one.
    #[cfg(target_os = "linux")]
    assert!(refused(Path::new("/proc/kith")).starts_with("cannot open /proc/kith: "));
}

#[test]
fn a_name_may_have_any_character() {
    let dir = tempdir().unwrap();
    let dir = dir.path().join("50% of #1? ü");
    drop(Sqlite::open(&dir).unwrap());
    assert!(database(&dir).is_file());
    Snapshot::open(&dir).unwrap();
}

#[test]
fn looking_leaves_no_file_behind_and_no_room_for_others() {
    let dir = tempdir().unwrap();
    assert_eq!(
        Snapshot::open(dir.path()).err().unwrap().to_string(),
        format!("{} holds no data of kith", dir.path().display())
    );
    drop(Sqlite::open(dir.path()).unwrap());
    let before = contents(dir.path());
    let snapshot = Snapshot::open(dir.path()).unwrap();
    assert!(matches!(Sqlite::open(dir.path()), Err(OpenError::Locked(_))));
    drop(snapshot);
    assert_eq!(contents(dir.path()), before);
    let _store = Sqlite::open(dir.path()).unwrap();
    Snapshot::open(dir.path()).unwrap();
}

#[tokio::test]
async fn a_backup_holds_what_was_there_and_opens() {
    let (dir, to) = (tempdir().unwrap(), tempdir().unwrap());
    // A crash left one.
    fs::write(dir.path().join("store.db.copy"), "half of it").unwrap();
    let store = Sqlite::open(dir.path()).unwrap();
    assert!(!dir.path().join("store.db.copy").exists());
    let put = |value: &'static str| vec![Change::Put(b"key".to_vec(), value.into())];
    store.commit(b"part".to_vec(), put("before"), vec![]).await.unwrap();
    let mut copy = store.backup().unwrap();
    assert!(!dir.path().join("store.db.copy").exists());
    store.commit(b"part".to_vec(), put("after"), vec![]).await.unwrap();
    std::io::copy(&mut copy, &mut fs::File::create(database(to.path())).unwrap()).unwrap();
    let copy = Sqlite::open(to.path()).unwrap();
    let row = RowKey { partition: b"part".to_vec(), key: b"key".to_vec() };
    assert_eq!(copy.get(vec![row.clone()]).await, Ok(vec![Some("before".into())]));
    assert_eq!(store.get(vec![row]).await, Ok(vec![Some("after".into())]));
}

#[tokio::test]
async fn a_copy_has_another_instance_than_what_it_is_a_copy_of() {
    let home = tempdir().unwrap();
    let [dir, backup] = ["data", "backup"].map(|name| home.path().join(name));
    let instance = async |dir: &Path| crate::store::instance(&*Sqlite::open(dir).unwrap()).await.unwrap();
    let original = instance(&dir).await;
    assert_eq!(instance(&dir).await, original, "it stays when it is opened again");

    let mut copy = Sqlite::open(&dir).unwrap().backup().unwrap();
    fs::create_dir(&backup).unwrap();
    std::io::copy(&mut copy, &mut fs::File::create(database(&backup)).unwrap()).unwrap();
    let bytes = fs::read(database(&backup)).unwrap();
    assert!(!bytes.windows(16).any(|part| part == original.bytes()), "it left the file");
    assert_eq!(contents(&backup).into_iter().map(|(name, _)| name).collect::<Vec<_>>(), ["store.db"]);
    let restored = instance(&backup).await;
    assert_ne!(restored, original);
    assert_eq!(instance(&backup).await, restored, "the first opening chose it for good");
    assert_eq!(instance(&dir).await, original);
}

#[test]
fn sqlite_is_built_as_the_configuration_of_the_build_says() {
    // One of its flags that SQLite tells; another has commits synced without the file's times.
    let connection = Connection::open_in_memory().unwrap();
    let used = "SELECT sqlite_compileoption_used('DEFAULT_MEMSTATUS=0')";
    assert!(connection.query_row(used, [], |row| row.get::<_, bool>(0)).unwrap(), "LIBSQLITE3_FLAGS are not there");
}
