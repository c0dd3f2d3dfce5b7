//! Judging answers to challenges.

use domain::model::audit::Actor;
use domain::rules::verification::find::Target;
use domain::rules::verification::judge::{Judgement, Secrets, judge};
use domain::{
    AuditEvent, AuditKind, Credential, Decision, Device, FactorResponse, Keyring, MacKeys, Outcome, Reason, Timestamp,
    UserId, VerificationId,
};

use crate::decision_name::DecisionName;
use crate::keys::credential::{SealedError, open_credential};
use crate::{Engine, Fault};

/// An answer to judge.
#[derive(Debug, Clone)]
pub struct AnswerRequest {
    pub user: UserId,
    /// What it is aimed at.
    pub target: Target,
    /// What was said.
    pub response: FactorResponse,
}

impl Engine {
    /// Judges an answer on the user's fresh view, under the user's lock: what is proved, whether it is still fresh and
    /// what it uses up are one step (SEC 1). An answer without a code is usually a poll; a snapshot that shows nothing
    /// to change answers it without the lock.
    pub async fn verify(&self, answer: AnswerRequest, context: Actor) -> Result<Outcome, Fault> {
        let now = self.now();
        if answer.response.is_absent() {
            let snapshot = self.store.view(answer.user).await?;
            let poll = judge(&snapshot, &answer.target, &answer.response, &Opener(&self.keys, now), &context, now);
            let poll = poll.map_err(Fault::internal)?;
            if poll.changes.is_empty() {
                poll.folded.into_iter().for_each(|event| self.folded.count(event));
                return Ok(self.counted(poll.reply));
            }
        }
        let (user, keys, for_codes) = (answer.user, self.keys.clone(), self.time.for_codes());
        let (is_typed, by) = (!answer.response.is_absent(), context.clone());
        let judgement = self
            .decide(DecisionName::Verify, user, move |view| {
                match judge(view, &answer.target, &answer.response, &Opener(&keys, for_codes), &context, now) {
                    Ok(judged) => judged.map(Ok),
                    Err(error) => Decision::reply(Err(error)),
                }
            })
            .await?
            .map_err(Fault::internal)?;
        if is_typed && judgement.outcome == Outcome::Refused(Reason::NoUser) {
            self.note_refused(DecisionName::Verify, Reason::NoUser, None, &by).await?;
        }
        Ok(self.counted(judgement))
    }

    /// Records in its client's chain that a typed code was refused for which there is no user: none of that id, or the challenge
    /// is unknown, or has ended so that its user is not found by it any more (SEC 49).
    pub(crate) async fn note_refused(
        &self,
        name: DecisionName,
        reason: Reason,
        asked: Option<VerificationId>,
        context: &Actor,
    ) -> Result<(), Fault> {
        let Some(client) = context.client else { return Ok(()) };
        let event = context.client_event(AuditKind::Refused, client, self.now()).refused(reason.rule(), reason.name());
        let event = AuditEvent { ip: context.ip.clone(), ..event.verification(asked) };
        self.decide_client(name, client, None, move |_| Decision::reply(()).with(event.clone().into())).await?;
        Ok(())
    }

    /// The outcome, counted for the metric.
    fn counted(&self, judgement: Judgement) -> Outcome {
        self.answers.count(judgement.factor, &judgement.outcome);
        judgement.outcome
    }
}

/// Opens what typed answers are compared with, under the user's lock: these proofs are a few keyed hashes, cheaper than
/// reading the user twice. Proofs that cost more are made before the lock ([`crate::devices::push`]). With the time by which codes
/// that come with the time are judged ([`crate::clock::trusted`]).
pub(crate) struct Opener<'a>(pub(crate) &'a Keyring, pub(crate) Timestamp);

impl Secrets for Opener<'_> {
    type Error = SealedError;

    fn credential(&self, device: &Device) -> Result<Credential, SealedError> {
        open_credential(self.0, device)
    }

    fn keys(&self) -> &MacKeys {
        self.0.mac_keys()
    }

    fn for_codes(&self, _now: Timestamp) -> Timestamp {
        self.1
    }
}
