//! Media that are sent in parts: begun, interrupted, gone on with, refused, forgotten.

use std::{fs, time::Instant};

use kith_client::{Method, StatusCode};
use kith_protocol::{Code, Media, Timestamp, UploadId, rest::DeleteUser};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    media::{objects, red},
    world::{MOMENT, PASSWORD, Person, SOON, World, code},
};

const TUS: (&str, &str) = ("tus-resumable", "1.0.0");
const PART: (&str, &str) = ("content-type", "application/offset+octet-stream");
/// `filename notes.bin,filetype application/octet-stream`.
const NAMED: &str = "filename bm90ZXMuYmlu,filetype YXBwbGljYXRpb24vb2N0ZXQtc3RyZWFt";
/// `filetype image/png`.
const PNG: &str = "filetype aW1hZ2UvcG5n";

/// Bytes that are like no others.
fn bytes(length: usize, seed: u32) -> Vec<u8> {
    let mut state = seed | 1;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

/// The files of what has come of uploads.
fn parts(world: &World) -> usize {
    fs::read_dir(world.data_dir().join("uploads")).expect("a folder").count()
}

/// The room that a user's media have left, found out by asking for all of it.
async fn has_room_for(who: &Person, bytes: u64) -> bool {
    match who.rest.create_upload(bytes, None).await {
        Ok(id) => {
            who.rest.delete_upload(id).await.unwrap();
            true
        }
        Err(error) => {
            assert_eq!(error.code(), Some(Code::QuotaExceeded), "{error}");
            false
        }
    }
}

/// A PATCH that has sent some of its bytes and not the rest.
async fn patching(world: &World, who: &Person, id: UploadId, offset: u64, announced: usize, sent: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(world.authority()).await.unwrap();
    let head = format!(
        "PATCH /v1/uploads/{id} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nTus-Resumable: 1.0.0\r\n\
         Content-Type: application/offset+octet-stream\r\nUpload-Offset: {offset}\r\nContent-Length: {announced}\r\n\r\n",
        who.token
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(sent).await.unwrap();
    stream
}

/// Waits until so many bytes of an upload are there, without disturbing whoever writes.
async fn comes_to(who: &Person, id: UploadId, offset: u64) {
    let until = Instant::now() + SOON;
    while who.rest.upload(id).await.unwrap().offset != offset {
        assert!(Instant::now() < until, "{:?}", who.rest.upload(id).await);
        tokio::time::sleep(MOMENT).await;
    }
}

#[tokio::test]
async fn a_file_comes_in_parts_across_a_restart_and_is_shown() {
    let mut world = World::start().await;
    let [mut anna, bela] = world.people(["anna", "bela"]).await;
    let whole = bytes(9 * 1024 * 1024 + 7, 1);
    let id = anna.rest.create_upload(whole.len() as u64, Some(NAMED)).await.unwrap();
    assert_eq!(anna.rest.resume_upload(id).await.unwrap(), 0);
    assert_eq!(anna.rest.append_upload(id, 0, whole[..4_000_000].to_vec()).await.unwrap(), 4_000_000);
    world.restart(&mut [&mut anna]).await;
    let upload = anna.rest.upload(id).await.unwrap();
    assert_eq!((upload.length, upload.offset, upload.media), (whole.len() as u64, 4_000_000, None));
    assert!(upload.expires_at > kith::clock::now());
    assert_eq!(anna.rest.append_upload(id, 4_000_000, whole[4_000_000..8_000_000].to_vec()).await.unwrap(), 8_000_000);
    let path = format!("/v1/uploads/{id}");
    let head = anna.rest.request(Method::HEAD, &path, &[TUS], "").await.unwrap();
    assert_eq!(head.status, StatusCode::OK);
    assert_eq!(head.headers["upload-offset"], "8000000");
    assert_eq!(head.headers["upload-length"], whole.len().to_string());
    assert_eq!(head.headers["upload-metadata"], NAMED);
    assert_eq!(head.headers["cache-control"], "no-store");
    assert_eq!(head.headers["tus-resumable"], "1.0.0");
    assert!(head.headers["upload-expires"].to_str().unwrap().ends_with(" GMT"));
    assert_eq!(anna.rest.append_upload(id, 8_000_000, whole[8_000_000..].to_vec()).await.unwrap(), whole.len() as u64);

    // Also who never heard the last answer learns what it became, now and after a restart.
    for restarted in [false, true] {
        if restarted {
            world.restart(&mut [&mut anna]).await;
        }
        let upload = anna.rest.upload(id).await.unwrap();
        let media = upload.media.expect("it has ended");
        assert_eq!((media.size, media.name.as_deref()), (whole.len() as u64, Some("notes.bin")));
        assert_eq!(anna.rest.media(media.id).await.unwrap(), whole);
        assert_eq!(anna.rest.resume_upload(id).await.unwrap(), whole.len() as u64);
        assert_eq!(anna.rest.append_upload(id, whole.len() as u64, "").await.unwrap(), whole.len() as u64);
        assert_eq!(code(anna.rest.append_upload(id, 0, "again").await), Some(Code::WrongOffset));
    }
    assert_eq!((parts(&world), objects(&world).len()), (0, 1));
    let bela = world.device(&bela).await;
    let direct = anna.direct(&bela).await;
    let media = anna.rest.upload(id).await.unwrap().media.unwrap();
    anna.attach(direct, media.id).await.unwrap();
    assert_eq!(bela.rest.media(media.id).await.unwrap(), whole);
    // Who forgets the upload keeps what it became.
    anna.rest.delete_upload(id).await.unwrap();
    assert_eq!(code(anna.rest.upload(id).await), Some(Code::NotFound));
    assert_eq!(bela.rest.media(media.id).await.unwrap(), whole);
    world.stop().await;
    let report = kith::operator::verify::verify(world.data_dir(), |_| {}).unwrap();
    assert!(report.is_clean(), "{report}");
}

#[tokio::test]
async fn what_came_before_the_connection_broke_is_kept() {
    let world = World::start().await;
    let anna = world.person("anna").await;
    let whole = bytes(3_000_000, 2);
    let id = anna.rest.create_upload(whole.len() as u64, Some(NAMED)).await.unwrap();
    let stream = patching(&world, &anna, id, 0, whole.len(), &whole[..1_000_001]).await;
    drop(stream);
    comes_to(&anna, id, 1_000_001).await;

    // This one is silent, as when a network is lost: nobody else writes beside it, but who goes on is let.
    let mut silent =
        patching(&world, &anna, id, 1_000_001, whole.len() - 1_000_001, &whole[1_000_001..2_000_002]).await;
    comes_to(&anna, id, 2_000_002).await;
    let beside = anna.rest.append_upload(id, 2_000_002, whole[2_000_002..].to_vec()).await;
    assert_eq!(code(beside), Some(Code::UploadInUse));
    assert_eq!(anna.rest.resume_upload(id).await.unwrap(), 2_000_002);
    let mut answer = vec![0; 32];
    let read = silent.read(&mut answer).await.unwrap();
    assert!(answer[..read].starts_with(b"HTTP/1.1 423"), "{}", String::from_utf8_lossy(&answer));
    assert_eq!(anna.rest.append_upload(id, 2_000_002, whole[2_000_002..].to_vec()).await.unwrap(), 3_000_000);
    let media = anna.rest.upload(id).await.unwrap().media.unwrap();
    assert_eq!(anna.rest.media(media.id).await.unwrap(), whole);
}

#[tokio::test]
async fn slow_uploads_make_way_and_go_on() {
    let world = World::start().await;
    let bela = world.person("bela").await;
    let (mut attackers, mut uploads, mut patches) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..32 {
        let attacker = world.person(&format!("attacker{number}")).await;
        for _ in 0..8 {
            let id = attacker.rest.create_upload(1000, None).await.unwrap();
            patches.push(patching(&world, &attacker, id, 0, 1000, b"x").await);
            uploads.push((attacker.rest.clone(), id));
        }
        attackers.push(attacker);
    }
    for (number, (_, id)) in uploads.iter().enumerate() {
        comes_to(&attackers[number / 8], *id, 1).await;
    }
    // All places are taken, and what he sends is too.
    let id = bela.rest.create_upload(6, None).await.unwrap();
    assert_eq!(bela.rest.append_upload(id, 0, "parcel").await.unwrap(), 6);
    assert!(bela.rest.upload(id).await.unwrap().media.is_some());
    // One of the others was ended, keeps what has come, and goes on when there is a place.
    let mut ended = Vec::new();
    for (patch, (rest, id)) in patches.iter_mut().zip(&uploads) {
        let mut answer = [0; 12];
        let answered = tokio::time::timeout(MOMENT, patch.read_exact(&mut answer)).await;
        if answered.is_ok() {
            assert_eq!(&answer, b"HTTP/1.1 503");
            ended.push((rest, *id));
        }
    }
    assert_eq!(ended.len(), 1);
    let (rest, id) = ended[0];
    assert_eq!(rest.resume_upload(id).await.unwrap(), 1);
    assert_eq!(rest.append_upload(id, 1, vec![b'x'; 999]).await.unwrap(), 1000);
}

#[tokio::test]
async fn of_many_who_write_at_once_one_does() {
    let world = World::start().await;
    let anna = world.person("anna").await;
    let whole = bytes(2_000_000, 3);
    let id = anna.rest.create_upload(whole.len() as u64, None).await.unwrap();
    let mut senders = tokio::task::JoinSet::new();
    for seed in 0..8 {
        let rest = anna.rest.clone();
        let bytes = if seed == 0 { whole[..1_000_000].to_vec() } else { bytes(1_000_000, 3 + seed) };
        senders.spawn(async move { (bytes.clone(), rest.append_upload(id, 0, bytes).await) });
    }
    let mut first = Vec::new();
    while let Some(sent) = senders.join_next().await {
        match sent.unwrap() {
            (bytes, Ok(offset)) => {
                assert!(first.is_empty(), "two were taken");
                assert_eq!(offset, 1_000_000);
                first = bytes;
            }
            (_, Err(error)) => {
                assert!(matches!(error.code(), Some(Code::UploadInUse | Code::WrongOffset)), "{error}");
            }
        }
    }
    assert_eq!(anna.rest.append_upload(id, 1_000_000, whole[1_000_000..].to_vec()).await.unwrap(), 2_000_000);
    let media = anna.rest.upload(id).await.unwrap().media.unwrap();
    assert_eq!(anna.rest.media(media.id).await.unwrap(), [&first[..], &whole[1_000_000..]].concat());
}

#[tokio::test]
async fn what_tus_does_not_allow_is_refused() {
    let world = World::with(|config| config.media.upload_bytes = 10_000_000).await;
    let anna = world.person("anna").await;
    let ask = async |method: Method, path: &str, headers: &[(&str, &str)], body: &[u8]| {
        anna.rest.request(method, path, headers, body.to_vec()).await.unwrap()
    };
    let options = world.guest().request(Method::OPTIONS, "/v1/uploads", &[("x-none", "")], "").await.unwrap();
    assert_eq!(options.status, StatusCode::NO_CONTENT);
    assert_eq!(options.headers["tus-version"], "1.0.0");
    assert_eq!(options.headers["tus-max-size"], "10000000");
    assert_eq!(options.headers["tus-extension"], "creation,creation-with-upload,termination,expiration");
    let info = world.guest().info().await.unwrap();
    assert_eq!((info.limits.media_bytes, info.limits.upload_bytes), (8 * 1024 * 1024, 10_000_000));

    for (headers, status) in [
        (&[("upload-length", "9")][..], 412),
        (&[("tus-resumable", "0.2.2"), ("upload-length", "9")], 412),
        (&[TUS], 400),
        (&[TUS, ("upload-length", "0")], 400),
        (&[TUS, ("upload-length", "-1")], 400),
        (&[TUS, ("upload-length", "+9")], 400),
        (&[TUS, ("upload-length", "99999999999999999999")], 400),
        (&[TUS, ("upload-length", "10000001")], 413),
        (&[TUS, ("upload-defer-length", "1")], 400),
        (&[TUS, ("upload-length", "9"), ("upload-concat", "partial")], 400),
        (&[TUS, ("upload-length", "9"), ("upload-metadata", "filename !")], 400),
        (&[TUS, ("upload-length", "9"), ("upload-metadata", "")], 400),
    ] {
        let answer = ask(Method::POST, "/v1/uploads", headers, b"").await;
        assert_eq!(answer.status.as_u16(), status, "{headers:?}");
        assert_eq!(answer.headers["tus-resumable"], "1.0.0");
        assert_eq!(answer.headers.get("tus-version").is_some(), status == 412);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
    let other =
        ask(Method::POST, "/v1/uploads", &[TUS, ("upload-length", "9"), ("content-type", "text/plain")], b"words");
    assert_eq!(other.await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(parts(&world), 0);

    let id = anna.rest.create_upload(9, None).await.unwrap();
    let path = format!("/v1/uploads/{id}");
    for (headers, bytes, status) in [
        (&[PART, ("upload-offset", "0")][..], &b"123"[..], 412),
        (&[TUS, PART], b"123", 400),
        (&[TUS, ("upload-offset", "0")], b"123", 415),
        (&[TUS, ("content-type", "application/json"), ("upload-offset", "0")], b"123", 415),
        (&[TUS, PART, ("upload-offset", "1")], b"123", 409),
        (&[TUS, PART, ("upload-offset", "0")], b"1234567890", 413),
        (&[TUS, PART, ("upload-offset", "0"), ("upload-checksum", "sha1 AAAA")], b"123", 400),
    ] {
        assert_eq!(ask(Method::PATCH, &path, headers, bytes).await.status.as_u16(), status, "{headers:?}");
    }
    // From where no PATCH can be sent.
    let none = ask(Method::POST, &path, &[TUS, PART, ("upload-offset", "0")], b"x").await;
    assert_eq!(
        (none.status, &none.headers["allow"]),
        (StatusCode::METHOD_NOT_ALLOWED, &"GET,HEAD,PATCH,DELETE,POST".parse().unwrap())
    );
    let instead = [TUS, PART, ("upload-offset", "1"), ("x-http-method-override", "PATCH")];
    assert_eq!(ask(Method::POST, &path, &instead, b"x").await.status, StatusCode::CONFLICT);
    // Without a length that it announces it is stopped where the upload ends.
    let mut stream = TcpStream::connect(world.authority()).await.unwrap();
    let head = format!(
        "PATCH {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n\
         Content-Type: application/offset+octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n",
        anna.token
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    comes_to(&anna, id, 5).await;
    stream.write_all(b"5\r\n67890\r\n0\r\n\r\n").await.unwrap();
    let mut answer = vec![0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 413");
    assert_eq!(anna.rest.resume_upload(id).await.unwrap(), 5);
    assert_eq!(anna.rest.append_upload(id, 5, "6789").await.unwrap(), 9);
    let media = anna.rest.upload(id).await.unwrap().media.unwrap();
    assert_eq!(anna.rest.media(media.id).await.unwrap(), "123456789");
}

#[tokio::test]
async fn the_first_request_may_bring_bytes() {
    let world = World::start().await;
    let anna = world.person("anna").await;
    let begin = async |length: usize, bytes: Vec<u8>| {
        let length = length.to_string();
        let headers = [TUS, PART, ("upload-length", length.as_str()), ("upload-metadata", PNG)];
        anna.rest.request(Method::POST, "/v1/uploads", &headers, bytes).await.unwrap()
    };
    let id = |answer: &kith_client::rest::Answer| -> UploadId {
        answer.headers["location"].to_str().unwrap().strip_prefix("/v1/uploads/").unwrap().parse().unwrap()
    };
    let all = begin(red().len(), red()).await;
    assert_eq!(
        (all.status, all.headers["upload-offset"].to_str().unwrap()),
        (StatusCode::CREATED, &*red().len().to_string())
    );
    let media = anna.rest.upload(id(&all)).await.unwrap().media.expect("it has ended");
    assert_eq!((media.content_type.as_str(), media.width, media.thumbnail), ("image/png", Some(3), true));
    let some = begin(red().len(), red()[..10].to_vec()).await;
    assert_eq!(some.headers["upload-offset"], "10");
    assert!(anna.rest.append_upload(id(&some), 10, red()[10..].to_vec()).await.is_ok());
    let same = anna.rest.upload(id(&some)).await.unwrap().media.unwrap();
    assert_eq!((&same.sha256, objects(&world).len()), (&media.sha256, 2), "the same bytes are kept once");
    assert_eq!(begin(10, red()).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(begin(3, b"MZ\x90".to_vec()).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(parts(&world), 0);
}

#[tokio::test]
async fn what_is_refused_in_the_end_is_gone() {
    let world = World::with(|config| config.media.quota_bytes = 70 * 1024 * 1024).await;
    let anna = world.person("anna").await;
    let all = 70 * 1024 * 1024;
    // A picture of 30 000 by 30 000 pixels, by what its head says; and one of more bytes than a picture may have.
    let mut bomb = red();
    bomb[16..24].copy_from_slice(&[0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30]);
    let mut large = red();
    large.resize(64 * 1024 * 1024 + 1, 0);
    for (bytes, refused) in [
        (b"MZ\x90\0 a program".to_vec(), Code::UnsupportedMediaType),
        (red()[..40].to_vec(), Code::UnsupportedMediaType),
        (bomb, Code::UnsupportedMediaType),
        (large, Code::TooLarge),
    ] {
        let id = anna.rest.create_upload(bytes.len() as u64, Some(PNG)).await.unwrap();
        let (first, rest) = bytes.split_at(bytes.len() / 2);
        assert_eq!(anna.rest.append_upload(id, 0, first.to_vec()).await.unwrap(), first.len() as u64);
        assert_eq!(code(anna.rest.append_upload(id, first.len() as u64, rest.to_vec()).await), Some(refused));
        assert_eq!(code(anna.rest.upload(id).await), Some(Code::NotFound));
        assert_eq!((parts(&world), objects(&world).len()), (0, 0));
    }
    assert!(has_room_for(&anna, all).await);
}

#[tokio::test]
async fn an_upload_has_its_room_from_the_beginning() {
    let world = World::with(|config| config.media.quota_bytes = 1000).await;
    let anna = world.person("anna").await;
    let id = anna.rest.create_upload(600, None).await.unwrap();
    assert!(!has_room_for(&anna, 401).await && has_room_for(&anna, 400).await);
    assert_eq!(code(anna.rest.send_media(vec![1; 401], "", None).await), Some(Code::QuotaExceeded));
    anna.rest.append_upload(id, 0, vec![1; 600]).await.unwrap();
    assert!(!has_room_for(&anna, 401).await && has_room_for(&anna, 400).await, "the media has it now");
    let mut open = Vec::new();
    let small = async || anna.rest.create_upload(1, None).await;
    for _ in 0..16 {
        open.push(small().await.unwrap());
    }
    assert_eq!(code(small().await), Some(Code::QuotaExceeded), "too many at a time");
    for id in open.drain(..8) {
        anna.rest.append_upload(id, 0, "x").await.unwrap();
    }
    let racing: Vec<_> = (0..16)
        .map(|_| {
            tokio::spawn({
                let rest = anna.rest.clone();
                async move { rest.create_upload(1, None).await.is_ok() }
            })
        })
        .collect();
    let mut begun = 0;
    for one in racing {
        begun += usize::from(one.await.unwrap());
    }
    assert!((1..=8).contains(&begun), "{begun}");
}

#[tokio::test]
async fn what_does_not_go_on_is_removed_with_its_room() {
    let mut world = World::with(|config| {
        config.media.keep_uploads_s = 2;
        config.media.quota_bytes = 1000;
    })
    .await;
    let mut anna = world.person("anna").await;
    let id = anna.rest.create_upload(900, None).await.unwrap();
    anna.rest.append_upload(id, 0, vec![1; 300]).await.unwrap();
    // One that a crash left before it began.
    let orphan = UploadId::new(kith::clock::uuid());
    world.stop().await;
    let backends = kith::backends::Backends::open(world.data_dir()).unwrap();
    let later = Timestamp::from_millis(kith::clock::now().millis() + 3_600_000);
    let note = kith::store::schema::due::row(later, kith::store::schema::due::Task::Upload(orphan));
    let put = kith::store::Change::Put(note.key, kith::store::schema::media::user_value(anna.id));
    backends.store().commit(note.partition, vec![put], vec![]).await.unwrap();
    fs::write(world.data_dir().join("uploads").join(orphan.to_string()), "").unwrap();
    drop(backends);
    world.restart(&mut [&mut anna]).await;
    assert!(!world.data_dir().join("uploads").join(orphan.to_string()).exists(), "the start removes it");
    let until = Instant::now() + SOON;
    while parts(&world) > 0 {
        assert!(Instant::now() < until, "it stays");
        tokio::time::sleep(MOMENT).await;
    }
    assert_eq!(code(anna.rest.upload(id).await), Some(Code::NotFound));
    assert!(has_room_for(&anna, 1000).await);
    // What has ended is forgotten too, and the media stays.
    let id = anna.rest.create_upload(3, None).await.unwrap();
    anna.rest.append_upload(id, 0, "abc").await.unwrap();
    let media = anna.rest.upload(id).await.unwrap().media.unwrap();
    let until = Instant::now() + SOON;
    while code(anna.rest.upload(id).await) != Some(Code::NotFound) {
        assert!(Instant::now() < until, "it stays");
        tokio::time::sleep(MOMENT).await;
    }
    assert_eq!(anna.rest.media(media.id).await.unwrap(), "abc");
    let due = async |world: &World| {
        let mut lines = Vec::new();
        let what = "uploads".parse().unwrap();
        kith::operator::inspect::inspect(world.data_dir(), &what, |line| lines.push(line.to_owned())).unwrap();
        lines
    };
    let until = Instant::now() + SOON;
    while !due(&world).await.is_empty() {
        assert!(Instant::now() < until, "{:?}", due(&world).await);
        tokio::time::sleep(MOMENT).await;
    }
}

#[tokio::test]
async fn uploads_are_their_owner_s_and_go_with_them() {
    let mut world = World::start().await;
    let [anna, bela] = world.people(["anna", "bela"]).await;
    let id = anna.rest.create_upload(1000, Some(NAMED)).await.unwrap();
    anna.rest.append_upload(id, 0, vec![1; 10]).await.unwrap();
    let _silent = patching(&world, &anna, id, 10, 990, &[2; 10]).await;
    comes_to(&anna, id, 20).await;
    assert_eq!(code(bela.rest.upload(id).await), Some(Code::NotFound));
    assert_eq!(code(bela.rest.append_upload(id, 20, "x").await), Some(Code::NotFound));
    assert_eq!(code(bela.rest.delete_upload(id).await), Some(Code::NotFound));
    assert!(bela.rest.resume_upload(id).await.is_err());
    anna.rest.delete_user(&DeleteUser { password: PASSWORD.into() }).await.unwrap();
    let until = Instant::now() + SOON;
    while parts(&world) > 0 {
        assert!(Instant::now() < until, "it stays");
        tokio::time::sleep(MOMENT).await;
    }
    world.stop().await;
    let report = kith::operator::verify::verify(world.data_dir(), |_| {}).unwrap();
    assert!(report.is_clean(), "{report}");
    assert_eq!(world.files_with("bm90ZXMuYmlu").len(), 0, "its name is gone too");
}

#[tokio::test]
async fn a_picture_in_parts_says_where_it_was_taken_to_nobody() {
    let world = World::start().await;
    let anna = world.person("anna").await;
    let place = b"52.5200 N 13.4050 E";
    let image = image::DynamicImage::from(image::RgbImage::from_fn(900, 600, |x, y| image::Rgb([x as u8, y as u8, 7])));
    let mut jpeg = std::io::Cursor::new(Vec::new());
    image.write_to(&mut jpeg, image::ImageFormat::Jpeg).unwrap();
    let jpeg = jpeg.into_inner();
    let comment = [&[0xff, 0xfe, 0, place.len() as u8 + 2], &place[..]].concat();
    let taken = [&jpeg[..2], &comment, &jpeg[2..]].concat();
    let id = anna.rest.create_upload(taken.len() as u64, None).await.unwrap();
    anna.rest.append_upload(id, 0, taken[..1000].to_vec()).await.unwrap();
    anna.rest.append_upload(id, 1000, taken[1000..].to_vec()).await.unwrap();
    let media: Media = anna.rest.upload(id).await.unwrap().media.unwrap();
    assert_eq!((media.content_type.as_str(), media.width, media.thumbnail), ("image/jpeg", Some(900), true));
    assert_eq!(anna.rest.media(media.id).await.unwrap(), jpeg);
    assert_eq!(world.files_with(str::from_utf8(place).unwrap()), Vec::<std::path::PathBuf>::new());
}
