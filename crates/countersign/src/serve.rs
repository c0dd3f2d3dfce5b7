//! Runs a server until a signal stops it: listeners, background work, signals, drain.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use config::{Config, Database, FlagValues, SETTINGS, Setting, Values};
use domain::FactorKind;
use engine::Clock as _;
use engine::clock::SystemClock;
use onelogin::Dialect;
use tokio::net::TcpListener;
use web::door::Door;
use web::front::Front;
use web::proxy::TrustedProxies;
use web::request_id::RequestIds;
use web::threads::{Threads, Turns};
use web::tls::Certificates;

use crate::admin::{self, Admin, MetricsSource};
use crate::banner::Places;
use crate::callbacks::Callbacks;
use crate::cli::request::Noun;
use crate::dev::DevWorld;
use crate::health::Health;
use crate::installation::{self, Dependencies, Installation, Intent, providers};
use crate::invitations::Invitations;
use crate::links::Links;
use crate::ready::ReadyFile;
use crate::service::{self, Handed};
use crate::signals::{SignalAction, Signals};
use crate::{banner, bootstrap, control, phone, root, terminal};

pub(crate) async fn serve(flags: FlagValues, mut config: Config, nouns: &'static [Noun]) -> anyhow::Result<ExitCode> {
    let handed = Handed::take(&mut config)?;
    let starting = service::starting();
    config.check_listen()?;
    config.check_links()?;
    config.delivery.check()?;
    let mut ready_file = ReadyFile::of(config.listen.ready_file.clone())?;
    let started = Started { values: Values::gather(&flags)?, flags };
    let opened = installation::open(&config, Intent::Serve).await.map_err(occupied)?;
    let dependencies = Dependencies::plain(&config)?;
    providers::open(&dependencies.routes)?;
    let mut installation = Installation::build(&config, opened, dependencies).await?;
    // Under the lock, so that nodes with one data folder do not write to one file at once.
    bootstrap::make(&installation.engine, &config.bootstrap).await?;
    installation.release_start_lock();
    let listener = match handed.api {
        Some(listener) => listener,
        None => listen(&config).await?,
    };
    let base_url = base_url(&listener, &config)?;
    let admin = admin::listen(&config, handed.admin).await?;
    let places = Places {
        listens: base_url,
        public: config.account.public_url.clone(),
        admin: admin.as_ref().map(Admin::url).transpose()?,
        config: started.flags.config_file()?,
    };
    let app = installation.app(&config.dialect);
    let announce = async {
        let text = banner::serve(&installation.engine, &places, &installation.data_dir, &config.storage.database).await;
        terminal::remark(&text);
        if let Some(file) = &config.delivery.file {
            terminal::remark(&banner::readable_codes(file, terminal::shows_colours()));
        }
        let engine = installation.engine.clone();
        tokio::spawn(async move {
            if let Some(text) = banner::stranded(&engine).await {
                terminal::remark(&text);
            }
        });
        ready_file.write(&places.ready())?;
        drop(starting);
        service::ready(&places.listens);
        Ok(())
    };
    let signals = (Signals::hear(SignalAction::Reload)?, &started as &dyn Reload);
    let entries = Entries { listener, admin, app, rest: root::served(config.listen.root_page), nouns, world: None };
    run(&config, &installation, entries, signals, announce).await
}

/// The error of a start, with advice if the data folder is in use.
pub(crate) fn occupied(error: installation::StartError) -> anyhow::Error {
    match error {
        installation::StartError::Occupied => anyhow::anyhow!(
            "another countersign is already running on this data folder; stop it, or choose another folder with --data-dir"
        ),
        installation::StartError::Other(error) => error,
    }
}

/// Binds the address in the configuration.
pub(crate) async fn listen(config: &Config) -> anyhow::Result<TcpListener> {
    TcpListener::bind(config.listen.address)
        .await
        .with_context(|| format!("cannot listen on {}; choose another address with --listen", config.listen.address))
}

/// The base address of a listener.
pub(crate) fn base_url(listener: &TcpListener, config: &Config) -> anyhow::Result<String> {
    let scheme = if config.tls.certificates.is_empty() { "http" } else { "https" };
    Ok(format!("{scheme}://{}", listener.local_addr()?))
}

/// Reads the configured certificates.
fn certificates(config: &Config) -> anyhow::Result<Option<Arc<Certificates>>> {
    if config.tls.certificates.is_empty() {
        return Ok(None);
    }
    let read = Certificates::load(config.tls.certificates.clone());
    Ok(Some(Arc::new(read.context("TLS cannot be served with these certificates")?)))
}

/// Least time after the last request for messages and webhook calls to finish at shutdown.
const LAST_CALLS: Duration = Duration::from_secs(10);
/// Time to record the last sending.
const LAST_RECORD: Duration = Duration::from_secs(3);

/// Time for the last sendings: as long as the slowest provider may take, plus recording, and at least [`LAST_CALLS`].
fn last_calls(routes: &delivery::Routes) -> Duration {
    let longest = routes.providers().map(|provider| provider.timeout()).max().unwrap_or_default();
    LAST_CALLS.max(longest + LAST_RECORD)
}

