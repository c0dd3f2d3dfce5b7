//! Tar archives and gzip that depend on nothing but their content: fixed order, times and owners. And digests of both.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use data_encoding::HEXLOWER;
use flate2::{Compression, GzBuilder};
use sha2::{Digest as _, Sha256};
use tar::{Builder, EntryType, Header};

/// The tree of an archive, by path, without a slash at the beginning. The order of a map is always the same.
#[derive(Debug, Default)]
pub(super) struct Tree {
    entries: BTreeMap<String, Entry>,
}

#[derive(Debug)]
struct Entry {
    /// The content of a file; `None` is a folder.
    content: Option<Vec<u8>>,
    mode: u32,
    /// User and group.
    owner: u64,
}

impl Tree {
    /// Adds a file of root, and the folders above it.
    pub(super) fn file(&mut self, path: &str, mode: u32, content: impl Into<Vec<u8>>) {
        for (at, _) in path.match_indices('/') {
            self.folder(&path[..at], 0o755, 0);
        }
        self.entries.insert(path.to_owned(), Entry { content: Some(content.into()), mode, owner: 0 });
    }

    /// Adds a copy of a file.
    pub(super) fn copy(&mut self, path: &str, mode: u32, from: &Path) -> Result<()> {
        let content = std::fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
        self.file(path, mode, content);
        Ok(())
    }

    /// Adds a folder, unless it is there.
    pub(super) fn folder(&mut self, path: &str, mode: u32, owner: u64) {
        self.entries.entry(path.to_owned()).or_insert(Entry { content: None, mode, owner });
    }

    /// The archive, with one time for all entries.
    pub(super) fn tar(&self, time: i64) -> Result<Vec<u8>> {
        let mut builder = Builder::new(Vec::new());
        for (path, entry) in &self.entries {
            let content = entry.content.as_deref().unwrap_or_default();
            let mut header = Header::new_gnu();
            header.set_mode(entry.mode);
            header.set_uid(entry.owner);
            header.set_gid(entry.owner);
            header.set_mtime(u64::try_from(time)?);
            header.set_size(content.len() as u64);
            let folder = entry.content.is_none();
            header.set_entry_type(if folder { EntryType::Directory } else { EntryType::Regular });
            let path = if folder { format!("{path}/") } else { path.clone() };
            builder.append_data(&mut header, &path, content).with_context(|| format!("cannot pack {path}"))?;
        }
        Ok(builder.into_inner()?)
    }
}

/// Compresses without a name and a time.
pub(super) fn gzip(content: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    Ok(encoder.finish()?)
}

/// The SHA-256 of these bytes, in hexadecimal.
pub(super) fn sha256(content: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(content))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_depends_on_its_content_alone() {
        let of = |paths: [&str; 2], content: &str| {
            let mut tree = Tree::default();
            for path in paths {
                tree.file(path, 0o644, content);
            }
            tree.folder("data", 0o700, 65_532);
            sha256(&gzip(&tree.tar(1_000_000_000).unwrap()).unwrap())
        };
        assert_eq!(of(["etc/a", "etc/b"], "x"), of(["etc/b", "etc/a"], "x"));
        assert_ne!(of(["etc/a", "etc/b"], "x"), of(["etc/a", "etc/b"], "y"));
    }

    #[test]
    fn folders_come_before_what_is_in_them() {
        let mut tree = Tree::default();
        tree.file("etc/ssl/certs/x", 0o644, "x");
        let packed = tree.tar(0).unwrap();
        let mut archive = tar::Archive::new(&packed[..]);
        let names: Vec<String> =
            archive.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().display().to_string()).collect();
        assert_eq!(names, ["etc/", "etc/ssl/", "etc/ssl/certs/", "etc/ssl/certs/x"]);
    }
}
