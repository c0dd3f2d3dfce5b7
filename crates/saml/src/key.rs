//! The key that signs. It is made by `aws-lc-rs`, handed to the caller to be sealed (SEC 38), and handed back to sign.

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use zeroize::Zeroizing;

use crate::certificate::Certificate;
use crate::error::Error;

/// How long a new key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeySize {
    /// 2048 bits, which every service takes.
    Rsa2048,
    /// 3072 bits, for keys that are to last beyond 2030 (NIST SP 800-57 part 1, tables 2 and 4).
    Rsa3072,
}

/// Draws a new private key from the operating system's randomness: the one function here that is not pure. The answer
/// is the key in PKCS#8 form (RFC 5958), wiped when dropped; sealing it is the caller's part.
pub fn generate_private_key(size: KeySize) -> Result<Zeroizing<Vec<u8>>, Error> {
    let size = match size {
        KeySize::Rsa2048 => aws_lc_rs::rsa::KeySize::Rsa2048,
        KeySize::Rsa3072 => aws_lc_rs::rsa::KeySize::Rsa3072,
    };
    let pair = RsaKeyPair::generate(size).map_err(|_| Error::Crypto)?;
    let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| Error::Crypto)?;
    Ok(Zeroizing::new(der.as_ref().to_vec()))
}

/// A private key and the certificate that services know it by.
pub struct SigningKey {
    pair: RsaKeyPair,
    certificate: Certificate,
}

impl SigningKey {
    /// Opens a private key in PKCS#8 form. A certificate of another key is refused here, not by every service.
    pub fn new(pkcs8: &[u8], certificate: Certificate) -> Result<Self, Error> {
        let pair = open(pkcs8)?;
        if !certificate.holds(&public_key(&pair)?) {
            return Err(Error::Certificate);
        }
        Ok(Self { pair, certificate })
    }

    /// The certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        sign(&self.pair, message)
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

pub(crate) fn open(pkcs8: &[u8]) -> Result<RsaKeyPair, Error> {
    RsaKeyPair::from_pkcs8(pkcs8).map_err(|_| Error::Key)
}

/// The public half as a `SubjectPublicKeyInfo` (RFC 5280 section 4.1.2.7).
pub(crate) fn public_key(pair: &RsaKeyPair) -> Result<Vec<u8>, Error> {
    let der: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(|_| Error::Crypto)?;
    Ok(der.as_ref().to_vec())
}

/// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 section 8.2), which draws nothing: the signature of a message is always the
/// same.
pub(crate) fn sign(pair: &RsaKeyPair, message: &[u8]) -> Result<Vec<u8>, Error> {
    let mut signature = vec![0; pair.public_modulus_len()];
    // The interface asks for a source of chance, and this padding never turns to it.
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).map_err(|_| Error::Crypto)?;
    Ok(signature)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

    use super::*;
    use crate::{Moment, SelfSigned};

    fn certificate(pkcs8: &[u8]) -> Certificate {
        let told = SelfSigned {
            common_name: "Countersign".to_owned(),
            serial: [7; 16],
            not_before: Moment(0),
            not_after: Moment(1_000),
        };
        Certificate::self_signed(pkcs8, &told).unwrap()
    }

    #[test]
    fn a_new_key_signs_verifiably_and_always_the_same() {
        for (size, bytes) in [(KeySize::Rsa2048, 256), (KeySize::Rsa3072, 384)] {
            let pkcs8 = generate_private_key(size).unwrap();
            let key = SigningKey::new(&pkcs8, certificate(&pkcs8)).unwrap();
            let signature = key.sign(b"message").unwrap();
            assert_eq!(signature.len(), bytes);
            assert_eq!(signature, key.sign(b"message").unwrap());
            let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public_key(&key.pair).unwrap());
            public.verify(b"message", &signature).unwrap();
            assert!(public.verify(b"massage", &signature).is_err());
        }
    }

    #[test]
    fn a_certificate_of_another_key_is_refused() {
        let (one, other) =
            (generate_private_key(KeySize::Rsa2048).unwrap(), generate_private_key(KeySize::Rsa2048).unwrap());
        assert_eq!(SigningKey::new(&one, certificate(&other)).unwrap_err(), Error::Certificate);
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let pkcs8 = generate_private_key(KeySize::Rsa2048).unwrap();
        for bytes in [&b""[..], b"key", &pkcs8[1..], &pkcs8[..pkcs8.len() - 1]] {
            assert_eq!(SigningKey::new(bytes, certificate(&pkcs8)).unwrap_err(), Error::Key);
        }
    }

    #[test]
    fn a_key_does_not_show_itself() {
        let pkcs8 = generate_private_key(KeySize::Rsa2048).unwrap();
        let key = SigningKey::new(&pkcs8, certificate(&pkcs8)).unwrap();
        assert!(format!("{key:?}").len() < 100, "{key:?}");
    }
}
