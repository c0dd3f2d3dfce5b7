//! The table of held polls, and what is learnt of adaptive clients.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::model::long_poll::{Holding, LONGEST, Patience, ceiling_after};
use domain::model::time::SECOND;
use domain::{ClientId, Digest, UserId};
use tokio::sync::Notify;

use crate::Caller;
use crate::clock::Stopwatch;
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
    pub(super) count: AtomicUsize,
    pub(super) closed: AtomicBool,
    clients: Mutex<HashMap<ClientId, Learnt>>,
    pub(super) hung_up: Notify,
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
pub struct Hold(pub(super) Option<Asking>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asking {
    pub(super) client: ClientId,
    pub(super) token: Digest,
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
    pub(super) fn join(&self, user: UserId, client: ClientId) -> Option<Place<'_>> {
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
    pub(super) fn span(&self, asking: Asking) -> (i64, bool) {
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

    pub(super) fn sat_through(&self, client: ClientId, span: i64) {
        let mut clients = self.clients();
        let learnt = clients.entry(client).or_default();
        learnt.patience = learnt.patience.sat_through(span);
    }

    pub(super) fn hung_up(&self, client: ClientId, after: i64) {
        let mut clients = self.clients();
        let learnt = clients.entry(client).or_default();
        *learnt = Learnt { ceiling: Some(ceiling_after(learnt.ceiling(), after)), written: None, ..*learnt };
        self.hung_up.notify_one();
    }

    /// The ceilings that are to be written down.
    pub(super) fn unwritten(&self) -> Vec<(ClientId, i64)> {
        let clients = self.clients();
        let unwritten = clients.iter().filter(|(_, learnt)| learnt.written.is_none());
        unwritten.filter_map(|(client, learnt)| Some((*client, learnt.ceiling?))).collect()
    }

    /// A ceiling is in the database. Calls that began before may not know it yet, so it is kept for a while.
    pub(super) fn written(&self, client: ClientId, ceiling: i64) {
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
pub(super) struct Place<'h> {
    held: &'h Held,
    user: UserId,
    client: ClientId,
    pub(super) bell: Arc<Notify>,
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

#[cfg(test)]
mod tests {
    use domain::model::long_poll::FIRST;

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
