//! The queue before password hashes: few are computed at once (SEC 43), and no client can take all places.
//!
//! Each client has half of the places and waits with two of its calls at a time in the common line, so a client that fills its
//! own places leaves the others theirs, and their turns come between. Of one name two are under way at most. What takes
//! far longer than our own hash has one of the two turns, never both.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{ClientId, Digest};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use crate::fault::Fault;

/// Hashes computed at once.
const AT_ONCE: usize = 2;
/// Callers that may wait for their turn.
const WAITING: usize = 64;
/// Places of one client, those whose turn it is included.
const SHARE: usize = usize::midpoint(AT_ONCE, WAITING);
/// Comparisons under way for one name.
const PER_NAME: usize = 2;

/// The queue before password hashes.
#[derive(Debug)]
pub(crate) struct Queue {
    turns: Semaphore,
    long_turns: Semaphore,
    places: Semaphore,
    shares: Mutex<HashMap<Option<ClientId>, Arc<Share>>>,
    names: Mutex<HashMap<Digest, usize>>,
}

/// What one client has of it. There are as many as there are clients.
#[derive(Debug)]
struct Share {
    turns: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

/// A turn; the next one's comes when this is dropped.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    _places: (OwnedSemaphorePermit, SemaphorePermit<'a>),
    _turns: (OwnedSemaphorePermit, Option<SemaphorePermit<'a>>, SemaphorePermit<'a>),
}

/// A name that is being asked for.
#[derive(Debug)]
pub(crate) struct Named<'a> {
    queue: &'a Queue,
    name: Digest,
}

impl Drop for Named<'_> {
    fn drop(&mut self) {
        let mut names = self.queue.names();
        if let Some(under_way) = names.get_mut(&self.name) {
            *under_way -= 1;
            if *under_way == 0 {
                names.remove(&self.name);
            }
        }
    }
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            turns: Semaphore::new(AT_ONCE),
            long_turns: Semaphore::new(1),
            places: Semaphore::new(AT_ONCE + WAITING),
            shares: Mutex::default(),
            names: Mutex::default(),
        }
    }
}

impl Queue {
    /// Waits for a turn. Refuses with [`Fault::Busy`] when too many wait, of this client or of all.
    pub(crate) async fn turn(&self, client: Option<ClientId>, is_long: bool) -> Result<Turn<'_>, Fault> {
        let (own_turns, own_places) = self.share(client);
        let own_place = own_places.try_acquire_owned().map_err(|_| Fault::Busy)?;
        let place = self.places.try_acquire().map_err(|_| Fault::Busy)?;
        let own_turn = own_turns.acquire_owned().await.map_err(|_| Fault::Busy)?;
        let long_turn = if is_long { Some(self.long_turns.acquire().await.map_err(|_| Fault::Busy)?) } else { None };
        let turn = self.turns.acquire().await.map_err(|_| Fault::Busy)?;
        Ok(Turn { _places: (own_place, place), _turns: (own_turn, long_turn, turn) })
    }

    /// Begins a comparison for a name, whether or not somebody has it.
    pub(crate) fn named(&self, name: &str) -> Result<Named<'_>, Fault> {
        // By the key that finds people: all spellings of a name share its places.
        let name = Digest::of(domain::model::name::key(name).as_bytes());
        let mut names = self.names();
        let under_way = names.entry(name).or_default();
        if *under_way >= PER_NAME {
            return Err(Fault::Busy);
        }
        *under_way += 1;
        Ok(Named { queue: self, name })
    }

    fn share(&self, client: Option<ClientId>) -> (Arc<Semaphore>, Arc<Semaphore>) {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        let share = shares.entry(client).or_insert_with(|| {
            let semaphore = |permits| Arc::new(Semaphore::new(permits));
            Arc::new(Share { turns: semaphore(AT_ONCE), places: semaphore(SHARE) })
        });
        (share.turns.clone(), share.places.clone())
    }

    fn names(&self) -> MutexGuard<'_, HashMap<Digest, usize>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Option<ClientId> = Some(ClientId(1));
    const OTHER: Option<ClientId> = Some(ClientId(2));

    /// How many calls of a client get a place while none of them ends, besides those whose turn it is.
    async fn crowd(queue: &Arc<Queue>, client: Option<ClientId>, size: usize) -> Vec<tokio::task::JoinHandle<bool>> {
        let call = || {
            let queue = queue.clone();
            tokio::spawn(async move {
                let turn = queue.turn(client, false).await;
                let has_turn = turn.is_ok();
                std::future::pending::<()>().await;
                has_turn
            })
        };
        let calls: Vec<_> = (0..size).map(|_| call()).collect();
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        calls
    }

    #[tokio::test]
    async fn a_client_that_fills_its_places_leaves_the_others_theirs() {
        let queue = Arc::new(Queue::default());
        let calls = crowd(&queue, ONE, 80).await;
        assert_eq!(queue.places.available_permits(), AT_ONCE + WAITING - SHARE, "half of them");
        assert!(matches!(queue.turn(ONE, false).await, Err(Fault::Busy)));
        // The crowd waits with two calls in the common line, so the other's turn is the next.
        let other = {
            let queue = queue.clone();
            tokio::spawn(async move { queue.turn(OTHER, false).await.is_ok() })
        };
        calls.iter().for_each(tokio::task::JoinHandle::abort);
        assert!(other.await.unwrap());
    }

    #[tokio::test]
    async fn what_takes_long_leaves_a_turn_to_what_does_not() {
        let queue = Queue::default();
        let _long = queue.turn(ONE, true).await.unwrap();
        let mut second = Box::pin(queue.turn(OTHER, true));
        let waits = tokio::select! { biased; _ = &mut second => false, () = std::future::ready(()) => true };
        assert!(waits);
        assert!(queue.turn(Some(ClientId(3)), false).await.is_ok());
    }

    #[test]
    fn two_are_under_way_for_one_name_however_it_is_spelt() {
        let queue = Queue::default();
        let first = queue.named("Ana").unwrap();
        let second = queue.named(" ana ").unwrap();
        assert!(matches!(queue.named("ANA"), Err(Fault::Busy)));
        assert!(matches!(queue.named("a\u{200b}na"), Err(Fault::Busy)));
        assert!(queue.named("ben").is_ok());
        drop(first);
        assert!(queue.named("ana").is_ok());
        drop(second);
        assert!(queue.names().is_empty(), "nothing is kept of those that are over");
    }
}
