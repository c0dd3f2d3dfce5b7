//! `countersign client`: API clients.

use std::process::ExitCode;

use clap::{ArgAction, Args, Subcommand};
use domain::model::long_poll::LongPoll;
use domain::model::name::alike;
use domain::model::time::SECOND;
use domain::rules::client::{Choice, Expiry};
use domain::{Client, ClientOptions, Network, Scope, Timestamp};
use engine::{BadNetwork, ClientLimits, Engine};
use onelogin::{CompatProfile, ScopeName as _, wire_time};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cli::report::{Report, sentence};
use crate::cli::request::Request;
use crate::cli::run::{OutputArgs, run, run_as, run_if_agreed, writing};
use crate::installation::Intent;

/// Fewest characters of a `client_id` that select a client.
const SHORTEST: usize = 4;

#[derive(Debug, Subcommand)]
pub(crate) enum ClientArgs {
    /// Create an API client; its secret is shown once
    Create {
        /// "Manage All", "Read All", "Manage users", "Read Users" or "Authentication Only"
        #[arg(long, value_parser = parse_scope)]
        scope: Scope,
        /// `default`, `python4`, `numeric_ids` or `docs_literal`
        #[arg(long, value_parser = parse_profile, default_value = "default")]
        profile: CompatProfile,
        /// Name for people
        #[arg(long, default_value = "")]
        name: String,
        /// Change nothing if there is a live client of this --name, scope and profile
        #[arg(long, requires = "name")]
        if_missing: bool,
        /// How long polls are held until the person answers: `off`, `adaptive`, or a number of seconds up to 25
        #[arg(long, value_parser = LongPoll::parse, default_value = "adaptive")]
        hold: LongPoll,
        /// `on` or `off`: whether people type a number that this client shows them before they accept a prompt
        #[arg(
            long, value_name = "ON|OFF", value_parser = on_or_off, action = ArgAction::Set,
            default_value = "off", num_args = 0..=1, default_missing_value = "on"
        )]
        number_matching: bool,
        /// Name that `login/verify_factor` gives a text message that was sent: `success`, as documented, or `pending`
        #[arg(long, value_name = "TYPE", value_parser = parse_sent_type, default_value = "success", action = ArgAction::Set)]
        sent_type: bool,
        #[command(flatten)]
        limits: LimitArgs,
        /// Create the installation if there is none, for `countersign serve` to start on
        #[arg(long)]
        init: bool,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// List API clients
    List {
        /// Show whole ids, however wide the table becomes
        #[arg(long)]
        full: bool,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Show an API client
    Show {
        #[command(flatten)]
        which: SelectorArgs,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Revoke an API client and all its tokens
    Revoke {
        #[command(flatten)]
        which: SelectorArgs,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Change a client's profile, hold, number matching, sent type, networks or expiry
    Set {
        #[command(flatten)]
        which: SelectorArgs,
        /// `default`, `python4`, `numeric_ids` or `docs_literal`
        #[arg(long, value_parser = parse_profile, required_unless_present_any = ["number_matching", "hold", "sent_type", "allow_ip", "expires"])]
        profile: Option<CompatProfile>,
        /// `off`, `adaptive`, or a number of seconds up to 25; `adaptive` forgets what was learnt
        #[arg(long, value_parser = LongPoll::parse)]
        hold: Option<LongPoll>,
        /// `on` or `off`: whether people type a number that this client shows them before they accept a prompt
        #[arg(long, value_name = "ON|OFF", value_parser = on_or_off)]
        number_matching: Option<bool>,
        /// Name that `login/verify_factor` gives a text message that was sent: `success`, as documented, or `pending`
        #[arg(long, value_name = "TYPE", value_parser = parse_sent_type)]
        sent_type: Option<bool>,
        #[command(flatten)]
        limits: LimitArgs,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Make a new secret; the previous one works until the next rotation
    Rotate {
        #[command(flatten)]
        which: SelectorArgs,
        #[command(flatten)]
        output: OutputArgs,
    },
}

/// Limits on where and until when a client may call.
#[derive(Debug, Args)]
pub(crate) struct LimitArgs {
    /// Refuse calls from other addresses than these networks, such as `10.0.0.0/8` or `2001:db8::1`; `none` allows all
    #[arg(long, value_name = "NETWORK", num_args = 1.., value_delimiter = ',', value_parser = parse_allowed)]
    allow_ip: Option<Vec<Allowed>>,
    /// Refuse calls from this time on, such as 2027-01-01 or 2027-01-01T09:00:00+01:00; `none` sets no end
    #[arg(long, value_name = "TIME", value_parser = parse_expiry)]
    expires: Option<Expiry>,
}

/// A value of `--allow-ip`.
#[derive(Debug, Clone, Copy)]
enum Allowed {
    /// `none`: no list.
    Any,
    Network(Network),
}

/// Selects a client.
#[derive(Debug, Args)]
pub(crate) struct SelectorArgs {
    /// `client_id` of the client, or the beginning of it
    #[arg(required_unless_present = "name", conflicts_with = "name")]
    client_id: Option<String>,
    /// Name of the client, instead of its id
    #[arg(long)]
    name: Option<String>,
}

impl From<SelectorArgs> for ClientSelector {
    fn from(args: SelectorArgs) -> Self {
        match args.name {
            Some(name) => Self::Name(name),
            None => Self::Id(args.client_id.unwrap_or_default()),
        }
    }
}

impl ClientArgs {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Create {
                scope,
                profile,
                name,
                if_missing,
                hold,
                number_matching,
                sent_type,
                limits,
                init,
                output,
            } => {
                let ip_allow = networks(limits.allow_ip.as_deref().unwrap_or_default())?;
                let expires_at = limits.expires.and_then(Expiry::at);
                let options = ClientOptions { holding: hold, number_matching, sent_is_pending: sent_type };
                let request = ClientRequest::Create { name, scope, profile, options, ip_allow, expires_at, if_missing };
                run_as(writing(init), &output, request, false)
            }
            Self::Set { which, profile, hold, number_matching, sent_type, limits, output } => {
                let choice = Choice {
                    holding: hold,
                    number_matching,
                    sent_is_pending: sent_type,
                    profile: profile.map(Into::into),
                    ip_allow: limits.allow_ip.as_deref().map(networks).transpose()?,
                    expiry: limits.expires,
                };
                run(&output, ClientRequest::Set(which.into(), choice))
            }
            Self::List { full, output } => run_as(Intent::Read, &output, ClientRequest::List, full),
            Self::Show { which, output } => run(&output, ClientRequest::Show(which.into())),
            Self::Revoke { which, yes, output } => {
                let which = ClientSelector::from(which);
                let question = format!("Revoke client {which}? Everything that uses it stops working.");
                run_if_agreed(yes, &question, &output, ClientRequest::Revoke(which))
            }
            Self::Rotate { which, output } => run(&output, ClientRequest::Rotate(which.into())),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ClientRequest {
    Create {
        name: String,
        scope: Scope,
        profile: CompatProfile,
        options: ClientOptions,
        /// Empty means any.
        ip_allow: Vec<Network>,
        expires_at: Option<Timestamp>,
        /// Keep a live client of this name.
        if_missing: bool,
    },
    List,
    Show(ClientSelector),
    Revoke(ClientSelector),
    Rotate(ClientSelector),
    Set(ClientSelector, Choice),
}

/// A client, as the command line names it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ClientSelector {
    /// A `client_id`, or the beginning of one.
    Id(String),
    Name(String),
}

impl std::fmt::Display for ClientSelector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Id(id) => f.write_str(id),
            Self::Name(name) => write!(f, "\"{name}\""),
        }
    }
}

