//! What the index promises to who feeds it.

use std::{fs, sync::Arc};

use kith_protocol::{ConversationId, Timestamp, UserId};
use rusqlite::Connection;
use tempfile::{TempDir, tempdir};

use super::{Change, Found, Index, Question, Text, Trouble};
use crate::limits;

const HERE: ConversationId = ConversationId::from_bytes([1; 16]);

fn open() -> (TempDir, Arc<Index>) {
    let dir = tempdir().unwrap();
    let index = Index::new(dir.path(), Arc::new(()));
    (dir, index)
}

fn put(seq: u64, at_ms: u64, words: &str) -> Change {
    let sender = UserId::from_bytes([2; 16]);
    Change::Put(Text { seq, sender, at: Timestamp::from_millis(at_ms), expires_at: None, text: words.to_owned() })
}

async fn find(index: &Arc<Index>, matching: &str, below: Option<i64>) -> Found {
    let readable = [(HERE, 1)].into();
    let question = Question { matching: matching.to_owned(), readable, from: None, below, before: None };
    index.find(question).await.unwrap()
}

async fn seqs(index: &Arc<Index>, matching: &str) -> Vec<u64> {
    find(index, matching, None).await.candidates.iter().map(|candidate| candidate.seq).collect()
}

#[tokio::test]
async fn the_newest_come_first_whenever_they_were_indexed() {
    let (_dir, index) = open();
    index.apply(HERE, 2, vec![put(1, 2000, "tea"), put(2, 3000, "tea")]).await.unwrap();
    let old = ConversationId::from_bytes([3; 16]);
    index.apply(old, 1, vec![put(1, 9000, "tea of others")]).await.unwrap();
    index.apply(HERE, 4, vec![put(3, 1000, "tea"), put(4, 1000, "tea")]).await.unwrap();
    assert_eq!(seqs(&index, "\"tea\"").await, [2, 1, 4, 3]);
    assert_eq!(index.progress(vec![HERE, old, ConversationId::from_bytes([4; 16])]).await.unwrap(), [4, 1, 0]);
    assert_eq!(index.messages().await, Ok(5));
}

#[tokio::test]
async fn what_was_not_looked_at_is_found_by_the_next_question() {
    let (_dir, index) = open();
    let count = limits::SEARCH_CANDIDATES as u64 + 7;
    // More of one millisecond than it has room for.
    index.apply(HERE, count, (1..=count).map(|seq| put(seq, 1000, "tea")).collect()).await.unwrap();
    let first = find(&index, "\"tea\"", None).await;
    let rest = find(&index, "\"tea\"", Some(first.rest.expect("there is more"))).await;
    let found: Vec<_> = first.candidates.iter().chain(&rest.candidates).map(|candidate| candidate.seq).collect();
    assert_eq!(found, (1..=count).rev().collect::<Vec<_>>());
    assert_eq!(rest.rest, None);
}

#[tokio::test]
async fn what_is_taken_out_leaves_no_word_behind() {
    let (dir, index) = open();
    let words = |seq: u64| format!("word{seq} common {}", "long ".repeat(seq as usize));
    index.apply(HERE, 50, (1..=50).map(|seq| put(seq, seq, &words(seq))).collect()).await.unwrap();
    index.apply(HERE, 51, vec![put(7, 7, "another"), Change::Remove(8), Change::Remove(999)]).await.unwrap();
    assert_eq!(seqs(&index, "\"word7\" OR \"word8\" OR \"word9\"").await, [9]);
    assert_eq!(seqs(&index, "\"another\"").await, [7]);
    index.apply(HERE, 52, (1..=50).map(Change::Remove).collect()).await.unwrap();
    index.tidy(Timestamp::from_millis(0)).await.unwrap();
    let held: Vec<u8> =
        fs::read_dir(dir.path()).unwrap().flat_map(|file| fs::read(file.unwrap().path()).unwrap()).collect();
    assert!(!held.windows(6).any(|part| part == b"common"), "neither in the text nor in the index of its words");
    let plain = Connection::open(dir.path().join("search.db")).unwrap();
    plain.execute_batch("CREATE VIRTUAL TABLE temp.terms USING fts5vocab(main, words, row)").unwrap();
    assert_eq!(plain.query_row("SELECT count(*) FROM terms", [], |row| row.get::<_, i64>(0)), Ok(0));
}

#[tokio::test]
async fn what_expires_is_taken_out() {
    let (_dir, index) = open();
    let Change::Put(text) = put(1, 1000, "tea") else { unreachable!("it is one") };
    let expires = Text { expires_at: Some(Timestamp::from_millis(5000)), ..text };
    index.apply(HERE, 2, vec![Change::Put(expires), put(2, 1000, "tea")]).await.unwrap();
    index.tidy(Timestamp::from_millis(4999)).await.unwrap();
    assert_eq!(seqs(&index, "\"tea\"").await, [2, 1]);
    index.tidy(Timestamp::from_millis(5000)).await.unwrap();
    assert_eq!(seqs(&index, "\"tea\"").await, [2]);
}

#[tokio::test]
async fn an_index_of_another_version_is_made_anew() {
    let (dir, index) = open();
    index.apply(HERE, 1, vec![put(1, 1, "tea")]).await.unwrap();
    index.walk(None).await.unwrap();
    assert_eq!(index.walked().await, Ok(None));
    drop(index);
    let file = dir.path().join("search.db");
    Connection::open(&file).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let index = Index::new(dir.path(), Arc::new(()));
    assert_eq!(index.walked().await, Ok(Some(String::new())), "the walk begins again");
    assert_eq!(index.progress(vec![HERE]).await, Ok(vec![0]));
    assert_eq!(seqs(&index, "\"tea\"").await, Vec::<u64>::new());
}

#[tokio::test]
async fn a_damaged_index_says_so_until_it_is_cleared() {
    let (dir, index) = open();
    fs::write(dir.path().join("search.db"), [7; 9000]).unwrap();
    assert!(matches!(index.progress(vec![HERE]).await, Err(Trouble::Damaged(_))));
    let question = Question {
        matching: "\"tea\"".to_owned(),
        readable: [(HERE, 1)].into(),
        from: None,
        below: None,
        before: None,
    };
    assert!(matches!(index.find(question).await, Err(Trouble::Damaged(_))));
    index.clear().await.unwrap();
    index.apply(HERE, 1, vec![put(1, 1, "tea")]).await.unwrap();
    assert_eq!(seqs(&index, "\"tea\"").await, [1]);
}
