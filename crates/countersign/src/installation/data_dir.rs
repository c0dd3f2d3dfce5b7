//! The data folder: `db/` with the database, and `keys/` with the master key apart from it (decision 2). Only its owner may
//! read it.

use std::ffi::OsString;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::disk;

/// The data folder and the paths in it.
#[derive(Debug, Clone)]
pub struct DataDir {
    root: PathBuf,
}

impl DataDir {
    /// Creates the folder (0700), or takes an empty one or one of ours and sets its mode. A folder that contains anything
    /// else is refused and not changed.
    pub fn make(root: &Path) -> anyhow::Result<Self> {
        judge(root)?;
        private_dir(root, false)?;
        let root = root.canonicalize().with_context(|| format!("cannot use {}", root.display()))?;
        let data_dir = Self { root };
        private_dir(&data_dir.db(), true)?;
        private_dir(&data_dir.root.join("keys"), true)?;
        Ok(data_dir)
    }

    /// The folder as it is; it need not exist. Nothing is created and no mode is changed.
    pub fn at(root: &Path) -> Self {
        Self { root: root.canonicalize().unwrap_or_else(|_| root.to_owned()) }
    }

    /// The folder of the database.
    pub fn db(&self) -> PathBuf {
        self.root.join("db")
    }

    /// The master key file.
    pub fn key_file(&self) -> PathBuf {
        self.root.join("keys").join("master.key")
    }

    /// The socket on which a running server listens for commands.
    pub fn socket(&self) -> PathBuf {
        self.root.join("control.sock")
    }

    /// Waits for the lock on first starts in this folder (creating the master key, seeding a dev world). Nodes on one
    /// PostgreSQL database may share a folder and start at the same time.
    pub async fn lock_start(&self) -> anyhow::Result<std::fs::File> {
        let path = self.file("start.lock");
        let shown = path.clone();
        let locked = tokio::task::spawn_blocking(move || {
            use std::os::unix::fs::OpenOptionsExt as _;
            let file = std::fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
            file.lock()?;
            Ok::<_, std::io::Error>(file)
        });
        locked.await?.map_err(|error| anyhow::anyhow!(disk::advice(&shown, &error, "--data-dir")))
    }

    /// The path of `name` in the folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The absolute path of the folder.
    pub fn root(&self) -> &Path {
        &self.root
    }
}

/// What a data folder may contain while it is being created, before it has a database or a key.
const OURS: &[&str] =
    &["db", "keys", "start.lock", "control.sock", "dev-world.json", "dev-phone.json", "dev-phone.lock"];
/// What file systems put into an empty folder.
const FILE_SYSTEMS: &[&str] = &["lost+found", ".snapshot"];

/// Refuses a folder that is neither ours nor empty.
fn judge(root: &Path) -> anyhow::Result<()> {
    // A start that was cut off has made both folders, and then the lock.
    let begun = || ["db", "keys"].iter().all(|folder| root.join(folder).is_dir()) && root.join("start.lock").is_file();
    let ours = ["db/countersign.db", "keys/master.key"].iter().any(|file| root.join(file).exists()) || begun();
    let entries = match std::fs::read_dir(root) {
        Ok(entries) if !ours => entries,
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            bail!(disk::advice(root, &error, "--data-dir"))
        }
        _ => return Ok(()),
    };
    let foreign = |name: &OsString| !OURS.iter().chain(FILE_SYSTEMS).any(|known| name == known);
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

/// Whether [`DataDir::make`] would accept this folder and its contents. Changes nothing.
pub(crate) fn check(root: &Path) -> anyhow::Result<()> {
    judge(root)?;
    let data_dir = DataDir { root: root.to_owned() };
    for place in [data_dir.root.clone(), data_dir.db(), data_dir.root.join("keys")] {
        disk::check(&place, "--data-dir").map_err(anyhow::Error::msg)?;
    }
    Ok(())
}

/// A sentence if others may open the data folder. Changes nothing.
pub(crate) fn open_to_others(root: &Path) -> Option<String> {
    let mode = std::fs::metadata(root).ok()?.mode() & 0o7777;
    (mode & 0o077 != 0).then(|| {
        let shown = root.display();
        format!("other users can open {shown} (its mode is {mode:04o}); run: chmod 700 {shown}")
    })
}

