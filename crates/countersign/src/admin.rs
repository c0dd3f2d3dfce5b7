//! The admin listener: metrics and health, apart from what callers reach (SEC 52). Plain HTTP, for the machine itself or a
//! network that only operators reach.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Router, middleware};
use config::Config;
use delivery::{Ending, RouteHealth};
use domain::model::price::amount;
use domain::{Digest, FactorKind, Timestamp};
use engine::{BudgetOwner, ClosedPrefixes, Engine, MessageBudget, SpendBudget, SpendOwner};
use onelogin::Dialect;
use tokio::net::TcpListener;
use web::front::Front;
use zeroize::Zeroizing;

use crate::health::Health;
use crate::local;

/// What the metrics are read from.
pub(crate) struct MetricsSource {
    pub(crate) app: Dialect,
    /// The front of the API listener.
    pub(crate) front: Front,
}

/// An admin listener, and who may read metrics there.
#[derive(Debug)]
pub(crate) struct Admin {
    pub(crate) listener: TcpListener,
    readers: Readers,
}

impl Admin {
    /// Its base URL.
    pub(crate) fn url(&self) -> std::io::Result<String> {
        Ok(format!("http://{}", self.listener.local_addr()?))
    }

    /// The listener and its router.
    pub(crate) fn answering(self, health: Health, watched: MetricsSource) -> (TcpListener, Router) {
        (self.listener, routes(health, watched, self.readers))
    }
}

/// Who may read metrics (SEC 52).
#[derive(Debug, Clone, Copy)]
pub(crate) enum Readers {
    /// Requests whose `Host` names this machine. Others can reach a loopback listener only through a browser here.
    Local,
    /// Callers with this token.
    Token(Digest),
    /// Everyone who can reach the listener.
    All,
}

/// Length of the shortest token, in characters.
const SHORTEST_TOKEN: usize = 16;

impl Readers {
    /// The readers of the configured listener. Reads the token's file.
    pub(crate) fn configured(config: &Config) -> anyhow::Result<Self> {
        let Some(file) = &config.admin.token_file else {
            let local = config.admin.listen.is_some_and(|address| address.ip().to_canonical().is_loopback());
            return Ok(if local { Self::Local } else { Self::All });
        };
        let text = Zeroizing::new(config::text_of(file).context("admin_token_file")?);
        let token = text.trim();
        if token.len() < SHORTEST_TOKEN || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            bail!(
                "admin_token_file: {} must hold {SHORTEST_TOKEN} letters, digits and signs or more, without blanks",
                file.display()
            );
        }
        config::warn_if_exposed(file)?;
        Ok(Self::Token(Digest::of(token.as_bytes())))
    }

    /// Whether this caller may read metrics. The error is a status and what to do.
    fn judge(self, headers: &HeaderMap) -> Result<(), (StatusCode, &'static str)> {
        match self {
            Self::All => Ok(()),
            Self::Local => {
                let local = local::host(headers).is_some_and(|(name, whole)| {
                    local::is_here(name) && local::is_own_page(headers, &format!("http://{whole}"))
                });
                let advice = "metrics answer callers on this machine: use 127.0.0.1 or localhost as host, or set \
                              --admin-token-file\n";
                if local { Ok(()) } else { Err((StatusCode::FORBIDDEN, advice)) }
            }
            Self::Token(token) => {
                let shown = web::bearer::from_headers(headers).map(|shown| Digest::of(shown.as_bytes()));
                // Comparing digests takes a time that says nothing about the token.
                if shown == Some(token) {
                    Ok(())
                } else {
                    Err((StatusCode::UNAUTHORIZED, "metrics need `Authorization: Bearer` with the admin token\n"))
                }
            }
        }
    }
}

/// Binds the admin address, if there is one.
pub(crate) async fn listen(config: &Config, handed: Option<TcpListener>) -> anyhow::Result<Option<Admin>> {
    let Some(address) = config.admin.listen else { return Ok(None) };
    let bound = match handed {
        Some(listener) => Ok(listener),
        None => TcpListener::bind(address).await,
    };
    let listener = bound.with_context(|| {
        format!("cannot listen on {address} for metrics and health; choose another address with --admin-listen")
    })?;
    Ok(Some(Admin { listener, readers: Readers::configured(config)? }))
}

