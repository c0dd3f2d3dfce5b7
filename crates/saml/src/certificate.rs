//! The certificate that carries our public key to a service (RFC 5280). A service compares it with the one that it was
//! given, so it is self-signed and holds only a name, a period and the key.

use data_encoding::BASE64;
use rcgen::{CertificateParams, DistinguishedName, DnType, IsCa, KeyUsagePurpose, SerialNumber};

use crate::error::Error;
use crate::key::PrivateKey;
use crate::moment::Moment;
use crate::xml::filled;

/// Longest common name, in characters (RFC 5280 appendix A.1, `ub-common-name`).
const MAX_COMMON_NAME: usize = 64;
const PEM_LINE: usize = 64;
/// The tag of a DER sequence, with which a certificate begins.
const SEQUENCE: u8 = 0x30;

/// A certificate in DER form.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate(Vec<u8>);

/// The content of a self-signed certificate, besides the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelfSigned {
    /// Subject and issuer, at most 64 characters.
    pub common_name: String,
    /// Random bytes from the caller. The highest bit is ignored.
    pub serial: [u8; 16],
    /// Start of the validity period.
    pub not_before: Moment,
    /// Last moment of the validity period.
    pub not_after: Moment,
}

impl Certificate {
    /// Issues a certificate for a private key in PKCS#8 form, signed by that key. The certificate is not an authority,
    /// and its key only makes signatures; both extensions are critical.
    pub fn self_signed(pkcs8: &[u8], content: &SelfSigned) -> Result<Self, Error> {
        let key = PrivateKey::open(pkcs8)?;
        if content.not_before > content.not_after {
            return Err(Error::Period("the certificate"));
        }
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, common_name(&content.common_name)?);
        params.serial_number = Some(serial(content.serial)?);
        params.not_before = content.not_before.certificate_time("the begin of the certificate")?;
        params.not_after = content.not_after.certificate_time("the end of the certificate")?;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let certificate = params.self_signed(&key).map_err(|_| Error::Crypto)?;
        Ok(Self(certificate.der().to_vec()))
    }

    /// A stored certificate. It is not parsed; [`CertifiedKey::new`](crate::CertifiedKey::new) checks that it belongs to
    /// the key.
    pub fn from_der(der: Vec<u8>) -> Self {
        Self(der)
    }

    /// The certificate in DER form.
    pub fn der(&self) -> &[u8] {
        &self.0
    }

    /// The certificate as a text file (RFC 7468 section 5).
    pub fn pem(&self) -> String {
        let base64 = BASE64.encode(&self.0);
        let mut out = String::from("-----BEGIN CERTIFICATE-----\n");
        let mut rest = base64.as_str();
        while !rest.is_empty() {
            let (line, after) = rest.split_at(rest.len().min(PEM_LINE));
            out.extend([line, "\n"]);
            rest = after;
        }
        out.push_str("-----END CERTIFICATE-----\n");
        out
    }

    /// Whether it holds this `SubjectPublicKeyInfo`. This only has to catch a mix-up, so it searches the bytes.
    pub(crate) fn holds(&self, public_key: &[u8]) -> bool {
        self.0.first() == Some(&SEQUENCE) && self.0.windows(public_key.len()).any(|part| part == public_key)
    }
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Certificate({} bytes)", self.0.len())
    }
}

fn serial(mut bytes: [u8; 16]) -> Result<SerialNumber, Error> {
    bytes[0] &= 0x7F;
    if bytes == [0; 16] { Err(Error::Serial) } else { Ok(SerialNumber::from_slice(&bytes)) }
}

fn common_name(name: &str) -> Result<&str, Error> {
    let name = filled(name, "the common name")?;
    if name.chars().count() > MAX_COMMON_NAME { Err(Error::CommonName) } else { Ok(name) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KeySize, generate_private_key};

    fn content() -> SelfSigned {
        SelfSigned {
            common_name: "Größe & Söhne".to_owned(),
            serial: [0xFF; 16],
            not_before: Moment(1_772_357_400_000),
            not_after: Moment(2_777_777_777_000),
        }
    }

    #[test]
    fn the_same_certificate_comes_out_twice() {
        let key = generate_private_key(KeySize::Rsa2048).unwrap();
        let one = Certificate::self_signed(&key, &content()).unwrap();
        assert_eq!(one, Certificate::self_signed(&key, &content()).unwrap());
        assert_eq!(one, Certificate::from_der(one.der().to_vec()));
    }

    #[test]
    fn what_a_certificate_cannot_say_is_refused() {
        let key = generate_private_key(KeySize::Rsa2048).unwrap();
        let issue = |content| Certificate::self_signed(&key, &content).unwrap_err();
        assert_eq!(issue(SelfSigned { common_name: " ".to_owned(), ..content() }), Error::Empty("the common name"));
        assert_eq!(issue(SelfSigned { common_name: "ü".repeat(65), ..content() }), Error::CommonName);
        assert_eq!(issue(SelfSigned { serial: [0; 16], ..content() }), Error::Serial);
        assert_eq!(issue(SelfSigned { not_after: Moment(0), ..content() }), Error::Period("the certificate"));
        let far = SelfSigned { not_after: Moment(i64::MAX), ..content() };
        assert_eq!(issue(far), Error::Moment("the end of the certificate"));
        assert_eq!(Certificate::self_signed(b"no key", &content()).unwrap_err(), Error::Key);
    }

    #[test]
    fn a_text_file_has_lines_of_64() {
        let pem = Certificate::from_der(vec![0x30; 100]).pem();
        let lines: Vec<_> = pem.lines().map(str::len).collect();
        assert_eq!(lines, [27, 64, 64, 8, 25]);
    }
}
