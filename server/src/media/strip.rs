//! Takes out of pictures what they say besides what they show: where and when they were taken, by whom and with what.
//!
//! Nothing is encoded anew: the parts that hold such things are left out, with whatever follows the end of the picture.
//! How it is to be turned stays.

use image::metadata::Orientation;

/// A picture that is not of the form that its type has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damaged;

/// A picture of one of the four types without what it says besides.
///
/// # Errors
/// [`Damaged`].
pub fn stripped(content_type: &str, bytes: &[u8]) -> Result<Vec<u8>, Damaged> {
    match content_type {
        "image/jpeg" => jpeg(bytes),
        "image/png" => png(bytes),
        "image/webp" => webp(bytes),
        "image/gif" => gif(bytes),
        _ => None,
    }
    .ok_or(Damaged)
}

/// Bytes that are read from their beginning.
struct Rest<'b>(&'b [u8]);

impl<'b> Rest<'b> {
    fn take(&mut self, count: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }
}

/// EXIF that says nothing but how the picture is to be turned (TIFF 6.0: one directory with one entry).
fn turned(orientation: u8) -> Vec<u8> {
    let mut tiff = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    tiff.extend_from_slice(&[orientation, 0, 0, 0, 0, 0, 0]);
    tiff
}

fn turn_of(exif: &[u8]) -> Option<u8> {
    Orientation::from_exif_chunk(exif).map(Orientation::to_exif).filter(|turn| *turn != 1)
}

/// ISO/IEC 10918-1, annex B. Of the application segments JFIF, the colour profile and Adobe's stay.
fn jpeg(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut rest = Rest(bytes);
    let mut out = Vec::with_capacity(bytes.len());
    out.extend_from_slice(rest.take(2).filter(|start| *start == [0xff, 0xd8])?);
    let mut turn = None;
    loop {
        if rest.byte()? != 0xff {
            return None;
        }
        let mut marker = rest.byte()?;
        while marker == 0xff {
            marker = rest.byte()?;
        }
        if marker == 0xd9 {
            out.extend_from_slice(&[0xff, 0xd9]);
            return Some(out);
        }
        // Not of segments: behind coded data they would be read as more of it.
        if matches!(marker, 0 | 1 | 0xd0..=0xd8) {
            return None;
        }
        let length = rest.take(2)?;
        let content = rest.take((usize::from(length[0]) << 8 | usize::from(length[1])).checked_sub(2)?)?;
        let keep = match marker {
            0xe1 => {
                turn = turn.or(content.strip_prefix(b"Exif\0\0").and_then(turn_of));
                false
            }
            0xe0 | 0xee => true,
            0xe2 => content.starts_with(b"ICC_PROFILE\0"),
            0xe3..=0xef | 0xfe => false,
            _ => true,
        };
        if !matches!(marker, 0xe0..=0xef | 0xfe)
            && let Some(turn) = turn.take()
        {
            let exif = [&b"Exif\0\0"[..], &turned(turn)].concat();
            out.extend_from_slice(&[0xff, 0xe1, 0, exif.len() as u8 + 2]);
            out.extend_from_slice(&exif);
        }
        if keep {
            out.extend_from_slice(&[0xff, marker, length[0], length[1]]);
            out.extend_from_slice(content);
        }
        if marker == 0xda {
            // Coded data, in which 0xff stands only before 0 and the restart markers.
            let mut markers = rest.0.windows(2);
            let end = markers.position(|two| two[0] == 0xff && !matches!(two[1], 0 | 0xd0..=0xd7 | 0xff))?;
            out.extend_from_slice(rest.take(end)?);
        }
    }
}

/// PNG, third edition, section 5. Texts, times and EXIF go.
fn png(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut rest = Rest(bytes);
    let mut out = Vec::with_capacity(bytes.len());
    out.extend_from_slice(rest.take(8).filter(|start| *start == b"\x89PNG\r\n\x1a\n")?);
    loop {
        let length = rest.0.first_chunk().map(|length| u32::from_be_bytes(*length))?;
        let chunk = rest.take((length as usize).checked_add(12)?)?;
        let kind = &chunk[4..8];
        if !matches!(kind, b"eXIf" | b"tEXt" | b"zTXt" | b"iTXt" | b"tIME") {
            out.extend_from_slice(chunk);
        }
        if kind == b"IEND" {
            return Some(out);
        }
    }
}

