//! Where the data and the keys are.

use std::path::PathBuf;

use anyhow::Context as _;

use crate::database::Database;
use crate::row::{Kind, ROW, Row, Value};
use crate::section::Section;
use crate::values::{Origin, Values};

/// Where the data and the keys are.
#[derive(Debug, Clone)]
pub struct StorageConfig {
    pub data_dir: PathBuf,
    /// Whether a flag or a variable names the data folder.
    pub data_dir_named: bool,
    pub database: Database,
    /// Another file for the master key than the data folder's own.
    pub master_key_file: Option<PathBuf>,
    /// Whether that file comes from a variable, as a secret that an orchestrator mounts. It must exist then, and
    /// other users may be able to read it.
    pub master_key_mounted: bool,
}

impl Section for StorageConfig {
    const ROWS: &'static [Row] = &[
        Row {
            key: "data_dir",
            about: "Folder that holds the database and the keys",
            example: "\"/var/lib/countersign\"",
            everywhere: true,
            ..ROW
        },
        Row {
            key: "database_url",
            kind: Kind::Secret,
            about: "PostgreSQL database to use instead of the data folder's own, as postgres://user@host/name; a password is \
                    safer in the variable, or in the file that COUNTERSIGN_DATABASE_URL_FILE names",
            example: "\"postgres://countersign@db.example.com/countersign\"",
            everywhere: true,
            ..ROW
        },
        Row {
            key: "database_ca_file",
            about: "Trust only these authorities (PEM) to vouch for the database's server",
            example: "\"/etc/ssl/db-ca.pem\"",
            everywhere: true,
            ..ROW
        },
        Row {
            key: "master_key_file",
            about: "File with the master key, instead of keys/master.key in the data folder",
            example: "\"/run/secrets/countersign-master-key\"",
            everywhere: true,
            ..ROW
        },
    ];

    fn read(values: &Values) -> anyhow::Result<Self> {
        let database = Database::configured(values.text("database_url"), values.path("database_ca_file"));
        Ok(Self {
            data_dir: values.path("data_dir").unwrap_or_else(default_data_dir),
            data_dir_named: values.is_from_outside("data_dir"),
            database: database.with_context(|| named("database_url", values.of("database_url").1))?,
            master_key_file: values.path("master_key_file"),
            master_key_mounted: matches!(values.of("master_key_file").1, Origin::Variable(_)),
        })
    }

    fn shown(&self, key: &str) -> Option<Value> {
        match key {
            "data_dir" => Some(Value::from(self.data_dir.display().to_string())),
            "database_url" => self.database.postgres().map(|postgres| Value::from(postgres.shown())),
            _ => None,
        }
    }
}

/// The data folder in this user's XDG data home.
pub fn default_data_dir() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("XDG_DATA_HOME")
        .or_else(|| set("HOME").map(|home| home.join(".local").join("share")))
        .map_or_else(|| PathBuf::from("countersign-data"), |base| base.join("countersign"))
}

/// The place where a key was set, as an error names it.
fn named(key: &str, origin: &Origin) -> String {
    match origin {
        Origin::Flag(name) => format!("the flag --{name}"),
        Origin::Variable(name) => format!("the variable {name}"),
        Origin::File(path) => format!("{}: {key}", path.display()),
        Origin::Default => key.to_owned(),
    }
}
