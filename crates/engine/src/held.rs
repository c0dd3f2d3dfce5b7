//! Held polls: whoever asks about something that only a person can answer may wait for the answer instead of asking
//! again and again.
//!
//! A held poll is an entry in a table, no thread and no timer of the database's. Each decision about its user wakes it,
//! and it asks once more; with several nodes the database's notices wake it too. A notice can be lost, so it also asks by
//! itself now and then.

use std::collections::HashMap;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use domain::time::SECOND;
use domain::verification::Context;
use domain::{FactorKind, Outcome, Purpose, Status, UserId};
use tokio::sync::Notify;

use crate::readings::VerificationReading;
use crate::sign_in::{Step, StepAnswer};
use crate::verify::Answer;
use crate::{Engine, Error};

/// Longest time for which a poll is held, in milliseconds: well below the time in which a request must be answered.
pub const LONGEST: i64 = 25 * SECOND;
/// How long a held poll waits for a wake-up before it asks by itself, in milliseconds.
const PEEK: i64 = 5 * SECOND;

/// The polls that are held.
#[derive(Default)]
pub(crate) struct Held {
    users: Mutex<HashMap<UserId, Waiting>>,
    count: AtomicUsize,
    closed: AtomicBool,
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
}

/// A held poll's place in the table. Whoever hangs up drops it.
struct Place<'h> {
    held: &'h Held,
    user: UserId,
    bell: Arc<Notify>,
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
    /// Asks, and as long as the answer is `open` and `wait` milliseconds are not over, asks again whenever something was
    /// decided about the user.
    pub async fn hold<T, F>(&self, user: UserId, wait: i64, mut ask: impl FnMut() -> F, open: impl Fn(&T) -> bool) -> T
    where
        F: Future<Output = T>,
    {
        if wait <= 0 {
            return ask().await;
        }
        let place = self.held.join(user);
        let mut over = self.clock.sleep(wait.min(LONGEST));
        let mut last = false;
        loop {
            let mut rung = pin!(place.bell.notified());
            // From here on no wake-up is lost.
            rung.as_mut().enable();
            let answer = ask().await;
            if last || !open(&answer) || self.held.closed.load(Ordering::SeqCst) {
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
    pub async fn verify_held(&self, answer: Answer, context: Context, wait: i64) -> Result<Outcome, Error> {
        let (user, wait) = (answer.user, if answer.response.is_absent() { wait } else { 0 });
        let open = |judged: &Result<Outcome, Error>| matches!(judged, Ok(Outcome::Pending(_)));
        self.hold(user, wait, || self.verify(answer.clone(), context.clone()), open).await
    }

    /// [`Self::verification`], held while it is pending.
    pub async fn verification_held(
        &self,
        user: UserId,
        wire_id: &str,
        purpose: Purpose,
        wait: i64,
    ) -> Result<Option<VerificationReading>, Error> {
        let open = |read: &Result<Option<VerificationReading>, Error>| {
            matches!(read, Ok(Some(VerificationReading { status: Status::Pending, .. })))
        };
        self.hold(user, wait, || self.verification(user, wire_id, purpose), open).await
    }

    /// [`Self::sign_in_step`], held while the person has not answered.
    pub async fn sign_in_step_held(&self, step: Step, context: Context, wait: i64) -> Result<StepAnswer, Error> {
        let first = self.sign_in_step(step.clone(), context.clone()).await?;
        // Only a prompt is answered by the person alone; a code is typed, and handed in by another call.
        let waits = matches!(first, StepAnswer::Pending(FactorKind::Push));
        if wait <= 0 || !step.response.is_absent() || !waits {
            return Ok(first);
        }
        let Some(user) = self.store.holder(step.state_token, Purpose::SignIn).await? else { return Ok(first) };
        let open = |stepped: &Result<StepAnswer, Error>| matches!(stepped, Ok(StepAnswer::Pending(_)));
        // Whoever waits has asked for one prompt: should it run out meanwhile, no other is put to the person.
        let again = Step { notify: false, ..step };
        self.hold(user, wait, || self.sign_in_step(again.clone(), context.clone()), open).await
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