/// Creates a folder with mode 0700, or sets that mode on one that this process owns.
fn private_dir(path: &Path, ours_alone: bool) -> anyhow::Result<()> {
    let shown = path.display();
    let failed = |error: std::io::Error| anyhow::anyhow!(disk::advice(path, &error, "--data-dir"));
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
    // The owner of a mounted volume sets its mode. The folders inside it are closed.
    let everybody = metadata.mode() & 0o007;
    if !ours_alone || everybody == 0 {
        tracing::warn!(
            folder = %shown,
            mode = format!("{:04o}", metadata.mode() & 0o7777),
            owner = disk::name(metadata.uid()),
            "other users can open this folder, and this user cannot change its mode; on a host give it to this user (chown, \
             chmod 700), in a pod set securityContext.runAsUser and fsGroup to numbers that no other pod uses"
        );
        return Ok(());
    }
    bail!(
        "{shown} belongs to {} and everybody on this machine can open it: give it to this user, or run: chmod 700 {shown}",
        disk::name(metadata.uid())
    )
}

/// Writes a file with mode 0600, under a temporary name first, so that no reader sees half of it.
pub fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let written = temporary(path, text).and_then(|file| Ok(file.persist(path)?));
    written.map(drop).with_context(|| format!("cannot write {}", path.display()))
}

/// The same, unless there is something of this name: then nothing changes, and the result is false. When it returns, the file is
/// there after a power cut too.
pub fn write_private_new(path: &Path, text: &str) -> anyhow::Result<bool> {
    let written = temporary(path, text).and_then(|file| {
        match file.persist_noclobber(path) {
            Ok(_) => std::fs::File::open(folder_of(path))?.sync_all()?,
            Err(refused) if refused.error.kind() == std::io::ErrorKind::AlreadyExists => return Ok(false),
            Err(refused) => return Err(refused.error),
        }
        Ok(true)
    });
    written.with_context(|| format!("cannot write {}", path.display()))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A file beside `path`, which is removed unless it is given a name. Its own name is drawn: in containers that share a folder, every
/// process has the same number.
fn temporary(path: &Path, text: &str) -> std::io::Result<tempfile::NamedTempFile> {
    use std::io::Write as _;
    let name = path.file_name().ok_or(std::io::ErrorKind::InvalidFilename)?;
    // With mode 0600.
    let mut file = tempfile::Builder::new().prefix(name).suffix(".tmp").tempfile_in(folder_of(path))?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    Ok(file)
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
        let data_dir = DataDir::make(&open).unwrap();
        for path in [data_dir.root().to_owned(), data_dir.db(), data_dir.root().join("keys")] {
            assert_eq!(std::fs::metadata(path).unwrap().mode() & 0o777, 0o700);
        }
    }

    #[test]
    fn a_folder_of_others_stays_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let mode = || std::fs::metadata(dir.path()).unwrap().mode() & 0o777;
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::write(dir.path().join("x"), "").unwrap();
        let refused = DataDir::make(dir.path()).unwrap_err().to_string();
        assert!(refused.contains("other things (x)"), "{refused}");
        assert_eq!((mode(), std::fs::read_dir(dir.path()).unwrap().count()), (0o755, 1));

        std::fs::rename(dir.path().join("x"), dir.path().join("lost+found")).unwrap();
        DataDir::make(dir.path()).unwrap();
        assert_eq!(mode(), 0o700, "a volume is empty to people");
        std::fs::write(dir.path().join("keys/master.key"), "").unwrap();
        std::fs::write(dir.path().join("x"), "").unwrap();
        DataDir::make(dir.path()).unwrap();
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

    #[test]
    fn a_new_private_file_replaces_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("client.json"), dir.path().join("link"));
        assert!(write_private_new(&file, "one").unwrap());
        assert!(!write_private_new(&file, "two").unwrap());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "one");
        assert_eq!(std::fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
        std::os::unix::fs::symlink(dir.path().join("nothing"), &link).unwrap();
        assert!(!write_private_new(&link, "three").unwrap());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
    }
}
