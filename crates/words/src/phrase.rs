//! Phrases for pages: text of ours in which names of others stay apart from it.

/// A part of a phrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text of ours.
    Text(String),
    /// A name or an address that somebody else chose. A page shows it in an element whose direction is its own, so that a
    /// name written from right to left moves nothing around it.
    Name(String),
}

/// What is put into a phrase.
#[derive(Debug, Clone, Copy)]
pub enum PhraseValue<'a> {
    /// A name or an address that somebody else chose.
    Name(&'a str),
    /// A number, which also chooses between one and many.
    Number(i64),
}

/// Marks the number of a name while a phrase is filled. The character is for private use (Unicode 23.5), so no
/// text of ours has it, and the names themselves are never filled in.
pub(crate) const MARK: char = '\u{E000}';

/// Takes a filled phrase apart at its marks.
pub(crate) fn pieces(filled: &str, names: &[&str]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (number, part) in filled.split(MARK).enumerate() {
        if number % 2 == 0 {
            if !part.is_empty() {
                pieces.push(Piece::Text(part.to_owned()));
            }
        } else if let Some(name) = part.parse::<usize>().ok().and_then(|place| names.get(place)) {
            pieces.push(Piece::Name((*name).to_owned()));
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Brand;
    use crate::words::Words;

    fn words() -> Words {
        let brand = Brand { name: "Acme".to_owned(), color: "#1a56db".to_owned(), logo: String::new() };
        Words::new(brand, "en")
    }

    #[test]
    fn a_name_is_a_piece_and_never_text() {
        for name in ["Ana", "{ $brand }", "<b>", "\u{E000}0\u{E000}", "\u{202E}gnp.exe"] {
            let phrase = words().phrase("page-link-lead-login", "en", &[("who", PhraseValue::Name(name))]);
            let names = phrase.iter().filter(|piece| matches!(piece, Piece::Name(_)));
            assert_eq!(names.collect::<Vec<_>>(), [&Piece::Name(name.to_owned())], "{phrase:?}");
            let texts = phrase.iter().filter_map(|piece| if let Piece::Text(text) = piece { Some(text) } else { None });
            assert!(texts.clone().count() > 0 && texts.clone().all(|text| !text.contains(name)), "{phrase:?}");
        }
    }

    #[test]
    fn a_number_chooses_between_one_and_many() {
        let said = |number| {
            words().phrase(
                "page-minutes-left",
                "en",
                &[("minutes", PhraseValue::Number(number)), ("clock", PhraseValue::Name("14:31"))],
            )
        };
        assert_ne!(said(1), said(2));
        assert!(matches!(&said(12)[..], [Piece::Text(text), Piece::Name(_), _] if text.contains("12")));
    }

    #[test]
    fn the_first_language_that_is_translated_is_the_pages() {
        let language = |wanted: &[&str]| words().page_language(wanted.iter().copied());
        assert_eq!(language(&["tlh", "de-AT", "fr"]), "de");
        assert_eq!(language(&["", "tlh"]), "en");
        assert_eq!(language(&[]), "en");
    }
}
