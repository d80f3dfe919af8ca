//! Every kind of picture becomes a small one that shows the same.

use image::ImageFormat;
use proptest::prelude::*;

use super::*;

/// A picture of slow changes, whose small versions can be compared.
fn slopes(width: u32, height: u32) -> RgbaImage {
    let part = |at: u32, side: u32| (255 * at / side.max(1)) as u8;
    RgbaImage::from_fn(width, height, |x, y| {
        image::Rgba([part(x, width), part(y, height), part(x + y, width + height), 255])
    })
}

fn encoded_as(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn kept_of(content_type: &str, bytes: &[u8]) -> Kept {
    kept(content_type, Bytes::copy_from_slice(bytes), u64::MAX).unwrap()
}

/// Asserts that two pictures show the same, but for so much of each colour.
fn alike(one: &RgbaImage, other: &RgbaImage, tolerance: u8, what: &str) {
    assert_eq!((one.width(), one.height()), (other.width(), other.height()), "{what}");
    for ((x, y, one), other) in one.enumerate_pixels().zip(other.pixels()) {
        let apart = one.0.iter().zip(other.0).map(|(one, other)| one.abs_diff(other)).max();
        assert!(apart <= Some(tolerance), "{what} at {x}, {y}: {one:?} is not {other:?}");
    }
}

#[test]
fn every_kind_of_pixel_gets_a_thumbnail() {
    let (width, height) = (1300, 700);
    let images = [
        DynamicImage::new_luma8(width, height),
        DynamicImage::new_luma_a8(width, height),
        DynamicImage::new_rgb8(width, height),
        DynamicImage::new_rgba8(width, height),
        DynamicImage::new_luma16(width, height),
        DynamicImage::new_luma_a16(width, height),
        DynamicImage::new_rgba16(width, height),
    ];
    for image in images {
        let kept = kept_of("image/png", &encoded_as(&image, ImageFormat::Png));
        assert_eq!((kept.picture.width, kept.picture.height), (width, height));
        let small = image::load_from_memory(&kept.thumbnail.unwrap()).unwrap();
        assert_eq!((small.width(), small.height()), (512, 275));
        let opaque = !image.color().has_alpha();
        let kind = if opaque { "image/jpeg" } else { "image/webp" };
        assert_eq!(kept.picture.thumbnail.as_deref(), Some(kind));
        assert!(kept.picture.thumbhash.len() > 4);
    }
}

#[test]
fn a_line_keeps_its_thickness() {
    let kept = kept_of("image/png", &encoded_as(&DynamicImage::new_rgb8(5000, 1), ImageFormat::Png));
    let small = image::load_from_memory(&kept.thumbnail.unwrap()).unwrap();
    assert_eq!((small.width(), small.height()), (512, 1));
}

#[test]
fn every_type_shows_the_same() {
    let image = slopes(1200, 900);
    let wanted = DynamicImage::from(resized(image.clone(), [512, 384]).unwrap()).to_rgba8();
    let rgb = DynamicImage::from(DynamicImage::from(image.clone()).to_rgb8());
    for (format, image, tolerance) in [
        (ImageFormat::Png, DynamicImage::from(image.clone()), 12),
        (ImageFormat::WebP, DynamicImage::from(image.clone()), 12),
        (ImageFormat::Jpeg, rgb, 16),
        (ImageFormat::Gif, DynamicImage::from(image), 60),
    ] {
        let kept = kept_of(format.to_mime_type(), &encoded_as(&image, format));
        let small = image::load_from_memory(&kept.thumbnail.unwrap()).unwrap().to_rgba8();
        alike(&small, &wanted, tolerance, format.to_mime_type());
    }
}

#[test]
fn a_picture_without_the_memory_for_it_is_kept_without_a_thumbnail() {
    let bytes = encoded_as(&DynamicImage::from(slopes(300, 200)), ImageFormat::Png);
    let needed = look("image/png", Cursor::new(&bytes)).unwrap().bytes;
    let without = kept("image/png", bytes.clone().into(), needed - 1).unwrap();
    assert_eq!((without.picture.width, without.picture.height), (300, 200));
    assert_eq!((without.thumbnail, without.picture.thumbnail, without.picture.thumbhash.len()), (None, None, 0));
    assert!(kept("image/png", bytes.into(), needed).unwrap().thumbnail.is_some());
}

/// A PNG with its rows in passes, of grey pixels.
fn interlaced_png(width: u32, height: u32, grey: impl Fn(u32, u32) -> u8) -> Vec<u8> {
    let mut rows = Vec::new();
    for [from, first, step, down] in
        [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]]
    {
        for y in (first..height).step_by(down as usize).filter(|_| from < width) {
            rows.push(0);
            rows.extend((from..width).step_by(step as usize).map(|x| grey(x, y)));
        }
    }
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 1, 1);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header().unwrap();
    writer.write_chunk(png::chunk::IDAT, &stored(&rows)).unwrap();
    drop(writer);
    // The head is another's.
    let head = [&b"IHDR"[..], &width.to_be_bytes(), &height.to_be_bytes(), &[8, 0, 0, 0, 1]].concat();
    bytes[12..29].copy_from_slice(&head);
    bytes[29..33].copy_from_slice(&crc(&head).to_be_bytes());
    bytes
}

