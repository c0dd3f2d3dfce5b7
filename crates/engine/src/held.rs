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

use std::collections::HashMap;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::holding::{Holding, LONGEST, Patience, ceiling_after};
use domain::time::SECOND;
use domain::verification::Context;
use domain::{ClientId, ClientView, Digest, FactorKind, Outcome, Purpose, Status, UserId, client};
use tokio::sync::Notify;

use crate::clock::{self, Stopwatch};
use crate::readings::VerificationReading;
use crate::sign_in::{Step, StepAnswer};
use crate::verify::Answer;
use crate::{Caller, Engine, Error};

/// How long a held poll waits for a wake-up before it asks by itself, in milliseconds.
const PEEK: i64 = 5 * SECOND;
/// How long a call may still know its client as it was before a hang-up was written down, in milliseconds: the time a
/// caller is remembered and the longest a request may take, generously.
const OUTDATED: i64 = 60 * SECOND;

/// How many polls may be held at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Of all clients.
    pub all: usize,
    /// Of one client.
    pub client: usize,
}

/// The polls that are held.
pub(crate) struct Held {
    room: Room,
    table: Mutex<Table>,
    count: AtomicUsize,
    closed: AtomicBool,
    clients: Mutex<HashMap<ClientId, Learnt>>,
    hung_up: Notify,
}

#[derive(Default)]
struct Table {
    users: HashMap<UserId, Waiting>,
    clients: HashMap<ClientId, usize>,
}

/// What has been learnt of an adaptive client and is not in the database, or not seen there by every call.
#[derive(Clone, Copy, Default)]
struct Learnt {
    patience: Patience,
    /// It hung up on a hold: the longest it is put to from now on, in milliseconds.
    ceiling: Option<i64>,
    /// Since the ceiling was written down.
    written: Option<Stopwatch>,
}

impl Learnt {
    /// The ceiling, as long as calls may not know it from the database.
    fn ceiling(&self) -> Option<i64> {
        self.ceiling.filter(|_| self.written.is_none_or(|since| since.elapsed() < OUTDATED))
    }
}

/// For how long a poll may be held, and for whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold(Option<Asking>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Asking {
    client: ClientId,
    token: Digest,
    /// What the call asks for, in milliseconds.
    wait: Option<i64>,
    /// What an operator has chosen for this client.
    chosen: Holding,
}

impl Hold {
    /// Not at all.
    pub const NONE: Self = Self(None);

    /// For `wait` milliseconds, or else as an operator has chosen for this caller.
    pub fn of(caller: &Caller, wait: Option<i64>) -> Self {
        Self(Some(Asking { client: caller.client, token: caller.token, wait, chosen: caller.options.holding }))
    }
}

#[derive(Default)]
struct Waiting {
    polls: usize,
    bell: Arc<Notify>,
}

impl Held {
    pub(crate) fn new(room: Room) -> Self {
        Self {
            room,
            table: Mutex::default(),
            count: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            clients: Mutex::default(),
            hung_up: Notify::new(),
        }
    }

    /// Wakes the polls about a user. Costs next to nothing while none is held.
    pub(crate) fn wake(&self, user: UserId) {
        if self.count.load(Ordering::SeqCst) == 0 {
            return;
        }
        if let Some(waiting) = self.table().users.get(&user) {
            waiting.bell.notify_waiters();
        }
    }

    pub(crate) fn wake_all(&self) {
        for waiting in self.table().users.values() {
            waiting.bell.notify_waiters();
        }
    }

