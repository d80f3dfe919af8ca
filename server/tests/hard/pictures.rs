//! Pictures of few bytes and very many pixels: the memory in which they are read stays bounded, and nobody waits for all
//! that another has sent.

use std::{
    io::Write as _,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use kith_protocol::Media;

use super::{
    people::Person,
    program::{LIFTED, Program, alone, say},
};

/// As many pixels as a picture may have.
const WIDTH: u32 = 12_000;
const HEIGHT: u32 = 9_000;
const MIB: u64 = 1024 * 1024;
/// The largest memory of reading pictures where they are read in parts: the smallest budget.
const BUDGET_BYTES: u64 = 256 * MIB;
/// The memory of the process beside that: itself, the requests, what the allocator has not given back yet.
const SLACK_BYTES: u64 = 128 * MIB;

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { 0xedb8_8320 ^ (sum >> 1) } else { sum >> 1 })
    })
}

/// A PNG of grey pixels with opacity, each in 16 bits.
fn png(height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, WIDTH, height);
    encoder.set_color(png::ColorType::GrayscaleAlpha);
    encoder.set_depth(png::BitDepth::Sixteen);
    let mut writer = encoder.write_header().unwrap();
    let mut rows = writer.stream_writer().unwrap();
    let row = vec![0; WIDTH as usize * 4];
    for _ in 0..height {
        rows.write_all(&row).unwrap();
    }
    rows.finish().unwrap();
    drop(writer);
    bytes
}

/// The same in passes, with 8 bits: its rows are all zeros, as that of a picture with one row is.
fn interlaced_png() -> Vec<u8> {
    let passes = [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]];
    let rows = passes.map(|[from, first, step, down]: [u32; 4]| {
        (HEIGHT - first).div_ceil(down) * (1 + 2 * (WIDTH - from).div_ceil(step))
    });
    let all: u32 = rows.iter().sum();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, all - 1, 1);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_filter(png::Filter::NoFilter);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&vec![0; all as usize - 1]).unwrap();
    drop(writer);
    let head = [&b"IHDR"[..], &WIDTH.to_be_bytes(), &HEIGHT.to_be_bytes(), &[8, 4, 0, 0, 1]].concat();
    bytes[12..29].copy_from_slice(&head);
    bytes[29..33].copy_from_slice(&crc(&head).to_be_bytes());
    bytes
}

fn gif() -> Vec<u8> {
    let mut bytes = Vec::new();
    let [width, height] = [WIDTH, HEIGHT].map(|side| side as u16);
    let mut encoder = gif::Encoder::new(&mut bytes, width, height, &[0, 0, 0, 255, 255, 255]).unwrap();
    let buffer = vec![0; WIDTH as usize * HEIGHT as usize];
    encoder.write_frame(&gif::Frame { width, height, buffer: buffer.into(), ..gif::Frame::default() }).unwrap();
    drop(encoder);
    bytes
}

/// A JPEG of grey blocks in three components: a bit says that the mean stays, and in a baseline one another that there is
/// nothing else.
fn jpeg(progressive: bool) -> Vec<u8> {
    let segment =
        |marker: u8, content: &[u8]| [&[0xff, marker][..], &(content.len() as u16 + 2).to_be_bytes(), content].concat();
    let code = |class: u8| [&[class, 1][..], &[0; 15], &[0]].concat();
    let [height, width] = [HEIGHT, WIDTH].map(|side| (side as u16).to_be_bytes());
    let parts = [1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0];
    let head = [&[8][..], &height, &width, &[3], &parts].concat();
    let blocks = 3 * (WIDTH / 8) * (HEIGHT / 8);
    let bits = if progressive { blocks } else { 2 * blocks };
    [
        vec![0xff, 0xd8],
        segment(0xdb, &[&[0][..], &[1; 64]].concat()),
        segment(if progressive { 0xc2 } else { 0xc0 }, &head),
        segment(0xc4, &code(0)),
        segment(0xc4, &code(0x10)),
        segment(0xda, &[3, 1, 0, 2, 0, 3, 0, 0, if progressive { 0 } else { 63 }, 0]),
        vec![0; bits.div_ceil(8) as usize],
        vec![0xff, 0xd9],
    ]
    .concat()
}

