//! Every security requirement says whether it is built, and what is built names tests that are there.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::complaints::Complaints;
use super::krate::File;

const PAGE: &str = "docs/security/requirements.md";
const STATUS: &str = "## 15. ";

/// The law: `each_built_requirement_names_a_test`.
pub(super) fn shown<'a>(root: &Path, files: impl Iterator<Item = &'a File>) -> Result<Complaints> {
    let page = std::fs::read_to_string(root.join(PAGE)).with_context(|| format!("cannot read {PAGE}"))?;
    let tests: BTreeSet<&str> = files.flat_map(|file| tests(&file.text)).collect();
    Ok(complaints(&page, &tests))
}

fn complaints(page: &str, tests: &BTreeSet<&str>) -> Complaints {
    let Some((rules, status)) = page.split_once(STATUS) else {
        return vec![format!("{PAGE} has no section that begins with `{STATUS}`")];
    };
    let rows: Vec<(u32, &str, &str)> = status.lines().filter_map(row).collect();
    let mut numbers = BTreeSet::new();
    let mut complaints = Complaints::new();
    for number in rules.lines().filter_map(number) {
        if !numbers.insert(number) {
            complaints.push(format!("SEC {number} is given to two rules"));
        }
    }
    let listed: BTreeSet<u32> = rows.iter().map(|(number, ..)| *number).collect();
    complaints.extend(numbers.difference(&listed).map(|number| format!("SEC {number} has no status in section 15")));
    complaints
        .extend(listed.difference(&numbers).map(|number| format!("section 15 lists SEC {number}, which no rule has")));
    for (number, state, shown) in rows {
        let names: Vec<&str> = shown.split('`').skip(1).step_by(2).collect();
        if state.trim() == "built" && names.is_empty() {
            complaints.push(format!("SEC {number} is called built and names no test"));
        }
        let missing = names.iter().filter(|name| !tests.contains(**name));
        complaints.extend(missing.map(|name| format!("SEC {number} names `{name}`, and there is no such test")));
    }
    complaints
}

/// A row of the table of states: number, state, tests.
fn row(line: &str) -> Option<(u32, &str, &str)> {
    let mut cells = line.strip_prefix("| ")?.split(" | ");
    let number = cells.next()?.parse().ok()?;
    Some((number, cells.next()?, cells.next().unwrap_or_default()))
}

/// The number of the rule that a line states, in a list or in a table.
fn number(line: &str) -> Option<u32> {
    let digits = line.strip_prefix("| ").unwrap_or(line);
    let (digits, rest) = digits.split_at(digits.bytes().take_while(u8::is_ascii_digit).count());
    if rest.starts_with(". ") || rest.starts_with(" | ") { digits.parse().ok() } else { None }
}

/// The names of a file's tests.
fn tests(text: &str) -> impl Iterator<Item = &str> {
    let mut after_attribute = false;
    text.lines().filter_map(move |line| {
        let line = line.trim_start();
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            after_attribute = true;
            return None;
        }
        let name = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ")?;
        std::mem::take(&mut after_attribute).then(|| name.split('(').next().unwrap_or(name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_built_requirement_names_a_test() {
        let page = "1. one\n| 2 | two |\n3. three\n4. four\n4. five\n## 15. Status\n| 1 | built | `here` |\n| 2 | built | |\n\
                    | 3 | planned | |\n| 5 | built | `gone` |\n";
        let found = complaints(page, &BTreeSet::from(["here"])).join("\n");
        assert_eq!(
            found,
            "SEC 4 is given to two rules\nSEC 4 has no status in section 15\nsection 15 lists SEC 5, which no rule has\n\
             SEC 2 is called built and names no test\nSEC 5 names `gone`, and there is no such test"
        );
    }

    #[test]
    fn only_what_carries_the_attribute_is_a_test() {
        let text =
            "fn helper() {}\n#[test]\nfn one() {}\n    #[tokio::test]\n    async fn two() {}\nasync fn other() {}\n";
        assert_eq!(super::tests(text).collect::<Vec<_>>(), ["one", "two"]);
    }
}
