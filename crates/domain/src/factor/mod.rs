//! The factors. This file is the only list of them; each has a file of its own beside it.
//!
//! A factor *proves*: it turns a response into [`Evidence`] by looking only at what never changes (the opened
//! credential, the challenge). Whether the evidence still counts is decided later, on fresh state, by
//! [`crate::verification`]. A [`Proof`] can be made only in this folder.

mod code;
pub mod hotp;
#[cfg_attr(not(feature = "testing"), expect(unreachable_pub, reason = "tests reach it"))]
mod prove;
pub mod push;
mod response;
pub mod temp_token;
pub mod totp;

use serde::{Deserialize, Serialize};

pub use code::{Alphabet, CODE_LENGTH};
#[cfg(feature = "testing")]
pub use prove::prove;
#[cfg(not(feature = "testing"))]
pub(crate) use prove::prove;
pub use push::{PushAnswer, PushDecision};
pub use response::Response;

use crate::device::Device;
use crate::digest::{Digest, KeyedHash, MacKeys};
use crate::id::{DeviceId, VerificationId};
use crate::policy::Policy;
use crate::secret::Secret;
use crate::text;
use crate::verification::Verification;

/// A kind of factor. The number is stored, and is the account-wide `factor_id` of the OneLogin dialects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactorKind {
    /// Accept or deny on a paired phone.
    Push = 1,
    /// A code by text message.
    Sms = 2,
    /// A code spoken by telephone, or digits keyed into it.
    Voice = 3,
    /// A code by e-mail.
    Email = 4,
    /// Time-based one-time password, RFC 6238.
    Totp = 5,
    /// Counter-based one-time password, RFC 4226.
    Hotp = 6,
}

impl FactorKind {
    /// Every factor, in the order in which they are offered.
    pub const ALL: [Self; 6] = [Self::Push, Self::Sms, Self::Voice, Self::Email, Self::Totp, Self::Hotp];

    /// The stored number, which is also the wire's `factor_id`.
    pub fn number(self) -> i64 {
        self as i64
    }

    /// The kind with this number.
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }

    /// Whether a code or prompt must be sent before it can be answered (the wire's `needs_trigger`).
    pub fn needs_trigger(self) -> bool {
        match self {
            Self::Push | Self::Sms | Self::Voice | Self::Email => true,
            Self::Totp | Self::Hotp => false,
        }
    }

    /// Whether its devices make codes of a secret of their own.
    pub fn makes_codes(self) -> bool {
        !self.needs_trigger()
    }

    /// Whether a user may hold several active devices of this kind (rulings 27).
    pub fn may_repeat(self) -> bool {
        match self {
            Self::Push | Self::Sms | Self::Voice | Self::Email => false,
            Self::Totp | Self::Hotp => true,
        }
    }

    /// Whether an administrator may vouch for the target, so that no first code is needed (SEC 19).
    pub fn may_be_trusted(self) -> bool {
        matches!(self, Self::Sms | Self::Voice | Self::Email)
    }

    /// The channel that carries this factor's messages, if it sends any.
    pub fn channel(self) -> Option<crate::message::Channel> {
        use crate::message::Channel;
        match self {
            Self::Push => Some(Channel::Push),
            Self::Sms => Some(Channel::Sms),
            Self::Voice => Some(Channel::Voice),
            Self::Email => Some(Channel::Email),
            Self::Totp | Self::Hotp => None,
        }
    }
}

/// What a device is known by. Immutable; sealed at rest.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Credential {
    /// RFC 6238.
    Totp(totp::Totp),
    /// RFC 4226.
    Hotp(hotp::Hotp),
    /// Canonical E.164 number.
    Sms {
        /// Canonical E.164 number.
        phone: String,
    },
    /// Canonical E.164 number.
    Voice {
        /// Canonical E.164 number.
        phone: String,
    },
    /// A mail address.
    Email {
        /// A mail address.
        address: String,
    },
    /// A phone that holds a P-256 private key.
    Push {
        /// Uncompressed SEC 1 point, 65 bytes; absent until a phone is paired.
        public_key: Option<Vec<u8>>,
    },
}

/// Numbers and addresses are personal: a credential shows only its kind (SEC 48).
impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credential({:?})", self.kind())
    }
}

