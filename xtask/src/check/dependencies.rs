//! Every crate of others has its line of reason, and every line its crate; and no crate declares what it does not use.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::complaints::Complaints;
use super::krate::Crate;
use crate::metadata::Metadata;

const PAGE: &str = "docs/internals/dependencies.md";

/// `docs/internals/dependencies.md` and `[workspace.dependencies]` name the same crates in the same versions.
pub(super) fn explained(root: &Path) -> Result<Complaints> {
    let declared = declared(&read(&root.join("Cargo.toml"))?)?;
    let page = lines(&read(&root.join(PAGE))?);
    let mut complaints = Vec::new();
    for (name, version) in &declared {
        match page.get(name) {
            None => complaints.push(format!("{name} has no line in {PAGE}: what for, instead of what, which caveat")),
            Some(other) if other != version => {
                complaints.push(format!("{name} is {version} in Cargo.toml and {other} in {PAGE}"));
            }
            Some(_) => {}
        }
    }
    let gone = page.keys().filter(|name| !declared.contains_key(*name));
    complaints.extend(gone.map(|name| format!("{PAGE} explains {name}, which Cargo.toml no longer names")));
    Ok(complaints)
}

/// Every crate in `[workspace.dependencies]` has a member that uses it, and every member mentions in its source what
/// its manifest declares. Mentioning is a plain search for the name: cheap, and wrong only on the lenient side.
pub(super) fn used(tree: &Metadata, root: &Path, crates: &[Crate]) -> Result<Complaints> {
    let mut complaints = Vec::new();
    for name in declared(&read(&root.join("Cargo.toml"))?)?.keys() {
        if !tree.members().any(|member| member.dependencies.iter().any(|used| used.name == *name)) {
            complaints.push(format!("no crate uses {name}; take it out of Cargo.toml and {PAGE}"));
        }
    }
    for member in tree.members() {
        let own = crates.iter().filter(|one| member.folder().ends_with(&one.name));
        let sources: Vec<_> = own.flat_map(|one| &one.files).collect();
        for dependency in &member.dependencies {
            let name = dependency.rename.as_ref().unwrap_or(&dependency.name);
            let identifier = name.replace('-', "_");
            if !sources.iter().any(|file| file.text.contains(&identifier)) {
                complaints.push(format!("{} declares {} and never mentions it", member.name, dependency.name));
            }
            if dependency.source.is_some() && dependency.req == "*" {
                complaints.push(format!("{} takes any version of {}", member.name, dependency.name));
            }
        }
    }
    Ok(complaints)
}

/// Crates of others in `[workspace.dependencies]`, with the version asked for.
fn declared(manifest: &str) -> Result<BTreeMap<String, String>> {
    let manifest: toml::Table = toml::from_str(manifest).context("Cargo.toml is not TOML")?;
    let table = manifest.get("workspace").and_then(|workspace| workspace.get("dependencies")?.as_table());
    let table = table.context("Cargo.toml has no [workspace.dependencies]")?;
    let version = |entry: &toml::Value| entry.as_str().or_else(|| entry.get("version")?.as_str()).map(str::to_owned);
    Ok(table.iter().filter_map(|(name, entry)| Some((name.clone(), version(entry)?))).collect())
}

/// The rows of the page's tables: crate and version, without the features in brackets.
fn lines(page: &str) -> BTreeMap<String, String> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| "));
    let cells = rows.filter_map(|row| {
        let mut cells = row.split(" | ");
        Some((cells.next()?.trim(), cells.next()?.split_whitespace().next()?))
    });
    let crates = cells.filter(|(name, _)| *name != "crate" && !name.starts_with("---"));
    crates.map(|(name, version)| (name.to_owned(), version.to_owned())).collect()
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_is_read_in_both_spellings() {
        let text = "[workspace.dependencies]\nown = { path = 'x' }\na = '1'\nb = { version = '0.2', features = [] }";
        let expected = [("a", "1"), ("b", "0.2")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(declared(text).unwrap(), BTreeMap::from(expected));
    }

    #[test]
    fn the_page_is_read_by_row() {
        let page =
            "| crate | version | why |\n| --- | --- | --- |\n| a | 1 (`x, y`) | because |\ntext\n| b | 0.2 | so |";
        let expected = [("a", "1"), ("b", "0.2")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(lines(page), BTreeMap::from(expected));
    }
}
