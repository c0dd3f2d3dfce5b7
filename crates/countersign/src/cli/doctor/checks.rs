//! The checks of `doctor`. What `config check` looks at is asked where it is at home; the rest asks the world outside: names,
//! addresses, the running server, the providers.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use config::Config;
use delivery::{Finding, Provider};
use domain::Channel;
use engine::Clock as _;
use engine::clock::SystemClock;
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::Url;

use super::line::Line;
use super::state::{KnownState, StateRequest};
use crate::banner::BUILT_IN_ISSUER;
use crate::cli::checks::{self, Findings};
use crate::cli::request::Request as _;
use crate::cli::{clock, healthcheck};
use crate::installation::{data_dir, providers};
use crate::{control, local};

/// How long an address may take to answer.
const ANSWER: Duration = Duration::from_secs(5);
/// Age in seconds at which a waiting message means that nothing is sent. A retry comes much earlier.
const LATE: i64 = 60;

/// A check that has not ended yet.
pub(super) struct Check {
    pub(super) name: String,
    pub(super) work: Pin<Box<dyn Future<Output = Vec<Line>> + Send>>,
}

impl Check {
    fn new(name: impl Into<String>, work: impl Future<Output = Vec<Line>> + Send + 'static) -> Self {
        Self { name: name.into(), work: Box::pin(work) }
    }

    /// A check that needs no waiting.
    pub(super) fn done(name: &str, lines: Vec<Line>) -> Self {
        Self::new(name, std::future::ready(lines))
    }
}

/// Every check of an installation. They are independent of one another, so they run side by side.
pub(super) fn all(config: &Arc<Config>) -> Vec<Check> {
    let found = |name: &str, fine: &str, look: fn(&Config, &mut Findings)| {
        let mut found = Findings::default();
        look(config, &mut found);
        Check::done(name, Line::found(name, found, fine))
    };
    let certified = if config.tls.certificates.is_empty() {
        "none are configured: the server speaks HTTP, and a proxy in front of it speaks TLS"
    } else {
        "their names and dates are good"
    };
    let mut checks = vec![
        found("configuration", "it can be used", |config, found| {
            checks::settings(config, found);
            checks::ready_file(config, found);
            found.warnings.extend(::config::unknown_variables());
        }),
        found("disk", "there is room", checks::room),
        found("TLS certificates", certified, checks::certificates),
        found("webhooks", "the authorities that they trust can be read", checks::webhooks),
        Check::done("push", vec![push(config)]),
        Check::new("installation", installation(Arc::clone(config))),
        Check::new("server", server(Arc::clone(config))),
        Check::new("admin listener", admin(Arc::clone(config))),
        Check::new("public_url", public_url(Arc::clone(config))),
        Check::done("issuer", vec![issuer(config)]),
    ];
    // If the providers cannot be made, the configuration's line says so.
    if let Ok(routes) = providers::configured(config) {
        if ![Channel::Sms, Channel::Voice, Channel::Email].into_iter().any(|channel| routes.carry(channel)) {
            let none = "no provider is configured, so no codes are sent; countersign delivery status says more";
            checks.push(Check::done("delivery", vec![Line::skipped("delivery", none)]));
        }
        checks.extend(routes.providers().map(|provider| {
            let name = format!("delivery {}", provider.name());
            Check::new(name.clone(), asked(name, Arc::clone(provider)))
        }));
    }
    checks
}

/// Whether prompts can be pushed to phones, and where to.
fn push(config: &Config) -> Line {
    const NAME: &str = "push";
    if !config.push.is_possible() {
        return Line::skipped(
            NAME,
            "it is not offered: browsers take prompts only for a page over https://, so set public_url to its address",
        );
    }
    if config.push.allow_private_endpoints {
        return Line::advice(
            NAME,
            "push.allow_private_endpoints is on: prompts may go to private addresses, and on loopback without TLS; remove it \
             unless a push service in push.endpoint_origins is in your own network",
        );
    }
    Line::ok(NAME, "prompts can go to the push services of browsers, and to those in push.endpoint_origins")
}

