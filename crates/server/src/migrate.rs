//! `countersign migrate`: brings the schema up to date, or tells what that would do. A starting server does the same by
//! itself; this is for whoever wants to look first, or to choose the moment.

use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::json;
use store::{Migration, OpenError, Store};

use crate::config::Config;
use crate::folder::Folder;
use crate::house::{self, BuildError};
use crate::{database::Database, terminal};

/// The command.
pub async fn run(config: &Config, dry_run: bool, as_json: bool) -> anyhow::Result<ExitCode> {
    let (shown, pending) = pending(config).await?;
    if !dry_run && !pending.is_empty() {
        let folder = Folder::open(&config.data_dir)?;
        let (store, _failed) = house::open_store(config, &folder).await.map_err(|error| match error {
            BuildError::Occupied => {
                anyhow::anyhow!("a server of an older version runs on this data folder; stop it first")
            }
            BuildError::Other(error) => error,
        })?;
        store.close().await;
    }
    say(&shown, &pending, dry_run, as_json);
    Ok(ExitCode::SUCCESS)
}

async fn pending(config: &Config) -> anyhow::Result<(String, Vec<Migration>)> {
    let (shown, pending): (String, Result<Vec<Migration>, OpenError>) = match &config.database {
        Database::Sqlite => {
            let dir = config.data_dir.join("db");
            (format!("sqlite://{}", dir.display()), Store::pending_sqlite(&dir))
        }
        Database::Postgres(postgres) => {
            (postgres.shown(), Store::pending_postgres(postgres.url(), postgres.options()).await)
        }
    };
    let pending = pending.with_context(|| format!("cannot migrate {shown}"))?;
    Ok((shown, pending))
}

fn say(shown: &str, pending: &[Migration], dry_run: bool, as_json: bool) {
    if as_json {
        let listed: Vec<_> = pending.iter().map(|m| json!({ "version": m.version, "name": m.name })).collect();
        let done = json!({ "database": shown, "pending": listed, "migrated": !dry_run && !pending.is_empty() });
        return terminal::say(&done.to_string());
    }
    if pending.is_empty() {
        return terminal::say(&format!("{shown} is up to date."));
    }
    terminal::say(&format!("{shown}: {}", if dry_run { "would be migrated" } else { "migrated" }));
    for migration in pending {
        terminal::say(&format!("  {:04} {}", migration.version, migration.name));
    }
}
