//! Identifiers. A number that names a user cannot be handed where a device is meant.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! integer_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

integer_id!(
    /// A person. Positive and at most 2147483647, since some clients read 32 bits (contract 1.10).
    UserId
);

integer_id!(
    /// An enrolled (or enrolling) authenticator of one user. Same range as [`UserId`].
    DeviceId
);

integer_id!(
    /// An API caller's row; the caller itself shows its `client_id`.
    ClientId
);

integer_id!(
    /// A message in the outbox.
    MessageId
);

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

uuid_id!(
    /// One verification, whatever a dialect calls it. A version 4 UUID; alone it gives access to nothing (SEC 41).
    VerificationId
);

uuid_id!(
    /// A log-in under way, or what a log-in has granted. A version 4 UUID that callers never see.
    SessionId
);