impl Request for ClientRequest {
    const NOUN: &'static str = "client";

    fn intent(&self) -> Intent {
        match self {
            Self::List | Self::Show(_) => Intent::Read,
            Self::Create { .. } | Self::Revoke(_) | Self::Rotate(_) | Self::Set(..) => Intent::Write,
        }
    }

    async fn execute(self, engine: &Engine) -> Result<Report, String> {
        match self {
            Self::Create { name, scope, profile, options, ip_allow, expires_at, if_missing } => {
                if if_missing && let Some(known) = live_of_name(engine, &name).await? {
                    return kept(&known, scope, profile);
                }
                let limits = ClientLimits { ip_allow, expires_at };
                let made =
                    engine.create_client(&name, scope, profile.into(), options, limits).await.map_err(sentence)?;
                Ok(new_secret(&made.client, &made.secret, "Client created."))
            }
            Self::List => Ok(list(&engine.clients().await.map_err(sentence)?, engine.now())),
            Self::Show(which) => Ok(show(&find(engine, &which).await?, engine.now())),
            Self::Revoke(which) => {
                let id = find(engine, &which).await?.client_id;
                let revoked = engine.revoke_client(&id).await.map_err(sentence)?.ok_or_else(|| missing(&which))?;
                let json = json!({ "client_id": revoked.client_id, "revoked": true });
                Ok(Report::line(json, format!("Client {} is revoked; its tokens no longer work.", revoked.client_id)))
            }
            Self::Rotate(which) => {
                let id = find(engine, &which).await?.client_id;
                let made = engine.rotate_client(&id).await.map_err(sentence)?.ok_or_else(|| {
                    format!("client {which} is revoked or has expired; make another with `countersign client create`")
                })?;
                Ok(new_secret(
                    &made.client,
                    &made.secret,
                    "New secret made; the one before works until the next rotation.",
                ))
            }
            Self::Set(which, choice) => {
                let id = find(engine, &which).await?.client_id;
                let set = engine.choose_for_client(&id, choice).await.map_err(sentence)?;
                Ok(changed(&set.ok_or_else(|| missing(&which))?))
            }
        }
    }
}