/// RFC 9649, section 2.
fn webp(bytes: &[u8]) -> Option<Vec<u8>> {
    const EXIF: u8 = 0x08;
    const XMP: u8 = 0x04;
    let head = bytes.first_chunk::<12>().filter(|head| head.starts_with(b"RIFF") && head.ends_with(b"WEBP"))?;
    let size = u32::from_le_bytes(head[4..8].try_into().ok()?) as usize;
    let mut rest = Rest(bytes.get(12..size.checked_add(8)?)?);
    let mut out = Vec::with_capacity(bytes.len());
    out.extend_from_slice(head);
    let (mut flags, mut turn) = (None, None);
    while !rest.0.is_empty() {
        let head = rest.take(8)?;
        let size = u32::from_le_bytes(head[4..8].try_into().ok()?) as usize;
        let content = rest.take(size)?;
        if size % 2 == 1 && !rest.0.is_empty() {
            rest.take(1)?;
        }
        match &head[..4] {
            b"EXIF" => {
                turn = turn.or(turn_of(content.strip_prefix(b"Exif\0\0").unwrap_or(content)));
                continue;
            }
            b"XMP " => continue,
            b"VP8X" if flags.is_some() || content.len() < 10 => return None,
            b"VP8X" => flags = Some(out.len() + 8),
            _ => {}
        }
        out.extend_from_slice(head);
        out.extend_from_slice(content);
        out.extend_from_slice(&[0][..size % 2]);
    }
    if let Some(at) = flags {
        let flags = out.get_mut(at)?;
        *flags &= !(EXIF | XMP);
        if turn.is_some() {
            *flags |= EXIF;
        }
        if let Some(turn) = turn {
            let exif = turned(turn);
            out.extend_from_slice(b"EXIF");
            out.extend_from_slice(&(exif.len() as u32).to_le_bytes());
            out.extend_from_slice(&exif);
            out.extend_from_slice(&[0][..exif.len() % 2]);
        }
    }
    let size = u32::try_from(out.len() - 8).ok()?;
    out[4..8].copy_from_slice(&size.to_le_bytes());
    Some(out)
}

/// GIF89a, sections 17 to 27. Comments go, and of the applications all but those that say how it moves and its colours.
fn gif(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut rest = Rest(bytes);
    let head = rest.take(13).filter(|head| head.starts_with(b"GIF8"))?;
    let mut out = Vec::with_capacity(bytes.len());
    out.extend_from_slice(head);
    out.extend_from_slice(rest.take(colours(head[10]))?);
    loop {
        let before = rest.0;
        let keep = match rest.byte()? {
            0x3b => {
                out.push(0x3b);
                return Some(out);
            }
            0x2c => {
                let descriptor = rest.take(9)?;
                rest.take(colours(descriptor[8]) + 1)?;
                true
            }
            0x21 => {
                let label = rest.byte()?;
                let names = [&b"\x0bNETSCAPE2.0"[..], b"\x0bANIMEXTS1.0", b"\x0bICCRGBG1012"];
                label == 0xf9 || label == 0x01 || label == 0xff && names.iter().any(|name| rest.0.starts_with(name))
            }
            _ => return None,
        };
        loop {
            let size = rest.byte()?;
            if size == 0 {
                break;
            }
            rest.take(size.into())?;
        }
        if keep {
            out.extend_from_slice(&before[..before.len() - rest.0.len()]);
        }
    }
}

/// Bytes of the table of colours that follows, as the flags say.
fn colours(flags: u8) -> usize {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}

