//! What kind of installation a database holds, and who may open it: a dev world and an installation that is served never
//! become one (rulings 4).

use anyhow::bail;
use store::{Known, Store, World};

use crate::config::Config;
use crate::database::Database;
use crate::folder::Folder;

/// A file that only a dev world has beside its database.
pub(crate) const DEV_FILE: &str = "dev-world.json";

/// Refuses a database of the other world, and marks one that has no mark yet.
pub(crate) async fn claim(store: &Store, world: World, config: &Config, folder: &Folder) -> anyhow::Result<()> {
    let known = store.world(has_traces(config, folder)).await?;
    judge(known, world)?;
    if matches!(known, Known::Marked(_)) {
        return Ok(());
    }
    // Another process may mark it at the same moment.
    judge(Known::Marked(store.mark_world(world).await?), world)?;
    if matches!(known, Known::Unmarked(_)) {
        tracing::info!(
            world = world.name(),
            "this installation is marked from now on, and the other command refuses it"
        );
    }
    Ok(())
}

/// Whether a dev world's file lies in the folder of the database. A server's database is a dev world by its own tables
/// only, since folders can be combined with any database.
fn has_traces(config: &Config, folder: &Folder) -> bool {
    matches!(config.database, Database::Sqlite) && folder.file(DEV_FILE).exists()
}

fn judge(known: Known, world: World) -> anyhow::Result<()> {
    match (known.world(), world) {
        (Some(World::Serve), World::Dev) => {
            bail!(
                "this installation is production; a dev world needs its own: --data-dir DIR (empty), and no database of \
                 another installation"
            )
        }
        (Some(World::Dev), World::Serve) => {
            bail!(
                "this installation is a dev world, whose credentials lie in clear beside it; production needs its own: \
                 --data-dir DIR (empty), and no database of another installation"
            )
        }
        _ => Ok(()),
    }
}
