//! Ids, and the URIs of SAML's closed lists.

use data_encoding::HEXLOWER;

/// The id of a response or an assertion (SAML Core section 1.3.4): 160 random bits from the caller. It is an `xs:ID`, so
/// it does not begin with a digit.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Id(String);

impl Id {
    /// Number of random bytes in an id.
    pub const BYTES: usize = 20;

    /// The id of these random bytes.
    pub fn from_random(bytes: [u8; Self::BYTES]) -> Self {
        Self(format!("_{}", HEXLOWER.encode(&bytes)))
    }

    /// The id as it is written in the document.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The format of a subject's name (SAML Core section 8.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameIdFormat {
    /// Agreed by both sides (8.3.1).
    Unspecified,
    /// A mail address (8.3.2).
    EmailAddress,
    /// An opaque permanent name, different for each service (8.3.7).
    Persistent,
    /// An opaque name, new each time (8.3.8).
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

/// The format of an attribute's name (SAML Core section 8.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameFormat {
    /// Agreed by both sides (8.2.1).
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

/// How the subject was authenticated (SAML Authentication Context section 3.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthnContext {
    /// Not specified (3.4.25).
    Unspecified,
    /// A password over a protected connection (3.4.9).
    PasswordProtectedTransport,
    /// A time-based code (3.4.24).
    TimeSyncToken,
    /// A registered mobile device and a second factor (3.4.6).
    MobileTwoFactorContract,
    /// A URI that both sides agreed on, for example `https://refeds.org/profile/mfa`.
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
