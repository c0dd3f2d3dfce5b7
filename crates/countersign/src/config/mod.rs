//! Configuration: flags beat the environment, the environment beats the file, the file beats the defaults.
//!
//! What can be configured is one table (`setting`), so every setting has one name in all three places. An unknown key
//! in the file stops the start. An unknown `COUNTERSIGN_*` variable only warns, since orchestrators put variables of
//! their own under the name of a service.

mod environment;
pub(crate) mod setting;
pub(crate) mod value;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use domain::model::time::SECOND;
use domain::{CallRate, Countries, FactorKind, MfaPolicy, SendLimits, SignInPolicy};
use engine::{Network, PollLimits};
use web::proxy::TrustedProxies;
use web::tls::CertificateFiles;

use crate::database::Database;
use crate::installation::data_dir;
#[cfg(test)]
pub(crate) use environment::unknown;
pub(crate) use environment::{distance, warn_if_exposed};
pub use environment::{secret, text_of, unknown_variables, variable};
use setting::{Kind, SETTINGS, Setting};
use value::Value;

/// What flags say.
#[derive(Debug, Clone, Default)]
pub struct FlagValues {
    /// `--config`
    pub config: Option<PathBuf>,
    /// Settings by their key, with the values in the order of the flags.
    pub(crate) flags: Vec<(&'static str, Vec<String>)>,
}

impl FlagValues {
    /// Also this setting.
    ///
    /// # Panics
    ///
    /// If there is no setting of this key.
    #[must_use]
    pub fn with(mut self, key: &str, values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        #[expect(clippy::expect_used, reason = "the flags are made from the table")]
        let setting = Setting::of(key).expect("a setting");
        self.flags.push((setting.key, values.into_iter().map(Into::into).collect()));
        self
    }

