//! The page of a device that is being enrolled: an app's picture and key, a phone to pair, or a code that was sent.

use words::PhraseValue;

use super::form::{BEGIN, ENROL_CODE, EnrolFactor, EnrolFault, EnrolForm, left};
use crate::block::{Block, Button, Field, Tone, Weight};
use crate::html::Html;
use crate::link::ShownMoment;
use crate::page::WebPage;
use crate::qr::Qr;
use crate::text::Text;

/// Seconds after which the page of a phone looks again (contract 21.2).
const LOOKS_AGAIN: u32 = 3;

/// An authenticator app that is to learn its secret.
#[derive(Clone)]
pub struct AuthenticatorForm<'a> {
    pub form: EnrolForm<'a>,
    /// The `otpauth:` address with everything in it.
    pub address: &'a str,
    /// The secret in Base32, as the app takes it.
    pub secret: &'a str,
    /// The name under which the app shows the account.
    pub issuer: &'a str,
}

impl std::fmt::Debug for AuthenticatorForm<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AuthenticatorForm(…)")
    }
}

/// A second attempt to type an app's code.
#[derive(Debug, Clone)]
pub struct AuthenticatorRetry<'a> {
    pub form: EnrolForm<'a>,
    pub fault: EnrolFault,
}

/// A phone that is to be paired.
#[derive(Clone)]
pub struct PairForm<'a> {
    pub form: EnrolForm<'a>,
    /// The address of the app with the pairing code, as `PUBLIC_URL/app#CODE`.
    pub address: &'a str,
    /// The pairing code: eight characters.
    pub code: &'a str,
    /// When the code ends.
    pub until: ShownMoment,
    /// Where the page looks whether the phone is there.
    pub wait: String,
}

impl std::fmt::Debug for PairForm<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PairForm(…)")
    }
}

/// A code that was sent, to be typed.
#[derive(Debug, Clone)]
pub struct SentCodeForm<'a> {
    pub form: EnrolForm<'a>,
    pub factor: EnrolFactor,
    /// Where it was sent to, masked.
    pub to: String,
    /// What is posted to have another one sent: the token, the nonce, and the target if the person gave one.
    pub again: Vec<(&'static str, String)>,
    /// Whole seconds until another one can be sent.
    pub again_in: u64,
    pub fault: Option<EnrolFault>,
}

impl AuthenticatorForm<'_> {
    pub(crate) fn page(&self, text: Text<'_>) -> WebPage {
        let alt = text.say("page-enrol-app-alt");
        let open = (Weight::Secondary, self.address.to_owned(), text.say("page-enrol-app-open"));
        let facts = vec![
            (text.say("page-enrol-account"), Html::name(self.form.account)),
            (text.say("page-enrol-app-issuer"), Html::name(self.issuer)),
        ];
        let key = Block::Key {
            summary: text.say("page-enrol-app-key"),
            facts,
            name: text.say("page-enrol-app-secret"),
            groups: groups(self.secret),
        };
        let lines = vec![text.say("page-enrol-app-lead"), text.say("page-enrol-app-which")];
        let field = code_field(text, None);
        WebPage::new(text, None, "page-enrol-app", lines)
            .with(Qr::new(self.address).map(|code| Block::Picture(code, alt)))
            .with([
                Block::Links(vec![open]),
                key,
                Block::Notice { tone: Tone::Info, text: text.say("page-enrol-app-once") },
                self.form.code(text, field),
                self.form.back(text, "page-enrol-again"),
            ])
    }
}

impl AuthenticatorRetry<'_> {
    pub(crate) fn page(&self, text: Text<'_>) -> WebPage {
        let lead = text.fill("page-enrol-try-lead", &[("who", PhraseValue::Name(self.form.account))]);
        let mut field = code_field(text, Some(self.fault.said(text, false)));
        field.attributes.push(("autofocus", ""));
        WebPage::new(text, None, "page-enrol-try", vec![lead]).with([
            self.form.code(text, field),
            Block::Aside { text: text.say("page-enrol-try-advice"), link: None },
            self.form.back(text, "page-enrol-again"),
        ])
    }
}

impl PairForm<'_> {
    pub(crate) fn page(&self, text: Text<'_>) -> WebPage {
        let alt = text.say("page-enrol-pair-alt");
        let open = (Weight::Primary, self.address.to_owned(), text.say("page-enrol-pair-open"));
        WebPage::new(text, None, "page-enrol-pair", vec![text.say("page-enrol-pair-lead")])
            .with(Qr::new(self.address).map(|code| Block::Picture(code, alt)))
            .with([
                Block::Apart(vec![open]),
                Block::Labelled {
                    label: text.say("page-enrol-pair-code"),
                    code: Html::text(&groups(self.code).join(" ")),
                },
                Block::Facts(vec![(text.say("page-enrol-pair-until"), left(text, &self.until))]),
                Block::Notice { tone: Tone::Waiting, text: text.say("page-enrol-waiting") },
                self.form.back(text, "page-enrol-again"),
            ])
            .forward(LOOKS_AGAIN, &self.wait)
    }
}

impl SentCodeForm<'_> {
    pub(crate) fn page(&self, text: Text<'_>) -> WebPage {
        let [sent, now, back] = match self.factor {
            EnrolFactor::Sms => ["page-enrol-sent-sms", "page-enrol-resend-sms", "page-enrol-other-number"],
            _ => ["page-enrol-sent-email", "page-enrol-resend-email", "page-enrol-other-address"],
        };
        let lead = text.fill(sent, &[("to", PhraseValue::Name(&self.to))]);
        let mut field = code_field(text, self.fault.map(|fault| fault.said(text, true)));
        (field.label, field.hint) = (text.say("page-enrol-sent-code"), None);
        field.attributes.push(("autofocus", ""));
        let resend = match i64::try_from(self.again_in).unwrap_or(i64::MAX) {
            0 => text.say(now),
            seconds => text.fill("page-enrol-resend-later", &[("seconds", PhraseValue::Number(seconds))]),
        };
        let button = Button {
            weight: Weight::Secondary,
            text: text.say("page-enrol-resend"),
            says: Some((BEGIN, self.factor.value())),
            disabled: false,
        };
        let again = Block::Form {
            action: self.form.action.clone(),
            hidden: self.again.clone(),
            fields: Vec::new(),
            buttons: vec![button],
        };
        WebPage::new(text, None, "page-enrol-sent", vec![lead]).with([
            self.form.code(text, field),
            Block::Aside { text: resend, link: None },
            again,
            self.form.back(text, back),
        ])
    }
}

/// The line for a code. It takes more than a code has, since people paste blanks with it.
fn code_field(text: Text<'_>, fault: Option<Html>) -> Field {
    Field {
        name: ENROL_CODE,
        label: text.say("page-enrol-app-code"),
        hint: Some(text.say("page-enrol-app-code-hint")),
        fault,
        attributes: vec![
            ("class", "code"),
            ("autocomplete", "one-time-code"),
            ("inputmode", "numeric"),
            ("maxlength", "16"),
            ("required", ""),
        ],
    }
}

/// A secret or a code in groups of four, as people read it.
fn groups(code: &str) -> Vec<String> {
    let characters: Vec<char> = code.chars().filter(|character| !character.is_whitespace()).collect();
    characters.chunks(4).map(|group| group.iter().collect()).collect()
}
