//! Encrypts what is pushed, so that only the device can read it and not the push service: RFC 8291, with the content
//! encoding `aes128gcm` of RFC 8188 in one record.

use aes_gcm::{
    Aes128Gcm, KeyInit as _,
    aead::{Aead as _, array::Array},
};
use hkdf::Hkdf;
use p256::{PublicKey, SecretKey};
use sha2::Sha256;

use crate::{clock, limits, store::schema::Subscription};

/// Bytes of an uncompressed point.
const POINT_BYTES: usize = 65;
/// Salt, record size, length of the key's name, and the key itself as its name (RFC 8188, section 2.1).
const HEAD_BYTES: usize = 16 + 4 + 1 + POINT_BYTES;
/// Behind the head and the text: the end of the text and the tag of AES-GCM.
const TAIL_BYTES: usize = 1 + 16;
/// Texts are made as long as the next multiple of so many bytes, so that their length says little.
const PAD_BYTES: usize = 128;
/// Bytes of a text that can be pushed.
pub const TEXT_BYTES: usize = limits::PUSH_BYTES - HEAD_BYTES - TAIL_BYTES;

/// Encrypts a text to a device; none where it is too long or the device's key is none.
pub fn seal(to: &Subscription, text: &[u8]) -> Option<Vec<u8>> {
    let padded = text.len().next_multiple_of(PAD_BYTES).min(TEXT_BYTES);
    seal_with(to, text, padded, &secret_key(), clock::random())
}

/// A new secret key of P-256.
pub fn secret_key() -> SecretKey {
    loop {
        // All but one in 2^32 numbers are one.
        if let Ok(key) = SecretKey::from_slice(&clock::random::<32>()) {
            return key;
        }
    }
}

/// A point in its uncompressed form.
pub fn point(key: &PublicKey) -> [u8; POINT_BYTES] {
    use p256::elliptic_curve::sec1::ToSec1Point as _;
    let point = key.to_sec1_point(false);
    point.as_bytes().try_into().expect("an uncompressed point has 65 bytes")
}

fn seal_with(to: &Subscription, text: &[u8], padded: usize, own: &SecretKey, salt: [u8; 16]) -> Option<Vec<u8>> {
    if text.len() > padded || padded > TEXT_BYTES {
        return None;
    }
    let theirs = PublicKey::from_sec1_bytes(&to.key).ok()?;
    let own_point = point(&own.public_key());
    // RFC 8291, section 3.4.
    let shared = own.diffie_hellman(&theirs);
    let info = [b"WebPush: info\0", &to.key[..], &own_point].concat();
    let ikm = expand::<32>(&to.auth, shared.raw_secret_bytes(), &info)?;
    let key = expand::<16>(&salt, &ikm, b"Content-Encoding: aes128gcm\0")?;
    let nonce = expand::<12>(&salt, &ikm, b"Content-Encoding: nonce\0")?;
    // 2 ends the text of the last record.
    let mut record = [text, &[2]].concat();
    record.resize(padded + 1, 0);
    let sealed = Aes128Gcm::new(&Array(key)).encrypt(&Array(nonce), &record[..]).ok()?;
    let record_size = (limits::PUSH_BYTES as u32).to_be_bytes();
    Some([&salt[..], &record_size, &[POINT_BYTES as u8], &own_point, &sealed].concat())
}

/// HKDF-SHA-256 (RFC 5869).
fn expand<const N: usize>(salt: &[u8], secret: &[u8], info: &[u8]) -> Option<[u8; N]> {
    let mut out = [0; N];
    Hkdf::<Sha256>::new(Some(salt), secret).expand(info, &mut out).ok()?;
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::endpoint::base64;

    /// The example of RFC 8291, section 5 and appendix A.
    #[test]
    fn the_example_of_the_rfc_is_encrypted_as_it_says() {
        let to = Subscription {
            endpoint: String::new(),
            key: base64::<65>(
                "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            )
            .unwrap()
            .to_vec(),
            auth: base64("BTBZMqHH6r4Tts7J_aSIgg").unwrap(),
            created_at: clock::now(),
        };
        let own = SecretKey::from_slice(&base64::<32>("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw").unwrap()).unwrap();
        let text = b"When I grow up, I want to be a watermelon";
        let sealed = seal_with(&to, text, text.len(), &own, base64("DGv6ra1nlYgDCS1FRnbzlw").unwrap()).unwrap();
        let expected = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIg\
                        Dll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";
        assert_eq!(base64::<144>(expected).unwrap().to_vec(), sealed);
    }

    #[test]
    fn what_is_pushed_fits_and_its_length_says_little() {
        let own = secret_key();
        let to = Subscription {
            endpoint: String::new(),
            key: point(&own.public_key()).to_vec(),
            auth: [7; 16],
            created_at: clock::now(),
        };
        assert_eq!(seal(&to, &[b'a'; TEXT_BYTES]).unwrap().len(), limits::PUSH_BYTES);
        assert_eq!(seal(&to, &[b'a'; TEXT_BYTES + 1]), None);
        assert_eq!(seal(&to, b"a").unwrap().len(), seal(&to, &[b'a'; PAD_BYTES]).unwrap().len());
        assert_ne!(seal(&to, b"a"), seal(&to, b"a"), "salt and key are new each time");
    }
}
