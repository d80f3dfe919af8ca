//! The content type of bytes: sniffed, not believed.

use kith_protocol::Code;

use crate::Error;

/// The content type that is served where nothing better is known, or where better would be dangerous.
pub const UNKNOWN: &str = "application/octet-stream";
/// The pictures that the server can read.
const PICTURES: [&str; 4] = ["image/jpeg", "image/png", "image/gif", "image/webp"];
/// The recordings that a page may play.
const RECORDINGS: [&str; 12] = [
    "audio/webm",
    "audio/ogg",
    "audio/mp4",
    "audio/mpeg",
    "audio/aac",
    "audio/wav",
    "audio/flac",
    "audio/x-m4a",
    "video/webm",
    "video/mp4",
    "video/ogg",
    "video/quicktime",
];

/// Returns true if the bytes of this type are shown in the page that asks; all others are downloads.
pub fn is_shown(content_type: &str) -> bool {
    PICTURES.contains(&content_type) || RECORDINGS.contains(&content_type) || content_type == "text/plain"
}

/// Returns true for a picture that the server can read.
pub fn is_picture(content_type: &str) -> bool {
    PICTURES.contains(&content_type)
}

/// The content type of bytes that begin so and are declared to be `declared`. Bytes that a browser could run are
/// [`UNKNOWN`], and so are pictures that the server cannot read and therefore cannot take the place out of.
///
/// # Errors
/// `unsupported_media_type` where they are said to be a picture or a recording and are none.
pub fn of(beginning: &[u8], declared: &str) -> Result<String, Error> {
    let declared = declared.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let found = infer::get(beginning).map(|found| found.mime_type());
    let family = declared.split('/').next().unwrap_or_default();
    let lies = || {
        let detail = format!("The bytes are not what they are said to be, {declared}.");
        Err(Error::new(Code::UnsupportedMediaType).because(detail))
    };
    match (family, found) {
        ("image", Some(found)) if found.starts_with("image/") => {}
        // XML, with what it may run.
        ("image", _) if declared == "image/svg+xml" => return Ok(UNKNOWN.to_owned()),
        ("image", _) => return lies(),
        ("audio" | "video", Some(found)) if !is_recording(found) => return lies(),
        _ => {}
    }
    let kind = match found {
        // One container holds either: whoever recorded knows which.
        Some(found) if is_recording(found) && RECORDINGS.contains(&&*declared) => declared,
        Some(found) => found.to_owned(),
        None if RECORDINGS.contains(&&*declared) => declared,
        None if declared == "text/plain" && is_plain(beginning) => declared,
        None => UNKNOWN.to_owned(),
    };
    let other_picture = kind.starts_with("image/") && !is_picture(&kind);
    let runs = kind.starts_with("text/") && kind != "text/plain" || kind.contains("xml") || kind.contains("script");
    Ok(if other_picture || runs { UNKNOWN.to_owned() } else { kind })
}

fn is_recording(found: &str) -> bool {
    found.starts_with("audio/") || found.starts_with("video/") || found == "application/ogg"
}

/// Returns true for a text without markup. It is served as text either way, but not every program believes that.
fn is_plain(beginning: &[u8]) -> bool {
    let first = beginning.iter().find(|byte| !byte.is_ascii_whitespace() && !matches!(byte, 0xef | 0xbb | 0xbf));
    first.is_none_or(|first| *first != b'<') && !beginning.contains(&0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    /// The beginning of a recording; a shorter one is not known.
    const WEBM: &[u8] = {
        const START: &[u8; 44] = b"\x1a\x45\xdf\xa3\x01\0\0\0\0\0\0\x1f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\xf3\x81\x08\x42\x82\x84webm\x42\x87\x81\x04\x42\x85\x81\x02\0";
        &{
            let mut bytes = [0; 300];
            let mut at = 0;
            while at < START.len() {
                bytes[at] = START[at];
                at += 1;
            }
            bytes
        }
    };

    #[test]
    fn bytes_are_what_they_are() {
        for (bytes, declared, kind) in [
            (PNG, "image/png", "image/png"),
            (PNG, "image/jpeg", "image/png"),
            (PNG, "application/octet-stream", "image/png"),
            (WEBM, "audio/webm;codecs=opus", "audio/webm"),
            (WEBM, "", "video/webm"),
            (b"%PDF-1.7", "application/pdf", "application/pdf"),
            (b"words", "text/plain; charset=utf-8", "text/plain"),
            (b"words", "text/javascript", UNKNOWN),
            (b"<!DOCTYPE html><script>", "text/html", UNKNOWN),
            (b" \n<script>alert(1)</script>", "text/plain", UNKNOWN),
            (b"<html><body>", "application/octet-stream", UNKNOWN),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml", UNKNOWN),
            (b"<?xml version='1.0'?><x/>", "application/xml", UNKNOWN),
            (b"II*\0abcdefgh", "image/tiff", UNKNOWN),
            (b"", "", UNKNOWN),
        ] {
            assert_eq!(of(bytes, declared).ok().as_deref(), Some(kind), "{declared}");
        }
        assert!(is_shown("image/png") && is_shown("audio/webm"));
        assert!(!is_shown(UNKNOWN) && !is_shown("application/pdf") && !is_shown("image/svg+xml"));
    }

    #[test]
    fn a_lie_is_refused() {
        for (bytes, declared) in [
            (&b"MZ\x90\0\x03\0\0\0"[..], "image/png"),
            (b"words", "image/jpeg"),
            (b"<!DOCTYPE html>", "image/gif"),
            (PNG, "video/mp4"),
            (b"%PDF-1.7", "audio/mpeg"),
        ] {
            let refused = of(bytes, declared).map_err(|error| error.code);
            assert_eq!(refused, Err(Code::UnsupportedMediaType), "{declared}");
        }
    }
}