fn routes(health: Health, watched: MetricsSource, readers: Readers) -> Router {
    let guard = move |request: Request, next: Next| async move {
        match readers.judge(request.headers()) {
            Ok(()) => next.run(request).await,
            Err((status @ StatusCode::UNAUTHORIZED, advice)) => {
                (status, [(header::WWW_AUTHENTICATE, "Bearer")], advice).into_response()
            }
            Err(refused) => refused.into_response(),
        }
    };
    let metrics = Router::new().route("/metrics", get(metrics)).with_state(Arc::new(watched));
    health.routes().merge(metrics.layer(middleware::from_fn(guard))).merge(crate::root::admin())
}

async fn metrics(State(watched): State<Arc<MetricsSource>>) -> Response {
    match page(&watched).await {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response(),
        Err(error) => {
            tracing::warn!(%error, "metrics could not be read");
            (StatusCode::SERVICE_UNAVAILABLE, "the database is unavailable\n").into_response()
        }
    }
}

/// A page in Prometheus' text format.
struct Page(String);

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// One sample. Label values are our own names (routes, factors, numbers), so none needs to be escaped.
    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }

    fn single(&mut self, name: &str, kind: &str, help: &str, value: impl std::fmt::Display) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }

    /// A histogram. Each count is of the values up to its bound and above the previous one; the last bound is `+Inf`.
    fn histogram(&mut self, name: &str, help: &str, counts: &[(String, u64)], sum: f64) {
        self.family(name, "histogram", help);
        let mut total = 0;
        for (bound, count) in counts {
            total += count;
            self.sample(&format!("{name}_bucket"), &[("le", bound)], total);
        }
        self.sample(&format!("{name}_sum"), &[], sum);
        self.sample(&format!("{name}_count"), &[], total);
    }
}

