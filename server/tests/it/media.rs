//! Media: sent, shown, read in parts, shared, and gone when nobody needs them.

use std::{fs, time::Instant};

use image::{DynamicImage, ImageFormat};
use kith_client::{Method, StatusCode, rest::Paging};
use kith_protocol::{
    Body, Code, Media, ServerFrame, Uuid,
    entry::ConversationChanged,
    frame::NewMessage,
    rest::{ChangeProfile, DeleteUser, NewParticipant},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::world::{MOMENT, PASSWORD, Person, SOON, World, client_id, code, raw, text};

/// A small red picture.
pub fn red() -> Vec<u8> {
    encoded(&image::RgbImage::from_pixel(3, 2, image::Rgb([255, 0, 0])).into(), ImageFormat::Png)
}

/// The same in another shade, so that its bytes are others.
fn reddish(shade: u8) -> Vec<u8> {
    encoded(&image::RgbImage::from_pixel(3, 2, image::Rgb([shade, 0, 0])).into(), ImageFormat::Png)
}

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).expect("a picture");
    bytes.into_inner()
}

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

/// The media of the last message of a log.
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
    let media = anna.rest.send_media(red(), "image/png", Some("C:\\pictures\\red.png")).await.unwrap();
    assert_eq!((media.content_type.as_str(), media.size), ("image/png", red().len() as u64));
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
        assert_eq!(bela.rest.media(media.id).await.unwrap(), red());
        let whole = get(&bela, &media, &[]).await;
        let tag = whole.headers["etag"].to_str().unwrap().to_owned();
        assert_eq!(tag, format!("\"{}\"", media.sha256));
        assert_eq!(whole.headers["content-type"], "image/png");
        assert_eq!(whole.headers["x-content-type-options"], "nosniff");
        assert_eq!(whole.headers["cache-control"], "private, max-age=31536000, immutable");
        assert_eq!(whole.headers["content-disposition"], "inline; filename*=UTF-8''red.png");
        let part = get(&bela, &media, &[("range", "bytes=1-3")]).await;
        assert_eq!((part.status, &part.body[..]), (StatusCode::PARTIAL_CONTENT, &b"PNG"[..]));
        assert_eq!(part.headers["content-range"], format!("bytes 1-3/{}", red().len()));
        let beyond = get(&bela, &media, &[("range", "bytes=1000-")]).await;
        assert_eq!(beyond.status, StatusCode::RANGE_NOT_SATISFIABLE);
        assert_eq!(beyond.headers["content-range"], format!("bytes */{}", red().len()));
        let same = get(&bela, &media, &[("if-none-match", &tag)]).await;
        assert_eq!((same.status, same.body.len()), (StatusCode::NOT_MODIFIED, 0));
        let other = get(&bela, &media, &[("range", "bytes=1-3"), ("if-range", "\"other\"")]).await;
        assert_eq!((other.status, &other.body[..]), (StatusCode::OK, &red()[..]));
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
    let none = anna.rest.send_media("", "text/plain", None).await;
    assert_eq!(code(none), Some(Code::InvalidRequest));
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
    let hers = anna.rest.send_media(red(), "image/png", None).await.unwrap();
    let his = bela.rest.send_media(red(), "image/png", Some("his.png")).await.unwrap();
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
    assert_eq!(bela.rest.media(hers.id).await.unwrap(), red(), "a message still shows it");
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

/// A request that has a place and has sent one byte of a media, and not the rest.
async fn posting(world: &World, who: &Person) -> TcpStream {
    let mut stream = TcpStream::connect(world.authority()).await.unwrap();
    let head = format!(
        "POST /v1/media HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Length: 1000000\r\n\
         Expect: 100-continue\r\n\r\n",
        who.token
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 25];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"x").await.unwrap();
    stream
}

