//! Promises of the index to its feed and to its readers.

use std::{fs, ops::Bound, sync::Arc};

use futures_util::future::join_all;
use kith_protocol::{ConversationId, Timestamp, UserId};
use rusqlite::Connection;
use tempfile::{TempDir, tempdir};

use super::{Change, Found, Index, Place, Question, Text, Trouble, Work};
use crate::{limits, search::query::Query};

const HERE: ConversationId = ConversationId::from_bytes([1; 16]);
const THERE: ConversationId = ConversationId::from_bytes([3; 16]);
const USER: UserId = UserId::from_bytes([2; 16]);

fn open() -> (TempDir, Arc<Index>) {
    let dir = tempdir().unwrap();
    let index = Index::new(dir.path(), Arc::new(()));
    (dir, index)
}

fn put(seq: u64, at_ms: u64, words: &str) -> Change {
    put_by(USER, seq, at_ms, words)
}

fn put_by(sender: UserId, seq: u64, at_ms: u64, words: &str) -> Change {
    Change::Put(Text { seq, sender, at: Timestamp::from_millis(at_ms), expires_at: None, text: words.to_owned() })
}

/// A question of somebody who may read `HERE` alone.
fn question(words: &str) -> Question {
    let query = Query::read(words).unwrap();
    Question { query, readable: [(HERE, 1)].into(), from: None, up_to: Bound::Unbounded, before: None }
}

async fn find(index: &Arc<Index>, question: Question) -> Found {
    find_as(index, USER, question).await.unwrap()
}

async fn find_as(index: &Arc<Index>, user: UserId, question: Question) -> Result<Found, Trouble> {
    let turn = index.turn(user).await?;
    Ok(index.find(turn, question).await?.0)
}

fn places(found: &Found) -> Vec<(ConversationId, u64)> {
    found.candidates.iter().map(|found| (found.place.conversation, found.place.seq)).collect()
}

async fn seqs(index: &Arc<Index>, words: &str) -> Vec<u64> {
    places(&find(index, question(words)).await).into_iter().map(|(_, seq)| seq).collect()
}

#[tokio::test]
async fn the_newest_come_first_whenever_they_were_indexed() {
    let (_dir, index) = open();
    index.apply(HERE, 2, vec![put(1, 2000, "tea"), put(2, 3000, "tea")]).await.unwrap();
    let others = ConversationId::from_bytes([4; 16]);
    index.apply(others, 1, vec![put(1, 9000, "tea of others")]).await.unwrap();
    index.apply(THERE, 4, vec![put(1, 1000, "tea"), put(2, 2000, "tea"), put(3, 2500, "tea")]).await.unwrap();
    let both = Question { readable: [(HERE, 1), (THERE, 1)].into(), ..question("tea") };
    let expected = [(HERE, 2), (THERE, 3), (THERE, 2), (HERE, 1), (THERE, 1)];
    let found = find(&index, both.clone()).await;
    assert_eq!(places(&found), expected);
    // From any place on, with it and without it.
    for (at, candidate) in found.candidates.iter().enumerate() {
        let with = Question { up_to: Bound::Included(candidate.place), ..both.clone() };
        assert_eq!(places(&find(&index, with).await), expected[at..]);
        let without = Question { up_to: Bound::Excluded(candidate.place), ..both.clone() };
        assert_eq!(places(&find(&index, without).await), expected[at + 1..]);
    }
    let since = Question { readable: [(HERE, 2), (THERE, 3)].into(), ..both.clone() };
    assert_eq!(places(&find(&index, since).await), expected[..2]);
    let before = Question { before: Some(Timestamp::from_millis(2500)), ..both };
    assert_eq!(places(&find(&index, before).await), expected[2..]);
    let unknown = ConversationId::from_bytes([5; 16]);
    assert_eq!(index.progress(vec![HERE, THERE, unknown]).await.unwrap(), [2, 4, 0]);
    assert_eq!(index.messages().await, Ok(6));
}

