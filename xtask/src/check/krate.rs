//! A crate as its source says it: the modules, what each defines, imports and names, and which lines are tests.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use quote::ToTokens;
use syn::spanned::Spanned as _;
use syn::visit::Visit;

use super::imports::{Import, Names, flatten};

pub(super) struct Crate {
    /// The name of its folder.
    pub(super) name: String,
    /// Whether it has a library.
    pub(super) library: bool,
    /// Every Rust file under the crate's folder, tests included.
    pub(super) files: Vec<File>,
    /// The modules that are compiled outside tests.
    pub(super) modules: Vec<Module>,
}

/// A source file.
#[derive(Debug)]
pub(super) struct File {
    /// From the root of the workspace.
    pub(super) path: String,
    pub(super) text: String,
    /// Whether it is compiled outside tests.
    pub(super) production: bool,
    /// Lines of test modules and test functions inside a file of production code.
    tests: Vec<RangeInclusive<usize>>,
}

/// A module: a file, or a part of one in braces.
#[derive(Default)]
pub(super) struct Module {
    /// Its place in [`Crate::files`].
    pub(super) file: usize,
    pub(super) parent: Option<usize>,
    pub(super) children: BTreeMap<String, usize>,
    /// The names it defines.
    pub(super) defined: BTreeSet<String>,
    pub(super) imports: Vec<Import>,
    pub(super) names: Names,
    /// Its items, for laws that look at them.
    pub(super) items: Vec<syn::Item>,
    /// Whether the file or the declaration has a doc comment.
    pub(super) documented: bool,
    pub(super) public: bool,
}

impl File {
    /// Whether a line, from 1, belongs to production code.
    pub(super) fn is_production(&self, line: usize) -> bool {
        self.production && !self.tests.iter().any(|range| range.contains(&line))
    }
}

impl Crate {
    /// The crate in a folder of the workspace.
    pub(super) fn read(root: &Path, folder: &Path) -> Result<Self> {
        let mut files = Vec::new();
        gather(root, folder, &mut files)?;
        files.sort();
        let path = folder.strip_prefix(root).unwrap_or(folder).to_string_lossy().into_owned();
        Self::of(&path, files)
    }

    /// A crate of files, each with its path from the root of the workspace and its text.
    pub(super) fn of(folder: &str, files: Vec<(String, String)>) -> Result<Self> {
        let file = |(path, text)| File { path, text, production: false, tests: Vec::new() };
        let name = folder.rsplit('/').next().unwrap_or(folder).to_owned();
        let files: Vec<File> = files.into_iter().map(file).collect();
        let mut new = Self { name, library: false, files, modules: Vec::new() };
        for root in ["lib.rs", "main.rs"] {
            let path = PathBuf::from(folder).join("src").join(root);
            if let Some(file) = new.file(&path) {
                new.library |= root == "lib.rs";
                new.module(file, None, &path.with_file_name(""), true, false)?;
            }
        }
        Ok(new)
    }

    fn file(&self, path: &Path) -> Option<usize> {
        self.files.iter().position(|file| Path::new(&file.path) == path)
    }

    /// Reads the module in a file, whose children are in `folder`.
    fn module(
        &mut self,
        file: usize,
        parent: Option<usize>,
        folder: &Path,
        public: bool,
        documented: bool,
    ) -> Result<usize> {
        let read = syn::parse_file(&self.files[file].text);
        let syntax = read.with_context(|| format!("{} cannot be parsed", self.files[file].path))?;
        self.files[file].production = true;
        let documented = documented || is_documented(&syntax.attrs);
        let module = self.add(Module { file, parent, documented, public, ..Module::default() });
        self.fill(module, syntax.items, folder)?;
        Ok(module)
    }

    fn add(&mut self, module: Module) -> usize {
        self.modules.push(module);
        self.modules.len() - 1
    }

    fn fill(&mut self, module: usize, items: Vec<syn::Item>, folder: &Path) -> Result<()> {
        let file = self.modules[module].file;
        for item in items {
            if is_test(attributes(&item)) {
                let lines = item.span();
                self.files[file].tests.push(lines.start().line..=lines.end().line);
                continue;
            }
            match item {
                syn::Item::Mod(inner) => {
                    let name = inner.ident.to_string();
                    let child = self.child(module, inner, folder)?;
                    self.modules[module].children.insert(name, child);
                }
                syn::Item::Use(import) => self.modules[module].import(&import),
                item => self.modules[module].hold(item),
            }
        }
        Ok(())
    }

