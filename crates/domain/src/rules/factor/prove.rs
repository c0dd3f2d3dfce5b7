//! Comparing a typed answer with a secret. Nothing outside this crate can, and inside it a comparison takes a target that was
//! found ([`Found`]) and gives what can only be charged to that target ([`Compared`]): so no secret is compared whose failure is
//! not counted (SEC 20). Opening a credential can fail, and comes first; from the comparison on nothing can.
//!
//! Only tests, which prove on one view and judge on another, see the comparisons apart from their target (feature `testing`).

use crate::model::challenge::{Challenge, LinkChallenge, code_context};
use crate::model::code::Alphabet;
use crate::model::credential::Credential;
use crate::model::device::Device;
use crate::model::digest::MacKeys;
use crate::model::id::{UserId, VerificationId};
use crate::model::response::FactorResponse;
use crate::model::temp_token::{self, TempToken};
use crate::model::time::Timestamp;
use crate::model::verification::Verification;
use crate::rules::factor::evidence::{Compared, Evidence, Freshness, Proof};
use crate::rules::verification::find::Found;

/// A target whose secret is at hand, before anything is compared with it.
pub(in crate::rules) struct OpenedSecret<'a> {
    found: Found<'a>,
    secret: TypedSecret<'a>,
}

/// What a typed answer is compared with.
enum TypedSecret<'a> {
    /// With nothing: there is no answer, or none that is typed could be right.
    Nothing(Evidence),
    TempToken,
    /// A code that was made here: the credential stays sealed.
    Sent(&'a Device, &'a Verification),
    Own(&'a Device, Option<&'a Verification>, Credential),
}

impl<'a> OpenedSecret<'a> {
    /// Opens the one credential that the answer is about, if it is about one.
    ///
    /// # Errors
    /// If the credential does not open.
    pub(in crate::rules) fn open<E>(
        found: Found<'a>,
        response: &FactorResponse,
        credential: impl FnOnce(&Device) -> Result<Credential, E>,
    ) -> Result<Self, E> {
        let is_over = found.verification.is_some_and(|asked| !asked.status.is_pending());
        let secret = match (found.device, found.verification) {
            _ if response.is_absent() => TypedSecret::Nothing(Evidence::Absent),
            _ if is_over => TypedSecret::Nothing(Evidence::NotCompared),
            (None, _) => TypedSecret::TempToken,
            (Some(device), None) => TypedSecret::Own(device, None, credential(device)?),
            (Some(device), Some(asked)) => match asked.challenge {
                Challenge::Own => TypedSecret::Own(device, Some(asked), credential(device)?),
                Challenge::Code { .. } | Challenge::Link(LinkChallenge { code: Some(_), .. }) => {
                    TypedSecret::Sent(device, asked)
                }
                Challenge::Untriggered
                | Challenge::Link(LinkChallenge { code: None, .. })
                | Challenge::Keypad { .. }
                | Challenge::Approval { .. }
                | Challenge::Pairing { .. } => TypedSecret::Nothing(Evidence::NotCompared),
            },
        };
        Ok(Self { found, secret })
    }

    /// Characters in the code that a device is expected to answer with, if one is.
    pub(in crate::rules) fn code_length(&self) -> Option<usize> {
        match &self.secret {
            TypedSecret::Nothing(_) | TypedSecret::TempToken => None,
            TypedSecret::Sent(_, sent) => sent.challenge.sent_code().map(|code| code.length),
            TypedSecret::Own(_, _, credential) => credential.own_length(),
        }
    }

    /// Compares the answer. The keys are asked for only if there is something to compare it with.
    pub(in crate::rules) fn compare<'k>(
        self,
        response: &FactorResponse,
        keys: impl FnOnce() -> &'k MacKeys,
        now: Timestamp,
    ) -> Compared<'a> {
        let user = self.found.user();
        let evidence = match self.secret {
            TypedSecret::Nothing(evidence) => evidence,
            TypedSecret::TempToken => prove_temp_token(user.id, user.temp_token.as_ref(), response, keys()),
            TypedSecret::Sent(device, sent) => prove_sent(device, sent, response, keys()),
            TypedSecret::Own(device, asked, credential) => prove_own(&credential, device, asked, response, keys(), now),
        };
        Compared::of(self.found, evidence)
    }
}

/// Evidence that a test made on another view, about a target found in this one.
#[cfg(feature = "testing")]
pub(in crate::rules) fn claimed<'a>(found: Found<'a>, evidence: &Evidence) -> Compared<'a> {
    Compared::of(found, evidence.clone())
}

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
        Some(sent) if sent.challenge.sent_code().is_some() => prove_sent(device, sent, response, keys),
        _ => prove_own(credential, device, verification, response, keys, now),
    }
}

/// Judges `response` as a code that the device makes itself. Pure, and safe on a snapshot: it reads nothing that can change
/// but `device.last_counter`, which the decision judges again.
fn prove_own(
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
fn prove_sent(device: &Device, verification: &Verification, response: &FactorResponse, keys: &MacKeys) -> Evidence {
    let freshness = verification.challenge.sent_code().and_then(|sent| {
        let code = response.as_code(sent.length, sent.alphabet)?;
        keys.matches(sent.hash, &code_context(verification.id), &code).then_some(Freshness::ThisChallenge)
    });
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
        None => Evidence::Refuted(response.fingerprint_of_token(keys)),
    }
}
