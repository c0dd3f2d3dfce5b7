//! `SHA256SUMS`: the digests of everything that is published together, in the form that `sha256sum --check` reads.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::archive::sha256;

const NAME: &str = "SHA256SUMS";

/// Removes what an earlier run has published in a folder, so that the sums name nothing old. Refuses files of others.
pub(super) fn clear(folder: &Path) -> Result<()> {
    let list = std::fs::read_to_string(folder.join(NAME)).unwrap_or_default();
    for name in list.lines().filter_map(|line| line.split_once("  ")).map(|(_, name)| name) {
        let path = folder.join(name);
        if !name.contains('/') && path.is_file() {
            std::fs::remove_file(path)?;
        }
    }
    for (name, _) in files(folder)? {
        if name != NAME {
            bail!(
                "{} contains {name}, which is no package of an earlier run: name an empty folder with --into",
                folder.display()
            );
        }
    }
    Ok(())
}

/// Writes the sums of every file in a folder. Returns them.
pub(super) fn write(folder: &Path) -> Result<String> {
    let mut text = String::new();
    for (name, content) in files(folder)?.iter().filter(|(name, _)| *name != NAME) {
        let _ = writeln!(text, "{}  {name}", sha256(content));
    }
    let path = folder.join(NAME);
    std::fs::write(&path, &text).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(text)
}

/// The files of a folder, by name.
fn files(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            files.insert(entry.file_name().to_string_lossy().into_owned(), std::fs::read(entry.path())?);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sums_name_what_is_there_now_and_nothing_of_others_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("old.deb"), "old").unwrap();
        let text = write(folder.path()).unwrap();
        assert_eq!(text, "cba06b5736faf67e54b07b561eae94395e774c517a7d910a54369e1263ccfbd4  old.deb\n");
        clear(folder.path()).unwrap();
        assert!(!at("old.deb").exists());
        std::fs::write(at("letter.txt"), "mine").unwrap();
        assert!(clear(folder.path()).is_err());
        assert!(at("letter.txt").exists());
    }
}
