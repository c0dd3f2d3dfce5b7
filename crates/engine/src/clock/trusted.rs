//! The time that this process trusts, and how that outlives it: the highest time seen is one number in the database
//! (SEC 74). It is written at most once a second, and only after something was decided, so a process that is killed has
//! forgotten at most a second of it.

use std::sync::{Arc, Mutex, PoisonError};

use domain::Timestamp;
use domain::rules::trusted_time::{BEHIND, Doubt, Trusted};
use store::Store;

use crate::Clock;

/// Its key in the table of the database's own values.
pub(super) const KEY: &str = "trusted_time";

/// The clocks of a process, and what is made of them.
pub struct TrustedTime {
    pub(super) clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

pub(super) struct State {
    pub(super) trusted: Trusted,
    /// How often somebody has vouched for the wall clock: what was seen before that counts no longer.
    pub(super) epoch: u64,
    /// Whether this process writes the time down.
    pub(super) kept: bool,
}

/// How the clocks stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockReading {
    /// What the machine's clock shows.
    pub wall: Timestamp,
    /// What is trusted.
    pub trusted: Timestamp,
}

impl TrustedTime {
    /// Begins with the highest time that was seen before, and warns if the clock is behind it.
    pub async fn start(store: &Store, clock: Arc<dyn Clock>) -> Result<Self, store::Error> {
        let (epoch, seen) = store.meta(KEY).await?.as_deref().and_then(read).unzip();
        let wall = clock.now();
        if let Some(seconds) = seen.map(|seen: Timestamp| seen.since(wall)).filter(|behind| *behind > BEHIND) {
            tracing::warn!(
                seconds = seconds / 1_000,
                "the clock is behind the highest time this installation has seen: either it is wrong now or it was wrong \
                 then. What is over stays over. Set it right; if it is right now, run `countersign clock --accept`"
            );
        }
        let state =
            State { trusted: Trusted::start(seen, wall, clock.monotonic()), epoch: epoch.unwrap_or(0), kept: false };
        Ok(Self { clock, state: Mutex::new(state) })
    }

    /// The time that decides what is over.
    pub fn now(&self) -> Timestamp {
        self.read().trusted
    }

    /// The time by which codes that come with the time are judged. While the clocks differ it is the earlier one, so that
    /// no step ahead of trusted time is ever accepted.
    pub fn for_codes(&self) -> Timestamp {
        let ClockReading { wall, trusted } = self.read();
        wall.min(trusted)
    }

    /// Wall time and trusted time.
    pub fn read(&self) -> ClockReading {
        let mut state = self.state();
        let wall = self.clock.now();
        let (trusted, doubt) = state.trusted.look(wall, self.clock.monotonic());
        drop(state);
        match doubt {
            None => {}
            Some(Doubt::Leapt(by)) => tracing::error!(
                seconds = by / 1_000,
                "the clock has leapt ahead: it is believed once it has stood by that for a minute"
            ),
            Some(Doubt::Believed(by)) => {
                tracing::warn!(seconds = by / 1_000, "the clock has stood by its leap and is believed");
            }
        }
        ClockReading { wall, trusted }
    }

    /// The machine's clock.
    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Writes down the highest time seen, and hears whether somebody has vouched for the clock at another node.
    pub(super) async fn keep(&self, store: &Store) -> Result<(), store::Error> {
        let seen = self.now();
        let epoch = self.state().epoch;
        let held = store.raise_meta(KEY, &written(epoch, seen)).await?;
        if let Some((newer, seen)) = read(&held).filter(|(held, _)| *held > epoch) {
            let mut state = self.state();
            let wall = self.clock.now().max(seen);
            state.trusted.accept(wall, self.clock.monotonic());
            state.epoch = newer;
        }
        Ok(())
    }

    pub(super) fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ordered as its bytes are.
pub(super) fn written(epoch: u64, seen: Timestamp) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&epoch.to_be_bytes());
    bytes[8..].copy_from_slice(&seen.0.max(0).to_be_bytes());
    bytes
}

pub(super) fn read(stored: &[u8]) -> Option<(u64, Timestamp)> {
    let (epoch, seen) = (stored.first_chunk::<8>()?, stored.get(8..)?.first_chunk::<8>()?);
    Some((u64::from_be_bytes(*epoch), Timestamp(i64::from_be_bytes(*seen))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::MovableClock;
    use store::SqliteOptions;

    const NOW: Timestamp = Timestamp(1_772_357_400_000);
    const DAY: i64 = 86_400_000;

    #[test]
    fn what_is_written_is_ordered_by_epoch_and_then_by_time() {
        let mut all = [(0, NOW), (0, NOW.plus(1)), (1, Timestamp(5)), (1, NOW)].map(|(epoch, at)| written(epoch, at));
        let sorted = all;
        all.sort_unstable();
        assert_eq!(all, sorted);
        assert_eq!(read(&written(7, NOW)), Some((7, NOW)));
        assert_eq!(read(b"short"), None);
    }

    #[tokio::test]
    async fn the_highest_time_seen_outlives_the_process() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open_sqlite(dir.path(), SqliteOptions::default()).unwrap();
        let at = |moment| Arc::new(MovableClock::frozen_at(moment));
        let first = TrustedTime::start(&store, at(NOW.plus(DAY))).await.unwrap();
        first.keep(&store).await.unwrap();
        let second = TrustedTime::start(&store, at(NOW)).await.unwrap();
        assert_eq!(second.read(), ClockReading { wall: NOW, trusted: NOW.plus(DAY) });
        assert_eq!(second.for_codes(), NOW, "codes go by the clock that people's devices go by");
        second.keep(&store).await.unwrap();
        let third = TrustedTime::start(&store, at(NOW.plus(2 * DAY))).await.unwrap();
        assert_eq!(third.now(), NOW.plus(2 * DAY));
        store.close().await;
    }
}
