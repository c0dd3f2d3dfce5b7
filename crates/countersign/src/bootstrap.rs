//! The client that the first start makes, for installations without a person at the command line: containers and scripts
//! (SEC 106). Its id and secret are drawn, and written once to a file for its owner alone.

use std::path::Path;

use anyhow::{Context as _, bail};
use config::{BootstrapClient, BootstrapConfig};
use engine::{Engine, NewClientSecret};
use onelogin::ScopeName as _;
use serde::{Deserialize, Serialize};

use crate::installation::data_dir::write_private;

/// The content of the file.
#[derive(Serialize, Deserialize)]
struct Pair {
    name: String,
    client_id: String,
    client_secret: String,
    scope: String,
}

/// Makes the configured client, if there is none of its name.
pub(crate) async fn make(engine: &Engine, config: &BootstrapConfig) -> anyhow::Result<()> {
    let Some(BootstrapClient { name, scope, file }) = &config.client else { return Ok(()) };
    let mut kept = false;
    let made = engine
        .bootstrap_client(name, *scope, |made| {
            keep(made, file).map_err(|error| format!("{error:#}"))?;
            kept = true;
            Ok(())
        })
        .await;
    if kept && !matches!(made, Ok(Some(_))) {
        // It works nowhere: another node was first, or the database was away.
        let _ = std::fs::remove_file(file);
    }
    match made.with_context(|| format!("the client \"{name}\" of bootstrap.client cannot be made"))? {
        Some(client) => tracing::info!(client = client.id.0, file = %file.display(), "bootstrap client created"),
        None => tracing::debug!(name, "the bootstrap client exists"),
    }
    Ok(())
}

/// Writes the pair. A file that another program wrote stays, and a link is not followed.
fn keep(made: &NewClientSecret, file: &Path) -> anyhow::Result<()> {
    match std::fs::symlink_metadata(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("{} cannot be looked at", file.display())),
        Ok(found) => {
            let is_ours = found.is_file()
                && std::fs::read_to_string(file).is_ok_and(|text| {
                    serde_json::from_str::<Pair>(&text).is_ok_and(|pair| pair.name == made.client.name)
                });
            if !is_ours {
                bail!(
                    "bootstrap.client_file: {} exists and is not the file of this client; remove it, or name another file",
                    file.display()
                );
            }
        }
    }
    let client = &made.client;
    let pair = Pair {
        name: client.name.clone(),
        client_id: client.client_id.clone(),
        client_secret: made.secret.clone(),
        scope: client.scope.name().to_owned(),
    };
    write_private(file, &format!("{}\n", serde_json::to_string_pretty(&pair)?))
}
