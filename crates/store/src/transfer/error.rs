//! Why an installation was not carried over.

use crate::error::{Error, OpenError};

/// Why an installation was not carried over. Unless it says otherwise, the source is as it was and the target empty.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// A database could not be opened. [`OpenError::Locked`] means that a server runs on it.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is no database to carry.
    #[error("there is no database there")]
    Missing,
    /// The source has an older schema.
    #[error("the source has an older schema; run `countersign migrate` on it first")]
    Outdated,
    /// Somebody else works on it.
    #[error("a server is connected to this database, or holds its tables; stop it first")]
    Busy,
    /// The data is there, and the move was broken off while the source was being closed or the target opened.
    #[error("the move was not finished, and the target cannot be served yet: run the same `countersign move` again")]
    Unfinished(#[source] Box<TransferError>),
    /// The target holds something already. Names the table.
    #[error("the target is not empty: it has rows in {0}. Only an empty database takes an installation in")]
    NotEmpty(&'static str),
    /// What was read back is not what was written. Names the table.
    #[error("the table {0} does not read back as it was written; nothing was kept")]
    Differs(&'static str),
    /// A row has another shape than this version knows.
    #[error(transparent)]
    Row(#[from] Error),
    #[error("SQLite failed")]
    Sqlite(#[from] rusqlite::Error),
    #[error("PostgreSQL failed")]
    Postgres(#[from] tokio_postgres::Error),
}
