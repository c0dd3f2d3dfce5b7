//! `countersign dev`: the production server with a whole MFA world around it.
//!
//! It decides, stores and sends with the code of `serve`. Only the last hop is simulated: gateways write into an outbox that
//! everyone on this machine can read, and a phone holds real keys and signs. `serve` has none of these endpoints.

mod authenticator;
mod chance;
mod clock_endpoint;
mod faults;
mod faults_endpoint;
mod gallery;
mod guard;
mod outbox;
mod phone;
mod phone_calls;
mod problem;
mod prompts;
mod provider;
mod recipients;
mod requests;
mod requests_endpoint;
mod routes;
mod seed;
mod start;
mod world;
mod world_file;

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use config::Config;
use engine::Chance;
use engine::chance::SystemChance;
use engine::clock::MovableClock;

use crate::admin;
use crate::cli::request::Noun;
use crate::installation::{self, Intent};
use crate::ready::ReadyFile;
use crate::signals::{SignalAction, Signals};
use crate::{banner, serve as server, service, terminal};

pub use guard::Guard;
pub use seed::{DevClient, DevUser, Seed};
pub use world::DevWorld;
pub(crate) use world_file::dev_credential;
pub use world_file::{Pinned, WorldFile};

/// The endpoints of a dev world.
pub(crate) fn endpoints() -> Vec<onelogin::RouteBeside> {
    routes::described().routes
}

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

/// The configured guard of the dev endpoints. Other machines need the key of `COUNTERSIGN_DEV_KEY`, or a random one.
fn configured_guard(config: &Config, options: &DevOptions) -> anyhow::Result<Guard> {
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
    let guard = configured_guard(&config, &options)?;
    if config.storage.database.postgres().is_some() && !options.lasting {
        bail!("a dev world in PostgreSQL outlives this process, and so must its key: name a folder with --data-dir");
    }
    config.dialect.beside = Some(routes::described());
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
    let admin = admin::listen(&config, None).await?.context("a dev world has an admin listener")?;
    let admin_url = admin.url()?;
    let _ = world.base_url.set(base_url.clone());
    world.engine().set_link_base(&base_url);
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
            admin_url: &admin_url,
            user_id: user.id,
            factors: &world.engine().settings().policy.factors,
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
        ready_file.write(&world.seed.ready(&base_url, &admin_url, guard.key(), world.engine().settings()))?;
        service::ready(&base_url);
        Ok(())
    };
    let signals = (signals, &server::Never as &dyn server::Reload);
    let entries = server::Entries { listener, admin: Some(admin), app, rest, nouns, world: Some(world.clone()) };
    server::run(&config, &world.installation, entries, signals, announce).await
}