/// A lossless WebP of black pixels, none of which takes a bit (RFC 9649, section 3).
fn webp(side: u32) -> Vec<u8> {
    let (mut bits, mut at) = (0u128, 0);
    let mut put = |value: u32, count: u32| {
        bits |= u128::from(value) << at;
        at += count;
    };
    put(0x2f, 8);
    put(side - 1, 14);
    put(side - 1, 14);
    // No opacity, version 0; nothing transformed, no cache, one group of codes; each of five codes has one symbol.
    put(0, 1 + 3);
    put(0, 3);
    (0..5).for_each(|_| put(0b0001, 4));
    let data = &bits.to_le_bytes()[..10];
    [&b"RIFF"[..], &(4 + 8 + 10u32).to_le_bytes(), b"WEBPVP8L", &10u32.to_le_bytes(), data].concat()
}

/// Two people send a picture at the same time; what became of them, and the most memory that the server ever took.
async fn two_at_once(bytes: &[u8], content_type: &str) -> ([Media; 2], u64) {
    let program = Program::started(LIFTED);
    let people = Person::several(&program, 2).await;
    let (one, other) = tokio::join!(sent(&people[0], bytes), sent(&people[1], bytes));
    let peak = program.peak_bytes();
    say(&format!("{content_type} of {} kB: {} MiB at most", bytes.len() / 1000, peak / MIB));
    ([one, other], peak)
}

/// The media that bytes become, however long the server takes for them.
async fn sent(who: &Person, bytes: &[u8]) -> Media {
    let id = who.rest.create_upload(bytes.len() as u64, None).await.unwrap();
    // Whether this is answered in time or not, it ends.
    let _ = who.rest.append_upload(id, 0, bytes.to_vec()).await;
    let until = Instant::now() + Duration::from_secs(300);
    loop {
        match who.rest.upload(id).await {
            Ok(upload) if upload.media.is_some() => return upload.media.unwrap(),
            Err(error) if error.code().is_some_and(|code| !code.retryable()) => panic!("{error}"),
            _ => assert!(Instant::now() < until, "it does not end"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_largest_pictures_are_read_in_bounded_memory() {
    let _alone = alone().await;
    for (bytes, content_type) in [
        (png(HEIGHT), "image/png"),
        (interlaced_png(), "image/png"),
        (gif(), "image/gif"),
        (jpeg(false), "image/jpeg"),
        (jpeg(true), "image/jpeg"),
    ] {
        let (media, peak) = two_at_once(&bytes, content_type).await;
        for media in media {
            assert_eq!(
                (media.width, media.height, media.thumbnail),
                (Some(WIDTH), Some(HEIGHT), true),
                "{content_type}"
            );
        }
        assert!(peak <= BUDGET_BYTES + SLACK_BYTES, "{content_type}: {peak} bytes");
    }
    // One that is read as a whole takes its turn, and is kept without a thumbnail where it has none.
    let budget = kith::media::memory::for_pictures();
    let side = |bytes: u64| (((bytes / 10) as f64).sqrt() as u32).min(10_392);
    let fits = side(budget / 10 * 9 - 64 * MIB);
    let (media, peak) = two_at_once(&webp(fits), "image/webp").await;
    assert!(media.iter().all(|media| media.thumbnail && media.width == Some(fits)), "{media:?}");
    assert!(peak <= budget + SLACK_BYTES, "WebP: {peak} bytes");
    let (media, peak) = two_at_once(&webp(10_392), "image/webp").await;
    assert!(media.iter().all(|media| media.width == Some(10_392) && media.height == Some(10_392)), "{media:?}");
    assert!(peak <= budget + SLACK_BYTES, "WebP: {peak} bytes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_for_all_the_pictures_of_another() {
    let _alone = alone().await;
    let program = Program::started(LIFTED);
    let people = Person::several(&program, 2).await;
    let small = {
        let mut bytes = std::io::Cursor::new(Vec::new());
        image::DynamicImage::new_rgb8(300, 200).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        bytes.into_inner()
    };
    let (large, done) = (png(HEIGHT / 4), Arc::new(AtomicUsize::new(0)));
    let sending: Vec<_> = (0..4)
        .map(|_| {
            let (rest, large, done) = (people[0].rest.clone(), large.clone(), done.clone());
            tokio::spawn(async move {
                let sent = rest.send_media(large, "image/png", None).await;
                done.fetch_add(1, Ordering::SeqCst);
                sent
            })
        })
        .collect();
    // While hers are read or wait, each of his is read.
    let mut his = 0;
    while done.load(Ordering::SeqCst) == 0 {
        assert!(people[1].rest.send_media(small.clone(), "image/png", None).await.unwrap().thumbnail);
        his += 1;
    }
    assert!(his > 1, "he waited for her");
    for one in sending {
        assert!(one.await.unwrap().unwrap().thumbnail, "hers are read too");
    }
}
