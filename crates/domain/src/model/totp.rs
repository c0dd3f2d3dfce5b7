//! TOTP: time-based one-time passwords, RFC 6238.

use serde::{Deserialize, Serialize};

use crate::model::code::Alphabet;
use crate::model::hotp::{Algorithm, matching};
use crate::model::response::FactorResponse;
use crate::model::secret::Secret;
use crate::model::time::Timestamp;

/// Bytes in a secret we make: 160 bits, the length RFC 4226 section 4 recommends (SEC 8).
pub const SECRET_LENGTH: usize = 20;
/// Seconds a code is shown.
pub const PERIOD: u32 = 30;
/// Steps before and after the present one that are accepted, for clocks that differ.
pub const WINDOW: i64 = 1;
/// Steps before the last accepted one whose codes are known as spent, and are no guess.
pub const SPENT: i64 = 10;

/// A time-based token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totp {
    /// The shared secret.
    pub secret: Secret,
    /// The hash function.
    pub algorithm: Algorithm,
    /// Digits in a code, 6 to 8.
    pub digits: u8,
    /// Seconds in a time step.
    pub period: u32,
}

impl Totp {
    /// A token with the defaults every authenticator app understands.
    pub fn with_secret(secret: Secret) -> Self {
        Self { secret, algorithm: Algorithm::Sha1, digits: 6, period: PERIOD }
    }

    /// The time step of `now` (RFC 6238 section 4.2, T0 = 0).
    pub fn step(&self, now: Timestamp) -> i64 {
        now.unix_seconds().div_euclid(i64::from(self.period.max(1)))
    }

    /// The last time step whose code can have been accepted by `now`: what comes after it was never used.
    pub fn newest_step(&self, now: Timestamp) -> i64 {
        self.step(now) + WINDOW
    }

    /// The time step whose code `response` is: `last` or one of [`SPENT`] before it, whose codes are spent, else the smallest
    /// above `last` within ±[`WINDOW`] of `now`. `last` is −1 while no code was accepted.
    pub fn matching_step(&self, response: &FactorResponse, last: i64, now: Timestamp) -> Option<i64> {
        let code = response.as_code(self.digits.into(), Alphabet::Digits)?;
        let step = self.step(now);
        // Those of the window that were passed over are spent as well, also if the clock was set back.
        let window = step - WINDOW..=step + WINDOW;
        let spent = (last.saturating_sub(SPENT)..=last).chain(window.clone().filter(move |step| *step <= last));
        let fresh = window.filter(move |step| *step > last);
        matching(&self.secret, self.algorithm, self.digits, &code, spent, fresh)
    }

    /// By how many steps the clock behind `response` is ahead of `now`, if it is by at most `most`; of the nearest such step.
    /// It helps a person to set a clock right, and accepts nothing.
    pub fn steps_ahead(&self, response: &FactorResponse, now: Timestamp, most: i64) -> Option<i64> {
        let code = response.as_code(self.digits.into(), Alphabet::Digits)?;
        let step = self.step(now);
        let shows = |ahead: &i64| {
            let counter = step.saturating_add(*ahead).cast_unsigned();
            crate::model::hotp::code(&self.secret, self.algorithm, counter, self.digits) == code
        };
        (0..=most).flat_map(|far| [far, -far]).find(shows)
    }

    /// The code shown at `now`.
    pub fn code(&self, now: Timestamp) -> String {
        crate::model::hotp::code(&self.secret, self.algorithm, self.step(now).cast_unsigned(), self.digits)
    }
}

/// Base32 without padding, as authenticator apps take secrets.
pub fn base32(secret: &Secret) -> String {
    data_encoding::BASE32_NOPAD.encode(secret.expose())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rfc(algorithm: Algorithm) -> Totp {
        let secret = match algorithm {
            Algorithm::Sha1 => b"12345678901234567890".to_vec(),
            Algorithm::Sha256 => b"12345678901234567890123456789012".to_vec(),
            Algorithm::Sha512 => b"1234567890123456789012345678901234567890123456789012345678901234".to_vec(),
        };
        Totp { secret: Secret::new(secret), algorithm, digits: 8, period: 30 }
    }

    /// RFC 6238 appendix B.
    #[test]
    fn the_rfc_6238_vectors_hold() {
        use Algorithm::{Sha1, Sha256, Sha512};
        let vectors = include_str!("../../testdata/rfc6238.txt");
        let mut seen = 0;
        for line in vectors.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let mut fields = line.split_whitespace();
            let seconds: i64 = fields.next().unwrap().parse().unwrap();
            for (algorithm, expected) in [Sha1, Sha256, Sha512].into_iter().zip(fields) {
                assert_eq!(rfc(algorithm).code(Timestamp(seconds * 1000)), expected, "{seconds} {algorithm:?}");
                seen += 1;
            }
        }
        assert_eq!(seen, 18);
    }

    #[test]
    fn a_clock_that_is_wrong_is_found_by_its_code() {
        let totp = rfc(Algorithm::Sha1);
        let now = Timestamp(1_111_111_111_000);
        let at = |ahead: i64| FactorResponse::typed(&totp.code(now.plus(ahead * 30_000)));
        for ahead in [0, 1, -1, 7, -30, 30] {
            assert_eq!(totp.steps_ahead(&at(ahead), now, 30), Some(ahead));
        }
        assert_eq!(totp.steps_ahead(&at(31), now, 30), None);
        assert_eq!(totp.steps_ahead(&FactorResponse::typed("no code"), now, 30), None);
    }

    #[test]
    fn one_step_either_side_is_accepted_and_two_are_not() {
        let totp = rfc(Algorithm::Sha1);
        let now = Timestamp(1_111_111_111_000);
        let step = totp.step(now);
        let at = |offset: i64| FactorResponse::typed(&totp.code(now.plus(offset * 30_000)));
        assert_eq!(totp.matching_step(&at(0), -1, now), Some(step));
        assert_eq!(totp.matching_step(&at(-1), -1, now), Some(step - 1));
        assert_eq!(totp.matching_step(&at(1), -1, now), Some(step + 1));
        assert_eq!(totp.matching_step(&at(2), -1, now), None);
        assert_eq!(totp.matching_step(&at(-2), -1, now), None);
    }
}
