//! The one home of time. Everything else gets a [`Timestamp`].

mod keeper;
pub(crate) mod trusted;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::Timestamp;
use tokio::sync::watch;

/// How long the sender waits before it looks again after a fault, in milliseconds.
pub(crate) const RETRY: i64 = 1_000;
/// How long the sender waits for a wake-up before it looks by itself, in milliseconds.
pub(crate) const POLL: i64 = 1_000;
/// Time between two clean-ups, in milliseconds.
pub(crate) const SWEEP: i64 = 20_000;
/// Most pieces of a clean-up that follow each other.
pub(crate) const SWEEPS: u32 = 1_000;
/// With every how many of them the sizes of tables are counted: ten minutes.
pub(crate) const SIZES_EVERY: u64 = 30;

/// Where the present moment comes from.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;

    /// Milliseconds since an arbitrary start. They pass evenly, even when the time of day is set.
    fn monotonic(&self) -> i64;

    /// Milliseconds since an arbitrary start, counted as [`Self::sleep`] counts them. They never go back.
    fn waited(&self) -> i64;

    /// Waits this many milliseconds.
    fn sleep(&self, milliseconds: i64) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock's one home")]
    fn now(&self) -> Timestamp {
        let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }

    #[expect(clippy::disallowed_methods, reason = "this is the clock's one home")]
    fn monotonic(&self) -> i64 {
        static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
        let start = START.get_or_init(Instant::now);
        i64::try_from(start.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    fn waited(&self) -> i64 {
        self.monotonic()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the clock's one home")]
    fn sleep(&self, milliseconds: i64) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let duration = Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0));
        Box::pin(tokio::time::sleep(duration))
    }
}

/// Measures how long the machine needs for work, whatever a movable clock says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "this is the clock's one home")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// Milliseconds since the start.
    pub(crate) fn elapsed(self) -> i64 {
        i64::try_from(self.0.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}

/// A clock that can be moved and stopped, for dev worlds and tests. A server's clock cannot.
///
/// Moving it ahead ends the waits whose end it passes. Waits also end as real time passes, even while the clock is
/// stopped, so that background work goes on.
#[derive(Debug)]
pub struct MovableClock {
    setting: Mutex<Setting>,
    /// Milliseconds by which the clock was moved ahead so far.
    moved: watch::Sender<i64>,
}

#[derive(Debug, Clone, Copy)]
struct Setting {
    offset: i64,
    frozen: Option<Timestamp>,
}

impl Setting {
    fn now(self) -> Timestamp {
        self.frozen.unwrap_or_else(|| SystemClock.now()).plus(self.offset)
    }
}

impl Default for MovableClock {
    fn default() -> Self {
        Self::ahead_by(0)
    }
}

impl MovableClock {
    /// A clock `offset` milliseconds ahead of the machine's.
    pub fn ahead_by(offset: i64) -> Self {
        Self::with(Setting { offset, frozen: None })
    }

    /// A clock that is stopped until it is moved.
    pub fn frozen_at(moment: Timestamp) -> Self {
        Self::with(Setting { offset: 0, frozen: Some(moment) })
    }

    fn with(setting: Setting) -> Self {
        Self { setting: Mutex::new(setting), moved: watch::Sender::new(0) }
    }

    /// Milliseconds this clock has been moved.
    pub fn offset(&self) -> i64 {
        self.setting().offset
    }

    /// The moment, before all moves, at which this clock is stopped.
    pub fn frozen(&self) -> Option<Timestamp> {
        self.setting().frozen
    }

    /// Sets by how many milliseconds this clock is moved, and stops it at a moment before all moves or lets it run with
    /// the machine's.
    pub fn set(&self, offset: i64, frozen: Option<Timestamp>) {
        let mut setting = self.setting();
        let before = setting.now();
        *setting = Setting { offset, frozen };
        let ahead = setting.now().since(before);
        drop(setting);
        if ahead > 0 {
            self.moved.send_modify(|moved| *moved = moved.saturating_add(ahead));
        }
    }

    /// Moves this clock by so many milliseconds, back if they are negative.
    pub fn advance(&self, milliseconds: i64) {
        let Setting { offset, frozen } = *self.setting();
        self.set(offset + milliseconds, frozen);
    }

    fn setting(&self) -> MutexGuard<'_, Setting> {
        self.setting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for MovableClock {
    fn now(&self) -> Timestamp {
        self.setting().now()
    }

    /// Moving this clock makes time pass.
    fn monotonic(&self) -> i64 {
        self.now().0
    }

    fn waited(&self) -> i64 {
        SystemClock.monotonic().saturating_add(*self.moved.borrow())
    }

    fn sleep(&self, milliseconds: i64) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let end = self.waited().saturating_add(milliseconds);
        let mut moves = self.moved.subscribe();
        Box::pin(async move {
            loop {
                let left = end.saturating_sub(self.waited());
                if left <= 0 {
                    return;
                }
                tokio::select! {
                    () = SystemClock.sleep(left) => {}
                    // The sender lives in this clock, so it is never gone.
                    _ = moves.changed() => {}
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use domain::model::time::HOUR;

    use super::*;

    const NOW: Timestamp = Timestamp(1_772_357_400_000);

    #[tokio::test]
    async fn a_wait_ends_when_the_clock_is_moved_past_its_end() {
        let clock = MovableClock::frozen_at(NOW);
        let mut wait = clock.sleep(HOUR);
        let is_over = async |wait: &mut Pin<Box<dyn Future<Output = ()> + Send + '_>>| {
            tokio::select! { biased; () = wait => true, () = tokio::task::yield_now() => false }
        };
        clock.advance(HOUR / 2);
        assert!(!is_over(&mut wait).await);
        clock.advance(-HOUR);
        assert!(!is_over(&mut wait).await, "moving back ends nothing");
        clock.advance(HOUR / 2);
        assert!(is_over(&mut wait).await);
    }

    #[tokio::test]
    async fn a_wait_ends_as_real_time_passes_while_the_clock_is_stopped() {
        let clock = MovableClock::frozen_at(NOW);
        clock.sleep(5).await;
        assert_eq!(clock.now(), NOW);
    }

    #[test]
    fn letting_a_stopped_clock_go_on_is_no_move() {
        let clock = MovableClock::default();
        let real = SystemClock.now();
        clock.set(0, Some(real));
        clock.set(real.since(SystemClock.now()), None);
        assert!(*clock.moved.borrow() < 1_000, "both are the present moment");
    }
}
