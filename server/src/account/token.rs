//! Tokens and invite codes: random texts that are shown once and kept as hashes.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use crate::clock;

/// The prefix of a token, so that a leaked one can be recognised for what it is.
const PREFIX: &str = "kith_";
/// The prefix of a device secret.
const SECRET_PREFIX: &str = "kithdev_";
/// The base64url characters of 256 bits.
const RANDOM_CHARS: usize = 43;

/// A new token of 256 random bits.
pub fn new_token() -> String {
    random_text(PREFIX)
}

/// A new device secret of 256 random bits.
pub fn new_device_secret() -> String {
    random_text(SECRET_PREFIX)
}

fn random_text(prefix: &str) -> String {
    format!("{prefix}{}", BASE64_URL_SAFE_NO_PAD.encode(clock::random::<32>()))
}

/// Hashes a token for the store; `None` for a text that cannot be one.
pub fn hash_of_token(token: &str) -> Option<[u8; 32]> {
    hash_of(PREFIX, token)
}

/// Hashes a device secret for the store; `None` for a text that cannot be one.
pub fn hash_of_device_secret(secret: &str) -> Option<[u8; 32]> {
    hash_of(SECRET_PREFIX, secret)
}

fn hash_of(prefix: &str, text: &str) -> Option<[u8; 32]> {
    let rest = text.strip_prefix(prefix)?;
    let chars = rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    (rest.len() == RANDOM_CHARS && chars).then(|| sha256(text.as_bytes()))
}

/// An invite's code: 128 bits as text.
pub fn code_of(bits: [u8; 16]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bits)
}

/// SHA-256, for what has enough bits of its own to need no salt.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// A password that a person can type from a screen: 80 random bits in four groups.
pub fn one_time_password() -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstvwxyz0123456789";
    let random: [u8; 16] = clock::random();
    let chars: Vec<char> = random.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 31)])).collect();
    chars.chunks(4).map(String::from_iter).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_its_form_and_no_two_are_the_same() {
        let (one, other) = (new_token(), new_token());
        assert_eq!(one.len(), PREFIX.len() + RANDOM_CHARS);
        assert!(hash_of_token(&one).is_some());
        assert_ne!(hash_of_token(&one), hash_of_token(&other));
        assert_eq!(hash_of_token(&one[1..]), None);
        assert_eq!(hash_of_token(&one[..one.len() - 1]), None);
        assert_eq!(hash_of_token(&format!("{}é", &one[..one.len() - 2])), None);
    }

    #[test]
    fn a_one_time_password_is_easily_typed_and_long_enough() {
        let password = one_time_password();
        assert_eq!(password.split('-').map(str::len).collect::<Vec<_>>(), [4; 4]);
        assert_ne!(password, one_time_password());
    }
}
