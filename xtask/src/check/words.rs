//! Words that we do not write, in comments, log lines and help: archaic ones, and names that things no longer have.
//! `CONTRIBUTING.md` says how we write instead.

use super::complaints::Complaints;
use super::krate::Crate;
use super::pieces::{Kind, pieces};

/// Words and phrases in lower case, one a line.
const OLD: &str = include_str!("words.txt");

/// The law. Texts count if they are sentences: a log line, an error, a help text.
pub(super) fn none(crates: &[Crate]) -> Complaints {
    let mut complaints = Complaints::new();
    for file in crates.iter().flat_map(|one| &one.files) {
        for piece in pieces(&file.text) {
            let sentence = piece.kind == Kind::Text && piece.text.contains(' ') && file.is_production(piece.line);
            if piece.kind != Kind::Comment && !sentence {
                continue;
            }
            for (line, text) in (piece.line..).zip(piece.text.lines()) {
                complaints.extend(old(text).map(|word| format!("{}:{line} says \"{word}\"", file.path)));
            }
        }
    }
    complaints
}

/// The old words in a line.
fn old(line: &str) -> impl Iterator<Item = &'static str> {
    let words: Vec<String> = line
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let listed = OLD.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    listed.filter(move |old| {
        let old: Vec<&str> = old.split(' ').collect();
        words.windows(old.len()).any(|window| window == old)
    })
}

#[cfg(test)]
mod tests {
    use super::super::krate::sample;
    use super::*;

    #[test]
    fn old_words_are_found_in_comments_and_sentences_only() {
        let text = "// Nobody, and of its own\nfn told() {}\nconst A: &str = \"told\";\nconst B: &str = \"it was told\";\n\
                    // a bellows, foretold\n#[cfg(test)]\nmod tests { const C: &str = \"was told\"; }\n";
        let found = none(&[sample("crates/a", &[("lib.rs", text)])]);
        let lines: Vec<&str> = found.iter().map(|line| line.trim_start_matches("crates/a/src/lib.rs:")).collect();
        assert_eq!(lines, ["1 says \"nobody\"", "1 says \"of its own\"", "4 says \"told\""]);
    }
}
