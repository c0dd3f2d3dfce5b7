//! Everything a server or a command needs, put together: folder, database, keys, engine.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use domain::{Keyring, Policy};
use engine::chance::SystemChance;
use engine::{Chance, Clock, Engine, Marked, Parts, Settings, TrustedTime, keys};
use store::{OpenError, SqliteOptions, Store};
use tokio::sync::watch;

use crate::config::{self, Config};
use crate::database::Database;
use crate::folder::Folder;
use crate::installation::{self, Opened};
use crate::{place, terminal};

/// An engine over a data folder.
pub struct House {
    /// The use cases.
    pub engine: Arc<Engine>,
    /// The folder it lives in.
    pub folder: Folder,
    /// Turns true when the database can no longer be trusted to keep what it is told: the process must end (SEC 78).
    pub failed: watch::Receiver<bool>,
    /// Keeps others from settling in at the same moment.
    settling: Option<std::fs::File>,
}

/// What differs between a server, a dev world and a test.
pub struct Fittings {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub chance: Arc<dyn Chance>,
    /// The rules in force.
    pub policy: Policy,
    /// The last hops that work.
    pub channels: Vec<Arc<dyn delivery::Channel>>,
}

impl Fittings {
    /// A server on its own: real time, real chance, and no last hop configured yet.
    pub fn plain(config: &Config) -> Self {
        Self {
            clock: Arc::new(engine::clock::SystemClock),
            chance: Arc::new(SystemChance),
            policy: Policy {
                issuer: config.issuer().to_owned(),
                sign_in: config.sign_in,
                sends: config.sends,
                countries: config.countries.clone(),
                ..Policy::default()
            },
            channels: Vec::new(),
        }
    }
}

/// Why a house could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Another process has the database: a running server, most likely.
    #[error("another process is using this data folder")]
    Occupied,
    /// Anything else.
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

/// Opens the database that is configured: `folder`'s own, or a server's.
pub(crate) async fn open_store(config: &Config, folder: &Folder) -> Result<(Store, watch::Receiver<bool>), BuildError> {
    match &config.database {
        Database::Sqlite => open_sqlite(folder),
        Database::Postgres(postgres) => {
            let store = Store::open_postgres(postgres.url(), postgres.options()).await;
            let store = store.with_context(|| format!("cannot open the database {}", postgres.shown()))?;
            // A server database that fails is waited for; only a broken disk of our own ends the process.
            let (fail, failed) = watch::channel(false);
            tokio::spawn(async move { fail.closed().await });
            Ok((store, failed))
        }
    }
}

fn open_sqlite(folder: &Folder) -> Result<(Store, watch::Receiver<bool>), BuildError> {
    let (fail, failed) = watch::channel(false);
    let fatal: store::Fatal = Arc::new(move |reason: &str| {
        tracing::error!(reason, "the database can no longer be trusted to keep what it is told; stopping");
        let _ = fail.send(true);
    });
    let options = SqliteOptions { fatal: Some(fatal), ..SqliteOptions::default() };
    match Store::open_sqlite(&folder.db(), options) {
        Ok(store) => Ok((store, failed)),
        Err(OpenError::Locked) => Err(BuildError::Occupied),
        Err(OpenError::Io(error)) => {
            Err(BuildError::Other(anyhow::anyhow!(place::advice(&folder.db(), &error, "--data-dir"))))
        }
        Err(error) => Err(BuildError::Other(
            anyhow::Error::new(error).context(format!("cannot open the database in {}", folder.db().display())),
        )),
    }
}

/// The variable that holds master keys themselves.
const MASTER_KEY: &str = "COUNTERSIGN_MASTER_KEY";

/// Where the master keys are.
enum KeyPlace {
    /// In a variable.
    Variable(zeroize::Zeroizing<String>),
    /// In a secret that an orchestrator mounts: none is made up in its place.
    Mounted(PathBuf),
    /// In a file, which is made at the first start.
    File(PathBuf),
}

impl KeyPlace {
    fn of(config: &Config, folder: &Folder) -> anyhow::Result<Self> {
        Ok(match (config::variable(MASTER_KEY)?, &config.master_key_file) {
            (Some(text), _) => Self::Variable(text.into()),
            (None, Some(file)) if config.master_key_mounted => Self::Mounted(file.clone()),
            (None, file) => Self::File(file.clone().unwrap_or_else(|| folder.key_file())),
        })
    }
}

