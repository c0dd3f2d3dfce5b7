//! The content of a push message, for the browser's eyes only (RFC 8291): `aes128gcm` of RFC 8188, in one record.
//!
//! The sender's key pair and the salt are new for each message. Key agreement, HKDF and AES-GCM come from libraries; what is
//! here is the order in which RFC 8291 puts them together.

use aes_gcm::aead::Aead as _;
use aes_gcm::{Aes128Gcm, KeyInit as _};
use hkdf::Hkdf;
use p256::SecretKey;
use p256::elliptic_curve::sec1::ToSec1Point as _;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::keys::{Keys, POINT};

/// Length of a record (RFC 8188, `rs`), in bytes. Push services take bodies of at most 4,096 bytes (RFC 8030, 7.2).
const RECORD: u32 = 4_096;
/// Length of the header: salt, `rs`, the length of the key and the key itself.
const HEADER: usize = 16 + 4 + 1 + POINT;
/// Length of AES-GCM's tag.
const TAG: usize = 16;
/// Ends the last record.
const LAST: u8 = 2;
/// Longest content, in bytes.
const LONGEST: usize = RECORD as usize - HEADER - TAG - 1;

/// What is drawn for one message.
pub(super) struct Drawn {
    /// The sender's key pair.
    pub(super) secret: SecretKey,
    pub(super) salt: [u8; 16],
}

/// The body of a push message. `None` if the content is too long for one record.
pub(super) fn encrypt(content: &[u8], keys: &Keys, drawn: &Drawn) -> Option<Vec<u8>> {
    if content.len() > LONGEST {
        return None;
    }
    let own = drawn.secret.public_key().to_sec1_point(false);
    let shared = p256::ecdh::diffie_hellman(drawn.secret.to_nonzero_scalar(), keys.p256dh.as_affine());
    let (key, nonce) = derived(shared.raw_secret_bytes(), keys, own.as_bytes(), &drawn.salt)?;
    let mut plain = Zeroizing::new(Vec::with_capacity(content.len() + 1));
    plain.extend_from_slice(content);
    plain.push(LAST);
    let cipher = Aes128Gcm::new_from_slice(&*key).ok()?;
    let sealed = cipher.encrypt(&(*nonce).into(), plain.as_slice()).ok()?;
    let mut body = Vec::with_capacity(HEADER + sealed.len());
    body.extend_from_slice(&drawn.salt);
    body.extend_from_slice(&RECORD.to_be_bytes());
    body.push(u8::try_from(own.as_bytes().len()).ok()?);
    body.extend_from_slice(own.as_bytes());
    body.extend_from_slice(&sealed);
    Some(body)
}

type Derived = (Zeroizing<[u8; 16]>, Zeroizing<[u8; 12]>);

/// The key and the nonce of the record (RFC 8291, 3.3 and 3.4).
fn derived(shared: &[u8], keys: &Keys, own: &[u8], salt: &[u8]) -> Option<Derived> {
    let theirs = keys.p256dh.to_sec1_point(false);
    let mut input = Zeroizing::new([0; 32]);
    let combined = Hkdf::<Sha256>::new(Some(&*keys.auth), shared);
    combined.expand_multi_info(&[b"WebPush: info\0", theirs.as_bytes(), own], &mut *input).ok()?;
    let keyed = Hkdf::<Sha256>::new(Some(salt), &*input);
    let (mut key, mut nonce) = (Zeroizing::new([0; 16]), Zeroizing::new([0; 12]));
    keyed.expand(b"Content-Encoding: aes128gcm\0", &mut *key).ok()?;
    keyed.expand(b"Content-Encoding: nonce\0", &mut *nonce).ok()?;
    Some((key, nonce))
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64URL_NOPAD;
    use domain::PushSubscription;

    use super::*;

    const P256DH: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";

    fn keys(p256dh: &str, auth: &str) -> Option<Keys> {
        Keys::of(&PushSubscription { endpoint: String::new(), p256dh: p256dh.to_owned(), auth: auth.to_owned() })
    }

    fn drawn() -> Drawn {
        let bytes = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).unwrap();
        Drawn {
            secret: SecretKey::from_slice(&bytes("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")).unwrap(),
            salt: bytes("DGv6ra1nlYgDCS1FRnbzlw").try_into().unwrap(),
        }
    }

    /// RFC 8291, appendix A.
    #[test]
    fn a_body_is_the_one_of_the_standard() {
        let keys = keys(P256DH, "BTBZMqHH6r4Tts7J_aSIgg").unwrap();
        let body = encrypt(b"When I grow up, I want to be a watermelon", &keys, &drawn()).unwrap();
        assert_eq!(
            BASE64URL_NOPAD.encode(&body),
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_\
             yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
        );
    }

    #[test]
    fn a_body_is_never_longer_than_push_services_take() {
        let keys = keys(P256DH, "BTBZMqHH6r4Tts7J_aSIgg").unwrap();
        assert_eq!(encrypt(&[b'x'; LONGEST], &keys, &drawn()).unwrap().len(), RECORD as usize);
        assert!(encrypt(&[b'x'; LONGEST + 1], &keys, &drawn()).is_none());
    }
}
