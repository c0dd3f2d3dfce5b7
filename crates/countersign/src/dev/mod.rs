//! `countersign dev`: the production server with a whole MFA world around it.
//!
//! It decides, stores and sends with the code of `serve`. Only the last hop is simulated: gateways write into an outbox that
//! everyone on this machine can read, and a phone holds real keys and signs. `serve` has none of these endpoints.

mod guard;
mod outbox;
mod phone;
mod planting;
mod problem;
mod provider;
mod routes;
mod seed;
mod start;

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use anyhow::{Context as _, bail};
use axum::Router;
use config::Config;
use domain::{Countries, FactorKind, Policy};
use engine::chance::SystemChance;
use engine::clock::MovableClock;
use engine::{Chance, Clock, Engine};
use store::{DevClock, Store};
use tokio::sync::Notify;
use tracing::Dispatch;
use tracing::instrument::WithSubscriber as _;
use web::door::Door;

use crate::admin;
use crate::cli::request::Noun;
use crate::installation::{self, Dependencies, Installation, Intent, OpenedDatabase};
use crate::ready::ReadyFile;
use crate::signals::{SignalAction, Signals};
use crate::{banner, serve as server, terminal};

pub use guard::Guard;
pub use planting::Pinned;
pub use seed::{DevClient, DevUser, Seed};

/// The options of `countersign dev` beyond the configuration.
#[derive(Debug, Clone)]
pub struct DevOptions {
    /// Whether the world is kept in its folder; otherwise it lives in a temporary one.
    pub lasting: bool,
    /// Whether messages are limited as in a server; otherwise limits are off.
    pub message_limits: bool,
    /// Host names for other machines.
    pub hosts: Vec<String>,
    /// Values that are given instead of drawn.
    pub pinned: Pinned,
}

/// A dev world that can answer requests.
pub struct DevWorld {
    /// The server inside.
    pub installation: Installation,
    /// The clock, which tests move.
    pub clock: Arc<MovableClock>,
    /// The credentials in clear.
    pub seed: Seed,
    chance: Arc<dyn Chance>,
    planting: Arc<planting::PlantingChance>,
    phone: phone::Phone,
    arrivals: Arc<Notify>,
    /// The base URL, once it listens.
    base_url: OnceLock<String>,
}

impl DevWorld {
    /// Builds a world over an opened database, and seeds a new one.
    pub async fn build(
        config: &Config,
        opened: OpenedDatabase,
        (message_limits, pinned): (bool, &Pinned),
        clock: Arc<MovableClock>,
        chance: Arc<dyn Chance>,
    ) -> anyhow::Result<Self> {
        let chance: Arc<planting::PlantingChance> = Arc::new(planting::PlantingChance::new(chance));
        let store = opened.store.clone();
        let arrivals = Arc::new(Notify::new());
        let provider = Arc::new(provider::DevProvider::new(store.clone(), arrivals.clone()));
        let config = &configured(config.clone());
        let dependencies = Dependencies {
            clock: clock.clone(),
            chance: chance.clone(),
            policy: Policy {
                factors: FactorKind::ALL.to_vec(),
                // Nothing leaves this machine, so every country is fine.
                countries: if config.messages.countries.is_empty() {
                    Countries::all()
                } else {
                    config.messages.countries.clone()
                },
                message_limits,
                sends: config.limits.sends,
                sign_in: config.login.policy,
                issuer: config.account.issuer().to_owned(),
            },
            providers: vec![provider],
        };
        let mut installation = Installation::build(config, opened, dependencies).await?;
        // `build` has made sure that the database belongs to a dev world.
        store.dev_prepare().await?;
        let stands = store.dev_clock().await?;
        // A test may have stopped the clock. Only a stored change overrides that.
        if stands != DevClock::default() {
            turn(&clock, stands);
        }
        chance.repeat(pinned.seed);
        let planting = seed::load_or_plant(&installation.engine, &installation.data_dir, &*chance, pinned);
        let seed = unlogged(planting).await?;
        chance.repeat(None);
        // Several nodes may start one world at once: the first seeds it, the others find it.
        installation.release_start_lock();
        let phone = phone::Phone::load(&installation.data_dir)?;
        Ok(Self {
            installation,
            clock,
            seed,
            chance: chance.clone(),
            planting: chance,
            phone,
            arrivals,
            base_url: OnceLock::new(),
        })
    }