/// Bytes as zlib takes them without compressing (RFC 1950 and 1951).
fn stored(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x78, 1];
    let mut pieces = bytes.chunks(0xffff).peekable();
    while let Some(piece) = pieces.next() {
        let length = piece.len() as u16;
        out.push(u8::from(pieces.peek().is_none()));
        out.extend(length.to_le_bytes());
        out.extend((!length).to_le_bytes());
        out.extend(piece);
    }
    let (low, high) = bytes.iter().fold((1u32, 0u32), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % 65_521;
        (low, (high + low) % 65_521)
    });
    out.extend((high << 16 | low).to_be_bytes());
    out
}

/// The sum at the end of a PNG's chunk (PNG, annex D).
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { 0xedb8_8320 ^ (sum >> 1) } else { sum >> 1 })
    })
}

#[test]
fn passes_are_put_together() {
    for (width, height) in [(1, 1), (3, 2), (5, 9), (1500, 40)] {
        let grey = |x: u32, y: u32| (x * 7 + y * 3) as u8;
        let bytes = interlaced_png(width, height, grey);
        let grid = rows::png(Cursor::new(&bytes), 1_000_000).unwrap_or_else(|_| panic!("{width} × {height}"));
        let mut wanted = Grid::of(width, height);
        for y in 0..height {
            wanted.add(y, 0, 1, (0..width).map(|x| grid::rgba(&[grey(x, y)])));
        }
        alike(&grid.picture(), &wanted.picture(), 0, "PNG");
    }
    // A GIF's rows come in another order than they lie.
    let (width, height) = (40u16, 21u16);
    let order = [(0, 8), (4, 8), (2, 4), (1, 2)].map(|(first, down)| (first..height).step_by(down));
    let buffer: Vec<u8> = order.into_iter().flatten().flat_map(|y| vec![y as u8; width.into()]).collect();
    let mut bytes = Vec::new();
    let palette: Vec<u8> = (0..32).flat_map(|grey: u8| [grey * 8; 3]).collect();
    let mut encoder = gif::Encoder::new(&mut bytes, width, height, &palette).unwrap();
    let frame = gif::Frame { width, height, interlaced: true, buffer: buffer.into(), ..gif::Frame::default() };
    encoder.write_frame(&frame).unwrap();
    drop(encoder);
    let small = rows::gif(Cursor::new(&bytes)).ok().unwrap().picture();
    for (_, y, pixel) in small.enumerate_pixels() {
        assert_eq!(pixel.0, [y as u8 * 8, y as u8 * 8, y as u8 * 8, 255]);
    }
}

