//! Media: sent, shown, read in parts, shared, and gone when nobody needs them.

use std::{fs, time::Instant};

use kith_client::{Method, StatusCode};
use kith_protocol::{
    Body, Code, Media, ServerFrame, Uuid,
    entry::ConversationChanged,
    frame::NewMessage,
    rest::{ChangeProfile, DeleteUser, NewParticipant},
};

use crate::world::{MOMENT, PASSWORD, Person, SOON, World, client_id, code, text};

/// A picture of one red pixel.
pub const RED: &[u8] = &[
    0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, b'I', b'H', b'D', b'R', 0, 0, 0, 1, 0, 0, 0, 1, 8, 2,
    0, 0, 0, 0x90, 0x77, 0x53, 0xde, 0, 0, 0, 12, b'I', b'D', b'A', b'T', 0x08, 0xd7, 0x63, 0xf8, 0xcf, 0xc0, 0, 0, 3,
    1, 1, 0, 0x18, 0xdd, 0x8d, 0xb0, 0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xae, 0x42, 0x60, 0x82,
];

/// The files of the media folder.
pub fn objects(world: &World) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![world.data_dir().join("media")];
    while let Some(folder) = folders.pop() {
        for file in fs::read_dir(&folder).into_iter().flatten().flatten() {
            if file.path().is_dir() {
                folders.push(file.path());
            } else {
                found.push(file.file_name().to_string_lossy().into_owned());
            }
        }
    }
    found
}

/// Waits until so many files are in the media folder.
async fn becomes(world: &World, count: usize) {
    let until = Instant::now() + SOON;
    while objects(world).len() != count {
        assert!(Instant::now() < until, "there are {:?}", objects(world));
        tokio::time::sleep(MOMENT).await;
    }
}

/// Asks for the bytes of a media with headers.
async fn get(who: &Person, media: &Media, headers: &[(&str, &str)]) -> kith_client::rest::Answer {
    let path = format!("/v1/media/{}", media.id);
    who.rest.request(Method::GET, &path, headers, Vec::new()).await.expect("an answer")
}

/// What the last message of a log shows.
async fn shown(who: &Person, conversation: kith_protocol::ConversationId) -> Vec<Media> {
    match who.log(conversation).await.pop().expect("an entry").body {
        Body::Message(message) => message.attachments,
        body => panic!("{body:?}"),
    }
}

#[tokio::test]
async fn a_picture_is_sent_shown_and_read() {
    let mut world = World::start().await;
    let [mut anna, mut bela] = world.people(["anna", "bela"]).await;
    let direct = anna.direct(&bela).await;
    let media = anna.rest.send_media(RED, "image/png", Some("C:\\pictures\\red.png")).await.unwrap();
    assert_eq!((media.content_type.as_str(), media.size), ("image/png", RED.len() as u64));
    assert_eq!(media.name.as_deref(), Some("red.png"));
    assert_eq!(code(bela.rest.media(media.id).await), Some(Code::NotFound), "nobody has shown it");

    // Over the socket and over REST, with words and without.
    let (mut annas, mut belas) = (anna.connect().await, bela.connect().await);
    let message = NewMessage { attachments: vec![media.id], ..text("look") };
    let sent = annas.tell(direct, message.clone()).await;
    let entry = belas.entry().await;
    let Body::Message(body) = &entry.body else { panic!("{entry:?}") };
    assert_eq!((entry.seq, body.attachments.as_slice()), (sent.seq, &[media.clone()][..]));
    assert_eq!(annas.tell(direct, message).await.seq, sent.seq, "sent again");
    anna.attach(direct, media.id).await.unwrap();
    assert_eq!(shown(&bela, direct).await, std::slice::from_ref(&media));

    for restarted in [false, true] {
        if restarted {
            world.restart(&mut [&mut anna, &mut bela]).await;
        }
        assert_eq!(bela.rest.media(media.id).await.unwrap(), RED);
        let whole = get(&bela, &media, &[]).await;
        let tag = whole.headers["etag"].to_str().unwrap().to_owned();
        assert_eq!(tag, format!("\"{}\"", media.sha256));
        assert_eq!(whole.headers["content-type"], "image/png");
        assert_eq!(whole.headers["x-content-type-options"], "nosniff");
        assert_eq!(whole.headers["cache-control"], "private, max-age=31536000, immutable");
        assert_eq!(whole.headers["content-disposition"], "inline; filename*=UTF-8''red.png");
        let part = get(&bela, &media, &[("range", "bytes=1-3")]).await;
        assert_eq!((part.status, &part.body[..]), (StatusCode::PARTIAL_CONTENT, &b"PNG"[..]));
        assert_eq!(part.headers["content-range"], format!("bytes 1-3/{}", RED.len()));
        let beyond = get(&bela, &media, &[("range", "bytes=1000-")]).await;
        assert_eq!(beyond.status, StatusCode::RANGE_NOT_SATISFIABLE);
        assert_eq!(beyond.headers["content-range"], format!("bytes */{}", RED.len()));
        let same = get(&bela, &media, &[("if-none-match", &tag)]).await;
        assert_eq!((same.status, same.body.len()), (StatusCode::NOT_MODIFIED, 0));
        let other = get(&bela, &media, &[("range", "bytes=1-3"), ("if-range", "\"other\"")]).await;
        assert_eq!((other.status, &other.body[..]), (StatusCode::OK, RED));
    }
}

