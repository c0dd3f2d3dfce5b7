//! Long polls: a call about something that only the person can answer may wait for that answer.
//!
//! A held poll is an entry in a table; it needs no thread and no timer in the database. Each decision about its user
//! wakes it, on every node, and it asks again. A notice between nodes can be lost, so it also asks at an interval.
//!
//! The call says how long it is held; otherwise the operator's choice for its client applies ([`LongPoll`]). How long an
//! adaptive client waits is learned in memory; the length at which it hung up is stored with the client.
//!
//! A held poll occupies a connection, so [`PollLimits`] bounds how many there are; beyond that, polls are answered at
//! once. Token and address are checked again before each look, so a revoked client collects no
//! answer.
//!
//! [`LongPoll`]: domain::model::long_poll::LongPoll
//! [`PollLimits`]: super::held_polls::PollLimits

use std::future::Future;
use std::sync::atomic::Ordering;

use domain::model::audit::Actor;
use domain::model::time::SECOND;
use domain::rules::client;
use domain::{ClientId, ClientView, FactorKind, Outcome, Purpose, Status, UserId};

use crate::Engine;
use crate::challenges::answer::AnswerRequest;
use crate::challenges::held_polls::{HoldRequest, PollHold, PollPlace};
use crate::challenges::poll_error::PollError;
use crate::clock;
use crate::decision_name::DecisionName;
use crate::login::step::{LoginStep, LoginStepAnswer, LoginStepError};
use crate::users::queries::VerificationState;

/// Interval at which a held poll asks without a notice, in milliseconds.
const PEEK: i64 = 5 * SECOND;

/// Notices that an adaptive client hung up: then it is dropped before [`Self::answered`].
struct HangUpGuard<'e> {
    engine: &'e Engine,
    learner: Option<ClientId>,
    /// When the poll began, as [`crate::Clock::waited`] counts.
    since: i64,
}

impl HangUpGuard<'_> {
    fn answered(mut self, waited: Option<i64>) {
        if let (Some(client), Some(span)) = (self.learner.take(), waited) {
            self.engine.held.waited(client, span);
        }
    }
}

impl Drop for HangUpGuard<'_> {
    fn drop(&mut self) {
        // When the server stops, it is the server that hangs up.
        if let Some(client) = self.learner.take().filter(|_| !self.engine.held.closed.load(Ordering::SeqCst)) {
            self.engine.held.hung_up(client, self.engine.clock.waited() - self.since);
        }
    }
}

impl Engine {
    /// Asks, and asks again after each decision about the user, as long as the answer is `open` and the hold is not over.
    async fn hold<T, E, F>(
        &self,
        user: UserId,
        hold: PollHold,
        mut ask: impl FnMut() -> F,
        open: impl Fn(&T) -> bool,
    ) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: From<PollError>,
    {
        let request = hold.0.map(|request| (request, self.held.span(request)));
        let Some((request, (span, learns))) = request.filter(|(_, (span, _))| *span > 0) else { return ask().await };
        let (since, over) = (self.clock.waited(), self.clock.sleep(span));
        let Some(place) = self.held.join(user, request.client) else { return ask().await };
        let guard = HangUpGuard { engine: self, learner: learns.then_some(request.client), since };
        let ended = self.wait(&place, request, over, ask, open).await;
        // An answer or a fault: in both cases the client did not hang up.
        guard.answered(ended.as_ref().ok().and_then(|(_, over)| over.then_some(span)));
        ended.map(|(answer, _)| answer)
    }

    /// The loop of [`Self::hold`]: the answer, and whether the whole hold passed.
    async fn wait<T, E, F>(
        &self,
        place: &PollPlace<'_>,
        request: HoldRequest,
        mut over: impl Future<Output = ()> + Unpin,
        mut ask: impl FnMut() -> F,
        open: impl Fn(&T) -> bool,
    ) -> Result<(T, bool), E>
    where
        F: Future<Output = Result<T, E>>,
        E: From<PollError>,
    {
        let (mut first, mut last) = (true, false);
        loop {
            // The token may have been revoked meanwhile, and asking can collect the answer (SEC 57).
            if !std::mem::take(&mut first) {
                let holder = self.holder_of(request.token).await.map_err(PollError::from)?;
                if holder.is_none_or(|caller| !caller.may_call(request.from)) {
                    return Err(PollError::Revoked.into());
                }
            }
            let answer = ask().await?;
            if last || !open(&answer) || self.held.closed.load(Ordering::SeqCst) {
                return Ok((answer, last));
            }
            tokio::select! {
                () = place.watch.changed() => {}
                () = self.clock.sleep(PEEK) => {}
                () = &mut over => last = true,
            }
        }
    }

