//! Every numbered row of sections 13 and 14 of the contract has a test that names it, and no test names a row that is
//! not there. What a test says of a row is read by people; that it says anything is read here.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::complaints::Complaints;
use super::krate::File;

const PAGE: &str = "docs/contract.md";
const SECTIONS: [&str; 2] = ["13.", "14."];
/// How a test names a row: in its words, or as a whole text (`"13.4"`).
const WORDS: [&str; 3] = ["contract ", "Contract ", "\""];

pub(super) fn named<'a>(root: &Path, files: impl Iterator<Item = &'a File>) -> Result<Complaints> {
    let page = std::fs::read_to_string(root.join(PAGE)).with_context(|| format!("cannot read {PAGE}"))?;
    let rows = rows(&page);
    let named: BTreeSet<String> = files.flat_map(|file| tests(&file.text)).flat_map(|test| names(&test)).collect();
    let mut complaints = Vec::new();
    for section in SECTIONS {
        if !rows.iter().any(|row| row.starts_with(section)) {
            complaints.push(format!("{PAGE} has no numbered rows in section {}", section.trim_end_matches('.')));
        }
    }
    complaints.extend(rows.difference(&named).map(|row| format!("no test names row {row} of {PAGE}")));
    complaints.extend(named.difference(&rows).map(|row| format!("a test names row {row}, which {PAGE} does not have")));
    Ok(complaints)
}

/// The numbers in the first column of the page's tables.
fn rows(page: &str) -> BTreeSet<String> {
    let first = page.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    first.filter(|cell| number(cell).is_some_and(|row| row.len() == cell.len())).map(str::to_owned).collect()
}

/// The tests of a file, each with what is said above it. A test ends at the brace that is as far left as its attribute.
fn tests(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut tests = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let attribute = line.trim_start();
        if !attribute.starts_with("#[test]") && !attribute.starts_with("#[tokio::test") {
            continue;
        }
        let end = format!("{}}}", &line[..line.len() - attribute.len()]);
        let said = lines[..at].iter().rev().take_while(|line| line.trim_start().starts_with("///"));
        let mut test: Vec<&str> = said.copied().collect();
        test.extend(lines[at..].iter().take_while(|line| ***line != end).copied());
        tests.push(test.join("\n"));
    }
    tests
}

/// The rows that a test names.
fn names(test: &str) -> Vec<String> {
    let mut names = Vec::new();
    for words in WORDS {
        for (at, _) in test.match_indices(words) {
            names.extend(number(&test[at + words.len()..]).map(str::to_owned));
        }
    }
    names
}

/// The row's number that a text begins with: `13.4`, `14.1b`.
fn number(text: &str) -> Option<&str> {
    let section = SECTIONS.iter().find(|section| text.starts_with(**section))?;
    let digits = text[section.len()..].bytes().take_while(u8::is_ascii_digit).count();
    let letter = usize::from(text[section.len() + digits..].starts_with(|next: char| next.is_ascii_lowercase()));
    (digits > 0).then(|| &text[..section.len() + digits + letter])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(rows: &[&str]) -> BTreeSet<String> {
        rows.iter().map(|row| (*row).to_owned()).collect()
    }

    #[test]
    fn rows_are_read_from_the_first_column_only() {
        let page =
            "| # | what |\n| --- | --- |\n| 13.1 | a |\n| 14.1b | see 14.9 |\n| 7.2 | b |\n| 13.2 and more | c |";
        assert_eq!(rows(page), set(&["13.1", "14.1b"]));
    }

    #[test]
    fn a_test_names_rows_above_itself_and_inside_and_nothing_else_does() {
        let file = "/// Contract 14.3: x\n/// more\n#[tokio::test]\nasync fn one() {\n    v1(\"13.4\");\n}\n\n\
                    /// Contract 14.4.\nfn helper() {}\n\nmod tests {\n    #[test]\n    fn two() {\n        // contract 14.5\n    }\n}\n";
        let found: BTreeSet<String> = tests(file).into_iter().flat_map(|test| names(&test)).collect();
        assert_eq!(found, set(&["14.3", "13.4", "14.5"]));
    }
}
