//! Rules that a password did not meet.

use crate::fault::Fault;

/// Why a password, or what another system kept of one, is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordFault {
    /// Fewer than 8 characters.
    #[error("the password is too short (minimum is 8 characters)")]
    TooShort,
    /// More than 128 characters.
    #[error("the password is too long (maximum is 128 characters)")]
    TooLong,
    /// Among the passwords that are guessed first.
    #[error("the password is too common")]
    TooCommon,
    /// Not a lower-case hexadecimal SHA-256.
    #[error("the digest is not a lower-case hexadecimal SHA-256")]
    NoDigest,
    /// The salt beside a digest has more than 40 characters.
    #[error("the salt is too long (maximum is 40 characters)")]
    SaltTooLong,
    /// Not a bcrypt hash, or one of a version that hashes other characters than ASCII wrongly.
    #[error("the hash is not a bcrypt hash")]
    NoBcrypt,
    /// A bcrypt cost below 4 or above 14.
    #[error("the cost of the bcrypt hash is not between 4 and 14")]
    BcryptCost,
}

/// Why there is no hash of a password that somebody sets.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PasswordError {
    /// The password does not meet the rules.
    #[error(transparent)]
    Refused(#[from] PasswordFault),
    /// What can befall any use case.
    #[error(transparent)]
    Fault(#[from] Fault),
}
