//! What can go wrong. None of these texts holds a value of a person or of a key: an error may be logged (SEC 48).

/// Why a response, a certificate or a page of metadata could not be written. All of them are mistakes of the caller or
/// of the configuration; trying again does not help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A value holds a character that XML 1.0 cannot carry, not even escaped (XML 1.0 section 2.2).
    #[error("the character U+{:04X} cannot stand in an XML document", u32::from(*.0))]
    Character(char),
    /// A value that the standard wants filled is empty or blank (SAML Core section 1.3.1).
    #[error("{0} is empty")]
    Empty(&'static str),
    /// The response and its assertion have the same id, which would leave open what is signed.
    #[error("the response and its assertion have the same id")]
    SameId,
    /// A moment before the year 1 (for a certificate, 1950) or after the year 9999.
    #[error("{0} is not a moment that can be written down")]
    Moment(&'static str),
    /// It would end before it begins.
    #[error("{0} ends before it begins")]
    Period(&'static str),
    /// Not the PKCS#8 form of a private RSA key of 2048 bits or more.
    #[error("this is not a usable private RSA key in PKCS#8 form")]
    Key,
    /// The cryptographic library failed where it never should.
    #[error("the cryptographic library failed")]
    Crypto,
    /// Not a certificate, or one of another key.
    #[error("the certificate does not belong to the private key")]
    Certificate,
    /// More characters than the field of a certificate holds (RFC 5280 appendix A.1).
    #[error("the common name of a certificate has at most 64 characters")]
    CommonName,
    /// The serial number is zero (RFC 5280 section 4.1.2.2).
    #[error("the serial number of a certificate is not zero")]
    Serial,
    /// What AWS does not accept in one of its attributes.
    #[error("AWS does not accept this {0}")]
    Aws(&'static str),
}
