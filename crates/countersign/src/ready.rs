//! The ready file: written once requests are answered, so that scripts need not guess, and gone when they are answered
//! no longer. One that an earlier run has left is removed before anything else, so that nobody goes on with a dead
//! address.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use engine::Clock as _;
use engine::clock::SystemClock;
use serde_json::Value;

use crate::installation::data_dir::write_private;

/// Removes what an earlier run has left.
pub(crate) fn clear(path: Option<&Path>) -> anyhow::Result<()> {
    let Some(path) = path else { return Ok(()) };
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error)
            .with_context(|| format!("the ready file of an earlier run cannot be removed: {}", path.display())),
        _ => Ok(()),
    }
}

/// A ready file that goes when the server does.
#[derive(Debug)]
pub(crate) struct Sign {
    path: Option<PathBuf>,
    /// What was written, to know it again: another server may have put up its own by then.
    written: Option<String>,
}

impl Sign {
    /// The file at `path`, if one was asked for. An earlier one is removed.
    pub(crate) fn of(path: Option<PathBuf>) -> anyhow::Result<Self> {
        clear(path.as_deref())?;
        Ok(Self { path, written: None })
    }

    /// Writes the file (0600), under another name first: what is to be known, and whose it is.
    pub(crate) fn put_up(&mut self, ready: &Value) -> anyhow::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        let mut ready = ready.clone();
        ready["pid"] = std::process::id().into();
        ready["version"] = env!("CARGO_PKG_VERSION").into();
        ready["started_at"] = onelogin::wire_time::with_millis(SystemClock.now().0).into();
        let text = format!("{ready}\n");
        write_private(path, &text)?;
        self.written = Some(text);
        Ok(())
    }
}

impl Drop for Sign {
    fn drop(&mut self) {
        if let (Some(path), Some(written)) = (&self.path, &self.written)
            && std::fs::read_to_string(path).is_ok_and(|found| found == *written)
        {
            let _ = std::fs::remove_file(path);
        }
    }
}
