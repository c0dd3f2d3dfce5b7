//! The names that SAML gives to things: ids, and the URIs of its closed lists.

use data_encoding::HEXLOWER;

/// The id of a response or an assertion (SAML Core section 1.3.4): 160 random bits that the caller drew, spelt so that
/// it is an `xs:ID`, which begins with no digit.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Id(String);

impl Id {
    /// How many random bytes an id is made from.
    pub const BYTES: usize = 20;

    /// The id of these random bytes.
    pub fn from_random(bytes: [u8; Self::BYTES]) -> Self {
        Self(format!("_{}", HEXLOWER.encode(&bytes)))
    }

    /// As it stands in the document.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What kind of name a subject is known by (SAML Core section 8.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameIdFormat {
    /// Left to the agreement of both sides (8.3.1).
    Unspecified,
    /// A mail address (8.3.2).
    EmailAddress,
    /// An opaque name that stays, one for each service (8.3.7).
    Persistent,
    /// An opaque name that is new each time (8.3.8).
    Transient,
}

impl NameIdFormat {
    /// The URI of this format.
    pub fn uri(self) -> &'static str {
        match self {
            Self::Unspecified => "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
            Self::EmailAddress => "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
            Self::Persistent => "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
            Self::Transient => "urn:oasis:names:tc:SAML:2.0:nameid-format:transient",
        }
    }
}

/// How the name of an attribute is to be read (SAML Core section 8.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameFormat {
    /// Left to the agreement of both sides (8.2.1).
    Unspecified,
    /// A URI (8.2.2).
    Uri,
    /// A plain name such as `email` (8.2.3).
    Basic,
}

impl NameFormat {
    /// The URI of this format.
    pub fn uri(self) -> &'static str {
        match self {
            Self::Unspecified => "urn:oasis:names:tc:SAML:2.0:attrname-format:unspecified",
            Self::Uri => "urn:oasis:names:tc:SAML:2.0:attrname-format:uri",
            Self::Basic => "urn:oasis:names:tc:SAML:2.0:attrname-format:basic",
        }
    }
}

/// How the subject proved itself (SAML Authentication Context section 3.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthnContext {
    /// Not said (3.4.25).
    Unspecified,
    /// A password over a protected connection (3.4.9).
    PasswordProtectedTransport,
    /// A code that moves with time (3.4.24).
    TimeSyncToken,
    /// A mobile device that was registered, and a second factor shown with it (3.4.6).
    MobileTwoFactorContract,
    /// A URI that both sides agreed upon, for example `https://refeds.org/profile/mfa`.
    Other(String),
}

impl AuthnContext {
    /// The URI of this class.
    pub fn uri(&self) -> &str {
        match self {
            Self::Unspecified => "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified",
            Self::PasswordProtectedTransport => "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
            Self::TimeSyncToken => "urn:oasis:names:tc:SAML:2.0:ac:classes:TimeSyncToken",
            Self::MobileTwoFactorContract => "urn:oasis:names:tc:SAML:2.0:ac:classes:MobileTwoFactorContract",
            Self::Other(uri) => uri,
        }
    }
}
