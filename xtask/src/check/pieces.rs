//! A file's text in three kinds: comments, texts (string literals) and code. The compiler's own tokens have no comments,
//! so this is a reader of our own; it knows as much of Rust as it takes to tell the three apart.

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Comment,
    Text,
    Code,
}

/// A piece of a file, within one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    pub(super) kind: Kind,
    /// The line where it begins, from 1.
    pub(super) line: usize,
    /// With its marks: `// so`, `"so"`.
    pub(super) text: &'a str,
}

/// The pieces of a file, in order.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let (mut at, mut code, mut line) = (0, 0, 1);
    while at < text.len() {
        let rest = &text[at..];
        let Some((kind, length)) = special(rest, text[..at].chars().next_back()) else {
            at += rest.chars().next().map_or(1, char::len_utf8);
            continue;
        };
        for (kind, piece) in [(Kind::Code, &text[code..at]), (kind, &rest[..length])] {
            if !piece.is_empty() {
                found.push(Piece { kind, line, text: piece });
                line += piece.matches('\n').count();
            }
        }
        at += length;
        code = at;
    }
    if code < text.len() {
        found.push(Piece { kind: Kind::Code, line, text: &text[code..] });
    }
    found
}

/// The comment, string or character that a text begins with: its kind and length.
fn special(rest: &str, before: Option<char>) -> Option<(Kind, usize)> {
    if rest.starts_with("//") {
        return Some((Kind::Comment, rest.find('\n').unwrap_or(rest.len())));
    }
    if rest.starts_with("/*") {
        return Some((Kind::Comment, block(rest)));
    }
    if rest.starts_with('"') {
        return Some((Kind::Text, quoted(rest)));
    }
    if rest.starts_with('\'') {
        return character(rest).map(|length| (Kind::Code, length));
    }
    let in_a_name = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if !in_a_name && let Some(raw) = rest.strip_prefix('r') {
        let hashes = raw.bytes().take_while(|byte| *byte == b'#').count();
        if raw[hashes..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let inside = &raw[hashes + 1..];
            let length = inside.find(&end).map_or(inside.len(), |at| at + end.len());
            return Some((Kind::Text, 1 + hashes + 1 + length));
        }
    }
    None
}

/// The length of a block comment, which may hold others.
fn block(text: &str) -> usize {
    let (mut at, mut depth) = (0, 0_usize);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    at
}

/// The length of a string with its quotes.
fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of a character literal; a lifetime is none.
fn character(text: &str) -> Option<usize> {
    let mut inside = text.char_indices().skip(1);
    let (_, first) = inside.next()?;
    if first == '\\' {
        inside.next()?;
        return inside.find(|(_, c)| *c == '\'').map(|(at, _)| at + 1);
    }
    inside.next().filter(|(_, c)| *c == '\'').map(|(at, _)| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: Kind, text: &str) -> Vec<(usize, &str)> {
        pieces(text).into_iter().filter(|piece| piece.kind == kind).map(|piece| (piece.line, piece.text)).collect()
    }

    #[test]
    fn comments_are_told_from_texts_that_look_like_them() {
        let text =
            "let a = \"// no\"; // yes\n/* and /* inner */\nmore */ let b = '\"'; /// doc\nlet c = r#\"\"// no\"#;\n";
        assert_eq!(of(Kind::Comment, text), [(1, "// yes"), (2, "/* and /* inner */\nmore */"), (3, "/// doc")]);
        assert_eq!(of(Kind::Text, text), [(1, "\"// no\""), (4, "r#\"\"// no\"#")]);
    }

    #[test]
    fn lifetimes_and_escapes_end_nothing_early() {
        let text = "fn f<'a>(x: &'a str) -> char { let _ = \"a\\\"// b\"; '\\'' } // c";
        assert_eq!(of(Kind::Comment, text), [(1, "// c")]);
        assert_eq!(of(Kind::Text, text), [(1, "\"a\\\"// b\"")]);
    }

    #[test]
    fn nothing_is_lost() {
        let text = "a \"b\" // c\nbr\"d\" /* e */ 'f' for\"g\"";
        assert_eq!(pieces(text).iter().map(|piece| piece.text).collect::<String>(), text);
    }
}
