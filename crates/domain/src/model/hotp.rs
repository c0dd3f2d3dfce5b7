//! HOTP: counter-based one-time passwords, RFC 4226.

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq;

use crate::model::code::Alphabet;
use crate::model::response::FactorResponse;
use crate::model::secret::Secret;

/// How many counters ahead of the last accepted one are tried (RFC 4226 section 7.4, SEC 9).
pub const LOOK_AHEAD: i64 = 10;

/// The hash function of a one-time password. RFC 4226 has SHA-1; RFC 6238 allows the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Algorithm {
    Sha1,
    Sha256,
    Sha512,
}

impl Algorithm {
    /// The name used in `otpauth` addresses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
            Self::Sha512 => "SHA512",
        }
    }
}

/// A counter-based token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hotp {
    /// The shared secret.
    pub secret: Secret,
    /// Digits in a code, 6 to 8.
    pub digits: u8,
}

impl Hotp {
    /// The counter whose code `response` is: `last` or one of [`LOOK_AHEAD`] before it, whose codes are spent, else the
    /// smallest above `last` within [`LOOK_AHEAD`]. `last` is −1 while no code was accepted.
    pub fn matching_counter(&self, response: &FactorResponse, last: i64) -> Option<i64> {
        let code = response.as_code(self.digits.into(), Alphabet::Digits)?;
        let ahead = last.saturating_add(1)..=last.saturating_add(LOOK_AHEAD);
        matching(&self.secret, Algorithm::Sha1, self.digits, &code, last.saturating_sub(LOOK_AHEAD)..=last, ahead)
    }
}

/// The counter whose code is `code`: the newest that is `spent`, else the smallest that is `fresh`. Digits that were accepted
/// are spent even if a counter ahead happens to have the same: a person and the wire know only digits, and the next different
/// ones are accepted as ever (decision 21). Every counter is tried, whether or not one matched before, and codes are compared
/// as integers in constant time.
pub(super) fn matching(
    secret: &Secret,
    algorithm: Algorithm,
    digits: u8,
    code: &str,
    spent: impl Iterator<Item = i64>,
    fresh: impl Iterator<Item = i64>,
) -> Option<i64> {
    let given: u32 = code.parse().ok()?;
    let key = Key::new(secret, algorithm);
    let of_code = |counters: &mut dyn Iterator<Item = i64>, newest: bool| {
        let mut found: Option<i64> = None;
        for counter in counters.filter(|counter| *counter >= 0) {
            let is_code = bool::from(key.value(counter.cast_unsigned(), digits).ct_eq(&given));
            if is_code && found.is_none_or(|before| (counter > before) == newest) {
                found = Some(counter);
            }
        }
        found
    };
    let (mut spent, mut fresh) = (spent, fresh);
    let (spent, fresh) = (of_code(&mut spent, true), of_code(&mut fresh, false));
    spent.or(fresh)
}

/// The HOTP value as an integer below `10^digits` (RFC 4226 section 5.3, dynamic truncation).
pub fn value(secret: &Secret, algorithm: Algorithm, counter: u64, digits: u8) -> u32 {
    Key::new(secret, algorithm).value(counter, digits)
}

/// A secret prepared for several counters: setting the key up costs as much as a code.
enum Key {
    Sha1(Hmac<Sha1>),
    Sha256(Hmac<Sha256>),
    Sha512(Hmac<Sha512>),
}

impl Key {
    fn new(secret: &Secret, algorithm: Algorithm) -> Self {
        fn prepare<M: KeyInit>(key: &[u8]) -> M {
            #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
            M::new_from_slice(key).expect("HMAC takes keys of any length")
        }
        match algorithm {
            Algorithm::Sha1 => Self::Sha1(prepare(secret.expose())),
            Algorithm::Sha256 => Self::Sha256(prepare(secret.expose())),
            Algorithm::Sha512 => Self::Sha512(prepare(secret.expose())),
        }
    }

    fn value(&self, counter: u64, digits: u8) -> u32 {
        fn truncated<M: Mac + Clone>(key: &M, counter: u64) -> u32 {
            let mut mac = key.clone();
            mac.update(&counter.to_be_bytes());
            let bytes = mac.finalize().into_bytes();
            let offset = usize::from(bytes[bytes.len() - 1] & 0x0f);
            u32::from_be_bytes([bytes[offset], bytes[offset + 1], bytes[offset + 2], bytes[offset + 3]]) & 0x7fff_ffff
        }
        let truncated = match self {
            Self::Sha1(key) => truncated(key, counter),
            Self::Sha256(key) => truncated(key, counter),
            Self::Sha512(key) => truncated(key, counter),
        };
        truncated % 10u32.pow(u32::from(digits.min(9)))
    }
}

/// The HOTP code as people type it: [`value`] with its leading zeros.
pub fn code(secret: &Secret, algorithm: Algorithm, counter: u64, digits: u8) -> String {
    format!("{:0width$}", value(secret, algorithm, counter, digits), width = usize::from(digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rfc() -> Hotp {
        Hotp { secret: Secret::new(b"12345678901234567890".to_vec()), digits: 6 }
    }

    /// RFC 4226 appendix D.
    #[test]
    fn the_rfc_4226_vectors_hold() {
        let expected =
            ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];
        for (counter, expected) in expected.iter().enumerate() {
            assert_eq!(code(&rfc().secret, Algorithm::Sha1, counter as u64, 6), *expected);
        }
    }

    #[test]
    fn a_code_is_found_within_the_look_ahead_and_not_beyond() {
        let text = |counter| FactorResponse::typed(&code(&rfc().secret, Algorithm::Sha1, counter, 6));
        assert_eq!(rfc().matching_counter(&text(0), -1), Some(0));
        assert_eq!(rfc().matching_counter(&text(9), -1), Some(9));
        assert_eq!(rfc().matching_counter(&text(10), -1), None);
        assert_eq!(rfc().matching_counter(&text(3), 3), Some(3), "the spent one is recognised");
        assert_eq!(rfc().matching_counter(&text(2), 3), Some(2), "and so are those before it");
        assert_eq!(rfc().matching_counter(&text(3), 14), None, "as far back as it looks ahead");
        assert_eq!(rfc().matching_counter(&text(13), 3), Some(13));
    }

    #[test]
    fn a_code_that_lost_its_leading_zero_is_the_same_code() {
        let hotp = Hotp { secret: Secret::new(b"12345678901234567890".to_vec()), digits: 6 };
        let (counter, text) = (0..2000)
            .map(|c| (c, code(&hotp.secret, Algorithm::Sha1, c, 6)))
            .find(|(_, code)| code.starts_with('0'))
            .unwrap();
        let last = counter.cast_signed() - 1;
        let shorter = text.trim_start_matches('0');
        for response in [
            FactorResponse::number(text.parse().unwrap()),
            FactorResponse::typed(shorter),
            FactorResponse::typed(&text),
        ] {
            assert_eq!(hotp.matching_counter(&response, last), Some(counter.cast_signed()));
        }
        for odd in [format!("0{text}"), text.replace('0', "０"), format!("+{}", &text[1..])] {
            assert_eq!(hotp.matching_counter(&FactorResponse::typed(&odd), last), None);
        }
    }
}
