//! Which clients have lists read, or wait for their turn.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::ClientId;
use tokio::sync::Semaphore;

/// Lists read at once.
const PLACES: usize = 2;

/// Who is at it.
pub(crate) struct Lists {
    pub(super) places: Arc<Semaphore>,
    clients: Mutex<HashMap<ClientId, Queue>>,
}

/// A client's lists.
pub(super) struct Queue {
    /// How many are read or wait.
    pub(super) asked: usize,
    pub(super) turn: Arc<Semaphore>,
}

impl Default for Lists {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(PLACES)), clients: Mutex::default() }
    }
}

impl Lists {
    pub(super) fn clients(&self) -> MutexGuard<'_, HashMap<ClientId, Queue>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
