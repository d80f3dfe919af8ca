//! The one computation of the opening handshake (RFC 6455, section 4.2.2).

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{GeneralPurpose, GeneralPurposeConfig},
};
use sha1::{Digest, Sha1};

const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// Characters of 16 bytes in base64.
const KEY_CHARS: usize = 24;

// Only the length of the nonce matters to anybody, so the unused bits of its last character may be what they like.
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

/// The `Sec-WebSocket-Accept` that answers a `Sec-WebSocket-Key`; none where the key is not 16 bytes in base64.
pub fn accept_key(key: &[u8]) -> Option<String> {
    let mut nonce = [0; 18];
    if key.len() != KEY_CHARS || BASE64.decode_slice(key, &mut nonce) != Ok(16) {
        return None;
    }
    let digest = Sha1::new().chain_update(key).chain_update(GUID).finalize();
    Some(BASE64.encode(digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc() {
        let accept = accept_key(b"dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(accept.as_deref(), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    }

    #[test]
    fn a_key_that_is_not_16_bytes_is_refused() {
        let keys: [&[u8]; 6] = [
            b"",
            b"dGhlIHNhbXBsZSBub25jZQ",
            b"dGhlIHNhbXBsZSBub25jZSE=",
            b"dGhlIHNhbXBsZSBub25jZSEh",
            b"dGhlIHNhbXBsZSBub25j!Q==",
            b"dGhlIHNhbXBsZSBub25jZQ==dGhlIHNhbXBsZSBub25jZQ==",
        ];
        for key in keys {
            assert_eq!(accept_key(key), None, "{}", String::from_utf8_lossy(key));
        }
    }
}
