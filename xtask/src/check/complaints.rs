//! What is wrong, in sentences that say what to do.

use std::collections::BTreeMap;

/// A complaint about a file begins with the file's path from the root of the workspace.
pub(super) type Complaints = Vec<String>;

/// The crate that a complaint is about.
pub(super) fn of_crate(complaint: &str) -> &str {
    let path = complaint.strip_prefix("crates/").unwrap_or(complaint);
    path.split(['/', ':']).next().unwrap_or(path)
}

/// How many complaints each crate has, most first.
pub(super) fn by_crate(complaints: &[String]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for complaint in complaints {
        *counts.entry(of_crate(complaint)).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
    let counts: Vec<String> = counts.into_iter().map(|(name, count)| format!("{name} {count}")).collect();
    counts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_are_counted_by_crate() {
        let complaints = ["crates/a/src/b.rs:1 says", "xtask/src/c.rs: x", "crates/a: two", "crates/d/src/e.rs names"];
        assert_eq!(by_crate(&complaints.map(str::to_owned)), "a 2, d 1, xtask 1");
    }
}
