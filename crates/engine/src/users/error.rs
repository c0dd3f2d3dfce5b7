//! Why a call about a user did not happen.

use domain::UserField;

use crate::fault::{Fault, faults_of_the_store};
use crate::login::password_fault::{PasswordError, PasswordFault};

/// Of a call about a user who is there.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    #[error("no such user")]
    NoUser,
    #[error(transparent)]
    Fault(#[from] Fault),
}

faults_of_the_store!(UserError);

/// Of a call that creates a user.
#[derive(Debug, thiserror::Error)]
pub enum CreateUserError {
    /// A field is too long or holds characters that deceive.
    #[error("{} is not acceptable", .0.name())]
    BadField(UserField),
    /// Another user has this username or e-mail address.
    #[error("{} is taken", .0.name())]
    Taken(UserField),
    /// The password does not meet the rules.
    #[error(transparent)]
    BadPassword(PasswordFault),
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Of a call that changes a user.
#[derive(Debug, thiserror::Error)]
pub enum UpdateUserError {
    #[error("no such user")]
    NoUser,
    /// A field is too long or holds characters that deceive.
    #[error("{} is not acceptable", .0.name())]
    BadField(UserField),
    /// Another user has this username or e-mail address.
    #[error("{} is taken", .0.name())]
    Taken(UserField),
    /// The password does not meet the rules.
    #[error(transparent)]
    BadPassword(PasswordFault),
    #[error(transparent)]
    Fault(Fault),
}

impl From<store::Error> for CreateUserError {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Conflict(store::UniqueField::Username) => Self::Taken(UserField::Username),
            store::Error::Conflict(store::UniqueField::Email) => Self::Taken(UserField::Email),
            error => Self::Fault(error.into()),
        }
    }
}

impl From<PasswordError> for CreateUserError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Refused(why) => Self::BadPassword(why),
            PasswordError::Fault(fault) => Self::Fault(fault),
        }
    }
}

/// What is wrong with a new user is wrong with a changed one.
impl<E: Into<CreateUserError>> From<E> for UpdateUserError {
    fn from(error: E) -> Self {
        match error.into() {
            CreateUserError::BadField(field) => Self::BadField(field),
            CreateUserError::Taken(field) => Self::Taken(field),
            CreateUserError::BadPassword(why) => Self::BadPassword(why),
            CreateUserError::Fault(fault) => Self::Fault(fault),
        }
    }
}

impl From<UserError> for UpdateUserError {
    fn from(error: UserError) -> Self {
        match error {
            UserError::NoUser => Self::NoUser,
            UserError::Fault(fault) => Self::Fault(fault),
        }
    }
}
