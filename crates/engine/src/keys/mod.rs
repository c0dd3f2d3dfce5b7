//! The master keys: where they come from, and the check that they are the right ones (SEC 39, SEC 40).

pub(crate) mod credential;
pub(crate) mod installation_key;
pub mod push_key;
pub(crate) mod sealing;

use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use domain::{Keyring, Place, Sealed};
use store::KEY_CHECK as CHECK_NAME;

use crate::chance::Chance;

const CHECK: Place<'static> = Place { table: "meta", column: "key_check", row: 0, owner: 0 };
const CHECK_TEXT: &[u8] = b"countersign key check v1";

/// Why the server does not start with these keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// No file, and the database holds data sealed under some key: none is ever made up over existing data.
    #[error(
        "the master key is missing: the database was sealed with a key that should be in {0}; put that file back. If \
         the server's configuration names another place, say so: --config FILE, --data-dir or --master-key-file"
    )]
    Missing(String),
    /// Not a list of keys.
    #[error("{0} does not hold master keys: each line must be 64 hexadecimal characters, newest key first")]
    Malformed(String),
    /// The keys do not open the database.
    #[error("the master key is not the one this database was sealed with; put the right key file back")]
    Wrong,
    /// They do not open the installation's own key.
    #[error(
        "the master key that sealed the installation's own key is not among those given; put it back beside the others"
    )]
    Own,
    /// They do not open the key pair of push messages.
    #[error(
        "the master key that sealed the key pair of push messages is not among those given; put it back beside the others"
    )]
    Push,
    /// Everybody could read the file.
    #[error("{0} can be read by everybody on this machine; run: chmod 600 {0}")]
    Exposed(String),
    /// The file cannot be read or written.
    #[error("the master key's file {0} cannot be read or written")]
    Io(String, #[source] std::io::Error),
    /// The database cannot be asked.
    #[error("the database cannot be asked for its key check")]
    Store(#[from] store::Error),
}

/// Parses master keys: a line each of 64 hexadecimal characters, newest first; empty lines and `#` comments are
/// skipped.
pub fn parse(text: &str, origin: &str) -> Result<Keyring, KeyError> {
    let malformed = || KeyError::Malformed(origin.to_owned());
    let mut masters = Vec::new();
    // Some editors put a mark in front.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let bytes = zeroize::Zeroizing::new(
            data_encoding::HEXLOWER_PERMISSIVE.decode(line.as_bytes()).map_err(|_| malformed())?,
        );
        masters.push(<[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| malformed())?);
    }
    Keyring::new(&masters).ok_or_else(malformed)
}

/// Judges who may read a file of keys: one rule, however the file is named. One that everybody on the machine can read is
/// refused, unless it is mounted read-only, as orchestrators mount secrets. One that a group can read is closed, and where
/// that is not this process's to do, as on a pod's volume, it is warned of.
pub fn protect(file: &Path) -> Result<(), KeyError> {
    let origin = file.display().to_string();
    let mode = judged(file)?;
    let open = mode & 0o077;
    if open == 0 {
        return Ok(());
    }
    if std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode & 0o700)).is_err() {
        tracing::warn!(
            file = origin,
            mode = format!("{mode:04o}"),
            "the master key can be read by others and its file is not this user's to close; on a host run chmod 600, in a \
             pod set defaultMode: 0400 of the secret, or securityContext.fsGroup to a number that no other user has"
        );
    }
    Ok(())
}

/// The mode of a file of keys, unless everybody can read it.
fn judged(file: &Path) -> Result<u32, KeyError> {
    let origin = file.display().to_string();
    let metadata = std::fs::metadata(file).map_err(|error| KeyError::Io(origin.clone(), error))?;
    let mode = metadata.mode() & 0o777;
    if mode & 0o007 != 0 && !file.canonicalize().is_ok_and(|file| is_on_read_only_mount(&file)) {
        return Err(KeyError::Exposed(origin));
    }
    Ok(mode)
}

/// Reads a file of keys as a server would, and changes nothing.
pub fn read(file: &Path) -> Result<Keyring, KeyError> {
    let origin = std::path::absolute(file).unwrap_or_else(|_| file.to_owned()).display().to_string();
    judged(file)?;
    let text = std::fs::read_to_string(file).map_err(|error| KeyError::Io(origin.clone(), error))?;
    parse(&zeroize::Zeroizing::new(text), &origin)
}