#[tokio::test]
async fn what_was_not_looked_at_is_found_by_the_next_question() {
    let (_dir, index) = open();
    let count = limits::SEARCH_CANDIDATES as u64 + 7;
    // All of one millisecond, in two conversations.
    index.apply(HERE, count, (1..=count).map(|seq| put(seq, 1000, "tea")).collect()).await.unwrap();
    index.apply(THERE, count, (1..=count).map(|seq| put(seq, 1000, "tea")).collect()).await.unwrap();
    let (mut found, mut up_to) = (Vec::new(), Bound::Unbounded);
    loop {
        let both = Question { readable: [(HERE, 1), (THERE, 1)].into(), up_to, ..question("tea") };
        let page = find(&index, both).await;
        found.extend(places(&page));
        if !page.more {
            break;
        }
        assert_eq!(page.candidates.len(), limits::SEARCH_CANDIDATES);
        up_to = Bound::Excluded(page.candidates[limits::SEARCH_CANDIDATES - 1].place);
    }
    let expected = [THERE, HERE].map(|id| (1..=count).rev().map(move |seq| (id, seq)));
    assert_eq!(found, expected.into_iter().flatten().collect::<Vec<_>>());
}

#[tokio::test]
async fn the_times_of_a_log_lead_to_its_places() {
    let (_dir, index) = open();
    // Some entries are no messages, and several are of one time.
    let seqs: Vec<u64> = (1..200).filter(|seq| seq % 7 < 3 && !(50..90).contains(seq)).collect();
    let time = |seq: u64| 1000 + seq / 4 * 10;
    index.apply(HERE, 230, seqs.iter().map(|seq| put(*seq, time(*seq), "tea")).collect()).await.unwrap();
    for before in (990..1520).step_by(5) {
        let asked = Question { before: Some(Timestamp::from_millis(before)), ..question("tea") };
        let found: Vec<u64> = places(&find(&index, asked).await).into_iter().map(|(_, seq)| seq).collect();
        assert_eq!(found, seqs.iter().rev().copied().filter(|seq| time(*seq) < before).collect::<Vec<_>>(), "{before}");
    }
    // A place that is no longer there leads on too.
    let gone = Place { at: Timestamp::from_millis(time(60)), conversation: HERE, seq: 60 };
    let rest = places(&find(&index, Question { up_to: Bound::Excluded(gone), ..question("tea") }).await);
    assert_eq!(rest.first(), Some(&(HERE, 49)));
}

/// Has others talk in many conversations of theirs: 1 000 messages with the words.
async fn others_say(index: &Arc<Index>, first: u8, words: &str) {
    for number in first..first + 10 {
        let puts = (1..=100).map(|seq| put(seq, 5000 + seq, words)).collect();
        index.apply(ConversationId::from_bytes([number; 16]), 100, puts).await.unwrap();
    }
}

#[tokio::test]
async fn the_work_of_a_search_is_that_of_the_callers_conversations() {
    let (_dir, index) = open();
    let [own, of_another] = [USER, UserId::from_bytes([9; 16])];
    let mut puts: Vec<_> = (1..=30).map(|seq| put_by(own, seq, 1000 + seq, "green tea and 北京")).collect();
    puts.extend((31..=60).map(|seq| put_by(of_another, seq, 1000 + seq, "nothing of it")));
    index.apply(HERE, 60, puts).await.unwrap();
    index.apply(THERE, 1, vec![put(1, 4000, "it")]).await.unwrap();
    let both = |words| Question { readable: [(HERE, 1), (THERE, 1)].into(), ..question(words) };
    let queries = ["tea", "gre", "\"green tea\"", "nothing it", "北", "milk", "unknown"];
    let mut before = Vec::new();
    for words in queries {
        before.push(find(&index, both(words)).await);
    }
    let (rows, none): (Vec<_>, _) = (before.iter().map(|found| found.work.rows).collect(), Vec::<u64>::new());
    assert_eq!(rows, [30, 30, 30, 30, 30, 0, 0]);
    others_say(&index, 20, "green tea and 北京").await;
    others_say(&index, 40, "nothing of it, green milk").await;
    for (words, before) in queries.into_iter().zip(before) {
        assert_eq!(find(&index, both(words)).await, before, "{words}: it costs and finds the same");
        assert_eq!(before.work.conversations, 2, "{words}");
    }
    // So it is where one asks for a sender, also for one who wrote nothing, and where all that one may read is later.
    for sender in [of_another, UserId::from_bytes([99; 16])] {
        let from = Question { from: Some(sender), ..both("tea") };
        assert_eq!(find(&index, from).await.work, Work { conversations: 2, rows: 0 });
    }
    let since = Question { readable: [(HERE, 21)].into(), ..question("tea") };
    assert_eq!(find(&index, since).await.work, Work { conversations: 1, rows: 10 });
    assert_eq!(seqs(&index, "milk").await, none);
}

