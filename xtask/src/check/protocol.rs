//! Below the dialects there is no word of a protocol: what OneLogin calls a thing, or which version of it, is the
//! dialect's to know, so that a second dialect finds rules and not another's habits.

use super::complaints::Complaints;
use super::krate::Crate;
use super::pieces::{Kind, pieces};

/// The crates below the dialects.
const BELOW: &[&str] = &["domain", "store", "delivery", "egress", "webhooks", "engine"];

/// How texts of signed and sealed formats begin. They are under signatures and in databases, and never change.
const FORMATS: &[&str] = &[
    "countersign code hash v1",
    "countersign event v1",
    "countersign key check v1",
    "countersign key id v1",
    "countersign seal v1",
    "countersign-app-v1",
    "countersign-pair-v1",
    "countersign-push-v1",
    // The signature of a webhook, by Standard Webhooks 1.0.
    "v1,",
];

/// Where texts contain addresses of other services, which choose their versions themselves.
const ADDRESSES: &str = "crates/delivery/src/provider/";

/// The law. Comments count: an explanation by a protocol is a dependency too.
pub(super) fn none(crates: &[Crate]) -> Complaints {
    let below = crates.iter().filter(|one| BELOW.contains(&one.name.as_str()));
    let files = below.flat_map(|one| &one.files);
    let mut complaints = Complaints::new();
    for file in files {
        for piece in pieces(&file.text) {
            let content = piece.text.trim_start_matches('b').trim_start_matches('"');
            let is_excused =
                file.path.starts_with(ADDRESSES) || FORMATS.iter().any(|format| content.starts_with(format));
            if piece.kind == Kind::Text && is_excused {
                continue;
            }
            for (line, text) in (piece.line..).zip(piece.text.lines()) {
                if file.is_production(line)
                    && let Some(word) = word(text)
                {
                    complaints.push(format!("{}:{line} says {word}", file.path));
                }
            }
        }
    }
    complaints
}

/// The first word of a protocol in a line.
fn word(line: &str) -> Option<String> {
    // A comment may quote a format.
    let line = FORMATS.iter().fold(line.to_owned(), |line, format| line.replace(&format!("`{format}`"), ""));
    if line.contains("/api/") {
        return Some("/api/".to_owned());
    }
    let mut words = line.split(|c: char| !c.is_alphanumeric());
    let found = words.find(|word| {
        let version = word.contains("V1") || word.contains("V2") || matches!(*word, "v1" | "v2");
        version || word.to_lowercase().contains("onelogin")
    });
    found.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::super::krate::sample;
    use super::*;

    #[test]
    fn words_of_a_protocol_are_found_in_names_comments_and_texts() {
        let text = "// as OneLogin does\nfn open_v1() {}\nenum Door { V2 }\nconst A: &str = \"/api/2/\";\nstruct FromV1;\n\
                    // IPv4, TLSv1x and conv1 are none\nconst B: &[u8] = b\"countersign event v1\"; // `v1,` too\n#[cfg(test)]\nmod tests { fn v1() {} }\n";
        let found = none(&[sample("crates/domain", &[("lib.rs", text)])]);
        let lines: Vec<&str> = found.iter().map(|line| line.trim_start_matches("crates/domain/src/lib.rs:")).collect();
        assert_eq!(lines, ["1 says OneLogin", "2 says v1", "3 says V2", "4 says /api/", "5 says FromV1"]);
    }

    #[test]
    fn a_dialect_may_say_them() {
        assert_eq!(none(&[sample("crates/onelogin", &[("lib.rs", "fn v1() {}")])]), Complaints::new());
    }
}
