//! What was used of a secret, for longer than its device lives (SEC 2, SEC 96).
//!
//! A device that makes its own codes has a secret that can come back: in a list that is imported once more, for the same
//! user or for another. While the device lives, its counter says what is used; once it is gone, a separate row does.
//! A secret is recognised by a digest under the installation's own key, so the row holds nothing of anybody.

use crate::model::credential::Credential;
use crate::model::digest::OwnKey;
use crate::model::secret::Secret;

/// How a secret is recognised: a digest of its kind and its bytes under the installation's own key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SecretMac(pub [u8; 16]);

/// What the counter of a device counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    Codes,
    /// Time steps of so many seconds (TOTP).
    Seconds(u32),
}

/// The secret of a device that makes its own codes, recognisable without being opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretMark {
    /// The same for every device with this secret.
    pub mac: SecretMac,
    /// What this device counts.
    pub counts: Counts,
}

impl SecretMark {
    /// The mark of a credential; `None` for one that makes no codes. Digits and hash functions have no part in it: a
    /// device that is described otherwise has the same secret.
    pub fn of(credential: &Credential, key: &OwnKey) -> Option<Self> {
        let (kind, secret, counts) = match credential {
            Credential::Totp(totp) => ("secret.totp", &totp.secret, Counts::Seconds(totp.period)),
            Credential::Hotp(hotp) => ("secret.hotp", &hotp.secret, Counts::Codes),
            Credential::Sms { .. } | Credential::Voice { .. } | Credential::Email { .. } | Credential::Push { .. } => {
                return None;
            }
        };
        let mut mac = [0; 16];
        mac.copy_from_slice(&key.mac(kind, significant(secret))[..16]);
        Some(Self { mac: SecretMac(mac), counts })
    }
}

/// The bytes of a secret by which it differs from others. HMAC fills a key up with zeros (RFC 2104), so zeros at the end
/// make no other codes.
pub(crate) fn significant(secret: &Secret) -> &[u8] {
    let bytes = secret.expose();
    let zeros = bytes.iter().rev().take_while(|byte| **byte == 0).count();
    &bytes[..bytes.len() - zeros]
}

impl Counts {
    /// What is used once `last_counter` was accepted: that code's number, or the last second of that step since 1970.
    /// `None` if nothing was.
    pub fn used(self, last_counter: i64) -> Option<i64> {
        match self {
            _ if last_counter < 0 => None,
            Self::Codes => Some(last_counter),
            Self::Seconds(step) => Some(last_counter.saturating_add(1).saturating_mul(step.into()).saturating_sub(1)),
        }
    }

    /// The last counter of a device where this much is used: no code and no second of it is fresh again.
    pub fn last_counter(self, used: i64) -> i64 {
        match self {
            Self::Codes => used,
            // The step that contains the last used second.
            Self::Seconds(step) => used.div_euclid(i64::from(step.max(1))),
        }
    }

    /// The stored number: the seconds of a step, and 0 for codes.
    pub fn number(self) -> i64 {
        match self {
            Self::Codes => 0,
            Self::Seconds(step) => step.into(),
        }
    }

    /// What is stored as this number.
    pub fn from_number(number: i64) -> Option<Self> {
        u32::try_from(number).ok().map(|number| if number == 0 { Self::Codes } else { Self::Seconds(number) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::hotp::{Algorithm, Hotp};
    use crate::model::secret::Secret;
    use crate::model::totp::Totp;

    fn key(n: u8) -> OwnKey {
        OwnKey::new([n; 32])
    }

    #[test]
    fn a_secret_is_recognised_however_its_codes_are_made_and_by_nobody_else() {
        let totp = |secret: u8| Totp::with_secret(Secret::new(vec![secret; 20]));
        let of = |credential| SecretMark::of(&credential, &key(1));
        let first = of(Credential::Totp(totp(7))).unwrap();
        let other = Totp { digits: 8, period: 60, algorithm: Algorithm::Sha512, ..totp(7) };
        let other = of(Credential::Totp(other)).unwrap();
        assert_eq!((first.mac, first.counts), (other.mac, Counts::Seconds(30)));
        assert_eq!(other.counts, Counts::Seconds(60));
        assert_ne!(of(Credential::Totp(totp(8))).unwrap().mac, first.mac);
        assert_ne!(SecretMark::of(&Credential::Totp(totp(7)), &key(2)).unwrap().mac, first.mac);
        // As `import::same_token` has it, a token is its kind and its secret.
        let hotp = of(Credential::Hotp(Hotp { secret: Secret::new(vec![7; 20]), digits: 6 })).unwrap();
        assert_ne!(hotp.mac, first.mac);
        assert_eq!(hotp.counts, Counts::Codes);
        assert_eq!(of(Credential::Push { public_key: Some(vec![7; 20]) }), None);
        // RFC 2104 fills a key up with zeros: these make the same codes.
        let padded = Totp::with_secret(Secret::new([vec![7; 20], vec![0; 9]].concat()));
        assert_eq!(of(Credential::Totp(padded)).unwrap().mac, first.mac);
        let longer = Totp::with_secret(Secret::new([vec![7; 20], vec![0, 1]].concat()));
        assert_ne!(of(Credential::Totp(longer)).unwrap().mac, first.mac);
    }

    #[test]
    fn nothing_used_is_fresh_in_steps_of_another_length() {
        for (from, to) in [(30, 60), (60, 30), (30, 45), (30, 30), (15, 120), (120, 15)] {
            let (from, to) = (Counts::Seconds(from), Counts::Seconds(to));
            for last in [0, 1, 57_000_001] {
                let used = from.used(last).unwrap();
                let carried = to.last_counter(used);
                assert!(to.used(carried).unwrap() >= used, "{from:?} {to:?} {last}");
                assert!(
                    carried == 0 || to.used(carried - 1).unwrap() < used,
                    "and no step more: {from:?} {to:?} {last}"
                );
                assert_eq!(from.last_counter(used), last);
            }
        }
        assert_eq!(Counts::Codes.last_counter(Counts::Codes.used(41).unwrap()), 41);
        for counts in [Counts::Codes, Counts::Seconds(30)] {
            assert_eq!(counts.used(-1), None);
            assert_eq!(Counts::from_number(counts.number()), Some(counts));
        }
        assert_eq!(Counts::from_number(-1), None);
    }
}
