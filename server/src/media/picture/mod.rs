//! Pictures as they are shown: their size, a thumbnail, and a hash to show until either is there; bounded in pixels and
//! in memory.
//!
//! How much memory reading one takes is known from its head ([`look`]). PNGs and GIFs are read row by row ([`rows`]), large
//! JPEGs at an eighth of their size ([`eighth`]); all others as a whole. Each is made small while it is read ([`grid`]).
//! One for which there is no memory is kept without a thumbnail.

mod eighth;
mod grid;
mod rows;
#[cfg(test)]
mod tests;

use std::io::{BufRead, Cursor, Seek, SeekFrom};

use bytes::Bytes;
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer, images};
use image::{
    DynamicImage, ExtendedColorType, ImageDecoder, RgbaImage,
    codecs::{jpeg::JpegDecoder, jpeg::JpegEncoder, webp::WebPDecoder, webp::WebPEncoder},
    metadata::Orientation,
};
use kith_protocol::Code;

use self::grid::Grid;
use super::strip::{Damaged, stripped};
use crate::{Error, limits, store::schema::Picture};

/// Pixels of the longer side from which on a JPEG is read at an eighth: that is no smaller than a thumbnail.
const EIGHTH_FROM: u32 = 8 * limits::THUMBNAIL_PIXELS;

/// A picture as it is kept.
pub struct Kept {
    /// Without what it said besides.
    pub bytes: Vec<u8>,
    /// The thumbnail and the hash, where it could be decoded.
    pub picture: Picture,
    /// A small one, where there was memory to make it.
    pub thumbnail: Option<Vec<u8>>,
}

/// The header of a picture.
pub struct Look {
    width: u32,
    height: u32,
    /// The orientation in which it is to be shown, where it says one.
    orientation: Orientation,
    way: Way,
    /// Bytes that reading it takes, beside its own.
    pub bytes: u64,
}

/// The way in which a picture is read.
enum Way {
    Png {
        rows: u64,
    },
    Gif,
    /// A JPEG of which a thumbnail needs no more than an eighth.
    Eighth,
    /// A JPEG or a WebP.
    Whole,
}

fn damaged() -> Error {
    Error::new(Code::UnsupportedMediaType).because("The picture cannot be read.")
}

fn too_large() -> Error {
    let detail = format!("A picture may have {} pixels.", limits::PICTURE_PIXELS);
    Error::new(Code::TooLarge).because(detail)
}

/// Looks at the head of a picture of one of the four types, which may say that it has any number of pixels. Blocks the
/// thread.
///
/// # Errors
/// `unsupported_media_type` for what is damaged.
pub fn look(content_type: &str, input: impl BufRead + Seek) -> Result<Look, Error> {
    let look = match content_type {
        "image/png" => rows::png_head(input).map(|head| by_rows(&head, Way::Png { rows: head.rows })),
        "image/gif" => rows::gif_head(input).map(|head| by_rows(&head, Way::Gif)),
        "image/jpeg" => eighth::frame(input).map(|frame| jpeg(&frame)),
        _ => webp(input),
    };
    let mut look = look.map_err(|Damaged| damaged())?;
    if look.width == 0 || look.height == 0 {
        return Err(damaged());
    }
    look.bytes += limits::PICTURE_FIXED_BYTES;
    Ok(look)
}

fn by_rows(head: &rows::Head, way: Way) -> Look {
    let (width, height) = (head.width, head.height);
    Look { width, height, orientation: Orientation::NoTransforms, way, bytes: head.rows + Grid::bytes(width, height) }
}

fn jpeg(frame: &eighth::Frame) -> Look {
    let (width, height, orientation) = (frame.width, frame.height, frame.orientation);
    let is_large = frame.is_readable && width.max(height) >= EIGHTH_FROM;
    // Of each sample what a progressive one says of it, and of each pixel its colours.
    let whole = 2 * frame.samples() + 3 * u64::from(width) * u64::from(height) + Grid::bytes(width, height);
    let (way, bytes) = if is_large { (Way::Eighth, frame.bytes()) } else { (Way::Whole, whole) };
    Look { width, height, orientation, way, bytes }
}

