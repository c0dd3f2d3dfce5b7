//! Configuration: flags beat the environment, the environment beats the file, the file beats the defaults.
//!
//! One name everywhere: `--public-url`, `COUNTERSIGN_PUBLIC_URL`, `public_url`. An unknown key in the file stops the
//! start. An unknown `COUNTERSIGN_*` variable only warns, since orchestrators put variables of their own under the name
//! of a service.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use domain::time::SECOND;
use domain::{CallRate, MfaPolicy, SendLimits, SignInPolicy};
use engine::held::Room;
use engine::network::Network;
use serde::Deserialize;
use web::tls::CertificateFiles;

use crate::database::Database;
use crate::folder;

/// What a configuration file may hold.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct File {
    /// Address and port to listen on.
    pub listen: Option<SocketAddr>,
    /// Address and port of the admin listener: metrics and health.
    pub admin_listen: Option<SocketAddr>,
    /// The data folder.
    pub data_dir: Option<PathBuf>,
    /// What links and callbacks begin with.
    pub public_url: Option<String>,
    /// The account's name, shown in authenticator apps and compared as `subdomain`.
    pub subdomain: Option<String>,
    /// The account's number in token answers.
    pub account_id: Option<i64>,
    /// Another place for the master key.
    pub master_key_file: Option<PathBuf>,
    /// A PostgreSQL database to use instead of the data folder's own.
    pub database_url: Option<String>,
    /// The only authorities trusted to vouch for the database's server, in PEM.
    pub database_ca_file: Option<PathBuf>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Certificate chains (PEM) to serve TLS with, the server's own certificate first in each.
    pub tls_cert_files: Vec<PathBuf>,
    /// Their keys (PEM), in the same order.
    pub tls_key_files: Vec<PathBuf>,
    /// Allows plain HTTP off loopback.
    pub insecure_http: Option<bool>,
    /// Who may call what.
    pub auth: Auth,
    /// Where answers have two shapes.
    pub compat: Compat,
    /// Logging in.
    pub login: Login,
    /// Quantities.
    pub limits: LimitsFile,
    /// Webhooks.
    pub webhooks: WebhooksFile,
}

/// `[login]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Login {
    /// Whether a log-in asks for a factor: `off`, `optional` (whoever has a device) or `required`.
    pub mfa: MfaPolicy,
    /// Seconds a log-in's state token lives.
    pub state_token_seconds: u32,
    /// Days for which a browser is remembered once a factor was shown in it; 0 remembers none.
    pub remember_browser_days: u16,
    /// Networks from which no factor is asked for, as `192.0.2.0/24`.
    pub trusted_networks: Vec<String>,
    /// Whether any `subdomain` is taken for ours.
    pub accept_any_subdomain: bool,
    /// Origins to which a browser may be sent after a log-in, as `https://app.example.com`.
    pub redirect_origins: Vec<String>,
}

impl Default for Login {
    fn default() -> Self {
        Self {
            mfa: MfaPolicy::Optional,
            state_token_seconds: 300,
            remember_browser_days: 0,
            trusted_networks: Vec::new(),
            accept_any_subdomain: true,
            redirect_origins: Vec::new(),
        }
    }
}

impl Login {
    /// The rules of the log-in flow.
    fn policy(&self) -> anyhow::Result<SignInPolicy> {
        if !(30..=3_600).contains(&self.state_token_seconds) {
            bail!("login.state_token_seconds must be 30 to 3600");
        }
        if self.remember_browser_days > 365 {
            bail!("login.remember_browser_days must be at most 365");
        }
        Ok(SignInPolicy {
            mfa: self.mfa,
            ttl: i64::from(self.state_token_seconds) * SECOND,
            remember_days: self.remember_browser_days,
        })
    }

    fn networks(&self) -> anyhow::Result<Vec<Network>> {
        let parse = |text: &String| text.parse().with_context(|| format!("login.trusted_networks: {text}"));
        self.trusted_networks.iter().map(parse).collect()
    }

    fn origins(&self) -> anyhow::Result<Vec<String>> {
        let judge = |text: &String| match url::Url::parse(text) {
            Ok(url) if url.origin().ascii_serialization() == *text => Ok(text.clone()),
            _ => bail!("login.redirect_origins: {text} is no origin; write https://app.example.com, without a path"),
        };
        self.redirect_origins.iter().map(judge).collect()
    }
}

