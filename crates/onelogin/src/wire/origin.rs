//! Origins and addresses that browsers are sent to (contract 5.4, SEC 66).

use std::collections::BTreeSet;

use super::call::ApiCall;
use super::lenient::WrongType;

/// What the names of headers that list origins begin with, in lower case.
const ORIGIN_HEADER: &str = "custom-allowed-origin-header-";

/// Most characters that the origins of a call have together. They are kept with the log-in, in the user's row, which each guess
/// writes anew.
const ORIGINS_MAX: usize = 4_000;

/// The origins in all `Custom-Allowed-Origin-Header-N`, whatever their numbers. What is not an origin is ignored; a
/// trailing slash is allowed, since address bars show one. More than [`ORIGINS_MAX`] are refused.
pub(crate) fn origins(call: &ApiCall) -> Result<Vec<String>, WrongType> {
    let headers = call.headers().iter().filter(|(name, _)| {
        let number = name.as_str().strip_prefix(ORIGIN_HEADER);
        number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    });
    let texts = headers.filter_map(|(_, value)| value.to_str().ok()).flat_map(|value| value.split(',')).map(str::trim);
    let origins: BTreeSet<String> = texts.filter_map(|text| origin(text.strip_suffix('/').unwrap_or(text))).collect();
    if origins.iter().map(String::len).sum::<usize>() > ORIGINS_MAX {
        return Err(WrongType { field: "Custom-Allowed-Origin-Header".to_owned() });
    }
    Ok(origins.into_iter().collect())
}

/// An origin as browsers write it, `<scheme>://<host>[:<port>]`, if `text` is one and nothing else.
pub(crate) fn origin(text: &str) -> Option<String> {
    let url = url::Url::parse(text).ok()?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
        && url.path() == "/"
        && !text.ends_with('/');
    plain.then(|| url.origin().ascii_serialization())
}

/// An address on one of these origins. Nothing in it hides where it leads: it has no user name, not even an empty one, and
/// nothing that a parser would drop or turn (SEC 66).
pub(crate) fn listed(address: &str, origins: &[String]) -> Option<url::Url> {
    let is_plain = |character: char| !character.is_control() && !character.is_whitespace() && character != '\\';
    let url = url::Url::parse(address).ok().filter(|_| address.chars().all(is_plain))?;
    let authority = address.split_once("//").map_or("", |(_, rest)| rest).split(['/', '?', '#']).next().unwrap_or("");
    // Other schemes have an origin too: that of a `blob:` is the one inside.
    let fits = matches!(url.scheme(), "https" | "http") && !authority.contains('@');
    (fits && origins.contains(&url.origin().ascii_serialization())).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_no_path_and_nothing_else() {
        assert_eq!(origin("https://App.Example"), Some("https://app.example".to_owned()));
        assert_eq!(origin("https://app.example:443"), Some("https://app.example".to_owned()));
        assert_eq!(origin("http://localhost:8080"), Some("http://localhost:8080".to_owned()));
        for other in [
            "",
            "app.example",
            "https://app.example/",
            "https://app.example/x",
            "https://u@app.example",
            "ftp://app.example",
            "https://app.example?x",
            "null",
            "*",
            "javascript:alert(1)",
        ] {
            assert_eq!(origin(other), None, "{other}");
        }
    }

    #[test]
    fn an_address_on_a_listed_origin_hides_nothing() {
        let origins = ["https://app.example".to_owned()];
        for fits in ["https://app.example", "https://app.example/a?b=c@d#e", "https://APP.example:443/%5C"] {
            assert!(listed(fits, &origins).is_some(), "{fits}");
        }
        for other in [
            "blob:https://app.example/x",
            "https://@app.example/",
            "https://user@app.example/",
            "https://app.example\\@evil.example/",
            "https:\\\\app.example/",
            "https://app.exam\tple/",
            " https://app.example/",
            "https://app.example/\n",
            "http://app.example/",
            "https://app.example.evil.example/",
            "javascript://app.example/",
            "//app.example/",
        ] {
            assert!(listed(other, &origins).is_none(), "{other}");
        }
    }
}
