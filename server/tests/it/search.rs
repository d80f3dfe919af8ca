//! Finding what was said. The index follows the logs by itself, so every story waits for what must be found soon.

use std::{fs, time::Duration, time::Instant};

use futures_util::future::join_all;
use kith::operator::client::Operator;
use kith_client::{Method, StatusCode, rest::Paging, rest::Search};
use kith_protocol::{
    Code, ConversationId, MessageId,
    entry::Body,
    rest::{ChangeConversation, EditMessage, NewParticipant, SearchItem},
};

use crate::world::{MOMENT, Person, SOON, World, code, text};

/// The time for which content that was deleted may stay on the disk, with time for a busy machine.
const SCRUBBED: Duration = Duration::from_secs(2 * kith::limits::SCRUB_S);

fn search(words: &str) -> Search {
    Search { words: words.to_owned(), ..Search::default() }
}

async fn items(who: &Person, words: &str) -> Vec<SearchItem> {
    who.rest.search(&search(words), &Paging::default()).await.expect("a search is answered").items
}

/// The texts that a search finds, the best first.
async fn found(who: &Person, words: &str) -> Vec<String> {
    items(who, words).await.iter().map(|item| said(item).to_owned()).collect()
}

fn said(item: &SearchItem) -> &str {
    match &item.message.entry.body {
        Body::Message(body) => &body.text,
        body => panic!("a search finds messages, not {body:?}"),
    }
}

/// Waits until a search finds just this.
async fn finds(who: &Person, words: &str, expected: &[&str]) {
    let until = Instant::now() + SOON;
    loop {
        let found = found(who, words).await;
        if found == expected {
            return;
        }
        assert!(Instant::now() < until, "{words:?} finds {found:?}, not {expected:?}");
        tokio::time::sleep(MOMENT).await;
    }
}

/// The highlighted parts of what a search finds, cut as JavaScript cuts: by UTF-16 code units.
async fn highlighted(who: &Person, words: &str) -> Vec<Vec<String>> {
    let cut = |item: &SearchItem| {
        let units: Vec<u16> = said(item).encode_utf16().collect();
        let part = |place: &kith_protocol::rest::Highlight| {
            String::from_utf16(&units[place.start as usize..place.end as usize]).expect("whole characters")
        };
        item.highlights.iter().map(part).collect()
    };
    items(who, words).await.iter().map(cut).collect()
}

