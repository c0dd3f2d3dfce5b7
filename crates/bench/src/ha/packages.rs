//! The programs that the chore needs, all from Debian packages. If one is missing, the chore names its package.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use xtask::places::program;

/// The programs of the run.
#[derive(Debug)]
pub(super) struct Programs {
    pub(super) etcd: PathBuf,
    pub(super) patroni: PathBuf,
    pub(super) patronictl: PathBuf,
    pub(super) haproxy: PathBuf,
    /// The folder of PostgreSQL's programs.
    pub(super) postgres: PathBuf,
}

impl Programs {
    /// Finds them all, or says what to install.
    pub(super) fn find() -> Result<Self> {
        let (etcd, patroni, patronictl) = (program(&["etcd"]), program(&["patroni"]), program(&["patronictl"]));
        // /usr/sbin is not on every user's path.
        let haproxy = program(&["haproxy"]).or_else(|missing| {
            let usual = Path::new("/usr/sbin/haproxy");
            usual.is_file().then(|| usual.to_owned()).ok_or(missing)
        });
        match (etcd, patroni, patronictl, haproxy, newest_postgres()) {
            (Ok(etcd), Ok(patroni), Ok(patronictl), Ok(haproxy), Some(postgres)) => {
                Ok(Self { etcd, patroni, patronictl, haproxy, postgres })
            }
            (etcd, patroni, patronictl, haproxy, postgres) => {
                let missing = [
                    ("etcd-server", etcd.is_ok()),
                    ("patroni", patroni.is_ok() && patronictl.is_ok()),
                    ("haproxy", haproxy.is_ok()),
                    ("postgresql", postgres.is_some()),
                ];
                let missing: Vec<_> = missing.iter().filter(|(_, is_there)| !is_there).map(|(name, _)| *name).collect();
                bail!(
                    "this chore needs Debian's packages {}; as root:\n    \
                     apt-get install --no-install-recommends {}",
                    missing.join(", "),
                    missing.join(" ")
                )
            }
        }
    }
}

/// Debian's folder with the programs of the newest version.
fn newest_postgres() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let versions = folders.filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path())));
    let (_, newest) = versions.max()?;
    Some(newest.join("bin")).filter(|bin| bin.join("postgres").is_file() && bin.join("psql").is_file())
}