async fn page(watched: &MetricsSource) -> Result<String, engine::Fault> {
    let engine: &Engine = &watched.app.engine;
    let mut page = Page(String::with_capacity(8 * 1024));
    page.family("countersign_build_info", "gauge", "The version that runs.");
    page.sample("countersign_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);

    let name = "countersign_http_requests_total";
    page.family(name, "counter", "Requests answered, by route and class of status.");
    for answered in watched.app.requests.read() {
        let class = format!("{}xx", answered.class);
        page.sample(name, &[("method", answered.method), ("route", answered.path), ("status", &class)], answered.count);
    }
    page.single("countersign_http_connections", "gauge", "Connections open.", watched.front.connections());

    let name = "countersign_verifications_total";
    page.family(name, "counter", "Answers judged, by factor and outcome; a poll that finds nothing new is pending.");
    for (factor, ended, count) in engine.answer_counts().read() {
        let factor = factor.map_or("none", label);
        page.sample(name, &[("factor", factor), ("outcome", ended.name())], count);
    }

    let name = "countersign_decisions_total";
    page.family(name, "counter", "Decisions about users and clients, by name and by how they ended.");
    for (decision, done, failed) in engine.decision_counts().read() {
        for (outcome, count) in [("done", done), ("failed", failed)] {
            page.sample(name, &[("name", decision.name()), ("outcome", outcome)], count);
        }
    }

    page.single("countersign_held_polls", "gauge", "Polls held until a person answers.", engine.held_polls());

    messages(&mut page, &engine.message_budgets().await?);
    spending(&mut page, &engine.spend_budgets().await?);
    prefixes(&mut page, &engine.closed_prefixes());
    let waiting = engine.store().waiting().await?;
    page.single("countersign_outbox_messages", "gauge", "Messages that wait to be sent.", waiting.messages);
    let age = waiting.oldest.map_or(0, |oldest| engine.now().since(oldest).max(0));
    page.single("countersign_outbox_oldest_seconds", "gauge", "Age of the oldest of them.", seconds(age));

    let routes = engine.route_health();
    let name = "countersign_messages_total";
    page.family(name, "counter", "Messages handed to a provider by this node, by country and by how it ended.");
    endings(&mut page, name, &routes, |route| &route.endings);
    let name = "countersign_receipts_total";
    page.family(name, "counter", "Receipts that providers sent to this node, by country and by what they say.");
    endings(&mut page, name, &routes, |route| &route.receipts);
    let name = "countersign_route_up";
    page.family(name, "gauge", "Whether this node uses the route: 0 while it is down or on trial.");
    for route in &routes {
        let labels = [("channel", route.channel.name()), ("provider", route.provider.as_str())];
        page.sample(name, &labels, u8::from(route.state == delivery::RouteState::Up));
    }

    let name = "countersign_webhook_deliveries_total";
    page.family(name, "counter", "Calls to webhooks by this node, by how they ended.");
    for (outcome, count) in engine.delivery_counts().read() {
        page.sample(name, &[("outcome", outcome.name())], count);
    }
    let age = engine.store().oldest_undelivered().await?.map_or(0, |oldest| engine.now().since(oldest).max(0));
    let help = "Age of the oldest event that a webhook was called for and has not taken.";
    page.single("countersign_webhook_oldest_seconds", "gauge", help, seconds(age));

    sizes(&mut page, &engine.housekeeping_status(), engine.now());

    let stats = engine.store().stats();
    let sizes = (0..stats.groups.len()).map(|n| {
        let last = n + 1 == stats.groups.len();
        (if last { "+Inf".to_owned() } else { (1_u64 << n).to_string() }, stats.groups[n])
    });
    let sizes: Vec<_> = sizes.collect();
    #[expect(clippy::cast_precision_loss, reason = "a sum to look at")]
    let jobs = stats.jobs as f64;
    page.histogram("countersign_commit_group_size", "Decisions that shared a commit.", &sizes, jobs);
    let bounds = store::COMMIT_BOUNDS.iter().map(|micros| seconds_of(*micros).to_string());
    let took: Vec<_> = bounds.chain(["+Inf".to_owned()]).zip(stats.took).collect();
    page.histogram(
        "countersign_commit_seconds",
        "How long a commit took, from its first statement until it was durable.",
        &took,
        seconds_of(stats.took_micros),
    );
    let help = "Groups run once more because one of their decisions failed.";
    page.single("countersign_commit_reruns_total", "counter", help, stats.rerun_groups);
    Ok(page.0)
}

/// How large the database was when the clean-up counted it (SEC 87). Nothing is counted here.
fn sizes(page: &mut Page, watched: &engine::HousekeepingStatus, now: Timestamp) {
    let age = |at: Timestamp| seconds(now.since(at).max(0));
    if let Some(swept_at) = watched.swept_at {
        let help = "Time since this node has cleaned up what is over.";
        page.single("countersign_cleanup_age_seconds", "gauge", help, age(swept_at));
    }
    let Some((sizes, counted_at)) = &watched.sizes else { return };
    let name = "countersign_table_rows";
    page.family(name, "gauge", "Rows of tables that callers make grow, counted up to a million.");
    for (table, rows) in &sizes.rows {
        page.sample(name, &[("table", table)], rows);
    }
    page.single("countersign_audit_entries", "gauge", "Entries of the audit trail, at most.", sizes.audit_entries);
    let oldest = sizes.oldest_entry.map_or(0.0, age);
    page.single("countersign_audit_oldest_seconds", "gauge", "Age of the oldest of them.", oldest);
    page.single("countersign_database_bytes", "gauge", "Bytes of the database.", sizes.bytes);
    let help = "Bytes of the log that is folded into it later; 0 with PostgreSQL.";
    page.single("countersign_database_log_bytes", "gauge", help, sizes.log_bytes);
    page.single("countersign_sizes_age_seconds", "gauge", "Time since these were counted.", age(*counted_at));
}

/// Counts of endings by route and country.
fn endings(page: &mut Page, name: &str, routes: &[RouteHealth], counts: fn(&RouteHealth) -> &BTreeMap<Ending, u64>) {
    for route in routes {
        let (channel, provider) = (route.channel.name(), route.provider.as_str());
        for (ending, count) in counts(route) {
            let (country, outcome) = (ending.country.unwrap_or_default(), ending.outcome);
            let labels = [("channel", channel), ("provider", provider), ("country", country), ("outcome", outcome)];
            page.sample(name, &labels, count);
        }
    }
}

/// How the messages of the day stand (SEC 33). Clients are named by their row, as in the log.
fn messages(page: &mut Page, budgets: &[MessageBudget]) {
    let mut family = |name: &str, help: &str, value: fn(&MessageBudget) -> i64| {
        page.family(name, "gauge", help);
        for budget in budgets {
            let of = match budget.owner {
                BudgetOwner::Server => String::new(),
                BudgetOwner::Client(client) => client.0.to_string(),
            };
            page.sample(name, &[("client", &of)], value(budget));
        }
    };
    let help = "Messages of this day (UTC) that nodes have taken to send; of all clients together where none is named.";
    family("countersign_messages_taken", help, |budget| budget.taken);
    family("countersign_messages_ceiling", "The most of a day.", |budget| budget.limit);
    let help = "What that has reached, in percent: 0, 80 or 100.";
    family("countersign_messages_alarm", help, |budget| budget.alarm.into());
}

/// How the caps on what messages cost stand (SEC 101), in units of the currency. Those of clients and countries name them.
fn spending(page: &mut Page, budgets: &[SpendBudget]) {
    let mut family = |name: &str, help: &str, value: fn(&SpendBudget) -> String| {
        page.family(name, "gauge", help);
        for budget in budgets {
            let (client, country) = match budget.owner {
                SpendOwner::Server => (String::new(), ""),
                SpendOwner::Client(client) => (client.0.to_string(), ""),
                SpendOwner::Country(country) => (String::new(), country),
            };
            page.sample(name, &[("client", &client), ("country", country)], value(budget));
        }
    };
    let help = "What nodes have taken to spend on messages this day (UTC), in units of the currency of the prices.";
    family("countersign_spend_taken", help, |budget| amount(budget.taken));
    family("countersign_spend_cap", "The most of a day.", |budget| amount(budget.cap));
    let help = "What that has reached, in percent: 0, 80 or 100.";
    family("countersign_spend_alarm", help, |budget| budget.alarm.to_string());
}

/// The prefixes to which nothing is sent, or only trial messages (SEC 102). A block is counted, and not named.
fn prefixes(page: &mut Page, closed: &ClosedPrefixes) {
    let name = "countersign_prefixes_closed";
    page.family(
        name,
        "gauge",
        "Countries, and blocks of a thousand numbers, that are closed: their messages are rarely answered.",
    );
    for country in &closed.countries {
        page.sample(name, &[("kind", "country"), ("country", country)], 1);
    }
    page.sample(name, &[("kind", "block"), ("country", "")], closed.blocks);
}

/// A factor's name in a label.
pub(crate) fn label(factor: FactorKind) -> &'static str {
    match factor {
        FactorKind::Totp => "totp",
        FactorKind::Hotp => "hotp",
        FactorKind::Sms => "sms",
        FactorKind::Voice => "voice",
        FactorKind::Email => "email",
        FactorKind::Push => "push",
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds to look at")]
fn seconds(millis: i64) -> f64 {
    millis as f64 / 1e3
}

#[expect(clippy::cast_precision_loss, reason = "microseconds to look at")]
fn seconds_of(micros: u64) -> f64 {
    micros as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_counts_upwards() {
        let mut page = Page(String::new());
        let counts = [("1".to_owned(), 2), ("2".to_owned(), 0), ("+Inf".to_owned(), 3)];
        page.histogram("x", "What.", &counts, 1.5);
        let expected = "# HELP x What.\n# TYPE x histogram\nx_bucket{le=\"1\"} 2\nx_bucket{le=\"2\"} 2\n\
            x_bucket{le=\"+Inf\"} 5\nx_sum 1.5\nx_count 5\n";
        assert_eq!(page.0, expected);
    }
}
