//! Which database an installation uses: SQLite in its data folder, or PostgreSQL at a URL. A URL may contain a password, so
//! it is never shown whole.

use std::path::{Path, PathBuf};

use anyhow::bail;
use store::PostgresOptions;
use zeroize::Zeroizing;

/// The name of a SQLite database's file.
pub const SQLITE_FILE: &str = "countersign.db";

/// Where the data is.
#[derive(Debug, Clone, Default)]
pub enum Database {
    /// In the data folder.
    #[default]
    Sqlite,
    /// In a PostgreSQL server.
    Postgres(Postgres),
}

/// A PostgreSQL database.
#[derive(Clone)]
pub struct Postgres {
    url: Zeroizing<String>,
    /// The URL as the driver reads it, without the password.
    shown: String,
    ca_file: Option<PathBuf>,
}

impl std::fmt::Debug for Postgres {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown)
    }
}

/// A SQLite database as it is printed: `sqlite://` and the absolute path of its data folder, which `transfer` accepts.
/// `path` is the data folder, the database's own folder or its file.
pub fn shown_sqlite(path: &Path) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let folder = if path.is_file() { path.parent().unwrap_or(&path) } else { &path };
    let is_its_own = folder.file_name().is_some_and(|name| name == "db") && folder.join(SQLITE_FILE).exists();
    let folder = if is_its_own { folder.parent().unwrap_or(folder) } else { folder };
    // Without a slash at the end, and without double slashes.
    format!("sqlite://{}", folder.components().collect::<PathBuf>().display())
}

impl Database {
    /// The database that was configured.
    pub fn configured(url: Option<String>, ca_file: Option<PathBuf>) -> anyhow::Result<Self> {
        Ok(match url {
            Some(url) => Self::Postgres(Postgres::new(&url, ca_file)?),
            None => Self::Sqlite,
        })
    }

    /// The PostgreSQL database, if it is one.
    pub fn postgres(&self) -> Option<&Postgres> {
        match self {
            Self::Sqlite => None,
            Self::Postgres(postgres) => Some(postgres),
        }
    }
}

impl Postgres {
    /// The database at `url`, trusting the authorities in `ca_file` only if one is given.
    pub fn new(url: &str, ca_file: Option<PathBuf>) -> anyhow::Result<Self> {
        let url = url.trim();
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            bail!("a database's URL begins with postgres:// (leave it out for SQLite in the data folder)");
        }
        let shown = store::shown_postgres(url)?;
        Ok(Self { url: Zeroizing::new(url.to_owned()), shown, ca_file })
    }

    /// The URL as it was given.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How it is opened.
    pub fn options(&self) -> PostgresOptions {
        PostgresOptions { ca_file: self.ca_file.clone(), ..PostgresOptions::default() }
    }

    /// The URL without the password.
    pub fn shown(&self) -> &str {
        &self.shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        for (url, shown) in [
            ("postgres://ana:s3cret@db1,db2:5433/mfa", "postgres://ana@db1,db2:5433/mfa"),
            ("postgres://ana:s3?cret@db/mfa?sslmode=require", "postgres://ana@db/mfa"),
            ("postgresql:///mfa?host=/run/pg&password=s3cret&user=ana", "postgres://ana@[/run/pg]/mfa"),
            ("postgres://db", "postgres://db"),
        ] {
            let postgres = Postgres::new(url, None).unwrap();
            assert_eq!(postgres.shown(), shown);
            assert!(!format!("{:?}", Database::Postgres(postgres)).contains("cret"));
        }
    }

    #[test]
    fn another_kind_of_url_is_refused() {
        for url in ["mysql://db", "db.example.com", "host=db password=x"] {
            assert!(Postgres::new(url, None).is_err(), "{url}");
        }
    }
}
