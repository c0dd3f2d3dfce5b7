//! Prints API clients: lists, facts and new secrets.

use domain::model::long_poll::LongPoll;
use domain::model::time::SECOND;
use domain::{Client, Network, Scope, Timestamp, WebOtpHost};
use engine::ClientLimits;
use onelogin::{CompatProfile, ScopeName as _, wire_time};
use serde_json::{Value, json};

use crate::cli::report::Report;

pub(super) fn list(clients: &[Client], now: Timestamp) -> Report {
    let rows = clients
        .iter()
        .map(|client| {
            vec![
                client.client_id.clone(),
                client.name.clone(),
                client.scope.name().to_owned(),
                client.profile.name().to_owned(),
                client.options.holding.to_string(),
                on_off(client.options.number_matching).to_owned(),
                allowed(client),
                endings(client),
                state(client, now),
            ]
        })
        .collect();
    let header = ["client_id", "name", "scope", "profile", "hold", "number", "networks", "secrets", "state"];
    Report::table(clients.iter().map(json).collect(), header, rows)
}

pub(super) fn show(client: &Client, now: Timestamp) -> Report {
    let mut text = vec![format!("Client {}", client.client_id), format!("  name             {}", client.name)];
    text.extend(facts(client));
    text.push(format!("  secrets          {}", endings(client)));
    text.push(format!("  state            {}", state(client, now)));
    Report::lines(json(client), text)
}

pub(super) fn changed(client: &Client) -> Report {
    let mut text = vec![format!("Client {} changed.", client.client_id)];
    text.extend(facts(client));
    Report::lines(json(client), text)
}

pub(super) fn new_secret(client: &Client, secret: &str, said: &str) -> Report {
    let json = json!({
        "client_id": client.client_id,
        "client_secret": secret,
        "scope": client.scope.name(),
        "profile": client.profile.name(),
    });
    let text = vec![
        said.to_owned(),
        format!("  client_id      {}", client.client_id),
        format!("  client_secret  {secret}"),
        format!("  scope          {}", client.scope.name()),
        format!("  profile        {}", client.profile.name()),
        "The secret is shown this once.".to_owned(),
    ];
    Report::lines(json, text)
}

/// The answer for a client that exists already: its secret is not shown a second time.
pub(super) fn kept(
    client: &Client,
    scope: Scope,
    profile: CompatProfile,
    limits: &ClientLimits,
) -> Result<Report, String> {
    if client.scope != scope || client.profile != profile.into() {
        return Err(format!(
            "there is a client \"{}\" with scope \"{}\" and profile {}; choose another --name, or revoke it first",
            client.name,
            client.scope.name(),
            client.profile.name()
        ));
    }
    if !are_same(&client.ip_allow, &limits.ip_allow) || client.expires_at != limits.expires_at {
        return Err(format!(
            "there is a client \"{}\" with networks {} and expiry {}; choose another --name, or change it with `countersign \
             client set`",
            client.name,
            allowed(client),
            expires(client),
        ));
    }
    let mut json = json(client);
    json["created"] = false.into();
    let said = format!(
        "Client {} exists already; its secret is not shown again (`countersign client rotate` makes a new one).",
        client.client_id
    );
    Ok(Report::line(json, said))
}

fn json(client: &Client) -> Value {
    json!({
        "client_id": client.client_id,
        "name": client.name,
        "scope": client.scope.name(),
        "profile": client.profile.name(),
        "hold": hold(client.options.holding),
        "number_matching": client.options.number_matching,
        "sent_type": sent_type(client),
        "webotp_host": client.options.webotp_host,
        "allow_ip": client.ip_allow,
        "expires_at": client.expires_at.map(|at| wire_time::with_millis(at.0)),
        "secret_endings": client.secrets.iter().map(|s| &s.last4).collect::<Vec<_>>(),
        "revoked": client.revoked_at.is_some(),
    })
}

/// The scope, and everything that can be changed.
fn facts(client: &Client) -> [String; 8] {
    [
        format!("  scope            {}", client.scope.name()),
        format!("  profile          {}", client.profile.name()),
        format!("  hold             {}", client.options.holding),
        format!("  number matching  {}", on_off(client.options.number_matching)),
        format!("  sent type        {}", sent_type(client)),
        format!("  WebOTP host      {}", client.options.webotp_host.as_ref().map_or("none", WebOtpHost::name)),
        format!("  networks         {}", allowed(client)),
        format!("  expires          {}", expires(client)),
    ]
}

/// Whether two lists allow the same networks, in any order.
fn are_same(some: &[Network], others: &[Network]) -> bool {
    let holds = |list: &[Network], all: &[Network]| all.iter().all(|network| list.contains(network));
    holds(some, others) && holds(others, some)
}

fn endings(client: &Client) -> String {
    client.secrets.iter().map(|s| format!("…{}", s.last4)).collect::<Vec<_>>().join(" ")
}

fn state(client: &Client, now: Timestamp) -> String {
    match client.expires_at {
        _ if client.revoked_at.is_some() => "revoked".to_owned(),
        Some(_) if !client.is_live(now) => "expired".to_owned(),
        Some(at) => format!("live until {}", wire_time::with_seconds(at.0)),
        None => "live".to_owned(),
    }
}

fn allowed(client: &Client) -> String {
    if client.ip_allow.is_empty() {
        return "any".to_owned();
    }
    client.ip_allow.iter().map(Network::to_string).collect::<Vec<_>>().join(" ")
}

fn on_off(is_on: bool) -> &'static str {
    if is_on { "on" } else { "off" }
}

fn expires(client: &Client) -> String {
    client.expires_at.map_or_else(|| "never".to_owned(), |at| wire_time::with_seconds(at.0))
}

/// The name of a sent text message at `login/verify_factor`.
fn sent_type(client: &Client) -> &'static str {
    if client.options.sent_is_pending { "pending" } else { "success" }
}

/// A hold as `client set` reads it.
fn hold(holding: LongPoll) -> Value {
    match holding {
        LongPoll::Off => "off".into(),
        LongPoll::Fixed(span) => (span / SECOND).into(),
        LongPoll::Adaptive { .. } => "adaptive".into(),
    }
}
