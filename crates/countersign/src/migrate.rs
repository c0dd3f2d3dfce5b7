//! `countersign migrate`: brings the schema up to date, or tells what that would do. A starting server does the same by
//! itself; this is for whoever wants to look first, or to choose the moment.

use std::process::ExitCode;

use serde_json::json;
use store::Migration;

use crate::config::Config;
use crate::database::{Database, shown_sqlite};
use crate::installation::{self, Dependencies, Installation, Intent, StartError};
use crate::terminal;

/// The command.
pub async fn run(config: &Config, dry_run: bool, as_json: bool) -> anyhow::Result<ExitCode> {
    let found = installation::look(config).await?;
    if !found.is_sealed() {
        return Err(installation::absent(config));
    }
    if !dry_run && !found.pending.is_empty() {
        let opened = installation::open(config, Intent::Migrate).await.map_err(|error| match error {
            StartError::Occupied => {
                anyhow::anyhow!("a server of an older version runs on this data folder; stop it first")
            }
            StartError::Other(error) => error,
        })?;
        // What the server itself must make needs the master key, which need not be where this runs.
        match installation::master_key::check(config, found.key_check.clone()) {
            Ok(()) => Installation::build(config, opened, Dependencies::plain(config)).await?.close().await,
            Err(_) => opened.store.close().await,
        }
    }
    let shown = match &config.database {
        Database::Sqlite => shown_sqlite(&config.data_dir),
        Database::Postgres(postgres) => postgres.shown().to_owned(),
    };
    say(&shown, &found.pending, dry_run, as_json);
    Ok(ExitCode::SUCCESS)
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
