//! Finds the client that a command names.

use clap::Args;
use domain::Client;
use domain::model::name::alike;
use engine::Engine;
use serde::{Deserialize, Serialize};

use crate::cli::report::sentence;

/// Fewest characters of a `client_id` that select a client.
const SHORTEST: usize = 4;

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

/// A client, as the command line names it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ClientSelector {
    /// A `client_id`, or the beginning of one.
    Id(String),
    Name(String),
}

impl From<SelectorArgs> for ClientSelector {
    fn from(args: SelectorArgs) -> Self {
        match args.name {
            Some(name) => Self::Name(name),
            None => Self::Id(args.client_id.unwrap_or_default()),
        }
    }
}

impl std::fmt::Display for ClientSelector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Id(id) => f.write_str(id),
            Self::Name(name) => write!(f, "\"{name}\""),
        }
    }
}

pub(super) async fn find(engine: &Engine, which: &ClientSelector) -> Result<Client, String> {
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

pub(super) async fn live_of_name(engine: &Engine, name: &str) -> Result<Option<Client>, String> {
    let all = engine.clients().await.map_err(sentence)?;
    let live = all.into_iter().filter(|client| client.revoked_at.is_none());
    Ok(alike(name, live, |client| &client.name).into_iter().next())
}

pub(super) fn missing(which: &ClientSelector) -> String {
    match which {
        ClientSelector::Id(id) if id.len() < SHORTEST => {
            format!("{id} is too short for the beginning of a client_id: give at least {SHORTEST} characters")
        }
        _ => format!("there is no client {which}; `countersign client list` shows all of them"),
    }
}
