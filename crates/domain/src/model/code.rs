//! Codes that are sent: which characters they have, and how drawn bytes become one without bias (SEC 10).

use serde::{Deserialize, Serialize};

/// Characters in every code we send.
pub const CODE_LENGTH: usize = 6;

/// The characters a code is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alphabet {
    Digits,
    /// Digits and capital letters without look-alikes (decision 19); compared without regard to case.
    Alphanumeric,
    /// Crockford's Base32, for pairing codes (decision 33).
    Crockford,
}

impl Alphabet {
    /// The characters, in order.
    pub fn characters(self) -> &'static [u8] {
        match self {
            Self::Digits => b"0123456789",
            Self::Alphanumeric => b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ",
            Self::Crockford => b"0123456789ABCDEFGHJKMNPQRSTVWXYZ",
        }
    }

    /// Whether `byte` is one of the characters.
    pub fn contains(self, byte: u8) -> bool {
        self.characters().contains(&byte)
    }

    /// A code of `length` characters from random `bytes`. A byte that would favour some characters is skipped; `None`
    /// when the bytes run out, and the caller draws more.
    pub fn code(self, length: usize, bytes: &[u8]) -> Option<String> {
        let characters = self.characters();
        let fair = 256 / characters.len() * characters.len();
        let code: String = bytes
            .iter()
            .map(|byte| usize::from(*byte))
            .filter(|byte| *byte < fair)
            .take(length)
            .map(|byte| char::from(characters[byte % characters.len()]))
            .collect();
        (code.len() == length).then_some(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_is_equally_likely() {
        for alphabet in [Alphabet::Digits, Alphabet::Alphanumeric, Alphabet::Crockford] {
            let mut counts = std::collections::BTreeMap::new();
            for byte in 0..=255u8 {
                if let Some(code) = alphabet.code(1, &[byte]) {
                    *counts.entry(code).or_insert(0) += 1;
                }
            }
            assert_eq!(counts.len(), alphabet.characters().len());
            assert!(counts.values().all(|n| *n == 256 / alphabet.characters().len()));
        }
    }

    #[test]
    fn too_few_bytes_make_no_code() {
        assert_eq!(Alphabet::Digits.code(6, &[250, 251, 252, 253, 254, 255, 1, 2, 3]), None);
        assert_eq!(Alphabet::Digits.code(6, &[255, 1, 2, 3, 4, 5, 6]).as_deref(), Some("123456"));
    }
}
