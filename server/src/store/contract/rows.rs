//! The stories of the rows.

use std::sync::Arc;

use bytes::Bytes;
use tokio::task::JoinSet;

use super::super::{Change, CommitError, Condition, Direction, KeyRange, Row, RowKey, Store};

const PARTITION: &[u8] = b"part";

fn put(key: &[u8], value: &'static str) -> Change {
    Change::Put(key.to_vec(), value.into())
}

fn delete(key: &[u8]) -> Change {
    Change::Delete(key.to_vec())
}

fn name(partition: &[u8], key: &[u8]) -> RowKey {
    RowKey { partition: partition.to_vec(), key: key.to_vec() }
}

async fn value(store: &dyn Store, key: &[u8]) -> Option<Bytes> {
    store.get(vec![name(PARTITION, key)]).await.unwrap().remove(0)
}

async fn change(store: &dyn Store, changes: Vec<Change>) {
    assert_eq!(store.commit(PARTITION.to_vec(), changes, vec![]).await, Ok(()));
}

async fn keys(store: &dyn Store, range: KeyRange, direction: Direction, limit: usize) -> Vec<Vec<u8>> {
    let rows = store.scan(PARTITION.to_vec(), range, direction, limit).await.unwrap();
    rows.into_iter().map(|row| row.key).collect()
}

pub(super) async fn rows_are_what_was_put_last(store: &dyn Store) {
    assert_eq!(store.get(vec![]).await, Ok(vec![]));
    assert_eq!(value(store, b"a").await, None);
    change(store, vec![put(b"a", "1"), put(b"b", "2"), put(b"", "empty key"), put(b"c", "")]).await;
    let wanted = [name(PARTITION, b"b"), name(PARTITION, b"x"), name(PARTITION, b""), name(PARTITION, b"c")];
    let found = store.get(wanted.to_vec()).await.unwrap();
    assert_eq!(found, [Some("2".into()), None, Some("empty key".into()), Some("".into())]);
    change(store, vec![put(b"a", "3"), delete(b"b"), delete(b"nothing")]).await;
    assert_eq!(value(store, b"a").await, Some("3".into()));
    assert_eq!(value(store, b"b").await, None);
    // The changes of one commit happen in their order.
    change(store, vec![put(b"d", "1"), delete(b"d"), delete(b"a"), put(b"a", "4"), put(b"a", "5")]).await;
    assert_eq!((value(store, b"a").await, value(store, b"d").await), (Some("5".into()), None));
    let long = Bytes::from(vec![7; 100_000]);
    change(store, vec![Change::Put(vec![8; 1000], long.clone())]).await;
    assert_eq!(value(store, &[8; 1000]).await, Some(long));
}

pub(super) async fn a_scan_stays_within_its_bounds(store: &dyn Store) {
    let all: [&[u8]; 7] = [b"", b"\0", b"a", b"a\0", b"ab", b"b", b"\xff\xff"];
    change(store, all.iter().rev().map(|key| put(key, "v")).collect()).await;
    let range = |from: &[u8], to: Option<&[u8]>| KeyRange { from: from.to_vec(), to: to.map(<[u8]>::to_vec) };
    let cases: [(KeyRange, &[&[u8]]); 7] = [
        (KeyRange::default(), &all),
        (range(b"a", None), &all[2..]),
        (range(b"a", Some(b"b")), &all[2..5]),
        (range(b"a\0", Some(b"ab")), &all[3..4]),
        (range(b"", Some(b"")), &[]),
        (range(b"b", Some(b"a")), &[]),
        (range(b"c", Some(b"\xff\xff\xff")), &all[6..]),
    ];
    for (range, expected) in cases {
        for limit in [0, 1, 2, 100, usize::MAX] {
            let mut ascending: Vec<Vec<u8>> = expected.iter().map(|key| key.to_vec()).collect();
            let mut descending: Vec<Vec<u8>> = ascending.iter().rev().cloned().collect();
            ascending.truncate(limit);
            descending.truncate(limit);
            assert_eq!(keys(store, range.clone(), Direction::Ascending, limit).await, ascending, "{range:?}");
            assert_eq!(keys(store, range.clone(), Direction::Descending, limit).await, descending, "{range:?}");
        }
    }
    let rows = store.scan(PARTITION.to_vec(), range(b"b", Some(b"c")), Direction::Ascending, 9).await.unwrap();
    assert_eq!(rows, [Row { key: b"b".to_vec(), value: "v".into() }]);
}

