//! Comparing a typed answer with a secret. Nothing outside this crate can: `rules::verification::judge` decides first what
//! an answer is aimed at, and charges what was compared in the same decision. Only tests, which prove on one view and judge
//! on another, see these functions (feature `testing`).

use crate::model::challenge::{Challenge, code_context};
use crate::model::code::Alphabet;
use crate::model::credential::Credential;
use crate::model::device::Device;
use crate::model::digest::MacKeys;
use crate::model::id::{DeviceId, UserId, VerificationId};
use crate::model::response::FactorResponse;
use crate::model::temp_token::{self, TempToken};
use crate::model::time::Timestamp;
use crate::model::verification::Verification;
use crate::rules::factor::evidence::{Evidence, Freshness, Proof};

/// Judges `response` against an opened credential or, where a code was sent, against that code: for tests.
#[cfg(feature = "testing")]
pub fn prove(
    credential: &Credential,
    device: &Device,
    verification: Option<&Verification>,
    response: &FactorResponse,
    keys: &MacKeys,
    now: Timestamp,
) -> Evidence {
    match verification {
        Some(sent) if matches!(sent.challenge, Challenge::Code { .. }) => prove_sent(device, sent, response, keys),
        _ => prove_own(credential, device, verification, response, keys, now),
    }
}

/// Judges `response` as a code that the device makes itself. Pure, and safe on a snapshot: it reads nothing that can change
/// but `device.last_counter`, which the decision judges again.
pub(crate) fn prove_own(
    credential: &Credential,
    device: &Device,
    verification: Option<&Verification>,
    response: &FactorResponse,
    keys: &MacKeys,
    now: Timestamp,
) -> Evidence {
    let freshness = match (credential, verification.map(|v| &v.challenge)) {
        (Credential::Totp(totp), None | Some(Challenge::Own)) => {
            totp.matching_step(response, device.last_counter, now).map(Freshness::Counter)
        }
        (Credential::Hotp(hotp), None | Some(Challenge::Own)) => {
            hotp.matching_counter(response, device.last_counter).map(Freshness::Counter)
        }
        // Digits for the telephone, prompts for the phone and challenges never sent are not answered by a typed code.
        _ => None,
    };
    evidence(freshness, device, verification.map(|v| v.id), response, keys)
}

/// Judges `response` as the code that was sent for this verification. The device's credential has no part in it.
pub(crate) fn prove_sent(
    device: &Device,
    verification: &Verification,
    response: &FactorResponse,
    keys: &MacKeys,
) -> Evidence {
    let freshness = match &verification.challenge {
        Challenge::Code { hash, length, alphabet } => response
            .as_code(usize::from(*length), *alphabet)
            .filter(|code| keys.matches(hash, &code_context(verification.id), code))
            .map(|_| Freshness::ThisChallenge),
        _ => None,
    };
    evidence(freshness, device, Some(verification.id), response, keys)
}

fn evidence(
    freshness: Option<Freshness>,
    device: &Device,
    verification: Option<VerificationId>,
    response: &FactorResponse,
    keys: &MacKeys,
) -> Evidence {
    match freshness {
        _ if response.is_absent() => Evidence::Absent,
        Some(freshness) => Evidence::Proved(Proof::of_device(device.id, verification, freshness)),
        None => Evidence::Refuted(response.fingerprint(device.id, verification, keys)),
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
