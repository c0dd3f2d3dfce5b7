//! The texts of an installation.

use std::path::Path;

use crate::fluent::{self, Translations};
use crate::message::{Brand, DEVICE_MAX, Filling, MessageKind, Part, SMS_MAX, Worded};
use crate::phrase::{PhraseValue, Piece};
use crate::templates::{TemplateError, Templates};

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

    /// A text message that has more than 160 characters in this installation's words, as with a long name of the brand: its
    /// language, and its length in characters. Texts with a link are not counted: how long one is depends on the public URL, and
    /// they travel in several parts if they must.
    pub fn too_long(&self) -> Option<(&'static str, usize)> {
        let device = "0".repeat(DEVICE_MAX);
        let longest = Filling { code: "000000", device: &device, minutes: 15, ..Filling::NOTHING };
        let kinds = MessageKind::ALL.into_iter().filter(|kind| kind.is_sms() && !kind.has_link());
        let mut lengths = kinds.flat_map(|kind| {
            Self::LANGUAGES.map(|language| (language, self.say(kind, Some(language), longest).text.chars().count()))
        });
        lengths.find(|(_, length)| *length > SMS_MAX)
    }

    /// Whether anybody has translated into this language.
    fn knows(&self, language: &str) -> bool {
        Self::LANGUAGES.contains(&language) || self.templates.know(language)
    }

    /// How the sender presents itself.
    pub fn brand(&self) -> &Brand {
        &self.brand
    }

    /// The language of a page for somebody who reads these, the best first, each a code as `de` or `de-AT`. Pages have no
    /// texts of an operator, so it is one of [`Words::LANGUAGES`].
    pub fn page_language<'w>(&self, wanted: impl IntoIterator<Item = &'w str>) -> &'static str {
        let known = |code: &str| Self::LANGUAGES.into_iter().find(|language| *language == primary(code));
        wanted.into_iter().find_map(known).or_else(|| known(&self.language)).unwrap_or(Self::LANGUAGES[0])
    }

    /// A phrase of a page in one of [`Words::LANGUAGES`]. No pieces for an id that there is not; a page's test finds those.
    pub fn phrase(&self, id: &str, language: &str, values: &[(&str, PhraseValue<'_>)]) -> Vec<Piece> {
        self.own.phrase(id, language, values)
    }

    /// A message in a person's language, which may be a code as `de`, `de-AT` or `de_AT`, or nothing that anybody knows.
    ///
    /// An operator's text was filled at the start with samples. Should it fail with the values of this message, ours is
    /// used: a message with the wrong look is better than none.
    pub fn say(&self, kind: MessageKind, language: Option<&str>, filling: Filling<'_>) -> Worded {
        let wanted = language.map(primary).unwrap_or_default();
        // A code or a link that a message does not have is not even known to its template.
        let filling = filling.of(kind);
        let own = if Self::LANGUAGES.contains(&wanted.as_str()) { &wanted } else { &self.language };
        let in_language = if wanted.is_empty() || !self.knows(&wanted) { &self.language } else { &wanted };
        let part = |part: Part| match self.templates.fill(kind, part, in_language, &self.brand, filling) {
            Some(operators) => (operators, in_language),
            None => (self.own.fill(kind, part, own, &self.brand, filling), own),
        };
        let is_mail = kind.parts().contains(&Part::Subject);
        let (text, language) = part(Part::Text);
        Worded {
            language: language.clone(),
            subject: is_mail.then(|| part(Part::Subject).0),
            text,
            html: is_mail.then(|| part(Part::Html).0),
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
    use crate::message::CALL_MAX;

    fn brand() -> Brand {
        Brand { name: "Acme".to_owned(), color: "#1a56db".to_owned(), logo: String::new() }
    }

    /// The link of an invitation at a host of usual length.
    const LONG_LINK: &str = "https://mfa.example.com/enroll/0000000000000000000000000000000000000000000";
    const LINK: &str = "https://mfa.example.com/link/Zm9yYmlkZGVu";
    const FILLING: Filling<'_> = Filling { code: "314159", link: LINK, device: "Ana-phone", minutes: 2 };

    #[test]
    fn every_message_is_translated_into_every_language_and_carries_its_code_and_link() {
        let words = Words::new(brand(), "en");
        for (kind, language) in MessageKind::ALL.iter().flat_map(|kind| Words::LANGUAGES.map(|known| (*kind, known))) {
            let said = words.say(kind, Some(language), FILLING);
            for text in [Some(&said.text), said.html.as_ref()].into_iter().flatten() {
                assert_eq!(text.contains("314159"), kind.has_code(), "{kind:?} {language}: {text}");
                assert_eq!(text.contains("Zm9yYmlkZGVu"), kind.has_link(), "{kind:?} {language}: {text}");
                assert_eq!(text.contains("Ana-phone"), kind.has_device(), "{kind:?} {language}: {text}");
                assert!(!text.contains(['{', '}', '\u{2068}']), "{kind:?} {language}: {text}");
            }
            assert_eq!(said.subject.is_some(), kind.parts().len() > 1);
            let all = [said.subject.as_deref().unwrap_or("Acme"), &said.text];
            assert!(all.iter().all(|text| text.contains("Acme")), "{kind:?} {language}: {all:?}");
            if kind.is_call() {
                assert!(said.text.chars().count() <= CALL_MAX, "{kind:?} {language}: {}", said.text);
            }
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
        let language = |wanted| words.say(MessageKind::Voice, wanted, FILLING).language;
        assert_eq!([Some("de_AT"), Some("JA"), Some("tlh"), None].map(language), ["de", "ja", "fr", "fr"]);
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
    fn a_logo_is_shown_in_mail_and_says_the_name_where_pictures_are_not_shown() {
        let plain = Words::new(brand(), "en").say(MessageKind::Email, None, FILLING).html.unwrap();
        assert!(!plain.contains("<img") && !plain.contains("cid:"), "{plain}");
        let words = Words::new(Brand { logo: "cid:logo@example.com".to_owned(), ..brand() }, "en");
        let html = words.say(MessageKind::Email, None, FILLING).html.unwrap();
        assert!(html.contains(r#"<img src="cid:logo@example.com" alt="Acme""#), "{html}");
    }

    #[test]
    fn a_link_is_a_button_and_an_address_to_copy() {
        let said = Words::new(brand(), "en").say(MessageKind::EmailLink, None, FILLING);
        assert!(said.text.lines().any(|line| line == LINK), "alone in its line: {}", said.text);
        let html = said.html.unwrap().replace("&#x2f;", "/");
        assert!(html.contains(&format!("<a href=\"{LINK}\"")) && html.contains(&format!(">{LINK}<")), "{html}");
        assert!(!html.contains("314159"), "{html}");
    }

    #[test]
    fn a_name_that_makes_a_text_message_too_long_is_found() {
        let words = |letters| Words::new(Brand { name: "x".repeat(letters), ..brand() }, "en").too_long();
        assert_eq!(words(47), None, "names that were short enough stay so");
        let (language, length) = words(120).unwrap();
        assert!(Words::LANGUAGES.contains(&language) && length > SMS_MAX);
    }

    #[test]
    fn an_invitation_says_its_life_in_a_unit_that_people_count_in() {
        let words = Words::new(brand(), "en");
        let said = |minutes| words.say(MessageKind::InvitationEmail, None, Filling { minutes, ..FILLING }).text;
        for (minutes, life) in [(15, "15 minutes"), (1_440, "24 hours"), (2_880, "2 days"), (10_080, "7 days")] {
            assert!(said(minutes).contains(life), "{}", said(minutes));
        }
    }

    #[test]
    fn an_invitation_and_a_notice_are_one_text_message_in_the_alphabets_of_europe() {
        let words = Words::new(Brand { name: "Northfield Clinic".to_owned(), ..brand() }, "en");
        let filling = Filling { link: LONG_LINK, device: "Authenticator on Ana's phone", ..FILLING };
        for kind in [MessageKind::InvitationSms, MessageKind::AddedSms] {
            for language in ["en", "de", "fr", "es"] {
                let said = words.say(kind, Some(language), filling).text;
                let segments = crate::segments(&said);
                assert_eq!((segments.alphabet, segments.messages), (crate::SmsAlphabet::Gsm7, 1), "{said}");
            }
        }
    }

    #[test]
    fn a_devices_name_is_shown_as_text_and_never_longer_than_fits() {
        let words = Words::new(brand(), "en");
        let device = "<b>{ $code }{{ code }}\u{202E}\n & a name that goes on";
        let said = words.say(MessageKind::AddedEmail, None, Filling { device, ..FILLING });
        assert!(said.text.contains("\n<b>{ $code }{{ code }} &\n"), "{}", said.text);
        let html = said.html.unwrap();
        assert!(html.contains(">&lt;b&gt;{ $code }{{ code }} &amp;</p>") && !html.contains("<b>"), "{html}");
    }

    #[test]
    fn one_minute_is_said_as_one() {
        let words = Words::new(brand(), "en");
        let said = words.say(MessageKind::Email, None, Filling { minutes: 1, ..FILLING });
        assert!(said.text.contains("for one minute"), "{}", said.text);
    }
}
