//! What messages to people say, in which language.
//!
//! Our own words are Fluent files in `locales/`, one per language; the layout of mail is `templates/mail.html`. An operator
//! may put texts of their own in their place ([`Words::with_templates`]): `MiniJinja` templates that know a few names and
//! nothing else (SEC 67). Both are filled once when they are read, so a text that cannot be filled is found at the start.
//!
//! Texts that callers send with a request are not templates: `engine` replaces the code in them and nothing else.

mod fluent;
mod sms;
mod templates;

use std::path::Path;

pub use crate::sms::{Alphabet, Segments, segments};
pub use crate::templates::TemplateError;

use crate::fluent::Translations;
use crate::templates::Templates;

/// Longest text message, in characters.
pub const SMS_MAX: usize = 160;

/// What a message is for. Its name is the beginning of the names of its templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MessageKind {
    /// A text message with a code.
    Sms,
    /// A call that speaks a code.
    Voice,
    /// A call that asks for digits which a screen shows.
    Keypad,
    /// A mail with a code.
    Email,
    /// A prompt on a paired phone.
    Push,
    /// A prompt that asks for a number which a screen shows.
    PushNumber,
    /// A mail to somebody who has been sent too many prompts.
    WarningEmail,
    /// The same as a text message.
    WarningSms,
    /// An operator's test of mail.
    TestEmail,
    /// An operator's test of text messages and calls.
    TestSms,
}

impl MessageKind {
    /// Every kind there is.
    pub const ALL: [Self; 10] = [
        Self::Sms,
        Self::Voice,
        Self::Keypad,
        Self::Email,
        Self::Push,
        Self::PushNumber,
        Self::WarningEmail,
        Self::WarningSms,
        Self::TestEmail,
        Self::TestSms,
    ];

    /// The beginning of the names of its templates.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Voice => "voice",
            Self::Keypad => "keypad",
            Self::Email => "email",
            Self::Push => "push",
            Self::PushNumber => "push-number",
            Self::WarningEmail => "warning-email",
            Self::WarningSms => "warning-sms",
            Self::TestEmail => "test-email",
            Self::TestSms => "test-sms",
        }
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether a text of this kind is of no use without the code.
    pub fn has_code(self) -> bool {
        matches!(self, Self::Sms | Self::Voice | Self::Email)
    }

    /// The parts of a message of this kind.
    pub fn parts(self) -> &'static [Part] {
        match self {
            Self::Email | Self::WarningEmail | Self::TestEmail => &[Part::Subject, Part::Text, Part::Html],
            _ => &[Part::Text],
        }
    }

    /// Whether its text travels as a text message.
    pub fn is_sms(self) -> bool {
        matches!(self, Self::Sms | Self::WarningSms | Self::TestSms)
    }
}

/// A part of a message. Its name is the end of the name of its template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// The subject line of a mail.
    Subject,
    /// The text; of a mail, the part for readers without HTML.
    Text,
    /// The HTML part of a mail.
    Html,
}

impl Part {
    /// The end of the name of its template.
    pub fn name(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Text => "txt",
            Self::Html => "html",
        }
    }

    /// The part of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Subject, Self::Text, Self::Html].into_iter().find(|part| part.name() == name)
    }
}

/// What is put into a text.
#[derive(Debug, Clone, Copy)]
pub struct Filling<'a> {
    /// The code; empty where a message has none.
    pub code: &'a str,
    /// Its life in whole minutes.
    pub minutes: i64,
}

/// How the sender presents itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brand {
    pub name: String,
    /// As `#rrggbb`.
    pub color: String,
}

/// A message in words.
#[derive(Clone, PartialEq, Eq)]
pub struct Worded {
    /// The subject line, for mail.
    pub subject: Option<String>,
    pub text: String,
    /// The HTML part, for mail.
    pub html: Option<String>,
}

impl std::fmt::Debug for Worded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Worded(…)")
    }
}

/// All texts of an installation.
pub struct Words {
    brand: Brand,
    /// The language where a person has none that is translated.
    language: String,
    own: Translations,
    templates: Templates,
}

impl Words {
    /// Our own texts.
    pub fn new(brand: Brand, language: &str) -> Self {
        let (own, templates) = (Translations::new(), Templates::default());
        Self { brand, language: language.to_owned(), own, templates }
    }