/// The data folder, and what is in it. Each needs the one before.
async fn installation(config: Arc<Config>) -> Vec<Line> {
    let mut found = Findings::default();
    let is_usable = checks::data_folder(&config, &mut found);
    found.warnings.extend(data_dir::open_to_others(&config.storage.data_dir));
    let fine = format!("{} can be used", config.storage.data_dir.display());
    let mut lines = Line::found("data folder", found, &fine);
    if !is_usable && config.storage.database.postgres().is_none() {
        lines.push(Line::skipped("database", "it is in the data folder"));
        return lines;
    }
    let mut found = Findings::default();
    let looked = checks::database(&config, &mut found).await;
    let is_current = found.faults.is_empty() && found.schema.is_none();
    let Some(looked) = looked else {
        lines.extend(Line::found("database", found, ""));
        return lines;
    };
    let fine = if looked.is_sealed() {
        "it can be reached, and its schema is current"
    } else {
        "there is none yet; the first start makes it"
    };
    lines.extend(Line::found("database", found, fine));
    let mut found = Findings::default();
    checks::master_key(&config, &looked, &mut found);
    let is_open = found.faults.is_empty();
    let fine = if looked.is_sealed() { "it fits the database" } else { "the first start finds or makes it" };
    lines.extend(Line::found("master key", found, fine));
    if looked.is_sealed() && is_current && is_open {
        lines.extend(known(&config).await);
    }
    lines
}

/// What the running server knows of itself, or the database if none runs.
async fn known(config: &Config) -> Vec<Line> {
    let report = match control::send(config, StateRequest {}, StateRequest {}.intent()).await {
        Ok(report) => report,
        Err(error) => return vec![Line::fault("clock", format!("the installation does not answer: {error:#}"))],
    };
    match serde_json::from_value::<KnownState>(report.json) {
        Ok(state) => vec![judged_clock(&state), judged_outbox(&state, is_running(config).await)],
        Err(_) => vec![Line::fault("clock", "the running server is of another version: restart it")],
    }
}

fn judged_clock(state: &KnownState) -> Line {
    let verdict = clock::verdict(state.behind_seconds);
    match state.behind_seconds {
        0 => Line::ok("clock", "the machine's clock and the trusted time agree"),
        _ => Line::fault("clock", verdict),
    }
}

fn judged_outbox(state: &KnownState, is_served: bool) -> Line {
    let KnownState { waiting, oldest_seconds: age, .. } = *state;
    match waiting {
        0 => Line::ok("outbox", "no message waits"),
        _ if !is_served => Line::advice("outbox", format!("messages that wait for a server: {waiting}")),
        _ if age < LATE => Line::ok("outbox", format!("messages that wait: {waiting}; the oldest for {age} s")),
        _ => Line::fault(
            "outbox",
            format!("messages that wait: {waiting}; the oldest for {age} s: look at countersign delivery status"),
        ),
    }
}

/// Whether a server of this configuration runs here. With PostgreSQL only its address can tell.
async fn is_running(config: &Config) -> bool {
    if config.storage.database.postgres().is_none() {
        return control::is_served(config).await;
    }
    let address = healthcheck::here(config.listen.address);
    matches!(timeout(ANSWER, TcpStream::connect(address)).await, Ok(Ok(_)))
}

async fn server(config: Arc<Config>) -> Vec<Line> {
    const NAME: &str = "server";
    if !is_running(&config).await {
        return vec![Line::skipped(NAME, "none runs on this installation")];
    }
    vec![match healthcheck::configured(&config) {
        Ok(address) => answered(NAME, address, "/readyz").await,
        Err(error) => Line::skipped(NAME, format!("it runs; {error:#}")),
    }]
}

async fn admin(config: Arc<Config>) -> Vec<Line> {
    const NAME: &str = "admin listener";
    let Some(address) = config.admin.listen else {
        return vec![Line::skipped(NAME, "none is configured (admin.listen): there are no metrics")];
    };
    let mut found = Findings::default();
    checks::admin(&config, &mut found);
    if !found.faults.is_empty() || !is_running(&config).await {
        return Line::found(NAME, found, "it can be used; no server runs");
    }
    vec![answered(NAME, healthcheck::here(address), "/livez").await]
}

