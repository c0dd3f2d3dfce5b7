//! The client that the first start makes, for installations without a person at the command line: containers and scripts
//! (SEC 106). Its id and secret are drawn, and written once to a file for its owner alone.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use config::{BootstrapClient, BootstrapConfig};
use domain::Digest;
use engine::{Bootstrapped, Engine};
use onelogin::ScopeName as _;
use serde::{Deserialize, Serialize};

use crate::installation::data_dir::{write_private, write_private_new};
use crate::installation::disk;

/// The content of the file.
#[derive(Serialize, Deserialize)]
struct Pair {
    name: String,
    client_id: String,
    client_secret: String,
    scope: String,
}

/// Characters of a client's secret.
const SECRET: usize = 64;

/// Makes the configured client, if there is none of its name. Of starts on one data folder one does at a time.
pub(crate) async fn make(engine: &Engine, config: &BootstrapConfig) -> anyhow::Result<()> {
    let Some(BootstrapClient { name, scope, file }) = &config.client else { return Ok(()) };
    let mut kept = None;
    let made = engine.bootstrap_client(name, *scope, |made| {
        let pair = Pair {
            name: made.client.name.clone(),
            client_id: made.client.client_id.clone(),
            client_secret: made.secret.clone(),
            scope: made.client.scope.name().to_owned(),
        };
        let secret = keep(pair, file).map_err(|error| format!("{error:#}"))?;
        kept = Some(secret.clone());
        Ok(secret)
    });
    match made.await.with_context(|| format!("the client \"{name}\" of bootstrap.client cannot be made"))? {
        Bootstrapped::Made(id) => tracing::info!(client = id.0, file = %file.display(), "bootstrap client created"),
        Bootstrapped::Known(client) => {
            let is_dead = found(file).is_some_and(|pair| {
                let digest = Digest::of(pair.client_secret.as_bytes());
                pair.client_id == client.client_id && client.secrets.iter().all(|secret| secret.digest != digest)
            });
            if is_dead {
                tracing::warn!(
                    client = client.id.0,
                    file = %file.display(),
                    "the file of bootstrap.client_file holds a secret that works no more: remove the file; countersign client \
                     rotate makes a new secret"
                );
            }
        }
        Bootstrapped::MadeElsewhere => {
            // The node that made it has another file.
            if kept.is_some_and(|kept| found(file).is_some_and(|found| found.client_secret == kept)) {
                let _ = std::fs::remove_file(file);
            }
            tracing::debug!(name, "another node has made the bootstrap client");
        }
    }
    Ok(())
}

/// The pair in a file, if it is a file of ours.
fn found(file: &Path) -> Option<Pair> {
    let metadata = std::fs::symlink_metadata(file).ok()?;
    let for_others = metadata.mode() & 0o077;
    let is_ours = metadata.is_file() && for_others == 0 && Some(metadata.uid()) == disk::whoami();
    let pair: Pair = serde_json::from_str(&is_ours.then(|| std::fs::read_to_string(file).ok())??).ok()?;
    let is_secret =
        pair.client_secret.len() == SECRET && pair.client_secret.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_secret.then_some(pair)
}

/// Writes the pair, and returns the secret in the file. A pair that an earlier start of this installation has left stays: the id
/// shows it. Any other file stays too and is an error, and a link is not followed.
fn keep(pair: Pair, file: &Path) -> anyhow::Result<String> {
    if write_private_new(file, &format!("{}\n", serde_json::to_string_pretty(&pair)?))? {
        return Ok(pair.client_secret);
    }
    match found(file) {
        Some(found) if found.client_id == pair.client_id => {
            let again = Pair { client_secret: found.client_secret, ..pair };
            // The settings may have changed since.
            if (&again.name, &again.scope) != (&found.name, &found.scope) {
                write_private(file, &format!("{}\n", serde_json::to_string_pretty(&again)?))?;
            }
            Ok(again.client_secret)
        }
        _ => bail!(
            "bootstrap.client_file: {} exists and is not the file of this client in this installation; remove it, or name another \
             file",
            file.display()
        ),
    }
}
