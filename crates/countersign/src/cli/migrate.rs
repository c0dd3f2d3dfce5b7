//! `countersign migrate`: migrates the schema, or lists what that would do. A starting server migrates by itself, unless there
//! are more users to write anew than it does in some seconds; this command lets an operator look first, or choose the moment.

use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use anyhow::bail;
use clap::Args;
use config::{Config, Database, shown_sqlite};
use serde_json::json;
use store::{Migration, Progress, Rewriting};

use crate::cli::run::{OutputArgs, runtime};
use crate::installation::{self, Dependencies, Installation, Intent, StartError};
use crate::terminal;

#[derive(Debug, Args)]
pub(crate) struct MigrateArgs {
    /// List what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Confirm that there is a backup of the PostgreSQL database, which is asked for where every user is written anew
    #[arg(long)]
    i_have_a_backup: bool,
    #[command(flatten)]
    output: OutputArgs,
}

impl MigrateArgs {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.output.config()?;
        runtime(1)?.block_on(migrate(&config, &self))
    }
}

async fn migrate(config: &Config, args: &MigrateArgs) -> anyhow::Result<ExitCode> {
    let (dry_run, as_json) = (args.dry_run, args.output.json);
    let found = installation::look(config).await?;
    if !found.is_sealed() {
        return Err(installation::absent(config));
    }
    if !dry_run && !found.pending.is_empty() {
        let rewrites = found.pending.iter().any(Migration::rewrites_users);
        if rewrites && matches!(config.storage.database, Database::Postgres(_)) && !args.i_have_a_backup {
            bail!(
                "this writes every user anew, and the version before cannot use the database afterwards: stop every server, \
                 make a backup (pg_dump), and run it again with --i-have-a-backup"
            );
        }
        let bar = Arc::new(OnceLock::<terminal::Progress>::new());
        let shown = bar.clone();
        let tell = move |done, users| {
            shown.get_or_init(|| terminal::progress("Writing users anew", users)).reach(done);
        };
        let rewriting = Rewriting { most_users: u64::MAX, progress: Some(Progress::new(tell)) };
        let opened = installation::open_rewriting(config, Intent::Migrate, Some(rewriting)).await;
        bar.get().inspect(|bar| bar.finish());
        let opened = opened.map_err(|error| match error {
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
