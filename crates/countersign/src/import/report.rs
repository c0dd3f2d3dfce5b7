//! The two files that an import writes: the rejected lines with their reasons, and on request the device of each secret.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Error, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use domain::{DeviceId, UserId};
use serde::Serialize;
use zeroize::Zeroizing;

use super::fault::Fault;
use super::group::Line;

/// Rejected lines: their numbers and reasons, never their text.
pub(super) struct Rejects {
    path: PathBuf,
    file: Option<BufWriter<File>>,
}

#[derive(Serialize)]
struct Reject<'a> {
    line: u64,
    reason: &'a str,
}

impl Rejects {
    /// The file is created with the first reject. The file of an earlier import is emptied now.
    pub(super) fn new(path: PathBuf) -> anyhow::Result<Self> {
        let mut rejects = Self { path, file: None };
        if rejects.path.symlink_metadata().is_ok() {
            rejects.open()?;
        }
        Ok(rejects)
    }

    pub(super) fn add(&mut self, line: u64, fault: &Fault) -> anyhow::Result<()> {
        if self.file.is_none() {
            self.open()?;
        }
        let mut text = serde_json::to_vec(&Reject { line, reason: &fault.to_string() })?;
        text.push(b'\n');
        let file = self.file.as_mut().context("the file is open")?;
        file.write_all(&text).with_context(|| format!("cannot write {}", self.path.display()))
    }

    pub(super) fn finish(mut self) -> anyhow::Result<PathBuf> {
        if let Some(file) = &mut self.file {
            file.flush().with_context(|| format!("cannot write {}", self.path.display()))?;
        }
        Ok(self.path)
    }

    fn open(&mut self) -> anyhow::Result<()> {
        self.file = Some(private(&self.path)?);
        Ok(())
    }
}

/// The device of each secret. Secrets are copied from the list; a stored secret is never read back (decision 43).
pub(super) struct Map(BufWriter<File>);

#[derive(Serialize)]
struct Mapped<'a> {
    user: &'a str,
    user_id: UserId,
    device_id: DeviceId,
    secret_base32: &'a str,
    r#type: &'static str,
    counter: u64,
}

impl Map {
    pub(super) fn new(path: &Path) -> anyhow::Result<Self> {
        Ok(Self(private(path)?))
    }

    pub(super) fn add(&mut self, user: &str, user_id: UserId, device_id: DeviceId, line: &Line) -> anyhow::Result<()> {
        let mapped =
            Mapped { user, user_id, device_id, secret_base32: &line.secret, r#type: line.kind, counter: line.counter };
        let mut text = Zeroizing::new(serde_json::to_vec(&mapped)?);
        text.push(b'\n');
        self.0.write_all(&text).context("cannot write the map")
    }

    pub(super) fn finish(mut self) -> anyhow::Result<()> {
        self.0.flush().context("cannot write the map")
    }
}

/// An empty file for its owner alone. A link is not followed: anyone who can write to the folder could point it at any of our
/// files. What is not a file, such as a pipe, is written to.
fn private(path: &Path) -> anyhow::Result<BufWriter<File>> {
    let open = || {
        let mut options = OpenOptions::new();
        options.write(true).mode(0o600);
        let Ok(found) = std::fs::symlink_metadata(path) else { return options.create_new(true).open(path) };
        // `/dev/stdout` is a link to something that is not a file.
        let behind = if found.is_symlink() { std::fs::metadata(path).ok() } else { None };
        if found.is_symlink() && behind.is_none_or(|behind| behind.is_file() || behind.is_dir()) {
            return Err(Error::other("it is a link; name the file itself, or remove it"));
        }
        if found.is_file() {
            // Removed and created anew, because the name may point elsewhere between the check and the write.
            std::fs::remove_file(path)?;
            options.create_new(true);
        }
        options.open(path)
    };
    Ok(BufWriter::new(open().with_context(|| format!("cannot write {}", path.display()))?))
}
