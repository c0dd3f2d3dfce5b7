//! The texts of pages, in one language.

use words::{PhraseValue, Words};

use crate::html::{self, Html};

/// The texts of pages, in one language.
#[derive(Clone, Copy)]
pub struct Text<'w> {
    words: &'w Words,
    language: &'static str,
}

impl std::fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Text({})", self.language)
    }
}

impl<'w> Text<'w> {
    /// The texts for somebody who reads these languages, the best first.
    pub fn new(words: &'w Words, languages: &[&str]) -> Self {
        Self { words, language: words.page_language(languages.iter().copied()) }
    }

    /// The language, as a code of two letters.
    pub fn language(self) -> &'static str {
        self.language
    }

    /// A text with nothing put in but the name of the brand.
    pub fn say(self, id: &str) -> Html {
        self.fill(id, &[])
    }

    /// A text with values.
    pub fn fill(self, id: &str, values: &[(&str, PhraseValue<'_>)]) -> Html {
        Html::of(&self.words.phrase(id, self.language, &self.with_brand(values)))
    }

    /// A text for the title of a window.
    pub(crate) fn plain(self, id: &str) -> String {
        html::plain(&self.words.phrase(id, self.language, &self.with_brand(&[])))
    }

    fn with_brand<'v>(self, values: &[(&'v str, PhraseValue<'v>)]) -> Vec<(&'v str, PhraseValue<'v>)>
    where
        'w: 'v,
    {
        let brand = ("brand", PhraseValue::Name(&self.words.brand().name));
        values.iter().copied().chain([brand]).collect()
    }
}
