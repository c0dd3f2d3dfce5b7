//! The texts that callers send with a request: plain substitution of two names and nothing else (SEC 67). All other texts
//! are in `words`.

use domain::{Content, WebOtpHost};
use words::{Filling, MessageKind, SMS_MAX};

use crate::Engine;

impl Engine {
    /// A message to somebody, in words of ours or the operator's.
    pub(crate) fn say(&self, kind: MessageKind, to: String, language: Option<&str>, filling: Filling<'_>) -> Content {
        let said = self.words.say(kind, language, filling);
        let code = kind.has_code().then(|| filling.code.to_owned());
        let link = kind.has_link().then(|| filling.link.to_owned());
        Content {
            code,
            link,
            language: Some(said.language),
            ..Content::of(to, said.text).as_mail(said.subject, said.html)
        }
    }
}

/// Why a caller's own text for a message cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TemplateFault {
    /// Nothing in it is replaced by the code.
    #[error("the text has no place for the code")]
    NoCode,
    /// It has line breaks or control characters.
    #[error("the text has line breaks or control characters")]
    Unclean,
    /// It has more than 160 characters once it is filled, with the last line that its client adds.
    #[error("the text is longer than 160 characters")]
    TooLong,
}

/// A caller's own text for a message, checked.
#[derive(Debug, Clone)]
pub struct MessageTemplate(String);

impl MessageTemplate {
    /// Checks `text`: it must hold `{{otp_code}}`, no line breaks or control characters, and be short enough with a
    /// code of six characters and `minutes` in it, and with the line that binds the code to `host`.
    pub fn parse(text: &str, minutes: i64, host: Option<&WebOtpHost>) -> Result<Self, TemplateFault> {
        if !text.contains("{{otp_code}}") {
            return Err(TemplateFault::NoCode);
        }
        if !domain::model::text::is_clean(text) {
            return Err(TemplateFault::Unclean);
        }
        let template = Self(text.to_owned());
        let filled = template.fill("000000", minutes);
        let whole = host.map_or_else(|| filled.clone(), |host| format!("{filled}\n{}", host.last_line("000000")));
        if whole.chars().count() > SMS_MAX { Err(TemplateFault::TooLong) } else { Ok(template) }
    }

    /// The text with the code and the minutes in place. Both versions' names for the minutes work in both
    /// (contract 14.17).
    pub fn fill(&self, code: &str, minutes: i64) -> String {
        let minutes = minutes.to_string();
        self.0.replace("{{otp_code}}", code).replace("{{expiration}}", &minutes).replace("{{otp_expiry}}", &minutes)
    }
}

/// A text message whose code is bound to a host by its last line, after an empty line if it fits. Words of ours or the
/// operator's that leave no room stay without it: a code that a person has to type is better than none.
pub(crate) fn bound_to(host: &WebOtpHost, text: String, code: &str) -> String {
    let line = host.last_line(code);
    let wholes = ["\n\n", "\n"].map(|between| format!("{text}{between}{line}"));
    wholes.into_iter().find(|whole| whole.chars().count() <= SMS_MAX).unwrap_or(text)
}

/// The life of a code in whole minutes, at least one, for texts to people.
pub fn minutes(ttl: i64) -> i64 {
    ((ttl + 59_999) / 60_000).max(1)
}

/// The address an authenticator app reads from a QR code.
pub(crate) fn otpauth(kind: &str, issuer: &str, account: &str, secret: &str, extra: &str) -> String {
    let issuer_part = encode(issuer);
    format!("otpauth://{kind}/{issuer_part}:{}?secret={secret}&issuer={issuer_part}{extra}", encode(account))
}

/// Percent-encodes all but RFC 3986's unreserved characters.
pub(crate) fn encode(text: &str) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_filled_and_nothing_else_is_evaluated() {
        let template =
            MessageTemplate::parse("Code {{otp_code}}, {{expiration}}/{{otp_expiry}} min {{7*7}}", 2, None).unwrap();
        assert_eq!(template.fill("123456", 2), "Code 123456, 2/2 min {{7*7}}");
    }

    #[test]
    fn a_template_without_the_code_too_long_or_with_line_breaks_is_refused() {
        assert!(MessageTemplate::parse("no code", 2, None).is_err());
        assert!(MessageTemplate::parse(&format!("{{{{otp_code}}}}{}", "x".repeat(155)), 2, None).is_err());
        assert!(MessageTemplate::parse(&format!("{{{{otp_code}}}}{}", "x".repeat(154)), 2, None).is_ok());
        assert!(MessageTemplate::parse("a\r\nb {{otp_code}}", 2, None).is_err());
    }

    #[test]
    fn the_last_line_counts_as_part_of_the_text() {
        let host = WebOtpHost::parse("example.com").unwrap();
        // A line break, and `@example.com #000000`.
        let room = 160 - 6 - 21;
        let text = |letters| format!("{{{{otp_code}}}}{}", "x".repeat(letters));
        assert!(MessageTemplate::parse(&text(room), 2, Some(&host)).is_ok());
        assert!(matches!(MessageTemplate::parse(&text(room + 1), 2, Some(&host)), Err(TemplateFault::TooLong)));

        let words = |letters| bound_to(&host, "x".repeat(letters), "123456");
        assert_eq!(words(1), "x\n\n@example.com #123456");
        assert!(words(138).ends_with("x\n\n@example.com #123456") && words(138).len() == 160);
        assert!(words(139).ends_with("x\n@example.com #123456") && words(139).len() == 160);
        assert_eq!(words(140), "x".repeat(140));
    }

    #[test]
    fn addresses_for_apps_are_encoded() {
        assert_eq!(
            otpauth("totp", "acme", "ana@example.com", "BASE32", ""),
            "otpauth://totp/acme:ana%40example.com?secret=BASE32&issuer=acme"
        );
    }
}
