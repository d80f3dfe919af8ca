//! Urls that open a media without a token, for a while: what a page puts where no header can be sent.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use kith_protocol::{Code, MediaId, media::MediaUrl};
use sha2::Sha256;

use super::{Media, Row};
use crate::{
    Error, clock, limits,
    store::{StoreExt as _, schema::server},
};

impl Media {
    /// A url of a media that its reader may see now, and of its thumbnail.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn signed(&self, id: MediaId, row: &Row) -> Result<MediaUrl, Error> {
        let expires_s = clock::now().millis() / 1000 + limits::MEDIA_URL_S;
        let signature = BASE64_URL_SAFE_NO_PAD.encode(self.signature(id, expires_s).await?.finalize().into_bytes());
        let url = |part| format!("/v1/media/{id}{part}?expires={expires_s}&signature={signature}");
        Ok(MediaUrl {
            url: url(""),
            thumbnail_url: super::thumbnail_type(row).map(|_| url("/thumbnail")),
            expires_at: kith_protocol::Timestamp::from_millis(expires_s * 1000),
        })
    }

    /// The media that a signed url opens.
    ///
    /// # Errors
    /// `not_found` where its time is over or farther away than it is ever given, or it is not one that was signed here.
    pub async fn opened(&self, id: MediaId, expires_s: u64, signature: &str) -> Result<Row, Error> {
        let good = match BASE64_URL_SAFE_NO_PAD.decode(signature) {
            // Compared in constant time.
            Ok(signature) => self.signature(id, expires_s).await?.verify_slice(&signature).is_ok(),
            Err(_) => false,
        };
        let now_s = clock::now().millis() / 1000;
        // One that is good for longer was signed while the clock was ahead.
        if !good || expires_s <= now_s || expires_s > now_s + limits::MEDIA_URL_S {
            return Err(Code::NotFound.into());
        }
        self.row(id).await
    }

    /// Signs with another key from now on: no url that was given out before opens anything.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn rotate_key(&self) -> Result<(), Error> {
        let key = clock::random();
        let mut known = self.key.lock().await;
        self.store.put(server::media_key(), key.to_vec()).await?;
        *known = Some(key);
        tracing::info!("the key that signs urls of media is another one");
        Ok(())
    }

    pub(super) async fn signature(&self, id: MediaId, expires_s: u64) -> Result<Hmac<Sha256>, Error> {
        let mut known = self.key.lock().await;
        let key = match *known {
            Some(key) => key,
            None => *known.insert(self.store.kept_key(server::media_key(), clock::random).await?),
        };
        drop(known);
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| Error::new(Code::Internal))?;
        mac.update(format!("kith media url\n{id}\n{expires_s}").as_bytes());
        Ok(mac)
    }
}