/// Why nothing may be sent to what somebody wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreachable {
    /// It is no number or address, or one of a range that nothing is ever sent to.
    Target,
    /// A number of a country that the operator has not listed.
    Country,
}

/// Whether texts and calls may go to this canonical number.
fn may_be_sent_to(number: &str, policy: &Policy) -> Result<(), Unreachable> {
    if text::is_refused_range(number) {
        return Err(Unreachable::Target);
    }
    if policy.countries.contain(number) { Ok(()) } else { Err(Unreachable::Country) }
}

impl Credential {
    /// What a device has that texts, calls or mail go to, if they may go to `target`: a number in a listed country, or a
    /// mail address (SEC 34). Whatever somebody wrote becomes somebody to send to here and nowhere else.
    pub fn reaching(factor: FactorKind, target: &str, policy: &Policy) -> Result<Self, Unreachable> {
        let phone = || {
            let number = text::phone(target).ok_or(Unreachable::Target)?;
            may_be_sent_to(&number, policy).map(|()| number)
        };
        match factor {
            FactorKind::Sms => Ok(Self::Sms { phone: phone()? }),
            FactorKind::Voice => Ok(Self::Voice { phone: phone()? }),
            FactorKind::Email => {
                let address = crate::name::trimmed(target).filter(|address| text::is_email(address));
                Ok(Self::Email { address: address.ok_or(Unreachable::Target)?.to_owned() })
            }
            FactorKind::Totp | FactorKind::Hotp | FactorKind::Push => Err(Unreachable::Target),
        }
    }

    /// Whether something may be sent to a device with this credential now: what was allowed when it was enrolled may not be
    /// any more (SEC 34).
    pub fn judge_reach(&self, policy: &Policy) -> Result<(), Unreachable> {
        self.phone().map_or(Ok(()), |number| may_be_sent_to(number, policy))
    }

    /// The kind of factor this is a credential of.
    pub fn kind(&self) -> FactorKind {
        match self {
            Self::Totp(_) => FactorKind::Totp,
            Self::Hotp(_) => FactorKind::Hotp,
            Self::Sms { .. } => FactorKind::Sms,
            Self::Voice { .. } => FactorKind::Voice,
            Self::Email { .. } => FactorKind::Email,
            Self::Push { .. } => FactorKind::Push,
        }
    }

    /// Digits in the codes that a device with this credential makes itself, if it makes any.
    pub fn own_length(&self) -> Option<usize> {
        match self {
            Self::Totp(totp) => Some(totp.digits.into()),
            Self::Hotp(hotp) => Some(hotp.digits.into()),
            Self::Sms { .. } | Self::Voice { .. } | Self::Email { .. } | Self::Push { .. } => None,
        }
    }

    /// The telephone number, if messages go to one.
    pub fn phone(&self) -> Option<&str> {
        match self {
            Self::Sms { phone } | Self::Voice { phone } => Some(phone),
            _ => None,
        }
    }
}

/// What a person must answer. Holds digests only; no code can be read back from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Challenge {
    /// Nothing was sent: the device makes its own codes (TOTP, HOTP).
    Own,
    /// Enrolled over v1 and not yet triggered: no answer can be right (rulings 23).
    Untriggered,
    /// A code was sent.
    Code {
        /// The code, bound to the verification.
        hash: KeyedHash,
        /// Characters in the code.
        length: u8,
        /// Which characters.
        alphabet: Alphabet,
    },
    /// Digits shown to the caller, to be keyed into the telephone and nowhere else (rulings 13).
    Keypad {
        /// The digits, bound to the verification.
        hash: KeyedHash,
    },
    /// A phone must sign accept or deny.
    Approval {
        /// What the signature must cover, 32 random bytes.
        nonce: Secret,
        /// The numbers that callers were told to show, the newest last: the person must type that one on the phone. None
        /// asks for none.
        numbers: Vec<String>,
    },
    /// Not answered itself: what a log-in, a session token or a session is for.
    Terms(crate::sign_in::Terms),
    /// A phone must present the pairing code and a key.
    Pairing {
        /// The pairing code. Not bound to the verification, since a phone knows only the code.
        hash: KeyedHash,
    },
}

impl Challenge {
    /// The number that the person must type on the phone, if there is one.
    pub fn number(&self) -> Option<String> {
        if let Self::Approval { numbers, .. } = self { numbers.last().cloned() } else { None }
    }

