//! Signs mail as RFC 6376 says, with RSA or with Ed25519 (RFC 8463), relaxed in fields and body.
//!
//! Each field is named once more than it occurs, so none can be added behind our back: the one that a reader sees would not
//! be the one that was signed.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use data_encoding::BASE64;
use domain::Timestamp;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;

/// What is signed, in the order of the signature: everything that tells a reader what the mail is.
const SIGNED: [&str; 9] =
    ["Date", "From", "Reply-To", "To", "Subject", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"];
/// Letters of Base64 in one line of a field.
const LINE: usize = 72;

/// Why a key cannot sign. Each says what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadKey {
    #[error("it holds no private key in PEM; give a key of PKCS #8 or PKCS #1 without a pass phrase")]
    NoKey,
    #[error("its key is neither RSA of 2048 bits or more nor Ed25519; make one with `openssl genrsa 2048`")]
    Kind,
}

/// The library could not sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key could not sign")]
pub(crate) struct NotSigned;

/// Signs for one domain with one key.
pub(crate) struct Signer {
    domain: String,
    selector: String,
    key: Key,
}

/// A private key that signs.
pub(crate) enum Key {
    Rsa(RsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer(…)")
    }
}

impl Key {
    /// The key in a text in PEM: PKCS #8 or PKCS #1.
    pub(crate) fn from_pem(pem: &[u8]) -> Result<Self, BadKey> {
        // RSA keys below 2048 bits, which verifiers need not take (RFC 8301), are refused by the library.
        let key = match PrivateKeyDer::from_pem_slice(pem).map_err(|_| BadKey::NoKey)? {
            PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()).map(Self::Rsa),
            PrivateKeyDer::Pkcs8(der) => {
                let der = der.secret_pkcs8_der();
                let ed25519 = |_| Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map(Self::Ed25519);
                RsaKeyPair::from_pkcs8(der).map(Self::Rsa).or_else(ed25519)
            }
            _ => return Err(BadKey::Kind),
        };
        key.map_err(|_| BadKey::Kind)
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "rsa-sha256",
            Self::Ed25519(_) => "ed25519-sha256",
        }
    }

    /// The signature of `data`: RSA with PKCS #1 and SHA-256, or Ed25519 of its SHA-256.
    pub(crate) fn sign(&self, data: &[u8]) -> Result<Vec<u8>, NotSigned> {
        match self {
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                // This padding draws nothing.
                let signed = pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), data, &mut signature);
                signed.map(|()| signature).map_err(|_| NotSigned)
            }
            // The digest is what is signed (RFC 8463, section 3).
            Self::Ed25519(pair) => Ok(pair.sign(digest(&SHA256, data).as_ref()).as_ref().to_vec()),
        }
    }
}

impl Signer {
    /// Signs for `domain`, whose DNS has the public key below `selector`, with a private key in PEM.
    pub(crate) fn new(domain: &str, selector: &str, pem: &[u8]) -> Result<Self, BadKey> {
        Ok(Self { domain: domain.to_owned(), selector: selector.to_owned(), key: Key::from_pem(pem)? })
    }

    /// The field that goes in front of this mail, with the end of its line. Lines of the mail end with CR and LF.
    pub(crate) fn field(&self, mail: &[u8], at: Timestamp) -> Result<String, NotSigned> {
        let (head, body) = halves(mail);
        let fields = fields(head);
        let occurs = |name: &&str| fields.iter().filter(|field| field.is_named(name)).count();
        let names: Vec<&str> = SIGNED.iter().flat_map(|name| std::iter::repeat_n(*name, occurs(name) + 1)).collect();
        let (algorithm, domain, selector) = (self.key.algorithm(), &self.domain, &self.selector);
        let unsigned = format!(
            "DKIM-Signature: v=1; a={algorithm}; c=relaxed/relaxed;\r\n d={domain};\r\n s={selector}; t={};\r\n h={};\r\n \
             bh={};\r\n b=",
            at.0.div_euclid(1_000),
            names.chunks(5).map(|names| names.join(":")).collect::<Vec<_>>().join(":\r\n  "),
            BASE64.encode(digest(&SHA256, &relaxed_body(body)).as_ref()),
        );
        let signature = BASE64.encode(&self.key.sign(&to_sign(&fields, &names, unsigned.as_bytes()))?);
        let mut field = unsigned;
        for line in signature.as_bytes().chunks(LINE) {
            field.push_str("\r\n  ");
            field.extend(line.iter().map(|letter| char::from(*letter)));
        }
        field.push_str("\r\n");
        Ok(field)
    }
}

