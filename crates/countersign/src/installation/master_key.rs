//! Where the master keys come from.

use std::path::PathBuf;

use config::Config;
use domain::Keyring;
use engine::{Chance, keys};
use store::Store;

use super::data_dir::DataDir;
use super::disk;

/// The variable that holds the master keys themselves.
const VARIABLE: &str = "COUNTERSIGN_MASTER_KEY";

/// Where the master keys are.
enum Source {
    Variable(zeroize::Zeroizing<String>),
    /// A secret that an orchestrator mounts. A missing one is never created.
    Mounted(PathBuf),
    /// A file, created at the first start.
    File(PathBuf),
}

impl Source {
    fn of(config: &Config, data_dir: &DataDir) -> anyhow::Result<Self> {
        Ok(match (config::variable(VARIABLE)?, &config.storage.master_key_file) {
            (Some(text), _) => Self::Variable(text.into()),
            (None, Some(file)) if config.storage.master_key_mounted => Self::Mounted(file.clone()),
            (None, file) => Self::File(file.clone().unwrap_or_else(|| data_dir.key_file())),
        })
    }
}

/// Reads the master keys, and creates their file if this is the first start.
pub(super) async fn load(
    config: &Config,
    data_dir: &DataDir,
    store: &Store,
    chance: &dyn Chance,
) -> anyhow::Result<Keyring> {
    Ok(match Source::of(config, data_dir)? {
        Source::Variable(text) => keys::parse(&text, VARIABLE)?,
        Source::Mounted(file) => {
            let text = zeroize::Zeroizing::new(config::text_of(&file)?);
            keys::protect(&file)?;
            keys::parse(&text, &file.display().to_string())?
        }
        Source::File(file) => keys::load_or_create(&file, store, chance).await?,
    })
}

/// Whether a server that starts would find its master keys, and whether they match `key_check`. Changes nothing.
pub(crate) fn check(config: &Config, key_check: Option<Vec<u8>>) -> anyhow::Result<()> {
    let data_dir = DataDir::at(&config.storage.data_dir);
    let keys = match Source::of(config, &data_dir)? {
        Source::Variable(text) => keys::parse(&text, VARIABLE)?,
        Source::File(file) if !file.exists() => {
            // The key folder inside the data folder is created with the data folder.
            let is_own = file == data_dir.key_file();
            let file = std::path::absolute(file)?;
            if key_check.is_some() {
                return Err(keys::KeyError::Missing(file.display().to_string()).into());
            }
            return match file.parent().filter(|_| !is_own) {
                Some(parent) if !parent.is_dir() => Err(anyhow::anyhow!(
                    "the master key cannot be made in {}: make that folder, or name another file with --master-key-file",
                    parent.display()
                )),
                Some(parent) => disk::check(parent, "--master-key-file").map_err(anyhow::Error::msg),
                None => Ok(()),
            };
        }
        Source::Mounted(file) | Source::File(file) => keys::read(&file)?,
    };
    key_check.map_or(Ok(()), |key_check| Ok(keys::fit(&keys, key_check)?))
}
