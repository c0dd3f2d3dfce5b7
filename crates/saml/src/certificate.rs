//! The certificate that carries our public key to a service (RFC 5280). Services compare it with the one they were
//! given and look no further, so it signs itself and says little: a name, a period, the key.

use data_encoding::BASE64;

use crate::der;
use crate::error::Error;
use crate::key;
use crate::moment::Moment;
use crate::response::filled;

/// Object identifiers, encoded: 1.2.840.113549.1.1.11 (RFC 4055 section 5), 2.5.4.3 (RFC 5280 appendix A.1), 2.5.29.15
/// and 2.5.29.19 (RFC 5280 section 4.2.1).
const SHA256_WITH_RSA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0B];
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const KEY_USAGE: &[u8] = &[0x55, 0x1D, 0x0F];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1D, 0x13];

/// The most characters a common name has (RFC 5280 appendix A.1, `ub-common-name`).
const LONGEST_COMMON_NAME: usize = 64;
const PEM_LINE: usize = 64;

/// A certificate in DER form.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate(Vec<u8>);

/// What a certificate of our own says besides the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelfSigned {
    /// Subject and issuer, at most 64 characters.
    pub common_name: String,
    /// Random bytes from the caller; the highest bit does not count.
    pub serial: [u8; 16],
    /// When its period begins.
    pub not_before: Moment,
    /// The last moment of its period.
    pub not_after: Moment,
}

impl Certificate {
    /// Issues a certificate for a private key in PKCS#8 form, signed by that key.
    pub fn self_signed(pkcs8: &[u8], told: &SelfSigned) -> Result<Self, Error> {
        let pair = key::open(pkcs8)?;
        let algorithm = || der::sequence(&[der::object_identifier(SHA256_WITH_RSA), der::null()]);
        let name = name(&told.common_name)?;
        let body = der::sequence(&[
            der::context(0, &der::unsigned(&[2])),
            der::unsigned(&serial(told.serial)?),
            algorithm(),
            name.clone(),
            period(told)?,
            name,
            key::public_key(&pair)?,
            der::context(3, &extensions()),
        ]);
        let signature = der::bits(0, &key::sign(&pair, &body)?);
        Ok(Self(der::sequence(&[body, algorithm(), signature])))
    }

    /// Takes a certificate as it was stored. It is not examined; [`SigningKey::new`](crate::SigningKey::new) asks
    /// whether it belongs to a key.
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

    /// Whether it carries this `SubjectPublicKeyInfo`. A search suffices to catch a mix-up, which is all it is for.
    pub(crate) fn holds(&self, public_key: &[u8]) -> bool {
        self.0.first() == Some(&der::SEQUENCE) && self.0.windows(public_key.len()).any(|part| part == public_key)
    }
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Certificate({} bytes)", self.0.len())
    }
}

fn serial(mut bytes: [u8; 16]) -> Result<[u8; 16], Error> {
    bytes[0] &= 0x7F;
    if bytes == [0; 16] { Err(Error::Serial) } else { Ok(bytes) }
}

fn name(common_name: &str) -> Result<Vec<u8>, Error> {
    let common_name = filled(common_name, "the common name")?;
    if common_name.chars().count() > LONGEST_COMMON_NAME {
        return Err(Error::CommonName);
    }
    let attribute = der::sequence(&[der::object_identifier(COMMON_NAME), der::utf8(common_name)]);
    Ok(der::sequence(&[der::set(&attribute)]))
}

fn period(told: &SelfSigned) -> Result<Vec<u8>, Error> {
    if told.not_before > told.not_after {
        return Err(Error::Period("the certificate"));
    }
    let (short, digits) = told.not_before.certificate_time("the begin of the certificate")?;
    let begin = der::time(short, &digits);
    let (short, digits) = told.not_after.certificate_time("the end of the certificate")?;
    Ok(der::sequence(&[begin, der::time(short, &digits)]))
}

/// It is nobody's authority and its key makes signatures, nothing else: both critical.
fn extensions() -> Vec<u8> {
    let critical =
        |name, content: &[u8]| der::sequence(&[der::object_identifier(name), der::yes(), der::octets(content)]);
    // Bit 0 of key usage, `digitalSignature`; the other seven of the byte are unused.
    der::sequence(&[critical(BASIC_CONSTRAINTS, &der::sequence(&[])), critical(KEY_USAGE, &der::bits(7, &[0x80]))])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KeySize, generate_private_key};

    fn told() -> SelfSigned {
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
        let one = Certificate::self_signed(&key, &told()).unwrap();
        assert_eq!(one, Certificate::self_signed(&key, &told()).unwrap());
        assert_eq!(one, Certificate::from_der(one.der().to_vec()));
    }

    #[test]
    fn what_a_certificate_cannot_say_is_refused() {
        let key = generate_private_key(KeySize::Rsa2048).unwrap();
        let issue = |told| Certificate::self_signed(&key, &told).unwrap_err();
        assert_eq!(issue(SelfSigned { common_name: " ".to_owned(), ..told() }), Error::Empty("the common name"));
        assert_eq!(issue(SelfSigned { common_name: "ü".repeat(65), ..told() }), Error::CommonName);
        assert_eq!(issue(SelfSigned { serial: [0; 16], ..told() }), Error::Serial);
        assert_eq!(issue(SelfSigned { not_after: Moment(0), ..told() }), Error::Period("the certificate"));
        let far = SelfSigned { not_after: Moment(i64::MAX), ..told() };
        assert_eq!(issue(far), Error::Moment("the end of the certificate"));
        assert_eq!(Certificate::self_signed(b"no key", &told()).unwrap_err(), Error::Key);
    }

    #[test]
    fn a_text_file_has_lines_of_64() {
        let pem = Certificate::from_der(vec![0x30; 100]).pem();
        let lines: Vec<_> = pem.lines().map(str::len).collect();
        assert_eq!(lines, [27, 64, 64, 8, 25]);
    }
}
