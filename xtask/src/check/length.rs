//! Files stay short enough to hold in the head.

use super::complaints::Complaints;
use super::krate::Crate;

/// Longest file of production code, its tests not counted.
const PRODUCTION: usize = 400;
/// Longest file altogether.
const ALTOGETHER: usize = 700;

/// Files of production code that are longer, each with its reason.
const LONG: &[(&str, &str)] = &[];

/// The law: a file of production code above the limit is listed here with a reason.
pub(super) fn explained(crates: &[Crate]) -> Complaints {
    judge(crates, LONG)
}

fn judge(crates: &[Crate], listed: &[(&str, &str)]) -> Complaints {
    let mut complaints = Complaints::new();
    for file in crates.iter().flat_map(|one| &one.files) {
        let lines = (1..).zip(file.text.lines()).filter(|(line, _)| file.is_production(*line)).count();
        let reason = listed.iter().find(|(path, _)| *path == file.path);
        match (lines > PRODUCTION, reason) {
            (true, None) => {
                complaints.push(format!("{} has {lines} lines without its tests; split it, or say why not", file.path));
            }
            (false, Some(_)) => complaints.push(format!("{} is listed as long and has {lines} lines", file.path)),
            (true, Some(_)) | (false, None) => {}
        }
    }
    let there = |path: &str| crates.iter().flat_map(|one| &one.files).any(|file| file.path == path);
    complaints.extend(
        listed.iter().filter(|(path, _)| !there(path)).map(|(path, _)| format!("{path} is listed as long and gone")),
    );
    complaints
}

/// Files that have grown too long with their tests. A warning: where to cut is a matter of taste.
pub(super) fn long(crates: &[Crate]) -> Complaints {
    let counted = crates.iter().flat_map(|one| &one.files).map(|file| (file, file.text.lines().count()));
    let long = counted.filter(|(_, lines)| *lines > ALTOGETHER);
    long.map(|(file, lines)| format!("{} has {lines} lines; {ALTOGETHER} fit in the head", file.path)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::krate::sample;
    use super::*;

    #[test]
    fn only_production_code_counts_and_a_reason_excuses() {
        let code = "fn f() {}\n".repeat(PRODUCTION);
        let fits = format!("{code}#[cfg(test)]\nmod tests {{\n}}\n");
        let long = format!("{code}fn g() {{}}\n");
        let path = "crates/a/src/lib.rs";
        let of = |text: &str, listed: &[(&str, &str)]| judge(&[sample("crates/a", &[("lib.rs", text)])], listed).len();
        assert_eq!(of(&fits, &[]), 0);
        assert_eq!(of(&long, &[]), 1);
        assert_eq!(of(&long, &[(path, "a table")]), 0);
        assert_eq!(of(&fits, &[(path, "a table")]), 1);
        assert_eq!(of(&fits, &[("crates/a/src/gone.rs", "a table")]), 1);
    }
}
