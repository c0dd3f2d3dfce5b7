//! Who waits for a decision about which user: held polls, and phones that listen.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::UserId;
use tokio::sync::Notify;

/// The table of those who wait.
#[derive(Default)]
pub(crate) struct WatchedUsers {
    count: AtomicUsize,
    users: Mutex<HashMap<UserId, Vec<Arc<Notify>>>>,
}

/// Hears of decisions about some users, until it is dropped. A decision that is made between two waits ends the next one at once.
pub struct UserWatch {
    table: Arc<WatchedUsers>,
    users: Vec<UserId>,
    notify: Arc<Notify>,
}

impl std::fmt::Debug for UserWatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "UserWatch({:?})", self.users)
    }
}

impl WatchedUsers {
    /// Watches these users from now on.
    pub(crate) fn watch(self: &Arc<Self>, users: Vec<UserId>) -> UserWatch {
        let notify = Arc::new(Notify::new());
        // Raised first, so that a decision after the first look at the users sees somebody who waits.
        self.count.fetch_add(1, Ordering::SeqCst);
        let mut table = self.table();
        for user in &users {
            table.entry(*user).or_default().push(notify.clone());
        }
        drop(table);
        UserWatch { table: self.clone(), users, notify }
    }

    /// Wakes those who watch this user. Cheap while there is no watch at all.
    pub(crate) fn wake(&self, user: UserId) {
        if self.count.load(Ordering::SeqCst) == 0 {
            return;
        }
        if let Some(watches) = self.table().get(&user) {
            for watch in watches {
                watch.notify_one();
            }
        }
    }

    pub(crate) fn wake_all(&self) {
        self.table().values().flatten().for_each(|watch| watch.notify_one());
    }

    fn table(&self) -> MutexGuard<'_, HashMap<UserId, Vec<Arc<Notify>>>> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UserWatch {
    /// Ends after the next decision about one of the users.
    pub async fn changed(&self) {
        self.notify.notified().await;
    }
}

impl Drop for UserWatch {
    fn drop(&mut self) {
        let mut table = self.table.table();
        for user in &self.users {
            if let Some(watches) = table.get_mut(user) {
                watches.retain(|watch| !Arc::ptr_eq(watch, &self.notify));
                if watches.is_empty() {
                    table.remove(user);
                }
            }
        }
        drop(table);
        self.table.count.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    async fn hears(watch: &UserWatch) -> bool {
        timeout(Duration::from_millis(20), watch.changed()).await.is_ok()
    }

    #[tokio::test]
    async fn a_watch_hears_of_its_users_and_of_no_others() {
        let table = Arc::new(WatchedUsers::default());
        let [one, two] = [vec![UserId(1), UserId(2)], vec![UserId(2)]].map(|users| table.watch(users));
        table.wake(UserId(1));
        assert!(hears(&one).await && !hears(&two).await);
        table.wake(UserId(2));
        assert!(hears(&one).await && hears(&two).await);
        table.wake(UserId(3));
        assert!(!hears(&one).await && !hears(&two).await);
        drop((one, two));
        assert!(table.table().is_empty());
        assert_eq!(table.count.load(Ordering::SeqCst), 0);
    }
}
