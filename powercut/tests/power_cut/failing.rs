//! A disk that is full refuses and recovers; one that cannot sync ends the process.

use std::process::Command;

use kith::{
    operator::verify::verify,
    store::{
        Change, CommitError, Error, Store, WriteError,
        sqlite::{Ground, Sqlite},
    },
};
use kith_powercut::{NAME, break_sync, fill, register};
use tempfile::tempdir;

use super::ledger::{Ledger, row, value};

const BROKEN: &str = "KITH_POWERCUT_BROKEN";
/// The exit code of an engine whose disk fails: `EX_SOFTWARE`.
const EXIT_CODE: i32 = 70;

fn ground() -> Ground {
    register();
    Ground { vfs: Some(NAME.to_owned()), ..Ground::default() }
}

/// Appends until there is no room.
async fn append_until_full(store: &Sqlite, ledger: &mut Ledger) -> String {
    for _ in 0..100_000 {
        let (head, turn) = (ledger.promised, ledger.turn(1));
        match store.write(ledger.log, head, turn).await {
            Ok(()) => ledger.promised += 1,
            Err(WriteError::Store(Error::Full(why))) => return why,
            Err(error) => panic!("{error}"),
        }
        ledger.asked.truncate(ledger.promised as usize);
    }
    panic!("the disk is never full");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_loses_nothing_and_takes_more_when_there_is_room() {
    let dir = tempdir().unwrap();
    let store = Sqlite::open_on(dir.path(), &ground()).unwrap();
    let mut ledger = Ledger::new();
    for room in [300_000, 600_000, 900_000] {
        fill(dir.path(), Some(room));
        append_until_full(&store, &mut ledger).await;
        let many = vec![Change::Put(row(ledger.log).key, vec![0; 2_000_000].into())];
        let refused = store.commit(row(ledger.log).partition, many, vec![]).await;
        assert!(matches!(refused, Err(CommitError::Store(Error::Full(_)))), "{refused:?}");
        ledger.settle(&*store).await.unwrap();

        fill(dir.path(), None);
        assert_eq!(store.ready().await, Ok(()));
        let (head, turn) = (ledger.promised, ledger.turn(1));
        store.write(ledger.log, head, turn).await.unwrap();
        ledger.promised += 1;
        ledger.settle(&*store).await.unwrap();
    }
    drop(store);
    assert!(verify(dir.path(), |_| {}).unwrap().is_clean());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_too_large_for_the_disk_does_not_refuse_its_neighbours() {
    let dir = tempdir().unwrap();
    let store = Sqlite::open_on(dir.path(), &ground()).unwrap();
    fill(dir.path(), Some(400_000));
    let put = |(key, bytes): (u8, usize)| {
        let (store, name) = (store.clone(), row(Ledger::new().log));
        let changes = vec![Change::Put(vec![key; 16], vec![key; bytes].into())];
        tokio::spawn(async move { store.commit(name.partition, changes, vec![]).await })
    };
    let mut taken = Vec::new();
    for put in [(1, 10), (2, 1_000_000), (3, 10), (4, 1_000_000), (5, 10)].map(put) {
        taken.push(put.await.unwrap().is_ok());
    }
    assert_eq!(taken, [true, false, true, false, true]);
}

/// Runs itself once more, in a process of its own, with a disk that breaks.
#[test]
fn a_disk_that_cannot_sync_ends_the_process() {
    let name = "failing::a_process_whose_disk_breaks";
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--ignored", "--nocapture"])
        .env(BROKEN, "1")
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(EXIT_CODE));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a part of the test above"]
async fn a_process_whose_disk_breaks() {
    if std::env::var_os(BROKEN).is_none() {
        return;
    }
    let dir = tempdir().unwrap();
    let store = Sqlite::open_on(dir.path(), &ground()).unwrap();
    let name = row(Ledger::new().log);
    let put = |number| vec![Change::Put(name.key.clone(), value(number))];
    store.commit(name.partition.clone(), put(1), vec![]).await.unwrap();
    break_sync();
    let answer = store.commit(name.partition.clone(), put(2), vec![]).await;
    panic!("a commit that was not synced was answered: {answer:?}");
}
