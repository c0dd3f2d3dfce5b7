//! The one way in which a typed answer meets a secret.
//!
//! What an answer is aimed at is decided first, then the secret of that target is opened and compared, and what came of it
//! is decided and charged, all in one call on one view. So there is no comparison whose failure is not counted where it
//! belongs (SEC 20), and an answer that is refused before its target is found is compared with nothing.

use crate::model::audit::{Actor, Reason};
use crate::model::challenge::Challenge;
use crate::model::change::{Change, Decision, View};
use crate::model::client::Right;
use crate::model::credential::Credential;
use crate::model::device::Device;
use crate::model::digest::{Digest, MacKeys};
use crate::model::id::DeviceId;
use crate::model::response::FactorResponse;
use crate::model::session::NO_DEVICE;
use crate::model::temp_token::LENGTH;
use crate::model::throttle::ThrottleKey;
use crate::model::time::Timestamp;
use crate::rules::factor::evidence::Evidence;
use crate::rules::factor::prove::{prove_own, prove_sent, prove_temp_token};
use crate::rules::factor::temp_token;
use crate::rules::throttle;
use crate::rules::verification::answer::{answer_found, refuse_unseen};
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
) -> Result<Decision<Outcome>, S::Error> {
    conclude(view, target, find(view, target, now), response, secrets, context, now)
}

/// Compares an answer with the secret of the target that was found, and charges it there. A lock refuses by itself, and under
/// it nothing is evaluated (SEC 26).
fn conclude<S: Secrets>(
    view: &View,
    target: &Target,
    found: Result<Found<'_>, Reason>,
    response: &FactorResponse,
    secrets: &S,
    context: &Actor,
    now: Timestamp,
) -> Result<Decision<Outcome>, S::Error> {
    match found {
        Ok(found) => {
            let evidence = compare(view, found, response, secrets, now)?;
            Ok(answer_found(view, found, &evidence, context, now))
        }
        Err(reason) => Ok(refuse_unseen(view, target, reason, context, now)),
    }
}

/// Judges what was typed at a device of a log-in under way. Eight digits at any listed device of the user are the temporary
/// token, whatever state the device is in (contract 4.7); if the device's own codes have eight digits too, the answer is
/// compared with both, and a wrong one is counted against both, and against the user once (decision 25). Another user's device
/// is none: nothing is compared.
///
/// # Errors
/// If the credential of the device concerned does not open.
pub fn judge_at_log_in<S: Secrets>(
    view: &View,
    (state_token, device): (&Digest, DeviceId),
    response: &FactorResponse,
    secrets: &S,
    context: &Actor,
    now: Timestamp,
) -> Result<Decision<Outcome>, S::Error> {
    let at = |target: &Target| judge(view, target, response, secrets, context, now);
    let own = Target::SignIn { state_token: *state_token, device };
    if device == NO_DEVICE {
        return at(&Target::TempToken);
    }
    let listed = view.device(device).is_some_and(Device::is_listed);
    if !listed || !temp_token::has_form(response) {
        return at(&own);
    }
    let found = find(view, &own, now);
    let takes_eight = match found {
        Ok(found) => length(found, secrets)? == Some(LENGTH),
        Err(_) => false,
    };
    if !takes_eight {
        return at(&Target::TempToken);
    }
    let at_device = || conclude(view, &own, found, response, secrets, context, now);
    let Ok(token) = find(view, &Target::TempToken, now) else { return at_device() };
    match compare(view, token, response, secrets, now)? {
        Evidence::Refuted(wrong) => Ok(also_count_token(view, at_device()?, wrong, context.right, now)),
        shown => Ok(answer_found(view, token, &shown, context, now)),
    }
}

/// Counts a wrong temporary token beside what became of the same answer at a device.
fn also_count_token(
    view: &View,
    decision: Decision<Outcome>,
    wrong: Digest,
    right: Right,
    now: Timestamp,
) -> Decision<Outcome> {
    let Some(user) = view.user.as_ref().map(|user| user.id) else { return decision };
    if matches!(decision.reply, Outcome::Accepted { .. }) || throttle::is_doubled(view, None, &wrong, now) {
        return decision;
    }
    let of_user = |change: &Change| matches!(change, Change::SetThrottle(_, limit) if limit.key == ThrottleKey::User);
    let user_is_counted = decision.changes.iter().any(of_user);
    let decision = decision.with_all(throttle::count_subject(view, user, None, wrong, right, now));
    if user_is_counted { decision } else { decision.with_all(throttle::count_user(view, user, now)) }
}

/// What an answer amounts to. Opens the one credential it is about, for as long as it takes to prove.
fn compare<S: Secrets>(
    view: &View,
    found: Found<'_>,
    response: &FactorResponse,
    secrets: &S,
    now: Timestamp,
) -> Result<Evidence, S::Error> {
    let Some(user) = &view.user else { return Ok(Evidence::Absent) };
    let Some(device) = found.device else {
        return Ok(prove_temp_token(user.id, user.temp_token.as_ref(), response, secrets.keys()));
    };
    if response.is_absent() {
        return Ok(Evidence::Absent);
    }
    let keys = secrets.keys();
    Ok(match found.verification {
        // The code was made here: the credential stays sealed.
        Some(sent) if matches!(sent.challenge, Challenge::Code { .. }) => prove_sent(device, sent, response, keys),
        asked => {
            let credential = secrets.credential(device)?;
            prove_own(&credential, device, asked, response, keys, secrets.for_codes(now))
        }
    })
}

/// Characters in the code that is expected here, if one is.
fn length<S: Secrets>(found: Found<'_>, secrets: &S) -> Result<Option<usize>, S::Error> {
    match (found.device, found.verification.map(|v| &v.challenge)) {
        (_, Some(Challenge::Code { length, .. })) => Ok(Some(usize::from(*length))),
        (Some(device), None | Some(Challenge::Own)) => Ok(secrets.credential(device)?.own_length()),
        _ => Ok(None),
    }
}