#[tokio::test]
async fn what_could_run_in_a_browser_is_a_download() {
    let world = World::start().await;
    let anna = world.person("anna").await;
    for (bytes, declared) in [
        (&b"<!DOCTYPE html><script>alert(1)</script>"[..], "text/html"),
        (b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>", "image/svg+xml"),
        (b"<script>alert(1)</script>", "text/plain"),
        (b"alert(1)", "application/javascript"),
    ] {
        let media = anna.rest.send_media(bytes, declared, None).await.unwrap();
        let answer = get(&anna, &media, &[]).await;
        assert_eq!(answer.headers["content-type"], "application/octet-stream", "{declared}");
        assert_eq!(answer.headers["content-disposition"], "attachment");
        assert!(answer.headers["content-security-policy"].to_str().unwrap().contains("sandbox"));
    }
    let lie = anna.rest.send_media(&b"MZ\x90\0 a program"[..], "image/png", None).await;
    assert_eq!(code(lie), Some(Code::UnsupportedMediaType));
    let large = anna.rest.send_media(vec![0; 8 * 1024 * 1024 + 1], "application/octet-stream", None).await;
    assert_eq!(code(large), Some(Code::TooLarge));
    assert_eq!(objects(&world).len(), 4);
}

#[tokio::test]
async fn who_may_read_a_media_may_show_it_and_nobody_else() {
    let world = World::start().await;
    let [anna, bela, cora] = world.people(["anna", "bela", "cora"]).await;
    let (one, other) = (anna.group(&[&bela]).await, bela.group(&[&cora]).await);
    let media = anna.show(one, "among us").await;
    assert_eq!(code(cora.rest.media(media).await), Some(Code::NotFound));
    let stolen = cora.attach(other, media).await;
    assert_eq!(code(stolen), Some(Code::InvalidRequest), "who cannot read it cannot show it");
    let mut coras = cora.connect().await;
    let (bad, plain) = (NewMessage { attachments: vec![media], ..text("mine") }, text("words"));
    coras.send(other, bad.clone()).await;
    coras.send(other, plain.clone()).await;
    let error = coras.error().await;
    assert_eq!((error.pointer.as_deref(), error.client_id), (Some("/attachments/0"), Some(bad.client_id)));
    let sent = coras.find(|frame| if let ServerFrame::Sent(sent) = frame { Some(sent.client_id) } else { None }).await;
    assert_eq!(sent, plain.client_id);

    bela.attach(other, media).await.unwrap();
    assert_eq!(cora.rest.media(media).await.unwrap(), "among us", "it was forwarded");
    // Who comes later sees what is shown from then on.
    let dora = world.person("dora").await;
    anna.rest.add_participant(one, &NewParticipant { user: dora.id, role: None }).await.unwrap();
    assert_eq!(code(dora.rest.media(media).await), Some(Code::NotFound));
    anna.attach(one, media).await.unwrap();
    assert_eq!(dora.rest.media(media).await.unwrap(), "among us");
    anna.rest.remove_participant(one, dora.id).await.unwrap();
    assert_eq!(code(dora.rest.media(media).await), Some(Code::NotFound));
    let none = kith_protocol::MediaId::new(Uuid::nil());
    assert_eq!(code(anna.attach(one, none).await), Some(Code::InvalidRequest));
}

#[tokio::test]
async fn the_same_bytes_are_kept_once_and_go_with_the_last_who_shows_them() {
    let world = World::start().await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let direct = anna.direct(&bela).await;
    let hers = anna.rest.send_media(RED, "image/png", None).await.unwrap();
    let his = bela.rest.send_media(RED, "image/png", Some("his.png")).await.unwrap();
    assert_ne!(hers.id, his.id);
    assert_eq!(hers.sha256, his.sha256);
    let files = objects(&world).len();
    let (first, second) = (anna.attach(direct, hers.id).await.unwrap(), bela.attach(direct, his.id).await.unwrap());
    let again = anna.attach(direct, hers.id).await.unwrap();
    anna.rest.delete(first.id).await.unwrap();
    bela.rest.delete(second.id).await.unwrap();
    let until = Instant::now() + SOON;
    while code(bela.rest.media(his.id).await).is_none() {
        assert!(Instant::now() < until, "his media stays");
        tokio::time::sleep(MOMENT).await;
    }
    assert_eq!(bela.rest.media(hers.id).await.unwrap(), RED, "a message still shows it");
    assert_eq!(objects(&world).len(), files);
    anna.rest.delete(again.id).await.unwrap();
    becomes(&world, 0).await;
    assert_eq!(code(anna.rest.media(hers.id).await), Some(Code::NotFound));
}

#[tokio::test]
async fn what_nobody_shows_is_removed_and_its_room_given_back() {
    let mut world = World::with(|config| {
        config.media.keep_unused_s = 2;
        config.media.quota_bytes = 1000;
    })
    .await;
    let [mut anna, bela] = world.people(["anna", "bela"]).await;
    let direct = anna.direct(&bela).await;
    let kept = anna.show(direct, &"k".repeat(400)).await;
    let unused = anna.rest.send_media("u".repeat(500), "text/plain", None).await.unwrap();
    let over = anna.rest.send_media("o".repeat(101), "text/plain", None).await;
    assert_eq!(code(over), Some(Code::QuotaExceeded));
    assert_eq!(objects(&world).len(), 2, "what was refused left nothing");
    world.restart(&mut [&mut anna]).await;
    becomes(&world, 1).await;
    assert_eq!(code(anna.rest.media(unused.id).await), Some(Code::NotFound));
    assert_eq!(anna.rest.media(kept).await.unwrap().len(), 400);
    let more = anna.rest.send_media("m".repeat(600), "text/plain", None).await;
    assert!(more.is_ok(), "{more:?}");
}

#[tokio::test]
async fn expired_messages_take_their_media_along() {
    let world = World::start().await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let direct = anna.direct(&bela).await;
    let expire = ConversationChanged { expire_after_s: Some(1), ..Default::default() };
    anna.rest.change_conversation(direct, &expire).await.unwrap();
    anna.show(direct, "not for long").await;
    becomes(&world, 0).await;
}

#[tokio::test]
async fn avatars_are_pictures_of_one_s_own_that_everybody_sees() {
    let world = World::start().await;
    let [anna, bela, cora] = world.people(["anna", "bela", "cora"]).await;
    let group = anna.group(&[&bela]).await;
    let words = anna.rest.send_media("words", "text/plain", None).await.unwrap();
    let his = bela.rest.send_media([RED, b"his"].concat(), "image/png", None).await.unwrap();
    let change = |id: &Media| ChangeProfile { avatar: Some(id.id.to_string()), ..Default::default() };
    for bad in [&words, &his] {
        assert_eq!(code(anna.rest.change_profile(&change(bad)).await), Some(Code::InvalidRequest));
    }
    let mine = anna.rest.send_media(RED, "image/png", None).await.unwrap();
    assert_eq!(code(cora.rest.media(mine.id).await), Some(Code::NotFound));
    anna.rest.change_profile(&change(&mine)).await.unwrap();
    assert_eq!(cora.rest.media(mine.id).await.unwrap(), RED);
    let theirs = anna.rest.send_media([RED, b"ours"].concat(), "image/png", None).await.unwrap();
    let picture = |id: &Media| ConversationChanged { avatar: Some(id.id.to_string()), ..Default::default() };
    anna.rest.change_conversation(group, &picture(&theirs)).await.unwrap();
    assert_eq!(code(bela.rest.change_conversation(group, &picture(&his)).await), Some(Code::NotAdmin));
    assert_eq!(code(cora.rest.change_conversation(group, &picture(&his)).await), Some(Code::NotFound));
    assert!(cora.rest.media(theirs.id).await.is_ok());

    // A picture that is replaced goes.
    let files = objects(&world).len();
    anna.rest.change_profile(&ChangeProfile { avatar: Some(String::new()), ..Default::default() }).await.unwrap();
    let unset = ConversationChanged { avatar: Some(String::new()), ..Default::default() };
    anna.rest.change_conversation(group, &unset).await.unwrap();
    assert_eq!(anna.rest.me().await.unwrap().avatar, None);
    let until = Instant::now() + SOON;
    while code(anna.rest.media(mine.id).await).is_none() || code(anna.rest.media(theirs.id).await).is_none() {
        assert!(Instant::now() < until, "the pictures stay");
        tokio::time::sleep(MOMENT).await;
    }
    assert!(objects(&world).len() < files);
}

#[tokio::test]
async fn who_leaves_takes_their_media_along() {
    let mut world = World::start().await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let direct = anna.direct(&bela).await;
    let hers = anna.show(direct, "hers").await;
    let unused = anna.rest.send_media("unused", "text/plain", None).await.unwrap();
    let his = bela.show(direct, "his").await;
    anna.rest.delete_user(&DeleteUser { password: PASSWORD.into() }).await.unwrap();
    for gone in [hers, unused.id] {
        assert_eq!(code(bela.rest.media(gone).await), Some(Code::NotFound));
    }
    assert_eq!(bela.rest.media(his).await.unwrap(), "his");
    becomes(&world, 1).await;
    world.stop().await;
    let report = kith::store::verify::verify(world.data_dir(), |_| {}).unwrap();
    assert!(report.is_clean(), "{report}");
}

#[tokio::test]
async fn a_backup_has_the_media_and_a_damaged_one_is_found() {
    let mut world = World::start().await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let direct = anna.direct(&bela).await;
    let media = anna.show(direct, "to be kept").await;
    world.stop().await;
    let copy = tempfile::tempdir().unwrap();
    let to = copy.path().join("copy");
    let backends = kith::backends::Backends::open(world.data_dir()).unwrap();
    backends.backup(&to).unwrap();
    drop(backends);
    let report = kith::store::verify::verify(&to, |_| {}).unwrap();
    assert!(report.is_clean(), "{report}");

    let restored = World::with(|config| config.data_dir = to.clone()).await;
    let bela = restored.device(&bela).await;
    assert_eq!(bela.rest.media(media).await.unwrap(), "to be kept");
    let mut restored = restored;
    restored.stop().await;
    let folder = fs::read_dir(to.join("media")).unwrap().next().unwrap().unwrap().path();
    let file = fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    fs::write(&file, "to be lost").unwrap();
    let report = kith::store::verify::verify(&to, |_| {}).unwrap();
    assert_eq!(report.problems.len(), 1, "{report}");
    assert!(report.problems[0].contains("not those that were sent"), "{report}");
}

#[tokio::test]
async fn a_message_that_was_sent_is_known_when_its_media_are_gone() {
    let world = World::start().await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let direct = anna.direct(&bela).await;
    let media = anna.rest.send_media("soon gone", "text/plain", None).await.unwrap();
    let message = NewMessage { client_id: client_id(), attachments: vec![media.id], ..text("") };
    let entry = anna.rest.send_message(direct, &message).await.unwrap();
    anna.rest.delete(entry.id).await.unwrap();
    becomes(&world, 0).await;
    assert_eq!(anna.rest.send_message(direct, &message).await.unwrap().seq, entry.seq);
}
