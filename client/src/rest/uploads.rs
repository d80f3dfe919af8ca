//! Uploads: media that are sent in parts (tus 1.0.0).

use bytes::Bytes;
use hyper::{HeaderMap, Method, header::CONTENT_TYPE, header::LOCATION};
use kith_protocol::{UploadId, media::Upload};

use super::{Rest, succeeded};
use crate::Error;

const TUS: (&str, &str) = ("tus-resumable", "1.0.0");

impl Rest {
    /// Begins an upload of so many bytes: `POST /v1/uploads`. `metadata` is its `Upload-Metadata`.
    pub async fn create_upload(&self, length: u64, metadata: Option<&str>) -> Result<UploadId, Error> {
        let length = length.to_string();
        let mut headers = vec![TUS, ("upload-length", length.as_str())];
        headers.extend(metadata.map(|metadata| ("upload-metadata", metadata)));
        let answer = succeeded(self.request(Method::POST, "/v1/uploads", &headers, Bytes::new()).await?)?;
        let location = answer.headers.get(LOCATION).and_then(|location| location.to_str().ok());
        let id = location.and_then(|location| location.rsplit('/').next()?.parse().ok());
        id.ok_or_else(|| Error::protocol("an upload without a location"))
    }

    /// Tells how far an upload is, and what it has become: `GET /v1/uploads/{id}`.
    pub async fn upload(&self, id: UploadId) -> Result<Upload, Error> {
        self.get(&format!("/v1/uploads/{id}")).await
    }

    /// Tells where to go on with an upload, after whoever else writes to it was stopped: `HEAD /v1/uploads/{id}`.
    pub async fn resume_upload(&self, id: UploadId) -> Result<u64, Error> {
        let answer = self.request(Method::HEAD, &format!("/v1/uploads/{id}"), &[TUS], Bytes::new()).await?;
        offset(&succeeded(answer)?.headers)
    }

    /// Adds bytes to an upload, which begin at `offset`: `PATCH /v1/uploads/{id}`. Where it is then.
    pub async fn append_upload(&self, id: UploadId, offset: u64, bytes: impl Into<Bytes>) -> Result<u64, Error> {
        let from = offset.to_string();
        let kind = (CONTENT_TYPE.as_str(), "application/offset+octet-stream");
        let headers = [TUS, kind, ("upload-offset", from.as_str())];
        let answer = self.request(Method::PATCH, &format!("/v1/uploads/{id}"), &headers, bytes).await?;
        self::offset(&succeeded(answer)?.headers)
    }

    /// Forgets an upload: `DELETE /v1/uploads/{id}`.
    pub async fn delete_upload(&self, id: UploadId) -> Result<(), Error> {
        let answer = self.request(Method::DELETE, &format!("/v1/uploads/{id}"), &[TUS], Bytes::new()).await?;
        succeeded(answer).map(drop)
    }
}

fn offset(headers: &HeaderMap) -> Result<u64, Error> {
    let offset = headers.get("upload-offset").and_then(|offset| offset.to_str().ok()?.parse().ok());
    offset.ok_or_else(|| Error::protocol("an upload without an offset"))
}