    /// Our own texts, with an operator's in the place of some of them.
    pub fn with_templates(brand: Brand, language: &str, folder: &Path) -> Result<Self, TemplateError> {
        let templates = Templates::read(folder, &brand)?;
        Ok(Self { templates, ..Self::new(brand, language) })
    }

    /// The languages of our own texts.
    pub const LANGUAGES: [&'static str; 5] = fluent::LANGUAGES;

    /// A message in a person's language, which may be a code as `de`, `de-AT` or `de_AT`, or nothing that anybody knows.
    ///
    /// An operator's text was filled at the start with samples. Should it fail with the values of this message, ours is
    /// used: a message with the wrong look is better than none.
    pub fn say(&self, kind: MessageKind, language: Option<&str>, filling: Filling<'_>) -> Worded {
        let wanted = language.map(primary).unwrap_or_default();
        let own = if Self::LANGUAGES.contains(&wanted.as_str()) { &wanted } else { &self.language };
        let part = |part: Part| {
            let operators = self.templates.fill(kind, part, &wanted, &self.brand, filling);
            operators.unwrap_or_else(|| self.own.fill(kind, part, own, &self.brand, filling))
        };
        let is_mail = kind.parts().contains(&Part::Subject);
        Worded {
            subject: is_mail.then(|| part(Part::Subject)),
            text: part(Part::Text),
            html: is_mail.then(|| part(Part::Html)),
        }
    }
}

/// The first part of a language code, in lower case.
fn primary(code: &str) -> String {
    code.split(['-', '_']).next().unwrap_or_default().trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brand() -> Brand {
        Brand { name: "Acme".to_owned(), color: "#1a56db".to_owned() }
    }

    const FILLING: Filling<'_> = Filling { code: "314159", minutes: 2 };

    #[test]
    fn every_message_is_translated_into_every_language_and_carries_its_code() {
        let words = Words::new(brand(), "en");
        for (kind, language) in MessageKind::ALL.iter().flat_map(|kind| Words::LANGUAGES.map(|known| (*kind, known))) {
            let said = words.say(kind, Some(language), FILLING);
            for text in [Some(&said.text), said.html.as_ref()].into_iter().flatten() {
                assert_eq!(text.contains("314159"), kind.has_code(), "{kind:?} {language}: {text}");
                assert!(!text.contains(['{', '}', '\u{2068}']), "{kind:?} {language}: {text}");
            }
            assert_eq!(said.subject.is_some(), kind.parts().len() > 1);
            let all = [said.subject.as_deref().unwrap_or("Acme"), &said.text];
            assert!(all.iter().all(|text| text.contains("Acme")), "{kind:?} {language}: {all:?}");
            if kind.is_sms() {
                assert!(said.text.chars().count() <= SMS_MAX, "{kind:?} {language}: {}", said.text);
            }
        }
    }

    #[test]
    fn a_person_reads_their_language_and_otherwise_the_installations() {
        let words = Words::new(brand(), "fr");
        let text = |language| words.say(MessageKind::Sms, language, FILLING).text;
        assert!(text(Some("de")).starts_with("314159 ist Ihr Code"));
        assert_eq!(text(Some("de_AT")), text(Some("DE-ch")));
        for unknown in [None, Some(""), Some("tlh"), Some("-")] {
            assert_eq!(text(unknown), text(Some("fr")), "{unknown:?}");
        }
    }

    #[test]
    fn nothing_in_a_brand_is_evaluated_and_html_is_escaped() {
        let words = Words::new(Brand { name: "A<b>&{{ code }}{ $code }".to_owned(), ..brand() }, "en");
        let said = words.say(MessageKind::Email, None, FILLING);
        assert!(said.text.contains("A<b>&{{ code }}{ $code }"), "{}", said.text);
        let html = said.html.unwrap();
        assert!(html.contains("A&lt;b&gt;&amp;{{ code }}{ $code }"), "{html}");
        assert!(!html.contains("<b>"));
    }

    #[test]
    fn one_minute_is_said_as_one() {
        let words = Words::new(brand(), "en");
        let said = words.say(MessageKind::Email, None, Filling { minutes: 1, ..FILLING });
        assert!(said.text.contains("for one minute"), "{}", said.text);
    }
}