/// Time between two checks of the certificate files, in milliseconds.
const CERTIFICATE_CHECK: i64 = 5_000;

/// Reloads certificates when their files have changed.
async fn watch(certificates: Option<&Certificates>) {
    let Some(certificates) = certificates else { return std::future::pending().await };
    loop {
        SystemClock.sleep(CERTIFICATE_CHECK).await;
        match certificates.refresh() {
            Ok(false) => {}
            Ok(true) => tracing::info!("TLS certificates reloaded"),
            Err(error) => tracing::error!(%error, "TLS certificates cannot be reloaded; the old ones stay in use"),
        }
    }
}

/// Time between two look-ups of the trusted proxies' names, in milliseconds: a container has another address at each start.
const LOOK_UP: i64 = 30_000;

/// Looks up the names of trusted proxies, again and again.
async fn follow_names(proxies: TrustedProxies) {
    while proxies.has_names() {
        SystemClock.sleep(LOOK_UP).await;
        proxies.look_up().await;
    }
}

/// The configuration at a reload.
pub(crate) trait Reload {
    /// The keys whose values have changed; all of them take effect at the next start. Fails if the configuration is invalid.
    fn changed(&self) -> anyhow::Result<Vec<&'static str>>;
}

/// For a server that never reloads.
pub(crate) struct Never;

impl Reload for Never {
    fn changed(&self) -> anyhow::Result<Vec<&'static str>> {
        Ok(Vec::new())
    }
}

/// The configuration that a server was started with.
struct Started {
    flags: FlagValues,
    values: Values,
}

impl Reload for Started {
    fn changed(&self) -> anyhow::Result<Vec<&'static str>> {
        let now = Values::gather(&self.flags)?;
        Config::of(&now)?;
        let differs = |setting: &&Setting| self.values.of(setting.row.key).0 != now.of(setting.row.key).0;
        Ok(SETTINGS.iter().filter(differs).map(|setting| setting.row.key).collect())
    }
}

/// Reloads the certificates, and logs the result and the state of the configuration in one line.
fn reread(certificates: Option<&Certificates>, changed: &anyhow::Result<Vec<&'static str>>) {
    let tls = match certificates.map(Certificates::refresh) {
        None => "none".to_owned(),
        Some(Ok(true)) => "reloaded".to_owned(),
        Some(Ok(false)) => "unchanged".to_owned(),
        Some(Err(error)) => format!("cannot be reloaded, the old ones stay in use: {error}"),
    };
    match changed {
        Ok(keys) if keys.is_empty() => tracing::info!(certificates = tls, configuration = "unchanged", "reloaded"),
        Ok(keys) => {
            tracing::warn!(
                certificates = tls,
                next_start = keys.join(", "),
                "reloaded; these settings wait for a restart"
            );
        }
        Err(error) => {
            let fault = format!("{error:#}");
            tracing::error!(
                certificates = tls,
                fault,
                "reloaded; the configuration is invalid, and the next start would fail"
            );
        }
    }
}

/// The listeners of a server, and what answers on them.
pub(crate) struct Entries {
    pub(crate) listener: TcpListener,
    pub(crate) admin: Option<Admin>,
    pub(crate) app: Dialect,
    /// Answers what the dialect does not.
    pub(crate) rest: Router,
    /// Answer on the control socket.
    pub(crate) nouns: &'static [Noun],
    /// The dev world around the server, if there is one.
    pub(crate) world: Option<Arc<DevWorld>>,
}

/// What answers on the API's listener: the doors, and `rest` where none of them does.
fn front(
    config: &Config,
    installation: &Installation,
    app: &Dialect,
    (rest, world): (Router, Option<&Arc<DevWorld>>),
    ids: RequestIds,
) -> Front {
    let (pages, engine) = (installation.pages.clone(), installation.engine.clone());
    let proxies = || app.options.trusted_proxies.clone();
    let links = Links::of(&engine, pages.clone(), proxies());
    let invitations = Invitations::of(&engine, pages.clone(), proxies());
    let mut doors: Vec<Arc<dyn Door>> = vec![
        match world {
            None => onelogin::door(app.clone()),
            Some(world) => world.recording(onelogin::door(app.clone())),
        },
        Arc::new(Callbacks::of(&engine)),
        Arc::new(links),
        Arc::new(invitations),
        pages.clone(),
    ];
    if engine.settings().policy.offers(FactorKind::Push) {
        doors.push(Arc::new(phone::of(installation, config, proxies(), world.is_some())));
    }
    let rest = rest.merge(root::icon()).fallback(|headers| root::nothing_for(headers, pages, engine));
    let front = Front::new(doors, rest, config.limits.front, ids, onelogin::refusal);
    if let Some(world) = world {
        world.enter(&front);
    }
    front
}

