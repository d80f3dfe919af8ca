//! `Upload-Metadata`: what a client says of the bytes that it is about to send.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use kith_protocol::{Code, limits::UPLOAD_METADATA_BYTES};

use crate::{Error, limits};

/// Characters of a media type that anybody could mean.
const TYPE_CHARS: usize = 127;

/// The metadata that are read; whatever else there is has only to be of the right form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// `filename`: what it is called.
    pub name: Option<String>,
    /// `filetype`: what it is said to be.
    pub content_type: Option<String>,
}

impl Metadata {
    /// Reads the value of the header: pairs of a name and, in base64, a value, between commas.
    ///
    /// # Errors
    /// `invalid_request` for what is not of that form, has a name twice or is too long.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::read(text).map_err(|why| Error::new(Code::InvalidRequest).because(format!("Upload-Metadata {why}.")))
    }

    fn read(text: &str) -> Result<Self, &'static str> {
        if text.len() > UPLOAD_METADATA_BYTES {
            return Err("is too long");
        }
        let mut names: Vec<&str> = Vec::new();
        let mut metadata = Self::default();
        for pair in text.split(',') {
            let pair = pair.trim_matches(' ');
            let (name, value) = pair.split_once(' ').unwrap_or((pair, ""));
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err("has a name that is none");
            }
            if names.contains(&name) {
                return Err("has a name twice");
            }
            names.push(name);
            if names.len() > limits::UPLOAD_METADATA_PAIRS {
                return Err("has too many pairs");
            }
            let value = BASE64_STANDARD.decode(value).map_err(|_| "has a value that is not base64")?;
            let field = match name {
                "filename" => &mut metadata.name,
                "filetype" => &mut metadata.content_type,
                _ => continue,
            };
            *field = Some(String::from_utf8(value).map_err(|_| "has a value that is not UTF-8")?);
        }
        let is_type =
            |kind: &String| kind.len() <= TYPE_CHARS && kind.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if metadata.content_type.as_ref().is_some_and(|kind| !is_type(kind)) {
            return Err("has a filetype that is none");
        }
        Ok(metadata)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(name: Option<&str>, content_type: Option<&str>) -> Option<Metadata> {
        Some(Metadata { name: name.map(str::to_owned), content_type: content_type.map(str::to_owned) })
    }

    #[test]
    fn what_is_said_is_read() {
        for (text, read) in [
            ("filename d29ybGQucG5n,filetype aW1hZ2UvcG5n", said(Some("world.png"), Some("image/png"))),
            ("filetype aW1hZ2UvcG5n, relativePath bnVsbA==, is_confidential", said(None, Some("image/png"))),
            ("filename w6Q=", said(Some("ä"), None)),
            ("filename", said(Some(""), None)),
            ("", None),
            ("filename  w6Q=", None),
            ("filename w6Q", None),
            ("filename w6Q=,", None),
            ("filename w6Q=,filename w6Q=", None),
            ("filename /w==", None),
            ("file\u{e4}name w6Q=", None),
            ("filetype CgoK", None),
        ] {
            assert_eq!(Metadata::parse(text).ok(), read, "{text}");
        }
        assert!(Metadata::parse(&format!("x {}", "A".repeat(UPLOAD_METADATA_BYTES))).is_err());
        let many: Vec<String> = (0..=limits::UPLOAD_METADATA_PAIRS).map(|n| format!("k{n}")).collect();
        assert!(Metadata::parse(&many.join(",")).is_err());
    }
}
