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

/// The counter whose code is `code`: the newest that is `spent`, else the first that is `fresh`, which ascend. Digits that were accepted
/// are spent even if a counter ahead happens to have the same: a person and the wire know only digits, and the next different
/// ones are accepted as ever (decision 21). Codes are compared as integers in constant time.
///
/// The search ends where a code is accepted, and only there: an answer that will be refused, spent or wrong, has been compared
/// with every counter, so its time tells nothing. How far ahead the counter of an accepted code was, its time does tell: to
/// somebody who had the right code, and no other answer is that quick.
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
    let is_code = |counter: &i64| *counter >= 0 && bool::from(key.value(counter.cast_unsigned(), digits).ct_eq(&given));
    match spent.filter(is_code).max() {
        Some(spent) => {
            fresh.for_each(|counter| _ = std::hint::black_box(is_code(&counter)));
            Some(spent)
        }
        None => {
            let mut fresh = fresh;
            fresh.find(is_code)
        }
    }
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

    /// What is compared says how long it takes.
    #[test]
    fn only_a_code_that_is_accepted_ends_the_search() {
        let compared = |counter: u64, digits: u8| {
            let (mut spent, mut fresh) = (0, 0);
            let secret = &rfc().secret;
            let text = code(secret, Algorithm::Sha1, counter, digits);
            let (behind, ahead) = ((10..=20).inspect(|_| spent += 1), (21..=30).inspect(|_| fresh += 1));
            let found = matching(secret, Algorithm::Sha1, digits, &text, behind, ahead);
            (found, spent, fresh)
        };
        for (counter, looked_at) in [(21, 1), (22, 2), (30, 10)] {
            assert_eq!(compared(counter, 6), (Some(counter.cast_signed()), 11, looked_at));
        }
        for refused in [10, 20] {
            assert_eq!(compared(refused, 6), (Some(refused.cast_signed()), 11, 10), "spent");
        }
        assert_eq!(compared(31, 6), (None, 11, 10), "wrong");
    }

    /// Decision 21, where digits are few enough to come back.
    #[test]
    fn digits_that_are_spent_are_spent_also_if_they_come_again() {
        let secret = &rfc().secret;
        let of = |counter: i64| value(secret, Algorithm::Sha1, counter.cast_unsigned(), 2);
        let twins = (0..500_i64).flat_map(|before| (before + 1..before + 10).map(move |after| (before, after)));
        let twins: Vec<_> = twins.filter(|(before, after)| of(*before) == of(*after)).take(20).collect();
        for (before, after) in twins.iter().copied() {
            let text = format!("{:02}", of(before));
            let found = |last: i64| {
                let (spent, fresh) = (last - LOOK_AHEAD..=last, last + 1..=last + LOOK_AHEAD);
                matching(secret, Algorithm::Sha1, 2, &text, spent, fresh).unwrap()
            };
            assert!(found(before) <= before, "one of these is spent: {before}, {after}");
            assert_eq!(found(after), after, "the newest of two: {before}, {after}");
        }
        assert_eq!(twins.len(), 20);
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