/// Serves until a signal, a failed database or a failed listener ends it.
pub(crate) async fn run(
    config: &Config,
    installation: &Installation,
    Entries { listener, admin, app, rest, nouns, world }: Entries,
    (mut signals, reload): (Signals, &dyn Reload),
    announce: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<ExitCode> {
    let health = Health::new(installation.engine.clone());
    let chance: &dyn engine::Chance = match &world {
        Some(world) => world.chance(),
        None => &engine::chance::SystemChance,
    };
    let prefix = chance.hex::<4>();
    let ids = RequestIds::new(&prefix);
    let proxies = app.options.trusted_proxies.clone();
    proxies.look_up().await;
    let following_names = tokio::spawn(follow_names(proxies));
    let front = front(config, installation, &app, (health.clone().routes().merge(rest), world.as_ref()), ids);
    let watched = MetricsSource { app, front: front.clone() };

    let mut failed = installation.failed.clone();
    let (stop, stopping) = tokio::sync::watch::channel(false);
    let mut stopped = stopping.clone();
    let stopped = async move {
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    let certificates = certificates(config)?;
    // Only requests run there. All else has the runtime that runs this, so that neither waits for the other.
    let threads = Threads::start(config.limits.threads).context("cannot start the threads that answer requests")?;
    let turns = threads.turns();
    let watched_threads = service::watched(threads.turns());
    let serving = async {
        match &certificates {
            None => web::listen::serve(listener, front, turns, stopped).await,
            Some(certificates) => web::listen::serve_tls(listener, front, turns, certificates.clone(), stopped).await,
        }
    };
    let watching_files = watch(certificates.as_deref());
    let watching = admin.map(|admin| {
        let ((listener, routes), ids) = (admin.answering(health.clone(), watched), RequestIds::new(&prefix));
        let front = Front::new(Vec::new(), routes, config.limits.front, ids, web::guard::plain);
        let mut stopped = stopping.clone();
        tokio::spawn(web::listen::serve(listener, front, Turns::here(), async move {
            let _ = stopped.wait_for(|stop| *stop).await;
        }))
    });
    // Only with SQLite does this process alone own the folder. With PostgreSQL, commands use the database themselves.
    let control = match config.storage.database {
        Database::Sqlite => Some(control::listen(&installation.data_dir, installation.engine.clone(), nouns)?),
        Database::Postgres(_) => None,
    };
    let background = {
        let engine = installation.engine.clone();
        tokio::spawn(async move { engine.run().await })
    };
    let mut sending = {
        let engine = installation.engine.clone();
        tokio::spawn(async move { engine.send_messages().await })
    };
    let mut dispatching = {
        let broadcast = onelogin::EventWriter { account_id: installation.engine.settings().account_id };
        tokio::spawn(installation.engine.clone().dispatch_webhooks(Arc::new(broadcast), stopping.clone()))
    };
    announce.await?;

    let mut serving = std::pin::pin!(serving);
    let mut code = ExitCode::SUCCESS;
    let reloading = async {
        while signals.next().await == SignalAction::Reload {
            service::reloading();
            reread(certificates.as_deref(), &reload.changed());
            service::reloaded();
        }
    };
    tokio::select! {
        ended = &mut serving => {
            ended.context("the listener failed")?;
        }
        () = reloading => {}
        _ = failed.wait_for(|failed| *failed) => code = ExitCode::FAILURE,
        () = watching_files => {}
    }
    service::stopping();
    health.drain();
    installation.engine.release_polls();
    installation.engine.stop_sending();
    let _ = stop.send(true);
    if code == ExitCode::SUCCESS {
        tracing::info!("stopping: finishing open requests");
    }
    serving.await.context("the listener failed")?;
    if let Some(watching) = watching {
        watching.await?.context("the admin listener failed")?;
    }
    drop(control);
    // What is under way finishes and is recorded. A failed database records nothing.
    if code == ExitCode::SUCCESS {
        let last = async { tokio::join!(&mut sending, &mut dispatching) };
        if tokio::time::timeout(last_calls(installation.engine.routes()), last).await.is_err() {
            tracing::warn!("stopping: gave up on messages and webhook calls that took too long");
        }
    }
    sending.abort();
    dispatching.abort();
    background.abort();
    following_names.abort();
    installation.engine.record_folded(true).await;
    installation.close().await;
    drop(watched_threads);
    Ok(code)
}

#[cfg(test)]
mod tests {
    use delivery::{Calling, HttpProvider, HttpSettings, Routes};
    use domain::{Channel, Timestamp};

    use super::*;

    #[test]
    fn the_last_sendings_have_the_time_of_the_slowest_provider() {
        let mut routes = Routes::default();
        assert_eq!(last_calls(&routes), LAST_CALLS);
        for (seconds, wait) in [(2, 10), (30, 33), (12, 33)] {
            let calling = Calling { timeout: Duration::from_secs(seconds), ..Calling::by(Arc::new(|| Timestamp(0))) };
            let url = Some("https://gateway.example.com/".to_owned());
            let settings = HttpSettings { url, ..HttpSettings::named(format!("takes-{seconds}"), calling) };
            routes.add(Channel::Sms, Arc::new(HttpProvider::new(settings).unwrap()));
            assert_eq!(last_calls(&routes), Duration::from_secs(wait), "{seconds}");
        }
    }
}
