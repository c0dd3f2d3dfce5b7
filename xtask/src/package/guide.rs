//! The files that the guide on testing shows: a block with the mark `<!-- file: NAME -->` above it is a whole file.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};

use crate::places::Workspace;

/// The guide, for people who have never seen the product.
const GUIDE: &str = "docs/guides/testing-your-code.md";

/// Writes the files of the guide into a folder.
pub(super) fn write(places: &Workspace, into: &Path) -> Result<()> {
    let text = std::fs::read_to_string(places.root.join(GUIDE)).with_context(|| format!("cannot read {GUIDE}"))?;
    for (name, content) in files(&text) {
        let path = into.join(&name);
        ensure!(!path.exists(), "{GUIDE} has two files of the name {name}");
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&path, content)?;
    }
    Ok(())
}

/// The names and contents of all files.
fn files(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut name = None;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("```") {
            let body: String = lines.by_ref().take_while(|line| *line != "```").flat_map(|line| [line, "\n"]).collect();
            found.extend(name.take().map(|name| (name, body)));
        } else {
            name = line.strip_prefix("<!-- file: ").and_then(|rest| rest.strip_suffix(" -->")).map(str::to_owned);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_a_block_below_its_mark() {
        let text = "# A\n\n<!-- file: a/b.py -->\n```python\none\n\ntwo\n```\n\n```python\nnone\n```\n<!-- file: c -->\n\n```\nnone\n```\n";
        assert_eq!(files(text), [("a/b.py".to_owned(), "one\n\ntwo\n".to_owned())]);
    }
}