pub(super) async fn partitions_do_not_see_each_other(store: &dyn Store) {
    // None is an end for another, however they begin.
    let names: [&[u8]; 7] = [b"", b"p", b"pp", b"p\0", b"p\xff", &[255; 254], &[255; 255]];
    for (name, place) in names.into_iter().zip(0u8..) {
        let changes =
            vec![Change::Put(b"p".to_vec(), vec![place].into()), Change::Put(vec![255; 3], vec![place].into())];
        assert_eq!(store.commit(name.to_vec(), changes, vec![]).await, Ok(()));
    }
    for (name, place) in names.into_iter().zip(0u8..) {
        let rows = store.scan(name.to_vec(), KeyRange::default(), Direction::Ascending, 100).await.unwrap();
        let expected = [b"p".to_vec(), vec![255; 3]].map(|key| Row { key, value: vec![place].into() });
        assert_eq!(rows, expected);
    }
    assert_eq!(store.commit(b"p".to_vec(), vec![delete(b"p")], vec![]).await, Ok(()));
    let found = store.get(vec![name(b"p", b"p"), name(b"pp", b"p"), name(b"", b"pp")]).await.unwrap();
    assert_eq!(found, [None, Some(vec![2].into()), None]);
}

pub(super) async fn a_condition_that_fails_changes_nothing_and_tells_the_row(store: &dyn Store) {
    change(store, vec![put(b"a", "1"), put(b"empty", "")]).await;
    let absent = |key: &[u8]| Condition::Absent(key.to_vec());
    let equals = |key: &[u8], value: &'static str| Condition::Equals(key.to_vec(), value.into());
    let refused =
        |index, current: Option<&'static str>| Err(CommitError::Condition { index, current: current.map(Bytes::from) });
    let cases = [
        (vec![absent(b"a")], refused(0, Some("1"))),
        (vec![equals(b"a", "2")], refused(0, Some("1"))),
        (vec![equals(b"a", "")], refused(0, Some("1"))),
        (vec![equals(b"x", "")], refused(0, None)),
        (vec![absent(b"empty")], refused(0, Some(""))),
        (vec![equals(b"a", "1"), absent(b"x"), equals(b"x", "1"), absent(b"a")], refused(2, None)),
    ];
    for (conditions, answer) in cases {
        let changes = vec![put(b"b", "new"), delete(b"a")];
        assert_eq!(store.commit(PARTITION.to_vec(), changes, conditions.clone()).await, answer, "{conditions:?}");
        assert_eq!((value(store, b"a").await, value(store, b"b").await), (Some("1".into()), None));
    }
    let holding = vec![equals(b"a", "1"), absent(b"x"), equals(b"empty", "")];
    let changes = vec![put(b"x", "2"), delete(b"a")];
    assert_eq!(store.commit(PARTITION.to_vec(), changes, holding.clone()).await, Ok(()));
    assert_eq!((value(store, b"a").await, value(store, b"x").await), (None, Some("2".into())));
    // Conditions look at what was there before, and a commit may have no changes.
    assert_eq!(store.commit(PARTITION.to_vec(), vec![], holding).await, refused(0, None));
    assert_eq!(store.commit(PARTITION.to_vec(), vec![], vec![equals(b"x", "2")]).await, Ok(()));
}

pub(super) async fn of_many_who_want_a_row_one_gets_it(store: Arc<dyn Store>) {
    let mut wanting = JoinSet::new();
    for who in 0..16u8 {
        let store = store.clone();
        wanting.spawn(async move {
            let mine = Bytes::from(vec![who]);
            let changes = vec![Change::Put(b"name".to_vec(), mine.clone())];
            match store.commit(PARTITION.to_vec(), changes, vec![Condition::Absent(b"name".to_vec())]).await {
                Ok(()) => (true, mine),
                Err(CommitError::Condition { index: 0, current: Some(current) }) => (false, current),
                Err(error) => panic!("{error}"),
            }
        });
    }
    let answers = wanting.join_all().await;
    let winner = value(&*store, b"name").await.unwrap();
    assert!(answers.iter().all(|(_, told)| *told == winner), "the others are told who got it");
    assert_eq!(answers.iter().filter(|(won, _)| *won).count(), 1);
}
