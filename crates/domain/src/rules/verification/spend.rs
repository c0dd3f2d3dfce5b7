//! What becomes of one answer: its proof is spent, its failure counted, or its challenge rejected.

use crate::model::audit::{Actor, AuditEvent, AuditKind};
use crate::model::challenge::Challenge;
use crate::model::change::{Change, Decision, View};
use crate::model::device::{Device, DeviceStatus};
use crate::model::digest::Digest;
use crate::model::id::UserId;
use crate::model::refusal::Reason;
use crate::model::seal::Sealed;
use crate::model::time::Timestamp;
use crate::model::verification::{MAX_ATTEMPTS, Status, Verification, VerificationEnd};
use crate::rules::factor::evidence::{Evidence, Freshness, Proof, Subject};
use crate::rules::verification::end::discard;
use crate::rules::verification::outcome::Outcome;
use crate::rules::{invitation, throttle};

/// How an answer came.
#[derive(Clone, Copy)]
pub(super) enum Way<'a> {
    /// With the call of the API that typed it, which collects the result.
    Typed,
    /// Apart from the caller, who collects the result by a poll. A pairing brings the device's credential.
    Apart(Option<&'a Sealed>),
}

/// One answer under judgement.
pub(super) struct Judged<'a> {
    pub(super) view: &'a View,
    pub(super) user: UserId,
    pub(super) device: &'a Device,
    pub(super) verification: Option<&'a Verification>,
    pub(super) context: &'a Actor,
    pub(super) now: Timestamp,
}

