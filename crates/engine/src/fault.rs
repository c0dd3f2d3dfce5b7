//! What can befall any use case: it is neither the caller's doing nor about what was asked.
//!
//! Each use case has its error beside it, with what can happen there and a [`Fault`] for the rest. Wrong codes
//! and other refusals are outcomes, not errors.

/// A use case did not happen, and nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
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

impl Fault {
    /// Wraps a fault of ours, keeping its cause for the log.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(cause.into())
    }
}

impl From<store::Error> for Fault {
    fn from(error: store::Error) -> Self {
        match error {
            // Two random ids collided: the caller tries again.
            error @ (store::Error::Unavailable(_) | store::Error::Conflict(store::UniqueField::WireId)) => {
                Self::Unavailable(error)
            }
            error @ (store::Error::Corrupt(_) | store::Error::Conflict(_) | store::Error::Ended) => {
                Self::internal(error)
            }
        }
    }
}

/// Lets `?` turn the store's errors into faults of these errors.
macro_rules! faults_of_the_store {
    ($($error:ty),+ $(,)?) => {
        $(impl From<store::Error> for $error {
            fn from(error: store::Error) -> Self {
                Self::Fault(error.into())
            }
        })+
    };
}

pub(crate) use faults_of_the_store;
