//! `countersign transfer`: copies an installation's data from one database to another, and proves that both are equal.
//!
//! It copies the data only. The master key is a file in the data folder and stays there: both together open the secrets
//! (SEC 39).

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;
use config::{Postgres, SQLITE_FILE as FILE, shown_sqlite};
use engine::Chance;
use engine::chance::SystemChance;
use serde_json::json;
use store::OpenError;
use store::transfer::{Carried, End, TransferError, TransferRoute, carry};

use crate::cli::run::runtime;
use crate::installation::data_dir::DataDir;
use crate::terminal;

/// Everything is written in one transaction, read back and compared before it counts. The source stays as it is. The
/// master key is not transferred: it is a file in the data folder.
#[derive(Debug, Args)]
pub(crate) struct TransferArgs {
    /// Source: `sqlite://DIR` or `postgres://…`
    #[arg(long, value_name = "URL")]
    from: String,
    /// Target: `postgres://…` or `sqlite://DIR`
    #[arg(long, value_name = "URL")]
    to: String,
    /// Trust only these authorities (PEM) to vouch for a database's server
    #[arg(long, value_name = "FILE")]
    database_ca_file: Option<PathBuf>,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

impl TransferArgs {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let ca_file = match self.database_ca_file {
            Some(file) => Some(file),
            None => config::variable("COUNTERSIGN_DATABASE_CA_FILE")?.map(PathBuf::from),
        };
        let end = |url: &str| TransferEnd::parse(url, ca_file.as_deref());
        let (from, to) = (end(&self.from)?, end(&self.to)?);
        runtime(1)?.block_on(transfer(&from, &to, self.json))
    }
}

/// One end of a transfer.
#[derive(Debug, Clone)]
enum TransferEnd {
    /// A data folder, a database's folder or its file.
    Sqlite(PathBuf),
    Postgres(Postgres),
}

impl TransferEnd {
    fn parse(url: &str, ca_file: Option<&Path>) -> anyhow::Result<Self> {
        match url.strip_prefix("sqlite://") {
            Some("") => bail!("sqlite:// is followed by a data folder, as sqlite:///var/lib/countersign"),
            Some(path) => Ok(Self::Sqlite(PathBuf::from(path))),
            None => Postgres::new(url, ca_file.map(Path::to_owned))
                .map(Self::Postgres)
                .context("a database is sqlite://DIR or postgres://…"),
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Sqlite(path) => shown_sqlite(path),
            Self::Postgres(postgres) => postgres.shown().to_owned(),
        }
    }

    async fn source(&self) -> Result<End, TransferError> {
        match self {
            Self::Sqlite(path) => End::sqlite_source(&database_folder(path)),
            Self::Postgres(postgres) => End::postgres_source(postgres.url(), &postgres.options()).await,
        }
    }

    async fn target(&self) -> anyhow::Result<End> {
        match self {
            Self::Sqlite(path) => {
                let dir = database_folder(path);
                let dir = if dir.join(FILE).exists() { dir } else { DataDir::make(path)?.db() };
                Ok(End::sqlite_target(&dir)?)
            }
            Self::Postgres(postgres) => Ok(End::postgres_target(postgres.url(), &postgres.options()).await?),
        }
    }
}

/// The folder of the database that `path` means: a data folder, the database's own folder, or its file.
fn database_folder(path: &Path) -> PathBuf {
    if path.is_file() {
        return path.parent().unwrap_or(Path::new(".")).to_owned();
    }
    if path.join(FILE).exists() { path.to_owned() } else { path.join("db") }
}

async fn transfer(from_end: &TransferEnd, to_end: &TransferEnd, as_json: bool) -> anyhow::Result<ExitCode> {
    let (from, to) = (from_end.shown(), to_end.shown());
    let source = from_end.source().await.map_err(|error| match error {
        TransferError::Open(OpenError::Locked) => anyhow::anyhow!("a server runs on {from}; stop it first"),
        error => anyhow::Error::new(error).context(format!("cannot transfer {from}")),
    })?;
    let target = to_end.target().await.with_context(|| format!("cannot transfer to {to}"))?;
    let rows = source.rows().await?;
    let bar = terminal::progress("Transferring", 2 * rows);
    let route = TransferRoute { id: (&SystemChance as &dyn Chance).bytes(), from: from.clone(), to: to.clone() };
    let carried = carry(source, target, &route, |done| bar.reach(done)).await;
    bar.finish();
    let carried = carried.with_context(|| format!("cannot transfer {from} to {to}"))?;
    say(&from, &to, &carried, as_json);
    Ok(ExitCode::SUCCESS)
}

fn say(from: &str, to: &str, carried: &[Carried], as_json: bool) {
    let digest = |table: &Carried| data_encoding::HEXLOWER.encode(&table.digest.0);
    if as_json {
        let tables: Vec<_> = carried
            .iter()
            .map(|table| json!({ "table": table.table, "rows": table.rows, "sha256": digest(table) }))
            .collect();
        terminal::say(&json!({ "from": from, "to": to, "tables": tables }).to_string());
    } else {
        let row = |table: &Carried| vec![table.table.to_owned(), table.rows.to_string(), digest(table)];
        let rows: Vec<_> = carried.iter().map(row).collect();
        terminal::say(&terminal::table(&["table", "rows", "SHA-256 of both"], &rows, true));
    }
    terminal::remark(&format!(
        "Transferred {from} to {to}; both were read back and are equal.\n\
         The master key was not transferred: it is the file keys/master.key in the data folder, and the server needs it there.\n\
         {from} is closed for good: it keeps its data, and no server opens it, because a code used in one database would be \
         unused in the other."
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_named_by_its_data_folder_its_own_folder_or_its_file() {
        let dir = tempfile::tempdir().unwrap();
        let db = dir.path().join("db");
        assert_eq!(database_folder(dir.path()), db);
        std::fs::create_dir(&db).unwrap();
        std::fs::write(db.join(FILE), "").unwrap();
        for path in [dir.path().to_owned(), db.clone(), db.join(FILE)] {
            assert_eq!(database_folder(&path), db);
        }
    }

    #[test]
    fn what_is_neither_kind_of_url_is_refused() {
        assert!(matches!(TransferEnd::parse("sqlite://data", None), Ok(TransferEnd::Sqlite(_))));
        assert!(matches!(TransferEnd::parse("postgres://db/mfa", None), Ok(TransferEnd::Postgres(_))));
        for url in ["sqlite://", "data", "mysql://db"] {
            assert!(TransferEnd::parse(url, None).is_err(), "{url}");
        }
    }
}
