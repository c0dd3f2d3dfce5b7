//! The last page of an invitation: what was enrolled, and one more way to go on with.

use words::PhraseValue;

use super::form::{EnrolFactor, lost};
use crate::block::{Block, Tone, Weight};
use crate::html::Html;
use crate::link::ShownMoment;
use crate::page::WebPage;
use crate::text::Text;

/// A device that was enrolled.
#[derive(Debug, Clone)]
pub struct EnrolDone<'a> {
    pub factor: EnrolFactor,
    /// The account, as the person knows it.
    pub account: &'a str,
    /// The name of the device.
    pub device: &'a str,
    /// Whether a telephone number is all that this person has (SEC 18).
    pub only_number: bool,
    /// Whether earlier devices were removed.
    pub replaced: bool,
    /// The address of the invitation for one more device, and when it ends.
    pub next: Option<(String, ShownMoment)>,
    /// Where those who help can be reached, as `mailto:` or `https:`.
    pub help: Option<&'a str>,
}

impl EnrolDone<'_> {
    pub(crate) fn page(&self, text: Text<'_>) -> WebPage {
        let lead = match self.factor {
            EnrolFactor::Authenticator => "page-enrol-done-totp",
            EnrolFactor::Push => "page-enrol-done-push",
            EnrolFactor::Email => "page-enrol-done-email",
            EnrolFactor::Sms => "page-enrol-done-sms",
        };
        let facts = vec![
            (text.say("page-enrol-account"), Html::name(self.account)),
            (text.say("page-link-device"), Html::name(self.device)),
        ];
        let replaced = Block::Notice { tone: Tone::Info, text: text.say("page-enrol-done-replaced") };
        let close = self.next.is_none().then(|| text.say("page-enrol-done-close"));
        let lines = std::iter::once(text.say(lead)).chain(close).collect();
        WebPage::new(text, Some(Tone::Success), "page-enrol-done", lines)
            .with([Block::Facts(facts)])
            .with(self.replaced.then_some(replaced))
            .with(self.next.iter().flat_map(|(address, until)| self.next(text, address, until)))
            .with([lost(text, self.help)])
    }

    /// One more way. A person who has a number alone is asked for it, others are offered it.
    fn next(&self, text: Text<'_>, address: &str, until: &ShownMoment) -> Vec<Block> {
        let (weight, tone, reason) = if self.only_number {
            (Weight::Primary, Tone::Warning, "page-enrol-done-number")
        } else {
            (Weight::Secondary, Tone::Info, "page-enrol-done-spare")
        };
        let minutes = PhraseValue::Number(until.minutes.max(1));
        let until = text.fill("page-enrol-done-next-until", &[("minutes", minutes)]);
        vec![
            Block::Notice { tone, text: text.say(reason) },
            Block::Links(vec![(weight, address.to_owned(), text.say("page-enrol-done-next"))]),
            Block::Aside { text: until, link: None },
        ]
    }
}
