//! The one way in which a typed answer meets a secret.
//!
//! An answer goes through four types, each made from the one before only, all on one view in one decision:
//!
//! 1. [`Found`]: what it is aimed at. A lock refuses here, and then nothing is evaluated (SEC 26).
//! 2. `OpenedSecret`: the secret of that target is at hand. The last step that can fail.
//! 3. `Compared`: compared, but not to be looked at.
//! 4. A [`Decision`]: the comparison is charged to the target it carries.
//!
//! Whichever of them refuses, what was typed leaves an entry in the audit trail (SEC 49).
//!
//! So there is no comparison whose failure is not counted where it belongs (SEC 20), and an answer that is refused before its
//! target is found is compared with nothing.

use crate::model::audit::Actor;
use crate::model::change::{Decision, View};
use crate::model::credential::Credential;
use crate::model::device::Device;
use crate::model::digest::{Digest, MacKeys};
use crate::model::factor::FactorKind;
use crate::model::id::DeviceId;
use crate::model::response::FactorResponse;
use crate::model::temp_token::LENGTH;
use crate::model::time::Timestamp;
use crate::rules::factor::evidence::Compared;
use crate::rules::factor::prove::OpenedSecret;
use crate::rules::factor::temp_token;
use crate::rules::verification::answer::{charge, charge_either, leave_entry, refuse_unseen};
use crate::rules::verification::find::{Found, Target, find};
use crate::rules::verification::outcome::Outcome;

/// Opens what answers are compared with.
pub trait Secrets {
    /// Why a credential does not open: a fault of the installation, never of the caller.
    type Error;

    /// Opens a device's credential.
    fn credential(&self, device: &Device) -> Result<Credential, Self::Error>;

    /// The keys under which short codes are kept.
    fn keys(&self) -> &MacKeys;

    /// The time by which codes that come with the time are judged, which is `now` unless clocks differ (SEC 74).
    fn for_codes(&self, now: Timestamp) -> Timestamp {
        now
    }
}

/// How an answer ends, and what it was about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The factor of the device that it was aimed at; `None` if there was none, or for a temporary token.
    pub factor: Option<FactorKind>,
    pub outcome: Outcome,
}

/// Judges what was typed at `target`.
///
/// # Errors
/// If the credential of the device concerned does not open.
pub fn judge<S: Secrets>(
    view: &View,
    target: &Target,
    response: &FactorResponse,
    secrets: &S,
    context: &Actor,
    now: Timestamp,
) -> Result<Decision<Judgement>, S::Error> {
    let (factor, decision) = match find(view, target, now) {
        Ok(found) => {
            let factor = found.device.map(|device| device.factor);
            let compared = compare(open(found, response, secrets)?, response, secrets, now);
            (factor, charge(compared, context, now))
        }
        Err(reason) => (None, refuse_unseen(view, target, reason, context, now)),
    };
    let decision = leave_entry(decision, view, response, target.named(view), context, now);
    Ok(decision.map(|outcome| Judgement { factor, outcome }))
}

/// Judges what was typed at a device of a log-in under way. A `device` of `None` means the temporary token, which belongs to
/// no device. Eight digits at any listed device of the user are the temporary token, whatever state the device is in (contract
/// 4.7). If the device's own codes have eight digits too, the answer is compared with both, and a wrong one is counted against
/// both, and against the user once (decision 25). For another user's device nothing is compared.
///
/// # Errors
/// If the credential of the device concerned does not open.
pub fn judge_at_log_in<S: Secrets>(
    view: &View,
    (state_token, device): (&Digest, Option<DeviceId>),
    response: &FactorResponse,
    secrets: &S,
    context: &Actor,
    now: Timestamp,
) -> Result<Decision<Outcome>, S::Error> {
    let at = |target: &Target| {
        let judged = judge(view, target, response, secrets, context, now)?;
        Ok(judged.map(|judgement| judgement.outcome))
    };
    let Some(device) = device else { return at(&Target::TempToken) };
    let own = Target::SignIn { state_token: *state_token, device };
    let listed = view.device(device).is_some_and(Device::is_listed);
    if !listed || !temp_token::has_form(response) {
        return at(&own);
    }
    let own = match find(view, &own, now) {
        Ok(found) => Some(open(found, response, secrets)?).filter(|own| own.code_length() == Some(LENGTH)),
        Err(_) => None,
    };
    let Some(own) = own else { return at(&Target::TempToken) };
    let decision = match find(view, &Target::TempToken, now) {
        Err(_) => charge(compare(own, response, secrets, now), context, now),
        Ok(token) => {
            let token = compare(open(token, response, secrets)?, response, secrets, now);
            charge_either(token, || compare(own, response, secrets, now), context, now)
        }
    };
    Ok(leave_entry(decision, view, response, (Some(device), None), context, now))
}

fn open<'a, S: Secrets>(
    found: Found<'a>,
    response: &FactorResponse,
    secrets: &S,
) -> Result<OpenedSecret<'a>, S::Error> {
    OpenedSecret::open(found, response, |device| secrets.credential(device))
}

fn compare<'a, S: Secrets>(
    opened: OpenedSecret<'a>,
    response: &FactorResponse,
    secrets: &S,
    now: Timestamp,
) -> Compared<'a> {
    opened.compare(response, || secrets.keys(), secrets.for_codes(now))
}