    fn child(&mut self, parent: usize, declared: syn::ItemMod, folder: &Path) -> Result<usize> {
        let name = declared.ident.to_string();
        let public = matches!(declared.vis, syn::Visibility::Public(_));
        let documented = is_documented(&declared.attrs);
        if let Some((_, items)) = declared.content {
            let file = self.modules[parent].file;
            let new = Module { file, parent: Some(parent), public, documented, ..Module::default() };
            let module = self.add(new);
            self.fill(module, items, &folder.join(&name))?;
            return Ok(module);
        }
        let places = [folder.join(format!("{name}.rs")), folder.join(&name).join("mod.rs")];
        let file = places.iter().find_map(|path| self.file(path));
        let file = file.with_context(|| format!("{} has no file", places[0].display()))?;
        self.module(file, Some(parent), &folder.join(&name), public, documented)
    }
}

impl Module {
    fn import(&mut self, import: &syn::ItemUse) {
        let exported = !matches!(import.vis, syn::Visibility::Inherited);
        if import.leading_colon.is_none() {
            flatten(&import.tree, &mut Vec::new(), exported, &mut self.imports);
        }
    }

    fn hold(&mut self, item: syn::Item) {
        self.defined.extend(name(&item));
        self.names.gather(item.to_token_stream());
        self.visit_item(&item);
        self.items.push(item);
    }
}

/// Imports inside functions count as the module's.
impl<'ast> Visit<'ast> for Module {
    fn visit_item_use(&mut self, import: &'ast syn::ItemUse) {
        self.import(import);
    }
}

fn gather(root: &Path, folder: &Path, files: &mut Vec<(String, String)>) -> Result<()> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() && !path.ends_with("target") {
            gather(root, &path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            files.push((path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned(), text));
        }
    }
    Ok(())
}

/// The name that an item defines.
pub(super) fn name(item: &syn::Item) -> Option<String> {
    let ident = match item {
        syn::Item::Const(item) => &item.ident,
        syn::Item::Enum(item) => &item.ident,
        syn::Item::Fn(item) => &item.sig.ident,
        syn::Item::Macro(item) => item.ident.as_ref()?,
        syn::Item::Static(item) => &item.ident,
        syn::Item::Struct(item) => &item.ident,
        syn::Item::Trait(item) => &item.ident,
        syn::Item::Type(item) => &item.ident,
        syn::Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(ident.to_string())
}

/// The attributes of an item.
pub(super) fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Const(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Macro(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Static(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Trait(item) => &item.attrs,
        syn::Item::Type(item) => &item.attrs,
        syn::Item::Union(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// Whether one of these attributes is a doc comment.
pub(super) fn is_documented(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| attribute.path().is_ident("doc"))
}

/// Whether an item is compiled for tests only: `#[test]`, `#[cfg(test)]`, `#[cfg(any(test, …))]`.
fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let condition = attribute.meta.to_token_stream().to_string();
        let words = || condition.split(|c: char| !c.is_alphanumeric() && c != '_');
        let test = words().any(|word| word == "test");
        test && (attribute.path().is_ident("test")
            || attribute.path().is_ident("cfg") && !words().any(|word| word == "not"))
    })
}

#[cfg(test)]
pub(super) fn sample(folder: &str, files: &[(&str, &str)]) -> Crate {
    let file = |(path, text): &(&str, &str)| (format!("{folder}/src/{path}"), (*text).to_owned());
    Crate::of(folder, files.iter().map(file).collect()).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_no_production_code() {
        let files = [
            (
                "lib.rs",
                "mod a;\n#[cfg(test)]\nmod tests {\n  use crate::a::One;\n}\n#[cfg(any(test, feature = \"x\"))]\nmod b;\n#[cfg(not(test))]\nfn f() {}",
            ),
            ("a.rs", "pub struct One;"),
            ("b.rs", "use crate::a::One;"),
        ];
        assert!(sample("crates/a", &files).named().is_empty());
        let krate = sample("crates/a", &files);
        assert_eq!(krate.files.iter().map(|file| file.production).collect::<Vec<_>>(), [true, true, false]);
        let lines: Vec<_> = (1..=9).filter(|line| krate.files[0].is_production(*line)).collect();
        assert_eq!(lines, [1, 8, 9]);
    }
}
