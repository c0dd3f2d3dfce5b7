//! Judging answers to challenges.

use domain::model::audit::Actor;
use domain::rules::verification::find::{Target, find};
use domain::rules::verification::judge::{Secrets, judge};
use domain::{Credential, Decision, Device, FactorResponse, Keyring, MacKeys, Outcome, Timestamp, UserId, View};

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
                self.answers.count(factor_of(&snapshot, &answer.target, now), &poll.reply);
                return Ok(poll.reply);
            }
        }
        let (user, keys, for_codes) = (answer.user, self.keys.clone(), self.time.for_codes());
        let (factor, outcome) = self
            .decide(DecisionName::Verify, user, move |view| {
                let factor = factor_of(view, &answer.target, now);
                match judge(view, &answer.target, &answer.response, &Opener(&keys, for_codes), &context, now) {
                    Ok(judged) => judged.map(|outcome| Ok((factor, outcome))),
                    Err(error) => Decision::reply(Err(error)),
                }
            })
            .await?
            .map_err(Fault::internal)?;
        self.answers.count(factor, &outcome);
        Ok(outcome)
    }
}

/// The factor that an answer is about, for the count of answers.
fn factor_of(view: &View, target: &Target, now: Timestamp) -> Option<domain::FactorKind> {
    find(view, target, now).ok().and_then(|found| found.device).map(|device| device.factor)
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
