//! Says to a push service which server speaks: RFC 8292, with ES256.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use p256::{
    PublicKey,
    ecdsa::{Signature, SigningKey, signature::Signer as _},
};
use serde_json::json;

use super::seal;
use crate::{account::endpoint::Endpoint, clock};

/// Seconds for which a signature is good; 24 hours would be allowed.
const GOOD_S: u64 = 12 * 3600;

/// The key of this server.
pub struct Vapid {
    key: SigningKey,
    public: String,
    contact: Option<String>,
}

impl Vapid {
    /// A key from its secret; none where it is none. `contact` is whom a push service may ask.
    pub fn new(secret: &[u8; 32], contact: Option<String>) -> Option<Self> {
        let key = SigningKey::from_slice(secret).ok()?;
        let public = BASE64_URL_SAFE_NO_PAD.encode(seal::point(&PublicKey::from(key.verifying_key())));
        Some(Self { key, public, contact })
    }

    /// A new secret.
    pub fn secret() -> [u8; 32] {
        seal::secret_key().to_bytes().into()
    }

    /// The public key, in base64url: what a device subscribes with.
    pub fn public(&self) -> &str {
        &self.public
    }

    /// The `Authorization` of a request to an endpoint.
    pub fn authorization(&self, endpoint: &Endpoint) -> String {
        let until_s = clock::now().millis() / 1000 + GOOD_S;
        let mut claims = json!({ "aud": endpoint.origin(), "exp": until_s });
        if let Some(contact) = &self.contact {
            claims["sub"] = json!(contact);
        }
        let encode = |value: &serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let said = format!("{}.{}", encode(&json!({ "typ": "JWT", "alg": "ES256" })), encode(&claims));
        let signature: Signature = self.key.sign(said.as_bytes());
        let signature = BASE64_URL_SAFE_NO_PAD.encode(signature.to_bytes());
        format!("vapid t={said}.{signature}, k={}", self.public)
    }
}