/// `[auth]`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Auth {
    /// v1 trigger and verify need a Manage scope (contract 4.4).
    pub strict_v1_scopes: bool,
    /// MFA v2 needs `Manage All` (contract 1.5).
    pub strict_v2_scopes: bool,
}

/// `[compat]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Compat {
    /// Status of a wrong code on PUT registrations: 401 or 200 (contract 7.4).
    pub v2_wrong_otp: u16,
}

impl Default for Compat {
    fn default() -> Self {
        Self { v2_wrong_otp: 401 }
    }
}

/// `[limits]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsFile {
    /// v1 calls per hour and account, 0 for no limit.
    pub calls_per_hour: u64,
    /// Whether each client is held to a rate of calls.
    pub bursts: bool,
    /// Calls a second of each client, over all nodes.
    pub calls_per_second: u32,
    /// Calls at once of each client, over all nodes.
    pub calls_burst: u32,
    /// Seconds between two messages to a device; 0 for none.
    pub message_interval_seconds: u32,
    /// Messages to a device in ten minutes; like those below, 0 for no limit.
    pub messages_per_device: u32,
    /// Messages to a number or address in a day.
    pub messages_per_target: u32,
    /// Messages to a hundred adjacent numbers in an hour.
    pub messages_per_block: u32,
    /// Messages that a client has sent in a day (UTC).
    pub messages_per_client: u32,
    /// Messages that the server sends in a day (UTC).
    pub messages_per_server: u32,
    /// Connections open at once.
    pub connections: usize,
    /// Connections open at once from one address.
    pub connections_per_peer: usize,
    /// Threads that answer requests; 0 for one per core.
    pub threads: usize,
}

impl Default for LimitsFile {
    fn default() -> Self {
        let shipped = web::limits::Limits::default();
        let (calls, sends) = (CallRate::default(), SendLimits::default());
        Self {
            calls_per_hour: 5_000,
            bursts: true,
            calls_per_second: calls.per_second,
            calls_burst: calls.burst,
            message_interval_seconds: 30,
            messages_per_device: sends.device_per_ten_minutes,
            messages_per_target: sends.target_per_day,
            messages_per_block: sends.block_per_hour,
            messages_per_client: sends.client_per_day,
            messages_per_server: sends.server_per_day,
            connections: shipped.connections,
            connections_per_peer: shipped.per_peer,
            threads: 0,
        }
    }
}

/// `[webhooks]`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebhooksFile {
    /// Whether webhooks that ask for it may be in the installation's own network, and on loopback without TLS (SEC 69).
    pub allow_private: bool,
    /// The only authorities trusted to vouch for receivers, in PEM.
    pub ca_file: Option<PathBuf>,
}

impl LimitsFile {
    fn call_rate(&self) -> anyhow::Result<CallRate> {
        let numbers = [("calls_per_second", self.calls_per_second), ("calls_burst", self.calls_burst)];
        if let Some((key, _)) = numbers.iter().find(|(_, set)| !(1..=1_000_000).contains(set)) {
            bail!("limits.{key} must be 1 to 1000000; limits.bursts = false lifts the limit");
        }
        Ok(CallRate { per_second: self.calls_per_second, burst: self.calls_burst })
    }

    fn sends(&self) -> anyhow::Result<SendLimits> {
        let limits = [
            ("message_interval_seconds", self.message_interval_seconds, 3_600),
            ("messages_per_device", self.messages_per_device, SendLimits::MOST_PER_BLOCK),
            ("messages_per_target", self.messages_per_target, SendLimits::MOST_PER_TARGET),
            ("messages_per_block", self.messages_per_block, SendLimits::MOST_PER_BLOCK),
        ];
        if let Some((key, _, most)) = limits.iter().find(|(_, set, most)| set > most) {
            bail!("limits.{key} must be at most {most}");
        }
        Ok(SendLimits {
            device_interval: i64::from(self.message_interval_seconds) * SECOND,
            device_per_ten_minutes: self.messages_per_device,
            target_per_day: self.messages_per_target,
            block_per_hour: self.messages_per_block,
            client_per_day: self.messages_per_client,
            server_per_day: self.messages_per_server,
        })
    }
}

