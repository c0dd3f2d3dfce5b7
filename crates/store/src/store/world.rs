//! Which world a database belongs to, found out and marked.

use std::path::Path;

use super::handle::Store;
use crate::dev_clock::DEV_CLOCK;
use crate::error::{Error, OpenError};
use crate::postgres::{Postgres, PostgresOptions};
use crate::sqlite::Sqlite;
use crate::world::{KEY_CHECK, Known, Looked, MARK, World};

impl Store {
    /// Looks at the SQLite database in `dir`, which need not exist. Changes nothing, leaves nothing behind and needs no
    /// lock. `traces` are those of a dev world that lie beside the database.
    pub fn look_sqlite(dir: &Path, traces: bool) -> Result<Looked, OpenError> {
        Sqlite::look(dir, traces)
    }

    /// Looks at a PostgreSQL database. Changes nothing.
    pub async fn look_postgres(url: &str, options: PostgresOptions) -> Result<Looked, OpenError> {
        Postgres::look(url, &options).await
    }

    /// What is known of this database's world. `traces` are those of a dev world that lie beside the database.
    pub async fn world(&self, traces: bool) -> Result<Known, Error> {
        let mark = self.meta(MARK).await?;
        let dev = traces || self.has_dev_tables().await? || self.meta(DEV_CLOCK).await?.is_some();
        let sealed = self.meta(KEY_CHECK).await?.is_some();
        Known::judge(mark.as_deref(), dev, sealed)
    }

    /// Marks this database unless it is marked, and gives the world that holds from now on.
    pub async fn mark_world(&self, world: World) -> Result<World, Error> {
        World::read(&self.set_meta_if_absent(MARK, world.name().as_bytes()).await?)
    }
}
