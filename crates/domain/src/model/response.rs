//! What arrived as an answer: the one place where a typed code is read, whatever the door (SEC 3, decision 19).
//!
//! People paste codes with blanks, scripts read them with the end of their line, and programs that keep a code as a
//! number lose its leading zeros. All of that says the same code. It is settled here, before anything looks at the
//! answer: its length, its form and its fingerprint are those of the same text.

use crate::model::code::Alphabet;
use crate::model::digest::{Digest, MacKeys};
use crate::model::id::{DeviceId, VerificationId};

/// An answer as it is judged. White space that says nothing is gone.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct FactorResponse(String);

impl std::fmt::Debug for FactorResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.is_absent() { "FactorResponse(none)" } else { "FactorResponse(…)" })
    }
}

impl FactorResponse {
    /// No answer: a poll.
    pub fn none() -> Self {
        Self::default()
    }

    /// A text. ASCII white space around it is dropped, and blanks inside it where it has digits and nothing else.
    pub fn typed(text: &str) -> Self {
        let text = text.trim_ascii();
        let blank = |c: char| matches!(c, ' ' | '\t');
        let grouped = text.chars().all(|c| c.is_ascii_digit() || blank(c));
        Self(if grouped { text.replace(blank, "") } else { text.to_owned() })
    }

    /// A JSON number: the text of its digits (contract 1.2).
    pub fn number(number: u64) -> Self {
        Self(number.to_string())
    }

    /// Whether there is nothing to judge. An empty text says as much as none (decision 19).
    pub fn is_absent(&self) -> bool {
        self.0.is_empty()
    }

    /// The text that is judged. It may be a code: never show it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether it is exactly `length` digits as it was sent. Nothing is padded to be so.
    pub fn is_digits(&self, length: usize) -> bool {
        self.0.len() == length && self.has_only_digits()
    }

    /// The answer as a code of `length` characters of `alphabet`, or `None` if it cannot be one. Digits that are too few
    /// have lost their leading zeros; codes with letters have none to lose and are compared without regard to case.
    pub(crate) fn as_code(&self, length: usize, alphabet: Alphabet) -> Option<String> {
        if self.is_absent() {
            return None;
        }
        let code = match alphabet {
            Alphabet::Digits if self.has_only_digits() => format!("{:0>length$}", self.0),
            Alphabet::Digits => return None,
            Alphabet::Alphanumeric | Alphabet::Crockford => self.0.to_ascii_uppercase(),
        };
        (code.len() == length && code.bytes().all(|byte| alphabet.contains(byte))).then_some(code)
    }

    /// A digest by which a repeated wrong answer is recognised (contract 4.5, doubled attempts): two spellings of one
    /// guess have the same.
    pub(crate) fn fingerprint(&self, device: DeviceId, verification: Option<VerificationId>, keys: &MacKeys) -> Digest {
        match verification {
            Some(id) => self.guess_in(&format!("answer/{device}/{id}"), keys),
            None => self.guess_in(&format!("answer/{device}"), keys),
        }
    }

    /// The same of a wrong temporary token.
    pub(crate) fn fingerprint_of_token(&self, keys: &MacKeys) -> Digest {
        self.guess_in("answer/0", keys)
    }

    fn guess_in(&self, context: &str, keys: &MacKeys) -> Digest {
        let guess = if self.has_only_digits() {
            format!("n{}", self.0.trim_start_matches('0'))
        } else {
            format!("t{}", self.0.to_ascii_uppercase())
        };
        Digest::of(&keys.hash(context, &guess).to_bytes())
    }

    fn has_only_digits(&self) -> bool {
        self.0.bytes().all(|byte| byte.is_ascii_digit())
    }
}

/// What a person keyed into a call.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyedDigits {
    /// The number that was called, with its plus sign, in any spelling that [`crate::model::text::phone`] reads.
    pub to: String,
    pub digits: FactorResponse,
}

impl std::fmt::Debug for KeyedDigits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyedDigits(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(text: &str) -> Option<String> {
        FactorResponse::typed(text).as_code(6, Alphabet::Digits)
    }

    #[test]
    fn white_space_around_a_code_and_blanks_between_its_digits_are_nothing() {
        for text in ["061080", "061080\n", "061080\r\n", " 061080 ", "\t061080", "061 080", "0 6 1 0 8 0", "061\t080\n"]
        {
            assert_eq!(digits(text).as_deref(), Some("061080"), "{text:?}");
        }
        assert_eq!(FactorResponse::typed(" b4k832\n").as_code(6, Alphabet::Alphanumeric).as_deref(), Some("B4K832"));
        for text in ["", " ", "\n", " \t\r\n"] {
            assert!(FactorResponse::typed(text).is_absent(), "{text:?}");
        }
    }

    #[test]
    fn leading_zeros_that_were_lost_are_put_back() {
        assert_eq!(digits("61080").as_deref(), Some("061080"));
        assert_eq!(digits("1080").as_deref(), Some("001080"));
        assert_eq!(digits("0").as_deref(), Some("000000"));
        assert_eq!(FactorResponse::number(61_080).as_code(6, Alphabet::Digits).as_deref(), Some("061080"));
        assert_eq!(FactorResponse::number(61_080).as_code(8, Alphabet::Digits).as_deref(), Some("00061080"));
    }

    #[test]
    fn nothing_else_is_forgiven() {
        let inside = ["061\n080", "061-080", "061,080", "+61080", "-61080", "061080.0", "6e4", "061\u{a0}080"];
        let others =
            ["0061080", "０６１０８０", "\u{a0}061080", "061080\u{2003}", "\u{feff}061080", "O61080", "061080x"];
        for text in inside.into_iter().chain(others) {
            assert_eq!(digits(text), None, "{text:?}");
        }
        for text in ["B4 K832", "b4k83", "B4K83I"] {
            assert_eq!(
                FactorResponse::typed(text).as_code(6, Alphabet::Alphanumeric),
                None,
                "codes with letters: {text:?}"
            );
        }
    }

    #[test]
    fn eight_digits_are_eight_as_they_were_sent() {
        for text in ["55647655", " 55647655\n", "5564 7655", "05564765"] {
            assert!(FactorResponse::typed(text).is_digits(8), "{text:?}");
        }
        for text in ["5564765", "556476550", "5564765x", "５５６４７６５５"] {
            assert!(!FactorResponse::typed(text).is_digits(8), "{text:?}");
        }
        assert!(!FactorResponse::number(5_564_765).is_digits(8), "a shorter number may be another code");
    }

    #[test]
    fn every_spelling_of_a_guess_is_the_same_guess() {
        let keys = MacKeys::new(vec![(1, crate::model::secret::Secret::new(vec![7; 32]))]);
        let print = |response: FactorResponse| response.fingerprint(DeviceId(1), None, &keys);
        let guess = print(FactorResponse::typed("061080"));
        for text in ["61080", " 061080\n", "061 080"] {
            assert_eq!(print(FactorResponse::typed(text)), guess, "{text:?}");
        }
        assert_eq!(print(FactorResponse::number(61_080)), guess);
        assert_eq!(print(FactorResponse::typed("b4k832")), print(FactorResponse::typed("B4K832")));
        assert_ne!(print(FactorResponse::typed("610800")), guess);
    }

    #[test]
    fn an_answer_is_not_shown_for_debugging() {
        assert_eq!(format!("{:?}", FactorResponse::typed("061080")), "FactorResponse(…)");
    }
}
