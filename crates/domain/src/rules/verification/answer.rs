//! Judging an answer: a typed code, the signature of a phone, digits keyed into a telephone.

use crate::model::audit::{Actor, AuditEvent, AuditKind};
use crate::model::challenge::{Challenge, LinkChallenge};
use crate::model::change::{Change, Decision, View};
use crate::model::digest::Digest;
use crate::model::id::{DeviceId, UserId, VerificationId};
use crate::model::refusal::Reason;
use crate::model::response::FactorResponse;
use crate::model::seal::Sealed;
use crate::model::throttle::ThrottleKey;
use crate::model::time::Timestamp;
use crate::model::verification::Status;
use crate::rules::factor::evidence::{Compared, Evidence, Heard, Subject};
#[cfg(feature = "testing")]
use crate::rules::factor::prove::claimed;
use crate::rules::throttle;
use crate::rules::verification::end::close_over;
#[cfg(feature = "testing")]
use crate::rules::verification::find::find;
use crate::rules::verification::find::{Found, Target, unlocked, user_unlocked};
use crate::rules::verification::outcome::Outcome;
use crate::rules::verification::spend::{Judged, Way};

/// Finds a target and judges evidence about it: for tests, which prove on one view and judge on another.
#[cfg(feature = "testing")]
pub fn answer(view: &View, target: &Target, evidence: &Evidence, context: &Actor, now: Timestamp) -> Decision<Outcome> {
    match find(view, target, now) {
        Ok(found) => charge(claimed(found, evidence), context, now),
        Err(reason) => refuse_unseen(view, target, reason, context, now),
    }
}

/// Charges a comparison to the target that it was made with.
pub(super) fn charge(compared: Compared<'_>, context: &Actor, now: Timestamp) -> Decision<Outcome> {
    let (found, evidence) = compared.into_charge();
    charge_to(found, &evidence, context, now)
}

/// Charges an answer that may be the temporary token or a device's own code: right as the token, it is that alone. Else it is
/// compared with the device's code too; wrong there as well, it is counted against both, and against the user once.
pub(super) fn charge_either<'a>(
    token: Compared<'a>,
    own: impl FnOnce() -> Compared<'a>,
    context: &Actor,
    now: Timestamp,
) -> Decision<Outcome> {
    match token.into_charge() {
        (found, Evidence::Refuted(wrong)) => also_count_token(found, charge(own(), context, now), wrong, context, now),
        (found, shown) => charge_to(found, &shown, context, now),
    }
}

/// Counts a wrong temporary token beside what became of the same answer at a device.
fn also_count_token(
    found: Found<'_>,
    decision: Decision<Outcome>,
    wrong: Digest,
    context: &Actor,
    now: Timestamp,
) -> Decision<Outcome> {
    let (view, user) = (found.view(), found.user().id);
    if matches!(decision.reply, Outcome::Accepted { .. }) || throttle::is_doubled(view, None, &wrong, now) {
        return decision;
    }
    let of_user = |change: &Change| matches!(change, Change::SetThrottle(_, limit) if limit.key == ThrottleKey::User);
    let user_is_counted = decision.changes.iter().any(of_user);
    let decision = decision.with_all(throttle::count_subject(view, user, None, wrong, context, now));
    if user_is_counted { decision } else { decision.with_all(throttle::count_user(view, user, context, now)) }
}

