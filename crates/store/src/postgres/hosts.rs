//! Several hosts in one URL. Each is given its share of the time and no more: a frozen machine accepts
//! connections and never says a word, and must not keep a node from the one that took over. The host that was reached
//! last is asked first.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::config::{Host, LoadBalanceHosts};
use tokio_postgres::{Client, Config, Connection, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::OpenError;

/// The half of a connection that does the talking, to be polled.
pub(super) type Driver = Connection<Socket, <MakeRustlsConnect as tokio_postgres::tls::MakeTlsConnect<Socket>>::Stream>;

/// The hosts of a URL.
pub(super) struct Hosts {
    hosts: Vec<Config>,
    reached: AtomicUsize,
}

impl Hosts {
    pub(super) fn of(config: &Config) -> Self {
        let count = config.get_hosts().len().max(config.get_hostaddrs().len());
        // Who wants them shuffled has them shuffled.
        let apart = count > 1 && config.get_load_balance_hosts() == LoadBalanceHosts::Disable;
        let hosts = if apart { (0..count).map(|n| alone(config, n)).collect() } else { vec![config.clone()] };
        Self { hosts, reached: AtomicUsize::new(0) }
    }

    /// A connection to the first of them that will do, within this time.
    pub(super) async fn dial(&self, tls: &MakeRustlsConnect, time: Duration) -> Result<(Client, Driver), OpenError> {
        let share = time / u32::try_from(self.hosts.len()).unwrap_or(u32::MAX);
        let first = self.reached.load(Ordering::Relaxed);
        let mut refused = OpenError::Unreachable;
        for turn in 0..self.hosts.len() {
            let number = (first + turn) % self.hosts.len();
            // Boxed: rarely polled, and too large to be carried around in every query's future.
            match timeout(share, Box::pin(self.hosts[number].connect(tls.clone()))).await {
                Ok(Ok(connected)) => {
                    self.reached.store(number, Ordering::Relaxed);
                    return Ok(connected);
                }
                Ok(Err(error)) => refused = super::trust::explained(error),
                Err(_) => {}
            }
        }
        Err(refused)
    }
}

/// The configuration with one of its hosts. A host cannot be taken away, so all the rest is carried over.
fn alone(config: &Config, number: usize) -> Config {
    let mut one = Config::new();
    match config.get_hosts().get(number) {
        Some(Host::Tcp(name)) => _ = one.host(name),
        Some(Host::Unix(path)) => _ = one.host_path(path),
        None => {}
    }
    if let Some(address) = config.get_hostaddrs().get(number) {
        one.hostaddr(*address);
    }
    if let Some(port) = config.get_ports().get(number).or_else(|| config.get_ports().first()) {
        one.port(*port);
    }
    if let Some(user) = config.get_user() {
        one.user(user);
    }
    if let Some(password) = config.get_password() {
        one.password(password);
    }
    if let Some(name) = config.get_dbname() {
        one.dbname(name);
    }
    if let Some(options) = config.get_options() {
        one.options(options);
    }
    if let Some(name) = config.get_application_name() {
        one.application_name(name);
    }
    if let Some(time) = config.get_connect_timeout() {
        one.connect_timeout(*time);
    }
    if let Some(time) = config.get_tcp_user_timeout() {
        one.tcp_user_timeout(*time);
    }
    one.keepalives(config.get_keepalives()).keepalives_idle(config.get_keepalives_idle());
    if let Some(time) = config.get_keepalives_interval() {
        one.keepalives_interval(time);
    }
    if let Some(count) = config.get_keepalives_retries() {
        one.keepalives_retries(count);
    }
    one.ssl_mode(config.get_ssl_mode()).ssl_negotiation(config.get_ssl_negotiation());
    one.channel_binding(config.get_channel_binding()).target_session_attrs(config.get_target_session_attrs());
    one
}

#[cfg(test)]
mod tests {
    use pgtest::Cluster;

    use super::*;
    use crate::{PostgresOptions, Store};

    #[test]
    fn a_host_alone_is_reached_as_it_was_among_others() {
        let text = |hosts: &str, ports: &str| {
            format!(
                "host={hosts} port={ports} user=ana password=secret dbname=mfa options='-c x=y' sslmode=require \
                 application_name=test connect_timeout=3 tcp_user_timeout=4 keepalives=1 keepalives_idle=5 \
                 keepalives_interval=6 keepalives_retries=7 target_session_attrs=read-write channel_binding=require \
                 sslnegotiation=direct"
            )
        };
        let all: Config = text("one,/two,three", "1,2,3").parse().unwrap();
        for (number, (host, port)) in [("one", "1"), ("/two", "2"), ("three", "3")].into_iter().enumerate() {
            assert_eq!(alone(&all, number), text(host, port).parse().unwrap());
        }
        let shared: Config = text("one,two", "9").parse().unwrap();
        assert_eq!(alone(&shared, 1), text("two", "9").parse().unwrap());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_host_that_accepts_and_says_nothing_is_passed_over() {
        let Some(cluster) = Cluster::start_with(&["-c", "listen_addresses=127.0.0.1"]) else { return };
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, port) = (silent.local_addr().unwrap(), cluster.port());
        let url = format!("postgres://postgres@{address},127.0.0.1:{port}/postgres");
        Store::open_postgres(&url, PostgresOptions::default()).await.unwrap().close().await;
    }
}
