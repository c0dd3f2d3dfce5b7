//! What the pages of an invitation have in common.

use words::PhraseValue;

use crate::block::{Block, Button, Field, Weight};
use crate::html::Html;
use crate::link::ShownMoment;
use crate::text::Text;

/// The name of the value that says which factor is begun.
pub const BEGIN: &str = "begin";
/// The name of the field with the number or the address that codes are sent to.
pub const TARGET: &str = "target";
/// The name of the field with the code.
pub const ENROL_CODE: &str = "code";

/// What an invitation can enrol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EnrolFactor {
    Authenticator,
    /// Prompts on a phone.
    Push,
    Email,
    Sms,
}

impl EnrolFactor {
    /// Every factor, the strongest first.
    pub const ALL: [Self; 4] = [Self::Authenticator, Self::Push, Self::Email, Self::Sms];

    /// The value of [`BEGIN`] that asks for it.
    pub fn value(self) -> &'static str {
        match self {
            Self::Authenticator => "totp",
            Self::Push => "push",
            Self::Email => "email",
            Self::Sms => "sms",
        }
    }

    /// What it is called, which is also the name of a device whose person gives it none.
    pub fn title(self, text: Text<'_>) -> String {
        text.plain(match self {
            Self::Authenticator => "page-enrol-totp",
            Self::Push => "page-enrol-push",
            Self::Email => "page-enrol-email",
            Self::Sms => "page-enrol-sms",
        })
    }

    /// The factor that this value of [`BEGIN`] asks for.
    pub fn from_value(value: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|factor| factor.value() == value)
    }
}

/// What the forms of these pages have in common.
#[derive(Debug, Clone)]
pub struct EnrolForm<'a> {
    /// The account, as the person knows it.
    pub account: &'a str,
    /// Where forms are posted to.
    pub action: String,
    /// What is posted with every form: the token and the nonce, and the registration once there is one.
    pub hidden: Vec<(&'static str, String)>,
    /// The address of the invitation itself, where the person can choose again.
    pub start: String,
}

impl EnrolForm<'_> {
    /// A form that posts a code.
    pub(crate) fn code(&self, text: Text<'_>, field: Field) -> Block {
        let confirm =
            Button { weight: Weight::Primary, text: text.say("page-enrol-confirm"), says: None, disabled: false };
        Block::Form {
            action: self.action.clone(),
            hidden: self.hidden.clone(),
            fields: vec![field],
            buttons: vec![confirm],
        }
    }

    /// The way back to the choice, with this text.
    pub(crate) fn back(&self, text: Text<'_>, id: &str) -> Block {
        Block::Links(vec![(Weight::Quiet, self.start.clone(), text.say(id))])
    }
}

/// What was wrong with a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnrolFault {
    /// It is not the code.
    Wrong,
    /// It was right once, and has been used.
    Used,
    /// It is a code of another time: the device's clock is so many minutes ahead of ours.
    Fast(i64),
    /// The same, so many minutes behind ours.
    Slow(i64),
}

impl EnrolFault {
    /// In words. `sent` is whether we have sent the code, or an app shows it.
    pub(crate) fn said(self, text: Text<'_>, sent: bool) -> Html {
        let clock = |id, minutes: i64| text.fill(id, &[("minutes", PhraseValue::Number(minutes.max(1)))]);
        match self {
            Self::Wrong if sent => text.say("page-enrol-wrong-sent"),
            Self::Wrong => text.say("page-enrol-wrong"),
            Self::Used => text.say("page-enrol-used"),
            Self::Fast(minutes) => clock("page-enrol-clock-fast", minutes),
            Self::Slow(minutes) => clock("page-enrol-clock-slow", minutes),
        }
    }
}

/// How long something still works, in minutes, hours or days.
pub(crate) fn left(text: Text<'_>, moment: &ShownMoment) -> Html {
    let (id, unit, number) = match moment.minutes {
        minutes @ ..=119 => ("page-minutes-left", "minutes", minutes),
        minutes @ 120..=2_879 => ("page-enrol-hours-left", "hours", minutes / 60),
        minutes => ("page-enrol-days-left", "days", minutes / 1_440),
    };
    text.fill(id, &[(unit, PhraseValue::Number(number)), ("clock", PhraseValue::Name(&moment.clock))])
}

/// What to do when a device is lost, with a way to reach those who help.
pub(crate) fn lost(text: Text<'_>, help: Option<&str>) -> Block {
    let link = help.map(|address| (address.to_owned(), text.say("page-enrol-help")));
    Block::Aside { text: text.say("page-enrol-lost"), link }
}

#[cfg(test)]
mod tests {
    use words::{Brand, Words};

    use super::*;

    #[test]
    fn a_long_life_is_said_in_hours_and_days() {
        let words = Words::new(Brand { name: String::new(), color: String::new(), logo: String::new() }, "en");
        let said = |minutes| {
            let clock = String::from("14:31");
            format!("{:?}", left(Text::new(&words, &[]), &ShownMoment { minutes, clock }))
        };
        for (minutes, start) in [(1, "for one more minute"), (119, "for 119 more minutes"), (120, "for 2 more hours")] {
            assert!(said(minutes).contains(start), "{}", said(minutes));
        }
        assert!(said(2_879).contains("for 47 more hours") && said(10_080).contains("for 7 more days"));
    }

    #[test]
    fn a_factor_is_the_one_that_its_button_says() {
        for factor in EnrolFactor::ALL {
            assert_eq!(EnrolFactor::from_value(factor.value()), Some(factor));
        }
        assert_eq!(EnrolFactor::from_value("voice"), None);
    }
}