    /// Adds a client for each profile.
    async fn with_profiles(mut self, pinned: &Pinned) -> anyhow::Result<Self> {
        // With the world's number, the same ids would be drawn again.
        const OTHER: u64 = 1 << 63;
        let start_lock = self.installation.data_dir.lock_start().await?;
        self.planting.repeat(pinned.seed.map(|seed| seed ^ OTHER));
        let planting =
            seed::with_profiles(&self.installation.engine, &self.installation.data_dir, self.seed, pinned.hold);
        self.seed = unlogged(planting).await?;
        self.planting.repeat(None);
        drop(start_lock);
        Ok(self)
    }

    /// The OneLogin dialect over this world.
    pub fn app(&self, config: &Config) -> onelogin::Dialect {
        self.installation.app(&configured(config.clone()).dialect)
    }

    /// The OneLogin dialect for a listener.
    pub fn dialect(&self, config: &Config) -> Arc<dyn Door> {
        onelogin::door(self.app(config))
    }

    /// The dev endpoints, behind a guard.
    pub fn routes(self: &Arc<Self>, guard: Guard) -> Router {
        routes::routes(self.clone(), guard)
    }

    /// Sets this node's clock.
    fn turn(&self, clock: DevClock) {
        turn(&self.clock, clock);
    }

    /// The use cases.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.installation.engine
    }

    /// Moves the clock whenever another node of this world has moved it.
    async fn follow_clock(&self) {
        const LOOK: i64 = 100;
        loop {
            engine::clock::SystemClock.sleep(LOOK).await;
            let here = || DevClock { offset: self.clock.offset(), frozen: self.clock.frozen() };
            let before = here();
            let Ok(clock) = self.store().dev_clock().await else { continue };
            // If it was moved here meanwhile, what was read may be older.
            if here() == before {
                self.turn(clock);
            }
        }
    }

    fn store(&self) -> &Store {
        self.installation.engine.store()
    }

    fn now(&self) -> domain::Timestamp {
        self.clock.now()
    }
}

/// Seeds without log lines: the banner shows the result, and the audit trail has every step.
async fn unlogged<T>(planting: impl Future<Output = T>) -> T {
    let planted = planting.with_subscriber(Dispatch::none()).await;
    // Without this, call sites that were reached for the first time just now would stay off.
    tracing::callsite::rebuild_interest_cache();
    planted
}

fn turn(clock: &MovableClock, stands: DevClock) {
    clock.set(stands.offset, stands.frozen);
}

/// The defaults of a dev world: its account, no limits on calls, and webhooks to receivers on this machine. Configured values
/// stay.
fn configured(mut config: Config) -> Config {
    let is_named = |key| config.named.contains(&key);
    let (subdomain, account) = (is_named("subdomain"), is_named("account_id"));
    let (quota, private) = (is_named("limits.calls_per_hour"), is_named("webhooks.allow_private"));
    let rate = ["limits.bursts", "limits.calls_per_second", "limits.calls_burst"].into_iter().any(is_named);
    if !subdomain {
        seed::SUBDOMAIN.clone_into(&mut config.account.subdomain);
    }
    if !account {
        config.account.account_id = seed::ACCOUNT_ID;
    }
    if !quota {
        config.dialect.hourly_quota = 0;
    }
    config.dialect.burst_limit &= rate;
    config.dialect.tell_refusals = true;
    config.webhooks.allow_private |= !private;
    config
}

