//! The queues in which lists wait for their turn: one of each client, and one for the places of all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::ClientId;
use tokio::sync::Semaphore;

/// Lists read at once.
const PLACES: usize = 2;

/// The queues of all clients that have lists read.
pub(crate) struct ListQueues {
    pub(super) places: Arc<Semaphore>,
    clients: Mutex<HashMap<ClientId, ListQueue>>,
}

/// The lists of one client.
pub(super) struct ListQueue {
    /// How many are read or wait.
    pub(super) asked: usize,
    pub(super) turn: Arc<Semaphore>,
}

impl Default for ListQueues {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(PLACES)), clients: Mutex::default() }
    }
}

impl ListQueues {
    pub(super) fn clients(&self) -> MutexGuard<'_, HashMap<ClientId, ListQueue>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
