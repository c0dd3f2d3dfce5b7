//! Opens an installation: what exists, and what a command may open or create. Every command goes through here. A dev world
//! never becomes a production installation, nor the reverse (SEC 94), and only commands that are meant to create an installation
//! create one (SEC 93).

use anyhow::bail;
use config::{Config, Database};
use store::{Known, Looked, Migration, OpenError, Rewriting, Store, World};
use tokio::sync::watch;

use super::data_dir::DataDir;
use super::disk::advice;
use super::nearby::absent;
use super::open_store::{StartError, open_store};

/// A file that only a dev world has beside its database.
pub(crate) const DEV_FILE: &str = "dev-world.json";

/// What a command needs of an installation. Commands that open none (`config`, `selftest`) have no intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    Serve,
    Dev,
    /// Adds to an installation of either world, or creates a production one: `import`, and commands with `--init`.
    Make,
    Migrate,
    /// A command that changes data.
    Write,
    /// A command that changes nothing.
    Read,
}

impl Intent {
    /// Whether it creates a missing installation.
    fn makes(self) -> bool {
        matches!(self, Self::Serve | Self::Dev | Self::Make)
    }

    /// Whether it migrates an older schema. Other commands do not, since a running server of another version may use the
    /// database.
    fn migrates(self) -> bool {
        matches!(self, Self::Serve | Self::Dev | Self::Migrate)
    }

    /// The only world it may open, if it is limited to one.
    fn world(self) -> Option<World> {
        match self {
            Self::Serve => Some(World::Serve),
            Self::Dev => Some(World::Dev),
            Self::Make | Self::Migrate | Self::Write | Self::Read => None,
        }
    }
}

/// An opened database and its data folder, before the engine is built over them.
pub struct OpenedDatabase {
    pub(crate) data_dir: DataDir,
    pub(crate) store: Store,
    /// Turns true when the database no longer keeps what is written to it.
    pub(crate) failed: watch::Receiver<bool>,
    pub(crate) writes: bool,
    /// The world it must belong to.
    pub(crate) world: Option<World>,
    /// Keeps other processes from a first start at the same moment.
    pub(crate) start_lock: Option<std::fs::File>,
}

/// Opens the configured installation, or creates it if the intent allows that. Nothing is changed before the intent is
/// checked.
pub async fn open(config: &Config, intent: Intent) -> Result<OpenedDatabase, StartError> {
    open_rewriting(config, intent, None).await
}

/// [`open`], saying how far it may go when users must be written anew first; without it, as far as the database's own default
/// allows.
pub(crate) async fn open_rewriting(
    config: &Config,
    intent: Intent,
    rewriting: Option<Rewriting>,
) -> Result<OpenedDatabase, StartError> {
    let found = look(config).await?;
    if !found.is_sealed() && !intent.makes() {
        return Err(absent(config).into());
    }
    if let Some(world) = intent.world() {
        judge(found.known, world)?;
    }
    if found.is_sealed() && !found.pending.is_empty() && !intent.migrates() {
        return Err(anyhow::anyhow!(
            "{} has an older schema: start the server of this version, or run `countersign migrate`",
            shown(config)
        )
        .into());
    }
    let (data_dir, start_lock) = if intent.makes() {
        let data_dir = DataDir::make(&config.storage.data_dir)?;
        let start_lock = data_dir.lock_start().await?;
        (data_dir, Some(start_lock))
    } else {
        (DataDir::at(&config.storage.data_dir), None)
    };
    let (store, failed) = open_store(config, &data_dir, rewriting).await?;
    log_migrations(intent, &found.pending);
    // `import` and `--init` create a production installation.
    let new = (!found.is_sealed() && intent.makes()).then_some(World::Serve);
    let writes = intent != Intent::Read;
    Ok(OpenedDatabase { data_dir, store, failed, writes, world: intent.world().or(new), start_lock })
}

/// Logs what opening did to the schema. A new dev world shows its banner instead.
fn log_migrations(intent: Intent, run: &[Migration]) {
    let (Some(first), Some(last)) = (run.first(), run.last()) else { return };
    if first.version > 1 {
        tracing::info!("schema {} → {}", first.version - 1, last.version);
    } else if intent == Intent::Serve {
        tracing::info!("database created (schema {})", last.version);
    }
}

/// Inspects what is configured. Changes nothing and leaves no file behind.
pub(crate) async fn look(config: &Config) -> anyhow::Result<Looked> {
    let looked = match &config.storage.database {
        Database::Sqlite => {
            let data_dir = DataDir::at(&config.storage.data_dir);
            Store::look_sqlite(&data_dir.db(), has_traces(config, &data_dir))
        }
        Database::Postgres(postgres) => Store::look_postgres(postgres.url(), postgres.options()).await,
    };
    looked.map_err(|error| match error {
        OpenError::Io(error) => anyhow::anyhow!(advice(&config.storage.data_dir.join("db"), &error, "--data-dir")),
        error => anyhow::Error::new(error).context(format!("cannot open {}", shown(config))),
    })
}

/// The database as messages name it.
fn shown(config: &Config) -> String {
    match &config.storage.database {
        Database::Sqlite => format!("the database in {}", config.storage.data_dir.display()),
        Database::Postgres(postgres) => format!("the database {}", postgres.shown()),
    }
}

/// Marks a database without a mark as belonging to `world`. The world is checked again after that, since another process
/// may have marked it at the same moment.
pub(super) async fn claim(store: &Store, world: World, config: &Config, data_dir: &DataDir) -> anyhow::Result<()> {
    let known = store.world(has_traces(config, data_dir)).await?;
    judge(known, world)?;
    if matches!(known, Known::Marked(_)) {
        return Ok(());
    }
    judge(Known::Marked(store.mark_world(world).await?), world)?;
    if matches!(known, Known::Unmarked(_)) {
        tracing::info!(world = world.name(), "the installation is marked; from now on the other command refuses it");
    }
    Ok(())
}

/// Whether the data folder of a SQLite database contains a dev world's file. A PostgreSQL database is judged by its own
/// tables only, since any folder can be combined with it.
fn has_traces(config: &Config, data_dir: &DataDir) -> bool {
    matches!(config.storage.database, Database::Sqlite) && data_dir.file(DEV_FILE).exists()
}

/// Refuses what `serve` would refuse.
pub(crate) fn serves(looked: &Looked) -> anyhow::Result<()> {
    judge(looked.known, World::Serve)
}

fn judge(known: Known, world: World) -> anyhow::Result<()> {
    match (known.world(), world) {
        (Some(World::Serve), World::Dev) => {
            bail!(
                "this installation is production; a dev world needs its own: --data-dir DIR (empty), and no database of \
                 another installation"
            )
        }
        (Some(World::Dev), World::Serve) => {
            bail!(
                "this installation is a dev world, whose credentials are readable beside it; production needs its own: \
                 --data-dir DIR (empty), and no database of another installation"
            )
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_makes_an_installation_makes_one() {
        let all = [Intent::Serve, Intent::Dev, Intent::Make, Intent::Migrate, Intent::Write, Intent::Read];
        let making: Vec<Intent> = all.into_iter().filter(|intent| intent.makes()).collect();
        assert_eq!(making, [Intent::Serve, Intent::Dev, Intent::Make]);
        assert!(all.iter().all(|intent| !intent.migrates() || *intent != Intent::Read));
    }
}
