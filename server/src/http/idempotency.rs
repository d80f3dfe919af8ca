//! `Idempotency-Key`: a request that is repeated is answered, not done again.

use axum::{
    Json,
    extract::{FromRequest, Request},
    http::{HeaderName, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
};
use kith_protocol::{Code, UserId};
use serde::{Serialize, de::DeserializeOwned};

use super::{App, extract};
use crate::{
    Error,
    account::{Replay, sha256},
    clock, limits,
};

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// A JSON body of a request that may be repeated under an idempotency key.
pub struct Once<T> {
    body: T,
    key: Option<Key>,
}

/// A key, within the user who gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// As the client wrote it.
    pub text: String,
    /// The key of its row: a hash of the route and the key.
    row: [u8; 16],
    body_hash: [u8; 32],
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Once<T> {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self, Error> {
        let key = match request.headers().get(HEADER) {
            None => None,
            Some(value) => {
                let text = value.to_str().ok().filter(|text| (1..=limits::IDEMPOTENCY_KEY_CHARS).contains(&text.len()));
                let text = text.ok_or_else(|| {
                    let detail =
                        format!("Idempotency-Key must be 1 to {} ASCII characters.", limits::IDEMPOTENCY_KEY_CHARS);
                    Error::new(Code::InvalidRequest).because(detail)
                })?;
                Some(text.to_owned())
            }
        };
        let route = format!("{} {}", request.method(), request.uri().path());
        let bytes = extract::read_body(request).await?;
        let body = extract::read_json(&bytes)?;
        let key = key.map(|text| {
            let hash = sha256(format!("{route}\n{text}").as_bytes());
            let row = hash[..16].try_into().expect("16 bytes are 16 bytes");
            Key { text, row, body_hash: sha256(&bytes) }
        });
        Ok(Self { body, key })
    }
}

impl<T> Once<T> {
    /// Does it, or answers as the first time.
    ///
    /// `make` does it and tells the status and the name of what it made; `show` makes the answer from that name, now and
    /// in every repetition. A request that fails is not remembered: its repetition is tried afresh. What a crash between
    /// the two durable writes, that of `make` and that of the key, leaves is done but not remembered, so `make` should
    /// use names that find it again where there are any.
    ///
    /// # Errors
    /// `idempotency_mismatch` where the key was used with another body, and whatever `make` and `show` fail with.
    pub async fn answer<A: Serialize>(
        self,
        app: &App,
        user: UserId,
        make: impl AsyncFnOnce(T, Option<&Key>) -> Result<(StatusCode, String), Error>,
        show: impl AsyncFnOnce(String, Option<&Key>) -> Result<A, Error>,
    ) -> Result<Response, Error> {
        let Some(key) = self.key else {
            let (status, made) = make(self.body, None).await?;
            return Ok((status, Json(show(made, None).await?)).into_response());
        };
        let _claim = app.in_flight.claim((user, key.row)).await;
        if let Some(replay) = app.node.accounts.replay(user, key.row).await? {
            if replay.body_hash != key.body_hash {
                return Err(Error::new(Code::IdempotencyMismatch));
            }
            let status = StatusCode::from_u16(replay.status).unwrap_or(StatusCode::OK);
            let replayed = [(REPLAYED, HeaderValue::from_static("true"))];
            return Ok((status, replayed, Json(show(replay.resource, Some(&key)).await?)).into_response());
        }
        let (status, made) = make(self.body, Some(&key)).await?;
        let replay =
            Replay { body_hash: key.body_hash, status: status.as_u16(), resource: made.clone(), at: clock::now() };
        if let Err(error) = app.node.accounts.remember(user, key.row, &replay).await {
            // It is done, and to say so is better than to have it done twice.
            tracing::warn!(%user, %error, "an idempotency key was not remembered");
        }
        Ok((status, Json(show(made, Some(&key)).await?)).into_response())
    }
}

impl Key {
    /// Hides or shows again 16 bytes that only who knows the key's text may read.
    pub fn seal(&self, user: UserId, bytes: [u8; 16]) -> [u8; 16] {
        let pad = sha256(format!("kith idempotency seal\n{user}\n{}", self.text).as_bytes());
        std::array::from_fn(|place| bytes[place] ^ pad[place])
    }
}
