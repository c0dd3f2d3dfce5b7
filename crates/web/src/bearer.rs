//! The access token of an API call, out of the `Authorization` header in all the forms that real clients send
//! (contract 1.3): `bearer x`, `Bearer x`, `bearer:x`, `bearer: x`.
//!
//! Only the spelling is judged here. Whether the token is known is decided by digest elsewhere.

use http::HeaderMap;
use http::header::AUTHORIZATION;

/// No token is longer; ours have 64 characters.
const MAX_TOKEN: usize = 512;

/// The token in a header value, if the value has the form of one.
pub fn token(header: &str) -> Option<&str> {
    let (scheme, rest) = header.trim_matches([' ', '\t']).split_at_checked("bearer".len())?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let token = rest.strip_prefix(':').unwrap_or(rest).trim_start_matches([' ', '\t']);
    // With neither colon nor space the word would be one: `bearerx` names another scheme.
    let separated = token.len() < rest.len();
    let allowed = token.len() <= MAX_TOKEN && token.bytes().all(|byte| byte.is_ascii_graphic());
    (separated && !token.is_empty() && allowed).then_some(token)
}

/// The token among the headers of a request. A repeated header is none: the guard has refused it already.
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
