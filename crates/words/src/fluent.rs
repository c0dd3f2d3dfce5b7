//! Our own texts.

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use minijinja::{Environment, UndefinedBehavior, context};
use unic_langid::LanguageIdentifier;

use crate::message::{Brand, Filling, MessageKind, Part};
use crate::phrase::{self, MARK, PhraseValue, Piece};

/// The languages of our own texts.
pub(crate) const LANGUAGES: [&str; 5] = ["en", "de", "fr", "es", "ja"];

const FILES: [(&str, &str); 5] = [
    ("en", include_str!("../locales/en.ftl")),
    ("de", include_str!("../locales/de.ftl")),
    ("fr", include_str!("../locales/fr.ftl")),
    ("es", include_str!("../locales/es.ftl")),
    ("ja", include_str!("../locales/ja.ftl")),
];

const MAIL: &str = include_str!("../templates/mail.html");

/// Our texts in all languages. The tests fill each of them.
pub(crate) struct Translations {
    bundles: Vec<(&'static str, FluentBundle<FluentResource>)>,
    layout: Environment<'static>,
}

impl Translations {
    #[expect(clippy::expect_used, reason = "the files are compiled in, and the tests read them all")]
    pub(crate) fn new() -> Self {
        let bundle = |(language, text): (&'static str, &str)| {
            let language_id: LanguageIdentifier = language.parse().expect("a language");
            let mut bundle = FluentBundle::new_concurrent(vec![language_id]);
            // The marks would arrive as characters in text messages, and change what a person copies.
            bundle.set_use_isolating(false);
            let resource = FluentResource::try_new(text.to_owned()).expect("a file of ours");
            bundle.add_resource(resource).expect("each text once");
            (language, bundle)
        };
        let mut layout = Environment::empty();
        layout.set_undefined_behavior(UndefinedBehavior::Strict);
        layout.set_auto_escape_callback(|_| minijinja::AutoEscape::Html);
        layout.add_template("mail", MAIL).expect("a template of ours");
        Self { bundles: FILES.map(bundle).into(), layout }
    }

    /// A part of a message.
    pub(crate) fn fill(
        &self,
        kind: MessageKind,
        part: Part,
        language: &str,
        brand: &Brand,
        filling: Filling<'_>,
    ) -> String {
        let said = |id: &str| self.said(id, language, brand, filling);
        let Some(mail) = Mail::of(kind, filling.minutes) else { return said(kind.name()) };
        let subject = said(mail.subject);
        let lead = said(mail.lead);
        let text = |id: Option<&'static str>| id.map(said).unwrap_or_default();
        let device = filling.of(kind).shown_device();
        let (life, caution, or, button) = (text(mail.life), text(mail.caution), text(mail.or), text(mail.button));
        let Filling { code, link, .. } = filling.of(kind);
        match part {
            Part::Subject => subject,
            Part::Text => {
                let leads_on = [code, link, &device].iter().any(|text| !text.is_empty());
                let lead = if leads_on { format!("{lead}:") } else { lead };
                let or = if or.is_empty() { or } else { format!("{or}:") };
                let paragraphs = [&lead, code, &device, &or, link, &life, &caution];
                paragraphs.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n\n") + "\n"
            }
            Part::Html => {
                let (brand, color, logo) = (&brand.name, &brand.color, &brand.logo);
                let values = context! {
                    language, subject, brand, color, logo, lead, code, device, or, link, button, life, caution,
                };
                let template = self.layout.get_template("mail");
                template.and_then(|template| template.render(values)).unwrap_or_default()
            }
        }
    }

    /// A phrase of a page, in pieces; none for an id that no file has.
    pub(crate) fn phrase(&self, id: &str, language: &str, values: &[(&str, PhraseValue<'_>)]) -> Vec<Piece> {
        let (mut set, mut names) = (FluentArgs::new(), Vec::new());
        for (key, value) in values {
            match value {
                PhraseValue::Number(number) => set.set(*key, *number),
                PhraseValue::Name(name) => {
                    set.set(*key, format!("{MARK}{}{MARK}", names.len()));
                    names.push(*name);
                }
            }
        }
        phrase::pieces(&self.filled(id, language, &set), &names)
    }

    /// A text of ours. The brand and the code are values, so nothing in them is evaluated.
    fn said(&self, id: &str, language: &str, brand: &Brand, filling: Filling<'_>) -> String {
        let mut values = FluentArgs::new();
        values.set("brand", brand.name.as_str());
        values.set("code", filling.code);
        values.set("link", filling.link);
        values.set("device", filling.shown_device());
        values.set("minutes", filling.minutes);
        values.set("hours", filling.minutes / 60);
        values.set("days", filling.minutes / (24 * 60));
        self.filled(id, language, &values)
    }

    fn filled(&self, id: &str, language: &str, values: &FluentArgs<'_>) -> String {
        let of_language = self.bundles.iter().find(|(known, _)| *known == language);
        let Some((_, bundle)) = of_language.or(self.bundles.first()) else { return String::new() };
        let Some(pattern) = bundle.get_message(id).and_then(|message| message.value()) else { return String::new() };
        bundle.format_pattern(pattern, Some(values), &mut Vec::new()).into_owned()
    }
}

/// The texts that a mail is made of.
#[derive(Default)]
struct Mail {
    subject: &'static str,
    lead: &'static str,
    /// Between the code and the link, where there are both.
    or: Option<&'static str>,
    /// What is written on the link.
    button: Option<&'static str>,
    /// Behind the code or the link, where there is one.
    life: Option<&'static str>,
    caution: Option<&'static str>,
}

impl Mail {
    /// `minutes` is the life of a link, which is said in a unit that people count in.
    fn of(kind: MessageKind, minutes: i64) -> Option<Self> {
        Some(match kind {
            MessageKind::Email => Self {
                subject: "email-subject",
                lead: "email-lead",
                life: Some("email-life"),
                caution: Some("email-caution"),
                ..Self::default()
            },
            MessageKind::EmailLink => Self {
                subject: "link-subject",
                lead: "link-lead",
                button: Some("link-button"),
                life: Some("link-life"),
                caution: Some("link-caution"),
                ..Self::default()
            },
            MessageKind::EmailBoth => Self {
                subject: "email-subject",
                lead: "email-lead",
                or: Some("link-or"),
                button: Some("link-button"),
                life: Some("both-life"),
                caution: Some("both-caution"),
            },
            MessageKind::WarningEmail => Self {
                subject: "warning-subject",
                lead: "warning-lead",
                caution: Some("warning-caution"),
                ..Self::default()
            },
            MessageKind::InvitationEmail => Self {
                subject: "invitation-subject",
                lead: "invitation-lead",
                button: Some("invitation-button"),
                life: Some(match minutes {
                    ..=119 => "link-life",
                    120..=2_879 => "invitation-life-hours",
                    _ => "invitation-life-days",
                }),
                caution: Some("invitation-caution"),
                ..Self::default()
            },
            MessageKind::AddedEmail => {
                Self { subject: "added-subject", lead: "added-lead", caution: Some("added-caution"), ..Self::default() }
            }
            MessageKind::TestEmail => Self { subject: "test-subject", lead: "test-lead", ..Self::default() },
            MessageKind::Sms
            | MessageKind::Voice
            | MessageKind::Keypad
            | MessageKind::KeypadRight
            | MessageKind::KeypadWrong
            | MessageKind::KeypadLate
            | MessageKind::Push
            | MessageKind::PushNumber
            | MessageKind::WarningSms
            | MessageKind::InvitationSms
            | MessageKind::AddedSms
            | MessageKind::TestSms => return None,
        })
    }
}