/// The only function by which a typed code can be accepted. Both callers have a [`Compared`], which carries its target.
fn charge_to(found: Found<'_>, evidence: &Evidence, context: &Actor, now: Timestamp) -> Decision<Outcome> {
    let (view, user) = (found.view(), found.user().id);
    let Some(device) = found.device else { return answer_temp_token(view, user, evidence, context, now) };
    let judged = Judged { view, user, device, verification: found.verification, context, now };
    match found.verification.map(|v| v.status) {
        Some(Status::Accepted { collected, .. }) => return judged.collect(collected),
        // Too many wrong codes kill a state token; only a person can deny.
        Some(Status::Rejected { .. }) => return Decision::reply(Outcome::Refused(judged.why_rejected(evidence))),
        Some(Status::Expired) => return Decision::reply(Outcome::Refused(Reason::NotOpen)),
        Some(Status::Pending { .. }) | None => {}
    }
    match (found.verification.map(|v| &v.challenge), evidence) {
        (None | Some(Challenge::Own | Challenge::Code { .. } | Challenge::Untriggered), Evidence::Absent) => {
            Decision::reply(Outcome::Refused(Reason::CodeMissing))
        }
        // The person may confirm at any moment, whether or not the mail has a code too (decision 76).
        (Some(Challenge::Link(_)), Evidence::Absent) => {
            Decision::reply(Outcome::Pending { factor: device.factor, number: None })
        }
        // Nothing was sent that could be answered: not a guess (decision 23).
        (Some(Challenge::Untriggered), _) => Decision::reply(Outcome::Refused(Reason::WrongCode)),
        (
            Some(asked @ (Challenge::Keypad { .. } | Challenge::Approval { .. } | Challenge::Pairing { .. })),
            Evidence::Absent,
        ) => Decision::reply(Outcome::Pending { factor: device.factor, number: asked.number() }),
        // What is answered elsewhere is not answered by typing; and a typed code cannot deny.
        (
            Some(
                Challenge::Keypad { .. }
                | Challenge::Approval { .. }
                | Challenge::Pairing { .. }
                | Challenge::Link(LinkChallenge { code: None, .. }),
            ),
            _,
        )
        | (_, Evidence::NotCompared | Evidence::Denied(_) | Evidence::Reported(_)) => {
            Decision::reply(Outcome::Refused(Reason::NotTyped))
        }
        (None | Some(Challenge::Own | Challenge::Code { .. } | Challenge::Link(_)), Evidence::Proved(proof)) => {
            judged.spend(proof, Way::Typed)
        }
        (None | Some(Challenge::Own | Challenge::Code { .. } | Challenge::Link(_)), Evidence::Refuted(wrong)) => {
            judged.count(*wrong)
        }
    }
}

/// Judges what was answered apart from the caller: a phone's signed accept or deny, digits keyed into a telephone, a link that
/// was confirmed, or a pairing (which brings the `credential`). A result with a state token waits for its poller. An answer to
/// another challenge than the verification has by now is none: its number has changed meanwhile.
pub fn answer_from_device(
    view: &View,
    heard: &Heard,
    credential: Option<&Sealed>,
    context: &Actor,
    now: Timestamp,
) -> Decision<Outcome> {
    let refused = |reason| Decision::reply(Outcome::Refused(reason)).with_all(close_over(view, now));
    let Some(user) = view.user.as_ref() else { return refused(Reason::NoUser) };
    let (verification, against, evidence) = heard.to_charge();
    let Some(verification) = view.verification(verification).filter(|v| v.is_open(now)) else {
        return refused(Reason::NotOpen);
    };
    let Some(device) = view.device(verification.device_id) else { return refused(Reason::NoDevice) };
    if verification.challenge != *against {
        return refused(Reason::NotOpen);
    }
    if let Err(reason) = unlocked(view, user, Some(device), now) {
        let event = context.event(AuditKind::Refused, user.id, now).refused(reason.rule(), reason.name());
        let event = event.device(device.id).verification(Some(verification.id));
        return throttle::refused_under_lock(view, refused(reason), user.id, event, now);
    }
    let judged = Judged { view, user: user.id, device, verification: Some(verification), context, now };
    match (&verification.challenge, evidence) {
        (Challenge::Keypad { .. } | Challenge::Approval { .. } | Challenge::Link(_), Evidence::Proved(proof)) => {
            judged.spend(proof, Way::Apart(None))
        }
        (Challenge::Pairing { .. }, Evidence::Proved(proof)) if credential.is_some() => {
            judged.spend(proof, Way::Apart(credential))
        }
        (Challenge::Approval { .. }, Evidence::Denied(proof)) if judged.is_about(proof) => judged.deny(),
        (Challenge::Link(_), Evidence::Denied(proof)) if judged.is_about(proof) => judged.disown(),
        (Challenge::Approval { .. }, Evidence::Reported(proof)) if judged.is_about(proof) => judged.report(),
        // Digits keyed wrongly end the call (contract 7.10); they were a guess all the same.
        (Challenge::Keypad { .. } | Challenge::Approval { .. }, Evidence::Refuted(wrong)) => {
            let mut decision = judged.count(*wrong);
            if !decision.changes.iter().any(|c| matches!(c, Change::CloseVerification { .. })) {
                decision.changes.extend(judged.reject());
            }
            decision
        }
        _ => refused(Reason::NotOpen),
    }
}

