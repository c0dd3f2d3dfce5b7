//! The client's id and secret at the token endpoints, in every form that real clients send (contract 1.4): OneLogin's
//! header with and without its space, Basic, and the pair in a form or JSON body.
//!
//! A header wins over a body; a header that cannot be read is an error, and the body is not read instead.

use std::fmt;

use data_encoding::{BASE64, BASE64_NOPAD};
use serde_json::{Map, Value};
use web::json::JsonError;

use crate::wire::lenient::{Body, is_line};

/// The longest id or secret that is read, in characters; ours have 64.
const MAX: usize = 256;

/// A client's id and secret as they were sent. `Debug` shows neither.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub id: String,
    pub secret: String,
}

/// Credentials were sent in a form that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Credentials(..)")
    }
}

impl Credentials {
    fn new(id: &str, secret: &str) -> Result<Self, Malformed> {
        let sent = |text: &str| !text.is_empty() && is_line(text, MAX);
        if sent(id) && sent(secret) {
            Ok(Self { id: id.to_owned(), secret: secret.to_owned() })
        } else {
            Err(Malformed)
        }
    }
}

/// The credentials of a call, from its `Authorization` header or else its body; `None` if neither holds any.
pub(crate) fn parse(authorization: Option<&str>, body: &Body) -> Result<Option<Credentials>, Malformed> {
    match authorization.map(str::trim) {
        Some(header) if !header.is_empty() => from_header(header).map(Some),
        _ => from_body(body),
    }
}

/// The body of a token call: a form if its content type says so, JSON otherwise. An object in braces is always JSON: some
/// programs send JSON with the content type of forms, and no form begins with a brace.
pub(crate) fn body(content_type: Option<&str>, bytes: &[u8]) -> Result<Body, JsonError> {
    let kind = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let is_object = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start().starts_with(b"{");
    if is_object || !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Body::parse(bytes);
    }
    let pairs: Vec<(String, String)> =
        serde_urlencoded::from_bytes(without_mark(bytes)).map_err(|_| JsonError::Malformed)?;
    // The decoder puts a replacement character where the bytes are not UTF-8 (SEC 60); no id or secret holds one.
    if pairs.iter().any(|(name, value)| name.contains('\u{fffd}') || value.contains('\u{fffd}')) {
        return Err(JsonError::NotUtf8);
    }
    let mut fields = Map::new();
    for (name, value) in pairs {
        if name.contains('\0') || value.contains('\0') {
            return Err(JsonError::Nul);
        }
        if fields.insert(name, Value::String(value)).is_some() {
            return Err(JsonError::DuplicateKey);
        }
    }
    Ok(Body::new(fields))
}

/// A form without a byte order mark at its start.
fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes)
}

fn from_header(header: &str) -> Result<Credentials, Malformed> {
    match header.split_at_checked("basic ".len()) {
        Some((scheme, encoded)) if scheme.eq_ignore_ascii_case("basic ") => from_basic(encoded.trim_start()),
        _ => from_pairs(header),
    }
}

/// `base64(id:secret)`, with or without padding.
fn from_basic(encoded: &str) -> Result<Credentials, Malformed> {
    let encoding = if encoded.ends_with('=') || encoded.len().is_multiple_of(4) { BASE64 } else { BASE64_NOPAD };
    let decoded = encoding.decode(encoded.as_bytes()).map_err(|_| Malformed)?;
    let pair = std::str::from_utf8(&decoded).map_err(|_| Malformed)?;
    let (id, secret) = pair.split_once(':').ok_or(Malformed)?;
    Credentials::new(id, secret)
}

/// `client_id:<id>, client_secret:<secret>`, with or without the spaces.
fn from_pairs(header: &str) -> Result<Credentials, Malformed> {
    let (id, secret) = header.split_once(',').ok_or(Malformed)?;
    let value = |pair: &str, name: &str| {
        let (found, value) = pair.split_once(':')?;
        found.trim().eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    };
    match (value(id, "client_id"), value(secret, "client_secret")) {
        (Some(id), Some(secret)) => Credentials::new(&id, &secret),
        _ => Err(Malformed),
    }
}