/// What flags and the environment say; the flags' parser has merged the two.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// `--config`
    pub config: Option<PathBuf>,
    /// `--listen`
    pub listen: Option<SocketAddr>,
    /// `--admin-listen`
    pub admin_listen: Option<SocketAddr>,
    /// `--data-dir`
    pub data_dir: Option<PathBuf>,
    /// `--database-url`
    pub database_url: Option<String>,
    /// `--database-ca-file`
    pub database_ca_file: Option<PathBuf>,
    /// `--public-url`
    pub public_url: Option<String>,
    /// `--tls-cert-file`
    pub tls_cert_files: Vec<PathBuf>,
    /// `--tls-key-file`
    pub tls_key_files: Vec<PathBuf>,
    /// `--insecure-http`
    pub insecure_http: bool,
    /// `--trusted-proxy`
    pub trusted_proxies: Vec<IpAddr>,
}

/// The configuration in force.
#[derive(Debug, Clone)]
pub struct Config {
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// Address and port of the admin listener, if there is one.
    pub admin_listen: Option<SocketAddr>,
    /// The data folder.
    pub data_dir: PathBuf,
    /// The database.
    pub database: Database,
    /// What links and callbacks begin with.
    pub public_url: Option<String>,
    /// The account's name.
    pub subdomain: String,
    /// The account's number.
    pub account_id: i64,
    /// Another place for the master key.
    pub master_key_file: Option<PathBuf>,
    /// The rules of the log-in flow.
    pub sign_in: SignInPolicy,
    /// Networks from which a log-in needs no factor.
    pub trusted_networks: Vec<Network>,
    /// Most messages.
    pub sends: SendLimits,
    /// How the dialect behaves.
    pub options: onelogin::Options,
    /// What connections and requests may use.
    pub limits: web::limits::Limits,
    /// Threads that answer requests; 0 for one per core.
    pub threads: usize,
    /// Certificates to serve TLS with; none for plain HTTP.
    pub certificates: Vec<CertificateFiles>,
    /// Plain HTTP off loopback was asked for.
    pub insecure_http: bool,
    /// What webhooks may reach.
    pub webhooks: WebhooksFile,
}

/// Port and address when none is given.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:8080";

impl Config {
    /// Merges what was given with the file it names.
    pub fn load(given: Given) -> anyhow::Result<Self> {
        let file = match &given.config {
            Some(path) => read(path)?,
            None => File::default(),
        };
        let public_url = given.public_url.or(file.public_url);
        if let Some(text) = &public_url {
            judge_public_url(text)?;
        }
        if !matches!(file.compat.v2_wrong_otp, 200 | 401) {
            bail!("compat.v2_wrong_otp must be 401 or 200");
        }
        let mut trusted_proxies = given.trusted_proxies;
        if trusted_proxies.is_empty() {
            trusted_proxies = file.trusted_proxies;
        }
        let database_url = match given.database_url {
            Some(url) => Some(url),
            None => secret("COUNTERSIGN_DATABASE_URL")?.or(file.database_url),
        };
        let database = Database::configured(database_url, given.database_ca_file.or(file.database_ca_file))?;
        let given_tls = !given.tls_cert_files.is_empty() || !given.tls_key_files.is_empty();
        let certificates = if given_tls {
            paired(given.tls_cert_files, given.tls_key_files)?
        } else {
            paired(file.tls_cert_files, file.tls_key_files)?
        };
        let default_listen = DEFAULT_LISTEN.parse().context("the default address is one")?;
        Ok(Self {
            listen: given.listen.or(file.listen).unwrap_or(default_listen),
            admin_listen: given.admin_listen.or(file.admin_listen),
            data_dir: given.data_dir.or(file.data_dir).unwrap_or_else(folder::default_root),
            database,
            public_url,
            subdomain: file.subdomain.unwrap_or_else(|| "countersign".to_owned()),
            account_id: file.account_id.unwrap_or(1),
            master_key_file: file.master_key_file,
            sign_in: file.login.policy()?,
            trusted_networks: file.login.networks()?,
            sends: file.limits.sends()?,
            options: onelogin::Options {
                accept_any_subdomain: file.login.accept_any_subdomain,
                redirect_origins: file.login.origins()?,
                hourly_quota: file.limits.calls_per_hour,
                burst_limit: file.limits.bursts,
                call_rate: file.limits.call_rate()?,
                strict_v1_scopes: file.auth.strict_v1_scopes,
                strict_v2_scopes: file.auth.strict_v2_scopes,
                v2_wrong_otp_200: file.compat.v2_wrong_otp == 200,
                trusted_proxies,
                tls: !certificates.is_empty(),
                follow: crate::log::FOLLOW,
            },
            certificates,
            limits: web::limits::Limits {
                connections: file.limits.connections,
                per_peer: file.limits.connections_per_peer,
                ..web::limits::Limits::default()
            },
            threads: file.limits.threads,
            insecure_http: given.insecure_http || file.insecure_http.unwrap_or(false),
            webhooks: file.webhooks,
        })
    }

