//! Locks by name and by id in the other system, so that two lines about one person follow each other.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};

use domain::model::name;
use tokio::sync::{Mutex, MutexGuard};

use super::Person;
/// Locks among which names are spread. Far more than people under way, so that strangers seldom meet.
const LANES: usize = 1 << 14;

/// One lock for each group of names and ids.
pub(super) struct NameLocks(Vec<Mutex<u64>>);

impl Default for NameLocks {
    fn default() -> Self {
        Self(std::iter::repeat_with(Mutex::default).take(LANES).collect())
    }
}

impl NameLocks {
    /// Keeps everybody else with this name or this id in the other system waiting.
    pub(super) async fn hold(&self, person: &Person) -> Held<'_> {
        let lane = |text: &str| {
            let mut hasher = DefaultHasher::new();
            text.hash(&mut hasher);
            usize::try_from(hasher.finish() % LANES as u64).unwrap_or_default()
        };
        let name = lane(&name::key(&person.username));
        let other = person.external_id.as_deref().map(lane).filter(|other| *other != name);
        // Always in the same order, or two people could wait for each other.
        let (first, second) = match other {
            Some(other) if other < name => (other, Some(name)),
            other => (name, other),
        };
        let held = self.0[first].lock().await;
        let also = match second {
            Some(lane) => Some(self.0[lane].lock().await),
            None => None,
        };
        Held(held, also)
    }
}

/// Names in hand. Each lane remembers when it last served.
pub(super) struct Held<'a>(MutexGuard<'a, u64>, Option<MutexGuard<'a, u64>>);

impl Held<'_> {
    pub(super) fn last(&self) -> u64 {
        self.1.as_ref().map_or(*self.0, |also| (*self.0).max(**also))
    }

    pub(super) fn mark(&mut self, moment: u64) {
        *self.0 = moment;
        if let Some(also) = &mut self.1 {
            **also = moment;
        }
    }
}
