//! Words: what may be a reaction, a name or a title, how many reactions and edits there may be, and what became of older ones.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use kith::{
    backends::Backends,
    store::{Head, Kind, Record, Turn},
};
use kith_client::{Method, StatusCode, rest::Place};
use kith_protocol::{
    Code, ConversationId, Message, UserId,
    entry::{Body, ConversationKind, Reaction},
    limits::{EDITS, REACTIONS, REACTIONS_EACH},
    rest::EditMessage,
};
use serde_json::{Value, json};

use crate::world::{Person, World, code};

/// The texts that the rules are told by, and what is made of them.
fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../protocol/vectors/words.json")).expect("vectors")
}

fn texts(of: &Value) -> Vec<String> {
    of.as_array().expect("texts").iter().map(|text| text.as_str().expect("a text").to_owned()).collect()
}

/// Different emojis.
fn faces(count: usize) -> Vec<String> {
    let faces = (0x1f600..=0x1f64f).chain(0x1f400..).filter_map(char::from_u32);
    faces.map(String::from).take(count).collect()
}

fn shown(message: &Message) -> Vec<(String, Vec<UserId>)> {
    message.reactions.iter().map(|reaction| (reaction.emoji.clone(), reaction.users.clone())).collect()
}

#[tokio::test]
async fn a_reaction_is_one_emoji_and_its_forms_are_the_same() {
    let mut world = World::start().await;
    let [mut anna, mut bela] = world.people(["anna", "bela"]).await;
    let direct = anna.direct(&bela).await;
    let said = anna.say(direct, "cake?").await;
    let mut annas = anna.connect().await;
    bela.rest.react(said.id, "❤").await.unwrap();
    let told = annas.entry().await;
    assert!(matches!(&told.body, Body::Reaction(it) if it.emoji == "❤\u{fe0f}"), "it is fully qualified: {told:?}");
    anna.rest.react(said.id, "❤\u{fe0f}").await.unwrap();
    for _ in 0..2 {
        let message = bela.rest.message(said.id).await.unwrap();
        assert_eq!(shown(&message), [("❤\u{fe0f}".to_owned(), vec![bela.id, anna.id])]);
        world.restart(&mut [&mut anna, &mut bela]).await;
    }
    anna.rest.unreact(said.id, "❤").await.unwrap();
    bela.rest.unreact(said.id, "❤\u{fe0f}").await.unwrap();
    assert_eq!(shown(&anna.rest.message(said.id).await.unwrap()), []);
    let head = anna.log(direct).await.len();
    for pair in vectors()["emoji"].as_array().unwrap() {
        let (given, expected) = (pair[0].as_str().unwrap(), pair[1].as_str());
        let put = bela.rest.react(said.id, given).await;
        match expected {
            // An empty one leads to no route.
            None => assert!(matches!(code(put), Some(Code::InvalidRequest | Code::NotFound)), "{given:?}"),
            Some(expected) => {
                put.unwrap();
                assert_eq!(shown(&bela.rest.message(said.id).await.unwrap()), [(expected.to_owned(), vec![bela.id])]);
                bela.rest.unreact(said.id, given).await.unwrap();
                assert_eq!(shown(&bela.rest.message(said.id).await.unwrap()), [], "{given:?}");
            }
        }
    }
    assert!(anna.log(direct).await.len() > head);
}

