//! Digits keyed into the telephone.

use crate::model::challenge::{Challenge, code_context};
use crate::model::code::{Alphabet, CODE_LENGTH};
use crate::model::device::Device;
use crate::model::digest::MacKeys;
use crate::model::response::FactorResponse;
use crate::model::verification::Verification;
use crate::rules::factor::evidence::{Evidence, Freshness, Proof};

/// Judges digits keyed into the telephone. The only way to answer a [`Challenge::Keypad`].
pub fn prove_keypad(device: &Device, verification: &Verification, digits: &str, keys: &MacKeys) -> Evidence {
    let response = FactorResponse::typed(digits);
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
