//! The key that signs responses, together with its certificate.

use crate::certificate::Certificate;
use crate::error::Error;
use crate::key::PrivateKey;

/// A private key and its certificate.
pub struct CertifiedKey {
    key: PrivateKey,
    certificate: Certificate,
}

impl CertifiedKey {
    /// Opens a private key in PKCS#8 form. Fails if the certificate belongs to another key.
    pub fn new(pkcs8: &[u8], certificate: Certificate) -> Result<Self, Error> {
        let key = PrivateKey::open(pkcs8)?;
        if !certificate.holds(&key.public_key()?) {
            return Err(Error::Certificate);
        }
        Ok(Self { key, certificate })
    }

    /// The certificate that services verify signatures with.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.key.sign(message)
    }
}

impl std::fmt::Debug for CertifiedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CertifiedKey").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KeySize, Moment, SelfSigned, generate_private_key};

    fn certificate(pkcs8: &[u8]) -> Certificate {
        let content = SelfSigned {
            common_name: "Countersign".to_owned(),
            serial: [7; 16],
            not_before: Moment(0),
            not_after: Moment(1_000),
        };
        Certificate::self_signed(pkcs8, &content).unwrap()
    }

    #[test]
    fn a_certificate_of_another_key_is_refused() {
        let (one, other) =
            (generate_private_key(KeySize::Rsa2048).unwrap(), generate_private_key(KeySize::Rsa2048).unwrap());
        assert_eq!(CertifiedKey::new(&one, certificate(&other)).unwrap_err(), Error::Certificate);
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let pkcs8 = generate_private_key(KeySize::Rsa2048).unwrap();
        for bytes in [&b""[..], b"key", &pkcs8[1..], &pkcs8[..pkcs8.len() - 1]] {
            assert_eq!(CertifiedKey::new(bytes, certificate(&pkcs8)).unwrap_err(), Error::Key);
        }
    }

    #[test]
    fn a_key_does_not_show_itself() {
        let pkcs8 = generate_private_key(KeySize::Rsa2048).unwrap();
        let key = CertifiedKey::new(&pkcs8, certificate(&pkcs8)).unwrap();
        assert!(format!("{key:?}").len() < 100, "{key:?}");
    }
}
