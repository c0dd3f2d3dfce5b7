//! Comparing a typed answer with a secret. Nothing outside this crate can: `rules::verification::judge` decides first what
//! an answer is aimed at, and charges what was compared in the same decision. Only tests, which prove on one view and judge
//! on another, see these functions (feature `testing`).

use crate::model::challenge::{Challenge, code_context};
use crate::model::code::Alphabet;
use crate::model::credential::Credential;
use crate::model::device::Device;
use crate::model::digest::MacKeys;
use crate::model::id::{DeviceId, UserId};
use crate::model::response::FactorResponse;
use crate::model::temp_token::{self, TempToken};
use crate::model::time::Timestamp;
use crate::model::verification::Verification;
use crate::rules::factor::evidence::{Evidence, Freshness, Proof};

/// Judges `response` against an opened credential and, where one was sent, a challenge. Pure, and safe on a snapshot:
/// it reads nothing that can change but `device.last_counter`, which the decision judges again.
#[cfg_attr(not(feature = "testing"), expect(unreachable_pub, reason = "tests reach it"))]
pub fn prove(
    credential: &Credential,
    device: &Device,
    verification: Option<&Verification>,
    response: &FactorResponse,
    keys: &MacKeys,
    now: Timestamp,
) -> Evidence {
    if response.is_absent() {
        return Evidence::Absent;
    }
    let verification_id = verification.map(|v| v.id);
    let freshness = match (credential, verification.map(|v| &v.challenge)) {
        (Credential::Totp(totp), None | Some(Challenge::Own)) => {
            totp.matching_step(response, device.last_counter, now).map(Freshness::Counter)
        }
        (Credential::Hotp(hotp), None | Some(Challenge::Own)) => {
            hotp.matching_counter(response, device.last_counter).map(Freshness::Counter)
        }
        (_, Some(Challenge::Code { hash, length, alphabet })) => response
            .as_code(usize::from(*length), *alphabet)
            .zip(verification_id)
            .filter(|(code, id)| keys.matches(hash, &code_context(*id), code))
            .map(|_| Freshness::ThisChallenge),
        // Digits for the telephone, prompts for the phone and challenges never sent are not answered by a typed code.
        _ => None,
    };
    match freshness {
        Some(freshness) => Evidence::Proved(Proof::of_device(device.id, verification_id, freshness)),
        None => Evidence::Refuted(response.fingerprint(device.id, verification_id, keys)),
    }
}

/// Judges `response` against the user's live token, if there is one.
#[cfg_attr(not(feature = "testing"), expect(unreachable_pub, reason = "tests reach it"))]
pub fn prove_temp_token(
    user: UserId,
    token: Option<&TempToken>,
    response: &FactorResponse,
    keys: &MacKeys,
) -> Evidence {
    if response.is_absent() {
        return Evidence::Absent;
    }
    let matching = token.filter(|token| {
        response
            .as_code(temp_token::LENGTH, Alphabet::Digits)
            .is_some_and(|code| keys.matches(&token.hash, &temp_token::context(user), &code))
    });
    match matching {
        Some(token) => Evidence::Proved(Proof::of_token(token)),
        None => Evidence::Refuted(response.fingerprint(DeviceId(0), None, keys)),
    }
}
