//! The table of held polls, and how long adaptive clients are held.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::model::long_poll::{LONGEST, LearnedHold, LongPoll, ceiling_after};
use domain::model::time::SECOND;
use domain::{ClientId, Digest, UserId};
use tokio::sync::Notify;

use crate::challenges::watched_users::{UserWatch, WatchedUsers};
use crate::{ApiCaller, Clock};

/// How long a call may still use a ceiling from before the last hang-up was saved, in milliseconds. It covers the cache
/// of callers and the longest request.
const OUTDATED: i64 = 60 * SECOND;

/// How many polls may be held at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PollLimits {
    /// By all clients.
    pub all: usize,
    /// By one client.
    pub client: usize,
}

pub(crate) struct HeldPolls {
    limits: PollLimits,
    clock: Arc<dyn Clock>,
    /// How many polls of each client are held.
    table: Mutex<HashMap<ClientId, usize>>,
    watched: Arc<WatchedUsers>,
    pub(super) count: AtomicUsize,
    pub(super) closed: AtomicBool,
    clients: Mutex<HashMap<ClientId, Learned>>,
    pub(super) hung_up: Notify,
}

/// What this node has learned about an adaptive client and not every call reads from the database yet.
#[derive(Clone, Copy, Default)]
struct Learned {
    patience: LearnedHold,
    /// Longest hold from now on, in milliseconds, because the client hung up on a longer one.
    ceiling: Option<i64>,
    /// When the ceiling was saved, by [`Clock::waited`].
    saved_at: Option<i64>,
}

impl Learned {
    /// The ceiling, as long as some calls may not read it from the database yet.
    fn ceiling(&self, now: i64) -> Option<i64> {
        self.ceiling.filter(|_| self.saved_at.is_none_or(|at| now - at < OUTDATED))
    }
}

/// How long a poll may be held, and for which client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PollHold(pub(super) Option<HoldRequest>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct HoldRequest {
    pub(super) client: ClientId,
    pub(super) token: Digest,
    /// Where the call came from.
    pub(super) from: IpAddr,
    /// As the call asks, in milliseconds.
    wait: Option<i64>,
    /// As the operator chose for this client.
    chosen: LongPoll,
}

impl PollHold {
    /// The poll is answered at once.
    pub const NONE: Self = Self(None);

    /// A hold of `wait` milliseconds, or as the operator chose for this caller, who calls from this address.
    pub fn of(caller: &ApiCaller, from: IpAddr, wait: Option<i64>) -> Self {
        let (client, token, chosen) = (caller.client, caller.token, caller.options.holding);
        Self(Some(HoldRequest { client, token, from, wait, chosen }))
    }
}

impl HeldPolls {
    pub(crate) fn new(limits: PollLimits, clock: Arc<dyn Clock>) -> Self {
        Self {
            limits,
            clock,
            table: Mutex::default(),
            watched: Arc::default(),
            count: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            clients: Mutex::default(),
            hung_up: Notify::new(),
        }
    }

    /// Who waits for decisions about users.
    pub(crate) fn watched(&self) -> &Arc<WatchedUsers> {
        &self.watched
    }

