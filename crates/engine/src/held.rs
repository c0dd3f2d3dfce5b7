//! Held polls: whoever asks about something that only a person can answer may wait for the answer instead of asking
//! again and again.
//!
//! A held poll is an entry in a table, no thread and no timer of the database's. Each decision about its user wakes it,
//! and it asks once more; with several nodes the database's notices wake it too. A notice can be lost, so it also asks by
//! itself now and then.
//!
//! How long a poll is held the call says, or else what an operator has chosen for its client ([`Holding`]). What an
//! adaptive client sits through is learnt in memory; what it hung up on is kept with the client.

use std::collections::HashMap;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::holding::{Holding, LONGEST, Patience, ceiling_after};
use domain::time::SECOND;
use domain::verification::Context;
use domain::{ClientId, ClientView, FactorKind, Outcome, Purpose, Status, UserId, client};
use tokio::sync::Notify;

use crate::clock::{self, Stopwatch};
use crate::readings::VerificationReading;
use crate::sign_in::{Step, StepAnswer};
use crate::verify::Answer;
use crate::{Engine, Error};

/// How long a held poll waits for a wake-up before it asks by itself, in milliseconds.
const PEEK: i64 = 5 * SECOND;

/// The polls that are held.
#[derive(Default)]
pub(crate) struct Held {
    users: Mutex<HashMap<UserId, Waiting>>,
    count: AtomicUsize,
    closed: AtomicBool,
    clients: Mutex<HashMap<ClientId, Learnt>>,
    hung_up: Notify,
}

/// What has been learnt of an adaptive client and is not, or not yet, in the database.
#[derive(Clone, Copy, Default)]
struct Learnt {
    patience: Patience,
    /// It hung up on a hold: the longest it is put to from now on, to be written down, in milliseconds.
    ceiling: Option<i64>,
}

/// For how long a poll may be held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// As long as the call asks for, in milliseconds.
    Asked(i64),
    /// As an operator has chosen for this client.
    Chosen(ClientId, Holding),
}

impl Hold {
    /// Not at all.
    pub const NONE: Self = Self::Asked(0);
}

#[derive(Default)]
struct Waiting {
    polls: usize,
    bell: Arc<Notify>,
}

impl Held {
    /// Wakes the polls about a user. Costs next to nothing while none is held.
    pub(crate) fn wake(&self, user: UserId) {
        if self.count.load(Ordering::SeqCst) == 0 {
            return;
        }
        let users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waiting) = users.get(&user) {
            waiting.bell.notify_waiters();
        }
    }

    pub(crate) fn wake_all(&self) {
        for waiting in self.users.lock().unwrap_or_else(PoisonError::into_inner).values() {
            waiting.bell.notify_waiters();
        }
    }

    fn join(&self, user: UserId) -> Place<'_> {
        // Before the first look at the answer: a decision that comes after that look finds the count raised.
        self.count.fetch_add(1, Ordering::SeqCst);
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = users.entry(user).or_default();
        waiting.polls += 1;
        Place { held: self, user, bell: waiting.bell.clone() }
    }

    /// For how many milliseconds a poll is held, and of which client something is learnt by it.
    fn span(&self, hold: Hold) -> (i64, Option<ClientId>) {
        match hold {
            Hold::Asked(span) | Hold::Chosen(_, Holding::Fixed(span)) => (span.min(LONGEST), None),
            Hold::Chosen(_, Holding::Off) => (0, None),
            Hold::Chosen(client, Holding::Adaptive { ceiling }) => {
                let learnt = self.clients().get(&client).copied().unwrap_or_default();
                let ceiling = [ceiling, learnt.ceiling].into_iter().flatten().min();
                (learnt.patience.span(ceiling), Some(client))
            }
        }
    }

    fn sat_through(&self, client: ClientId, span: i64) {
        let mut clients = self.clients();
        let learnt = clients.entry(client).or_default();
        learnt.patience = learnt.patience.sat_through(span);
    }

    fn hung_up(&self, client: ClientId, after: i64) {
        let mut clients = self.clients();
        let learnt = clients.entry(client).or_default();
        learnt.ceiling = Some(ceiling_after(learnt.ceiling, after));
        self.hung_up.notify_one();
    }

    /// Forgets what was learnt of a client: an operator has chosen anew.
    pub(crate) fn forget(&self, client: ClientId) {
        self.clients().remove(&client);
    }

    fn clients(&self) -> MutexGuard<'_, HashMap<ClientId, Learnt>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A held poll's place in the table. Whoever hangs up drops it.