/// The head of a WebP (RFC 9649). Of the chunks it is told which memory is needed.
fn webp(mut input: impl BufRead + Seek) -> Result<Look, Damaged> {
    let (mut lossless, mut moves) = (0, false);
    input.seek(SeekFrom::Start(12)).map_err(|_| Damaged)?;
    let mut head = [0; 8];
    while input.read_exact(&mut head).is_ok() {
        let size = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
        match &head[..4] {
            // What a lossless part says of its codes may become as much longer.
            b"VP8L" | b"ALPH" => lossless += limits::WEBP_CODES_GROW * u64::from(size),
            b"ANMF" if !moves => {
                moves = true;
                lossless += limits::WEBP_CODES_GROW * u64::from(size);
            }
            _ => {}
        }
        input.seek_relative(i64::from(size) + i64::from(size & 1)).map_err(|_| Damaged)?;
    }
    input.seek(SeekFrom::Start(0)).map_err(|_| Damaged)?;
    let mut decoder = WebPDecoder::new(input).map_err(|_| Damaged)?;
    let orientation = decoder.orientation().map_err(|_| Damaged)?;
    let ((width, height), colours) = (decoder.dimensions(), u64::from(decoder.color_type().bytes_per_pixel()));
    let pixels = u64::from(width.next_multiple_of(16)) * u64::from(height.next_multiple_of(16));
    // The picture; in a lossy one light and colours; in a lossless one, or its opacity, red, green, blue and opacity, what
    // they are told from, and opacity alone; in one that moves a frame and the canvas.
    let each = colours + if lossless > 0 { 7 } else { 2 } + if moves { 8 } else { 0 };
    let bytes = each * pixels + lossless + Grid::bytes(width, height);
    Ok(Look { width, height, orientation, way: Way::Whole, bytes })
}

/// Makes a picture of one of the four types ready to be kept, with a thumbnail where reading it takes no more than
/// `allowed` bytes. Blocks the thread.
///
/// # Errors
/// `unsupported_media_type` for what is damaged, `too_large` for what has too many pixels, however few bytes.
pub fn kept(content_type: &str, bytes: Bytes, allowed: u64) -> Result<Kept, Error> {
    let plain = stripped(content_type, &bytes).map_err(|Damaged| damaged())?;
    // Not beside the picture in memory.
    drop(bytes);
    // Again: what was left out may have hidden another head.
    let look = look(content_type, Cursor::new(&plain))?;
    let Look { width, height, orientation, .. } = look;
    if u64::from(width) * u64::from(height) > limits::PICTURE_PIXELS {
        return Err(too_large());
    }
    let small = if look.bytes <= allowed { drawn(&look, content_type, &plain)? } else { None };
    let shown = small.map(|small| shown(small, width, height, orientation)).transpose()?;
    let (thumbnail, kind, thumbhash) = match shown {
        Some((thumbnail, kind, thumbhash)) => (Some(thumbnail), Some(kind.to_owned()), thumbhash),
        None => (None, None, Vec::new()),
    };
    let (width, height) = if is_quarter(orientation) { (height, width) } else { (width, height) };
    Ok(Kept { bytes: plain, picture: Picture { width, height, thumbhash, thumbnail: kind }, thumbnail })
}

const fn is_quarter(orientation: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(orientation, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH)
}

/// The picture, of one that moves the first, made small; nothing where a large one has a form that is not read.
fn drawn(look: &Look, content_type: &str, plain: &[u8]) -> Result<Option<RgbaImage>, Error> {
    let grid = match look.way {
        Way::Png { rows } => rows::png(Cursor::new(plain), rows),
        Way::Gif => rows::gif(Cursor::new(plain)),
        Way::Eighth => return Ok(eighth::read(plain).ok().map(Grid::picture)),
        Way::Whole if content_type == "image/jpeg" => whole(JpegDecoder::new(Cursor::new(plain))),
        Way::Whole => whole(WebPDecoder::new(Cursor::new(plain))),
    };
    grid.map(|grid| Some(grid.picture())).map_err(|Damaged| damaged())
}