    /// How many polls may be held: a tenth of the connections stays for whoever does not wait.
    pub fn held(&self) -> Room {
        let most = |connections: usize| connections - connections.div_ceil(10);
        Room { all: most(self.limits.connections), client: most(self.limits.per_peer) }
    }

    /// Refuses to show plain HTTP to a network unless somebody has thought about it (SEC 68, rulings 5).
    pub fn judge_listen(&self) -> anyhow::Result<()> {
        if self.listen.ip().is_loopback()
            || !self.certificates.is_empty()
            || self.insecure_http
            || !self.options.trusted_proxies.is_empty()
        {
            return Ok(());
        }
        bail!(
            "{} can be reached from other machines, and this is plain HTTP. Serve TLS with --tls-cert-file and \
             --tls-key-file, or put a proxy that ends TLS in front and name it with --trusted-proxy ADDRESS, or, if you \
             know what you do, pass --insecure-http",
            self.listen
        )
    }
}

/// Each chain with its key.
fn paired(chains: Vec<PathBuf>, keys: Vec<PathBuf>) -> anyhow::Result<Vec<CertificateFiles>> {
    if chains.len() != keys.len() {
        bail!(
            "{} certificate files and {} key files: give each --tls-cert-file its --tls-key-file, in the same order",
            chains.len(),
            keys.len()
        );
    }
    Ok(chains.into_iter().zip(keys).map(|(chain, key)| CertificateFiles { chain, key }).collect())
}

fn read(path: &Path) -> anyhow::Result<File> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    toml::from_str(&text).map_err(|error| {
        let error = error.to_string();
        let meant = suggestion(&error).map_or_else(String::new, |meant| format!("\nDid you mean `{meant}`?"));
        anyhow::anyhow!("{}: {}{meant}", path.display(), error.trim_end())
    })
}

/// The key that a misspelt one is nearest to, out of the parser's own list of what it expected.
fn suggestion(error: &str) -> Option<&str> {
    let (before, expected) = error.split_once(", expected")?;
    let (_, unknown) = before.rsplit_once("unknown field `")?;
    let unknown = unknown.trim_end_matches('`');
    let known = expected.split('`').skip(1).step_by(2);
    let nearest = known.min_by_key(|known| distance(unknown, known))?;
    (distance(unknown, nearest) <= 2 + unknown.len() / 4).then_some(nearest)
}

fn judge_public_url(text: &str) -> anyhow::Result<()> {
    let url = url::Url::parse(text).with_context(|| format!("public_url {text} is not a URL"))?;
    let fits = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.query().is_none()
        && !text.ends_with('/');
    if !fits {
        bail!("public_url must look like https://mfa.example.com, without a slash at the end");
    }
    Ok(())
}

/// A secret from the environment: `NAME` itself, or the content of the file that `NAME_FILE` names.
pub fn secret(name: &str) -> anyhow::Result<Option<String>> {
    match std::env::var(name) {
        Ok(value) => return Ok(Some(value)),
        Err(std::env::VarError::NotUnicode(_)) => bail!("{name} is not text"),
        Err(std::env::VarError::NotPresent) => {}
    }
    match std::env::var_os(format!("{name}_FILE")) {
        Some(path) => {
            let shown = PathBuf::from(&path);
            let text = std::fs::read_to_string(&shown)
                .with_context(|| format!("{name}_FILE names {}, which cannot be read", shown.display()))?;
            // Orchestrators mount secrets readable to all inside a container, so this cannot stop the start.
            let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&shown)?);
            if mode & 0o077 != 0 {
                tracing::warn!(file = %shown.display(), "a secret's file can be read by others; chmod 600 is better");
            }
            Ok(Some(text))
        }
        None => Ok(None),
    }
}

/// Variables this program reads.
const KNOWN_VARIABLES: &[&str] = &[
    "COUNTERSIGN_CONFIG",
    "COUNTERSIGN_LISTEN",
    "COUNTERSIGN_ADMIN_LISTEN",
    "COUNTERSIGN_DATA_DIR",
    "COUNTERSIGN_PUBLIC_URL",
    "COUNTERSIGN_READY_FILE",
    "COUNTERSIGN_INSECURE_HTTP",
    "COUNTERSIGN_TRUSTED_PROXY",
    "COUNTERSIGN_TLS_CERT_FILE",
    "COUNTERSIGN_TLS_KEY_FILE",
    "COUNTERSIGN_MESSAGE_LIMITS",
    "COUNTERSIGN_DATABASE_URL",
    "COUNTERSIGN_DATABASE_URL_FILE",
    "COUNTERSIGN_DATABASE_CA_FILE",
    "COUNTERSIGN_MASTER_KEY",
    "COUNTERSIGN_MASTER_KEY_FILE",
    "COUNTERSIGN_LOG",
    "COUNTERSIGN_LOG_FORMAT",
];

