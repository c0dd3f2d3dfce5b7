//! A public type's name is given once in the whole workspace, so that a name in a talk, a log or a search means one thing.

use std::collections::BTreeMap;

use super::complaints::Complaints;
use super::krate::{Crate, name};

/// Names that each crate may have: they are read with the crate's name before them.
const SHARED: &[&str] = &["Error", "Config"];

pub(super) fn unique(crates: &[Crate]) -> Complaints {
    let mut homes: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    // The chores are a library for their own programs only.
    for one in crates.iter().filter(|one| one.library && one.name != "xtask") {
        for module in &one.modules {
            let public = module.items.iter().filter(|item| is_public_type(item));
            for name in public.filter_map(name).filter(|name| !SHARED.contains(&name.as_str())) {
                homes.entry(name).or_default().push(&one.files[module.file].path);
            }
        }
    }
    let twice = homes.into_iter().filter(|(_, homes)| homes.len() > 1);
    twice.map(|(name, homes)| format!("{}: {name} is also in {}", homes[0], homes[1..].join(", "))).collect()
}

fn is_public_type(item: &syn::Item) -> bool {
    let visibility = match item {
        syn::Item::Enum(item) => &item.vis,
        syn::Item::Struct(item) => &item.vis,
        syn::Item::Trait(item) => &item.vis,
        syn::Item::Type(item) => &item.vis,
        syn::Item::Union(item) => &item.vis,
        _ => return false,
    };
    matches!(visibility, syn::Visibility::Public(_))
}

#[cfg(test)]
mod tests {
    use super::super::krate::sample;
    use super::*;

    #[test]
    fn a_name_is_given_once_among_libraries() {
        let a = sample(
            "crates/a",
            &[("lib.rs", "pub struct One; pub enum Error {} pub fn two() {} pub(crate) struct Three;")],
        );
        let b = sample(
            "crates/b",
            &[("lib.rs", "mod c; pub struct Error; pub struct Three;"), ("c.rs", "pub trait One {}")],
        );
        let c = sample("crates/c", &[("main.rs", "pub struct Three;")]);
        assert_eq!(unique(&[a, b, c]), ["crates/a/src/lib.rs: One is also in crates/b/src/c.rs"]);
    }
}