/// Whether a place, named in full, is on a read-only mount.
pub fn is_on_read_only_mount(place: &Path) -> bool {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    is_read_only(&mounts, place)
}

/// Whether a file is on a read-only mount, given `/proc/self/mountinfo`.
fn is_read_only(mounts: &str, file: &Path) -> bool {
    let of = |line: &str| {
        let mut fields = line.split(' ');
        let (place, options) = (fields.nth(4)?.to_owned(), fields.next()?.to_owned());
        file.starts_with(&place).then_some((place.len(), options.split(',').any(|option| option == "ro")))
    };
    // Of two mounts at one place the later one counts.
    mounts.lines().filter_map(of).max_by_key(|(length, _)| *length).is_some_and(|(_, read_only)| read_only)
}

/// The keys in `file`; a new key is made there if it does not exist and `store` is untouched.
pub async fn load_or_create(file: &Path, store: &store::Store, chance: &dyn Chance) -> Result<Keyring, KeyError> {
    // The whole name, since it may have been written relative to somewhere.
    let origin = std::path::absolute(file).unwrap_or_else(|_| file.to_owned()).display().to_string();
    let io = |error| KeyError::Io(origin.clone(), error);
    match std::fs::read_to_string(file) {
        Ok(text) => {
            let text = zeroize::Zeroizing::new(text);
            protect(file)?;
            parse(&text, &origin)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if store.meta(CHECK_NAME).await?.is_some() {
                return Err(KeyError::Missing(origin));
            }
            let line = zeroize::Zeroizing::new(format!("{}\n", chance.hex::<32>()));
            let mut options = std::fs::OpenOptions::new();
            std::os::unix::fs::OpenOptionsExt::mode(options.write(true).create_new(true), 0o600);
            let mut created = options.open(file).map_err(io)?;
            created.write_all(line.as_bytes()).and_then(|()| created.sync_all()).map_err(io)?;
            if let Some(folder) = Path::new(&origin).parent() {
                std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(io)?;
            }
            parse(&line, &origin)
        }
        Err(error) => Err(io(error)),
    }
}

/// Shows that `keys` are the ones this database was sealed with, or marks an untouched database as theirs.
pub async fn check(keys: &Keyring, store: &store::Store, chance: &dyn Chance) -> Result<(), KeyError> {
    let fresh = keys.seal(CHECK, chance.bytes(), CHECK_TEXT);
    fit(keys, store.set_meta_if_absent(CHECK_NAME, &fresh.0).await?)
}

/// Shows that `keys` are the ones under which a database's key check was sealed.
pub fn fit(keys: &Keyring, key_check: Vec<u8>) -> Result<(), KeyError> {
    match keys.open(CHECK, &Sealed(key_check)) {
        Ok(text) if text.expose() == CHECK_TEXT => Ok(()),
        _ => Err(KeyError::Wrong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_everybody_can_read_is_refused_and_one_of_a_group_is_closed() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("key");
        std::fs::write(&file, "").unwrap();
        let with = |mode: u32| {
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
            let judged = protect(&file);
            (judged.is_ok(), std::fs::metadata(&file).unwrap().mode() & 0o777)
        };
        assert_eq!(with(0o600), (true, 0o600));
        assert_eq!(with(0o660), (true, 0o600));
        assert_eq!(with(0o440), (true, 0o400));
        assert_eq!(with(0o644), (false, 0o644));
        assert_eq!(with(0o604), (false, 0o604));
    }

    #[test]
    fn a_mount_is_found_by_its_longest_place() {
        let mounts = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n\
            41 22 0:30 / /run/secrets ro,relatime - tmpfs tmpfs rw\n\
            42 22 0:31 / /run/secrets/own rw - tmpfs tmpfs rw\n";
        let read_only = |file: &str| is_read_only(mounts, Path::new(file));
        assert!(read_only("/run/secrets/key"));
        assert!(!read_only("/run/secrets/own/key"));
        assert!(!read_only("/run/secretsX/key"));
        assert!(!read_only("/etc/key"));
        assert!(!is_read_only("", Path::new("/etc/key")));
    }
}
