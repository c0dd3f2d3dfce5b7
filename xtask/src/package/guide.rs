//! The files that the guide on testing shows: a block with the mark `<!-- file: NAME -->` above it is a whole file.

use std::path::Path;

use anyhow::{Result, ensure};

use crate::docs::files;
use crate::places::Workspace;

/// The guide, for people who have never seen the product.
const GUIDE: &str = "docs/guides/testing-your-code.md";

/// Writes the files of the guide into a folder.
pub(super) fn write(places: &Workspace, into: &Path) -> Result<()> {
    for (name, content) in files(&places.root, Path::new(GUIDE))? {
        let path = into.join(&name);
        ensure!(!path.exists(), "{GUIDE} has two files of the name {name}");
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&path, content)?;
    }
    Ok(())
}
