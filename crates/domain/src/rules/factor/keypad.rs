//! Digits keyed into the telephone.

use crate::model::challenge::{Challenge, code_context};
use crate::model::code::{Alphabet, CODE_LENGTH};
use crate::model::credential::Credential;
use crate::model::digest::MacKeys;
use crate::model::response::{FactorResponse, KeyedDigits};
use crate::model::text;
use crate::model::verification::Verification;
use crate::rules::factor::evidence::{Evidence, Freshness, Heard, Proof};

/// Judges digits keyed into the telephone of a device with this credential. The only way to answer a
/// [`Challenge::Keypad`]. `None` if another number was called: what is keyed there says nothing (SEC 98).
pub fn prove_keypad(
    credential: &Credential,
    asked: &Verification,
    keyed: &KeyedDigits,
    keys: &MacKeys,
) -> Option<Heard> {
    let Credential::Voice { phone } = credential else { return None };
    let was_called = text::phone(&keyed.to).is_some_and(|to| Some(to) == text::phone(phone));
    was_called.then(|| Heard::of(asked, evidence(asked, &keyed.digits, keys)))
}

fn evidence(asked: &Verification, response: &FactorResponse, keys: &MacKeys) -> Evidence {
    let Challenge::Keypad { hash } = &asked.challenge else { return Evidence::Absent };
    let right = response
        .as_code(CODE_LENGTH, Alphabet::Digits)
        .is_some_and(|code| keys.matches(hash, &code_context(asked.id), &code));
    if right {
        Evidence::Proved(Proof::of_device(asked.device_id, Some(asked.id), Freshness::ThisChallenge))
    } else {
        Evidence::Refuted(response.fingerprint(asked.device_id, Some(asked.id), keys))
    }
}
