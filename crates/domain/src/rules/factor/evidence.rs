//! What a response amounts to. A [`Proof`] can be made only in this folder; [`crate::rules::verification`] spends it.

use crate::model::challenge::Challenge;
use crate::model::digest::{Digest, KeyedHash};
use crate::model::id::{DeviceId, VerificationId};
use crate::model::temp_token::TempToken;
use crate::model::verification::Verification;
use crate::rules::verification::find::Found;

/// Which rule keeps a proof from counting twice. Four rules cover all factors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// The device's last accepted counter or time step must be smaller.
    Counter(i64),
    /// The verification must still be open; accepting closes it.
    ThisChallenge,
    /// The temporary token must still be unspent.
    ThisToken,
    /// A temporary token issued as reusable, good until it expires.
    Reusable,
}

/// Evidence that the right secret was used. Made only in this folder; spent by [`crate::rules::verification`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    subject: Subject,
    freshness: Freshness,
}

/// What a proof is about. It counts for nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A device, and the verification whose challenge was answered where there was one.
    Device(DeviceId, Option<VerificationId>),
    /// The temporary token with this hash.
    TempToken(KeyedHash),
}

impl Proof {
    /// What was proved.
    pub fn subject(&self) -> Subject {
        self.subject
    }

    /// The replay rule that applies.
    pub fn freshness(&self) -> Freshness {
        self.freshness
    }

    pub(super) fn of_device(device: DeviceId, verification: Option<VerificationId>, freshness: Freshness) -> Self {
        Self { subject: Subject::Device(device, verification), freshness }
    }

    pub(super) fn of_token(token: &TempToken) -> Self {
        let freshness = if token.reusable { Freshness::Reusable } else { Freshness::ThisToken };
        Self { subject: Subject::TempToken(token.hash), freshness }
    }
}

/// What a response amounts to.
#[must_use = "evidence that is not judged is a guess that is not counted"]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// There was no response to judge: a poll, or a challenge that is not answered here.
    Absent,
    /// Something was typed where nothing typed can be right, and it was compared with nothing.
    NotCompared,
    /// The right secret was used.
    Proved(Proof),
    /// The holder of the right secret said no.
    Denied(Proof),
    /// The holder of the right secret said that somebody else is signing in.
    Reported(Proof),
    /// Wrong. The digest recognises the same wrong answer sent twice.
    Refuted(Digest),
}

/// What came of comparing a typed answer with the secret of one target. Made only in this folder, from that target alone; it
/// cannot be looked at, only charged, and it carries the target it is charged to.
#[must_use = "a comparison that is not charged is a guess that is not counted"]
#[derive(Debug)]
pub(in crate::rules) struct Compared<'a> {
    found: Found<'a>,
    evidence: Evidence,
}

impl<'a> Compared<'a> {
    pub(super) fn of(found: Found<'a>, evidence: Evidence) -> Self {
        Self { found, evidence }
    }

    /// Takes it apart. For [`crate::rules::verification::answer`] only, which charges it.
    pub(in crate::rules) fn into_charge(self) -> (Found<'a>, Evidence) {
        (self.found, self.evidence)
    }
}

/// What a phone or a telephone answered, judged before the lock, since signatures cost time. Made only in this folder, from the
/// verification that was answered; it cannot be looked at, only judged for that verification, and only while the challenge is
/// the one that was answered. It is borrowed there, since a decision may run again.
#[must_use = "an answer that is not judged is a guess that is not counted"]
#[derive(Debug, Clone)]
pub struct Heard {
    verification: VerificationId,
    challenge: Challenge,
    evidence: Evidence,
}

impl Heard {
    pub(super) fn of(asked: &Verification, evidence: Evidence) -> Self {
        Self { verification: asked.id, challenge: asked.challenge.clone(), evidence }
    }

    /// Its parts: the verification, its challenge when it was answered, and the evidence. For
    /// [`crate::rules::verification::answer`] only, which charges it.
    pub(in crate::rules) fn to_charge(&self) -> (VerificationId, &Challenge, &Evidence) {
        (self.verification, &self.challenge, &self.evidence)
    }

    /// Evidence that a test made about another verification, or another challenge.
    #[cfg(feature = "testing")]
    pub fn claimed(verification: VerificationId, challenge: Challenge, evidence: Evidence) -> Self {
        Self { verification, challenge, evidence }
    }

    /// What it amounts to: for tests.
    #[cfg(feature = "testing")]
    pub fn evidence(&self) -> Evidence {
        self.evidence.clone()
    }
}
