//! Randomness that repeats: only a dev world has it, and tests.

use super::complaints::Complaints;
use super::krate::File;

/// Where bytes may come from: the operating system, and a number in a dev world.
const HOMES: &[&str] = &["crates/engine/src/chance.rs", "crates/countersign/src/dev/chance.rs"];

/// The law: sources of randomness elsewhere. `serve` is built without the one of the dev world, so no setting can choose it.
pub(super) fn at_home<'a>(files: impl Iterator<Item = &'a File>) -> Complaints {
    let mut complaints = Complaints::new();
    for file in files.filter(|file| !HOMES.contains(&file.path.as_str())) {
        // What comes after is for tests.
        let product = file.text.split("#[cfg(test)]").next().unwrap_or_default();
        let is_test =
            file.path.contains("/tests/") || file.path.contains("/testkit/") || file.path.ends_with("tests.rs");
        if !is_test && product.contains("Chance for ") {
            complaints.push(format!(
                "{} is another source of randomness; its homes are {}",
                file.path,
                HOMES.join(", ")
            ));
        }
        let names_it = product.contains("DevChance") && !file.path.starts_with("crates/countersign/src/dev/");
        if names_it {
            complaints.push(format!("{} names the randomness of a dev world", file.path));
        }
    }
    complaints
}
