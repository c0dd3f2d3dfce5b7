//! What can be said of a source file by reading its text.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::Complaints;

/// Longest file that still fits in the head.
const MAX_LINES: usize = 700;

/// Marks of work that somebody meant to come back to.
const UNFINISHED: &[&str] = &["todo!(", "unimplemented!(", "dbg!(", "FIXME", "XXX"];

/// A source file.
pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) text: String,
}

/// Every Rust file under a folder.
pub(super) fn read(folder: &Path) -> Result<Vec<File>> {
    let mut files = Vec::new();
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(read(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            files.push(File { path, text });
        }
    }
    Ok(files)
}

/// Files that have grown too long. A warning: where to cut is a matter of taste.
pub(super) fn long(files: &[File]) -> Complaints {
    let counted = files.iter().map(|file| (file, file.text.lines().count()));
    let long = counted.filter(|(_, lines)| *lines > MAX_LINES);
    long.map(|(file, lines)| format!("{} has {lines} lines; {MAX_LINES} fit in the head", file.path.display()))
        .collect()
}

/// Places where something is left to do.
pub(super) fn unfinished(files: &[File]) -> Complaints {
    let mut complaints = Vec::new();
    for file in files {
        for (number, line) in (1..).zip(file.text.lines()) {
            if let Some(mark) = UNFINISHED.iter().find(|mark| line.contains(*mark)) {
                complaints.push(format!("{}:{number} holds {mark}", file.path.display()));
            }
        }
    }
    complaints
}
