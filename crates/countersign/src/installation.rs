//! What kind of installation is at a place, and whether a command may open it or make one: the one answer for every
//! command. A dev world and an installation that is served never become one (SEC 94), and only what is meant to make an
//! installation makes one (SEC 93).

use std::path::{Path, PathBuf};

use anyhow::bail;
use store::{Known, Looked, Migration, OpenError, Store, World};
use tokio::sync::watch;

use crate::client::ClientCommand;
use crate::command::Command;
use crate::config::{self, Config};
use crate::database::Database;
use crate::folder::Folder;
use crate::house::{self, BuildError};
use crate::place::advice;
use crate::webhook::WebhookCommand;

/// A file that only a dev world has beside its database.
pub(crate) const DEV_FILE: &str = "dev-world.json";

/// What a command wants of an installation. Every command has one; what opens none (`config`, `torture`) needs none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// `serve`.
    Serve,
    /// `dev`.
    Dev,
    /// Adds to an installation of either world, or makes one to serve: `import`, and what is given `--init`.
    Make,
    /// `migrate`.
    Migrate,
    /// Changes what an installation holds.
    Write,
    /// Changes nothing.
    Read,
}

impl Intent {
    /// Whether there may be nothing yet.
    fn makes(self) -> bool {
        matches!(self, Self::Serve | Self::Dev | Self::Make)
    }

    /// Whether it brings an older schema up to date. Others are one of many callers, and a running server of another
    /// version may use the database.
    fn migrates(self) -> bool {
        matches!(self, Self::Serve | Self::Dev | Self::Migrate)
    }

    /// The one world that it opens.
    fn world(self) -> Option<World> {
        match self {
            Self::Serve => Some(World::Serve),
            Self::Dev => Some(World::Dev),
            Self::Make | Self::Migrate | Self::Write | Self::Read => None,
        }
    }
}

impl From<&Command> for Intent {
    fn from(command: &Command) -> Self {
        match command {
            Command::Client(ClientCommand::List | ClientCommand::Show(_))
            | Command::UserList { .. }
            | Command::UserCollisions { .. }
            | Command::UserShow(_)
            | Command::DeviceList(_)
            | Command::AppList
            | Command::Clock { accept: false }
            | Command::Webhook(WebhookCommand::List | WebhookCommand::Deliveries { .. }) => Self::Read,
            Command::Client(
                ClientCommand::Create { .. }
                | ClientCommand::Revoke(_)
                | ClientCommand::Rotate(_)
                | ClientCommand::Set(..),
            )
            | Command::UserCreate(_)
            | Command::UserRename { .. }
            | Command::UserSetPassword { .. }
            | Command::UserToken { .. }
            | Command::UserTokenRevoke(_)
            | Command::UserUnlock(_)
            | Command::UserDelete(_)
            | Command::UserMfa { .. }
            | Command::DeviceDisable { .. }
            | Command::DeviceDelete { .. }
            | Command::AppCreate { .. }
            | Command::AppDelete(_)
            | Command::AppRotateKey
            | Command::Clock { accept: true }
            | Command::Webhook(
                WebhookCommand::Create { .. }
                | WebhookCommand::Delete { .. }
                | WebhookCommand::Enable { .. }
                | WebhookCommand::Rotate { .. }
                | WebhookCommand::Replay { .. }
                | WebhookCommand::ReplaySince { .. }
                | WebhookCommand::Test { .. },
            ) => Self::Write,
        }
    }
}

/// An opened installation.
pub struct Opened {
    /// Its folder.
    pub folder: Folder,
    /// Its database.
    pub store: Store,
    /// Turns true when the database can no longer be trusted to keep what it is told.
    pub failed: watch::Receiver<bool>,
    /// Whether it is opened to be changed.
    pub(crate) writes: bool,
    /// The world it must be of.
    pub(crate) world: Option<World>,
    /// Keeps others from making themselves at home at the same moment.
    pub(crate) settling: Option<std::fs::File>,
}

/// Opens what is configured as this intent may, or makes it. Nothing is changed before it is clear that it may.
pub async fn open(config: &Config, intent: Intent) -> Result<Opened, BuildError> {
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
            place(config)
        )
        .into());
    }
    let (folder, settling) = if intent.makes() {
        let folder = Folder::make(&config.data_dir)?;
        let settling = folder.settle_in().await?;
        (folder, Some(settling))
    } else {
        (Folder::at(&config.data_dir), None)
    };
    let (store, failed) = house::open_store(config, &folder).await?;
    tell(intent, &found.pending);
    // What `import` and `--init` make is there to be served.
    let new = (!found.is_sealed() && intent.makes()).then_some(World::Serve);
    let writes = intent != Intent::Read;
    Ok(Opened { folder, store, failed, writes, world: intent.world().or(new), settling })
}

/// Says what opening did to the schema. A dev world begins with its banner.
fn tell(intent: Intent, run: &[Migration]) {
    let (Some(first), Some(last)) = (run.first(), run.last()) else { return };
    if first.version > 1 {
        tracing::info!("schema {} → {}", first.version - 1, last.version);
    } else if intent == Intent::Serve {
        tracing::info!("database made (schema {})", last.version);
    }
}