fn whole<D: ImageDecoder>(decoder: image::ImageResult<D>) -> Result<Grid, Damaged> {
    let image = decoder.and_then(DynamicImage::from_decoder).map_err(|_| Damaged)?;
    let (width, channels) = (image.width() as usize, usize::from(image.color().channel_count()));
    let mut grid = Grid::of(image.width(), image.height());
    // Both have 8 bits for each channel.
    for (y, row) in (0..).zip(image.as_bytes().chunks_exact(width * channels)) {
        grid.add(y, 0, 1, row.chunks_exact(channels).map(grid::rgba));
    }
    Ok(grid)
}

/// A thumbnail's bytes and type, and the hash, of a picture that was made small.
fn shown(
    small: RgbaImage,
    width: u32,
    height: u32,
    orientation: Orientation,
) -> Result<(Vec<u8>, &'static str, Vec<u8>), Error> {
    let mut small = DynamicImage::from(resized(small, fit(width, height, limits::THUMBNAIL_PIXELS))?);
    small.apply_orientation(orientation);
    let small = small.into_rgba8();
    let (thumbnail, kind) = encoded(&small)?;
    // More than a hundred pixels make the hash slower and not better.
    let to = fit(small.width(), small.height(), 100);
    let tiny = resized(small, to)?;
    let thumbhash = thumbhash::rgba_to_thumb_hash(tiny.width() as usize, tiny.height() as usize, tiny.as_raw());
    Ok((thumbnail, kind, thumbhash))
}

/// Both sides of a picture, neither of which is longer than `longest`.
fn fit(width: u32, height: u32, longest: u32) -> [u32; 2] {
    let side = width.max(height);
    let shorter = |one: u32| (u64::from(one) * u64::from(longest) / u64::from(side)).max(1) as u32;
    if side <= longest { [width, height] } else { [shorter(width), shorter(height)] }
}

fn resized(image: RgbaImage, [width, height]: [u32; 2]) -> Result<RgbaImage, Error> {
    if (image.width(), image.height()) == (width, height) {
        return Ok(image);
    }
    let failed = |error: String| {
        tracing::warn!(%error, "a picture was not scaled");
        Error::new(Code::Internal)
    };
    let from = images::ImageRef::new(image.width(), image.height(), image.as_raw(), PixelType::U8x4)
        .map_err(|error| failed(error.to_string()))?;
    let mut to = images::Image::new(width, height, PixelType::U8x4);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom));
    Resizer::new().resize(&from, &mut to, &options).map_err(|error| failed(error.to_string()))?;
    RgbaImage::from_raw(width, height, to.into_vec()).ok_or_else(|| failed("its size changed".to_owned()))
}

/// A thumbnail's bytes and type: JPEG, or WebP where something shines through.
fn encoded(rgba: &RgbaImage) -> Result<(Vec<u8>, &'static str), Error> {
    let (width, height) = (rgba.width(), rgba.height());
    let opaque = rgba.pixels().all(|pixel| pixel[3] == 255);
    let mut bytes = Vec::new();
    let written = if opaque {
        let rgb = DynamicImage::from(rgba.clone()).into_rgb8();
        JpegEncoder::new_with_quality(&mut bytes, 80).encode(&rgb, width, height, ExtendedColorType::Rgb8)
    } else {
        WebPEncoder::new_lossless(&mut bytes).encode(rgba, width, height, ExtendedColorType::Rgba8)
    };
    written.map_err(|error| {
        tracing::warn!(%error, "a thumbnail was not written");
        Error::new(Code::Internal)
    })?;
    Ok((bytes, if opaque { "image/jpeg" } else { "image/webp" }))
}
