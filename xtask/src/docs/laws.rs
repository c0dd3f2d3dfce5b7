//! Checks of the documents without running anything.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use anyhow::Result;

use super::page::{self, Mark, Page};

/// The page that names all others, or the index of their folder.
const INDEX: &str = "docs/README.md";

/// Links that lead nowhere, pages that the index does not name, blocks left out without a reason.
pub(crate) fn complaints(root: &Path) -> Result<Vec<String>> {
    let mut pages: BTreeMap<PathBuf, Page> = BTreeMap::new();
    for path in page::paths(root)? {
        let page = page::read(root, &path)?;
        pages.insert(path, page);
    }
    let mut complaints = Vec::new();
    for (path, page) in &pages {
        for (line, link) in &page.links {
            if let Some(why) = broken(root, &pages, path, link) {
                complaints.push(format!("{}:{line}: the link to {link} {why}", path.display()));
            }
        }
        for block in &page.blocks {
            if matches!(&block.mark, Mark::NotRun(reason) if reason.trim().is_empty()) {
                complaints.push(format!("{}:{}: a block is not run, for no reason", path.display(), block.line));
            }
            if let Some((other, anchor)) = &block.needs
                && !pages.get(Path::new(other)).is_some_and(|page| page.anchors.contains(anchor))
            {
                complaints.push(format!(
                    "{}:{}: needs {other}#{anchor}, which is not there",
                    path.display(),
                    block.line
                ));
            }
        }
    }
    complaints.extend(unlisted(&pages));
    Ok(complaints)
}

/// Why a link is broken, if it is. Links to other sites are not followed.
fn broken(root: &Path, pages: &BTreeMap<PathBuf, Page>, from: &Path, link: &str) -> Option<&'static str> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
    let target = if file.is_empty() { from.to_owned() } else { joined(from, file) };
    if !root.join(&target).exists() {
        return Some("leads to no file");
    }
    let anchor = anchor?;
    let known = pages.get(&target).is_some_and(|page| page.anchors.iter().any(|known| known == anchor));
    (!known).then_some("leads to no heading")
}

fn joined(from: &Path, link: &str) -> PathBuf {
    let mut path = from.parent().unwrap_or(Path::new("")).to_owned();
    for part in Path::new(link).components() {
        match part {
            Component::ParentDir => {
                path.pop();
            }
            Component::Normal(name) => path.push(name),
            _ => {}
        }
    }
    path
}

fn unlisted(pages: &BTreeMap<PathBuf, Page>) -> Vec<String> {
    let index = Path::new(INDEX);
    let Some(links) = pages.get(index).map(|page| &page.links) else { return vec![format!("{INDEX} is missing")] };
    let targets = |page: &Path, links: &[(usize, String)]| -> Vec<PathBuf> {
        links.iter().map(|(_, link)| joined(page, link.split('#').next().unwrap_or_default())).collect()
    };
    let mut named = targets(index, links);
    // A folder with many pages of a kind has an index for them, which the index names.
    for (path, page) in
        pages.iter().filter(|(path, _)| path.ends_with("README.md") && named.contains(path)).collect::<Vec<_>>()
    {
        named.extend(targets(path, &page.links).into_iter().filter(|target| target.parent() == path.parent()));
    }
    let documents = pages.keys().filter(|path| path.starts_with("docs") && *path != index);
    documents
        .filter(|path| !named.contains(path))
        .map(|path| format!("{INDEX} does not name {}", path.display()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_followed_from_the_page_they_stand_on() {
        assert_eq!(joined(Path::new("docs/security/requirements.md"), "../contract.md"), Path::new("docs/contract.md"));
        assert_eq!(joined(Path::new("README.md"), "docs/internals/speed.md"), Path::new("docs/internals/speed.md"));
        assert_eq!(joined(Path::new("docs/README.md"), "../SECURITY.md"), Path::new("SECURITY.md"));
    }
}