    /// Whether a typed code can answer this challenge.
    pub fn takes_code(&self) -> bool {
        matches!(self, Self::Own | Self::Code { .. })
    }
}

/// Which rule keeps a proof from counting twice. Four rules cover all factors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// The device's last accepted counter or time step must be smaller.
    Counter(i64),
    /// The verification must still be open; accepting closes it.
    ThisChallenge,
    /// The temporary token must still be unspent.
    ThisToken,
    /// A temporary token issued as reusable, good until it expires.
    Reusable,
}

/// Evidence that the right secret was used. Made only in this folder; spent by [`crate::verification`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    subject: Subject,
    freshness: Freshness,
}

/// What a proof is about. It counts for nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A device, and the verification whose challenge was answered where there was one.
    Device(DeviceId, Option<VerificationId>),
    /// The temporary token with this hash.
    TempToken(KeyedHash),
}

impl Proof {
    /// What was proved.
    pub fn subject(&self) -> Subject {
        self.subject
    }

    /// The replay rule that applies.
    pub fn freshness(&self) -> Freshness {
        self.freshness
    }

    fn of_device(device: DeviceId, verification: Option<VerificationId>, freshness: Freshness) -> Self {
        Self { subject: Subject::Device(device, verification), freshness }
    }
}

/// What a response amounts to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// There was no response to judge: a poll, or a challenge that is not answered here.
    Absent,
    /// The right secret was used.
    Proved(Proof),
    /// The holder of the right secret said no.
    Denied(Proof),
    /// The holder of the right secret said that somebody else is signing in.
    Reported(Proof),
    /// Wrong. The digest recognises the same wrong answer sent twice.
    Refuted(Digest),
}

/// Judges digits keyed into the telephone (v2 voice). The only way to answer a [`Challenge::Keypad`].
pub fn prove_keypad(device: &Device, verification: &Verification, digits: &str, keys: &MacKeys) -> Evidence {
    let response = Response::typed(digits);
    let right = match &verification.challenge {
        Challenge::Keypad { hash } => response
            .as_code(CODE_LENGTH, Alphabet::Digits)
            .is_some_and(|code| keys.matches(hash, &code_context(verification.id), &code)),
        _ => return Evidence::Absent,
    };
    if right {
        Evidence::Proved(Proof::of_device(device.id, Some(verification.id), Freshness::ThisChallenge))
    } else {
        Evidence::Refuted(response.fingerprint(device.id, Some(verification.id), keys))
    }
}

/// What a sent code is bound to before it is hashed.
pub fn code_context(verification: VerificationId) -> String {
    format!("code/{verification}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_sent_to_what_could_not_be_enrolled() {
        let policy = Policy { countries: crate::Countries::of(["US"]).unwrap(), ..Policy::default() };
        let reaching = |factor, target| Credential::reaching(factor, target, &policy);
        let phone = "+14155550123".to_owned();
        assert_eq!(reaching(FactorKind::Sms, &phone), Ok(Credential::Sms { phone: phone.clone() }));
        assert_eq!(reaching(FactorKind::Voice, &phone), Ok(Credential::Voice { phone: phone.clone() }));
        assert_eq!(reaching(FactorKind::Sms, "+1 (415) 555-0123"), Ok(Credential::Sms { phone: phone.clone() }));
        let nowhere = ["+1 900 555 0123", "+19005550123", "+1;x=9005550123", "", "+1415555 0123, +19005550123"];
        let elsewhere = ["+4930123456", "+18765550123"];
        let listed = nowhere.map(|number| (number, Unreachable::Target));
        for (number, why) in listed.into_iter().chain(elsewhere.map(|number| (number, Unreachable::Country))) {
            assert_eq!(reaching(FactorKind::Sms, number), Err(why), "{number}");
            assert_eq!(reaching(FactorKind::Voice, number), Err(why), "{number}");
        }
        let address = "ana@example.com".to_owned();
        assert_eq!(reaching(FactorKind::Email, &address), Ok(Credential::Email { address: address.clone() }));
        assert_eq!(reaching(FactorKind::Email, "ana@example.com, ben@example.com"), Err(Unreachable::Target));
        for factor in [FactorKind::Push, FactorKind::Totp, FactorKind::Hotp] {
            assert_eq!(reaching(factor, &address), Err(Unreachable::Target));
        }
    }
}
