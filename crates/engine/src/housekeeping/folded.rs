//! Refusals under a lock that were folded (SEC 26): counted here, and written down together once their time is over, so
//! repeated calls cost a place in a table and no write.
//!
//! What a node that is killed has counted and not written is lost; the first refusal of each ten minutes is in the trail.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::rules::throttle;
use domain::{AuditEvent, AuditKind, ClientId, Timestamp, UserId};

/// The most that is counted at once. Calls about more users than this are seen by the first entry of each.
const MOST: usize = 10_000;

/// One count for each of these: what was refused, to whom, by whom.
pub(super) type Key = (AuditKind, Option<UserId>, Option<ClientId>);

/// What is counted.
#[derive(Default)]
pub(crate) struct Folded(Mutex<HashMap<Key, Count>>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) first: AuditEvent,
    pub(super) times: u32,
}

impl Folded {
    /// Counts a refusal.
    pub(crate) fn count(&self, event: AuditEvent) {
        let mut table = self.table();
        let key = (event.kind, event.user, event.client);
        if let Some(count) = table.get_mut(&key) {
            count.times = count.times.saturating_add(1);
        } else if table.len() < MOST {
            table.insert(key, Count { first: event, times: 1 });
        }
    }

    /// What began so long ago that it is to be written, or all of it.
    pub(super) fn due(&self, all: bool, now: Timestamp) -> Vec<Key> {
        let table = self.table();
        let due = table.iter().filter(|(_, count)| all || !now.is_within(throttle::FOLD, count.first.at));
        due.map(|(key, _)| *key).collect()
    }

    /// Takes one out. Each is taken when it is its turn, so that a server that stops in between loses none of the others.
    pub(super) fn take(&self, key: &Key) -> Option<Count> {
        self.table().remove(key)
    }

    /// Puts back what could not be written.
    pub(super) fn put_back(&self, count: Count) {
        let mut table = self.table();
        let key = (count.first.kind, count.first.user, count.first.client);
        let times = table.get(&key).map_or(0, |since| since.times);
        table.insert(key, Count { times: count.times.saturating_add(times), ..count });
    }

    fn table(&self) -> MutexGuard<'_, HashMap<Key, Count>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::model::time::SECOND;

    const NOW: Timestamp = Timestamp(1_750_000_000_000);

    fn refusal(user: i64, client: i64, at: Timestamp) -> AuditEvent {
        AuditEvent::of_user(AuditKind::Refused, UserId(user), at).by(Some(ClientId(client)))
    }

    fn taken(folded: &Folded, all: bool, now: Timestamp) -> Vec<Count> {
        folded.due(all, now).iter().filter_map(|key| folded.take(key)).collect()
    }

    fn times(taken: &[Count]) -> Vec<u32> {
        let mut times: Vec<_> = taken.iter().map(|count| count.times).collect();
        times.sort_unstable();
        times
    }

    #[test]
    fn each_client_is_counted_at_each_user_until_its_time_is_over() {
        let folded = Folded::default();
        for n in 0..5 {
            folded.count(refusal(1, 1, NOW.plus(n * SECOND)));
        }
        folded.count(refusal(1, 2, NOW.plus(SECOND)));
        folded.count(refusal(2, 1, NOW.plus(throttle::FOLD)));
        assert_eq!(taken(&folded, false, NOW.plus(throttle::FOLD - 1)), []);
        let due = taken(&folded, false, NOW.plus(throttle::FOLD + SECOND));
        assert_eq!(times(&due), [1, 5]);
        // What could not be written is counted on.
        let back = due.into_iter().find(|count| count.times == 5).unwrap();
        folded.count(refusal(1, 1, NOW.plus(throttle::FOLD)));
        folded.put_back(back);
        assert_eq!(times(&taken(&folded, true, NOW)), [1, 6]);
        assert_eq!(taken(&folded, true, NOW), []);
    }

    #[test]
    fn a_flood_over_many_users_has_an_end() {
        let folded = Folded::default();
        for user in 0..20_000 {
            folded.count(refusal(user, 1, NOW));
        }
        assert_eq!(taken(&folded, true, NOW).len(), MOST);
    }
}