#[cfg(test)]
mod tests {
    use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, RgbImage};
    use proptest::prelude::*;

    use super::*;

    const SECRET: &[u8] = b"52.5200 N 13.4050 E";

    fn picture(format: ImageFormat) -> Vec<u8> {
        let image = RgbImage::from_fn(40, 30, |x, y| image::Rgb([x as u8 * 6, y as u8 * 8, 99]));
        let mut bytes = std::io::Cursor::new(Vec::new());
        DynamicImage::from(image).write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn exif() -> Vec<u8> {
        // Turned by a quarter, and a place behind the directory.
        [&turned(6)[..], SECRET].concat()
    }

    /// The picture with its place in it, wherever its type has room for it.
    fn located(format: ImageFormat) -> Vec<u8> {
        let plain = picture(format);
        let part = |name: &[u8], content: &[u8], size: [u8; 4]| [name, &size, content].concat();
        match format {
            ImageFormat::Jpeg => {
                let exif = [&b"Exif\0\0"[..], &exif()].concat();
                let segment =
                    |marker: u8, content: &[u8]| [&[0xff, marker, 0, content.len() as u8 + 2][..], content].concat();
                let parts = [segment(0xe1, &exif), segment(0xed, SECRET), segment(0xfe, SECRET)].concat();
                [&plain[..2], &parts, &plain[2..], SECRET].concat()
            }
            ImageFormat::Png => {
                let length = (SECRET.len() as u32).to_be_bytes();
                let chunk = |name: &[u8]| [&length[..], name, SECRET, &[0; 4]].concat();
                [&plain[..33], &chunk(b"tEXt"), &chunk(b"eXIf"), &plain[33..], SECRET].concat()
            }
            ImageFormat::WebP => {
                let exif = exif();
                let mut extended = part(b"VP8X", &[0x0c, 0, 0, 0, 39, 0, 0, 29, 0, 0], 10u32.to_le_bytes());
                extended.extend_from_slice(&plain[12..]);
                extended.extend(part(b"EXIF", &exif, (exif.len() as u32).to_le_bytes()));
                extended.extend(vec![0; exif.len() % 2]);
                extended.extend(part(b"XMP ", SECRET, (SECRET.len() as u32).to_le_bytes()));
                extended.push(0);
                part(b"RIFF", &[b"WEBP", &extended[..]].concat(), (extended.len() as u32 + 4).to_le_bytes())
            }
            ImageFormat::Gif => {
                let comment = [&[0x21, 0xfe, SECRET.len() as u8][..], SECRET, &[0]].concat();
                let at = 13 + colours(plain[10]);
                [&plain[..at], &comment, &plain[at..], SECRET].concat()
            }
            _ => unreachable!("four types"),
        }
    }

    fn type_of(format: ImageFormat) -> &'static str {
        format.to_mime_type()
    }

    const FORMATS: [ImageFormat; 4] = [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP, ImageFormat::Gif];

    #[test]
    fn the_place_goes_and_the_picture_stays() {
        for format in FORMATS {
            let located = located(format);
            assert!(located.windows(SECRET.len()).any(|part| part == SECRET), "{format:?}");
            let plain = stripped(type_of(format), &located).unwrap();
            assert!(!plain.windows(SECRET.len()).any(|part| part == SECRET), "{format:?}");
            let read = |bytes: &[u8]| image::load_from_memory_with_format(bytes, format).unwrap();
            assert_eq!(read(&plain).to_rgb8(), read(&picture(format)).to_rgb8(), "{format:?}");
            assert_eq!(stripped(type_of(format), &plain).as_deref(), Ok(&plain[..]), "{format:?}");
        }
    }

    #[test]
    fn how_it_is_turned_stays() {
        for format in [ImageFormat::Jpeg, ImageFormat::WebP] {
            let plain = stripped(type_of(format), &located(format)).unwrap();
            let reader = ImageReader::with_format(std::io::Cursor::new(plain), format);
            let mut decoder = reader.into_decoder().unwrap();
            assert_eq!(decoder.orientation().unwrap(), Orientation::Rotate90, "{format:?}");
        }
    }

    #[test]
    fn what_is_cut_short_is_damaged() {
        for format in FORMATS {
            let whole = picture(format);
            for length in [0, 1, 7, 12, 20, whole.len() / 2] {
                let cut = stripped(type_of(format), &whole[..length]);
                assert_eq!(cut, Err(Damaged), "{format:?} cut to {length}");
            }
        }
    }

    #[test]
    fn nothing_moves_into_the_coded_data_of_a_jpeg() {
        let plain = picture(ImageFormat::Jpeg);
        let coded = &plain[..plain.len() - 2];
        let comment = [0xff, 0xfe, 0, 3, 1];
        for marker in [0, 1, 0xd0, 0xd7, 0xd8] {
            let behind = [coded, &comment, &[0xff, marker, 0, 3, 1], &[0xff, 0xd9]].concat();
            assert_eq!(stripped("image/jpeg", &behind), Err(Damaged), "{marker:#x}");
        }
        let behind = [coded, &comment, &[0xff, 0xff, 0xd9]].concat();
        assert_eq!(stripped("image/jpeg", &behind).as_deref(), Ok(&plain[..]));
    }

    proptest! {
        #[test]
        fn any_bytes_are_damaged_or_stripped(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in any::<usize>()) {
            for format in FORMATS {
                let _ = stripped(type_of(format), &bytes);
                let located = located(format);
                let at = at % located.len();
                // Cut off there, and with a few bytes in the middle that are others.
                let few = &bytes[..bytes.len().min(at % 5 + 1)];
                let middle = [&located[..at], few, &located[(at + few.len()).min(located.len())..]].concat();
                for changed in [[&located[..at], &bytes].concat(), middle] {
                    if let Ok(plain) = stripped(type_of(format), &changed) {
                        let again = stripped(type_of(format), &plain);
                        prop_assert_eq!(again.as_deref(), Ok(&plain[..]));
                    }
                }
            }
        }
    }
}