    /// A place in the table, unless a limit is reached.
    pub(super) fn join(&self, user: UserId, client: ClientId) -> Option<PollPlace<'_>> {
        let mut table = self.table();
        let of_client = table.get(&client).copied().unwrap_or_default();
        if self.count.load(Ordering::SeqCst) >= self.limits.all || of_client >= self.limits.client {
            return None;
        }
        self.count.fetch_add(1, Ordering::SeqCst);
        table.insert(client, of_client + 1);
        Some(PollPlace { held: self, client, watch: self.watched.watch(vec![user]) })
    }

    /// How many milliseconds a poll is held, and whether its client is adaptive.
    pub(super) fn span(&self, request: HoldRequest) -> (i64, bool) {
        match (request.wait, request.chosen) {
            (Some(span), _) | (None, LongPoll::Fixed(span)) => (span.min(LONGEST), false),
            (None, LongPoll::Off) => (0, false),
            (None, LongPoll::Adaptive { ceiling }) => {
                let learned = self.clients().get(&request.client).copied().unwrap_or_default();
                let ceiling = [ceiling, learned.ceiling(self.clock.waited())].into_iter().flatten().min();
                (learned.patience.span(ceiling), true)
            }
        }
    }

    fn table(&self) -> MutexGuard<'_, HashMap<ClientId, usize>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A client waited for a whole hold.
    pub(super) fn waited(&self, client: ClientId, span: i64) {
        let mut clients = self.clients();
        let learned = clients.entry(client).or_default();
        learned.patience = learned.patience.sat_through(span);
    }

    /// A client hung up after so many milliseconds.
    pub(super) fn hung_up(&self, client: ClientId, after: i64) {
        let now = self.clock.waited();
        let mut clients = self.clients();
        let learned = clients.entry(client).or_default();
        *learned = Learned { ceiling: Some(ceiling_after(learned.ceiling(now), after)), saved_at: None, ..*learned };
        self.hung_up.notify_one();
    }

    /// Ceilings to save.
    pub(super) fn unsaved(&self) -> Vec<(ClientId, i64)> {
        let clients = self.clients();
        let unsaved = clients.iter().filter(|(_, learned)| learned.saved_at.is_none());
        unsaved.filter_map(|(client, learned)| Some((*client, learned.ceiling?))).collect()
    }

    /// Notes that a ceiling is saved. It stays in memory for a while, for calls that began before.
    pub(super) fn saved(&self, client: ClientId, ceiling: i64) {
        if let Some(learned) = self.clients().get_mut(&client)
            && learned.ceiling == Some(ceiling)
        {
            learned.saved_at = Some(self.clock.waited());
        }
    }

    /// Forgets a client, because an operator has chosen anew for it.
    pub(crate) fn forget(&self, client: ClientId) {
        self.clients().remove(&client);
    }

    fn clients(&self) -> MutexGuard<'_, HashMap<ClientId, Learned>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A held poll's place in the table. It is freed when the call ends, also when the client hangs up.
pub(super) struct PollPlace<'h> {
    held: &'h HeldPolls,
    client: ClientId,
    pub(super) watch: UserWatch,
}

impl Drop for PollPlace<'_> {
    fn drop(&mut self) {
        let mut table = self.held.table();
        if let Some(held) = table.get_mut(&self.client) {
            *held -= 1;
            if *held == 0 {
                table.remove(&self.client);
            }
        }
        self.held.count.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use domain::model::long_poll::FIRST;

    use super::*;
    use crate::clock::MovableClock;

    fn polls(all: usize, client: usize) -> (HeldPolls, Arc<MovableClock>) {
        let clock = Arc::new(MovableClock::frozen_at(Timestamp(0)));
        (HeldPolls::new(PollLimits { all, client }, clock.clone()), clock)
    }

    #[test]
    fn a_call_that_knows_its_client_as_it_was_before_a_hang_up_is_not_held_as_long() {
        let (held, clock) = polls(1, 1);
        let before = HoldRequest {
            client: ClientId(1),
            token: Digest::of(b"token"),
            from: IpAddr::from([127, 0, 0, 1]),
            wait: None,
            chosen: LongPoll::ADAPTIVE,
        };
        assert_eq!(held.span(before), (FIRST, true));
        held.hung_up(before.client, 3_000);
        assert_eq!(held.unsaved(), [(before.client, 2_000)]);
        assert_eq!(held.span(before), (2_000, true), "before it is saved");
        held.saved(before.client, 2_000);
        assert_eq!(held.unsaved(), []);
        assert_eq!(held.span(before), (2_000, true), "and right after");
        held.hung_up(before.client, 2_000);
        held.saved(before.client, 2_000);
        assert_eq!(held.unsaved(), [(before.client, 1_000)], "less, learned meanwhile, is still to be saved");
        held.saved(before.client, 1_000);
        clock.advance(OUTDATED);
        assert_eq!(held.span(before), (FIRST, true), "every call knows it from the database by now");
        held.forget(before.client);
        assert_eq!(held.span(before), (FIRST, true), "an operator has chosen anew");
    }

    #[test]
    fn no_client_takes_the_room_of_all() {
        let (held, _) = polls(3, 2);
        let join = |client| held.join(UserId(1), ClientId(client));
        let first = join(1).expect("there is room");
        let second = join(1).expect("there is room");
        assert!(join(1).is_none(), "not for a third of the same client");
        let other = join(2).expect("but for another");
        assert!(join(2).is_none(), "the room is full");
        drop((first, other));
        let again = [join(1), join(2)];
        assert!(again.iter().all(Option::is_some), "a poll that ends makes room");
        drop((again, second));
        let table = held.table();
        assert!(table.is_empty());
        assert_eq!(held.count.load(Ordering::SeqCst), 0);
    }
}
