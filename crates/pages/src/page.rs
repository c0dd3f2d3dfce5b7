//! A page, before it is HTML.

use crate::block::{Block, Tone};
use crate::html::Html;
use crate::text::Text;

/// A page, before it is HTML.
#[derive(Debug, Clone)]
pub struct WebPage {
    /// The title of the window.
    pub(crate) title: String,
    pub(crate) language: &'static str,
    /// As wide as a list needs, rather than as a question does.
    pub(crate) wide: bool,
    pub(crate) blocks: Vec<Block>,
    /// Below the card, in small letters.
    pub(crate) foot: Vec<Html>,
    /// Where the browser goes by itself, and after how many seconds.
    pub(crate) forwards: Option<(u32, String)>,
}

impl WebPage {
    /// A page with a head and nothing else yet. `title` is the id of a text.
    pub fn new(text: Text<'_>, sign: Option<Tone>, title: &str, lines: Vec<Html>) -> Self {
        Self {
            title: text.plain(title),
            language: text.language(),
            wide: false,
            blocks: vec![Block::Head { sign, title: text.say(title), lines }],
            foot: vec![text.say("page-foot")],
            forwards: None,
        }
    }

    /// The same page with more blocks at its end.
    pub fn with(mut self, blocks: impl IntoIterator<Item = Block>) -> Self {
        self.blocks.extend(blocks);
        self
    }

    /// The same page, from which the browser goes on by itself.
    pub fn forward(mut self, seconds: u32, address: &str) -> Self {
        self.forwards = Some((seconds, address.to_owned()));
        self
    }
}
