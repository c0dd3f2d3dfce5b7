//! Doc comments: every public item of a library has one, and none only repeats a name. Fields and variants may go
//! without: a lint that demands a comment on each is what brings forth comments of one word.

use syn::{ImplItem, Item, TraitItem, Visibility};

use super::complaints::Complaints;
use super::krate::{Crate, Module, attributes, is_documented, name};
use super::pieces::{Kind, Piece, pieces};

/// Words that a doc comment needs to say anything.
const LEAST: usize = 3;

/// The law of public items: functions, types, traits, constants and modules.
pub(super) fn missing(crates: &[Crate]) -> Complaints {
    let mut complaints = Complaints::new();
    for one in crates.iter().filter(|one| one.library) {
        for module in &one.modules {
            let path = &one.files[module.file].path;
            if module.public && !module.documented {
                complaints.push(format!("{path}: the module has no doc comment"));
            }
            complaints.extend(bare(module).into_iter().map(|name| format!("{path}: {name} has no doc comment")));
        }
    }
    complaints
}

/// The law of words.
pub(super) fn empty(crates: &[Crate]) -> Complaints {
    let mut complaints = Complaints::new();
    for file in crates.iter().flat_map(|one| &one.files) {
        for (line, text) in doc_comments(&file.text) {
            let words = text.split_whitespace().filter(|word| word.contains(char::is_alphanumeric)).count();
            if words < LEAST && !is_citation(&text) {
                complaints.push(format!("{}:{line} says only \"{}\"", file.path, text.trim()));
            }
        }
    }
    complaints
}

/// Whether it only names the rule that the item is about: `SEC 12.`, `Decision 7.`, `Contract 4.5.`
fn is_citation(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let is_number = |word: &str| word.starts_with(|c: char| c.is_ascii_digit());
    words.next().is_some_and(|word| matches!(word, "SEC" | "Decision" | "Contract"))
        && words.next().is_some_and(is_number)
}

fn bare(module: &Module) -> Vec<String> {
    let mut bare = Vec::new();
    for item in &module.items {
        if is_public(item) && !is_documented(attributes(item)) {
            bare.extend(name(item));
        }
        match item {
            Item::Impl(block) if block.trait_.is_none() => bare.extend(block.items.iter().filter_map(inherent)),
            Item::Trait(item) if matches!(item.vis, Visibility::Public(_)) => {
                bare.extend(item.items.iter().filter_map(demanded));
            }
            _ => {}
        }
    }
    bare
}

fn is_public(item: &Item) -> bool {
    let visibility = match item {
        Item::Const(item) => &item.vis,
        Item::Enum(item) => &item.vis,
        Item::Fn(item) => &item.vis,
        Item::Static(item) => &item.vis,
        Item::Struct(item) => &item.vis,
        Item::Trait(item) => &item.vis,
        Item::Type(item) => &item.vis,
        Item::Union(item) => &item.vis,
        _ => return false,
    };
    matches!(visibility, Visibility::Public(_))
}

/// The name of a public associated item without a doc comment.
fn inherent(item: &ImplItem) -> Option<String> {
    let (visibility, attributes, name) = match item {
        ImplItem::Fn(item) => (&item.vis, &item.attrs, &item.sig.ident),
        ImplItem::Const(item) => (&item.vis, &item.attrs, &item.ident),
        _ => return None,
    };
    (matches!(visibility, Visibility::Public(_)) && !is_documented(attributes)).then(|| name.to_string())
}

/// The name of an item of a public trait without a doc comment.
fn demanded(item: &TraitItem) -> Option<String> {
    let (attributes, name) = match item {
        TraitItem::Fn(item) => (&item.attrs, &item.sig.ident),
        TraitItem::Const(item) => (&item.attrs, &item.ident),
        TraitItem::Type(item) => (&item.attrs, &item.ident),
        _ => return None,
    };
    (!is_documented(attributes)).then(|| name.to_string())
}

/// The doc comments of a file, each with its first line.
fn doc_comments(text: &str) -> Vec<(usize, String)> {
    let mut comments: Vec<(usize, String)> = Vec::new();
    let mut next = 0;
    for Piece { line, text, .. } in pieces(text).into_iter().filter(|piece| piece.kind == Kind::Comment) {
        let Some(said) = text.strip_prefix("///").or_else(|| text.strip_prefix("//!")) else { continue };
        match comments.last_mut() {
            Some((_, comment)) if line == next => {
                comment.push(' ');
                comment.push_str(said);
            }
            _ => comments.push((line, said.to_owned())),
        }
        next = line + 1;
    }
    comments
}

#[cfg(test)]
mod tests {
    use super::super::krate::sample;
    use super::*;

    #[test]
    fn a_public_item_without_a_doc_comment_is_found_wherever_it_is() {
        let text = "//! A crate.\npub fn a() {} /** b */ pub fn b() {} fn c() {} pub(crate) fn d() {}\n/// S.\npub struct S { pub e: u8 }\n\
                    impl S { pub fn f() {} fn g() {} pub const H: u8 = 0; }\nimpl Clone for S { fn clone(&self) {} }\n/// T.\n\
                    pub trait T { fn i(); type J; }\npub mod k; pub mod l; mod m;\n#[cfg(test)]\nmod tests { pub fn n() {} }";
        let one = sample("crates/a", &[("lib.rs", text), ("k.rs", ""), ("l.rs", "//! L."), ("m.rs", "")]);
        let found = missing(&[one]);
        let names: Vec<&str> = found.iter().map(|line| line.trim_start_matches("crates/a/src/")).collect();
        assert_eq!(
            names.iter().map(|line| line.trim_end_matches(" has no doc comment")).collect::<Vec<_>>(),
            ["lib.rs: a", "lib.rs: f", "lib.rs: H", "lib.rs: i", "lib.rs: J", "k.rs: the module"]
        );
    }

    #[test]
    fn a_binary_need_not_explain_itself() {
        assert_eq!(missing(&[sample("crates/a", &[("main.rs", "pub fn a() {}")])]), Complaints::new());
    }

    #[test]
    fn a_doc_comment_of_two_words_says_nothing() {
        let text = "/// Which one.\nfn a() {}\n/// The hash\n/// of it.\nfn b() {}\n// So.\n/// See [`x`](y).\nfn c() {}\n/// SEC 2.\nfn d() {}\n";
        let found = empty(&[sample("crates/a", &[("lib.rs", text)])]);
        assert_eq!(
            found,
            ["crates/a/src/lib.rs:1 says only \"Which one.\"", "crates/a/src/lib.rs:7 says only \"See [`x`](y).\""]
        );
    }
}
