//! Reads the access token in the `Authorization` header, in all forms that real clients send (contract 1.3): `bearer x`,
//! `Bearer x`, `bearer:x`, `bearer: x`.
//!
//! Only the syntax is checked here. Whether the token is valid is decided elsewhere, by its digest.

use http::HeaderMap;
use http::header::AUTHORIZATION;

/// Longest token that is read. Ours have 64 characters.
const MAX_TOKEN: usize = 512;

/// The token in a header value, if the value has the form of one.
pub fn token(header: &str) -> Option<&str> {
    let (scheme, rest) = header.trim_matches([' ', '\t']).split_at_checked("bearer".len())?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let token = rest.strip_prefix(':').unwrap_or(rest).trim_start_matches([' ', '\t']);
    // Without a colon or a space it is another scheme: `bearerx`.
    let separated = token.len() < rest.len();
    let allowed = token.len() <= MAX_TOKEN && token.bytes().all(|byte| byte.is_ascii_graphic());
    (separated && !token.is_empty() && allowed).then_some(token)
}

/// The token in the headers of a request. A repeated header has no token: the guard has already refused it.
pub fn from_headers(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok().and_then(token),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_of_clients_are_read() {
        for header in [
            "bearer abc",
            "Bearer abc",
            "BEARER abc",
            "bearer:abc",
            "bearer: abc",
            "Bearer:   abc",
            "bearer   abc",
            "bearer\tabc",
            " bearer abc ",
        ] {
            assert_eq!(token(header), Some("abc"), "{header:?}");
        }
    }

    #[test]
    fn anything_else_is_no_token() {
        let long = format!("bearer {}", "a".repeat(513));
        for header in [
            "",
            "bearer",
            "bearer ",
            "bearer:",
            "bearer: ",
            "bearerabc",
            "Basic abc",
            "bearer a b",
            "bearer a\tb",
            "bear abc",
            "bearer \u{e9}",
            "b\u{e9}arer x",
            "client_id:a, client_secret:b",
            &long,
        ] {
            assert_eq!(token(header), None, "{header:?}");
        }
        assert_eq!(token("bearer ::x"), Some("::x"));
    }

    #[test]
    fn a_repeated_header_is_no_token() {
        let mut headers = HeaderMap::new();
        assert_eq!(from_headers(&headers), None);
        headers.append(AUTHORIZATION, "bearer x".parse().unwrap());
        assert_eq!(from_headers(&headers), Some("x"));
        headers.append(AUTHORIZATION, "bearer x".parse().unwrap());
        assert_eq!(from_headers(&headers), None);
    }
}