    /// [`Self::verify`], held while the person has not answered. A typed code is never held.
    pub async fn verify_held(
        &self,
        answer: AnswerRequest,
        context: Actor,
        hold: PollHold,
    ) -> Result<Outcome, PollError> {
        if !answer.response.is_absent() {
            return Ok(self.verify(answer, context).await?);
        }
        let open = |judged: &Outcome| matches!(judged, Outcome::Pending { .. });
        let ask = || async { Ok(self.verify(answer.clone(), context.clone()).await?) };
        // Boxed, so that the future of a typed code has no room for a hold.
        Box::pin(self.hold(answer.user, hold, ask, open)).await
    }

    /// [`Self::verification`], held while it is pending.
    pub async fn verification_held(
        &self,
        user: UserId,
        wire_id: &str,
        purpose: Purpose,
        hold: PollHold,
    ) -> Result<Option<VerificationState>, PollError> {
        let open = |read: &Option<VerificationState>| {
            matches!(read, Some(VerificationState { status: Status::Pending { .. }, .. }))
        };
        self.hold(user, hold, || async { Ok(self.verification(user, wire_id, purpose).await?) }, open).await
    }

    /// A step of a log-in, held while the person has not answered.
    pub async fn log_in_step_held(
        &self,
        step: LoginStep,
        context: Actor,
        hold: PollHold,
    ) -> Result<LoginStepAnswer, LoginStepError> {
        let first = self.log_in_step(step.clone(), context.clone()).await?;
        // A prompt or a link is answered by the person alone; a code comes with another call.
        let waits = matches!(first, LoginStepAnswer::Pending(FactorKind::Push | FactorKind::Email, _));
        let at_once = hold.0.is_none_or(|request| self.held.span(request).0 <= 0);
        if at_once || !step.response.is_absent() || !waits {
            return Ok(first);
        }
        let Some(user) = self.store.user_logging_in(step.state_token).await? else { return Ok(first) };
        if !self.awaits_person(user, &step).await? {
            return Ok(first);
        }
        let open = |stepped: &LoginStepAnswer| matches!(stepped, LoginStepAnswer::Pending(..));
        // The call asked for one prompt: if it expires meanwhile, no other one is sent.
        let again = LoginStep { notify: false, ..step };
        self.hold(user, hold, || self.log_in_step(again.clone(), context.clone()), open).await
    }

    /// Saves the ceilings of clients that hung up.
    pub(crate) async fn run_learner(&self) {
        loop {
            self.held.hung_up.notified().await;
            for (client, ceiling) in self.held.unsaved() {
                let rule = move |view: &ClientView| client::hung_up(view, ceiling);
                if let Err(error) = self.decide_client(DecisionName::SavePollCeiling, client, None, rule).await {
                    tracing::warn!(%error, client = client.0, "a poll ceiling was not saved, will retry");
                    self.clock.sleep(clock::RETRY).await;
                    self.held.hung_up.notify_one();
                    continue;
                }
                self.forget_callers();
                self.held.saved(client, ceiling);
            }
        }
    }

    /// Polls that wait for a person now, for the metric.
    pub fn held_polls(&self) -> usize {
        self.held.count.load(Ordering::Relaxed)
    }

    /// Whether the server stops, so that whatever waits ends.
    pub fn is_stopping(&self) -> bool {
        self.held.closed.load(Ordering::SeqCst)
    }

    /// Answers all held polls with the present state and holds none from now on, because the server stops.
    pub fn release_polls(&self) {
        self.held.closed.store(true, Ordering::SeqCst);
        self.held.watched().wake_all();
    }
}