/// What an address on this machine answers.
async fn answered(name: &str, address: SocketAddr, path: &str) -> Line {
    if address.port() == 0 {
        return Line::skipped(name, "its port is chosen at each start, so it cannot be asked");
    }
    match timeout(ANSWER, healthcheck::ask(address, path)).await {
        Ok(Ok((200, _))) => Line::ok(name, format!("{address}{path} answers")),
        Ok(Ok((status, body))) => {
            Line::fault(name, format!("{address}{path} answers {status} {}: look at the server's log", body.trim()))
        }
        Ok(Err(error)) => Line::fault(name, format!("{error:#}: was the server started with these settings?")),
        Err(_) => Line::fault(name, format!("no answer from {address} within {} s", ANSWER.as_secs())),
    }
}

/// The name that people see in their authenticator apps.
fn issuer(config: &Config) -> Line {
    const NAME: &str = "issuer";
    let issuer = config.account.issuer();
    if issuer == BUILT_IN_ISSUER {
        return Line::advice(
            NAME,
            format!(
                "people see \"{issuer}\" in their authenticator app, and an app keeps the name it was enrolled with: set issuer \
                 to yours before anyone enrols"
            ),
        );
    }
    Line::ok(NAME, format!("people see \"{issuer}\" in their authenticator app"))
}

/// The address by which callers and browsers know the server.
async fn public_url(config: Arc<Config>) -> Vec<Line> {
    const NAME: &str = "public_url";
    let Some(text) = config.account.public_url.as_deref() else {
        return vec![Line::advice(
            NAME,
            "it is not set: set it to the address that callers use, as https://mfa.example.com; SAML and links need it",
        )];
    };
    let Some((url, host)) = Url::parse(text).ok().and_then(|url| Some((url.clone(), url.host_str()?.to_owned())))
    else {
        return vec![Line::fault(NAME, "write it as https://mfa.example.com")];
    };
    let mut lines = Vec::new();
    let is_here = local::is_here(host.trim_start_matches('[').trim_end_matches(']'));
    if url.scheme() != "https" && !is_here {
        lines
            .push(Line::advice(NAME, "it begins with http://: secrets and codes can be read on the way; use https://"));
    }
    if let Err(why) = delivery::resolve(&host, url.port_or_known_default().unwrap_or_default()).await {
        lines.push(Line::fault(NAME, why));
        return lines;
    }
    if !is_running(&config).await {
        lines.push(Line::ok(NAME, format!("{host} resolves; no server runs that could answer there")));
        return lines;
    }
    let live = format!("{text}/livez");
    let ca_file = config.webhooks.ca_file.clone();
    lines.push(match delivery::visit(&live, ca_file, ANSWER, Arc::new(|| SystemClock.now())).await {
        Ok(200) => Line::ok(NAME, format!("{live} answers")),
        Ok(status) => Line::fault(NAME, format!("{live} answers {status}: look at the proxy in front of the server")),
        Err(why) => Line::fault(NAME, why),
    });
    lines
}

/// What a provider shows without a message.
async fn asked(name: String, provider: Arc<dyn Provider>) -> Vec<Line> {
    let probes = provider.probe().await;
    let line = |probe: delivery::Probe| {
        let said = |words: String| match &probe.server {
            Some(server) => format!("{server}: {words}"),
            None => words,
        };
        match probe.found.clone() {
            Finding::Fine(words) => Line::ok(&name, said(words)),
            Finding::Skipped(words) => Line::skipped(&name, said(words)),
            Finding::Failed(words) => Line::fault(&name, said(words)),
        }
    };
    probes.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_waits_long_while_a_server_runs_is_a_fault() {
        let state = |waiting, oldest_seconds| KnownState { behind_seconds: 0, waiting, oldest_seconds };
        let shown = |state: &KnownState, is_served| judged_outbox(state, is_served).to_string();
        assert!(shown(&state(0, 0), true).starts_with("ok "));
        assert!(shown(&state(2, LATE - 1), true).starts_with("ok "));
        assert!(shown(&state(2, LATE), true).starts_with("fault "));
        assert!(shown(&state(2, LATE), false).starts_with("advice "));
    }

    #[test]
    fn a_clock_that_differs_from_trusted_time_is_a_fault() {
        let shown =
            |behind_seconds| judged_clock(&KnownState { behind_seconds, waiting: 0, oldest_seconds: 0 }).to_string();
        assert!(shown(0).starts_with("ok "));
        assert!(shown(30).contains("countersign clock --accept"));
        assert!(shown(-30).contains("ahead"));
    }
}
