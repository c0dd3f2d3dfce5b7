//! Variables of the environment. An empty one counts as not set: orchestrators write `${NAME:-}`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

/// The value of a variable that is set and not empty.
pub fn variable(name: &str) -> anyhow::Result<Option<String>> {
    match std::env::var(name) {
        Ok(value) if value.trim().is_empty() => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => bail!("the variable {name} is not text"),
    }
}

/// A secret from the environment: `NAME` itself, or the content of the file that `NAME_FILE` names.
pub fn secret(name: &str) -> anyhow::Result<Option<String>> {
    if let Some(value) = variable(name)? {
        return Ok(Some(value));
    }
    let Some(path) = variable(&format!("{name}_FILE"))? else { return Ok(None) };
    let path = PathBuf::from(path);
    let text = text_of(&path).with_context(|| format!("the variable {name}_FILE"))?;
    warn_if_exposed(&path)?;
    Ok(Some(text))
}

/// Warns of a secret's file that other users can read. Orchestrators mount secrets readable to all inside a container, so
/// this does not stop the start.
pub fn warn_if_exposed(path: &Path) -> anyhow::Result<()> {
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(path)?);
    if mode & 0o077 != 0 {
        tracing::warn!(file = %path.display(), "other users can read the file of a secret; chmod 600 is better");
    }
    Ok(())
}

/// The text of a file, without a byte order mark. An error names the absolute path.
pub fn text_of(path: &Path) -> anyhow::Result<String> {
    let shown = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", shown.display()))?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}
