//! `countersign dev`: the production server with a whole MFA world around it.
//!
//! Everything that decides, stores and sends is what `serve` runs. Simulated is only the last hop: gateways that write
//! into an outbox anybody on this machine can read, and a phone that holds real keys and really signs. These rooms do
//! not exist in `serve`.

mod channel;
mod guard;
mod outbox;
mod phone;
mod routes;
mod seed;

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use axum::Router;
use domain::{Channel, FactorKind, Policy};
use engine::chance::SystemChance;
use engine::clock::MovableClock;
use engine::{Chance, Clock, Engine};
use store::Store;
use tokio::sync::Notify;
use web::door::Door;

use crate::admin;
use crate::config::Config;
use crate::house::{Fittings, House};
use crate::installation::{self, Intent, Opened};
use crate::{banner, ready, serve as server, terminal};

pub use seed::{DevClient, DevUser, Seed};

/// What `countersign dev` is asked for beyond the configuration.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whether the world is kept in its folder; otherwise it lives in a temporary one.
    pub lasting: bool,
    /// Whether the limits on messages are the shipped ones; otherwise they are off.
    pub message_limits: bool,
}

/// A dev world, ready to answer.
pub struct World {
    /// The server's own parts.
    pub house: House,
    /// Its clock, which tests move.
    pub clock: Arc<MovableClock>,
    /// Its credentials in clear.
    pub seed: Seed,
    chance: Arc<dyn Chance>,
    phone: phone::Phone,
    arrivals: Arc<Notify>,
}

impl World {
    /// Builds a world over an opened database, seeding it the first time.
    pub async fn build(
        config: &Config,
        opened: Opened,
        message_limits: bool,
        clock: Arc<MovableClock>,
        chance: Arc<dyn Chance>,
    ) -> anyhow::Result<Self> {
        let store = opened.store.clone();
        let arrivals = Arc::new(Notify::new());
        let channels = Channel::ALL
            .into_iter()
            .map(|kind| {
                Arc::new(channel::DevChannel::new(kind, store.clone(), arrivals.clone())) as Arc<dyn delivery::Channel>
            })
            .collect();
        let fittings = Fittings {
            clock: clock.clone(),
            chance: chance.clone(),
            policy: Policy {
                factors: FactorKind::ALL.to_vec(),
                country_prefixes: vec!["+1".to_owned()],
                message_limits,
                sends: config.sends,
                sign_in: config.sign_in,
                issuer: config.issuer.clone().unwrap_or_else(|| seed::SUBDOMAIN.to_owned()),
            },
            channels,
        };
        let config = configured(config.clone());
        let mut house = House::build(&config, opened, fittings).await?;
        // Only now is it sure that the database is a dev world's.
        store.dev_prepare().await?;
        clock.set_offset(store.dev_clock_offset().await?);
        let seed = seed::load_or_plant(&house.engine, &house.folder, &*chance).await?;
        // Several nodes may begin one world at once: the first has planted it, the others find it.
        house.settled();
        let phone = phone::Phone::load(&house.folder)?;
        Ok(Self { house, clock, seed, chance, phone, arrivals })
    }

    /// The dialect.
    pub fn app(&self, config: &Config) -> onelogin::App {
        self.house.app(&configured(config.clone()).options)
    }

    /// The dialect, as a door.
    pub fn dialect(&self, config: &Config) -> Arc<dyn Door> {
        onelogin::door(self.app(config))
    }

    /// The dev endpoints.
    pub fn routes(self: &Arc<Self>) -> Router {
        routes::routes(self.clone())
    }

    /// The use cases.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.house.engine
    }

    /// Moves the clock whenever another node of this world has moved it.
    async fn follow_clock(&self) {
        const LOOK: i64 = 100;
        loop {
            engine::clock::SystemClock.sleep(LOOK).await;
            let before = self.clock.offset();
            let Ok(offset) = self.store().dev_clock_offset().await else { continue };
            // Moved here meanwhile: what was read may be older than that.
            if self.clock.offset() == before {
                self.clock.set_offset(offset);
            }
        }
    }

    fn store(&self) -> &Store {
        self.house.engine.store()
    }

    fn now(&self) -> domain::Timestamp {
        self.clock.now()
    }
}

/// What every dev world has in common: the account, and no quota on calls.
fn configured(mut config: Config) -> Config {
    seed::SUBDOMAIN.clone_into(&mut config.subdomain);
    config.account_id = seed::ACCOUNT_ID;
    config.options.hourly_quota = 0;
    config.options.burst_limit = false;
    // Whoever tries webhooks out has the receiver beside it.
    config.webhooks.allow_private = true;
    config
}

/// `countersign dev`.
pub async fn serve(mut config: Config, options: Options) -> anyhow::Result<ExitCode> {
    if !config.listen.ip().is_loopback() {
        bail!(
            "a dev world shows every code to whoever asks, so it listens on loopback only; use --listen 127.0.0.1:PORT"
        );
    }
    if config.database.postgres().is_some() && !options.lasting {
        bail!("a dev world in PostgreSQL outlives this process, and its key must too: name a folder with --data-dir");
    }
    config.admin_listen.get_or_insert(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    // Kept until the end: dropping it removes the folder.
    let temporary = if options.lasting {
        None
    } else {
        let folder = tempfile::Builder::new().prefix("countersign-dev-").tempdir();
        Some(folder.context("cannot make a temporary folder; name one with --data-dir")?)
    };
    if let Some(temporary) = &temporary {
        config.data_dir = temporary.path().to_owned();
    }
    let opened = installation::open(&config, Intent::Dev).await.map_err(server::occupied)?;
    let clock = Arc::new(MovableClock::default());
    let world = World::build(&config, opened, options.message_limits, clock, Arc::new(SystemChance)).await?;
    let world = Arc::new(world);
    let listener = server::listen(&config).await?;
    let base_url = server::base_url(&listener, &config)?;
    let admin = admin::listen(&config).await?.context("a dev world has an admin listener")?;
    let admin_url = format!("http://{}", admin.local_addr()?);
    let entries = (world.app(&config), world.routes());
    if config.database.postgres().is_some() {
        let world = world.clone();
        tokio::spawn(async move { world.follow_clock().await });
    }
    let announce = async {
        let client = world.seed.clients.first().context("a dev world has clients")?;
        let user = world.seed.users.first().context("a dev world has users")?;
        let who = format!("{} (id {}, password {})", user.username, user.id, user.password);
        let text = banner::dev(
            &base_url,
            &world.house.folder,
            &config.database,
            options.lasting,
            &client.client_id,
            &client.client_secret,
            &who,
        );
        terminal::remark(&text);
        match &config.ready_file {
            Some(path) => ready::write(path, &world.seed.ready(&base_url, &admin_url)),
            None => Ok(()),
        }
    };
    server::run(&config, &world.house, (listener, Some(admin)), entries, announce).await
}