#[tokio::test]
async fn a_message_has_so_many_reactions_and_the_others_go_on() {
    let world = World::start().await;
    let [anna, bela, cora, dora, emil, fred] = world.people(["anna", "bela", "cora", "dora", "emil", "fred"]).await;
    let group = anna.group(&[&bela, &cora, &dora, &emil, &fred]).await;
    let said = anna.say(group, "cake?").await;
    let emojis = faces(REACTIONS + 1);
    for emoji in &emojis[..REACTIONS_EACH] {
        bela.rest.react(said.id, emoji).await.unwrap();
    }
    let head = anna.log(group).await.len();
    assert_eq!(code(bela.rest.react(said.id, &emojis[REACTIONS_EACH]).await), Some(Code::TooMany));
    // What is there already is no more of them, and what is taken back makes room.
    bela.rest.react(said.id, &emojis[0]).await.unwrap();
    assert_eq!(anna.log(group).await.len(), head, "a refusal writes nothing");
    bela.rest.unreact(said.id, &emojis[0]).await.unwrap();
    bela.rest.react(said.id, &emojis[0]).await.unwrap();
    for (person, emojis) in
        [&cora, &dora, &emil, &fred].into_iter().zip(emojis[REACTIONS_EACH..].chunks(REACTIONS_EACH))
    {
        for emoji in emojis {
            person.rest.react(said.id, emoji).await.unwrap();
        }
    }
    let message = anna.rest.message(said.id).await.unwrap();
    assert_eq!(message.reactions.len(), REACTIONS);
    assert_eq!(code(anna.rest.react(said.id, &emojis[REACTIONS]).await), Some(Code::TooMany));
    anna.rest.react(said.id, &emojis[1]).await.unwrap();
    let (status, problem) =
        anna.raw(Method::PUT, &format!("/v1/messages/{}/reactions/%F0%9F%A6%86", said.id), None).await;
    assert_eq!(
        (status, &problem["code"], &problem["retryable"]),
        (StatusCode::CONFLICT, &json!("too_many"), &json!(false))
    );
    // Another message has its own, and everybody still writes.
    let next = bela.say(group, "yes").await;
    bela.rest.react(next.id, &emojis[REACTIONS]).await.unwrap();
}

#[tokio::test]
async fn a_message_is_edited_so_many_times() {
    let world = World::start().await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let direct = anna.direct(&bela).await;
    let said = anna.say(direct, "0").await;
    let edit = async |text: String| anna.rest.edit(said.id, &EditMessage { text, mentions: Vec::new() }).await;
    for count in 1..=EDITS {
        edit(count.to_string()).await.unwrap();
    }
    assert_eq!(code(edit("one more".to_owned()).await), Some(Code::TooMany));
    // What changes nothing is no edit.
    edit(EDITS.to_string()).await.unwrap();
    assert_eq!(bela.log(direct).await.len(), EDITS + 2);
    bela.say(direct, "enough").await;
    anna.rest.delete(said.id).await.unwrap();
    assert!(bela.rest.message(said.id).await.unwrap().deleted);
}

/// Appends reactions to a log as an older server took them, while the server does not run.
async fn react_of_old(world: &World, log: ConversationId, target: u64, reactions: &[(&Person, String)]) {
    let backends = Backends::open(world.data_dir()).unwrap();
    let Head { seq: head, at, counts } = backends.store().heads(vec![log]).await.unwrap()[0].unwrap();
    let record = |(seq, (person, emoji)): (u64, &(&Person, String))| Record {
        seq,
        kind: Kind::Reaction,
        sender: person.id,
        device: Some(person.device),
        client_id: None,
        at,
        true_at: None,
        expires_at: None,
        counts,
        body: serde_json::to_vec(&Reaction { target, emoji: emoji.clone(), on: true }).unwrap().into(),
    };
    let records = (head + 1..).zip(reactions).map(record).collect();
    backends.store().write(log, head, Turn::append(records)).await.unwrap();
    let released = backends.released();
    drop(backends);
    released.await;
}

#[tokio::test]
async fn a_log_above_the_bounds_opens_and_its_reactions_can_be_taken_back() {
    let mut world = World::start().await;
    let [mut anna, mut bela] = world.people(["anna", "bela"]).await;
    let direct = anna.direct(&bela).await;
    let said = anna.say(direct, "cake?").await;
    world.stop().await;
    let mut old: Vec<_> = (0..REACTIONS + 30).map(|count| (&bela, format!("ä{count}"))).collect();
    old.extend([(&bela, "❤".to_owned()), (&anna, "❤\u{fe0f}".to_owned())]);
    react_of_old(&world, direct, said.seq, &old).await;
    world.restart(&mut [&mut anna, &mut bela]).await;
    let message = anna.rest.messages(direct, Place::End, None).await.unwrap().items.pop().unwrap();
    let reactions = shown(&message);
    assert_eq!((reactions.len(), reactions[0].0.as_str()), (REACTIONS + 31, "ä0"));
    assert_eq!(reactions.last(), Some(&("❤\u{fe0f}".to_owned(), vec![bela.id, anna.id])));
    assert_eq!(code(bela.rest.react(said.id, "👍").await), Some(Code::TooMany));
    assert_eq!(code(anna.rest.react(said.id, "👍").await), Some(Code::TooMany));
    assert_eq!(code(anna.rest.react(said.id, "ä0").await), Some(Code::InvalidRequest));
    for count in 0..REACTIONS + 30 {
        bela.rest.unreact(said.id, &format!("ä{count}")).await.unwrap();
    }
    bela.rest.unreact(said.id, "❤\u{fe0f}").await.unwrap();
    bela.rest.react(said.id, "👍").await.unwrap();
    let expected = [("❤\u{fe0f}".to_owned(), vec![anna.id]), ("👍".to_owned(), vec![bela.id])];
    for _ in 0..2 {
        assert_eq!(shown(&bela.rest.message(said.id).await.unwrap()), expected);
        world.restart(&mut [&mut anna, &mut bela]).await;
    }
}

