//! What a file imports, and what its code names.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// `use path as alias`; `*` for a glob.
#[derive(Debug)]
pub(super) struct Import {
    pub(super) alias: String,
    pub(super) path: Vec<String>,
    /// With a visibility: others may see it here.
    pub(super) exported: bool,
}

/// What code names.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) paths: BTreeSet<Vec<String>>,
    /// Types, and functions that are called, by a name without a path.
    pub(super) bare: BTreeSet<String>,
}

impl Names {
    /// Walks tokens rather than syntax, since half of the names stand inside macros.
    pub(super) fn gather(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Group(group) => self.gather(group.stream()),
                TokenTree::Ident(_) => {
                    let (path, next) = path(&tokens, at);
                    let before = at.checked_sub(1).map(|at| tokens[at].to_string());
                    let called = matches!(tokens.get(next), Some(TokenTree::Group(group))
                        if group.delimiter() == Delimiter::Parenthesis);
                    let typed = path[0].starts_with(char::is_uppercase);
                    if path.len() > 1 {
                        self.paths.insert(path);
                    } else if (typed || called) && !matches!(before.as_deref(), Some("." | "fn")) {
                        self.bare.extend(path);
                    }
                    at = next;
                    continue;
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
            at += 1;
        }
    }
}

/// The path that begins at a token, and the token behind it.
fn path(tokens: &[TokenTree], mut at: usize) -> (Vec<String>, usize) {
    let colon = |at: usize| matches!(tokens.get(at), Some(TokenTree::Punct(mark)) if mark.as_char() == ':');
    let mut path = vec![tokens[at].to_string()];
    at += 1;
    while colon(at)
        && colon(at + 1)
        && let Some(TokenTree::Ident(next)) = tokens.get(at + 2)
    {
        path.push(next.to_string());
        at += 3;
    }
    (path, at)
}

/// The single imports of a tree of imports.
pub(super) fn flatten(tree: &syn::UseTree, path: &mut Vec<String>, exported: bool, imports: &mut Vec<Import>) {
    let mut add = |alias: String, last: String| {
        let mut path = path.clone();
        let alias = if last == "self" { path.last().cloned().unwrap_or(alias) } else { alias };
        if last != "self" {
            path.push(last);
        }
        imports.push(Import { alias, path, exported });
    };
    match tree {
        syn::UseTree::Name(name) => add(name.ident.to_string(), name.ident.to_string()),
        syn::UseTree::Rename(name) => add(name.rename.to_string(), name.ident.to_string()),
        syn::UseTree::Glob(_) => add("*".to_owned(), "*".to_owned()),
        syn::UseTree::Path(inner) => {
            path.push(inner.ident.to_string());
            flatten(&inner.tree, path, exported, imports);
            path.pop();
        }
        syn::UseTree::Group(group) => {
            for tree in &group.items {
                flatten(tree, path, exported, imports);
            }
        }
    }
}
