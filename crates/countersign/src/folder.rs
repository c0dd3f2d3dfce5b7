//! The data folder: `db/` with the database, `keys/` with the master key apart from it (rulings 2), all for the owner
//! alone.

use std::ffi::OsString;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::place;

/// The data folder's places.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    /// Makes the folder (0700) where there is none or an empty one, and closes one of ours to others. A folder that holds
    /// anything else is refused and stays as it is.
    pub fn make(root: &Path) -> anyhow::Result<Self> {
        judge(root)?;
        private_dir(root, false)?;
        let root = root.canonicalize().with_context(|| format!("cannot use {}", root.display()))?;
        let folder = Self { root };
        private_dir(&folder.db(), true)?;
        private_dir(&folder.root.join("keys"), true)?;
        Ok(folder)
    }

    /// The folder as it is, if it is at all. Nothing is made and no mode is changed.
    pub fn at(root: &Path) -> Self {
        Self { root: root.canonicalize().unwrap_or_else(|_| root.to_owned()) }
    }

    /// Where the database lies.
    pub fn db(&self) -> PathBuf {
        self.root.join("db")
    }

    /// The master key file.
    pub fn key_file(&self) -> PathBuf {
        self.root.join("keys").join("master.key")
    }

    /// The socket by which the command line reaches a running server.
    pub fn socket(&self) -> PathBuf {
        self.root.join("control.sock")
    }

    /// Waits until no other process is making itself at home in this folder: drawing the first key, planting a dev
    /// world. Nodes on one server database may share a folder and start at once.
    pub async fn settle_in(&self) -> anyhow::Result<std::fs::File> {
        let path = self.file("start.lock");
        let shown = path.clone();
        let locked = tokio::task::spawn_blocking(move || {
            use std::os::unix::fs::OpenOptionsExt as _;
            let file = std::fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
            file.lock()?;
            Ok::<_, std::io::Error>(file)
        });
        locked.await?.map_err(|error| anyhow::anyhow!(place::advice(&shown, &error, "--data-dir")))
    }

    /// A file in the folder's root.
    pub fn file(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }
}

/// The folder used when none is named: where this user's programs keep their data.
pub fn default_root() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("XDG_DATA_HOME")
        .or_else(|| set("HOME").map(|home| home.join(".local").join("share")))
        .map_or_else(|| PathBuf::from("countersign-data"), |base| base.join("countersign"))
}

/// What lies in a data folder while it is being made, before its database and its key show whose it is.
const OURS: &[&str] =
    &["db", "keys", "start.lock", "control.sock", "dev-world.json", "dev-phone.json", "dev-phone.lock"];
/// What file systems put into a folder that is empty to people.
const NOBODYS: &[&str] = &["lost+found", ".snapshot"];

/// Refuses a folder that is neither ours nor empty.
fn judge(root: &Path) -> anyhow::Result<()> {
    let ours = ["db/countersign.db", "keys/master.key"].iter().any(|file| root.join(file).exists());
    let entries = match std::fs::read_dir(root) {
        Ok(entries) if !ours => entries,
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            bail!(place::advice(root, &error, "--data-dir"))
        }
        _ => return Ok(()),
    };
    let foreign = |name: &OsString| !OURS.iter().chain(NOBODYS).any(|known| name == known);
    let names = entries.flatten().map(|entry| entry.file_name());
    match names.filter(foreign).min() {
        None => Ok(()),
        Some(name) => bail!(
            "{} holds no installation but other things ({}): choose a new or an empty folder with --data-dir",
            root.display(),
            name.display()
        ),
    }
}

/// Whether [`Folder::make`] would do with this folder, and with what is in it. Changes nothing.
pub(crate) fn check(root: &Path) -> anyhow::Result<()> {
    judge(root)?;
    let folder = Folder { root: root.to_owned() };
    for place in [folder.root.clone(), folder.db(), folder.root.join("keys")] {
        place::check(&place, "--data-dir").map_err(anyhow::Error::msg)?;
    }
    Ok(())
}

/// Makes a folder for its owner alone, and closes one that this process may close.
fn private_dir(path: &Path, ours_alone: bool) -> anyhow::Result<()> {
    let shown = path.display();
    let failed = |error: std::io::Error| anyhow::anyhow!(place::advice(path, &error, "--data-dir"));
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
    let metadata = std::fs::metadata(path).map_err(failed)?;
    let open = metadata.mode() & 0o077;
    if open == 0 {
        return Ok(());
    }
    let Err(error) = std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)) else { return Ok(()) };
    if error.kind() == std::io::ErrorKind::ReadOnlyFilesystem {
        return Err(failed(error));
    }
    // A volume belongs to whoever made it, and its mode is theirs to set. What lies in it is closed.
    let everybody = metadata.mode() & 0o007;
    if !ours_alone || everybody == 0 {
        tracing::warn!(
            folder = %shown,
            mode = format!("{:04o}", metadata.mode() & 0o7777),
            owner = place::name(metadata.uid()),
            "this folder is open to others and is not this user's to close; on a host give it to this user (chown, chmod \
             700), in a pod set securityContext.runAsUser and fsGroup to numbers that nobody else has"
        );
        return Ok(());
    }
    bail!(
        "{shown} belongs to {} and everybody on this machine can open it: give it to this user, or run: chmod 700 {shown}",
        place::name(metadata.uid())
    )
}

/// Writes a file for the owner alone: under another name first, then renamed, so that nobody reads half of it.
pub fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let name = path.file_name().with_context(|| format!("{} names no file", path.display()))?;
    let mut temporary = name.to_os_string();
    temporary.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(temporary);
    let written = (|| {
        // Left over from a process of the same number, if at all.
        let _ = std::fs::remove_file(&temporary);
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)
    })();
    if written.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    written.with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_folder_is_closed_to_others() {
        let dir = tempfile::tempdir().unwrap();
        let open = dir.path().join("data");
        std::fs::create_dir(&open).unwrap();
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o755)).unwrap();
        let folder = Folder::make(&open).unwrap();
        for path in [folder.root().to_owned(), folder.db(), folder.root().join("keys")] {
            assert_eq!(std::fs::metadata(path).unwrap().mode() & 0o777, 0o700);
        }
    }

    #[test]
    fn a_folder_of_others_stays_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let mode = || std::fs::metadata(dir.path()).unwrap().mode() & 0o777;
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::write(dir.path().join("x"), "").unwrap();
        let refused = Folder::make(dir.path()).unwrap_err().to_string();
        assert!(refused.contains("other things (x)"), "{refused}");
        assert_eq!((mode(), std::fs::read_dir(dir.path()).unwrap().count()), (0o755, 1));

        std::fs::rename(dir.path().join("x"), dir.path().join("lost+found")).unwrap();
        Folder::make(dir.path()).unwrap();
        assert_eq!(mode(), 0o700, "a volume is empty to people");
        std::fs::write(dir.path().join("keys/master.key"), "").unwrap();
        std::fs::write(dir.path().join("x"), "").unwrap();
        Folder::make(dir.path()).unwrap();
    }

    #[test]
    fn a_private_file_replaces_the_old_one_whole() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("ready.json");
        write_private(&file, "one").unwrap();
        write_private(&file, "two").unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "two");
        assert_eq!(std::fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