#[tokio::test]
async fn slow_senders_of_media_make_way() {
    let world = World::start().await;
    let bela = world.person("bela").await;
    let (mut attackers, mut posts) = (Vec::new(), Vec::new());
    for number in 0..8 {
        let attacker = world.person(&format!("attacker{number}")).await;
        for _ in 0..4 {
            posts.push(posting(&world, &attacker).await);
        }
        assert_eq!(code(attacker.rest.send_media("x", "", None).await), Some(Code::Overloaded), "four are too many");
        attackers.push(attacker);
    }
    for words in ["all places are taken", "and his media are too"] {
        assert_eq!(code(bela.rest.send_media(words, "text/plain", None).await), None);
    }
    // One of them has lost a place, and may use it as anybody.
    let mut free = 0;
    for attacker in &attackers {
        free += usize::from(attacker.rest.send_media("x", "", None).await.is_ok());
    }
    assert_eq!(free, 1);
}

#[tokio::test]
async fn a_disk_that_is_nearly_full_takes_texts_and_no_media() {
    let mut world = World::start().await;
    let [mut anna, bela] = world.people(["anna", "bela"]).await;
    let direct = anna.direct(&bela).await;
    let hers = anna.show(direct, "kept before").await;
    let open = anna.rest.create_upload(1000, None).await.unwrap();
    // More than is free, and a quarter of it is not.
    let disk = rustix::fs::statvfs(world.data_dir()).unwrap();
    world.config.media.min_free_bytes = Some(2 * disk.f_bavail * disk.f_frsize);
    world.restart(&mut [&mut anna]).await;
    let media = anna.rest.send_media("more", "text/plain", None).await;
    assert_eq!(media.as_ref().err().and_then(|error| error.code()), Some(Code::StorageFull));
    assert!(media.unwrap_err().retry_after().is_some(), "it says when to ask again");
    let answer = anna.rest.request(Method::POST, "/v1/media", &[("content-type", "text/plain")], "more").await.unwrap();
    assert_eq!(answer.status, StatusCode::INSUFFICIENT_STORAGE);
    assert_eq!(code(anna.rest.create_upload(1000, None).await), Some(Code::StorageFull));
    assert_eq!(code(anna.rest.append_upload(open, 0, "more").await), Some(Code::StorageFull));
    anna.say(direct, "words have room").await;
    assert_eq!(anna.rest.media(hers).await.unwrap(), "kept before");
    anna.rest.delete_upload(open).await.unwrap();

    world.config.media.min_free_bytes = Some(0);
    world.restart(&mut [&mut anna]).await;
    anna.show(direct, "there is room again").await;
}

