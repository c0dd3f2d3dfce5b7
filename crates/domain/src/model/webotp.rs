//! The host to which a code in a text message is bound: browsers hand such a code to pages of that host only, and can
//! enter it by themselves (WICG, "Origin-bound one-time codes delivered via SMS").

use serde::{Deserialize, Serialize};

/// Longest host, in characters: a text message needs room for words, too.
const LONGEST: usize = 64;

/// A host name in lower-case ASCII, without port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WebOtpHost(String);

impl WebOtpHost {
    /// Reads a host name of at most 64 characters, such as `login.example.com`. One with letters beyond ASCII is written as
    /// `xn--…`.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let host = text.to_ascii_lowercase();
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let is_host = host.len() <= LONGEST && host.split('.').all(is_label);
        if is_host { Ok(Self(host)) } else { Err("write a host as login.example.com, in at most 64 characters") }
    }

    /// The last line of a text message with this code.
    pub fn last_line(&self, code: &str) -> String {
        format!("@{} #{code}", self.0)
    }

    /// The name itself.
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for WebOtpHost {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<WebOtpHost> for String {
    fn from(host: WebOtpHost) -> Self {
        host.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_and_nothing_more() {
        for host in ["example.com", "login.example.com", "localhost", "xn--bcher-kva.example", "LOGIN.example.com"] {
            assert_eq!(WebOtpHost::parse(host).map(String::from), Ok(host.to_ascii_lowercase()));
        }
        let long = format!("{}.example.com", "a".repeat(60));
        for text in [
            "",
            ".",
            "a..b",
            "example.com.",
            "https://example.com",
            "example.com:443",
            "a b",
            "a\n",
            "bücher.example",
            "-a",
            "a-",
            &long,
        ] {
            assert!(WebOtpHost::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_last_line_is_the_one_of_the_specification() {
        let host = WebOtpHost::parse("example.com").unwrap();
        assert_eq!(host.last_line("747723"), "@example.com #747723");
    }
}
