//! What pictures show: their size, a thumbnail, and a hash to show until either is there. Bounded in pixels and in memory.

use std::io::Cursor;

use bytes::Bytes;
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer, images};
use image::{
    DynamicImage, ExtendedColorType, ImageDecoder as _, ImageFormat, ImageReader, Limits, RgbaImage,
    codecs::{jpeg::JpegEncoder, webp::WebPEncoder},
    metadata::Orientation,
};
use kith_protocol::Code;

use super::strip::{Damaged, stripped};
use crate::{Error, limits, store::schema::Picture};

/// A picture as it is kept.
pub struct Kept {
    /// Without what it said besides.
    pub bytes: Vec<u8>,
    /// What it shows.
    pub picture: Picture,
    /// A small one.
    pub thumbnail: Vec<u8>,
}

fn damaged() -> Error {
    Error::new(Code::UnsupportedMediaType).because("The picture cannot be read.")
}

fn too_large() -> Error {
    let detail = format!("A picture may have {} pixels.", limits::PICTURE_PIXELS);
    Error::new(Code::TooLarge).because(detail)
}

/// Makes a picture of one of the four types ready to be kept. Blocks the thread.
///
/// # Errors
/// `unsupported_media_type` for what is damaged, `too_large` for what has too many pixels, however few bytes.
pub fn kept(content_type: &str, bytes: Bytes) -> Result<Kept, Error> {
    let plain = stripped(content_type, &bytes).map_err(|Damaged| damaged())?;
    // Not beside the picture in memory.
    drop(bytes);
    let bytes = plain;
    let format = ImageFormat::from_mime_type(content_type).ok_or_else(damaged)?;
    let (image, orientation) = decoded(format, &bytes)?;
    let (width, height) = (image.width(), image.height());
    let mut small = DynamicImage::from(resized(&image, limits::THUMBNAIL_PIXELS)?);
    drop(image);
    small.apply_orientation(orientation);
    let (width, height) = if is_quarter(orientation) { (height, width) } else { (width, height) };
    let (thumbnail, kind) = encoded(&small)?;
    // More than a hundred pixels make the hash slower and not better.
    let tiny = resized(&small, 100)?;
    let thumbhash = thumbhash::rgba_to_thumb_hash(tiny.width() as usize, tiny.height() as usize, tiny.as_raw());
    let picture = Picture { width, height, thumbhash, thumbnail: Some(kind.to_owned()) };
    Ok(Kept { bytes, picture, thumbnail })
}

const fn is_quarter(orientation: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(orientation, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH)
}

/// The picture, of one that moves the first, and how it is to be turned.
fn decoded(format: ImageFormat, bytes: &[u8]) -> Result<(DynamicImage, Orientation), Error> {
    let mut bounds = Limits::no_limits();
    bounds.max_alloc = Some(limits::PICTURE_MEMORY_BYTES);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(bounds.clone());
    let wrong = |error: image::ImageError| match error {
        image::ImageError::Limits(_) => too_large(),
        _ => damaged(),
    };
    let mut decoder = reader.into_decoder().map_err(wrong)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > limits::PICTURE_PIXELS
        || decoder.total_bytes() > limits::PICTURE_MEMORY_BYTES
    {
        return Err(too_large());
    }
    if width == 0 || height == 0 {
        return Err(damaged());
    }
    decoder.set_limits(bounds).map_err(wrong)?;
    let orientation = decoder.orientation().map_err(wrong)?;
    Ok((DynamicImage::from_decoder(decoder).map_err(wrong)?, orientation))
}

