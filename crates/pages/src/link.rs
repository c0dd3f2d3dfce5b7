//! The page behind a magic link (SEC 11): it says who asks for what, and does nothing until the person presses a button.

use words::PhraseValue;

use crate::block::{Block, Button, Tone, Weight};
use crate::html::Html;
use crate::page::WebPage;
use crate::text::Text;

/// What the person is asked to confirm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkPurpose {
    /// That it is the person who logs in.
    Login,
    /// That the address is theirs, so that it becomes a device.
    Enrolment,
}

/// A question that waits for the person.
#[derive(Debug, Clone)]
pub struct LinkForm<'a> {
    pub purpose: LinkPurpose,
    /// The name of the client that asks. Nothing where it has none.
    pub client: Option<&'a str>,
    /// The account, as the person knows it.
    pub account: &'a str,
    /// The device, as the person has named it.
    pub device: &'a str,
    /// The person's address in the network, as the client has reported it.
    pub from: Option<&'a str>,
    /// The address from which the client called.
    pub caller: Option<&'a str>,
    /// When it was asked.
    pub asked: ShownMoment,
    /// When it ends.
    pub until: ShownMoment,
    /// Where the answer is posted to.
    pub action: String,
    /// What is posted with the answer.
    pub hidden: Vec<(&'static str, String)>,
}

/// A moment, from where the reader is in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownMoment {
    /// Whole minutes from now, or until now.
    pub minutes: i64,
    /// As a clock shows it, as `14:31 UTC`, with a blank that does not break.
    pub clock: String,
}

/// What a magic link shows.
#[derive(Debug, Clone)]
pub enum LinkPage<'a> {
    /// The link waits for its person.
    Asks(LinkForm<'a>),
    /// The person has just confirmed it. With the page that it goes on to.
    Confirmed(Option<&'a str>),
    /// The person has just said that it was somebody else.
    Disowned,
    /// There is nothing to answer: used, over, replaced, or never was.
    Over,
    /// The answer is not one that this page sends, or came from a page of another server. Nothing was changed.
    NotFromPage,
}

/// What the form says, by the button that was pressed: the name of the value.
pub const ANSWER: &str = "answer";
/// The person confirms.
pub const CONFIRM: &str = "confirm";
/// It was not the person.
pub const DISOWN: &str = "disown";

/// Seconds for which a confirmed link stays before it goes on (contract 12).
const STAYS: u32 = 2;

impl LinkPage<'_> {
    /// As a page.
    pub fn page(&self, text: Text<'_>) -> WebPage {
        match self {
            Self::Asks(question) => question.page(text),
            Self::Confirmed(goes_on) => {
                let lines = vec![text.say(if goes_on.is_some() { "page-link-goes-on" } else { "page-link-go-back" })];
                let page = WebPage::new(text, Some(Tone::Success), "page-link-confirmed", lines);
                match goes_on {
                    Some(address) => {
                        let link = (Weight::Primary, (*address).to_owned(), text.say("page-continue"));
                        page.with([Block::Links(vec![link])]).forward(STAYS, address)
                    }
                    None => page,
                }
            }
            Self::Disowned => {
                let page = WebPage::new(
                    text,
                    Some(Tone::Danger),
                    "page-link-disowned",
                    vec![text.say("page-link-disowned-lead")],
                );
                page.with([Block::Notice { tone: Tone::Warning, text: text.say("page-link-disowned-advice") }])
            }
            Self::Over => {
                let lines = vec![text.say("page-link-over-lead"), text.say("page-link-over-advice")];
                WebPage::new(text, Some(Tone::Plain), "page-link-over", lines)
            }
            Self::NotFromPage => {
                let lines = vec![text.say("page-link-not-from-page-lead"), text.say("page-link-not-from-page-advice")];
                WebPage::new(text, Some(Tone::Danger), "page-link-not-from-page", lines)
            }
        }
    }
}

impl LinkForm<'_> {
    fn page(&self, text: Text<'_>) -> WebPage {
        let lead = match self.purpose {
            LinkPurpose::Login => "page-link-lead-login",
            LinkPurpose::Enrolment => "page-link-lead-enrolment",
        };
        let lead = text.fill(lead, &[("who", PhraseValue::Name(self.account))]);
        let moment = |id, moment: &ShownMoment| {
            let minutes = ("minutes", PhraseValue::Number(moment.minutes));
            text.fill(id, &[minutes, ("clock", PhraseValue::Name(&moment.clock))])
        };
        let fact = |id, value: Option<Html>| Some((text.say(id), value?));
        let facts = [
            fact("page-link-client", self.client.map(Html::name)),
            fact("page-link-account", Some(Html::name(self.account))),
            fact("page-link-device", Some(Html::name(self.device))),
            fact("page-link-from", self.from.map(Html::name)),
            fact("page-link-caller", self.caller.map(Html::name)),
            fact("page-link-asked", Some(moment("page-minutes-ago", &self.asked))),
            fact("page-link-until", Some(moment("page-minutes-left", &self.until))),
        ];
        let button =
            |weight, id, value| Button { weight, text: text.say(id), says: Some((ANSWER, value)), disabled: false };
        let form = Block::Form {
            action: self.action.clone(),
            hidden: self.hidden.clone(),
            fields: Vec::new(),
            buttons: vec![
                button(Weight::Primary, "page-link-confirm", CONFIRM),
                button(Weight::Danger, "page-link-deny", DISOWN),
            ],
        };
        let heed = Block::Notice { tone: Tone::Warning, text: text.say("page-link-heed") };
        WebPage::new(text, None, "page-link-title", vec![lead]).with([
            Block::Facts(facts.into_iter().flatten().collect()),
            heed,
            form,
        ])
    }
}
