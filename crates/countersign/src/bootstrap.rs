//! The client that the first start makes, for installations without a person at the command line: containers and scripts
//! (SEC 106). Its id and secret are drawn, and written once to a file for its owner alone.

use std::path::Path;

use anyhow::{Context as _, bail};
use config::{BootstrapClient, BootstrapConfig};
use engine::{Bootstrapped, Engine};
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
        keep(&pair, file).map_err(|error| format!("{error:#}"))?;
        kept = Some(pair);
        Ok(())
    });
    match made.await.with_context(|| format!("the client \"{name}\" of bootstrap.client cannot be made"))? {
        Bootstrapped::Made(id) => tracing::info!(client = id.0, file = %file.display(), "bootstrap client created"),
        Bootstrapped::Known => tracing::debug!(name, "the bootstrap client exists"),
        Bootstrapped::MadeElsewhere => {
            // The node that made it may write to the same file.
            let ours =
                kept.is_some_and(|kept| found(file).is_some_and(|found| found.client_secret == kept.client_secret));
            if ours {
                let _ = std::fs::remove_file(file);
            }
            tracing::debug!(name, "another node has made the bootstrap client");
        }
    }
    Ok(())
}

/// The pair in a file, if it is a file of ours.
fn found(file: &Path) -> Option<Pair> {
    std::fs::symlink_metadata(file).is_ok_and(|found| found.is_file()).then_some(())?;
    serde_json::from_str(&std::fs::read_to_string(file).ok()?).ok()
}

/// Writes the pair. It takes the place of one that an earlier start of this installation has left: the id shows it. Any other file
/// stays, and a link is not followed.
fn keep(pair: &Pair, file: &Path) -> anyhow::Result<()> {
    match std::fs::symlink_metadata(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("{} cannot be looked at", file.display())),
        Ok(_) if found(file).is_some_and(|found| found.client_id == pair.client_id) => {}
        Ok(_) => bail!(
            "bootstrap.client_file: {} exists and is not the file of this client in this installation; remove it, or name another \
             file",
            file.display()
        ),
    }
    write_private(file, &format!("{}\n", serde_json::to_string_pretty(pair)?))
}
