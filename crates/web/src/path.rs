//! Normalises paths, so that routes, scopes, metrics and limits all see the same spelling (contract 1.1).
//!
//! Some clients join a base that ends with a slash and a path that begins with one, and some escape letters without need
//! (RFC 3986 6.2.2). Both mean the plain path. It is rewritten and not redirected, because a redirect would lose bodies
//! and headers.

use http::Uri;
use http::uri::PathAndQuery;

/// Rewrites a target's path to its plain spelling: no repeated slash, no slash at the end, and letters, digits, `-`,
/// `.`, `_` and `~` without escapes. The query does not change.
pub(crate) fn make_plain(uri: &mut Uri) {
    let Some(plain) = plain(uri.path()) else { return };
    let target = uri.query().map_or_else(|| plain.clone(), |query| format!("{plain}?{query}"));
    let mut parts = uri.clone().into_parts();
    let Ok(target) = PathAndQuery::try_from(target) else { return };
    parts.path_and_query = Some(target);
    if let Ok(rewritten) = Uri::from_parts(parts) {
        *uri = rewritten;
    }
}

/// The plain spelling, if it differs.
fn plain(path: &str) -> Option<String> {
    let is_plain = !path.contains('%') && !path.contains("//") && (path.len() == 1 || !path.ends_with('/'));
    if is_plain || !path.starts_with('/') {
        return None;
    }
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(next) = rest.chars().next() {
        let (shown, used) = match unescaped(rest) {
            Some(letter) => (letter, 3),
            None => (next, next.len_utf8()),
        };
        rest = &rest[used..];
        if shown != '/' || !out.ends_with('/') {
            out.push(shown);
        }
    }
    if out.len() > 1 && out.ends_with('/') {
        out.pop();
    }
    (out != path).then_some(out)
}

/// The unreserved character that an escape at the start of `text` encodes.
fn unescaped(text: &str) -> Option<char> {
    let digits =
        text.strip_prefix('%')?.get(..2).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    let letter = char::from(u8::from_str_radix(digits, 16).ok()?);
    (letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.' | '_' | '~')).then_some(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_has_one_spelling() {
        for (spelt, path) in [
            ("/api/2/users", "/api/2/users"),
            ("//api/2/users", "/api/2/users"),
            ("/api/2//users///7/", "/api/2/users/7"),
            ("/", "/"),
            ("//", "/"),
            ("/livez/", "/livez"),
            ("/%61pi/2/%75sers/%37", "/api/2/users/7"),
            ("/api/2/users?a=b//c&d=%61/", "/api/2/users?a=b//c&d=%61/"),
            ("/api/2/users/?a=b//", "/api/2/users?a=b//"),
            // Reserved characters stay escaped.
            ("/api/2/users/a%2Fb%25", "/api/2/users/a%2Fb%25"),
            ("/a%", "/a%"),
            ("/a%zz%4", "/a%zz%4"),
        ] {
            let mut uri = Uri::try_from(spelt).unwrap();
            make_plain(&mut uri);
            assert_eq!(uri.to_string(), path, "{spelt}");
            make_plain(&mut uri);
            assert_eq!(uri.to_string(), path, "{spelt}, once more");
        }
    }

    #[test]
    fn other_forms_of_a_target_stay_what_they_are() {
        for (spelt, path) in [("*", "*"), ("http://mfa.example//livez/", "http://mfa.example/livez")] {
            let mut uri = Uri::try_from(spelt).unwrap();
            make_plain(&mut uri);
            assert_eq!(uri.to_string(), path, "{spelt}");
        }
    }
}
