//! RSA keys, made and used by `aws-lc-rs`. A new private key is returned to the caller to be sealed (SEC 38).

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use zeroize::Zeroizing;

use crate::error::Error;

/// The length of a new key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeySize {
    /// 2048 bits, which every service accepts.
    Rsa2048,
    /// 3072 bits, for use beyond 2030 (NIST SP 800-57 part 1, tables 2 and 4).
    Rsa3072,
}

/// Makes a new private key from the operating system's randomness: the only function here that is not pure. Returns it
/// in PKCS#8 form (RFC 5958), wiped when dropped. The caller seals it.
pub fn generate_private_key(size: KeySize) -> Result<Zeroizing<Vec<u8>>, Error> {
    let size = match size {
        KeySize::Rsa2048 => aws_lc_rs::rsa::KeySize::Rsa2048,
        KeySize::Rsa3072 => aws_lc_rs::rsa::KeySize::Rsa3072,
    };
    let pair = RsaKeyPair::generate(size).map_err(|_| Error::Crypto)?;
    let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| Error::Crypto)?;
    Ok(Zeroizing::new(der.as_ref().to_vec()))
}

/// An opened private key.
pub(crate) struct PrivateKey(RsaKeyPair);

impl PrivateKey {
    /// Opens a private key in PKCS#8 form.
    pub(crate) fn open(pkcs8: &[u8]) -> Result<Self, Error> {
        RsaKeyPair::from_pkcs8(pkcs8).map(Self).map_err(|_| Error::Key)
    }

    /// The public key as a `SubjectPublicKeyInfo` (RFC 5280 section 4.1.2.7).
    pub(crate) fn public_key(&self) -> Result<Vec<u8>, Error> {
        let der: PublicKeyX509Der<'_> = self.0.public_key().as_der().map_err(|_| Error::Crypto)?;
        Ok(der.as_ref().to_vec())
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 section 8.2). It is deterministic: a message always has the same
    /// signature.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        // The interface asks for randomness, which this padding does not use.
        self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).map_err(|_| Error::Crypto)?;
        Ok(signature)
    }
}

impl rcgen::PublicKeyData for PrivateKey {
    fn der_bytes(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_RSA_SHA256
    }
}

impl rcgen::SigningKey for PrivateKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        PrivateKey::sign(self, message).map_err(|_| rcgen::Error::RemoteKeyError)
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

    use super::*;

    #[test]
    fn a_new_key_signs_verifiably_and_always_the_same() {
        for (size, bytes) in [(KeySize::Rsa2048, 256), (KeySize::Rsa3072, 384)] {
            let key = PrivateKey::open(&generate_private_key(size).unwrap()).unwrap();
            let signature = key.sign(b"message").unwrap();
            assert_eq!(signature.len(), bytes);
            assert_eq!(signature, key.sign(b"message").unwrap());
            let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key().unwrap());
            public.verify(b"message", &signature).unwrap();
            assert!(public.verify(b"massage", &signature).is_err());
        }
    }
}
