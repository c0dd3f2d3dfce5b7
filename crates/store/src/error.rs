//! What can go wrong. None of these texts holds a value of a row: an error may be logged (SEC 48).

use domain::UserId;

/// What was interrupted because its time was over, or because its caller has gone.
pub(crate) const TOO_LONG: &str = "a list took too long";
/// What was not begun, since as much as may run at once was running.
pub(crate) const BUSY: Error = Error::Unavailable("too many lists at once");

/// Why a decision or a query failed. Nothing it would have changed was changed, unless [`Error::Unavailable`] says
/// otherwise: after a lost commit the outcome is unknown, and the caller answers 503 (SEC 80).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The disk is full, the database is locked, shutting down or broken. Trying again later may help.
    #[error("the store is unavailable: {0}")]
    Unavailable(&'static str),
    /// Another row holds this value, which must be unique.
    #[error("the {0} is taken")]
    Conflict(UniqueField),
    /// What the decision is about has ended meanwhile.
    #[error("this has ended meanwhile")]
    Ended,
    /// A stored row cannot be understood, or a change found nothing to change. Trying again will not help.
    #[error("the store is inconsistent: {0}")]
    Corrupt(&'static str),
}

/// A field whose values are unique.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UniqueField {
    /// A user name, which is another's user name or mail address.
    Username,
    /// A mail address, which is another's mail address or user name.
    Email,
    /// What an API caller shows.
    ClientId,
    /// What callers are shown of a verification; unique per user.
    WireId,
    /// An app's name.
    AppName,
    /// A row's id.
    Id,
}

impl std::fmt::Display for UniqueField {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Username => "username",
            Self::Email => "e-mail address",
            Self::ClientId => "client id",
            Self::WireId => "verification id",
            Self::AppName => "app name",
            Self::Id => "id",
        })
    }
}

/// Why a user cannot be written anew. Names the user, since only a person can say what becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "user {} cannot be written anew: {error}; nothing is lost: the version before serves the database as it was, which is kept \
     beside this one (SQLite) or in the backup (PostgreSQL)",
    .user.0
)]
pub struct UnreadableUser {
    pub(crate) user: UserId,
    pub(crate) error: Error,
}

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error("another process is using this database")]
    Locked,
    /// It was written by a later version of the server.
    #[error(
        "the database has schema version {found}, and this server knows versions up to {known}: use a newer server"
    )]
    Newer {
        /// The version in the file.
        found: i64,
        /// The newest version this server knows.
        known: i64,
    },
    /// The installation was moved away. Names where to, without a password.
    #[error("this installation was moved to {0}, and is closed here so that no code counts in both: use it there")]
    Moved(String),
    /// A move to here was broken off. Names from where, without a password.
    #[error("a move from {0} to here is under way or was broken off: run the same `countersign move` again")]
    Arriving(String),
    /// More users must be written anew than a server does by itself.
    #[error(
        "the database has {0} users that this version must write anew before it can serve: stop every server, make a backup, \
         and run `countersign migrate`"
    )]
    ManyUsers(u64),
    /// A user could not be written anew.
    #[error(transparent)]
    Unreadable(#[from] UnreadableUser),
    /// The SQLite library lacks a correction that this server relies on (SEC 76).
    #[error("SQLite {0} is too old: 3.51.3 is needed")]
    OldLibrary(&'static str),
    /// A setting that durability depends on did not take effect (SEC 76).
    #[error("SQLite did not accept {0}")]
    Setting(&'static str),
    /// The folder or a file could not be used.
    #[error("cannot use the database folder")]
    Io(#[from] std::io::Error),
    /// SQLite could not open or prepare the file.
    #[error("cannot open the database")]
    Sqlite(#[from] rusqlite::Error),
    /// A PostgreSQL server that may forget what it has confirmed (SEC 76).
    #[error("this PostgreSQL server cannot be used: {0}")]
    Unsafe(&'static str),
    /// The file of trusted authorities cannot be read or holds none.
    #[error("no certificates could be read from {}", .0.display())]
    Authorities(std::path::PathBuf),
    /// What the database says of itself cannot be understood.
    #[error(transparent)]
    Content(#[from] Error),
    /// The URL cannot be read. None of it is said, since it may hold a password.
    #[error(
        "the database's URL cannot be read: write postgres://USER:PASSWORD@HOST:PORT/DATABASE, and in the user and the \
         password every sign that is no letter and no digit by its number, as %40 for @, %3A for :, %2F for / and %3F for ?"
    )]
    Url,
    /// A parameter of the URL that is not taken, and what to do about it. Names no value.
    #[error("{name} in the database's URL {instead}")]
    Parameter {
        name: String,
        /// What it must be, or what to do instead.
        instead: &'static str,
    },
    /// The server's certificate is not signed by a trusted authority.
    #[error(
        "no trusted authority vouches for the database's certificate: pass --database-ca-file with the authority's \
         certificate, or with the server's own (Debian: /etc/ssl/certs/ssl-cert-snakeoil.pem); if the database runs on \
         this machine, ?sslmode=disable in its URL does without TLS"
    )]
    Untrusted,
    /// The server's certificate is for another name.
    #[error(
        "the database's certificate is for another name than the URL has: write the name that it is for as the host, with \
         ?hostaddr=ADDRESS if that name leads elsewhere; if the database runs on this machine, ?sslmode=disable does without \
         TLS"
    )]
    OtherName,
    /// The server's certificate has ended.
    #[error("the database's certificate has expired: renew it on the database's server, and reload that")]
    Expired,
    /// No host of the URL answered in time.
    #[error("the PostgreSQL server did not answer in time")]
    Unreachable,
    /// PostgreSQL could not be reached, understood or prepared.
    #[error("cannot open the PostgreSQL database")]
    Postgres(#[from] tokio_postgres::Error),
}
