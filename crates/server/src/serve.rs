//! Runs a server until it is told to stop: listeners, background work, signals, drain.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use engine::Clock as _;
use engine::clock::SystemClock;
use onelogin::App;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use web::front::Front;
use web::proxy::TrustedProxies;
use web::request_id::RequestIds;
use web::tls::Certificates;

use crate::admin::{self, Watched};
use crate::config::Config;
use crate::database::Database;
use crate::health::Health;
use crate::house::{self, Fittings, House};
use crate::installation::{self, Intent};
use crate::{banner, control, ready, root, terminal};

/// `countersign serve`.
pub async fn serve(config: Config) -> anyhow::Result<ExitCode> {
    config.judge_listen()?;
    let opened = installation::open(&config, Intent::Serve).await.map_err(occupied)?;
    let mut house = House::build(&config, opened, Fittings::plain(&config)).await?;
    house.settled();
    let listener = listen(&config).await?;
    let base_url = base_url(&listener, &config)?;
    let admin = admin::listen(&config).await?;
    let app = house.app(&config.options);
    let announce = async {
        terminal::remark(&banner::serve(&house.engine, &base_url, &house.folder, &config.database).await);
        match &config.ready_file {
            Some(path) => ready::write(path, &ready::served(&base_url)),
            None => Ok(()),
        }
    };
    run(&config, &house, (listener, admin), (app, root::served(config.root_page)), announce).await
}

/// Says what to do about a folder in use.
pub fn occupied(error: house::BuildError) -> anyhow::Error {
    match error {
        house::BuildError::Occupied => anyhow::anyhow!(
            "another countersign is already running on this data folder; stop it, or choose another folder with --data-dir"
        ),
        house::BuildError::Other(error) => error,
    }
}

/// Binds the address in the configuration.
pub async fn listen(config: &Config) -> anyhow::Result<TcpListener> {
    TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {}; choose another address with --listen", config.listen))
}

/// The base address of a listener.
pub fn base_url(listener: &TcpListener, config: &Config) -> anyhow::Result<String> {
    let scheme = if config.certificates.is_empty() { "http" } else { "https" };
    Ok(format!("{scheme}://{}", listener.local_addr()?))
}

/// Reads the certificates that are configured.
fn certificates(config: &Config) -> anyhow::Result<Option<Arc<Certificates>>> {
    if config.certificates.is_empty() {
        return Ok(None);
    }
    let read = Certificates::load(config.certificates.clone());
    Ok(Some(Arc::new(read.context("TLS cannot be served with these certificates")?)))
}

/// How long calls to webhooks that are under way may take at the end.
const LAST_CALLS: Duration = Duration::from_secs(10);

/// How often certificate files are looked at, in milliseconds.
const LOOK: i64 = 5_000;

/// Reads certificates again whenever their files have changed.
async fn watch(certificates: &Certificates) {
    loop {
        SystemClock.sleep(LOOK).await;
        match certificates.refresh() {
            Ok(false) => {}
            Ok(true) => tracing::info!("the TLS certificates were read again and are in force"),
            Err(error) => tracing::error!(%error, "the new TLS certificates are no good; the old ones stay in force"),
        }
    }
}

/// How often the names of trusted proxies are looked up, in milliseconds: a container has another address at each start.
const LOOK_UP: i64 = 30_000;

/// Looks the names of trusted proxies up again and again.
async fn follow_names(proxies: TrustedProxies) {
    while proxies.has_names() {
        SystemClock.sleep(LOOK_UP).await;
        proxies.look_up().await;
    }
}

/// Serves the dialect, the health routes and a router for the rest until a signal, a broken database, or a broken
/// listener ends it.
pub async fn run(
    config: &Config,
    house: &House,
    (listener, admin): (TcpListener, Option<TcpListener>),
    (app, rest): (App, Router),
    announce: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<ExitCode> {
    let health = Health::new(house.engine.clone());
    let router = health.clone().routes().merge(rest).fallback(root::nothing);
    let chance: &dyn engine::Chance = &engine::chance::SystemChance;
    let prefix = chance.hex::<4>();
    let ids = RequestIds::new(&prefix);
    let proxies = app.options.trusted_proxies.clone();
    proxies.look_up().await;
    let following_names = tokio::spawn(follow_names(proxies));
    let dialect = onelogin::door(app.clone());
    let front = Front::new(vec![dialect], router, config.limits, ids, onelogin::refusal);
    let watched = Watched { app, front: front.clone() };

    let mut failed = house.failed.clone();
    let (stop, stopping) = tokio::sync::watch::channel(false);
    let mut stopped = stopping.clone();
    let stopped = async move {
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    let certificates = certificates(config)?;
    let serving = async {
        match &certificates {
            None => web::listen::serve(listener, front, stopped).await,
            Some(certificates) => web::listen::serve_tls(listener, front, certificates.clone(), stopped).await,
        }
    };
    let watching_files = async {
        match &certificates {
            Some(certificates) => watch(certificates).await,
            None => std::future::pending().await,
        }
    };
    let watching = admin.map(|listener| {
        let (routes, ids) = (admin::routes(health.clone(), watched), RequestIds::new(&prefix));
        let front = Front::new(Vec::new(), routes, config.limits, ids, web::guard::plain);
        let mut stopped = stopping.clone();
        tokio::spawn(web::listen::serve(listener, front, async move {
            let _ = stopped.wait_for(|stop| *stop).await;
        }))
    });
    // The folder is this process's alone only if its database is; with a server's, the command line asks that.
    let control = match config.database {
        Database::Sqlite => Some(control::listen(&house.folder, house.engine.clone())?),
        Database::Postgres(_) => None,
    };
    let background = {
        let engine = house.engine.clone();
        tokio::spawn(async move { engine.run().await })
    };
    let telling = {
        let broadcast = onelogin::webhook::Broadcast { account_id: house.engine.settings().account_id };
        tokio::spawn(house.engine.clone().tell_webhooks(Arc::new(broadcast), stopping.clone()))
    };
    announce.await?;

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut serving = std::pin::pin!(serving);
    let mut code = ExitCode::SUCCESS;
    tokio::select! {
        ended = &mut serving => {
            ended.context("the listener broke")?;
        }
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        _ = failed.wait_for(|failed| *failed) => code = ExitCode::FAILURE,
        () = watching_files => {}
    }
    health.drain();
    house.engine.release_polls();
    let _ = stop.send(true);
    if code == ExitCode::SUCCESS {
        tracing::info!("stopping: finishing what is under way");
    }
    serving.await.context("the listener broke")?;
    if let Some(watching) = watching {
        watching.await?.context("the admin listener broke")?;
    }
    drop(control);
    // Calls under way are finished and written down; a broken database would let none be.
    let abort = telling.abort_handle();
    if code == ExitCode::FAILURE || tokio::time::timeout(LAST_CALLS, telling).await.is_err() {
        abort.abort();
    }
    background.abort();
    following_names.abort();
    house.close().await;
    Ok(code)
}
