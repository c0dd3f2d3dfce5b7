//! Held polls: whoever asks about something that only a person can answer may wait for the answer instead of asking
//! again and again.
//!
//! A held poll is an entry in a table, no thread and no timer of the database's. Each decision about its user wakes it,
//! and it asks once more; with several nodes the database's notices wake it too. A notice can be lost, so it also asks by
//! itself now and then.
//!
//! How long a poll is held the call says, or else what an operator has chosen for its client ([`Holding`]). What an
//! adaptive client sits through is learnt in memory; what it hung up on is kept with the client.
//!
//! A held poll keeps its connection from others, so there is [`Room`] for so many; beyond it polls are answered at once.
//! And whoever is held must still be let in when the answer comes: the token is looked at again before each look.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::Ordering;

use domain::model::audit::Context;
use domain::model::time::SECOND;
use domain::rules::client;
use domain::{ClientId, ClientView, Digest, FactorKind, Outcome, Purpose, Status, UserId};

use crate::challenges::answer::Answer;
use crate::challenges::held_polls::{Hold, Place};
use crate::clock::{self, Stopwatch};
use crate::login::step::{Step, StepAnswer};
use crate::users::queries::VerificationReading;
use crate::{Engine, Error};

/// How long a held poll waits for a wake-up before it asks by itself, in milliseconds.
const PEEK: i64 = 5 * SECOND;

/// Watches a client of which something is to be learnt while it is held. Dropped before [`Self::answered`], the client
/// has hung up.
struct Watch<'e> {
    engine: &'e Engine,
    pupil: Option<ClientId>,
    since: Stopwatch,
}

impl Watch<'_> {
    fn answered(mut self, sat_through: Option<i64>) {
        if let (Some(client), Some(span)) = (self.pupil.take(), sat_through) {
            self.engine.held.sat_through(client, span);
        }
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        // A server that stops hangs up itself.
        if let Some(client) = self.pupil.take().filter(|_| !self.engine.held.closed.load(Ordering::SeqCst)) {
            self.engine.held.hung_up(client, self.since.elapsed());
        }
    }
}

impl Engine {
    /// Asks, and as long as the answer is `open` and the hold is not over, asks again whenever something was decided about
    /// the user.
    async fn hold<T, F>(
        &self,
        user: UserId,
        hold: Hold,
        mut ask: impl FnMut() -> F,
        open: impl Fn(&T) -> bool,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let asked = hold.0.map(|asking| (asking, self.held.span(asking)));
        let Some((asking, (span, learns))) = asked.filter(|(_, (span, _))| *span > 0) else { return ask().await };
        let Some(place) = self.held.join(user, asking.client) else { return ask().await };
        let watch = Watch { engine: self, pupil: learns.then_some(asking.client), since: Stopwatch::start() };
        let told = self.wait(&place, asking.token, span, ask, open).await;
        // Whatever came of it, a fault too, it is not the client that hung up.
        watch.answered(told.as_ref().ok().and_then(|(_, over)| over.then_some(span)));
        told.map(|(answer, _)| answer)
    }

    /// What [`Self::hold`] does in its place, and whether the whole hold was sat through.
    async fn wait<T, F>(
        &self,
        place: &Place<'_>,
        token: Digest,
        span: i64,
        mut ask: impl FnMut() -> F,
        open: impl Fn(&T) -> bool,
    ) -> Result<(T, bool), Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let mut over = self.clock.sleep(span);
        let (mut first, mut last) = (true, false);
        loop {
            let mut rung = pin!(place.bell.notified());
            // From here on no wake-up is lost.
            rung.as_mut().enable();
            // Whoever was let in at first may be so no longer, and to ask can be to collect (SEC 57).
            if !std::mem::take(&mut first) && self.holder_of(token).await?.is_none() {
                return Err(Error::Revoked);
            }
            let answer = ask().await?;
            if last || !open(&answer) || self.held.closed.load(Ordering::SeqCst) {
                return Ok((answer, last));
            }
            tokio::select! {
                () = rung => {}
                () = self.clock.sleep(PEEK) => {}
                () = &mut over => last = true,
            }
        }
    }

    /// [`Self::verify`], held while the person has not answered. Only what is no guess is held.
    pub async fn verify_held(&self, answer: Answer, context: Context, hold: Hold) -> Result<Outcome, Error> {
        let (user, hold) = (answer.user, if answer.response.is_absent() { hold } else { Hold::NONE });
        let open = |judged: &Outcome| matches!(judged, Outcome::Pending(_));
        self.hold(user, hold, || self.verify(answer.clone(), context.clone()), open).await
    }

    /// [`Self::verification`], held while it is pending.
    pub async fn verification_held(
        &self,
        user: UserId,
        wire_id: &str,
        purpose: Purpose,
        hold: Hold,
    ) -> Result<Option<VerificationReading>, Error> {
        let open = |read: &Option<VerificationReading>| {
            matches!(read, Some(VerificationReading { status: Status::Pending, .. }))
        };
        self.hold(user, hold, || self.verification(user, wire_id, purpose), open).await
    }

    /// [`Self::sign_in_step`], held while the person has not answered.
    pub async fn sign_in_step_held(&self, step: Step, context: Context, hold: Hold) -> Result<StepAnswer, Error> {
        let first = self.sign_in_step(step.clone(), context.clone()).await?;
        // Only a prompt is answered by the person alone; a code is typed, and handed in by another call.
        let waits = matches!(first, StepAnswer::Pending(FactorKind::Push, _));
        let at_once = hold.0.is_none_or(|asking| self.held.span(asking).0 <= 0);
        if at_once || !step.response.is_absent() || !waits {
            return Ok(first);
        }
        let Some(user) = self.store.holder(step.state_token, Purpose::SignIn).await? else { return Ok(first) };
        let open = |stepped: &StepAnswer| matches!(stepped, StepAnswer::Pending(..));
        // Whoever waits has asked for one prompt: should it run out meanwhile, no other is put to the person.
        let again = Step { notify: false, ..step };
        self.hold(user, hold, || self.sign_in_step(again.clone(), context.clone()), open).await
    }

    /// Writes down which holds clients have hung up on.
    pub(crate) async fn learn_for_ever(&self) {
        loop {
            self.held.hung_up.notified().await;
            for (client, ceiling) in self.held.unwritten() {
                let rule = move |view: &ClientView| client::hung_up(view, ceiling);
                if let Err(error) = self.decide_client(client, None, rule).await {
                    tracing::warn!(%error, client = client.0, "a hang-up was not written down and will be tried again");
                    self.clock.sleep(clock::RETRY).await;
                    self.held.hung_up.notify_one();
                    continue;
                }
                self.forget_callers();
                self.held.written(client, ceiling);
            }
        }
    }

    /// How many polls are held.
    pub fn held_polls(&self) -> usize {
        self.held.count.load(Ordering::Relaxed)
    }

    /// Answers all held polls as things stand, and holds none from now on: the server is about to stop.
    pub fn release_polls(&self) {
        self.held.closed.store(true, Ordering::SeqCst);
        self.held.wake_all();
    }
}
