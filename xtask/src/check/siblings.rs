//! Rooms side by side: the endpoints of the OneLogin dialect. What two of them need belongs to `wire`.

use super::Complaints;
use super::files::File;

/// A folder, and which of its rooms must not name one another.
const SIBLINGS: &[(&str, &[&str])] = &[("crates/onelogin/src", &["v1", "v2", "login", "saml", "token"])];

/// No room names its sibling.
pub(super) fn apart(files: &[File]) -> Complaints {
    let mut complaints = Complaints::new();
    for (folder, rooms) in SIBLINGS {
        for file in files {
            let path = file.path.to_string_lossy().replace('\\', "/");
            let Some((_, within)) = path.split_once(&format!("{folder}/")) else { continue };
            let Some(room) = rooms.iter().find(|room| within.starts_with(&format!("{room}/"))) else { continue };
            let named = modules(&file.text);
            let siblings = rooms.iter().filter(|other| *other != room && named.contains(*other));
            complaints.extend(siblings.map(|other| format!("{path} names {other}: what both need belongs to wire")));
        }
    }
    complaints
}

/// The modules right below the crate that a file names: in `crate::a::B`, `crate::{a::B, c}` and `super::super::a`.
fn modules(text: &str) -> Vec<&str> {
    let mut modules = Vec::new();
    for root in ["crate::", "super::super::"] {
        for (at, _) in text.match_indices(root) {
            let rest = &text[at + root.len()..];
            match rest.strip_prefix('{') {
                None => modules.push(word(rest)),
                Some(group) => modules.extend(members(group)),
            }
        }
    }
    modules
}

/// The first names in a group of `use`, from behind its opening brace.
fn members(group: &str) -> Vec<&str> {
    let (mut depth, mut begins, mut members) = (0, true, Vec::new());
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => begins = true,
            _ if begins && depth == 0 && !letter.is_whitespace() => {
                members.push(word(&group[at..]));
                begins = false;
            }
            _ => {}
        }
    }
    members
}

fn word(text: &str) -> &str {
    text.split(|letter: char| !(letter.is_alphanumeric() || letter == '_')).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.into(), text: text.to_owned() }
    }

    #[test]
    fn a_room_does_not_name_its_sibling_however_it_is_spelled() {
        for (text, names) in [
            ("use crate::v2::devices;", true),
            ("use crate::{wire::x, v2};", true),
            ("use crate::{wire::{v2, y}, dialect};", false),
            ("let x = super::super::v2::f();", true),
            ("use crate::wire::v2;", false),
            ("use crate::v1::error;", false),
        ] {
            let found = apart(&[file("crates/onelogin/src/v1/verify.rs", text)]);
            assert_eq!(!found.is_empty(), names, "{text}");
        }
        assert!(apart(&[file("crates/onelogin/src/routes/table.rs", "use crate::{v1, v2};")]).is_empty());
    }
}
