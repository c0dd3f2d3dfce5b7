//! Digits keyed into the telephone.

use crate::model::challenge::{Challenge, code_context};
use crate::model::code::{Alphabet, CODE_LENGTH};
use crate::model::digest::MacKeys;
use crate::model::response::FactorResponse;
use crate::model::verification::Verification;
use crate::rules::factor::evidence::{Evidence, Freshness, Heard, Proof};

/// Judges digits keyed into the telephone. The only way to answer a [`Challenge::Keypad`].
pub fn prove_keypad(asked: &Verification, digits: &str, keys: &MacKeys) -> Heard {
    Heard::of(asked, evidence(asked, digits, keys))
}

fn evidence(asked: &Verification, digits: &str, keys: &MacKeys) -> Evidence {
    let Challenge::Keypad { hash } = &asked.challenge else { return Evidence::Absent };
    let response = FactorResponse::typed(digits);
    let right = response
        .as_code(CODE_LENGTH, Alphabet::Digits)
        .is_some_and(|code| keys.matches(hash, &code_context(asked.id), &code));
    if right {
        Evidence::Proved(Proof::of_device(asked.device_id, Some(asked.id), Freshness::ThisChallenge))
    } else {
        Evidence::Refuted(response.fingerprint(asked.device_id, Some(asked.id), keys))
    }
}