fn parse_scope(text: &str) -> Result<Scope, String> {
    let known: Vec<String> = Scope::ALL.iter().map(|scope| format!("{:?}", scope.name())).collect();
    Scope::from_name(text).ok_or_else(|| format!("the scopes are {}", known.join(", ")))
}

/// Whether a sent message is called `pending`.
fn parse_sent_type(text: &str) -> Result<bool, &'static str> {
    match text {
        "pending" => Ok(true),
        "success" => Ok(false),
        _ => Err("a sent message is called success or pending"),
    }
}

fn on_or_off(text: &str) -> Result<bool, &'static str> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("it is on or off"),
    }
}

fn parse_allowed(text: &str) -> Result<Allowed, BadNetwork> {
    if text.eq_ignore_ascii_case("none") { Ok(Allowed::Any) } else { text.parse().map(Allowed::Network) }
}

/// The list of networks in the values of `--allow-ip`; empty for `none`.
fn networks(values: &[Allowed]) -> anyhow::Result<Vec<Network>> {
    let networks: Vec<Network> = values
        .iter()
        .filter_map(|value| if let Allowed::Network(network) = value { Some(*network) } else { None })
        .collect();
    let is_mixed = !networks.is_empty() && networks.len() < values.len();
    anyhow::ensure!(!is_mixed, "--allow-ip takes networks, or `none` alone");
    Ok(networks)
}

fn parse_expiry(text: &str) -> Result<Expiry, &'static str> {
    if text.eq_ignore_ascii_case("none") {
        return Ok(Expiry::Never);
    }
    let at = wire_time::read(text).map(|at| Expiry::At(Timestamp(at)));
    at.ok_or("write a time as 2027-01-01T09:00:00Z, or a date, or `none`")
}

fn parse_profile(text: &str) -> Result<CompatProfile, String> {
    let known: Vec<&str> = CompatProfile::ALL.iter().map(|profile| profile.name()).collect();
    CompatProfile::from_name(text).ok_or_else(|| format!("the profiles are {}", known.join(", ")))
}