#[tokio::test]
async fn a_conversation_with_nothing_newer_is_not_looked_into() {
    let (_dir, index) = open();
    let count = limits::SEARCH_CANDIDATES as u64;
    index.apply(HERE, count, (1..=count).map(|seq| put(seq, 5000, "tea")).collect()).await.unwrap();
    index.apply(THERE, 1, vec![put(1, 4000, "tea")]).await.unwrap();
    let both = Question { readable: [(HERE, 1), (THERE, 1)].into(), ..question("tea") };
    let found = find(&index, both.clone()).await;
    assert_eq!((found.work, found.more), (Work { conversations: 1, rows: count }, true));
    let up_to = Bound::Excluded(found.candidates.last().unwrap().place);
    assert_eq!(places(&find(&index, Question { up_to, ..both }).await), [(THERE, 1)]);
}

#[tokio::test]
async fn a_flood_of_searches_refuses_none_of_another_user() {
    let (_dir, index) = open();
    index.apply(HERE, 1, vec![put(1, 1000, "tea")]).await.unwrap();
    let flood = join_all((0..3 * limits::SEARCHES_WAITING).map(|_| find_as(&index, USER, question("tea"))));
    let other = find_as(&index, UserId::from_bytes([9; 16]), question("tea"));
    let (flood, other) = tokio::join!(flood, other);
    assert_eq!(places(&other.expect("it is answered")), [(HERE, 1)]);
    let refused = flood.iter().filter(|answer| **answer == Err(Trouble::Overloaded)).count();
    assert!(refused >= limits::SEARCHES_WAITING, "{refused} of the flood were refused");
}

#[tokio::test]
async fn what_is_taken_out_leaves_no_word_behind() {
    let (dir, index) = open();
    let words = |seq: u64| format!("word{seq} common {}", "long ".repeat(seq as usize));
    index.apply(HERE, 50, (1..=50).map(|seq| put(seq, seq, &words(seq))).collect()).await.unwrap();
    index.apply(HERE, 51, vec![put(7, 7, "another"), Change::Remove(8), Change::Remove(999)]).await.unwrap();
    for (words, left) in [("word7", None), ("word8", None), ("word9", Some(9)), ("another", Some(7))] {
        assert_eq!(seqs(&index, &format!("\"{words}\"")).await, left.into_iter().collect::<Vec<_>>());
    }
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
    assert_eq!(seqs(&index, "tea").await, [2, 1]);
    index.tidy(Timestamp::from_millis(5000)).await.unwrap();
    assert_eq!(seqs(&index, "tea").await, [2]);
}

#[tokio::test]
async fn an_index_of_another_version_is_made_anew() {
    let (dir, index) = open();
    let file = dir.path().join("search.db");
    drop(index);
    for version in [1, 99] {
        let index = Index::new(dir.path(), Arc::new(()));
        index.apply(HERE, 1, vec![put(1, 1, "tea")]).await.unwrap();
        index.walk(None).await.unwrap();
        assert_eq!(index.walked().await, Ok(None));
        drop(index);
        Connection::open(&file).unwrap().pragma_update(None, "user_version", version).unwrap();
        let index = Index::new(dir.path(), Arc::new(()));
        assert_eq!(index.walked().await, Ok(Some(String::new())), "the walk begins again");
        assert_eq!(index.progress(vec![HERE]).await, Ok(vec![0]));
        assert_eq!(seqs(&index, "tea").await, Vec::<u64>::new());
    }
}

#[tokio::test]
async fn a_damaged_index_says_so_until_it_is_cleared() {
    let (dir, index) = open();
    fs::write(dir.path().join("search.db"), [7; 9000]).unwrap();
    assert!(matches!(index.progress(vec![HERE]).await, Err(Trouble::Damaged(_))));
    assert!(matches!(find_as(&index, USER, question("tea")).await, Err(Trouble::Damaged(_))));
    index.clear().await.unwrap();
    index.apply(HERE, 1, vec![put(1, 1, "tea")]).await.unwrap();
    assert_eq!(seqs(&index, "tea").await, [1]);
}
