//! Opens the configured database.

use std::sync::Arc;

use anyhow::Context as _;
use config::{Config, Database};
use store::{OpenError, PostgresOptions, Rewriting, SqliteOptions, Store};
use tokio::sync::watch;

use super::data_dir::DataDir;
use super::disk;

/// Why an installation cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another process holds the database, most likely a running server.
    #[error("another process is using this data folder")]
    Occupied,
    /// Any other cause.
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

/// Opens SQLite in `data_dir`, or the configured PostgreSQL database. The receiver turns true when the database no longer
/// keeps what is written to it.
pub(super) async fn open_store(
    config: &Config,
    data_dir: &DataDir,
    rewriting: Option<Rewriting>,
) -> Result<(Store, watch::Receiver<bool>), StartError> {
    match &config.storage.database {
        Database::Sqlite => open_sqlite(data_dir, rewriting),
        Database::Postgres(postgres) => {
            let own = postgres.options();
            let options = PostgresOptions { rewriting: rewriting.unwrap_or(own.rewriting), ..own };
            let store = Store::open_postgres(postgres.url(), options).await;
            let store = store.with_context(|| format!("cannot open the database {}", postgres.shown()))?;
            // A PostgreSQL server that fails is waited for. Only a failing local disk ends the process.
            let (fail, failed) = watch::channel(false);
            tokio::spawn(async move { fail.closed().await });
            Ok((store, failed))
        }
    }
}

fn open_sqlite(data_dir: &DataDir, rewriting: Option<Rewriting>) -> Result<(Store, watch::Receiver<bool>), StartError> {
    let (fail, failed) = watch::channel(false);
    let fatal: store::Fatal = Arc::new(move |reason: &str| {
        tracing::error!(reason, "the database can no longer be trusted to keep what is written; stopping");
        let _ = fail.send(true);
    });
    let rewriting = rewriting.unwrap_or_default();
    let options = SqliteOptions { fatal: Some(fatal), rewriting, ..SqliteOptions::default() };
    match Store::open_sqlite(&data_dir.db(), options) {
        Ok(store) => Ok((store, failed)),
        Err(OpenError::Locked) => Err(StartError::Occupied),
        Err(OpenError::Io(error)) => {
            Err(StartError::Other(anyhow::anyhow!(disk::advice(&data_dir.db(), &error, "--data-dir"))))
        }
        Err(error) => Err(StartError::Other(
            anyhow::Error::new(error).context(format!("cannot open the database in {}", data_dir.db().display())),
        )),
    }
}
