//! The ready file: it exists as long as requests are answered, so that scripts need not guess. The file of an earlier run is
//! removed before anything else, so that no script uses a dead address.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use engine::Clock as _;
use engine::clock::SystemClock;
use serde_json::Value;

use crate::installation::data_dir::write_private;

/// Removes the ready file of an earlier run.
pub(crate) fn clear(path: Option<&Path>) -> anyhow::Result<()> {
    let Some(path) = path else { return Ok(()) };
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error)
            .with_context(|| format!("the ready file of an earlier run cannot be removed: {}", path.display())),
        _ => Ok(()),
    }
}

/// A ready file; it is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct ReadyFile {
    path: Option<PathBuf>,
    /// What was written. By the time of the removal the file may be another server's.
    written: Option<String>,
}

impl ReadyFile {
    /// The file at `path`, if one is configured. An earlier file is removed.
    pub(crate) fn of(path: Option<PathBuf>) -> anyhow::Result<Self> {
        clear(path.as_deref())?;
        Ok(Self { path, written: None })
    }

    /// Writes the file (0600), atomically: `ready`, and the process that it belongs to.
    pub(crate) fn write(&mut self, ready: &Value) -> anyhow::Result<()> {
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

impl Drop for ReadyFile {
    fn drop(&mut self) {
        if let (Some(path), Some(written)) = (&self.path, &self.written)
            && std::fs::read_to_string(path).is_ok_and(|found| found == *written)
        {
            let _ = std::fs::remove_file(path);
        }
    }
}