    /// Also what `other` says.
    #[must_use]
    pub(crate) fn and(mut self, other: &Self) -> Self {
        self.config = self.config.or_else(|| other.config.clone());
        self.flags.extend(other.flags.iter().cloned());
        self
    }
}

/// Where the ready file is, as flags and variables say it: one that an earlier run has left must not outlive a start that
/// fails. One that only the configuration file names goes once that is read.
pub fn ready_file(given: &FlagValues) -> Option<PathBuf> {
    let flagged = given.flags.iter().rev().find(|(key, _)| *key == "ready_file");
    let flag = flagged.and_then(|(_, values)| values.last().cloned());
    flag.or_else(|| variable("COUNTERSIGN_READY_FILE").ok().flatten()).map(PathBuf::from)
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    Flag(&'static str),
    Variable(String),
    /// The file, by its name.
    File(PathBuf),
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => write!(f, "flag --{name}"),
            Self::Variable(name) => write!(f, "variable {name}"),
            Self::File(_) => f.write_str("file"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// Every setting's value and where it comes from, in the table's order.
#[derive(Debug)]
pub(crate) struct Values {
    values: Vec<(Option<Value>, Origin)>,
    /// What is to be said about names that were changed.
    notes: Vec<String>,
}

/// Looks a variable up.
type Environment<'a> = &'a dyn Fn(&str) -> anyhow::Result<Option<String>>;

impl Values {
    /// What flags, variables and the file say, and the defaults.
    pub(crate) fn gather(given: &FlagValues, environment: Environment<'_>) -> anyhow::Result<Self> {
        let path = match &given.config {
            Some(path) => Some(path.clone()),
            None => environment("COUNTERSIGN_CONFIG")?.map(PathBuf::from),
        };
        let (in_file, notes) = match &path {
            Some(path) => read(path)?,
            None => Default::default(),
        };
        let values = SETTINGS.iter().map(|setting| one(setting, given, environment, in_file.as_slice()));
        Ok(Self { values: values.collect::<anyhow::Result<_>>()?, notes })
    }

    /// The value of this key, if there is one, and where it comes from.
    pub(crate) fn of(&self, key: &str) -> (Option<&Value>, &Origin) {
        let place = SETTINGS.iter().position(|setting| setting.key == key);
        debug_assert!(place.is_some(), "{key} is in the table");
        match place.and_then(|place| self.values.get(place)) {
            Some((value, origin)) => (value.as_ref(), origin),
            None => (None, &Origin::Default),
        }
    }

    fn text(&self, key: &str) -> Option<String> {
        self.of(key).0.and_then(Value::as_str).map(str::to_owned)
    }

    fn path(&self, key: &str) -> Option<PathBuf> {
        self.text(key).map(PathBuf::from)
    }

    fn yes(&self, key: &str) -> bool {
        self.of(key).0.and_then(Value::as_bool).unwrap_or_default()
    }

    /// A number; the table says how large it may be.
    fn number<N: TryFrom<i64> + Default>(&self, key: &str) -> N {
        self.of(key).0.and_then(Value::as_integer).and_then(|number| N::try_from(number).ok()).unwrap_or_default()
    }

    fn texts(&self, key: &str) -> Vec<String> {
        let values = self.of(key).0.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        values.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// Texts that the table's judgement has read already.
    fn parsed<T: std::str::FromStr>(&self, key: &str) -> Vec<T> {
        self.texts(key).iter().filter_map(|text| text.parse().ok()).collect()
    }

    fn paths(&self, key: &str) -> Vec<PathBuf> {
        self.texts(key).into_iter().map(PathBuf::from).collect()
    }

    fn address(&self, key: &str) -> Option<SocketAddr> {
        self.text(key).and_then(|text| text.parse().ok())
    }
}

/// A setting's value. An error names what was set.
fn one(
    setting: &'static Setting,
    given: &FlagValues,
    environment: Environment<'_>,
    in_file: &[(&'static Setting, Value, PathBuf)],
) -> anyhow::Result<(Option<Value>, Origin)> {
    let mut flagged: Option<Value> = None;
    for text in given.flags.iter().filter(|(key, _)| *key == setting.key).flat_map(|(_, values)| values) {
        let read = value::read(setting.kind, text);
        let read = read.map_err(|why| anyhow::anyhow!("the flag --{}: {why}", setting.flag()))?;
        flagged = match (flagged, read) {
            (Some(Value::Array(mut parts)), Some(Value::Array(more))) => {
                parts.extend(more);
                Some(Value::Array(parts))
            }
            (before, read) => read.or(before),
        };
    }
    if flagged.is_some() {
        return Ok((flagged, Origin::Flag(setting.flag())));
    }
    let name = setting.variable();
    let (name, text) = match environment(name)? {
        None if matches!(setting.kind, Kind::Secret) => {
            let name = format!("{name}_FILE");
            let path = environment(&name)?.map(PathBuf::from);
            let text = path.as_deref().map(text_of).transpose().with_context(|| format!("the variable {name}"))?;
            path.as_deref().map(warn_if_exposed).transpose()?;
            (name, text)
        }
        text => (name.to_owned(), text),
    };
    if let Some(text) = text {
        let read = value::read(setting.kind, &text).map_err(|why| anyhow::anyhow!("the variable {name}: {why}"))?;
        if read.is_some() {
            return Ok((read, Origin::Variable(name)));
        }
    }
    let filed = in_file.iter().find(|(known, ..)| known.key == setting.key);
    Ok(match filed {
        Some((_, value, path)) => (Some(value.clone()), Origin::File(path.clone())),
        None => ((setting.default)(), Origin::Default),
    })
}

type InFile = Vec<(&'static Setting, Value, PathBuf)>;

/// What a file sets, and what is to be said about it.
fn read(path: &Path) -> anyhow::Result<(InFile, Vec<String>)> {
    let text = text_of(path)?;
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let shown = whole.display();
    let table: toml::Table =
        toml::from_str(&text).map_err(|error| anyhow::anyhow!("{shown}, {}", no_toml(&text, &error)))?;
    let (mut found, mut notes) = (Vec::new(), Vec::new());
    let mut take = |key: String, given: &Value| -> anyhow::Result<()> {
        let Some(setting) = Setting::of(&key) else {
            bail!("{shown}{}: {}", line_of(&text, &key), unknown_key(&key));
        };
        if setting.once == Some(key.as_str()) {
            notes.push(format!("{key} in {shown} is called {} now; the old name goes on working", setting.key));
        }
        let read = value::of_file(setting.kind, given);
        let read = read.map_err(|why| anyhow::anyhow!("{shown}{}: {key}: {why}", line_of(&text, &key)))?;
        if found.iter().any(|(known, ..): &(&Setting, Value, PathBuf)| known.key == setting.key) {
            bail!("{shown}: {} is set twice, once as {}", setting.key, setting.once.unwrap_or(setting.key));
        }
        if let Some(value) = read {
            found.push((setting, beside(&whole, setting.kind, value), whole.clone()));
        }
        Ok(())
    };
    for (name, value) in &table {
        match value {
            Value::Table(inner) if SETTINGS.iter().any(|s| s.table().0 == Some(name.as_str())) => {
                for (key, value) in inner {
                    take(format!("{name}.{key}"), value)?;
                }
            }
            value => take(name.clone(), value)?,
        }
    }
    Ok((found, notes))
}

/// A relative name in a file is meant from where the file is.
fn beside(file: &Path, kind: Kind, value: Value) -> Value {
    let folder = file.parent().unwrap_or(Path::new("/"));
    let whole = |value: Value| match value {
        Value::String(name) => Value::String(folder.join(name).to_string_lossy().into_owned()),
        other => other,
    };
    match (kind, value) {
        (Kind::Path, value) => whole(value),
        (Kind::Paths, Value::Array(names)) => Value::Array(names.into_iter().map(whole).collect()),
        (_, value) => value,
    }
}

/// Where a text stops being TOML, without quoting it: it may hold a secret.
fn no_toml(text: &str, error: &toml::de::Error) -> String {
    let line = error.span().map_or(1, |span| text.get(..span.start).unwrap_or(text).matches('\n').count() + 1);
    let message = error.message();
    let why = if message.contains("literal string") {
        "a text is missing its closing '".to_owned()
    } else if message.contains("basic string") {
        "a text is missing its closing \"".to_owned()
    } else if message.contains("duplicate key") {
        "this key is set twice".to_owned()
    } else if message.contains("key with no value") || message.contains("expected `=`") {
        "a key is missing its value; write KEY = VALUE".to_owned()
    } else if message.contains("string values must be quoted") {
        "a text belongs in quotes".to_owned()
    } else {
        format!("this is no TOML: {}", message.lines().next().unwrap_or_default())
    };
    format!("line {line}: {why}")
}

/// In which line a key is set, as far as one can see.
fn line_of(text: &str, key: &str) -> String {
    let last = key.rsplit('.').next().unwrap_or(key);
    let sets = |line: &&str| {
        let line = line.trim_start();
        let rest = line.strip_prefix(key).or_else(|| line.strip_prefix(last));
        rest.is_some_and(|rest| rest.trim_start().starts_with(['=', '.'])) || line.starts_with(&format!("[{key}"))
    };
    let place = text.lines().position(|line| sets(&line));
    place.map_or_else(String::new, |place| format!(", line {}", place + 1))
}

fn unknown_key(key: &str) -> String {
    let first = key.split('.').next().unwrap_or(key);
    if let Some((_, what)) = setting::FUTURE.iter().find(|(name, _)| *name == first) {
        return format!("this version cannot {what} yet, so there is no key `{key}`");
    }
    let same_table =
        |setting: &&Setting| setting.key.rsplit_once('.').map(|(t, _)| t) == key.rsplit_once('.').map(|(t, _)| t);
    let (last, of_table) = (key.rsplit('.').next().unwrap_or(key), SETTINGS.iter().filter(same_table));
    let tables = SETTINGS.iter().filter_map(|setting| setting.table().0).filter(|_| !key.contains('.'));
    match environment::nearest(last, of_table.map(|setting| setting.table().1).chain(tables)) {
        Some(near) => format!("unknown key `{key}`. Did you mean `{near}`?"),
        None => format!("unknown key `{key}`; `countersign config example` shows all of them"),
    }
}

/// `[webhooks]`
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Webhooks {
    /// Whether webhooks that ask for it may be in the installation's own network, and on loopback without TLS (SEC 69).
    pub allow_private: bool,
    /// The only authorities trusted to vouch for receivers, in PEM.
    pub ca_file: Option<PathBuf>,
}

/// The configuration in force.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
pub struct Config {
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// Address and port of the admin listener, if there is one.
    pub admin_listen: Option<SocketAddr>,
    /// File with the token that whoever reads metrics must show, if any.
    pub admin_token_file: Option<PathBuf>,
    /// The data folder.
    pub data_dir: PathBuf,
    /// Whether a flag or a variable names the data folder.
    pub data_dir_named: bool,
    /// The settings that are not left at their defaults, by key: a dev world begins with other defaults.
    pub named: Vec<&'static str>,
    /// The database.
    pub database: Database,
    /// What links and callbacks begin with.
    pub public_url: Option<String>,
    /// What people see in their authenticator app, if it is not the subdomain.
    pub issuer: Option<String>,
    /// The account's name.
    pub subdomain: String,
    /// The account's number.
    pub account_id: i64,
    /// Another place for the master key.
    pub master_key_file: Option<PathBuf>,
    /// Whether that place comes from a variable, as of a secret that an orchestrator mounts: it must be there, and
    /// may be readable to others.
    pub master_key_mounted: bool,
    /// The rules of the log-in flow.
    pub sign_in: SignInPolicy,
    /// Networks from which a log-in needs no factor.
    pub trusted_networks: Vec<Network>,
    /// Most messages.
    pub sends: SendLimits,
    /// Where text messages and calls may go. None listed: nowhere, and everywhere in the dev world.
    pub countries: Countries,
    /// How the dialect behaves.
    pub options: onelogin::DialectOptions,
    /// What connections and requests may use.
    pub limits: web::limits::Limits,
    /// Threads that answer requests; 0 for one per core.
    pub threads: usize,
    /// Certificates to serve TLS with; none for plain HTTP.
    pub certificates: Vec<CertificateFiles>,
    /// Plain HTTP off loopback was asked for.
    pub insecure_http: bool,
    /// Where to write how to reach the server.
    pub ready_file: Option<PathBuf>,
    /// Whether a browser finds a line at `/`.
    pub root_page: bool,
    /// What webhooks may reach.
    pub webhooks: Webhooks,
    /// What is to be said about names that were changed.
    pub notes: Vec<String>,
}

/// Port and address when none is given.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:8080";

impl Config {
    /// Merges flags, variables and the file that they name.
    pub fn load(given: &FlagValues) -> anyhow::Result<Self> {
        Self::of(&Values::gather(given, &variable)?)
    }

    /// The configuration of these values.
    pub(crate) fn of(values: &Values) -> anyhow::Result<Self> {
        let database = Database::configured(values.text("database_url"), values.path("database_ca_file"));
        let database = database.with_context(|| named("database_url", values.of("database_url").1))?;
        let certificates = paired(values.paths("tls_cert_file"), values.paths("tls_key_file"))?;
        let default_listen = DEFAULT_LISTEN.parse().context("the default address is one")?;
        let mfa = match values.text("login.mfa").as_deref() {
            Some("off") => MfaPolicy::Off,
            Some("required") => MfaPolicy::Required,
            _ => MfaPolicy::Optional,
        };
        Ok(Self {
            listen: values.address("listen").unwrap_or(default_listen),
            admin_listen: values.address("admin_listen"),
            admin_token_file: values.path("admin_token_file"),
            data_dir: values.path("data_dir").unwrap_or_else(data_dir::default_root),
            data_dir_named: matches!(values.of("data_dir").1, Origin::Flag(_) | Origin::Variable(_)),
            named: SETTINGS
                .iter()
                .map(|setting| setting.key)
                .filter(|key| !matches!(values.of(key).1, Origin::Default))
                .collect(),
            database,
            public_url: values.text("public_url"),
            issuer: values.text("issuer"),
            subdomain: values.text("subdomain").unwrap_or_default(),
            account_id: values.number("account_id"),
            master_key_file: values.path("master_key_file"),
            master_key_mounted: matches!(values.of("master_key_file").1, Origin::Variable(_)),
            sign_in: SignInPolicy {
                mfa,
                ttl: values.number::<i64>("login.state_token_seconds") * SECOND,
                remember_days: values.number("login.remember_browser_days"),
            },
            trusted_networks: values.parsed("login.trusted_networks"),
            countries: Countries::of(values.texts("messages.countries").iter().map(String::as_str))?,
            sends: SendLimits {
                device_interval: values.number::<i64>("limits.message_interval_seconds") * SECOND,
                device_per_ten_minutes: values.number("limits.messages_per_device"),
                target_per_day: values.number("limits.messages_per_target"),
                block_per_hour: values.number("limits.messages_per_block"),
                client_per_day: values.number("limits.messages_per_client"),
                server_per_day: values.number("limits.messages_per_server"),
            },
            options: onelogin::DialectOptions {
                accept_any_subdomain: values.yes("login.accept_any_subdomain"),
                redirect_origins: values.texts("login.redirect_origins"),
                names: onelogin::FactorNames::new(
                    FactorKind::ALL.into_iter().filter_map(|kind| Some((kind, values.text(name_of(kind))?))),
                ),
                hourly_quota: values.number("limits.calls_per_hour"),
                burst_limit: values.yes("limits.bursts"),
                call_rate: CallRate {
                    per_second: values.number("limits.calls_per_second"),
                    burst: values.number("limits.calls_burst"),
                },
                strict_v1_scopes: values.yes("auth.strict_v1_scopes"),
                strict_v2_scopes: values.yes("auth.strict_v2_scopes"),
                v2_wrong_otp_200: values.number::<i64>("compat.v2_wrong_otp") == 200,
                trusted_proxies: TrustedProxies::new(&values.parsed("trusted_proxy")),
                tls: !certificates.is_empty(),
                follow: crate::log::FOLLOW,
                tell_refusals: false,
            },
            certificates,
            limits: web::limits::Limits {
                connections: values.number("limits.connections"),
                per_peer: values.number("limits.connections_per_peer"),
                ..web::limits::Limits::default()
            },
            threads: values.number("limits.threads"),
            insecure_http: values.yes("insecure_http"),
            ready_file: values.path("ready_file"),
            root_page: values.yes("root_page"),
            webhooks: Webhooks {
                allow_private: values.yes("webhooks.allow_private"),
                ca_file: values.path("webhooks.ca_file"),
            },
            notes: values.notes.clone(),
        })
    }

    /// What people see in their authenticator app.
    pub fn issuer(&self) -> &str {
        self.issuer.as_deref().unwrap_or(&self.subdomain)
    }

    /// How many polls may be held: a tenth of the connections stays for whoever does not wait.
    pub fn held(&self) -> PollLimits {
        let most = |connections: usize| connections - connections.div_ceil(10);
        PollLimits { all: most(self.limits.connections), client: most(self.limits.per_peer) }
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
             --tls-key-file, or put a proxy that ends TLS in front and name it with --trusted-proxy ADDRESS; only on a \
             network you trust: --insecure-http",
            self.listen
        )
    }
}

/// The setting that names a factor for people.
fn name_of(kind: FactorKind) -> &'static str {
    match kind {
        FactorKind::Push => "names.push",
        FactorKind::Sms => "names.sms",
        FactorKind::Voice => "names.voice",
        FactorKind::Email => "names.email",
        FactorKind::Totp => "names.totp",
        FactorKind::Hotp => "names.hotp",
    }
}

/// What was set, as an error names it.
fn named(key: &str, origin: &Origin) -> String {
    match origin {
        Origin::Flag(name) => format!("the flag --{name}"),
        Origin::Variable(name) => format!("the variable {name}"),
        Origin::File(path) => format!("{}: {key}", path.display()),
        Origin::Default => key.to_owned(),
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

#[cfg(test)]
mod tests;
