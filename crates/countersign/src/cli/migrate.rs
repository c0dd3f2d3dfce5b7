//! `countersign migrate`: migrates the schema, or lists what that would do. A starting server migrates by itself; this
//! command lets an operator look first, or choose the moment.

use std::process::ExitCode;

use clap::Args;
use config::{Config, Database, shown_sqlite};
use serde_json::json;
use store::Migration;

use crate::cli::run::{OutputArgs, runtime};
use crate::installation::{self, Dependencies, Installation, Intent, StartError};
use crate::terminal;

#[derive(Debug, Args)]
pub(crate) struct MigrateArgs {
    /// List what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    output: OutputArgs,
}

impl MigrateArgs {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.output.config()?;
        runtime(1)?.block_on(migrate(&config, self.dry_run, self.output.json))
    }
}

async fn migrate(config: &Config, dry_run: bool, as_json: bool) -> anyhow::Result<ExitCode> {
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
        // Data that the server derives needs the master key, which may be on another machine than this command.
        match installation::master_key::check(config, found.key_check.clone()) {
            Ok(()) => Installation::build(config, opened, Dependencies::plain(config)?).await?.close().await,
            Err(_) => opened.store.close().await,
        }
    }
    let shown = match &config.storage.database {
        Database::Sqlite => shown_sqlite(&config.storage.data_dir),
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
