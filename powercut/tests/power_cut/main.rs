//! Power cuts: everything that the store promised is there afterwards.
//!
//! Writers append, redact and commit; at a random moment what they were promised is noted, then the power goes. The
//! files as the disk might have them are opened again, and the same goes on there. `KITH_POWERCUT_SEEDS` is how many
//! seeds are tried. A seed decides what the disk forgets; what the threads were at by then is up to the machine.

mod failing;
mod ledger;

use std::{path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use kith::{
    operator::verify::verify,
    store::{
        Change, Condition, RowKey, Store, Turn, WriteError, schema,
        sqlite::{Ground, Sqlite, upgrade},
    },
};
use kith_powercut::{NAME, chance::Chance, cut, register};
use ledger::{Ledger, row, value};
use rusqlite::{Connection, OpenFlags};
use tempfile::{TempDir, tempdir};
use tokio::sync::Mutex;

const SEEDS: u64 = 40;
const WRITERS: usize = 4;
/// Power cuts in the life of one store.
const CUTS: usize = 3;

fn seeds() -> u64 {
    std::env::var("KITH_POWERCUT_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(SEEDS)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_promised_survives_a_power_cut() {
    register();
    for seed in 0..seeds() {
        if let Err(lost) = live(seed, true).await {
            panic!("seed {seed}: {lost}");
        }
    }
}

/// The test above is worth what this one says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_does_not_wait_for_the_disk_is_found_out() {
    register();
    for seed in 0..SEEDS {
        if live(seed, false).await.is_err() {
            return;
        }
    }
    panic!("a store that syncs nothing passed");
}

async fn live(seed: u64, sync: bool) -> Result<(), String> {
    let mut chance = Chance::new(seed);
    let mut dir = tempdir().unwrap();
    let ledgers: Vec<_> = (0..WRITERS).map(|_| Arc::new(Mutex::new(Ledger::new()))).collect();
    for _ in 0..CUTS {
        // The log is emptied all the time, now and then, or never.
        let wal_bytes = [0, 100_000, u64::MAX][chance.below(3) as usize];
        let ground = Ground { vfs: Some(NAME.to_owned()), sync, wal_bytes };
        let opened = open(dir.path(), &ground, &ledgers).await?;
        dir = until_the_power_goes(opened, dir, &ledgers, &mut chance).await;
    }
    drop(open(dir.path(), &Ground::default(), &ledgers).await?);
    let report = verify(dir.path(), |_| {}).map_err(|error| error.to_string())?;
    if report.is_clean() { Ok(()) } else { Err(report.to_string()) }
}

/// Opens what the power cut left, and compares.
async fn open(dir: &Path, ground: &Ground, ledgers: &[Arc<Mutex<Ledger>>]) -> Result<Arc<Sqlite>, String> {
    let store = Sqlite::open_on(dir, ground).map_err(|error| error.to_string())?;
    for ledger in ledgers {
        ledger.lock().await.settle(&*store).await?;
    }
    Ok(store)
}

/// Lets the writers write for a while; the directory is what the disk has then, and the ledgers what was promised.
async fn until_the_power_goes(
    store: Arc<Sqlite>,
    dir: TempDir,
    ledgers: &[Arc<Mutex<Ledger>>],
    chance: &mut Chance,
) -> TempDir {
    let writers = ledgers.iter().map(|ledger| {
        let writer = write(store.clone(), ledger.clone(), Chance::new(chance.number()));
        tokio::spawn(writer)
    });
    let writers: Vec<_> = writers.collect();
    tokio::time::sleep(Duration::from_micros(chance.below(60_000))).await;
    let mut promised = Vec::new();
    for ledger in ledgers {
        promised.push(ledger.lock().await.clone());
    }
    let left = tempdir().unwrap();
    cut(dir.path(), left.path(), chance).unwrap();
    for writer in writers {
        writer.abort();
        let _ = writer.await;
    }
    for (ledger, promised) in ledgers.iter().zip(promised) {
        let mut ledger = ledger.lock().await;
        // What was asked for between the note and the cut may be there.
        let asked = std::mem::replace(&mut *ledger, promised);
        (ledger.asked, ledger.put, ledger.redacting) = (asked.asked, asked.put, asked.redacting);
    }
    left
}

async fn write(store: Arc<Sqlite>, ledger: Arc<Mutex<Ledger>>, mut chance: Chance) {
    loop {
        match chance.below(10) {
            0..6 => append(&*store, &ledger, 1 + chance.below(5)).await,
            6..9 => put(&*store, &ledger).await,
            _ => redact(&*store, &ledger, &mut chance).await,
        }
    }
}

async fn append(store: &dyn Store, ledger: &Mutex<Ledger>, count: u64) {
    let (log, head, turn) = {
        let mut ledger = ledger.lock().await;
        let (head, turn) = (ledger.promised, ledger.turn(count));
        (ledger.log, head, turn)
    };
    let sent = turn.append.clone();
    let redacted = turn.redact.first().map(|record| record.seq);
    store.write(log, head, turn).await.unwrap();
    {
        let mut ledger = ledger.lock().await;
        ledger.promised = head + count;
        ledger.redacted.extend(redacted);
    }
    // Every now and then the answer is lost, and all of it is sent again.
    if head % 7 == 0 {
        let known = (0..).zip(head + 1..=head + count).collect();
        assert_eq!(store.write(log, head, Turn::append(sent)).await, Err(WriteError::Known(known)));
    }
}

async fn put(store: &dyn Store, ledger: &Mutex<Ledger>) {
    let (row, before, next) = {
        let mut ledger = ledger.lock().await;
        ledger.put += 1;
        (row(ledger.log), ledger.put_promised, ledger.put)
    };
    let condition = match before {
        0 => Condition::Absent(row.key.clone()),
        _ => Condition::Equals(row.key.clone(), value(before)),
    };
    store.commit(row.partition, vec![Change::Put(row.key, value(next))], vec![condition]).await.unwrap();
    ledger.lock().await.put_promised = next;
}

async fn redact(store: &dyn Store, ledger: &Mutex<Ledger>, chance: &mut Chance) {
    let (log, head, record) = {
        let mut ledger = ledger.lock().await;
        if ledger.promised < 2 {
            return;
        }
        let seq = 2 + chance.below(ledger.promised - 1);
        ledger.redacting.push(seq);
        (ledger.log, ledger.promised, ledger.redaction(seq))
    };
    let seq = record.seq;
    store.write(log, head, Turn::redact(record)).await.unwrap();
    ledger.lock().await.redacted.push(seq);
}

/// Wherever the power goes while an older directory is upgraded, the next opening finishes it and nothing is missing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upgrade_survives_a_power_cut() {
    register();
    let ground = Ground { vfs: Some(NAME.to_owned()), ..Ground::default() };
    for seed in 0..seeds() {
        let mut chance = Chance::new(seed);
        let dir = tempdir().unwrap();
        let store = Sqlite::open_on(dir.path(), &ground).unwrap();
        let kept = row(kith_protocol::ConversationId::from_bytes([7; 16]));
        put_row(&*store, kept.clone(), value(1)).await;
        drop(store);
        make_first(dir.path());

        let (from, opening) = (dir.path().to_owned(), ground.clone());
        let upgrading = tokio::task::spawn_blocking(move || drop(Sqlite::open_on(&from, &opening)));
        tokio::time::sleep(Duration::from_micros(chance.below(5_000))).await;
        let left = tempdir().unwrap();
        cut(dir.path(), left.path(), &mut chance).unwrap();
        upgrading.await.unwrap();
        let version = upgrade::due(left.path()).unwrap().version;
        assert!((1..=schema::VERSION).contains(&version), "seed {seed}: {version}");
        let store = Sqlite::open(left.path()).unwrap();
        assert_eq!(upgrade::due(left.path()).unwrap().version, schema::VERSION, "seed {seed}");
        assert_eq!(store.get(vec![kept]).await, Ok(vec![Some(value(1))]), "seed {seed}");
    }
}

/// Makes a directory one of the first version, as the programs of that time left it.
fn make_first(dir: &Path) {
    let database = Connection::open_with_flags_and_vfs(dir.join("store.db"), OpenFlags::default(), NAME).unwrap();
    for table in ["entries", "rows", "ids"] {
        database.execute_batch(&format!("ALTER TABLE {table} DROP COLUMN sum")).unwrap();
    }
    let (partition, key) = (schema::server::partition(), schema::server::version());
    let key = [&[partition.len() as u8][..], &partition, &key].concat();
    let value = &schema::server::version_value(1)[..];
    assert_eq!(database.execute("UPDATE rows SET value = ?2 WHERE key = ?1", (key, value)), Ok(1));
    database.pragma_update(None, "user_version", 1).unwrap();
}

async fn put_row(store: &dyn Store, row: RowKey, value: Bytes) {
    store.commit(row.partition, vec![Change::Put(row.key, value)], vec![]).await.unwrap();
}