/// The guard of the dev endpoints. Other machines need the key of `COUNTERSIGN_DEV_KEY`, or a random one.
fn guard(config: &Config, options: &DevOptions) -> anyhow::Result<Guard> {
    let tls = !config.tls.certificates.is_empty();
    if options.hosts.is_empty() {
        return Ok(Guard::local(tls));
    }
    let key = match config::variable("COUNTERSIGN_DEV_KEY")? {
        Some(key) => key.trim().to_owned(),
        None => (&SystemChance as &dyn Chance).hex::<16>(),
    };
    Guard::open(tls, options.hosts.clone(), key).context("the variable COUNTERSIGN_DEV_KEY")
}

/// Runs `countersign dev`.
pub(crate) async fn serve(mut config: Config, options: DevOptions, nouns: &'static [Noun]) -> anyhow::Result<ExitCode> {
    if !config.listen.address.ip().is_loopback() && options.hosts.is_empty() {
        bail!(
            "a dev world shows every code to every caller, so it listens on loopback only: use --listen 127.0.0.1:PORT. To serve \
             other machines, give its host name there, with --dev-host NAME; requests then need a key"
        );
    }
    let guard = guard(&config, &options)?;
    if config.storage.database.postgres().is_some() && !options.lasting {
        bail!("a dev world in PostgreSQL outlives this process, and so must its key: name a folder with --data-dir");
    }
    config.admin.listen.get_or_insert(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    // Kept until the end: dropping it removes the folder.
    let temporary = if options.lasting {
        None
    } else {
        let folder = tempfile::Builder::new().prefix("countersign-dev-").tempdir();
        Some(folder.context("cannot make a temporary folder; name one with --data-dir")?)
    };
    if let Some(temporary) = &temporary {
        config.storage.data_dir = temporary.path().to_owned();
    }
    // Handle signals now, so that none leaves the temporary folder behind.
    let signals = Signals::hear(SignalAction::End)?;
    let mut ready_file = ReadyFile::of(config.listen.ready_file.clone())?;
    let opened = installation::open(&config, Intent::Dev).await.map_err(server::occupied)?;
    let clock = Arc::new(MovableClock::default());
    let world =
        DevWorld::build(&config, opened, (options.message_limits, &options.pinned), clock, Arc::new(SystemChance))
            .await?;
    let world = Arc::new(world.with_profiles(&options.pinned).await?);
    let listener = server::listen(&config).await?;
    let base_url = server::base_url(&listener, &config)?;
    let admin = admin::listen(&config).await?.context("a dev world has an admin listener")?;
    let admin_url = admin.url()?;
    let _ = world.base_url.set(base_url.clone());
    let (app, rest) = (world.app(&config), world.routes(guard.clone()));
    if config.storage.database.postgres().is_some() {
        let world = world.clone();
        tokio::spawn(async move { world.follow_clock().await });
    }
    let announce = async {
        let client = world.seed.clients.first().context("a dev world has clients")?;
        let user = world.seed.users.first().context("a dev world has users")?;
        let who = format!("{} (id {}, password {})", user.username, user.id, user.password);
        let text = banner::dev(&banner::DevBanner {
            base_url: &base_url,
            folder: &world.installation.data_dir,
            database: &config.storage.database,
            lasting: options.lasting,
            client_id: &client.client_id,
            secret: &client.client_secret,
            user: &who,
            key: guard.key(),
            hosts: &options.hosts,
            colours: terminal::shows_colours(),
        });
        terminal::remark(&text);
        ready_file.write(&world.seed.ready(&base_url, &admin_url, guard.key(), world.engine().settings()))
    };
    let signals = (signals, &server::Never as &dyn server::Reload);
    let entries = server::Entries { listener, admin: Some(admin), app, rest, nouns };
    server::run(&config, &world.installation, entries, signals, announce).await
}
