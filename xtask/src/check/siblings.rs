//! Rooms side by side: the endpoints of the OneLogin dialect. What two of them need belongs to `wire`.

use super::complaints::Complaints;
use super::krate::Crate;

/// A crate, and which of its modules must not name one another.
const SIBLINGS: &[(&str, &[&str])] = &[("onelogin", &["v1", "v2", "login", "saml", "token"])];

/// The law: no room names its sibling.
pub(super) fn apart(crates: &[Crate]) -> Complaints {
    let mut complaints = Complaints::new();
    for (name, rooms) in SIBLINGS {
        let Some(one) = crates.iter().find(|one| one.name == *name) else {
            complaints.push(format!("there is no crate named {name}"));
            continue;
        };
        let room = |file: usize| {
            let (_, within) = one.files[file].path.split_once("/src/")?;
            rooms.iter().find(|room| within.starts_with(&format!("{room}/")))
        };
        for ((from, to), path) in one.named() {
            if let (Some(own), Some(other)) = (room(from), room(to))
                && own != other
            {
                complaints.push(format!("{} names {path}: what both need belongs to wire", one.files[from].path));
            }
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::super::krate::sample;
    use super::*;

    #[test]
    fn a_room_does_not_name_its_sibling_however_it_is_spelled() {
        for (text, names) in [
            ("use crate::v2::devices;", true),
            ("use crate::{wire::shared, v2::devices};", true),
            ("fn f() { let x = super::super::v2::devices(); }", true),
            ("use crate::{wire::shared};", false),
            ("use super::error;", false),
        ] {
            let one = sample(
                "crates/onelogin",
                &[
                    ("lib.rs", "mod routes; mod v1; mod v2; mod wire;"),
                    ("routes.rs", "use crate::v2::devices; use crate::v1::error;"),
                    ("v1/mod.rs", "mod verify; pub fn error() {}"),
                    ("v1/verify.rs", text),
                    ("v2/mod.rs", "pub fn devices() {}"),
                    ("wire.rs", "pub fn shared() {}"),
                ],
            );
            assert_eq!(!apart(&[one]).is_empty(), names, "{text}");
        }
    }
}