impl Judged<'_> {
    fn event(&self, kind: AuditKind) -> AuditEvent {
        self.context
            .event(kind, self.user, self.now)
            .device(self.device.id)
            .verification(self.verification.map(|v| v.id))
    }

    pub(super) fn is_about(&self, proof: &Proof) -> bool {
        proof.subject() == Subject::Device(self.device.id, self.verification.map(|v| v.id))
    }

    fn refuse(&self, reason: Reason) -> Decision<Outcome> {
        Decision::reply(Outcome::Refused(reason))
            .with(self.event(AuditKind::Refused).refused(reason.rule(), reason.name()).into())
    }

    /// Spends a proof: judges its freshness on the fresh view and records that it is used, in one step (SEC 1).
    pub(super) fn spend(&self, proof: &Proof, way: Way<'_>) -> Decision<Outcome> {
        if !self.is_about(proof) {
            // What the proof was about has been superseded since.
            return self.refuse(Reason::NotOpen);
        }
        let counter = match proof.freshness() {
            Freshness::Counter(counter) if counter > self.device.last_counter => Some(counter),
            Freshness::Counter(_) => return self.refuse(Reason::Replay),
            // `find` has shown that the verification is open; closing it below is what spends the proof.
            Freshness::ThisChallenge if self.verification.is_some() => None,
            Freshness::ThisChallenge | Freshness::ThisToken | Freshness::Reusable => {
                return self.refuse(Reason::NotOpen);
            }
        };
        let device = self.device.id;
        let (is_typed, credential) = match way {
            Way::Typed => (true, None),
            Way::Apart(credential) => (false, credential),
        };
        let mut changes = Vec::new();
        let activates = matches!(self.device.status, DeviceStatus::Registering | DeviceStatus::Pending);
        changes.push(match counter {
            _ if activates => Change::ActivateDevice { device, counter, credential: credential.cloned(), at: self.now },
            Some(counter) => Change::AdvanceCounter { device, counter, at: self.now },
            None => Change::TouchDevice { device, at: self.now },
        });
        if let Some(verification) = self.verification {
            // A typed code is collected by the very call that types it; any other answer waits for the poller.
            changes.push(Change::CloseVerification {
                verification: verification.id,
                end: VerificationEnd::Accepted { at: self.now, collected: is_typed.then_some(self.now) },
            });
            if matches!(verification.challenge, Challenge::Code { .. } | Challenge::Keypad { .. }) {
                changes.push(Change::MarkAnswered { verification: verification.id, at: self.now });
            }
        }
        changes.extend(throttle::reset_failures(self.view, self.user, device));
        if activates {
            changes.push(self.event(AuditKind::DeviceActivated).into());
            changes.extend(match self.verification {
                Some(asked) => invitation::finish(self.view, self.user, asked.id, self.device, self.context, self.now),
                None => invitation::overtaken(self.view, self.now),
            });
        }
        let kind = match self.verification.map(|v| &v.challenge) {
            Some(Challenge::Approval { .. }) => AuditKind::PushAccepted,
            Some(Challenge::Keypad { .. }) => AuditKind::KeypadAnswered,
            Some(Challenge::Link(_)) if !is_typed => AuditKind::LinkConfirmed,
            _ => AuditKind::Verified,
        };
        if kind == AuditKind::PushAccepted {
            changes.extend(throttle::reset_prompts(self.view, self.user, self.now));
        }
        changes.push(self.event(kind).into());
        Decision::of(changes, self.accepted())
    }

    fn accepted(&self) -> Outcome {
        Outcome::Accepted { device: Some(self.device.id), wire_id: self.verification.map(|v| v.wire_id.clone()) }
    }

    /// Collects a result that waited for its poller, once.
    pub(super) fn collect(&self, collected: Option<Timestamp>) -> Decision<Outcome> {
        match self.verification {
            Some(v) if collected.is_none() => Decision::reply(self.accepted())
                .with(Change::ConsumeVerification { verification: v.id, at: self.now })
                .with(self.event(AuditKind::Verified).into()),
            _ => Decision::reply(Outcome::Refused(Reason::NotOpen)),
        }
    }

    pub(super) fn deny(&self) -> Decision<Outcome> {
        Decision::reply(Outcome::Refused(Reason::Denied))
            .with_all(self.reject())
            .with(self.event(AuditKind::PushDenied).into())
    }

    /// It was not me, says the person who has the link: rejected, like a prompt that is denied. It is no guess.
    pub(super) fn disown(&self) -> Decision<Outcome> {
        self.refuse(Reason::Denied).with_all(self.reject())
    }

    /// Somebody else is signing in, says the person: denied, and push pauses (SEC 12).
    pub(super) fn report(&self) -> Decision<Outcome> {
        Decision::reply(Outcome::Refused(Reason::Denied))
            .with_all(self.reject())
            .with(throttle::pause_prompts(self.view, self.user, self.now))
            .with(self.event(AuditKind::PushReported).into())
    }

    /// Counts a wrong answer, in the same commit as its refusal (SEC 20).
    pub(super) fn count(&self, wrong: Digest) -> Decision<Outcome> {
        let decision = self.refuse(Reason::WrongCode);
        if throttle::is_doubled(self.view, Some(self.device.id), &wrong, self.now) {
            return decision;
        }
        let device = self.device.id;
        let counted = throttle::count_failure(self.view, self.user, Some(device), wrong, self.context, self.now);
        let decision = decision.with_all(counted);
        let decision = match self.verification {
            Some(verification) => {
                let decision = decision.with(Change::CountAttempt(verification.id));
                match verification.status {
                    Status::Pending { attempts } if attempts + 1 < MAX_ATTEMPTS => decision,
                    _ => decision.with_all(self.reject()),
                }
            }
            None => decision,
        };
        // A device that never proved anything cannot be disabled and unlocked again, only enrolled anew (SEC 22).
        if self.device.status == DeviceStatus::Pending && throttle::is_last(self.view, device, self.context.right) {
            return decision
                .with_all(discard(self.view, device))
                .with(self.event(AuditKind::DeviceDeleted).because(&Reason::WrongCode).into());
        }
        decision
    }

    /// Why nothing comes of a verification that was rejected. Codes are rejected by too many wrong ones; whatever a person
    /// answers apart from the caller, by the person. A mail with both has two ways: a poll asks what the person has said.
    pub(super) fn why_rejected(&self, evidence: &Evidence) -> Reason {
        let polls_link =
            |v: &Verification| matches!(v.challenge, Challenge::Link(_)) && matches!(evidence, Evidence::Absent);
        let is_typed = |v: &Verification| v.challenge.takes_code() && !polls_link(v);
        if self.verification.is_some_and(is_typed) { Reason::NotOpen } else { Reason::Denied }
    }

    /// Ends the verification as rejected; a registration takes its hidden device along.
    pub(super) fn reject(&self) -> Vec<Change> {
        let Some(verification) = self.verification else { return Vec::new() };
        let mut changes = vec![Change::CloseVerification {
            verification: verification.id,
            end: VerificationEnd::Rejected { at: self.now, collected: None },
        }];
        if self.device.status == DeviceStatus::Registering {
            changes.push(self.event(AuditKind::RegistrationRejected).into());
            changes.push(Change::DeleteDevice(self.device.id));
        }
        changes
    }
}
