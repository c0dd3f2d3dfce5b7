//! The pages of an invitation (contract 21, SEC 105): a person chooses how to show that it is them, and sets it up.
//!
//! Looking changes nothing. Every step is a form of the page before it, with the token and the page's nonce in `hidden`;
//! what is shown once (SEC 46) is on [`EnrolPage::Authenticator`] alone.

mod choice;
mod device;
mod done;
mod form;

use words::PhraseValue;

use crate::block::{Block, Tone, Weight};
use crate::page::WebPage;
use crate::text::Text;

pub use self::choice::{EnrolChoice, EnrolOffer};
pub use self::device::{AuthenticatorForm, AuthenticatorRetry, PairForm, SentCodeForm};
pub use self::done::EnrolDone;
pub use self::form::{BEGIN, ENROL_CODE, EnrolFactor, EnrolFault, EnrolForm, TARGET};

/// What an invitation shows.
#[derive(Debug, Clone)]
pub enum EnrolPage<'a> {
    /// The invitation waits for its person.
    Choose(EnrolChoice<'a>),
    /// An authenticator app: its secret, shown here and never again.
    Authenticator(AuthenticatorForm<'a>),
    /// The same after a code that was not taken, without the secret.
    AuthenticatorAgain(AuthenticatorRetry<'a>),
    /// A phone is paired. The page looks again by itself.
    Pair(PairForm<'a>),
    /// A code was sent.
    Code(SentCodeForm<'a>),
    /// A device is enrolled, and the invitation used up.
    Done(EnrolDone<'a>),
    /// There were too many wrong codes. With the whole minutes until another is accepted, if it is a matter of time, and
    /// the address of the invitation.
    Locked { minutes: Option<i64>, start: Option<String> },
    /// What was begun has taken too long; the invitation itself still works. With its address.
    TooLate { start: String },
    /// There is nothing to enrol: used, over, replaced, or never was.
    Over,
    /// The answer is not one that this page sends, or came from a page of another server. Nothing was changed.
    NotFromPage,
}

impl EnrolPage<'_> {
    /// As a page.
    pub fn page(&self, text: Text<'_>) -> WebPage {
        let again = |start: &str, id| Block::Links(vec![(Weight::Primary, start.to_owned(), text.say(id))]);
        match self {
            Self::Choose(choice) => choice.page(text),
            Self::Authenticator(form) => form.page(text),
            Self::AuthenticatorAgain(form) => form.page(text),
            Self::Pair(form) => form.page(text),
            Self::Code(form) => form.page(text),
            Self::Done(done) => done.page(text),
            Self::Locked { minutes, start } => {
                let lead = match minutes {
                    Some(minutes) => {
                        let minutes = PhraseValue::Number((*minutes).max(1));
                        text.fill("page-enrol-locked-lead", &[("minutes", minutes)])
                    }
                    None => text.say("page-enrol-locked-help"),
                };
                let page = WebPage::new(text, Some(Tone::Warning), "page-enrol-locked", vec![lead]);
                let link = |start: &String| {
                    Block::Links(vec![(Weight::Secondary, start.clone(), text.say("page-enrol-again"))])
                };
                page.with(start.as_ref().map(link))
            }
            Self::TooLate { start } => {
                let lead = vec![text.say("page-enrol-late-lead")];
                WebPage::new(text, Some(Tone::Plain), "page-enrol-late", lead).with([again(start, "page-enrol-again")])
            }
            Self::Over => {
                let lines = vec![text.say("page-link-over-lead"), text.say("page-enrol-over-advice")];
                WebPage::new(text, Some(Tone::Plain), "page-link-over", lines)
            }
            Self::NotFromPage => {
                let lines = vec![text.say("page-enrol-not-from-page-lead"), text.say("page-link-not-from-page-advice")];
                WebPage::new(text, Some(Tone::Danger), "page-link-not-from-page", lines)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use words::{Brand, Words};

    use super::*;
    use crate::gallery::{self, SAMPLES};
    use crate::pages::Pages;
    use crate::qr::tests::read_path;

    /// A sample as HTML in English.
    fn html(name: &str) -> String {
        let brand = Brand { name: "Acme".to_owned(), color: "#1a56db".to_owned(), logo: String::new() };
        let words = Words::new(brand, "en");
        let page = gallery::sample(name, Text::new(&words, &[])).unwrap();
        Pages::new(words.brand(), None, "").html(&page).unwrap()
    }

    /// SEC 46.
    #[test]
    fn the_secret_is_on_one_page_alone() {
        for name in SAMPLES.iter().filter(|name| name.starts_with("enrol-")) {
            let html = html(name);
            assert_eq!(html.contains("JBSWY3DP"), *name == "enrol-authenticator", "{name}");
            assert_eq!(
                html.contains("<svg class=\"qr\""),
                ["enrol-authenticator", "enrol-pair"].contains(name),
                "{name}"
            );
        }
        let page = html("enrol-authenticator");
        let groups = "<span>JBSW</span><wbr><span>Y3DP</span><wbr>";
        assert!(page.contains(groups), "copied without gaps: {page}");
    }

    #[test]
    fn a_camera_reads_the_address_that_the_link_has() {
        for name in ["enrol-authenticator", "enrol-pair"] {
            let html = html(name);
            let between =
                |start: &str, end: &str| html.split(start).nth(1).unwrap().split(end).next().unwrap().to_owned();
            let side = between("viewBox=\"0 0 ", " ").parse().unwrap();
            let address = read_path(side, &between("<path d=\"M", "\""), 3);
            assert!(html.contains(&format!("href=\"{}\"", address.replace('&', "&amp;"))), "{address}");
        }
    }

    #[test]
    fn the_strongest_way_comes_first_however_they_are_offered() {
        let html = html("enrol-choose");
        let places = EnrolFactor::ALL.map(|factor| html.find(&format!("value=\"{}\"", factor.value())).unwrap());
        assert!(places.is_sorted(), "{places:?}");
        let first = html.split("button primary").nth(1).unwrap();
        assert!(first.starts_with("\" name=\"begin\" value=\"totp\"") && !first.contains("button primary"));
    }

    /// SEC 18.
    #[test]
    fn a_number_alone_is_asked_for_more_and_another_factor_is_offered_it() {
        for (name, class) in [("enrol-done-number", "button primary"), ("enrol-done", "button secondary")] {
            assert!(html(name).contains(&format!("class=\"{class}\" href=")), "{name}");
        }
    }

    #[test]
    fn what_was_refused_is_not_folded_away() {
        assert!(html("enrol-refused").contains("<details class=\"other\" open>"));
        assert!(!html("enrol-choose").contains("<details class=\"other\" open>"));
    }

    #[test]
    fn every_form_carries_the_token_and_the_nonce() {
        for name in SAMPLES.iter().filter(|name| name.starts_with("enrol-")) {
            let html = html(name);
            let forms = html.matches("<form").count();
            for field in ["token", "nonce"] {
                assert_eq!(html.matches(&format!("name=\"{field}\"")).count(), forms, "{name}");
            }
        }
    }
}
