//! Media: the pictures, recordings and files that messages show, and avatars.

use serde::{Deserialize, Serialize};

use crate::{MediaId, Timestamp, UploadId};

/// A media, as every entry that shows it describes it. It has no url, because entries are for ever and urls are not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Media {
    /// For ever.
    pub id: MediaId,
    /// The content type, as the server found.
    pub content_type: String,
    /// Its size in bytes.
    pub size: u64,
    /// SHA-256 of the bytes, in hexadecimal.
    pub sha256: String,
    /// Pixels of a picture from left to right, as it is to be shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Pixels of a picture from top to bottom, as it is to be shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// A picture in some 25 bytes, in base64: what to show until it is there (<https://evanw.github.io/thumbhash/>).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumbhash: Option<String>,
    /// True if it has a thumbnail.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub thumbnail: bool,
    /// The name that its owner gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Media {
    /// A media of which only the name is known: what a sender has of an attachment until it reads its own entry.
    pub fn named(id: MediaId) -> Self {
        Self {
            id,
            content_type: "application/octet-stream".to_owned(),
            size: 0,
            sha256: String::new(),
            width: None,
            height: None,
            thumbhash: None,
            thumbnail: false,
            name: None,
        }
    }
}

/// A url that opens a media without a token: `GET /v1/media/{id}/url`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MediaUrl {
    /// The path and query of the bytes, on the server that answers.
    pub url: String,
    /// The same of the thumbnail, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumbnail_url: Option<String>,
    /// The time until which they open it.
    pub expires_at: Timestamp,
}

/// A media that is sent in parts: `GET /v1/uploads/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Upload {
    /// Its name.
    pub id: UploadId,
    /// The length in bytes that it will have.
    pub length: u64,
    /// The number of bytes that have come.
    pub offset: u64,
    /// The time at which it is forgotten, unless more bytes come.
    pub expires_at: Timestamp,
    /// The media that it has become, once it has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<Media>,
}
