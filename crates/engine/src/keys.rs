//! The master keys: where they come from, and the check that they are the right ones (SEC 39, SEC 40).

use std::io::Write as _;
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
    #[error("the master key is missing: the database was sealed with a key that should lie in {0}; put that file back")]
    Missing(String),
    /// Not a list of keys.
    #[error("{0} does not hold master keys: each line must be 64 hexadecimal characters, newest key first")]
    Malformed(String),
    /// The keys do not open the database.
    #[error("the master key is not the one this database was sealed with; put the right key file back")]
    Wrong,
    /// Others could read the file.
    #[error("{0} can be read by others; run: chmod 600 {0}")]
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

/// The keys in `file`; a new key is made there if it does not exist and `store` is untouched.
pub async fn load_or_create(file: &Path, store: &store::Store, chance: &dyn Chance) -> Result<Keyring, KeyError> {
    // The whole name, since it may have been written relative to somewhere.
    let origin = std::path::absolute(file).unwrap_or_else(|_| file.to_owned()).display().to_string();
    let io = |error| KeyError::Io(origin.clone(), error);
    match std::fs::read_to_string(file) {
        Ok(text) => {
            let text = zeroize::Zeroizing::new(text);
            let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(file).map_err(io)?);
            if mode & 0o077 != 0 {
                return Err(KeyError::Exposed(origin));
            }
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
            if let Some(folder) = file.parent() {
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
    let stored = Sealed(store.set_meta_if_absent(CHECK_NAME, &fresh.0).await?);
    match keys.open(CHECK, &stored) {
        Ok(text) if text.expose() == CHECK_TEXT => Ok(()),
        _ => Err(KeyError::Wrong),
    }
}
