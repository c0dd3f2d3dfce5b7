//! The service manager that started this process, such as systemd: the sockets that it hands over, and what it hears.
//!
//! A socket named `admin` (`FileDescriptorName=`) is the admin listener, and the other one is for callers. Without names, the
//! first is for callers and the second is the admin listener (`sd_listen_fds(3)`). They stay open while no server runs, so a
//! restart refuses no connection. What the manager hears is `sd_notify(3)`. Without a manager, nothing here does anything.

use std::net::TcpListener as StdTcpListener;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context as _, bail};
use config::Config;
use domain::Timestamp;
use engine::Clock as _;
use engine::clock::SystemClock;
use listenfd::ListenFd;
use sd_notify::NotifyState;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use web::threads::Turns;

/// Time between two requests for more time while the server starts, in milliseconds.
const STEP: i64 = 5_000;
/// Time that each of them asks for. A large database may take minutes to migrate.
const MORE: Duration = Duration::from_secs(30);

/// The name of the admin listener among sockets.
const ADMIN: &str = "admin";

/// Sockets that were handed over.
#[derive(Debug, Default)]
pub(crate) struct Handed {
    /// The listener for callers.
    pub(crate) api: Option<TcpListener>,
    pub(crate) admin: Option<TcpListener>,
}

impl Handed {
    /// Takes the sockets, and puts their addresses into the configuration: whatever depends on an address then sees the one
    /// in use. Fails if there are more than two, or if one is not a TCP listener.
    pub(crate) fn take(config: &mut Config) -> anyhow::Result<Self> {
        let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut sockets = ListenFd::from_env();
        if sockets.len() > 2 {
            bail!(
                "{} sockets were handed over in LISTEN_FDS. A server has two at most, the first for callers and the second \
                 for metrics: remove ListenStream lines from the socket unit",
                sockets.len()
            );
        }
        // One for each socket, and an empty one for a socket without.
        let named: Vec<&str> = names.split(':').collect();
        // Without names the order counts. With them, a second address for callers must not become one for metrics (SEC 52).
        if sockets.len() == 2 && !names.is_empty() && named.iter().filter(|name| **name == ADMIN).count() != 1 {
            bail!(
                "two sockets were handed over, called {names}: exactly one of two is called {ADMIN} (FileDescriptorName=), and the \
                 other is for callers"
            );
        }
        let mut taken = |number: usize| -> anyhow::Result<Option<TcpListener>> {
            let taken = sockets.take_tcp_listener(number).and_then(|socket| socket.map(nonblocking).transpose());
            taken.with_context(|| {
                format!("socket {} of LISTEN_FDS is not a TCP listener: correct its ListenStream line", number + 1)
            })
        };
        let (api, admin) = if named.first() == Some(&ADMIN) { (1, 0) } else { (0, 1) };
        let handed = Self { api: taken(api)?, admin: taken(admin)? };
        if let Some(listener) = &handed.api {
            config.listen.address = listener.local_addr()?;
        }
        if let Some(listener) = &handed.admin {
            config.admin.listen = Some(listener.local_addr()?);
        }
        Ok(handed)
    }
}

fn nonblocking(socket: StdTcpListener) -> std::io::Result<TcpListener> {
    socket.set_nonblocking(true)?;
    TcpListener::from_std(socket)
}

/// Tells the manager something. It may be gone, which harms nothing.
fn say(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "the service manager cannot be notified");
    }
}

/// Work that ends when this is dropped.
pub(crate) struct Repeated(JoinHandle<()>);

impl Drop for Repeated {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Asks for more time, again and again, until this is dropped: a start migrates the database, however large it is.
pub(crate) fn starting() -> Repeated {
    Repeated(tokio::spawn(async {
        loop {
            let more = u32::try_from(MORE.as_micros()).unwrap_or(u32::MAX);
            say(&[NotifyState::ExtendTimeoutUsec(more)]);
            SystemClock.sleep(STEP).await;
        }
    }))
}

/// A server that answers requests in this process.
#[derive(Debug, Clone)]
pub(crate) struct Answering {
    /// The address that it listens on.
    pub(crate) at: String,
    pub(crate) since: Timestamp,
}

static ANSWERING: OnceLock<Answering> = OnceLock::new();

/// The server of this process, once it answers requests.
pub(crate) fn answering() -> Option<&'static Answering> {
    ANSWERING.get()
}

/// The server answers requests.
pub(crate) fn ready(listens: &str) {
    let _ = ANSWERING.set(Answering { at: listens.to_owned(), since: SystemClock.now() });
    say(&[NotifyState::Ready, NotifyState::Status(&format!("Answering at {listens}"))]);
}

/// The server reads its files again.
pub(crate) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => say(&[NotifyState::Reloading, now]),
        Err(error) => tracing::debug!(%error, "the service manager cannot be notified"),
    }
}

/// It has read them.
pub(crate) fn reloaded() {
    say(&[NotifyState::Ready]);
}

/// The server finishes open requests and ends.
pub(crate) fn stopping() {
    say(&[NotifyState::Stopping, NotifyState::Status("Finishing open requests")]);
}

/// Shows the watchdog, if there is one, that every thread that answers requests is alive. Restarting helps nothing else: a
/// database that is away is away after a restart too.
pub(crate) fn watched(turns: Turns) -> Option<Repeated> {
    let limit = sd_notify::watchdog_enabled()?;
    let pause = i64::try_from(limit.as_millis() / 3).unwrap_or(i64::MAX).max(1);
    Some(Repeated(tokio::spawn(async move {
        loop {
            if turns.pass().await {
                say(&[NotifyState::Watchdog]);
            }
            SystemClock.sleep(pause).await;
        }
    })))
}
