//! How long a text message is on its way (3GPP TS 23.038): the basic alphabet, or UCS-2 as soon as one character is not in
//! it.

/// How the characters of a text message are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmsAlphabet {
    /// The basic alphabet with its extension: 160 places in one message, 153 in each of several.
    Gsm7,
    /// UTF-16: 70 places in one message, 67 in each of several.
    Ucs2,
}

/// What a text costs on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segments {
    pub alphabet: SmsAlphabet,
    /// Places that the text takes.
    pub places: usize,
    /// Messages that the text takes, each of which is paid.
    pub messages: usize,
}

/// The basic alphabet.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// Characters that take two places in it.
const EXTENDED: &str = "\u{c}^{}\\[~]|€";

/// How a text travels as a text message.
pub fn segments(text: &str) -> Segments {
    let basic: Option<usize> = text
        .chars()
        .map(|character| match character {
            _ if BASIC.contains(character) => Some(1),
            _ if EXTENDED.contains(character) => Some(2),
            _ => None,
        })
        .sum();
    let (alphabet, places, single, each) = match basic {
        Some(places) => (SmsAlphabet::Gsm7, places, 160, 153),
        None => (SmsAlphabet::Ucs2, text.encode_utf16().count(), 70, 67),
    };
    let messages = if places <= single { 1 } else { places.div_ceil(each) };
    Segments { alphabet, places, messages }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> (SmsAlphabet, usize, usize) {
        let Segments { alphabet, places, messages } = segments(text);
        (alphabet, places, messages)
    }

    #[test]
    fn one_message_has_160_places_and_each_of_several_has_153() {
        assert_eq!(of(&"x".repeat(160)), (SmsAlphabet::Gsm7, 160, 1));
        assert_eq!(of(&"x".repeat(161)), (SmsAlphabet::Gsm7, 161, 2));
        assert_eq!(of(&"x".repeat(307)), (SmsAlphabet::Gsm7, 307, 3));
        assert_eq!(of(&"ü€".repeat(10)), (SmsAlphabet::Gsm7, 30, 1));
    }

    #[test]
    fn one_character_from_outside_makes_all_of_them_wide() {
        assert_eq!(of(&format!("{}ş", "x".repeat(69))), (SmsAlphabet::Ucs2, 70, 1));
        assert_eq!(of(&format!("{}ş", "x".repeat(70))), (SmsAlphabet::Ucs2, 71, 2));
        assert_eq!(of("😀"), (SmsAlphabet::Ucs2, 2, 1));
    }
}