struct Place<'h> {
    held: &'h Held,
    user: UserId,
    bell: Arc<Notify>,
}

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

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut users = self.held.users.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waiting) = users.get_mut(&self.user) {
            waiting.polls -= 1;
            if waiting.polls == 0 {
                users.remove(&self.user);
            }
        }
        self.held.count.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Engine {
    /// Asks, and as long as the answer is `open` and the hold is not over, asks again whenever something was decided about
    /// the user.
    async fn hold<T, F>(&self, user: UserId, hold: Hold, mut ask: impl FnMut() -> F, open: impl Fn(&T) -> bool) -> T
    where
        F: Future<Output = T>,
    {
        let (span, pupil) = self.held.span(hold);
        if span <= 0 {
            return ask().await;
        }
        let place = self.held.join(user);
        let watch = Watch { engine: self, pupil, since: Stopwatch::start() };
        let mut over = self.clock.sleep(span);
        let mut last = false;
        loop {
            let mut rung = pin!(place.bell.notified());
            // From here on no wake-up is lost.
            rung.as_mut().enable();
            let answer = ask().await;
            if last || !open(&answer) || self.held.closed.load(Ordering::SeqCst) {
                watch.answered(last.then_some(span));
                return answer;
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
        let open = |judged: &Result<Outcome, Error>| matches!(judged, Ok(Outcome::Pending(_)));
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
        let open = |read: &Result<Option<VerificationReading>, Error>| {
            matches!(read, Ok(Some(VerificationReading { status: Status::Pending, .. })))
        };
        self.hold(user, hold, || self.verification(user, wire_id, purpose), open).await
    }

    /// [`Self::sign_in_step`], held while the person has not answered.
    pub async fn sign_in_step_held(&self, step: Step, context: Context, hold: Hold) -> Result<StepAnswer, Error> {
        let first = self.sign_in_step(step.clone(), context.clone()).await?;
        // Only a prompt is answered by the person alone; a code is typed, and handed in by another call.
        let waits = matches!(first, StepAnswer::Pending(FactorKind::Push, _));
        if self.held.span(hold).0 <= 0 || !step.response.is_absent() || !waits {
            return Ok(first);
        }
        let Some(user) = self.store.holder(step.state_token, Purpose::SignIn).await? else { return Ok(first) };
        let open = |stepped: &Result<StepAnswer, Error>| matches!(stepped, Ok(StepAnswer::Pending(..)));
        // Whoever waits has asked for one prompt: should it run out meanwhile, no other is put to the person.
        let again = Step { notify: false, ..step };
        self.hold(user, hold, || self.sign_in_step(again.clone(), context.clone()), open).await
    }

    /// Writes down which holds clients have hung up on.
    pub(crate) async fn learn_for_ever(&self) {
        loop {
            self.held.hung_up.notified().await;
            let told: Vec<_> =
                self.held.clients().iter().filter_map(|(client, learnt)| Some((*client, learnt.ceiling?))).collect();
            for (client, ceiling) in told {
                let rule = move |view: &ClientView| client::hung_up(view, ceiling);
                if let Err(error) = self.decide_client(client, None, rule).await {
                    tracing::warn!(%error, client = client.0, "a hang-up was not written down and will be tried again");
                    self.clock.sleep(clock::RETRY).await;
                    self.held.hung_up.notify_one();
                    continue;
                }
                self.forget_callers();
                if let Some(learnt) = self.held.clients().get_mut(&client)
                    && learnt.ceiling == Some(ceiling)
                {
                    learnt.ceiling = None;
                }
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
