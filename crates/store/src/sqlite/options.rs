//! How a SQLite database is opened.

use std::time::Duration;

use super::alarm::Fatal;
use crate::upgrade::Rewriting;

/// How a SQLite database is opened. The defaults are right for serving, but for `fatal`.
#[derive(Clone, Default)]
pub struct SqliteOptions {
    /// Ends the process once the database can no longer be trusted. Without one, the process is aborted.
    pub fatal: Option<Fatal>,
    /// Most pages (of 2 KiB, in a new database) the file may have: a full disk, for tests.
    pub max_page_count: Option<u32>,
    /// How long a list may take; 2 s unless set.
    pub list_time: Option<Duration>,
    /// What is done first where a version before has kept users otherwise.
    pub rewriting: Rewriting,
}

impl std::fmt::Debug for SqliteOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteOptions").field("max_page_count", &self.max_page_count).finish_non_exhaustive()
    }
}