#[tokio::test]
async fn the_media_of_all_have_a_bound_and_give_their_room_back() {
    let mut world = World::with(|config| {
        config.media.keep_unused_s = 3600;
        config.media.total_bytes = Some(1000);
    })
    .await;
    let [anna, mut bela] = world.people(["anna", "bela"]).await;
    let sends = async |who: &Person, bytes: usize| code(who.rest.send_media(vec![b'x'; bytes], "", None).await);
    assert_eq!(sends(&anna, 600).await, None);
    assert_eq!(sends(&bela, 401).await, Some(Code::StorageFull));
    let open = bela.rest.create_upload(300, None).await.unwrap();
    assert_eq!(sends(&bela, 101).await, Some(Code::StorageFull), "an upload has its room from the beginning");
    world.restart(&mut [&mut bela]).await;
    assert_eq!(sends(&bela, 101).await, Some(Code::StorageFull), "it is counted anew");
    bela.rest.append_upload(open, 0, vec![1; 300]).await.unwrap();
    assert_eq!(sends(&bela, 101).await, Some(Code::StorageFull), "the media has it now");
    let anna = world.device(&anna).await;
    anna.rest.delete_user(&DeleteUser { password: PASSWORD.into() }).await.unwrap();
    assert_eq!(sends(&bela, 701).await, Some(Code::StorageFull));
    assert_eq!(sends(&bela, 700).await, None);
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
    let his = bela.rest.send_media(reddish(1), "image/png", None).await.unwrap();
    let change = |id: &Media| ChangeProfile { avatar: Some(id.id.to_string()), ..Default::default() };
    for bad in [&words, &his] {
        assert_eq!(code(anna.rest.change_profile(&change(bad)).await), Some(Code::InvalidRequest));
    }
    let mine = anna.rest.send_media(red(), "image/png", None).await.unwrap();
    assert_eq!(code(cora.rest.media(mine.id).await), Some(Code::NotFound));
    anna.rest.change_profile(&change(&mine)).await.unwrap();
    assert_eq!(cora.rest.media(mine.id).await.unwrap(), red());
    let theirs = anna.rest.send_media(reddish(2), "image/png", None).await.unwrap();
    let picture = |id: &Media| ConversationChanged { avatar: Some(id.id.to_string()), ..Default::default() };
    anna.rest.change_conversation(group, &picture(&theirs)).await.unwrap();
    assert_eq!(code(bela.rest.change_conversation(group, &picture(&his)).await), Some(Code::NotAdmin));
    assert_eq!(code(cora.rest.change_conversation(group, &picture(&his)).await), Some(Code::NotFound));
    assert!(cora.rest.media(theirs.id).await.is_ok());
    let listed = bela.rest.conversations(&Paging::default()).await.unwrap().items;
    assert_eq!(listed[0].avatar, Some(theirs.id.to_string()));

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
    let report = kith::operator::verify::verify(world.data_dir(), |_| {}).unwrap();
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
    // Where no server runs, the command is one itself.
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_kith"));
    command.arg("backup").arg(&to).arg("--data").arg(world.data_dir());
    let made = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let report = kith::operator::verify::verify(&to, |_| {}).unwrap();
    assert!(report.is_clean(), "{report}");

    let restored = World::with(|config| config.data_dir = to.clone()).await;
    let bela = restored.device(&bela).await;
    assert_eq!(bela.rest.media(media).await.unwrap(), "to be kept");
    let mut restored = restored;
    restored.stop().await;
    let folder = fs::read_dir(to.join("media")).unwrap().next().unwrap().unwrap().path();
    let file = fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    fs::write(&file, "to be lost").unwrap();
    let report = kith::operator::verify::verify(&to, |_| {}).unwrap();
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

#[tokio::test]
async fn a_picture_says_where_it_was_taken_to_nobody() {
    let world = World::start().await;
    let anna = world.person("anna").await;
    let place = b"52.5200 N 13.4050 E";
    let image = DynamicImage::from(image::RgbImage::from_fn(900, 600, |x, y| image::Rgb([x as u8, y as u8, 7])));
    let jpeg = encoded(&image, ImageFormat::Jpeg);
    // Turned by a quarter (EXIF 2.32, tag 0x0112), and then the place.
    let exif = [&b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"[..], place].concat();
    let segment = [&[0xff, 0xe1, 0, exif.len() as u8 + 2], &exif[..]].concat();
    let taken = [&jpeg[..2], &segment, &jpeg[2..]].concat();
    let media = anna.rest.send_media(taken, "image/jpeg", Some("here.jpg")).await.unwrap();
    assert_eq!((media.width, media.height), (Some(600), Some(900)), "as it is to be shown");
    assert!(media.thumbnail && media.thumbhash.is_some());
    let kept = anna.rest.media(media.id).await.unwrap();
    assert_eq!(kept.len() as u64, media.size);
    assert!(!kept.windows(place.len()).any(|part| part == place));
    assert_eq!(image::load_from_memory(&kept).unwrap().to_rgb8(), image::load_from_memory(&jpeg).unwrap().to_rgb8());
    let small = anna.rest.thumbnail(media.id).await.unwrap();
    let small = image::load_from_memory(&small).unwrap();
    assert_eq!((small.width(), small.height()), (341, 512));
    assert_eq!(world.files_with(str::from_utf8(place).unwrap()), Vec::<std::path::PathBuf>::new());
    let words = anna.rest.send_media("words", "text/plain", None).await.unwrap();
    assert_eq!(code(anna.rest.thumbnail(words.id).await), Some(Code::NotFound));
}

#[tokio::test]
async fn bombs_lies_and_ruins_are_refused_and_leave_nothing() {
    let world = World::start().await;
    let anna = world.person("anna").await;
    // A picture of 30 000 by 30 000 pixels in a few bytes: only its head says so.
    let mut bomb = red();
    bomb[16..24].copy_from_slice(&[0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30]);
    let sum = crc(&bomb[12..29]);
    bomb[29..33].copy_from_slice(&sum.to_be_bytes());
    assert_eq!(code(anna.rest.send_media(bomb, "image/png", None).await), Some(Code::TooLarge));
    // A real one, that is what it says: 11 000 by 11 000 black pixels.
    let black = encoded(&DynamicImage::new_luma8(11_000, 11_000), ImageFormat::Png);
    assert!(black.len() < 1_000_000);
    assert_eq!(code(anna.rest.send_media(black, "image/png", None).await), Some(Code::TooLarge));
    let whole = encoded(&DynamicImage::new_rgb8(100, 100), ImageFormat::Jpeg);
    for (bytes, declared) in [
        (whole[..whole.len() / 2].to_vec(), "image/jpeg"),
        ([&red()[..40], &[0; 100]].concat(), "image/png"),
        (b"GIF89a and no more".to_vec(), "image/gif"),
        (b"RIFF\xff\xff\xff\xffWEBPVP8X".to_vec(), "image/webp"),
        (b"PK\x03\x04 an archive".to_vec(), "image/jpeg"),
    ] {
        let refused = anna.rest.send_media(bytes, declared, None).await;
        assert_eq!(code(refused), Some(Code::UnsupportedMediaType), "{declared}");
    }
    assert_eq!(objects(&world), Vec::<String>::new());
    assert!(anna.rest.send_media(red(), "image/png", None).await.is_ok());
}

/// The sum at the end of a PNG's chunk (PNG, annex D).
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { 0xedb8_8320 ^ (sum >> 1) } else { sum >> 1 })
    })
}

