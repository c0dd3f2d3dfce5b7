//! An installation: data folder, database, master keys and the engine over them.

pub mod data_dir;
pub(crate) mod disk;
pub(crate) mod master_key;
mod nearby;
mod open;
mod open_store;
pub(crate) mod prices;
pub(crate) mod providers;

use std::sync::Arc;

use anyhow::Context as _;
use axum::body::Bytes;
use config::Config;
use delivery::Logo;
use domain::{FactorKind, Keyring, Policy};
use engine::chance::SystemChance;
use engine::{Chance, Clock, Engine, EngineParts, InstallationKey, PasswordCost, Settings, TrustedTime, keys};
use pages::Pages;
use store::Store;
use tokio::sync::watch;
use words::{Brand, Words};

use self::data_dir::DataDir;
pub(crate) use self::nearby::absent;
pub(crate) use self::open::{DEV_FILE, look, open_rewriting, serves};
pub use self::open::{Intent, OpenedDatabase, open};
pub use self::open_store::StartError;
use crate::terminal;

/// An engine over a data folder and a database.
pub struct Installation {
    pub(crate) engine: Arc<Engine>,
    /// What people see in a browser.
    pub(crate) pages: Arc<Pages>,
    pub(crate) data_dir: DataDir,
    /// The key with which phones subscribe to push messages, if push goes to the push services of browsers.
    push_key: Option<String>,
    /// Turns true when the database no longer keeps what is written to it. The process must end then (SEC 78).
    pub(crate) failed: watch::Receiver<bool>,
    /// Keeps other processes from a first start at the same moment.
    start_lock: Option<std::fs::File>,
}

/// What differs between a server, a dev world and a test.
pub struct Dependencies {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) chance: Arc<dyn Chance>,
    pub(crate) policy: Policy,
    /// What carries messages to people.
    pub(crate) routes: delivery::Routes,
    pub(crate) password_cost: PasswordCost,
}

impl Dependencies {
    /// Real time, real randomness, and the configured providers, none of them opened yet.
    pub fn plain(config: &Config) -> anyhow::Result<Self> {
        Ok(Self {
            clock: Arc::new(engine::clock::SystemClock),
            chance: Arc::new(SystemChance),
            policy: Policy {
                // Those whose channel has no route fall away.
                factors: FactorKind::ALL.to_vec(),
                issuer: config.account.issuer().to_owned(),
                sign_in: config.login.policy,
                sends: config.limits.sends,
                caps: config.messages.caps,
                breaker: config.messages.breaker,
                countries: config.messages.countries.clone(),
                ..Policy::default()
            },
            routes: providers::configured(config)?,
            password_cost: PasswordCost::Full,
        })
    }
}

impl Installation {
    /// Builds the engine over an opened database. Other processes that start on it wait for
    /// [`Installation::release_start_lock`].
    pub async fn build(config: &Config, opened: OpenedDatabase, dependencies: Dependencies) -> anyhow::Result<Self> {
        let OpenedDatabase { data_dir, store, failed, writes, world, start_lock } = opened;
        if let Some(world) = world {
            open::claim(&store, world, config, &data_dir).await?;
        }
        let keys = master_key::load(config, &data_dir, &store, &*dependencies.chance).await?;
        keys::check(&keys, &store, &*dependencies.chance).await.context("the keys do not fit the database")?;
        let installation_key = if writes {
            mark_secrets(&keys, &store).await?
        } else {
            InstallationKey::for_reading(&keys, &store, &SystemChance).await?
        };
        let push_key = push_key(&keys, &store, &dependencies.routes, writes).await?;
        let prices = prices::configured(config)?;
        if dependencies.policy.message_limits {
            prices::check(dependencies.policy.caps, prices.as_ref(), &dependencies.routes)?;
        }
        let settings = Settings {
            account: config.account.subdomain.clone(),
            account_id: config.account.account_id,
            public_url: config.account.public_url.clone(),
            email_mode: config.email.mode,
            policy: dependencies.policy,
            trusted_networks: config.login.trusted_networks.clone(),
            private_webhooks: config.webhooks.allow_private,
            held: config.limits.held(),
            prices: prices.map(Arc::new),
        };
        let words = Arc::new(words_of(config)?);
        let logo = providers::logo(config)?.map(|logo| Bytes::copy_from_slice(logo.bytes()));
        let pages = Arc::new(Pages::new(words.brand(), logo, public_path(config)));
        let caller = delivery::webhook::Caller::new(config.webhooks.ca_file.as_deref());
        let engine = Engine::new(EngineParts {
            time: TrustedTime::start(&store, dependencies.clock).await?,
            store,
            keys,
            installation_key,
            chance: dependencies.chance,
            settings,
            words,
            routes: dependencies.routes,
            caller: caller.context("webhooks.ca_file")?,
            password_cost: dependencies.password_cost,
        });
        Ok(Self { engine: Arc::new(engine), pages, data_dir, push_key, failed, start_lock })
    }

