//! Reaching the server: the URL as given, TLS, and what a connection must show before it is used.

use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::config::TargetSessionAttrs;
use tokio_postgres::{CancelToken, Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::conn::Conn;
use super::failure::Failure;
use super::hosts::{Driver, Hosts};
use super::options::PostgresOptions;
use super::replication::Warnings;
use super::{address, trust};
use crate::error::OpenError;

/// How long connecting may take, over all hosts of the URL.
const CONNECT: Duration = Duration::from_secs(4);
/// How long one host may take, unless the URL says.
const CONNECT_HOST: Duration = Duration::from_secs(1);
/// After how long a silent peer is asked whether it is still there, unless the URL says.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// The waits of SEC 79. A session that is idle in a transaction loses its locks.
const SETTINGS: &str = "SET lock_timeout = 2000; SET statement_timeout = 5000; \
    SET idle_in_transaction_session_timeout = 10000";
/// All our statements look rows up by keys: a plan made while a table was small must not read the whole of it later,
/// planning anew for each set of keys would cost more than running, and so would compiling. A compatible server that
/// does not know these settings does without.
pub(super) const PLANNING: &str = "SET enable_seqscan = off; SET jit = off; SET plan_cache_mode = force_generic_plan";

/// A list is put together for its caller and runs once: it is planned for the values it has, from a whole table where that
/// costs least, and never by several processes of the server at once, which others would wait for.
pub(super) const PLANNING_OF_LISTS: &str =
    "SET jit = off; SET plan_cache_mode = force_custom_plan; SET max_parallel_workers_per_gather = 0";

/// A server, and how it is reached.
pub(super) struct Target {
    hosts: Hosts,
    tls: MakeRustlsConnect,
}

impl Target {
    pub(super) fn new(url: &str, options: &PostgresOptions) -> Result<Self, OpenError> {
        let (mut config, trusted) = address::read(url)?;
        // What the URL leaves open.
        if config.get_target_session_attrs() == TargetSessionAttrs::Any {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_HOST);
        }
        if config.get_keepalives_idle() == Config::new().get_keepalives_idle() {
            config.keepalives_idle(KEEPALIVE);
        }
        if config.get_application_name().is_none() {
            config.application_name("countersign");
        }
        let roots = match (&options.ca_file, &trusted.roots) {
            (Some(given), Some(named)) if given != named => {
                let instead = "names other authorities than --database-ca-file; leave one of them out";
                return Err(OpenError::Parameter { name: "sslrootcert".to_owned(), instead });
            }
            (given, named) => given.as_deref().or(named.as_deref()),
        };
        Ok(Self { hosts: Hosts::of(&config), tls: MakeRustlsConnect::new(trust::tls(roots, trusted.full)?) })
    }

    /// A connection on which nothing was said yet.
    pub(super) async fn dial(&self) -> Result<(Client, Driver), OpenError> {
        self.hosts.dial(&self.tls, CONNECT).await
    }

    /// Asks the server to give up what a connection is about. It may come too late, or not at all.
    pub(super) async fn cancel(&self, token: &CancelToken) {
        let cancelling = timeout(CONNECT_HOST, Box::pin(token.cancel_query(self.tls.clone())));
        if let Ok(Err(error)) = cancelling.await {
            tracing::debug!(%error, "a statement could not be cancelled");
        }
    }

    /// A connection that may be slow, for migrations.
    pub(super) async fn client(&self) -> Result<Client, OpenError> {
        Ok(self.checked().await?.0)
    }

    async fn checked(&self) -> Result<(Client, Warnings), OpenError> {
        let (client, driver) = self.dial().await?;
        let warnings = Warnings::default();
        warnings.drive(driver);
        check(&client).await?;
        Ok((client, warnings))
    }

    /// A connection for decisions and queries, or for lists: `planning` says how its statements are planned.
    pub(super) async fn connect(&self, planning: &'static str) -> Result<Conn, Failure> {
        let connecting = async {
            let (client, warnings) = self.checked().await?;
            client.batch_execute(SETTINGS).await?;
            match client.batch_execute(planning).await {
                Err(error) if error.as_db_error().is_none() => return Err(error.into()),
                _ => {}
            }
            Ok::<_, OpenError>(Conn::new(client, warnings))
        };
        match timeout(CONNECT, connecting).await {
            Ok(Ok(conn)) => Ok(conn),
            Ok(Err(error)) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "cannot connect to the database");
                Err(Failure::Job(UNREACHABLE))
            }
            Err(_) => Err(Failure::Job(UNREACHABLE)),
        }
    }
}

const UNREACHABLE: crate::Error = crate::Error::Unavailable("the database cannot be reached");

/// Refuses a server that may forget what it has confirmed (SEC 76). A setting that does not exist there is fine.
async fn check(client: &Client) -> Result<(), OpenError> {
    let row = client
        .query_one(
            "SELECT current_setting('fsync', true), current_setting('synchronous_commit', true), pg_is_in_recovery()",
            &[],
        )
        .await?;
    let (fsync, commit): (Option<String>, Option<String>) = (row.try_get(0)?, row.try_get(1)?);
    if fsync.as_deref() == Some("off") {
        return Err(OpenError::Unsafe("fsync is off, so a crash could make used codes usable again"));
    }
    if commit.as_deref() == Some("off") {
        return Err(OpenError::Unsafe("synchronous_commit is off, so a crash could make used codes usable again"));
    }
    if row.try_get(2)? {
        return Err(OpenError::Unsafe("it is in recovery: a standby shows the past and takes no writes"));
    }
    Ok(())
}
