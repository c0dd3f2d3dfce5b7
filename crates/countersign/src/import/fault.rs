//! Why a line of a list cannot be imported.
//!
//! No fault repeats text of the line, because a secret may be in any column of a hand-made list.

use std::fmt;

use domain::rules::import::{ImportField, Unfit};

use super::fields::NAMES;

/// The name of Google Authenticator's export.
pub(super) const MIGRATION: &str = "an otpauth-migration:// address, Google Authenticator's own way to hand accounts to \
    another phone; turn it into otpauth:// addresses first, one for each account";

/// Why a line cannot be imported, or what is remarkable about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    TooLong,
    /// The line is not UTF-8.
    NotText,
    /// The line is not a JSON object.
    NotJson,
    /// A JSON object has a field with an unknown name.
    UnknownField,
    /// A field occurs twice.
    FieldTwice,
    /// A field is an array, an object, a boolean or a fraction.
    WrongType,
    /// A CSV line has more or fewer columns than the header.
    Columns,
    /// The line is not an `otpauth://` address.
    NotOtpauth,
    /// One address holds several authenticators, as one app hands them to another.
    Migration,
    /// A parameter changes the codes, and is not supported.
    Parameter(&'static str),
    /// A device without a secret.
    NoSecret,
    /// A required field is absent.
    Missing(&'static str),
    /// `type` is neither `totp` nor `hotp`.
    Kind,
    /// The secret is not Base32.
    NotBase32,
    /// A field is not a whole number.
    NotNumber(&'static str),
    /// The hash function is unknown.
    Algorithm,
    /// HOTP is defined with SHA-1 only.
    HotpAlgorithm,
    /// More lines than a user can have devices.
    TooManyLines,
    /// Another line of the same user has a fault, and a user is imported wholly or not at all.
    Sibling(u64),
    /// A value cannot be used.
    Unfit(Unfit),
    /// These fields of an existing user or device differ, and were left as they are. Not a reject.
    Differs(Vec<ImportField>),
    /// Another user has a device with this secret. Not a reject.
    Shared,
    /// The engine's reason.
    Refused(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => f.write_str("the line is too long"),
            Self::NotText => f.write_str("the line is not UTF-8; save the list as UTF-8"),
            Self::NotJson => f.write_str("the line is not a JSON object"),
            Self::UnknownField => write!(f, "a field has an unknown name; the fields are {}", NAMES.join(", ")),
            Self::FieldTwice => f.write_str("a field is given twice"),
            Self::WrongType => f.write_str("a field is neither a text nor a whole number"),
            Self::Columns => f.write_str("the line has not as many columns as the header"),
            Self::NotOtpauth => f.write_str("the line is not an otpauth:// address with a user's name"),
            Self::Migration => write!(f, "the line is {MIGRATION}"),
            Self::Parameter(name) => write!(
                f,
                "the parameter {name} changes the codes and is not known here; the known ones are secret, issuer, \
                 algorithm, digits, period and counter"
            ),
            Self::NoSecret => f.write_str("secret_base32 is missing, though the line describes a device"),
            Self::Missing(name) => write!(f, "{name} is missing"),
            Self::Kind => f.write_str("type must be totp or hotp"),
            Self::NotBase32 => f.write_str("secret_base32 is not Base32"),
            Self::NotNumber(name) => write!(f, "{name} is not a whole number"),
            Self::Algorithm => f.write_str("algorithm must be SHA1, SHA256 or SHA512"),
            Self::HotpAlgorithm => f.write_str("a hotp device uses SHA1 and nothing else"),
            Self::TooManyLines => f.write_str("a user has at most 20 devices"),
            Self::Sibling(line) => {
                write!(
                    f,
                    "line {line} of the same user cannot be imported, and a user is imported wholly or not at all"
                )
            }
            Self::Unfit(unfit) => unfit.fmt(f),
            Self::Differs(fields) => {
                let names: Vec<_> = fields.iter().map(|field| field.name()).collect();
                write!(
                    f,
                    "differs from what is stored in {}, and was left as it is; --update sets it",
                    names.join(", ")
                )
            }
            Self::Shared => {
                f.write_str("taken, but another user has a device with this secret: one authenticator answers for both")
            }
            Self::Refused(reason) => f.write_str(reason),
        }
    }
}

impl From<Unfit> for Fault {
    fn from(unfit: Unfit) -> Self {
        Self::Unfit(unfit)
    }
}