#[tokio::test]
async fn names_and_titles_are_seen_and_turn_nothing_around() {
    let world = World::start().await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let group = anna.group(&[&bela]).await;
    let channel = anna.begin(ConversationKind::Channel, Some("news"), &[]).await.id;
    let vectors = vectors();
    let mut bad: Vec<String> = texts(&vectors["invisible"]).into_iter().filter(|text| !text.is_empty()).collect();
    for pair in vectors["closed"].as_array().unwrap().iter().filter(|pair| pair[0] != pair[1]) {
        bad.push(pair[0].as_str().unwrap().to_owned());
    }
    bad.extend(["a\u{1b}b", "a\u{9b}b", "a\u{7f}b"].map(str::to_owned));
    let refused = async |method: Method, path: &str, body: Value, pointer: &str| {
        let (status, problem) = anna.raw(method, path, Some(body.clone())).await;
        assert_eq!((status, &problem["code"]), (StatusCode::BAD_REQUEST, &json!("invalid_request")), "{path} {body}");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}");
    };
    let (me, of_group) = (format!("/v1/users/{}", anna.id), format!("/v1/conversations/{group}"));
    for text in bad {
        refused(Method::PUT, &me, json!({ "display_name": text }), "/display_name").await;
        refused(Method::PUT, &me, json!({ "about": text }), "/about").await;
        refused(Method::PATCH, &of_group, json!({ "title": text }), "/title").await;
        refused(Method::PATCH, &of_group, json!({ "topic": text }), "/topic").await;
        let begin = json!({ "kind": "group", "members": [bela.id], "title": text });
        refused(Method::POST, "/v1/conversations", begin, "/title").await;
        let device = json!({ "username": "anna", "password": crate::world::PASSWORD, "device": { "name": text, "platform": "x" } });
        refused(Method::POST, "/v1/sessions", device, "/device/name").await;
        let account = json!({ "username": "cora", "password": crate::world::PASSWORD, "display_name": text });
        refused(Method::POST, "/v1/users", account, "/display_name").await;
    }
    refused(Method::PATCH, &format!("/v1/conversations/{channel}"), json!({ "title": "" }), "/title").await;
    for text in texts(&vectors["visible"]) {
        let (status, answer) =
            anna.raw(Method::PUT, &me, Some(json!({ "display_name": text, "about": format!("{text}\n\tx") }))).await;
        assert_eq!((status, &answer["display_name"]), (StatusCode::OK, &json!(text)));
        let (status, answer) = anna.raw(Method::PATCH, &of_group, Some(json!({ "title": text, "topic": text }))).await;
        assert_eq!((status, &answer["title"]), (StatusCode::OK, &json!(text)));
    }
    // An empty text unsets, as before.
    let (status, answer) = anna.raw(Method::PATCH, &of_group, Some(json!({ "title": "", "topic": "" }))).await;
    assert_eq!((status, answer.get("title")), (StatusCode::OK, None));
}

#[tokio::test]
async fn a_media_is_never_refused_for_its_name() {
    let world = World::start().await;
    let anna = world.person("anna").await;
    for pair in vectors()["files"].as_array().unwrap() {
        let (given, kept) = (pair[0].as_str().unwrap(), pair[1].as_str());
        let media = anna.rest.send_media("bytes", "text/plain", Some(given)).await.unwrap();
        assert_eq!(media.name.as_deref(), kept, "{given:?}");
        let metadata = format!("filename {}", BASE64_STANDARD.encode(given));
        let upload = anna.rest.create_upload(5, Some(&metadata)).await.unwrap();
        anna.rest.append_upload(upload, 0, "bytes").await.unwrap();
        let media = anna.rest.upload(upload).await.unwrap().media.unwrap();
        assert_eq!(media.name.as_deref(), kept, "{given:?}");
    }
}