    /// Lets other processes start on this installation. To be called when everything a first start creates exists.
    pub fn release_start_lock(&mut self) {
        self.start_lock = None;
    }

    /// The public key with which a phone's browser subscribes to push messages (`applicationServerKey`): an uncompressed point
    /// in base64url. `None` where push does not go to the push services of browsers.
    pub fn push_key(&self) -> Option<&str> {
        self.push_key.as_deref()
    }

    /// Writes what is pending and closes the database.
    pub async fn close(&self) {
        self.engine.keep_time().await;
        self.engine.store().clone().close().await;
    }

    /// The dialect over this engine.
    pub fn app(&self, options: &onelogin::DialectOptions) -> onelogin::Dialect {
        let options = onelogin::DialectOptions { follow: crate::log::FOLLOW, ..options.clone() };
        onelogin::Dialect::new(self.engine.clone(), options)
    }
}

/// The path of the address that people reach, where a proxy shows this server below its root.
fn public_path(config: &Config) -> &str {
    let rest = config.account.public_url.as_deref().and_then(|url| url.split_once("://")).map_or("", |(_, rest)| rest);
    rest.find('/').map_or("", |at| &rest[at..])
}

/// How the sender of mail and pages presents itself.
fn brand_of(config: &Config) -> Brand {
    Brand {
        name: config.brand.name.clone().unwrap_or_else(|| config.account.issuer().to_owned()),
        color: config.brand.color.clone(),
        // Only mail that goes out over SMTP carries the picture.
        logo: config.brand.logo.as_ref().and(config.smtp.0.as_ref()).map_or_else(String::new, |_| Logo::URL.to_owned()),
    }
}

/// What messages say. An operator's templates are read and tried.
pub(crate) fn words_of(config: &Config) -> anyhow::Result<Words> {
    let brand = brand_of(config);
    let language = &config.messages.language;
    let words = match &config.messages.templates {
        Some(folder) => Words::with_templates(brand, language, folder).context("messages.templates")?,
        None => Words::new(brand, language),
    };
    if let Some((language, length)) = words.too_long() {
        anyhow::bail!(
            "brand.name: with this name, the text message in \"{language}\" has {length} characters, and 160 are allowed; \
             choose a shorter name, or write a template without it"
        );
    }
    Ok(words)
}

/// Gives the route of push messages the key pair that it signs with, and says what its public half is. The pair is sealed anew
/// with a new master key even while there is no such route.
async fn push_key(
    keys: &Keyring,
    store: &Store,
    routes: &delivery::Routes,
    writes: bool,
) -> Result<Option<String>, keys::KeyError> {
    let slot = routes.providers().find_map(|provider| provider.vapid());
    let key = if writes {
        keys::push_key::prepare(keys, store, &SystemChance, slot.is_some()).await?
    } else {
        keys::push_key::for_reading(keys, store).await?
    };
    Ok(slot.zip(key).map(|(slot, key)| {
        let public = key.public().to_owned();
        slot.put(key);
        public
    }))
}

/// Marks the secrets that an earlier version stored without a mark, and shows the progress. It draws real randomness even
/// in a repeatable dev world: nothing made with it is ever shown.
async fn mark_secrets(keys: &Keyring, store: &Store) -> Result<InstallationKey, keys::KeyError> {
    let mut bar = None;
    let installation_key = InstallationKey::prepare(keys, store, &SystemChance, |done, all| {
        bar.get_or_insert_with(|| terminal::progress("Marking secrets", all)).reach(done);
    });
    let installation_key = installation_key.await;
    if let Some(bar) = bar {
        bar.finish();
    }
    installation_key
}
