//! What a call says, before a gateway has put it into its own form: a code is said twice, and apart from the words around
//! it, so that it can be said slowly (contract 18.9). Pure.

use url::Url;

use super::signature::CALL;
use crate::message::OutgoingMessage;

/// How long the telephone rings, in seconds.
pub(super) const RINGS: u8 = 30;
/// How long a call lasts at most, in seconds.
pub(super) const LASTS: u8 = 120;
/// How long a call waits for the next key, in seconds.
pub(super) const WAIT: u8 = 10;
/// How many digits a call asks for: as many as a screen shows.
pub(super) const DIGITS: usize = domain::model::code::CODE_LENGTH;

/// A part of what a call says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spoken<'a> {
    Words(&'a str),
    /// A code, to be spelled slowly.
    Code(&'a str),
}

/// Where the digits that this call asks for are to be sent: to `digits`, with the verification in the query. `None` if it asks
/// for none: only a call about a verification has a person waiting for digits, and it holds no code.
pub(super) fn asks_at(message: &OutgoingMessage, digits: &Url) -> Option<Url> {
    let about = message.about.filter(|_| message.content.code.is_none())?;
    let mut action = digits.clone();
    action.set_query(Some(&format!("{CALL}={}", about.verification_id)));
    Some(action)
}

/// What this call says, in order. Words of an operator that have their code once are said twice as a whole.
pub(super) fn parts(message: &OutgoingMessage) -> Vec<Spoken<'_>> {
    let body = message.content.body.as_str();
    let Some(code) = message.content.code.as_deref().filter(|code| !code.is_empty()) else {
        return vec![Spoken::Words(body)];
    };
    let mut parts = Vec::new();
    for (n, words) in body.split(code).enumerate() {
        if n > 0 {
            parts.push(Spoken::Code(code));
        }
        if !words.trim().is_empty() {
            parts.push(Spoken::Words(words));
        }
    }
    let codes = parts.iter().filter(|part| matches!(part, Spoken::Code(_))).count();
    if codes == 1 { parts.repeat(2) } else { parts }
}

/// What this call says, as one text: a code is spelled with commas, at which voices pause.
pub(super) fn spelled(message: &OutgoingMessage) -> String {
    let mut text = String::new();
    for part in parts(message) {
        let part = match part {
            Spoken::Words(words) => words.to_owned(),
            Spoken::Code(code) => code.chars().map(String::from).collect::<Vec<_>>().join(", "),
        };
        if part.starts_with(char::is_alphanumeric) && !text.is_empty() && !text.ends_with(char::is_whitespace) {
            text.push_str(if text.ends_with(char::is_alphanumeric) { ". " } else { " " });
        }
        text.push_str(&part);
    }
    text
}

/// The language of a call as gateways name it, for the languages of our own texts. Of another we do not know whether the
/// gateway speaks it, so it speaks its own.
pub(super) fn tongue(language: &str) -> Option<&'static str> {
    Some(match language {
        "en" => "en-US",
        "de" => "de-DE",
        "fr" => "fr-FR",
        "es" => "es-ES",
        "ja" => "ja-JP",
        _ => return None,
    })
}

/// A text inside an element or an attribute. What XML cannot hold becomes a blank.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => escaped.push(' '),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
pub(super) mod tests {
    use domain::{Channel, Content, DeviceId, MessageId, Timestamp, UserId, VerificationId};

    use super::*;
    use crate::message::Concerned;

    /// A call in English about a verification.
    pub(in super::super) fn call(body: &str, code: Option<&str>) -> OutgoingMessage {
        let verification_id: VerificationId = "11111111-2222-4333-8444-555555555555".parse().unwrap();
        OutgoingMessage {
            id: MessageId(4711),
            channel: Channel::Voice,
            about: Some(Concerned { user_id: UserId(7), device_id: Some(DeviceId(9)), verification_id }),
            content: Content {
                code: code.map(str::to_owned),
                language: Some("en".to_owned()),
                ..Content::of("+14155550123".to_owned(), body.to_owned())
            },
            created_at: Timestamp(1_440_938_160_000),
        }
    }

    #[test]
    fn a_code_is_said_twice() {
        use Spoken::{Code, Words};
        let twice = call("Acme. Code: 0042. Again: 0042. Bye.", Some("0042"));
        let said = [Words("Acme. Code: "), Code("0042"), Words(". Again: "), Code("0042"), Words(". Bye.")];
        assert_eq!(parts(&twice), said);
        let once = call("Code 0042", Some("0042"));
        assert_eq!(parts(&once), [Words("Code "), Code("0042"), Words("Code "), Code("0042")]);
        assert_eq!(parts(&call("Key in six digits", None)), [Words("Key in six digits")]);
    }

    #[test]
    fn a_code_is_spelled_with_commas() {
        let twice = call("Acme. Code: 0042. Again: 0042. Bye.", Some("0042"));
        assert_eq!(spelled(&twice), "Acme. Code: 0, 0, 4, 2. Again: 0, 0, 4, 2. Bye.");
        assert_eq!(spelled(&call("Code 0042", Some("0042"))), "Code 0, 0, 4, 2. Code 0, 0, 4, 2");
        assert_eq!(spelled(&call("Key in six digits.", None)), "Key in six digits.");
    }

    #[test]
    fn only_a_call_about_a_verification_and_without_a_code_asks_for_digits() {
        let digits = Url::parse("https://a.example/digits").unwrap();
        let action = asks_at(&call("Key in", None), &digits).unwrap();
        assert_eq!(action.as_str(), "https://a.example/digits?call=11111111-2222-4333-8444-555555555555");
        assert_eq!(asks_at(&call("Code 0042", Some("0042")), &digits), None);
        assert_eq!(asks_at(&OutgoingMessage { about: None, ..call("A test", None) }, &digits), None);
    }
}