/// The recipe of a JPEG.
#[derive(Debug, Clone, Copy)]
struct Made {
    progressive: bool,
    /// Blocks of light in a unit; of the colours there is one.
    across: u16,
    down: u16,
    restart: u16,
    grey: bool,
    /// True where each component has a scan of its own.
    apart: bool,
}

/// Bits as a JPEG has them.
#[derive(Default)]
struct Written {
    bytes: Vec<u8>,
    held: u32,
    count: u32,
}

impl Written {
    fn put(&mut self, value: u32, count: u32) {
        for bit in (0..count).rev() {
            self.held = self.held << 1 | value >> bit & 1;
            self.count += 1;
            if self.count == 8 {
                self.bytes.push(self.held as u8);
                if self.held == 0xff {
                    self.bytes.push(0);
                }
                (self.held, self.count) = (0, 0);
            }
        }
    }

    fn align(&mut self) {
        while self.count > 0 {
            self.put(1, 1);
        }
    }
}

/// A JPEG whose blocks are each of one colour: `mean` says which, of a component's block.
fn flat_jpeg(width: u16, height: u16, made: Made, mean: impl Fn(usize, u16, u16) -> i32) -> Vec<u8> {
    let parts: &[(u16, u16)] = &[(made.across, made.down), (1, 1), (1, 1)][..if made.grey { 1 } else { 3 }];
    let segment =
        |marker: u8, content: &[u8]| [&[0xff, marker][..], &(content.len() as u16 + 2).to_be_bytes(), content].concat();
    let mut out = vec![0xff, 0xd8];
    out.extend(segment(0xdb, &[&[0][..], &[8; 64]].concat()));
    let mut head = vec![8];
    head.extend(height.to_be_bytes());
    head.extend(width.to_be_bytes());
    head.push(parts.len() as u8);
    for (id, (across, down)) in (1..).zip(parts) {
        head.extend([id, (across << 4 | down) as u8, 0]);
    }
    out.extend(segment(if made.progressive { 0xc2 } else { 0xc0 }, &head));
    // Of the means each size is its own code of four bits; of the others there is only the end.
    let means = [&[0][..], &[0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &(0..12).collect::<Vec<u8>>()].concat();
    out.extend(segment(0xc4, &means));
    out.extend(segment(0xc4, &[&[0x10, 1][..], &[0; 15], &[0]].concat()));
    out.extend(segment(0xdd, &made.restart.to_be_bytes()));
    let scans: Vec<Vec<usize>> =
        if made.apart { (0..parts.len()).map(|one| vec![one]).collect() } else { vec![(0..parts.len()).collect()] };
    let (units, rows) = (width.div_ceil(8 * made.across), height.div_ceil(8 * made.down));
    for scan in scans {
        let mut about = vec![scan.len() as u8];
        about.extend(scan.iter().flat_map(|part| [*part as u8 + 1, 0]));
        about.extend(if made.progressive { [0, 0, 0] } else { [0, 63, 0] });
        out.extend(segment(0xda, &about));
        let alone = scan.len() == 1;
        let [columns, lines] = if alone {
            let (across, down) = parts[scan[0]];
            [(width * across).div_ceil(8 * made.across), (height * down).div_ceil(8 * made.down)]
        } else {
            [units, rows]
        };
        let (mut bits, mut before, mut left, mut next) = (Written::default(), [0; 3], made.restart, 0);
        for (y, x) in (0..lines).flat_map(|y| (0..columns).map(move |x| (y, x))) {
            if made.restart > 0 && left == 0 {
                bits.align();
                bits.bytes.extend([0xff, 0xd0 + next]);
                (before, left, next) = ([0; 3], made.restart, (next + 1) % 8);
            }
            left = left.saturating_sub(1);
            for part in &scan {
                let (across, down) = if alone { (1, 1) } else { parts[*part] };
                for (dy, dx) in (0..down).flat_map(|dy| (0..across).map(move |dx| (dy, dx))) {
                    let value = mean(*part, x * across + dx, y * down + dy) - 128;
                    let differs = value - before[*part];
                    before[*part] = value;
                    let size = 32 - differs.unsigned_abs().leading_zeros();
                    bits.put(size, 4);
                    bits.put((if differs < 0 { differs - 1 } else { differs }) as u32 & ((1 << size) - 1), size);
                    if !made.progressive {
                        bits.put(0, 1);
                    }
                }
            }
        }
        bits.align();
        out.extend(bits.bytes);
    }
    out.extend([0xff, 0xd9]);
    out
}

#[test]
fn a_jpeg_at_an_eighth_shows_the_means_of_its_blocks() {
    let (width, height) = (150u16, 90u16);
    let mean = |part: usize, x: u16, y: u16| 40 + (part as i32 * 30 + i32::from(x) * 5 + i32::from(y) * 3) % 170;
    for progressive in [false, true] {
        for (across, down) in [(1, 1), (2, 1), (2, 2)] {
            for (restart, grey, apart) in [(0, false, false), (3, false, false), (0, true, false), (2, false, true)] {
                let made = Made { progressive, across, down, restart, grey, apart };
                let bytes = flat_jpeg(width, height, made, mean);
                let small = eighth::read(&bytes).unwrap_or_else(|_| panic!("{made:?}")).picture();
                let wanted = RgbaImage::from_fn(19, 12, |x, y| {
                    let of = |part, x: u32, y: u32| mean(part, x as u16, y as u16) as f32;
                    let (light, x, y) = (of(0, x, y), x / u32::from(across), y / u32::from(down));
                    let [blue, red] = if grey { [0.0; 2] } else { [of(1, x, y) - 128.0, of(2, x, y) - 128.0] };
                    let colours = [1.402 * red, -0.344_14 * blue - 0.714_14 * red, 1.772 * blue];
                    let [red, green, blue] = colours.map(|differs| (light + differs).round().clamp(0.0, 255.0) as u8);
                    image::Rgba([red, green, blue, 255])
                });
                alike(&small, &wanted, 1, &format!("{made:?}"));
                if apart {
                    continue;
                }
                // Another decoder finds the same in the middle of each block, where colours are not mixed.
                let whole = image::load_from_memory(&bytes).unwrap().to_rgba8();
                let middle = |side: u32, at: u32| (at * 8 + 4).min(side - 1);
                let found = RgbaImage::from_fn(19, 12, |x, y| *whole.get_pixel(middle(150, x), middle(90, y)));
                alike(&small, &found, 8, &format!("{made:?}, by another"));
            }
        }
    }
}

#[test]
fn a_large_jpeg_gets_the_thumbnail_that_a_smaller_one_gets() {
    let large = DynamicImage::from(DynamicImage::from(slopes(4400, 1100)).to_rgb8());
    let wanted = resized(slopes(4400, 1100), [512, 128]).unwrap();
    let bytes = encoded_as(&large, ImageFormat::Jpeg);
    assert!(matches!(look("image/jpeg", Cursor::new(&bytes)).unwrap().way, Way::Eighth));
    let small = image::load_from_memory(&kept_of("image/jpeg", &bytes).thumbnail.unwrap()).unwrap().to_rgba8();
    alike(&small, &wanted, 12, "JPEG");
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_damaged(at in any::<proptest::sample::Index>(), others in proptest::collection::vec(any::<u8>(), 1..12)) {
        for progressive in [false, true] {
            let made = Made { progressive, across: 2, down: 2, restart: 2, grey: false, apart: progressive };
            let mut bytes = flat_jpeg(100, 60, made, |_, x, y| i32::from(x * y) % 200);
            let at = at.index(bytes.len() - others.len());
            bytes[at..at + others.len()].copy_from_slice(&others);
            if let Ok(frame) = eighth::frame(Cursor::new(&bytes)) && frame.bytes() < 4_000_000 {
                let _ = eighth::read(&bytes);
            }
        }
    }
}