/// The picture in red, green, blue and opacity, with neither side longer than `longest`.
fn resized(image: &DynamicImage, longest: u32) -> Result<RgbaImage, Error> {
    let (width, height) = (image.width(), image.height());
    if width.max(height) <= longest {
        return Ok(image.to_rgba8());
    }
    let shorter = |side: u32| (u64::from(side) * u64::from(longest) / u64::from(width.max(height))).max(1) as u32;
    let (to_width, to_height) = (shorter(width), shorter(height));
    let wide;
    // Small pixels are taken as they are, without a copy of the whole picture.
    let (pixels, kind) = match image {
        DynamicImage::ImageLuma8(image) => (image.as_raw().as_slice(), PixelType::U8),
        DynamicImage::ImageLumaA8(image) => (image.as_raw().as_slice(), PixelType::U8x2),
        DynamicImage::ImageRgb8(image) => (image.as_raw().as_slice(), PixelType::U8x3),
        DynamicImage::ImageRgba8(image) => (image.as_raw().as_slice(), PixelType::U8x4),
        other => {
            wide = other.to_rgba8();
            (wide.as_raw().as_slice(), PixelType::U8x4)
        }
    };
    let failed = |error: String| {
        tracing::warn!(%error, "a picture was not scaled");
        Error::new(Code::Internal)
    };
    let from = images::ImageRef::new(width, height, pixels, kind).map_err(|error| failed(error.to_string()))?;
    let mut to = images::Image::new(to_width, to_height, kind);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom));
    Resizer::new().resize(&from, &mut to, &options).map_err(|error| failed(error.to_string()))?;
    let pixels = to.into_vec();
    let small = match kind {
        PixelType::U8 => image::GrayImage::from_raw(to_width, to_height, pixels).map(DynamicImage::from),
        PixelType::U8x2 => image::GrayAlphaImage::from_raw(to_width, to_height, pixels).map(DynamicImage::from),
        PixelType::U8x3 => image::RgbImage::from_raw(to_width, to_height, pixels).map(DynamicImage::from),
        _ => RgbaImage::from_raw(to_width, to_height, pixels).map(DynamicImage::from),
    };
    small.map(|small| small.to_rgba8()).ok_or_else(|| failed("its size changed".to_owned()))
}

/// A thumbnail's bytes and type: JPEG, or WebP where something shines through.
fn encoded(small: &DynamicImage) -> Result<(Vec<u8>, &'static str), Error> {
    let rgba = small.to_rgba8();
    let (width, height) = (rgba.width(), rgba.height());
    let opaque = rgba.pixels().all(|pixel| pixel[3] == 255);
    let mut bytes = Vec::new();
    let written = if opaque {
        let rgb = DynamicImage::from(rgba).to_rgb8();
        JpegEncoder::new_with_quality(&mut bytes, 80).encode(&rgb, width, height, ExtendedColorType::Rgb8)
    } else {
        WebPEncoder::new_lossless(&mut bytes).encode(&rgba, width, height, ExtendedColorType::Rgba8)
    };
    written.map_err(|error| {
        tracing::warn!(%error, "a thumbnail was not written");
        Error::new(Code::Internal)
    })?;
    Ok((bytes, if opaque { "image/jpeg" } else { "image/webp" }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(image: &DynamicImage) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, ImageFormat::Png).unwrap();
        bytes.into_inner()
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
            DynamicImage::new_rgba16(width, height),
        ];
        for image in images {
            let kept = kept("image/png", png(&image).into()).unwrap();
            assert_eq!((kept.picture.width, kept.picture.height), (width, height));
            let small = image::load_from_memory(&kept.thumbnail).unwrap();
            assert_eq!((small.width(), small.height()), (512, 275));
            let opaque = !image.color().has_alpha();
            let kind = if opaque { "image/jpeg" } else { "image/webp" };
            assert_eq!(kept.picture.thumbnail.as_deref(), Some(kind));
            assert!(kept.picture.thumbhash.len() > 4);
        }
    }

    #[test]
    fn a_line_keeps_its_thickness() {
        let kept = kept("image/png", png(&DynamicImage::new_rgb8(5000, 1)).into()).unwrap();
        let small = image::load_from_memory(&kept.thumbnail).unwrap();
        assert_eq!((small.width(), small.height()), (512, 1));
    }
}
