//! `countersign client`: API clients, made, shown, changed and revoked.

use domain::model::long_poll::Holding;
use domain::model::name::alike;
use domain::model::time::SECOND;
use domain::rules::client::Choice;
use domain::{Client, ClientOptions, CompatProfile, Scope};
use engine::Engine;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::command::{Report, Text, lines, sentence};

/// Fewest characters of a `client_id` that name a client.
const SHORTEST: usize = 4;

/// What is asked about clients.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientCommand {
    /// `client create`
    Create {
        /// For people.
        name: String,
        /// Its one scope.
        scope: Scope,
        /// How it wants to be answered.
        profile: CompatProfile,
        /// What is chosen for it.
        options: ClientOptions,
        /// Whether a live client of this name is good enough.
        if_missing: bool,
    },
    /// `client list`
    List,
    /// `client show`
    Show(ClientSelector),
    /// `client revoke`
    Revoke(ClientSelector),
    /// `client rotate`
    Rotate(ClientSelector),
    /// `client set`
    Set(ClientSelector, Choice),
}

/// A client, as the command line names it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientSelector {
    /// By its `client_id`, or the beginning of it.
    Id(String),
    /// By its name.
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

/// Executes a command.
pub(crate) async fn execute(engine: &Engine, command: ClientCommand) -> Result<Report, String> {
    match command {
        ClientCommand::Create { name, scope, profile, options, if_missing } => {
            if if_missing && let Some(known) = live_of_name(engine, &name).await? {
                return kept(&known, scope, profile);
            }
            let made = engine.create_client(&name, scope, profile, options).await.map_err(sentence)?;
            Ok(new_secret(&made.client, &made.secret, "Client created."))
        }
        ClientCommand::List => Ok(list(&engine.clients().await.map_err(sentence)?)),
        ClientCommand::Show(which) => Ok(show(&find(engine, &which).await?)),
        ClientCommand::Revoke(which) => {
            let id = find(engine, &which).await?.client_id;
            let revoked = engine.revoke_client(&id).await.map_err(sentence)?.ok_or_else(|| missing(&which))?;
            let json = json!({ "client_id": revoked.client_id, "revoked": true });
            Ok(lines(json, vec![format!("Client {} is revoked; its tokens no longer work.", revoked.client_id)]))
        }
        ClientCommand::Rotate(which) => {
            let id = find(engine, &which).await?.client_id;
            let made = engine.rotate_client(&id).await.map_err(sentence)?.ok_or_else(|| {
                format!("client {which} is revoked or has expired; make another with `countersign client create`")
            })?;
            Ok(new_secret(&made.client, &made.secret, "New secret made; the one before works until the next rotation."))
        }
        ClientCommand::Set(which, choice) => {
            let id = find(engine, &which).await?.client_id;
            let set = engine.choose_for_client(&id, choice).await.map_err(sentence)?;
            Ok(changed(&set.ok_or_else(|| missing(&which))?))
        }
    }
}

/// The client that is meant: a whole id, the beginning of one only, or a name that one only has.
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
            // The exact spelling first, even of a revoked client: what a command is repeated for must not become another.
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

/// A script may run again: the client is there already, and its secret is shown no second time.
fn kept(client: &Client, scope: Scope, profile: CompatProfile) -> Result<Report, String> {
    if client.scope != scope || client.profile != profile {
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
        "Client {} is there already; its secret is not shown again (`countersign client rotate` makes a new one).",
        client.client_id
    );
    Ok(lines(json, vec![said]))
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
        "secret_endings": client.secrets.iter().map(|s| &s.last4).collect::<Vec<_>>(),
        "revoked": client.revoked_at.is_some(),
    })
}

fn endings(client: &Client) -> String {
    client.secrets.iter().map(|s| format!("…{}", s.last4)).collect::<Vec<_>>().join(" ")
}

fn state(client: &Client) -> &'static str {
    if client.revoked_at.is_some() { "revoked" } else { "live" }
}

fn on_off(is_on: bool) -> &'static str {
    if is_on { "on" } else { "off" }
}

fn list(clients: &[Client]) -> Report {
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
                endings(client),
                state(client).to_owned(),
            ]
        })
        .collect();
    let header =
        ["client_id", "name", "scope", "profile", "hold", "number", "secrets", "state"].map(str::to_owned).to_vec();
    Report { json: clients.iter().map(json).collect(), text: Text::Table(header, rows) }
}

fn show(client: &Client) -> Report {
    let mut text = vec![format!("Client {}", client.client_id), format!("  name             {}", client.name)];
    text.extend(facts(client));
    text.push(format!("  secrets          {}", endings(client)));
    text.push(format!("  state            {}", state(client)));
    lines(json(client), text)
}

/// What can be chosen, and the scope, which cannot.
fn facts(client: &Client) -> [String; 5] {
    [
        format!("  scope            {}", client.scope.name()),
        format!("  profile          {}", client.profile.name()),
        format!("  hold             {}", client.options.holding),
        format!("  number matching  {}", on_off(client.options.number_matching)),
        format!("  sent type        {}", sent_type(client)),
    ]
}

/// What a text message that was sent is called at `login/verify_factor`.
fn sent_type(client: &Client) -> &'static str {
    if client.options.sent_is_pending { "pending" } else { "success" }
}

/// A hold as `client set` reads it.
fn hold(holding: Holding) -> Value {
    match holding {
        Holding::Off => "off".into(),
        Holding::Fixed(span) => (span / SECOND).into(),
        Holding::Adaptive { .. } => "adaptive".into(),
    }
}

fn changed(client: &Client) -> Report {
    let mut text = vec![format!("Client {} changed.", client.client_id)];
    text.extend(facts(client));
    lines(json(client), text)
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
    lines(json, text)
}

fn missing(which: &ClientSelector) -> String {
    match which {
        ClientSelector::Id(id) if id.len() < SHORTEST => {
            format!("{id} is too short for the beginning of a client_id: give at least {SHORTEST} characters")
        }
        _ => format!("there is no client {which}; `countersign client list` shows all of them"),
    }
}
