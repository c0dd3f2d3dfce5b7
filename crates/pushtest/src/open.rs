//! A browser's side of RFC 8291: a subscription's keys, and what they open.

use aes_gcm::aead::Aead as _;
use aes_gcm::{Aes128Gcm, KeyInit as _};
use data_encoding::BASE64URL_NOPAD;
use hkdf::Hkdf;
use p256::elliptic_curve::sec1::ToSec1Point as _;
use p256::{PublicKey, SecretKey};
use sha2::{Digest as _, Sha256};

/// Length of the header of a body: salt, length of a record, length of a key, key.
const HEADER: usize = 86;

/// A subscription, as a browser hands it to its page.
#[derive(Clone)]
pub struct Subscriber {
    /// The URL that messages are posted to.
    pub endpoint: String,
    /// The public key, an uncompressed point in base64url.
    pub p256dh: String,
    /// The secret, 16 bytes in base64url.
    pub auth: String,
    secret: SecretKey,
}

impl std::fmt::Debug for Subscriber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Subscriber(…)")
    }
}

impl Subscriber {
    /// The same keys for the same text: tests draw nothing.
    pub(crate) fn at(endpoint: String) -> Self {
        let digest = Sha256::digest(&endpoint);
        let secret = SecretKey::from_slice(&digest).expect("a number of the curve, but for bad luck");
        let p256dh = BASE64URL_NOPAD.encode(secret.public_key().to_sec1_point(false).as_bytes());
        let auth = BASE64URL_NOPAD.encode(&Sha256::digest(digest)[..16]);
        Self { endpoint, p256dh, auth, secret }
    }

    /// The content of a message for this subscription, or what is wrong with the message.
    pub(crate) fn opened(&self, body: &[u8]) -> Result<Vec<u8>, &'static str> {
        let (header, sealed) = body.split_at_checked(HEADER).ok_or("the body is too short")?;
        let record = u32::from_be_bytes([header[16], header[17], header[18], header[19]]);
        if sealed.len() > record as usize || sealed.len() < 18 {
            return Err("the body is not one record");
        }
        if header[20] != 65 {
            return Err("the sender's key has another length");
        }
        let (salt, theirs) = (&header[..16], &header[21..]);
        let public = PublicKey::from_sec1_bytes(theirs).map_err(|_| "the sender's key is no point")?;
        let shared = p256::ecdh::diffie_hellman(self.secret.to_nonzero_scalar(), public.as_affine());
        let auth = BASE64URL_NOPAD.decode(self.auth.as_bytes()).expect("made above");
        let own = self.secret.public_key().to_sec1_point(false);
        let expanded = |salt: &[u8], input: &[u8], info: &[u8], length: usize| {
            let mut output = vec![0; length];
            Hkdf::<Sha256>::new(Some(salt), input).expand(info, &mut output).expect("this is short");
            output
        };
        let info = [b"WebPush: info\0", own.as_bytes(), theirs].concat();
        let input = expanded(&auth, shared.raw_secret_bytes(), &info, 32);
        let key = expanded(salt, &input, b"Content-Encoding: aes128gcm\0", 16);
        let nonce: [u8; 12] = expanded(salt, &input, b"Content-Encoding: nonce\0", 12).try_into().expect("twelve");
        let cipher = Aes128Gcm::new_from_slice(&key).expect("sixteen bytes");
        let mut plain = cipher.decrypt(&nonce.into(), sealed).map_err(|_| "the body does not open")?;
        let end = plain.iter().rposition(|byte| *byte != 0).ok_or("the record has no end")?;
        if plain[end] != 2 {
            return Err("the record is not the last one");
        }
        plain.truncate(end);
        Ok(plain)
    }
}