#[tokio::test]
async fn words_phrases_and_beginnings_are_found() {
    let world = World::start().await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let direct = anna.direct(&bela).await;
    for words in ["Tea at five?", "No tea. Coffee at six, perhaps five.", "teapots are five euros", "Ça va, Łukasz?"]
    {
        anna.say(direct, words).await;
    }
    finds(&bela, "łukasz", &["Ça va, Łukasz?"]).await;
    finds(&bela, "tea five", &["No tea. Coffee at six, perhaps five.", "Tea at five?"]).await;
    finds(&bela, "\"at five\"", &["Tea at five?"]).await;
    finds(&bela, "five \"tea", &["No tea. Coffee at six, perhaps five.", "Tea at five?", "teapots are five euros"])
        .await;
    finds(&bela, "five tea", &["No tea. Coffee at six, perhaps five.", "Tea at five?", "teapots are five euros"]).await;
    finds(&bela, "LUKASZ ca", &["Ça va, Łukasz?"]).await;
    finds(&bela, "tea milk", &[]).await;
    assert_eq!(highlighted(&bela, "\"at five\"").await, [["at five"]]);
    assert_eq!(highlighted(&bela, "lukasz ca").await, [["Ça", "Łukasz"]]);
    // What means something to a database means nothing here.
    for odd in ["tea'; DROP TABLE words", "NEAR(tea five)", "tea*", "text:tea", "-tea", "\"tea", "(tea", "tea AND"] {
        bela.rest.search(&search(odd), &Paging::default()).await.expect("it is only words");
    }
    let (status, problem) = bela.raw(Method::GET, "/v1/search?q=%3F%21", None).await;
    assert_eq!((status, problem["errors"][0]["pointer"].as_str()), (StatusCode::BAD_REQUEST, Some("?q")));
    assert_eq!(bela.raw(Method::GET, "/v1/search", None).await.0, StatusCode::BAD_REQUEST);
    let long = format!("/v1/search?q={}", "a".repeat(300));
    assert_eq!(bela.raw(Method::GET, &long, None).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(bela.raw(Method::GET, "/v1/search?q=tea&cursor=x", None).await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn languages_without_spaces_are_found_by_any_part() {
    let world = World::start().await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let direct = anna.direct(&bela).await;
    let texts = ["😀 我明天去北京大学", "明日は東京タワーに行きます", "พรุ่งนี้ไปกรุงเทพ", "내일 서울에서 만나요"];
    for words in texts {
        anna.say(direct, words).await;
    }
    finds(&bela, "北京", &texts[..1]).await;
    finds(&bela, "京", &[texts[1], texts[0]]).await;
    finds(&bela, "北京 明天", &texts[..1]).await;
    finds(&bela, "京北", &[]).await;
    finds(&bela, "タワー", &texts[1..2]).await;
    finds(&bela, "กรุงเทพ", &texts[2..3]).await;
    finds(&bela, "서울", &texts[3..]).await;
    assert_eq!(highlighted(&bela, "北京").await, [["北京"]]);
    assert_eq!(items(&bela, "北京").await[0].highlights[0].start, 7, "an emoji is two units");
}

#[tokio::test]
async fn an_edited_message_is_found_by_what_it_says_now() {
    let world = World::start().await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let direct = anna.direct(&bela).await;
    let said = anna.say(direct, "meet me at the fountain").await;
    finds(&bela, "fountain", &["meet me at the fountain"]).await;
    for words in ["meet me at the station", "meet me at the library"] {
        anna.rest.edit(said.id, &EditMessage { text: words.into(), mentions: vec![] }).await.unwrap();
    }
    finds(&bela, "library", &["meet me at the library"]).await;
    assert_eq!(found(&bela, "fountain").await, Vec::<String>::new());
    assert_eq!(found(&bela, "station").await, Vec::<String>::new());
    assert!(items(&bela, "library").await[0].message.edited_at.is_some());
}

#[tokio::test]
async fn what_is_deleted_or_expires_leaves_the_index_and_its_files() {
    // One word each, so that the index has it as it is.
    let [deleted, edited, expires] = ["xqzdeletedmarker4711", "xqzeditedmarker4712", "xqzexpiringmarker4713"];
    let world = World::start().await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let direct = anna.direct(&bela).await;
    let said = anna.say(direct, format!("say {edited}")).await;
    finds(&bela, edited, &[&format!("say {edited}")]).await;
    anna.rest.edit(said.id, &EditMessage { text: format!("say {deleted}"), mentions: vec![] }).await.unwrap();
    finds(&bela, deleted, &[&format!("say {deleted}")]).await;
    let short = ChangeConversation { expire_after_s: Some(2), ..Default::default() };
    anna.rest.change_conversation(direct, &short).await.unwrap();
    anna.say(direct, expires).await;
    let indexed = || world.files_with(deleted).iter().any(|file| file.to_string_lossy().contains("search.db"));
    assert!(indexed(), "the index has the text, or the story shows nothing");
    anna.rest.delete(said.id).await.unwrap();
    assert_eq!(found(&bela, deleted).await, Vec::<String>::new(), "at once, whatever the index says");
    for marker in [deleted, edited, expires] {
        world.forgets(marker, SCRUBBED).await;
        assert_eq!(found(&bela, marker).await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn only_what_one_may_read_is_found() {
    let world = World::start().await;
    let [anna, bela, cora, dora] = world.people(["anna", "bela", "cora", "dora"]).await;
    let group = anna.group(&[&bela]).await;
    anna.say(group, "the secret of the first").await;
    anna.rest.add_participant(group, &NewParticipant { user: cora.id, role: None }).await.unwrap();
    anna.say(group, "the secret of the second").await;
    finds(&bela, "secret", &["the secret of the second", "the secret of the first"]).await;
    // History begins where one came.
    finds(&cora, "secret", &["the secret of the second"]).await;
    finds(&dora, "secret", &[]).await;
    let here = Search { conversation: Some(group), ..search("secret") };
    assert_eq!(code(dora.rest.search(&here, &Paging::default()).await), Some(Code::NotFound));
    assert_eq!(cora.rest.search(&here, &Paging::default()).await.unwrap().items.len(), 1);
    // Who is removed finds nothing at once, what they said themselves included.
    bela.say(group, "his own secret").await;
    finds(&bela, "own secret", &["his own secret"]).await;
    anna.rest.remove_participant(group, bela.id).await.unwrap();
    assert_eq!(found(&bela, "secret").await, Vec::<String>::new());
    assert_eq!(code(bela.rest.search(&here, &Paging::default()).await), Some(Code::NotFound));
    finds(&cora, "own secret", &["his own secret"]).await;
}

#[tokio::test]
async fn a_search_is_narrowed_and_paged() {
    let world = World::start().await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let (direct, group) = (anna.direct(&bela).await, anna.group(&[&bela]).await);
    let mut said = Vec::new();
    for number in 0..7 {
        let who = if number % 2 == 0 { &anna } else { &bela };
        said.push(who.say(if number < 4 { direct } else { group }, format!("cake {number}")).await);
    }
    let ids = |items: &[SearchItem]| items.iter().map(|item| item.message.entry.id).collect::<Vec<MessageId>>();
    let newest_first: Vec<_> = said.iter().rev().map(|entry| entry.id).collect();
    finds(&anna, "cake 6", &["cake 6"]).await;
    let all = anna.rest.search(&search("cake"), &Paging::default()).await.unwrap();
    assert_eq!((ids(&all.items), all.next_cursor), (newest_first.clone(), None));
    let narrowed = [
        Search { conversation: Some(group), ..search("cake") },
        Search { from: Some(bela.id), ..search("cake") },
        Search { before: Some(said[2].at), ..search("cake") },
    ];
    let expected: [Vec<usize>; 3] = [vec![6, 5, 4], vec![5, 3, 1], vec![1, 0]];
    for (asked, expected) in narrowed.iter().zip(expected) {
        let found = anna.rest.search(asked, &Paging::default()).await.unwrap().items;
        assert_eq!(ids(&found), expected.iter().map(|number| said[*number].id).collect::<Vec<_>>(), "{asked:?}");
    }
    // What is said meanwhile moves no page.
    let (mut paged, mut cursor) = (Vec::new(), None);
    loop {
        let page = anna.rest.search(&search("cake"), &Paging { limit: Some(3), cursor }).await.unwrap();
        paged.extend(ids(&page.items));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
        anna.say(direct, format!("more cake {}", paged.len())).await;
        finds(&anna, &format!("\"more cake {}\"", paged.len()), &[&format!("more cake {}", paged.len())]).await;
    }
    assert_eq!(paged, newest_first);
}

#[tokio::test]
async fn a_cursor_is_good_for_who_was_given_it_and_for_that_search() {
    let mut world = World::start().await;
    let [mut anna, mut bela] = world.people(["anna", "bela"]).await;
    let group = anna.group(&[&bela]).await;
    for number in 1..=3 {
        anna.say(group, format!("cake {number}")).await;
    }
    finds(&bela, "cake", &["cake 3", "cake 2", "cake 1"]).await;
    let first = Paging { limit: Some(1), ..Paging::default() };
    let page = anna.rest.search(&search("cake"), &first).await.unwrap();
    let cursor = page.next_cursor.expect("there is more");
    world.restart(&mut [&mut anna, &mut bela]).await;
    let after = |cursor: &str| Paging { limit: Some(1), cursor: Some(cursor.to_owned()) };
    let next = anna.rest.search(&search("cake"), &after(&cursor)).await.expect("it is still good");
    assert_eq!(said(&next.items[0]), "cake 2");
    let path = |q: &str, cursor: &str| format!("/v1/search?q={q}&limit=1&cursor={cursor}");
    let mut changed = cursor.clone();
    changed.replace_range(20..21, if &cursor[20..21] == "A" { "B" } else { "A" });
    for (who, path) in [
        (&bela, path("cake", &cursor)),
        (&anna, path("cake%201", &cursor)),
        (&anna, format!("{}&from={}", path("cake", &cursor), anna.id)),
        (&anna, path("cake", &changed)),
        (&anna, path("cake", &cursor[..40])),
        // As it was when it told a time.
        (&anna, path("cake", "458752000000000.1")),
    ] {
        let (status, problem) = who.raw(Method::GET, &path, None).await;
        assert_eq!((status, &problem["code"]), (StatusCode::BAD_REQUEST, &"invalid_request".into()), "{path}");
        assert_eq!(problem["errors"][0]["pointer"], "?cursor", "{path}");
    }
}

#[tokio::test]
async fn a_flood_of_searches_refuses_its_own_user_only() {
    let world = World::start().await;
    let [anna, bela, cora] = world.people(["anna", "bela", "cora"]).await;
    let (direct, other) = (anna.direct(&bela).await, anna.direct(&cora).await);
    for number in 0..50 {
        anna.say(direct, format!("needle {number}")).await;
    }
    anna.say(other, "another needle").await;
    finds(&cora, "needle", &["another needle"]).await;
    let flood = join_all((0..300).map(|_| found_or_refused(&bela, "needle")));
    let searches = async {
        for _ in 0..20 {
            assert_eq!(found(&cora, "needle").await, ["another needle"]);
        }
    };
    let (flood, ()) = tokio::join!(flood, searches);
    assert!(flood.into_iter().all(|refused| refused.is_none_or(|code| code == Code::Overloaded)));
}

/// The code with which a search is refused, if it is.
async fn found_or_refused(who: &Person, words: &str) -> Option<Code> {
    let answer = who.rest.search(&search(words), &Paging::default()).await;
    if answer.is_ok() { None } else { Some(code(answer).expect("the server says why")) }
}

/// Two people who have said something in several conversations.
async fn talk(anna: &Person, bela: &Person) -> Vec<ConversationId> {
    let conversations = vec![anna.direct(bela).await, anna.group(&[bela]).await, bela.group(&[anna]).await];
    for (index, conversation) in conversations.iter().enumerate() {
        for number in 0..5 {
            anna.say(*conversation, format!("harvest {number} of {index}, 収穫")).await;
        }
        let gone = bela.say(*conversation, "harvest that was deleted").await;
        let other = bela.say(*conversation, "something else").await;
        bela.rest.delete(gone.id).await.unwrap();
        let edit = EditMessage { text: format!("harvest by an edit in {index}"), mentions: vec![] };
        bela.rest.edit(other.id, &edit).await.unwrap();
    }
    conversations
}

/// The messages that a search finds once it finds so many.
async fn all(who: &Person, words: &str, count: usize) -> Vec<(MessageId, Vec<kith_protocol::rest::Highlight>)> {
    let until = Instant::now() + SOON;
    loop {
        let found = items(who, words).await;
        if found.len() == count {
            return found.into_iter().map(|item| (item.message.entry.id, item.highlights)).collect();
        }
        assert!(Instant::now() < until, "{words:?} finds {} messages, not {count}", found.len());
        tokio::time::sleep(MOMENT).await;
    }
}

#[tokio::test]
async fn an_index_made_anew_gives_the_same_answers() {
    let mut world = World::start().await;
    let [mut anna, mut bela] = world.people(["anna", "bela"]).await;
    talk(&anna, &bela).await;
    let before = (all(&anna, "harvest", 18).await, all(&bela, "収", 15).await);
    // Beside the server,
    let operator = Operator::find(&world.config).await.expect("the server answers");
    assert_eq!(operator.reindex().await, Ok(18));
    assert_eq!((all(&anna, "harvest", 18).await, all(&bela, "収", 15).await), before);
    // where none runs,
    world.stop().await;
    let operator = Operator::find(&world.config).await.expect("the directory is free");
    assert_eq!(operator.reindex().await, Ok(18));
    drop(operator);
    // and where the file is lost, by itself.
    fs::remove_file(world.data_dir().join("search.db")).expect("there is an index");
    world.restart(&mut [&mut anna, &mut bela]).await;
    assert_eq!((all(&anna, "harvest", 18).await, all(&bela, "収", 15).await), before);
}

#[tokio::test]
async fn a_restart_catches_up() {
    let mut world = World::start().await;
    let [mut anna, mut bela] = world.people(["anna", "bela"]).await;
    let direct = anna.direct(&bela).await;
    let gone = anna.say(direct, "found before the restart").await;
    finds(&bela, "found", &["found before the restart"]).await;
    anna.rest.send_message(direct, &text("found after the restart")).await.unwrap();
    anna.rest.delete(gone.id).await.unwrap();
    world.restart(&mut [&mut anna, &mut bela]).await;
    finds(&bela, "found", &["found after the restart"]).await;
}

#[tokio::test]
async fn a_damaged_index_stops_no_message() {
    let mut world = World::start().await;
    let [mut anna, mut bela] = world.people(["anna", "bela"]).await;
    let direct = anna.direct(&bela).await;
    anna.say(direct, "needle in a haystack").await;
    finds(&bela, "needle", &["needle in a haystack"]).await;
    world.stop().await;
    fs::write(world.data_dir().join("search.db"), "this is no database, and never was one ".repeat(500)).unwrap();
    world.restart(&mut [&mut anna, &mut bela]).await;
    anna.say(direct, "another needle").await;
    let refused = bela.rest.search(&search("needle"), &Paging::default()).await;
    assert_eq!(code(refused), Some(Code::Unavailable));
    assert_eq!(bela.log(direct).await.len(), 3);
    let operator = Operator::find(&world.config).await.expect("the server answers");
    assert_eq!(operator.reindex().await, Ok(2));
    finds(&bela, "needle", &["another needle", "needle in a haystack"]).await;
}
