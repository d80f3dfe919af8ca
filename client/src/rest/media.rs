//! Media: sending and reading them.

use bytes::Bytes;
use hyper::{Method, header::CONTENT_TYPE};
use kith_protocol::{Media, MediaId, media::MediaUrl};

use super::{Rest, path::Query, read, succeeded};
use crate::Error;

impl Rest {
    /// Sends a media in one request: `POST /v1/media`. `content_type` is what it is said to be.
    pub async fn send_media(
        &self,
        bytes: impl Into<Bytes>,
        content_type: &str,
        name: Option<&str>,
    ) -> Result<Media, Error> {
        let path = Query::new("/v1/media").with("name", name).done();
        read(self.request(Method::POST, &path, &[(CONTENT_TYPE.as_str(), content_type)], bytes).await?)
    }

    /// The bytes of a media, of at most [`crate::limits::ANSWER_BYTES`]: `GET /v1/media/{id}`.
    pub async fn media(&self, id: MediaId) -> Result<Bytes, Error> {
        let answer = self.request(Method::GET, &format!("/v1/media/{id}"), &[], Bytes::new()).await?;
        succeeded(answer).map(|answer| answer.body)
    }

    /// A url that opens a media without a token, for an hour: `GET /v1/media/{id}/url`.
    pub async fn media_url(&self, id: MediaId) -> Result<MediaUrl, Error> {
        self.get(&format!("/v1/media/{id}/url")).await
    }

    /// The thumbnail of a picture: `GET /v1/media/{id}/thumbnail`.
    pub async fn thumbnail(&self, id: MediaId) -> Result<Bytes, Error> {
        let answer = self.request(Method::GET, &format!("/v1/media/{id}/thumbnail"), &[], Bytes::new()).await?;
        succeeded(answer).map(|answer| answer.body)
    }
}