    /// A place in the table, if there is room.
    fn join(&self, user: UserId, client: ClientId) -> Option<Place<'_>> {
        let mut table = self.table();
        let of_client = table.clients.get(&client).copied().unwrap_or_default();
        if self.count.load(Ordering::SeqCst) >= self.room.all || of_client >= self.room.client {
            return None;
        }
        // Before the first look at the answer: a decision that comes after that look finds the count raised.
        self.count.fetch_add(1, Ordering::SeqCst);
        table.clients.insert(client, of_client + 1);
        let waiting = table.users.entry(user).or_default();
        waiting.polls += 1;
        Some(Place { held: self, user, client, bell: waiting.bell.clone() })
    }

    /// For how many milliseconds a poll is held, and whether something is learnt by it.
    fn span(&self, asking: Asking) -> (i64, bool) {
        match (asking.wait, asking.chosen) {
            (Some(span), _) | (None, Holding::Fixed(span)) => (span.min(LONGEST), false),
            (None, Holding::Off) => (0, false),
            (None, Holding::Adaptive { ceiling }) => {
                let learnt = self.clients().get(&asking.client).copied().unwrap_or_default();
                let ceiling = [ceiling, learnt.ceiling()].into_iter().flatten().min();
                (learnt.patience.span(ceiling), true)
            }
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sat_through(&self, client: ClientId, span: i64) {
        let mut clients = self.clients();
        let learnt = clients.entry(client).or_default();
        learnt.patience = learnt.patience.sat_through(span);
    }

    fn hung_up(&self, client: ClientId, after: i64) {
        let mut clients = self.clients();
        let learnt = clients.entry(client).or_default();
        *learnt = Learnt { ceiling: Some(ceiling_after(learnt.ceiling(), after)), written: None, ..*learnt };
        self.hung_up.notify_one();
    }

    /// The ceilings that are to be written down.
    fn unwritten(&self) -> Vec<(ClientId, i64)> {
        let clients = self.clients();
        let unwritten = clients.iter().filter(|(_, learnt)| learnt.written.is_none());
        unwritten.filter_map(|(client, learnt)| Some((*client, learnt.ceiling?))).collect()
    }

    /// A ceiling is in the database. Calls that began before may not know it yet, so it is kept for a while.
    fn written(&self, client: ClientId, ceiling: i64) {
        if let Some(learnt) = self.clients().get_mut(&client)
            && learnt.ceiling == Some(ceiling)
        {
            learnt.written = Some(Stopwatch::start());
        }
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
    client: ClientId,
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
        let mut table = self.held.table();
        if let Some(waiting) = table.users.get_mut(&self.user) {
            waiting.polls -= 1;
            if waiting.polls == 0 {
                table.users.remove(&self.user);
            }
        }
        if let Some(held) = table.clients.get_mut(&self.client) {
            *held -= 1;
            if *held == 0 {
                table.clients.remove(&self.client);
            }
        }
        self.held.count.fetch_sub(1, Ordering::SeqCst);
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

#[cfg(test)]
mod tests {
    use domain::holding::FIRST;

    use super::*;

    #[test]
    fn a_call_that_knows_its_client_as_it_was_before_a_hang_up_is_not_held_as_long() {
        let held = Held::new(Room { all: 1, client: 1 });
        let before = Asking { client: ClientId(1), token: Digest::of(b"token"), wait: None, chosen: Holding::ADAPTIVE };
        assert_eq!(held.span(before), (FIRST, true));
        held.hung_up(before.client, 3_000);
        assert_eq!(held.unwritten(), [(before.client, 2_000)]);
        assert_eq!(held.span(before), (2_000, true), "before it is written down");
        held.written(before.client, 2_000);
        assert_eq!(held.unwritten(), []);
        assert_eq!(held.span(before), (2_000, true), "and right after");
        held.hung_up(before.client, 2_000);
        held.written(before.client, 2_000);
        assert_eq!(held.unwritten(), [(before.client, 1_000)], "less, learnt meanwhile, is still to be written down");
        held.forget(before.client);
        assert_eq!(held.span(before), (FIRST, true), "an operator has chosen anew");
    }

    #[test]
    fn no_client_takes_the_room_of_all() {
        let held = Held::new(Room { all: 3, client: 2 });
        let join = |client| held.join(UserId(1), ClientId(client));
        let first = join(1).expect("there is room");
        let second = join(1).expect("there is room");
        assert!(join(1).is_none(), "not for a third of the same client");
        let other = join(2).expect("but for another");
        assert!(join(2).is_none(), "and then for nobody");
        drop((first, other));
        let again = [join(1), join(2)];
        assert!(again.iter().all(Option::is_some), "whoever goes makes room");
        drop((again, second));
        let table = held.table();
        assert!(table.users.is_empty() && table.clients.is_empty());
        assert_eq!(held.count.load(Ordering::SeqCst), 0);
    }
}
