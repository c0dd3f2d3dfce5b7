//! Which files a file names. Paths are resolved as the compiler does it, as far as names go: through child modules,
//! imports, re-exports and globs, to the module that defines the item. An item that a macro makes counts as defined where
//! the path ends. Methods are found by type and not by path, so `impl` blocks of a type in several files name nothing.

use std::collections::BTreeMap;

use super::krate::Crate;

/// Where a path leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Module(usize),
    /// An item that this module defines.
    Item(usize),
}

impl Crate {
    /// The files that each file names, with a path that does so. Imports that are only handed on do not count.
    pub(super) fn named(&self) -> BTreeMap<(usize, usize), String> {
        let mut edges = BTreeMap::new();
        for (at, module) in self.modules.iter().enumerate() {
            let used =
                module.imports.iter().filter(|import| !import.exported || module.names.bare.contains(&import.alias));
            let paths = used.map(|import| &import.path).chain(&module.names.paths);
            for path in paths {
                if let Some(Found::Item(target)) = self.resolve(at, path, &mut Vec::new()) {
                    let edge = (module.file, self.modules[target].file);
                    if edge.0 != edge.1 {
                        edges.entry(edge).or_insert_with(|| path.join("::"));
                    }
                }
            }
        }
        edges
    }

    fn resolve(&self, from: usize, path: &[String], seen: &mut Vec<(usize, String)>) -> Option<Found> {
        let (first, rest) = path.split_first()?;
        let mut found = match first.as_str() {
            "crate" => Found::Module(self.root(from)),
            "self" => Found::Module(from),
            "super" => Found::Module(self.modules[from].parent?),
            name => self.look_up(from, name, rest.is_empty(), seen)?,
        };
        for (at, name) in rest.iter().enumerate() {
            let Found::Module(module) = found else { break };
            found = match name.as_str() {
                "super" => Found::Module(self.modules[module].parent?),
                // A glob of a module's names counts as naming the module.
                "*" => Found::Item(module),
                name => self.look_up(module, name, at + 1 == rest.len(), seen).unwrap_or(Found::Item(module)),
            };
        }
        Some(found)
    }

    /// A name in a module. At the end of a path an item goes before a module of the same name.
    fn look_up(&self, at: usize, name: &str, last: bool, seen: &mut Vec<(usize, String)>) -> Option<Found> {
        let key = (at, name.to_owned());
        if seen.contains(&key) {
            return None;
        }
        seen.push(key);
        let module = &self.modules[at];
        let child = module.children.get(name).map(|child| Found::Module(*child));
        if !last && child.is_some() {
            return child;
        }
        if module.defined.contains(name) {
            return Some(Found::Item(at));
        }
        let imported = module.imports.iter().filter(|import| import.alias == name);
        let mut imported = imported.filter_map(|import| self.resolve(at, &import.path, seen));
        if let Some(found) = imported.next() {
            return Some(found);
        }
        if child.is_some() {
            return child;
        }
        let globs = module.imports.iter().filter(|import| import.alias == "*");
        globs.into_iter().find_map(|glob| {
            let (_, path) = glob.path.split_last()?;
            match self.resolve(at, path, seen)? {
                Found::Module(target) => self.look_up(target, name, last, seen),
                Found::Item(_) => None,
            }
        })
    }

    fn root(&self, mut module: usize) -> usize {
        while let Some(parent) = self.modules[module].parent {
            module = parent;
        }
        module
    }
}

#[cfg(test)]
mod tests {
    use super::super::krate::sample;

    fn named(files: &[(&str, &str)]) -> Vec<String> {
        let krate = sample("crates/a", files);
        let short = |file: usize| krate.files[file].path.trim_start_matches("crates/a/src/").to_owned();
        krate.named().iter().map(|((from, to), path)| format!("{} {path} {}", short(*from), short(*to))).collect()
    }

    #[test]
    fn a_re_export_counts_as_the_file_that_defines() {
        let files = [
            ("lib.rs", "mod a; mod b; pub use a::{One, two};"),
            ("a.rs", "pub struct One; pub fn two() {}"),
            ("b.rs", "use crate::One; fn f(_: One) { crate::two() }"),
        ];
        assert_eq!(named(&files), ["b.rs crate::One a.rs"]);
    }

    #[test]
    fn paths_inside_functions_and_macros_count() {
        let files = [
            ("lib.rs", "mod a; mod b; mod c;"),
            ("a.rs", "fn f() { assert!(super::b::yes(1)); }"),
            ("b.rs", "pub fn yes(_: u8) -> bool { use crate::c; c::DEEP }"),
            ("c.rs", "pub const DEEP: bool = true;"),
        ];
        assert_eq!(named(&files), ["a.rs super::b::yes b.rs", "b.rs c::DEEP c.rs"]);
    }

    #[test]
    fn a_file_that_only_hands_on_names_nothing_and_one_that_uses_does() {
        let handing = [("lib.rs", "mod a; pub use a::One;"), ("a.rs", "pub struct One;")];
        assert_eq!(named(&handing), Vec::<String>::new());
        let using = [("lib.rs", "mod a; pub use a::One; pub struct Two(One);"), ("a.rs", "pub struct One;")];
        assert_eq!(named(&using), ["lib.rs a::One a.rs"]);
    }

    #[test]
    fn globs_renames_inline_modules_and_what_macros_make_are_resolved() {
        let files = [
            ("lib.rs", "mod a; mod b; mod c; pub use a::*; mod inner { pub use crate::b::made as other; }"),
            ("a.rs", "pub struct One;"),
            ("b.rs", "some_macro! { made }"),
            ("c.rs", "use crate::inner::other; use crate::One as First; use std::fmt;"),
        ];
        assert_eq!(named(&files), ["c.rs crate::One a.rs", "c.rs crate::inner::other b.rs"]);
    }
}
