//! Pages for requests that fail.

use words::PhraseValue;

use crate::block::{Block, Tone};
use crate::html::Html;
use crate::page::WebPage;
use crate::text::Text;

/// Why a page cannot be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble<'a> {
    /// There is nothing at this address.
    NotFound,
    /// The browser has sent something that no page of ours sends.
    NotUnderstood,
    /// Too many requests; with the whole seconds to wait.
    TooMany(u64),
    /// The server cannot reach something that it needs, such as its database.
    Unavailable,
    /// A fault of ours; with the id that the log has it under.
    Fault(Option<&'a str>),
}

impl Trouble<'_> {
    /// As a page.
    pub fn page(self, text: Text<'_>) -> WebPage {
        let (tone, title, lead) = match self {
            Self::NotFound => (Tone::Plain, "page-not-found", text.say("page-not-found-lead")),
            Self::NotUnderstood => (Tone::Warning, "page-not-understood", text.say("page-not-understood-lead")),
            Self::TooMany(seconds) => {
                let seconds = [("seconds", PhraseValue::Number(i64::try_from(seconds).unwrap_or(i64::MAX)))];
                (Tone::Warning, "page-too-many", text.fill("page-too-many-lead", &seconds))
            }
            Self::Unavailable => (Tone::Warning, "page-unavailable", text.say("page-unavailable-lead")),
            Self::Fault(_) => (Tone::Danger, "page-fault", text.say("page-fault-lead")),
        };
        let page = WebPage::new(text, Some(tone), title, vec![lead]);
        match self {
            Self::Fault(Some(id)) => page.with([Block::Facts(vec![(text.say("page-fault-id"), Html::name(id))])]),
            _ => page,
        }
    }
}