/// Looks at what is configured. Changes nothing, and leaves nothing behind.
pub(crate) async fn look(config: &Config) -> anyhow::Result<Looked> {
    let looked = match &config.database {
        Database::Sqlite => {
            let folder = Folder::at(&config.data_dir);
            Store::look_sqlite(&folder.db(), has_traces(config, &folder))
        }
        Database::Postgres(postgres) => Store::look_postgres(postgres.url(), postgres.options()).await,
    };
    looked.map_err(|error| match error {
        OpenError::Io(error) => anyhow::anyhow!(advice(&config.data_dir.join("db"), &error, "--data-dir")),
        error => anyhow::Error::new(error).context(format!("cannot open {}", place(config))),
    })
}

/// Where the installation is, for people.
pub(crate) fn place(config: &Config) -> String {
    match &config.database {
        Database::Sqlite => format!("the database in {}", config.data_dir.display()),
        Database::Postgres(postgres) => format!("the database {}", postgres.shown()),
    }
}

/// Marks a database that has no mark yet. One of the other world is refused once more, since another process may have
/// marked it at the same moment.
pub(crate) async fn claim(store: &Store, world: World, config: &Config, folder: &Folder) -> anyhow::Result<()> {
    let known = store.world(has_traces(config, folder)).await?;
    judge(known, world)?;
    if matches!(known, Known::Marked(_)) {
        return Ok(());
    }
    judge(Known::Marked(store.mark_world(world).await?), world)?;
    if matches!(known, Known::Unmarked(_)) {
        tracing::info!(
            world = world.name(),
            "this installation is marked from now on, and the other command refuses it"
        );
    }
    Ok(())
}

/// Whether a dev world's file lies in the folder of the database. A server's database is a dev world by its own tables
/// only, since folders can be combined with any database.
fn has_traces(config: &Config, folder: &Folder) -> bool {
    matches!(config.database, Database::Sqlite) && folder.file(DEV_FILE).exists()
}

/// Whether `serve` would take what was found.
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
                "this installation is a dev world, whose credentials lie in clear beside it; production needs its own: \
                 --data-dir DIR (empty), and no database of another installation"
            )
        }
        _ => Ok(()),
    }
}

/// Says that nothing is here, where it may be, and what makes one.
pub(crate) fn absent(config: &Config) -> anyhow::Error {
    match &config.database {
        Database::Postgres(postgres) => anyhow::anyhow!(
            "there is no installation in {}; name another database with --database-url. To make one here, start `countersign \
             serve` on it, or give `client create` or `user create` --init",
            postgres.shown()
        ),
        Database::Sqlite => {
            let dir = config.data_dir.display();
            match nearby(&config.data_dir) {
                Some(other) => anyhow::anyhow!(
                    "there is no installation in {dir}; did you mean --data-dir {}? To make one here, start \
                     `countersign serve` on it, or give `client create` or `user create` --init",
                    other.display()
                ),
                None => anyhow::anyhow!(
                    "there is no installation in {dir}; name its folder with --data-dir. To make one here, start \
                     `countersign serve` on it, or give `client create` or `user create` --init"
                ),
            }
        }
    }
}

/// An installation that may have been meant: around the place that was named, under a similar name beside it, or where
/// installations usually are.
fn nearby(dir: &Path) -> Option<PathBuf> {
    let inside = ["data", "countersign"].map(|name| dir.join(name));
    let around = dir.parent().filter(|parent| !parent.as_os_str().is_empty()).map(Path::to_owned);
    let usual = [crate::folder::default_root(), PathBuf::from("/var/lib/countersign"), PathBuf::from("data")];
    let first = around.into_iter().chain(inside).find(|place| is_one(place));
    first.or_else(|| beside(dir)).or_else(|| usual.into_iter().find(|place| is_one(place)))
}

/// The installation beside `dir` whose name is nearest to its name, if it is near.
fn beside(dir: &Path) -> Option<PathBuf> {
    let name = dir.file_name()?.to_str()?;
    let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let others = std::fs::read_dir(parent).ok()?.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let near = others.map(|other| (config::distance(name, &other), other));
    let near = near
        .filter(|(distance, other)| *distance > 0 && *distance <= 2 + name.len() / 4 && is_one(&parent.join(other)));
    near.min().map(|(_, other)| parent.join(other))
}

fn is_one(place: &Path) -> bool {
    place.join("db").join("countersign.db").is_file()
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

    #[test]
    fn what_may_have_been_meant_is_found() {
        let home = tempfile::tempdir().unwrap();
        let made = home.path().join("countersign-prod");
        std::fs::create_dir_all(made.join("db")).unwrap();
        assert_eq!(beside(&home.path().join("countersign-prd")), None, "a folder of another kind");
        std::fs::write(made.join("db/countersign.db"), "").unwrap();
        assert_eq!(nearby(&home.path().join("countersign-prd")).as_deref(), Some(made.as_path()));
        assert_eq!(nearby(&made.join("db")).as_deref(), Some(made.as_path()));
    }
}