/// The variables that look like ours and are not, each with the nearest one we know.
pub fn unknown_variables() -> Vec<(String, &'static str)> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    names
        .filter(|name| name.starts_with("COUNTERSIGN_") && !KNOWN_VARIABLES.contains(&name.as_str()))
        .filter_map(|name| {
            let nearest = KNOWN_VARIABLES.iter().min_by_key(|known| distance(&name, known))?;
            Some((name, *nearest))
        })
        .collect()
}

/// Levenshtein's distance, for suggestions.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = corner + usize::from(x != *y);
            corner = row[j + 1];
            row[j + 1] = change.min(corner + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str, given: Given) -> anyhow::Result<Config> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("countersign.toml");
        std::fs::write(&path, text).unwrap();
        Config::load(Given { config: Some(path), ..given })
    }

    #[test]
    fn a_flag_beats_the_file_and_the_file_beats_the_default() {
        let flag = Given { listen: Some("127.0.0.1:1".parse().unwrap()), ..Given::default() };
        assert_eq!(load("listen = '127.0.0.1:2'", flag).unwrap().listen.port(), 1);
        assert_eq!(load("listen = '127.0.0.1:2'", Given::default()).unwrap().listen.port(), 2);
        assert_eq!(load("", Given::default()).unwrap().listen.to_string(), DEFAULT_LISTEN);
    }

    #[test]
    fn an_unknown_key_is_refused_and_named() {
        let error = load("lisen = '127.0.0.1:2'", Given::default()).unwrap_err().to_string();
        assert!(error.ends_with("Did you mean `listen`?"), "{error}");
        let error = load("[limits]\ncalls_an_hour = 1", Given::default()).unwrap_err().to_string();
        assert!(error.ends_with("Did you mean `calls_per_hour`?"), "{error}");
        let error = load("colour = 1", Given::default()).unwrap_err().to_string();
        assert!(!error.contains("Did you mean"), "{error}");
        assert!(load("[limits]\ncalls = 1", Given::default()).is_err());
    }

    #[test]
    fn a_database_is_named_in_the_file_or_by_a_flag() {
        let shown = |text: &str, given: Given| {
            load(text, given).unwrap().database.postgres().map(crate::database::Postgres::shown)
        };
        assert_eq!(shown("", Given::default()), None);
        let file = "database_url = 'postgres://ana:x@db/mfa'";
        assert_eq!(shown(file, Given::default()).as_deref(), Some("postgres://ana@db/mfa"));
        let flag = Given { database_url: Some("postgres://other/mfa".to_owned()), ..Given::default() };
        assert_eq!(shown(file, flag).as_deref(), Some("postgres://other/mfa"));
        assert!(load("database_url = 'mysql://db'", Given::default()).is_err());
    }

    #[test]
    fn plain_http_stays_on_loopback_unless_asked_for() {
        let open =
            |extra: &str| load(&format!("listen = '0.0.0.0:1'\n{extra}"), Given::default()).unwrap().judge_listen();
        assert!(open("").is_err());
        assert!(open("insecure_http = true").is_ok());
        assert!(open("tls_cert_files = ['a.pem']\ntls_key_files = ['a.key']").is_ok());
        assert!(load("tls_cert_files = ['a.pem']", Given::default()).is_err(), "a certificate without its key");
        assert!(open("trusted_proxies = ['10.0.0.1']").is_ok());
    }

    #[test]
    fn a_public_url_is_an_origin() {
        for bad in ["mfa.example.com", "ftp://x", "https://a@b", "https://x/", "https://x?y=1"] {
            assert!(load(&format!("public_url = '{bad}'"), Given::default()).is_err(), "{bad}");
        }
        assert!(load("public_url = 'https://mfa.example.com'", Given::default()).is_ok());
    }

    #[test]
    fn the_nearest_variable_is_suggested() {
        assert_eq!(distance("COUNTERSIGN_LISTN", "COUNTERSIGN_LISTEN"), 1);
    }
}
