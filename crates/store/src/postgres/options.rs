//! How a PostgreSQL database is used.

use std::path::PathBuf;
use std::time::Duration;

use crate::query::LIST_TIME;
use crate::upgrade::Rewriting;

/// How a PostgreSQL database is used. The defaults are right for serving.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresOptions {
    /// The only authorities trusted to vouch for the server, in PEM; without it, the public ones. Whether there is TLS
    /// at all is the URL's to say (`sslmode`).
    pub ca_file: Option<PathBuf>,
    /// Connections that decide.
    pub lanes: usize,
    /// Connections that look users up for decisions and answers.
    pub readers: usize,
    /// Connections for all the rest, at most.
    pub pool: usize,
    /// How long a list may take. Lists have two connections that nothing else waits for.
    pub list_time: Duration,
    /// What is done first where a version before has kept users otherwise. Nothing unless it is said: there is no copy to go
    /// back to.
    pub rewriting: Rewriting,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self { ca_file: None, lanes: 2, readers: 1, pool: 4, list_time: LIST_TIME, rewriting: Rewriting::NONE }
    }
}