async fn find(engine: &Engine, which: &ClientSelector) -> Result<Client, String> {
    if let ClientSelector::Id(id) = which
        && let Some(client) = engine.client(id).await.map_err(sentence)?
    {
        return Ok(client);
    }
    let all = engine.clients().await.map_err(sentence)?;
    let mut found: Vec<Client> = match which {
        ClientSelector::Id(start) if start.len() < SHORTEST => Vec::new(),
        ClientSelector::Id(start) => {
            all.into_iter().filter(|client| client.client_id.starts_with(start.as_str())).collect()
        }
        ClientSelector::Name(name) => {
            // The exact spelling first, even of a revoked client: a repeated command must not select another client.
            let named = alike(name, all, |client| &client.name);
            let (live, revoked): (Vec<_>, Vec<_>) = named.into_iter().partition(|client| client.revoked_at.is_none());
            if live.is_empty() { revoked } else { live }
        }
    };
    match (found.pop(), found.is_empty()) {
        (Some(client), true) => Ok(client),
        (None, _) => Err(missing(which)),
        (Some(last), false) => {
            let ids: Vec<_> = found.iter().chain([&last]).map(|client| client.client_id.as_str()).collect();
            Err(format!("{which} fits {} clients; give one of these ids: {}", ids.len(), ids.join(", ")))
        }
    }
}

async fn live_of_name(engine: &Engine, name: &str) -> Result<Option<Client>, String> {
    let all = engine.clients().await.map_err(sentence)?;
    let live = all.into_iter().filter(|client| client.revoked_at.is_none());
    Ok(alike(name, live, |client| &client.name).into_iter().next())
}

/// The answer for a client that exists already: its secret is not shown a second time.
fn kept(client: &Client, scope: Scope, profile: CompatProfile) -> Result<Report, String> {
    if client.scope != scope || client.profile != profile.into() {
        return Err(format!(
            "there is a client \"{}\" with scope \"{}\" and profile {}; choose another --name, or revoke it first",
            client.name,
            client.scope.name(),
            client.profile.name()
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
        "allow_ip": client.ip_allow,
        "expires_at": client.expires_at.map(|at| wire_time::with_millis(at.0)),
        "secret_endings": client.secrets.iter().map(|s| &s.last4).collect::<Vec<_>>(),
        "revoked": client.revoked_at.is_some(),
    })
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

fn list(clients: &[Client], now: Timestamp) -> Report {
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

fn show(client: &Client, now: Timestamp) -> Report {
    let mut text = vec![format!("Client {}", client.client_id), format!("  name             {}", client.name)];
    text.extend(facts(client));
    text.push(format!("  secrets          {}", endings(client)));
    text.push(format!("  state            {}", state(client, now)));
    Report::lines(json(client), text)
}

/// The scope, and everything that can be changed.
fn facts(client: &Client) -> [String; 7] {
    [
        format!("  scope            {}", client.scope.name()),
        format!("  profile          {}", client.profile.name()),
        format!("  hold             {}", client.options.holding),
        format!("  number matching  {}", on_off(client.options.number_matching)),
        format!("  sent type        {}", sent_type(client)),
        format!("  networks         {}", allowed(client)),
        format!("  expires          {}", expires(client)),
    ]
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

fn changed(client: &Client) -> Report {
    let mut text = vec![format!("Client {} changed.", client.client_id)];
    text.extend(facts(client));
    Report::lines(json(client), text)
}

fn new_secret(client: &Client, secret: &str, said: &str) -> Report {
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

fn missing(which: &ClientSelector) -> String {
    match which {
        ClientSelector::Id(id) if id.len() < SHORTEST => {
            format!("{id} is too short for the beginning of a client_id: give at least {SHORTEST} characters")
        }
        _ => format!("there is no client {which}; `countersign client list` shows all of them"),
    }
}