/// Whether a server that starts would find its master keys, and whether they are those of `key_check`. Changes nothing.
pub(crate) fn check_keys(config: &Config, key_check: Option<Vec<u8>>) -> anyhow::Result<()> {
    let folder = Folder::at(&config.data_dir);
    let keys = match KeyPlace::of(config, &folder)? {
        KeyPlace::Variable(text) => keys::parse(&text, MASTER_KEY)?,
        KeyPlace::File(file) if !file.exists() => {
            // The data folder's own place is made with it.
            let is_own = file == folder.key_file();
            let file = std::path::absolute(file)?;
            if key_check.is_some() {
                return Err(keys::KeyError::Missing(file.display().to_string()).into());
            }
            return match file.parent().filter(|_| !is_own) {
                Some(parent) if !parent.is_dir() => Err(anyhow::anyhow!(
                    "the master key cannot be made in {}: make that folder, or name another file with --master-key-file",
                    parent.display()
                )),
                Some(parent) => place::check(parent, "--master-key-file").map_err(anyhow::Error::msg),
                None => Ok(()),
            };
        }
        KeyPlace::Mounted(file) | KeyPlace::File(file) => keys::read(&file)?,
    };
    key_check.map_or(Ok(()), |key_check| Ok(keys::fit(&keys, key_check)?))
}

/// Makes what an earlier version has left to be made, and shows how far it is. The installation's own key is of real chance
/// also where a world repeats itself: nothing that is made with it is ever shown.
async fn mark_secrets(keys: &Keyring, store: &Store) -> Result<Marked, keys::KeyError> {
    let mut bar = None;
    let marked = Marked::settle(keys, store, &SystemChance, |done, all| {
        bar.get_or_insert_with(|| terminal::progress("Marking secrets", all)).reach(done);
    });
    let marked = marked.await;
    if let Some(bar) = bar {
        bar.finish();
    }
    marked
}

impl House {
    /// Builds the engine over an opened installation. Others that start on it wait until [`House::settled`].
    pub async fn build(config: &Config, opened: Opened, fittings: Fittings) -> anyhow::Result<Self> {
        let Opened { folder, store, failed, writes, world, settling } = opened;
        if let Some(world) = world {
            installation::claim(&store, world, config, &folder).await?;
        }
        let keys = match KeyPlace::of(config, &folder)? {
            KeyPlace::Variable(text) => keys::parse(&text, MASTER_KEY)?,
            KeyPlace::Mounted(file) => {
                let text = zeroize::Zeroizing::new(config::text_of(&file)?);
                keys::protect(&file)?;
                keys::parse(&text, &file.display().to_string())?
            }
            KeyPlace::File(file) => keys::load_or_create(&file, &store, &*fittings.chance).await?,
        };
        keys::check(&keys, &store, &*fittings.chance).await.context("the keys do not fit the database")?;
        let marked = if writes {
            mark_secrets(&keys, &store).await?
        } else {
            Marked::for_reading(&keys, &store, &SystemChance).await?
        };
        let settings = Settings {
            subdomain: config.subdomain.clone(),
            account_id: config.account_id,
            public_url: config.public_url.clone(),
            policy: fittings.policy,
            trusted_networks: config.trusted_networks.clone(),
            private_webhooks: config.webhooks.allow_private,
            held: config.held(),
        };
        let caller = delivery::webhook::Caller::new(config.webhooks.ca_file.as_deref());
        let engine = Engine::new(Parts {
            time: TrustedTime::start(&store, fittings.clock).await?,
            store,
            keys,
            marked,
            chance: fittings.chance,
            settings,
            channels: fittings.channels,
            caller: caller.context("webhooks.ca_file")?,
        });
        Ok(Self { engine: Arc::new(engine), folder, failed, settling })
    }

    /// Whatever is planted at a first start is there: others may go on.
    pub fn settled(&mut self) {
        self.settling = None;
    }

    /// Finishes what waits and lets go of the database.
    pub async fn close(&self) {
        self.engine.keep_time().await;
        self.engine.store().clone().close().await;
    }

    /// The dialect over this engine.
    pub fn app(&self, options: &onelogin::DialectOptions) -> onelogin::Dialect {
        onelogin::Dialect::new(self.engine.clone(), options.clone())
    }
}
