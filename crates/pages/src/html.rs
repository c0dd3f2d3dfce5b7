//! Text that is safe in a page.

use minijinja::Value;
use words::Piece;

/// Text as HTML. Everything in it is escaped; the only elements are those that set names of others apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Html(String);

impl Html {
    /// A phrase of ours. Names in it get an element whose direction is that of the name.
    pub(crate) fn of(pieces: &[Piece]) -> Self {
        let mut html = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => escape(text, &mut html),
                Piece::Name(name) => {
                    html.push_str("<bdi>");
                    escape(name, &mut html);
                    html.push_str("</bdi>");
                }
            }
        }
        Self(html)
    }

    /// A text that is not part of a phrase, as the value of an attribute.
    pub(crate) fn text(text: &str) -> Self {
        Self::of(&[Piece::Text(text.to_owned())])
    }

    /// A name, an address or a value of somebody else.
    pub(crate) fn name(name: &str) -> Self {
        Self::of(&[Piece::Name(name.to_owned())])
    }

    /// As a value that a template does not escape again.
    pub(crate) fn value(&self) -> Value {
        Value::from_safe_string(self.0.clone())
    }
}

/// A phrase as plain text, where a page has no place for elements, as in its title.
pub(crate) fn plain(pieces: &[Piece]) -> String {
    pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) | Piece::Name(text) => text.as_str(),
        })
        .collect()
}

fn escape(text: &str, into: &mut String) {
    for character in text.chars() {
        match character {
            '&' => into.push_str("&amp;"),
            '<' => into.push_str("&lt;"),
            '>' => into.push_str("&gt;"),
            '"' => into.push_str("&quot;"),
            '\'' => into.push_str("&#39;"),
            // Control characters show nothing, and those that override the direction hide what a name says.
            '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {}
            other if other.is_control() => {}
            other => into.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_name_is_html_and_none_hides_itself() {
        let html = Html::name("</bdi><script>'\"&\u{202E}gpj\u{0}");
        assert_eq!(html.0, "<bdi>&lt;/bdi&gt;&lt;script&gt;&#39;&quot;&amp;gpj</bdi>");
    }
}
