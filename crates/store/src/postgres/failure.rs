//! What can go wrong with a transaction, sorted by what is to be done about it.

use tokio_postgres::error::{DbError, SqlState};

use crate::error::{Error, UniqueField};

/// The code of the error that a closed database returns to writers.
const CLOSED_CODE: &str = "CS001";

/// Why a transaction was not committed, or why that is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// Running it again would not help.
    Job(Error),
    /// Another transaction was in the way; nothing was written, and it may be run again.
    Again(&'static str),
    /// The connection is gone or useless; nothing was written, and it may be run again on another.
    Lost(&'static str),
    /// The connection was lost while committing: it may be written or not, and must not be run again (SEC 80).
    Unknown,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Job(error)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Job(error) => error,
            Failure::Again(reason) | Failure::Lost(reason) => Self::Unavailable(reason),
            Failure::Unknown => Self::Unavailable("it is unknown whether a commit was kept"),
        }
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(refusal) => of_refusal(refusal),
            // What the server sent cannot be read, or what we send cannot be written: both are mistakes of ours.
            None if error.is_closed() || is_io(&error) => Self::Lost("the connection to the database was lost"),
            None => {
                tracing::error!(%error, "a statement failed");
                Self::Job(Error::Corrupt("a statement failed"))
            }
        }
    }
}

impl Failure {
    /// The same for a failed `COMMIT`: only where the server itself says that it rolled back is the outcome known.
    pub(super) fn of_commit(error: &tokio_postgres::Error) -> Self {
        match error.as_db_error().map(of_refusal) {
            Some(Self::Again(reason)) => Self::Again(reason),
            _ => Self::Unknown,
        }
    }
}

fn is_io(error: &tokio_postgres::Error) -> bool {
    std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<std::io::Error>)
}

fn of_refusal(refusal: &DbError) -> Failure {
    let code = refusal.code();
    match *code {
        SqlState::T_R_SERIALIZATION_FAILURE => Failure::Again("decisions for one user got in each other's way"),
        SqlState::T_R_DEADLOCK_DETECTED => Failure::Again("transactions waited for each other"),
        SqlState::LOCK_NOT_AVAILABLE => Failure::Again("a row stayed locked for too long"),
        SqlState::QUERY_CANCELED => Failure::Job(Error::Unavailable("a statement took too long")),
        SqlState::UNIQUE_VIOLATION => conflict(refusal.constraint()),
        SqlState::READ_ONLY_SQL_TRANSACTION => Failure::Lost("the database no longer takes writes"),
        SqlState::DISK_FULL => Failure::Job(Error::Unavailable("the disk is full")),
        _ if code.code() == CLOSED_CODE => {
            Failure::Job(Error::Unavailable("this installation was moved to another database"))
        }
        _ => match code.code().get(..2) {
            Some("08" | "57") => Failure::Lost("the database is shutting down or starting"),
            Some("53") => Failure::Lost("the database has run out of something"),
            Some("58" | "XX") => {
                tracing::error!(code = code.code(), "the database cannot read or write its files");
                Failure::Job(Error::Unavailable("the database is broken"))
            }
            Some("23") => Failure::Job(Error::Corrupt("a constraint does not hold")),
            _ => {
                // A statement of ours is wrong. The message is left out, for it may hold a value (SEC 48).
                tracing::error!(code = code.code(), table = refusal.table(), "a statement failed");
                Failure::Job(Error::Corrupt("a statement failed"))
            }
        },
    }
}

/// The unique field of a constraint.
fn conflict(constraint: Option<&str>) -> Failure {
    Failure::Job(Error::Conflict(match constraint {
        Some("client_client_id") => UniqueField::ClientId,
        Some("app_name") => UniqueField::AppName,
        Some("verification_wire_id") => UniqueField::WireId,
        // Two transactions began the same chain of the trail at once.
        Some("audit_head_pkey") => return Failure::Again("two entries began one audit trail"),
        _ => UniqueField::Id,
    }))
}