#[tokio::test]
async fn a_signed_url_opens_one_media_without_a_token() {
    let mut world = World::start().await;
    let [mut anna, bela] = world.people(["anna", "bela"]).await;
    let media = anna.rest.send_media(red(), "image/png", None).await.unwrap();
    let other = anna.rest.send_media(reddish(1), "image/png", None).await.unwrap();
    assert_eq!(code(bela.rest.media_url(media.id).await), Some(Code::NotFound));
    let signed = anna.rest.media_url(media.id).await.unwrap();
    let thumbnail = signed.thumbnail_url.unwrap();
    for restarted in [false, true] {
        if restarted {
            world.restart(&mut [&mut anna]).await;
        }
        let open = async |path: &str| raw(world.guest(), Method::GET, path, &[], None).await;
        let whole = open(&signed.url).await;
        assert_eq!((whole.status, &whole.body[..]), (StatusCode::OK, &red()[..]));
        assert_eq!(open(&thumbnail).await.status, StatusCode::OK);
        let (path, query) = signed.url.split_once('?').unwrap();
        let expires = query.split_once('&').unwrap().0;
        let later = format!("expires={}", expires[8..].parse::<u64>().unwrap() + 1);
        for changed in [
            signed.url.replace(&media.id.to_string(), &other.id.to_string()),
            signed.url.replace(expires, &later),
            signed.url[..signed.url.len() - 1].to_owned(),
            format!("{path}?{expires}&signature="),
            format!("{path}?expires=1&signature=AAAA"),
        ] {
            assert_eq!(open(&changed).await.status, StatusCode::NOT_FOUND, "{changed}");
        }
        assert_eq!(open(&format!("{path}?{expires}")).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(open(&signed.url.replace("?", "/url?")).await.status, StatusCode::UNAUTHORIZED);
    }
}
