//! Errors. Their texts hold no personal value and no key, because errors may be logged (SEC 48).

/// Why a response, a certificate or metadata could not be written. All are mistakes of the caller or of the
/// configuration: a retry does not help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A value holds a character that XML 1.0 does not allow, not even escaped (XML 1.0 section 2.2).
    #[error("the character U+{:04X} is not allowed in an XML document", u32::from(*.0))]
    Character(char),
    /// A value that the standard requires is empty or blank (SAML Core section 1.3.1).
    #[error("{0} is empty")]
    Empty(&'static str),
    /// The response and its assertion have the same id, so it would be ambiguous what is signed.
    #[error("the response and its assertion have the same id")]
    SameId,
    /// A moment before the year 1 (for a certificate, 1950) or after the year 9999.
    #[error("{0} is outside of the range of dates")]
    Moment(&'static str),
    /// A period ends before it begins.
    #[error("{0} ends before it begins")]
    Period(&'static str),
    /// Not the PKCS#8 form of a private RSA key of 2048 bits or more.
    #[error("this is not a usable private RSA key in PKCS#8 form")]
    Key,
    /// The cryptographic library failed unexpectedly.
    #[error("the cryptographic library failed")]
    Crypto,
    /// Not a certificate, or one of another key.
    #[error("the certificate does not belong to the private key")]
    Certificate,
    /// The common name is too long (RFC 5280 appendix A.1).
    #[error("the common name of a certificate has at most 64 characters")]
    CommonName,
    /// The serial number is zero (RFC 5280 section 4.1.2.2).
    #[error("the serial number of a certificate is not zero")]
    Serial,
    /// AWS does not accept this value in one of its attributes.
    #[error("AWS does not accept this {0}")]
    Aws(&'static str),
}
