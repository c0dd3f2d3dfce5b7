//! What can go wrong with a use case, as far as a caller can act upon it. Wrong codes are outcomes, not errors.

use domain::{Timestamp, UserField};

use crate::login::password_fault::PasswordFault;

/// Why a use case did not happen. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such user.
    #[error("no such user")]
    NoUser,
    /// No such device of this user.
    #[error("no such device")]
    NoDevice,
    /// The user is suspended or locked by an administrator.
    #[error("the user is locked")]
    Barred,
    /// No such factor, or its last hop does not work here.
    #[error("this factor is not offered")]
    NotOffered,
    /// The user has an active device of this factor, which cannot repeat.
    #[error("this factor is enrolled already")]
    AlreadyEnrolled,
    /// The number or address is missing, malformed, or not one messages may go to.
    #[error("no usable number or address")]
    BadTarget,
    /// The number is of a country that text messages and calls may not go to.
    #[error("the number is not in an allowed country: see the setting messages.countries")]
    BadCountry,
    /// A device of this factor always has to be confirmed.
    #[error("this factor cannot be trusted unverified")]
    NotTrustable,
    /// A field of a user is too long or holds characters that deceive.
    #[error("{} is not acceptable", .0.name())]
    BadField(UserField),
    /// The name of a device is empty, too long, or holds characters that deceive.
    #[error("display_name is not acceptable")]
    BadDeviceName,
    /// The name of a client or a webhook is too long or holds characters that deceive.
    #[error("name is not acceptable")]
    BadName,
    /// Too many devices or open verifications, or the next message must wait; with the moment to come back.
    #[error("too many")]
    TooMany(Option<Timestamp>),
    /// Locked by wrong answers, with the end where there is one.
    #[error("locked")]
    Locked(Option<Timestamp>),
    /// Another user has this username or e-mail address.
    #[error("{} is taken", .0.name())]
    Taken(UserField),
    /// The password does not meet the rules.
    #[error(transparent)]
    BadPassword(PasswordFault),
    /// The caller's token was revoked or has run out while the call was held.
    #[error("the token is no longer live")]
    Revoked,
    /// Too much is going on; try again shortly.
    #[error("busy")]
    Busy,
    /// The database cannot be reached or written: nothing was accepted, nothing was refused (SEC 79).
    #[error("the database is unavailable")]
    Unavailable(#[source] store::Error),
    /// A fault of ours.
    #[error("internal fault")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Wraps a fault of ours, keeping its cause for the log.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(cause.into())
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Conflict(store::UniqueField::Username) => Self::Taken(UserField::Username),
            store::Error::Conflict(store::UniqueField::Email) => Self::Taken(UserField::Email),
            // Two random ids collided: the caller tries again.
            error @ (store::Error::Unavailable(_) | store::Error::Conflict(store::UniqueField::WireId)) => {
                Self::Unavailable(error)
            }
            error @ (store::Error::Corrupt(_) | store::Error::Conflict(_)) => Self::internal(error),
        }
    }
}
