//! Which prefixes of numbers are closed, as this node knows (SEC 102).

use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::rules::conversion::PrefixStates;

/// The prefixes that are closed, as this node knows.
#[derive(Default)]
pub(crate) struct Prefixes {
    closed: Mutex<PrefixStates>,
    /// Held while they are judged: what was read before must not replace what was decided after.
    pub(super) turn: tokio::sync::Mutex<()>,
}

impl Prefixes {
    pub(super) fn states(&self) -> MutexGuard<'_, PrefixStates> {
        self.closed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