/// One field of a mail's head, as it is written, without the end of its last line.
struct Field<'a> {
    name: &'a [u8],
    value: &'a [u8],
}

impl Field<'_> {
    fn is_named(&self, name: &str) -> bool {
        self.name.trim_ascii_end().eq_ignore_ascii_case(name.as_bytes())
    }

    /// RFC 6376, section 3.4.2.
    fn relaxed(&self) -> Vec<u8> {
        let mut line = self.name.trim_ascii_end().to_ascii_lowercase();
        line.push(b':');
        line.extend(one_space(self.value.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n'))).trim_ascii());
        line
    }
}

/// What is in front of the first empty line, and what is behind it.
fn halves(mail: &[u8]) -> (&[u8], &[u8]) {
    match mail.windows(4).position(|window| window == b"\r\n\r\n") {
        Some(at) => (&mail[..at], &mail[at + 4..]),
        None => (mail, &[]),
    }
}

fn fields(head: &[u8]) -> Vec<Field<'_>> {
    let mut fields = Vec::new();
    let mut rest = head;
    while !rest.is_empty() {
        // A line that begins with white space continues the one before.
        let end = rest.windows(3).position(|at| at.starts_with(b"\r\n") && !matches!(at[2], b' ' | b'\t'));
        let field = &rest[..end.unwrap_or(rest.len())];
        if let Some(colon) = field.iter().position(|byte| *byte == b':') {
            fields.push(Field { name: &field[..colon], value: &field[colon + 1..] });
        }
        rest = end.map_or(&[], |end| &rest[end + 2..]);
    }
    fields
}

/// What is signed: of each name the last field that was not taken yet (RFC 6376, section 5.4.2), then the signature's own
/// field without its signature.
fn to_sign(fields: &[Field<'_>], names: &[&str], own: &[u8]) -> Vec<u8> {
    let mut data = Vec::new();
    for (position, name) in names.iter().enumerate() {
        let taken = names[..position].iter().filter(|before| before.eq_ignore_ascii_case(name)).count();
        if let Some(field) = fields.iter().rev().filter(|field| field.is_named(name)).nth(taken) {
            data.extend(field.relaxed());
            data.extend_from_slice(b"\r\n");
        }
    }
    for field in self::fields(own) {
        data.extend(field.relaxed());
    }
    data
}

/// RFC 6376, section 3.4.4.
fn relaxed_body(body: &[u8]) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    let mut rest = body;
    while !rest.is_empty() {
        let end = rest.windows(2).position(|at| at == b"\r\n");
        let mut line = one_space(rest[..end.unwrap_or(rest.len())].iter().copied());
        if line.last() == Some(&b' ') {
            line.pop();
        }
        lines.push(line);
        rest = end.map_or(&[], |end| &rest[end + 2..]);
    }
    while lines.last().is_some_and(Vec::is_empty) {
        lines.pop();
    }
    lines.iter().flat_map(|line| line.iter().chain(b"\r\n")).copied().collect()
}

/// Each run of spaces and tabs as one space.
fn one_space(bytes: impl Iterator<Item = u8>) -> Vec<u8> {
    let mut out = Vec::new();
    for byte in bytes {
        match byte {
            b' ' | b'\t' if out.last() == Some(&b' ') => {}
            b'\t' => out.push(b' '),
            byte => out.push(byte),
        }
    }
    out
}

#[cfg(test)]
#[path = "dkim_tests.rs"]
mod tests;