/// Refuses an answer whose target was not found, or is locked.
pub(super) fn refuse_unseen(
    view: &View,
    target: &Target,
    reason: Reason,
    context: &Actor,
    now: Timestamp,
) -> Decision<Outcome> {
    let decision = Decision::reply(Outcome::Refused(reason));
    match (&view.user, reason) {
        // A lock shows only here (SEC 26).
        (Some(user), Reason::Locked { .. }) => {
            let mut event = context.event(AuditKind::Refused, user.id, now).refused(reason.rule(), reason.name());
            if let Target::Device { device, .. } | Target::OwnCodes(device) | Target::SignIn { device, .. } = target {
                event = event.device(*device);
            }
            // A lock that a clock made too long is shortened whatever was recorded.
            throttle::refused_under_lock(view, decision, user.id, event, now)
                .with_all(throttle::shortened(view, user.id, now))
        }
        _ => decision,
    }
    .with_all(close_over(view, now))
}

/// Adds the entry that every refusal of something typed leaves (SEC 49), unless it has one already or is folded into one
/// (SEC 26). `about` is the device and the verification that it was aimed at, where the user has them. Where there is no user
/// there is no chain of theirs: that is the caller's to record.
pub(super) fn leave_entry(
    decision: Decision<Outcome>,
    view: &View,
    response: &FactorResponse,
    about: (Option<DeviceId>, Option<VerificationId>),
    context: &Actor,
    now: Timestamp,
) -> Decision<Outcome> {
    let (Some(user), Outcome::Refused(reason)) = (&view.user, &decision.reply) else { return decision };
    let is_refusal = |change: &Change| matches!(change, Change::Record(event) if event.rule.is_some());
    if response.is_absent() || !decision.folded.is_empty() || decision.changes.iter().any(is_refusal) {
        return decision;
    }
    let event = context.event(AuditKind::Refused, user.id, now).refused(reason.rule(), reason.name());
    let (device, verification) = about;
    let event = AuditEvent { device, verification, ..event };
    match user_unlocked(view, user, now) {
        Ok(()) => decision.with(event.into()),
        Err(_locked) => throttle::refused_under_lock(view, decision, user.id, event, now),
    }
}

/// Refuses what was typed for something that waits for no code here. `asked` is the verification that its caller named, if it
/// is the user's.
pub fn refuse_typed(
    view: &View,
    response: &FactorResponse,
    asked: Option<VerificationId>,
    context: &Actor,
    now: Timestamp,
) -> Decision<Outcome> {
    let refused = Decision::reply(Outcome::Refused(Reason::NotOpen));
    leave_entry(refused, view, response, (None, asked), context, now).with_all(close_over(view, now))
}

fn answer_temp_token(
    view: &View,
    user: UserId,
    evidence: &Evidence,
    context: &Actor,
    now: Timestamp,
) -> Decision<Outcome> {
    match evidence {
        Evidence::Absent => Decision::reply(Outcome::Refused(Reason::CodeMissing)),
        Evidence::NotCompared | Evidence::Denied(_) | Evidence::Reported(_) => {
            Decision::reply(Outcome::Refused(Reason::NotTyped))
        }
        Evidence::Refuted(wrong) => {
            let reason = Reason::WrongCode;
            let audit = context.event(AuditKind::Refused, user, now).refused(reason.rule(), reason.name()).into();
            let decision = Decision::reply(Outcome::Refused(reason)).with(audit);
            if throttle::is_doubled(view, None, wrong, now) {
                return decision;
            }
            decision.with_all(throttle::count_failure(view, user, None, *wrong, context, now))
        }
        Evidence::Proved(proof) => {
            let token = view.user.as_ref().and_then(|u| u.temp_token.as_ref());
            let live = token.filter(|t| proof.subject() == Subject::TempToken(t.hash) && t.is_live(now));
            let Some(token) = live else {
                let reason = Reason::Replay;
                return Decision::reply(Outcome::Refused(reason))
                    .with(context.event(AuditKind::Refused, user, now).refused(reason.rule(), reason.name()).into())
                    .with_all(close_over(view, now));
            };
            let spent = crate::model::temp_token::TempToken { used_at: token.used_at.or(Some(now)), ..token.clone() };
            Decision::reply(Outcome::Accepted { device: None, wire_id: None })
                .with(Change::SetTempToken(user, Some(spent)))
                .with(context.event(AuditKind::TempTokenUsed, user, now).into())
        }
    }
}