fn from_body(body: &Body) -> Result<Option<Credentials>, Malformed> {
    let id = body.text("client_id", MAX).map_err(|_| Malformed)?;
    let secret = body.text("client_secret", MAX).map_err(|_| Malformed)?;
    match (id, secret) {
        (None, None) => Ok(None),
        (Some(id), Some(secret)) => Credentials::new(&id, &secret).map(Some),
        _ => Err(Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> Credentials {
        Credentials::new("id1", "s3cret").unwrap()
    }

    fn header(text: &str) -> Result<Option<Credentials>, Malformed> {
        parse(Some(text), &Body::default())
    }

    #[test]
    fn all_forms_of_the_header_are_read() {
        for text in [
            "client_id:id1, client_secret:s3cret",
            "client_id:id1,client_secret:s3cret",
            "client_id: id1 , client_secret: s3cret",
            "Client_ID:id1, CLIENT_SECRET:s3cret",
            "Basic aWQxOnMzY3JldA==",
            "basic aWQxOnMzY3JldA==",
            "Basic aWQxOnMzY3JldA",
            "BASIC   aWQxOnMzY3JldA== ",
        ] {
            assert_eq!(header(text), Ok(Some(pair())), "{text}");
        }
        assert_eq!(header("Basic aWQ6YTpi").unwrap().unwrap().secret, "a:b");
        assert_eq!(header("client_id:a, client_secret:b:c").unwrap().unwrap().secret, "b:c");
    }

    #[test]
    fn a_form_may_have_a_mark_at_its_head() {
        let form = "application/x-www-form-urlencoded";
        let read = body(Some(form), "\u{feff}client_id=id1&client_secret=s3cret".as_bytes()).unwrap();
        assert_eq!(parse(None, &read), Ok(Some(pair())));
    }

    #[test]
    fn a_header_that_cannot_be_read_is_an_error() {
        for text in [
            "client_id:id1",
            "client_id:id1; client_secret:s",
            "client_id:, client_secret:s",
            "client_id:i, client_secret:",
            "client_secret:s, client_id:i",
            "id:i, secret:s",
            "Basic",
            "Basic !!!!",
            "Basic aWQx",
            "Basic OnM=",
            "Basic aWQxOg==",
            "Basic /////w==",
            "Basic YQphOmI=",
            "bearer abc",
            "aWQxOnMzY3JldA==",
        ] {
            assert_eq!(header(text), Err(Malformed), "{text}");
        }
        assert_eq!(header(&format!("client_id:{}, client_secret:s", "i".repeat(257))), Err(Malformed));
    }

    #[test]
    fn the_pair_may_stand_in_a_form_or_a_json_body() {
        let form = body(
            Some("application/x-www-form-urlencoded; charset=utf-8"),
            b"grant_type=client_credentials&client_id=id1&client_secret=s3cret",
        );
        assert_eq!(parse(None, &form.unwrap()), Ok(Some(pair())));
        let json = body(Some("application/json"), br#"{"client_id":"id1","client_secret":"s3cret"}"#).unwrap();
        assert_eq!(parse(None, &json), Ok(Some(pair())));
        assert_eq!(parse(Some("  "), &json), Ok(Some(pair())));
        let bare = body(None, br#"{"grant_type":"client_credentials"}"#).unwrap();
        assert_eq!(parse(None, &bare), Ok(None));
        assert_eq!(parse(None, &body(None, b"").unwrap()), Ok(None));
    }

    #[test]
    fn a_header_wins_over_a_body_even_when_it_is_bad() {
        let json = body(None, br#"{"client_id":"id1","client_secret":"s3cret"}"#).unwrap();
        assert_eq!(parse(Some("nonsense"), &json), Err(Malformed));
        assert_eq!(parse(Some("client_id:a,client_secret:b"), &json).unwrap().unwrap().id, "a");
    }

    #[test]
    fn half_a_pair_is_none() {
        for text in [
            r#"{"client_id":"a"}"#,
            r#"{"client_secret":"a"}"#,
            r#"{"client_id":"","client_secret":"b"}"#,
            r#"{"client_id":[],"client_secret":"b"}"#,
        ] {
            assert_eq!(parse(None, &body(None, text.as_bytes()).unwrap()), Err(Malformed), "{text}");
        }
    }

    #[test]
    fn forms_are_as_strict_as_json() {
        const FORM: Option<&str> = Some("application/x-www-form-urlencoded");
        assert_eq!(body(FORM, b"a=1&a=2"), Err(JsonError::DuplicateKey));
        assert_eq!(body(FORM, b"a=%00"), Err(JsonError::Nul));
        assert_eq!(body(FORM, b"a=b+c%2Bd").unwrap().text("a", 9), Ok(Some("b c+d".to_owned())));
        assert_eq!(body(FORM, b"").unwrap(), Body::default());
        assert_eq!(body(None, b"a=1"), Err(JsonError::Malformed));
    }

    #[test]
    fn a_secret_is_not_shown_for_debugging() {
        assert_eq!(format!("{:?}", pair()), "Credentials(..)");
    }
}
