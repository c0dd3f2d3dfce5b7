//! Variables of the environment. An empty one is as if it were not set: orchestrators write `${NAME:-}`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::setting::{self, PREFIX};

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

/// Orchestrators mount secrets readable to all inside a container, so this cannot stop the start.
pub(crate) fn warn_if_exposed(path: &Path) -> anyhow::Result<()> {
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(path)?);
    if mode & 0o077 != 0 {
        tracing::warn!(file = %path.display(), "a secret's file can be read by others; chmod 600 is better");
    }
    Ok(())
}

/// A file of text, without the mark that some editors put in front. An error names the whole path.
pub fn text_of(path: &Path) -> anyhow::Result<String> {
    let shown = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", shown.display()))?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// The variables that look like ours and are not, each with one we know that is near. What Kubernetes puts into every
/// pod for a service of our name is no mistake.
pub fn unknown_variables() -> Vec<(String, Option<&'static str>)> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    unknown(names)
}

pub(crate) fn unknown(names: impl Iterator<Item = String>) -> Vec<(String, Option<&'static str>)> {
    let ours = |name: &String| name.starts_with(PREFIX) && !is_of_a_service(name);
    let strange = names.filter(ours).filter(|name| !setting::variables().any(|known| known == name));
    strange
        .map(|name| {
            let near = nearest(&name[PREFIX.len()..], setting::variables().map(|known| &known[PREFIX.len()..]));
            let near = near.and_then(|near| setting::variables().find(|known| &known[PREFIX.len()..] == near));
            (name, near)
        })
        .collect()
}

/// Whether Kubernetes and Docker's links make variables of this name for a service.
fn is_of_a_service(name: &str) -> bool {
    let port =
        |name: &str| name == "PORT" || name.starts_with("PORT_") || name.contains("_PORT_") || name.ends_with("_PORT");
    let rest = &name[PREFIX.len()..];
    rest.ends_with("SERVICE_HOST") || rest.contains("SERVICE_PORT") || port(rest)
}

/// The nearest of the names we know, if it is near: two letters off at most, and fewer for short ones.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let most = match name.chars().count() {
        0..=3 => 0,
        4..=5 => 1,
        6..=11 => 2,
        longer => longer / 4,
    };
    let (distance, nearest) =
        known.map(|known| (distance(name, known), known)).min_by_key(|(distance, _)| *distance)?;
    (distance <= most).then_some(nearest)
}

/// Levenshtein's distance, for suggestions.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = corner + usize::from(x != *y);
            corner = row[j + 1];
            row[j + 1] = change.min(corner + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_variable_is_suggested_and_none_that_is_far() {
        let meant = |name: &str| unknown([name.to_owned()].into_iter()).remove(0).1;
        assert_eq!(meant("COUNTERSIGN_LISTN"), Some("COUNTERSIGN_LISTEN"));
        assert_eq!(meant("COUNTERSIGN_LOGIN_MFAS"), Some("COUNTERSIGN_LOGIN_MFA"));
        assert_eq!(meant("COUNTERSIGN_XYZ"), None);
        assert_eq!(meant("COUNTERSIGN_COLOUR"), None);
        assert!(unknown(["COUNTERSIGN_LISTEN".to_owned(), "PATH".to_owned()].into_iter()).is_empty());
    }
}
