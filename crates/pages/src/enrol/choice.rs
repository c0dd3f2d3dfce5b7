//! The first page of an invitation: for whom, by whom, until when, and the ways to choose from, the strongest first.

use words::PhraseValue;

use super::form::{BEGIN, EnrolFactor, EnrolForm, TARGET, left, lost};
use crate::block::{Block, Button, Field, Tone, Way, Weight};
use crate::html::Html;
use crate::link::ShownMoment;
use crate::page::WebPage;
use crate::pictogram::Pictogram;
use crate::text::Text;

/// A way that is offered.
#[derive(Debug, Clone)]
pub struct EnrolOffer {
    pub factor: EnrolFactor,
    /// For codes that are sent: the number or address of the profile, masked, with blanks that do not
    /// break. It is used if the person gives no other.
    pub known: Option<String>,
    /// Whether no message can go to what the person has given.
    pub refused: bool,
}

/// An invitation that waits for its person.
#[derive(Debug, Clone)]
pub struct EnrolChoice<'a> {
    pub form: EnrolForm<'a>,
    /// The name of the client that invites. Nothing where it has none.
    pub by: Option<&'a str>,
    /// When the invitation ends.
    pub until: ShownMoment,
    /// What can be enrolled, in any order.
    pub offers: Vec<EnrolOffer>,
    /// Whether the earlier devices go when this is finished.
    pub replaces: bool,
    /// Where those who help can be reached, as `mailto:` or `https:`.
    pub help: Option<&'a str>,
}

impl EnrolChoice<'_> {
    pub(crate) fn page(&self, text: Text<'_>) -> WebPage {
        let fact = |id, value: Option<Html>| Some((text.say(id), value?));
        let facts = [
            fact("page-enrol-account", Some(Html::name(self.form.account))),
            fact("page-enrol-by", self.by.map(Html::name)),
            fact("page-enrol-until", Some(left(text, &self.until))),
        ];
        let notice = Block::Notice { tone: Tone::Warning, text: text.say("page-enrol-replaces") };
        let mut offers = self.offers.clone();
        offers.sort_by_key(|offer| offer.factor);
        let choices = offers.iter().enumerate().map(|(place, offer)| self.choice(text, offer, place == 0));
        WebPage::new(text, None, "page-enrol-title", vec![text.say("page-enrol-lead")])
            .with([Block::Facts(facts.into_iter().flatten().collect())])
            .with(self.replaces.then_some(notice))
            .with(choices)
            .with([lost(text, self.help)])
    }

    /// One way as a form, which leads to the page of its device.
    fn choice(&self, text: Text<'_>, offer: &EnrolOffer, is_first: bool) -> Block {
        let recommended = || Some((Tone::Success, text.say("page-enrol-recommended")));
        let (picture, ids, badge) = match offer.factor {
            EnrolFactor::Authenticator => (
                Pictogram::Authenticator,
                ["page-enrol-totp", "page-enrol-totp-text", "page-enrol-totp-begin"],
                recommended(),
            ),
            EnrolFactor::Push => {
                (Pictogram::Phone, ["page-enrol-push", "page-enrol-push-text", "page-enrol-push-begin"], recommended())
            }
            EnrolFactor::Email => {
                (Pictogram::Mail, ["page-enrol-email", "page-enrol-email-text", "page-enrol-email-begin"], None)
            }
            EnrolFactor::Sms => {
                let weaker = Some((Tone::Warning, text.say("page-enrol-weaker")));
                (Pictogram::Message, ["page-enrol-sms", "page-enrol-sms-text", "page-enrol-sms-begin"], weaker)
            }
        };
        let [title, explained, begin] = ids.map(|id| text.say(id));
        let value = offer.factor.value();
        let weight = if is_first { Weight::Primary } else { Weight::Secondary };
        Block::Way(Box::new(Way {
            key: value,
            picture,
            title,
            badge,
            text: explained,
            action: self.form.action.clone(),
            hidden: self.form.hidden.clone(),
            fields: target(text, offer).into_iter().collect(),
            folded: folded(text, offer),
            button: Button { weight, text: begin, says: Some((BEGIN, value)), disabled: false },
        }))
    }
}

/// The line for a number or an address, where codes are sent to one.
fn target(text: Text<'_>, offer: &EnrolOffer) -> Option<Field> {
    let (label, hint, mut attributes) = match offer.factor {
        EnrolFactor::Authenticator | EnrolFactor::Push => return None,
        EnrolFactor::Email => ("page-enrol-email-field", None, vec![("type", "email"), ("autocomplete", "email")]),
        EnrolFactor::Sms => {
            ("page-enrol-sms-field", Some("page-enrol-sms-hint"), vec![("type", "tel"), ("autocomplete", "tel")])
        }
    };
    attributes.push(("maxlength", "254"));
    if offer.known.is_none() {
        attributes.push(("required", ""));
    }
    let fault = offer.refused.then(|| text.say("page-enrol-target-refused"));
    Some(Field { name: TARGET, label: text.say(label), hint: hint.map(|id| text.say(id)), fault, attributes })
}

/// What the profile has, and what is written above the line for another.
fn folded(text: Text<'_>, offer: &EnrolOffer) -> Option<(Html, Html)> {
    let other = match offer.factor {
        EnrolFactor::Authenticator | EnrolFactor::Push => return None,
        EnrolFactor::Email => "page-enrol-other-address",
        EnrolFactor::Sms => "page-enrol-other-number",
    };
    Some((text.fill("page-enrol-known", &[("to", PhraseValue::Name(offer.known.as_deref()?))]), text.say(other)))
}
