//! A page of the documents, parsed for the checks: its headings, links and blocks.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// The mark above a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mark {
    /// No mark: it runs and must succeed.
    Run,
    /// It is not run, for this reason.
    NotRun(String),
    /// It runs in the background. The next block waits for this file.
    Background(String),
    /// It is the text of this file, in whatever language.
    File(String),
}

/// A fenced block of the language `sh`, or one that is a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    /// The line of its fence, from 1.
    pub(super) line: usize,
    /// The anchors of the headings it is under, outermost first.
    pub(super) under: Vec<String>,
    /// How it is run.
    pub(super) mark: Mark,
    /// Blocks of another page that must run first: the page as written, and the anchor.
    pub(super) needs: Option<(String, String)>,
    pub(super) text: String,
}

#[derive(Debug, Default)]
pub(super) struct Page {
    /// Anchors of all headings.
    pub(super) anchors: Vec<String>,
    /// Links, each with its line.
    pub(super) links: Vec<(usize, String)>,
    /// The blocks that a shell could run.
    pub(super) blocks: Vec<Block>,
}

/// The pages, relative to the root, in a fixed order: those of the root, of the client runs, and every folder of `docs`.
pub(super) fn paths(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found: Vec<PathBuf> = Vec::new();
    let mut folders = ["", "docs", "conformance"].map(PathBuf::from).to_vec();
    while let Some(folder) = folders.pop() {
        let shown = || format!("cannot read {}", folder.display());
        for entry in std::fs::read_dir(root.join(&folder)).with_context(shown)? {
            let entry = entry.with_context(shown)?;
            let path = folder.join(entry.file_name());
            if path.extension().is_some_and(|end| end == "md") {
                found.push(path);
            } else if folder.starts_with("docs") && entry.file_type()?.is_dir() {
                folders.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Reads a page.
pub(super) fn read(root: &Path, path: &Path) -> Result<Page> {
    let text = std::fs::read_to_string(root.join(path)).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(parse(&text))
}

fn parse(text: &str) -> Page {
    let mut page = Page::default();
    let mut headings: Vec<(usize, String)> = Vec::new();
    let mut above: Vec<&str> = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            let body: Vec<&str> =
                lines.by_ref().map(|(_, line)| line).take_while(|line| line.trim_start() != "```").collect();
            let block = block(at + 1, &headings, &above, body.join("\n"));
            if language.trim() == "sh" || matches!(block.mark, Mark::File(_)) {
                page.blocks.push(block);
            }
            above.clear();
            continue;
        }
        if line.starts_with("<!--") {
            above.push(line);
            continue;
        }
        above.clear();
        let level = line.bytes().take_while(|byte| *byte == b'#').count();
        if level > 0 && line[level..].starts_with(' ') {
            let anchor = anchor(line[level..].trim());
            headings.retain(|(outer, _)| *outer < level);
            headings.push((level, anchor.clone()));
            page.anchors.push(anchor);
            continue;
        }
        page.links.extend(links(line).map(|link| (at + 1, link)));
    }
    page
}

fn block(line: usize, headings: &[(usize, String)], above: &[&str], text: String) -> Block {
    let mut block = Block {
        line,
        under: headings.iter().map(|(_, anchor)| anchor.clone()).collect(),
        mark: Mark::Run,
        needs: None,
        text,
    };
    for comment in above {
        let words = comment.trim_start_matches("<!--").trim_end_matches("-->").trim();
        match words.split_once(": ") {
            Some(("not run", reason)) => block.mark = Mark::NotRun(reason.to_owned()),
            Some(("background", file)) => block.mark = Mark::Background(file.to_owned()),
            Some(("file", name)) => block.mark = Mark::File(name.to_owned()),
            Some(("needs", place)) => {
                block.needs = place.split_once('#').map(|(page, anchor)| (page.to_owned(), anchor.to_owned()));
            }
            _ => {}
        }
    }
    block
}

/// The anchor of a heading, as Markdown viewers make it: lower case, dashes for blanks, no punctuation.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The targets of `[text](target)`, outside of code spans.
fn links(line: &str) -> impl Iterator<Item = String> {
    let outside: String = line.split('`').step_by(2).collect::<Vec<_>>().join("`");
    let targets: Vec<String> = outside
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')').map(|(target, _)| target.to_owned()))
        .collect();
    targets.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# A page\n\nSee [there](b.md#x-y) and `[not](code.md)`.\n\n## In a `terminal`, now\n\n\
                        <!-- background: ready.json -->\n```sh\nserve\n```\n\n<!-- not run: it builds -->\n```sh\n# make\n```\n\n\
                        ```json\n[a](b)\n```\n\n<!-- needs: README.md#quick-start -->\n```sh\nlast\n```\n";

    #[test]
    fn blocks_carry_their_marks_and_their_headings() {
        let page = parse(TEXT);
        let marks: Vec<&Mark> = page.blocks.iter().map(|block| &block.mark).collect();
        assert_eq!(
            marks,
            [&Mark::Background("ready.json".to_owned()), &Mark::NotRun("it builds".to_owned()), &Mark::Run]
        );
        assert_eq!(page.blocks[0].under, ["a-page", "in-a-terminal-now"]);
        assert_eq!(page.blocks[0].text, "serve");
        assert_eq!(page.blocks[2].needs, Some(("README.md".to_owned(), "quick-start".to_owned())));
    }

    #[test]
    fn a_block_of_any_language_can_be_a_file() {
        let page = parse("<!-- file: a.py -->\n```python\nprint(1)\n```\n\n```python\nprint(2)\n```\n");
        assert_eq!(page.blocks.len(), 1, "a block without the mark is only shown");
        assert_eq!(page.blocks[0].mark, Mark::File("a.py".to_owned()));
        assert_eq!(page.blocks[0].text, "print(1)");
    }

    #[test]
    fn links_are_read_outside_of_code_and_headings_have_anchors() {
        let page = parse(TEXT);
        assert_eq!(page.links, [(3, "b.md#x-y".to_owned())]);
        assert_eq!(page.anchors, ["a-page", "in-a-terminal-now"]);
    }
}
