//! The one home of time. Everything else is handed a [`Timestamp`].

pub(crate) mod trusted;

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use domain::Timestamp;

/// How long the sender waits before it looks again after a fault, in milliseconds.
pub(crate) const RETRY: i64 = 1_000;
/// How long the sender waits for a wake-up before it looks by itself, in milliseconds.
pub(crate) const POLL: i64 = 1_000;
/// Time between two clean-ups, in milliseconds.
pub(crate) const SWEEP: i64 = 20_000;
/// With every how many of them the sizes of tables are counted: ten minutes.
pub(crate) const SIZES_EVERY: u64 = 30;

/// Where the present moment comes from.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;

    /// How much time has passed since whenever, in milliseconds: it goes evenly, whatever the time of day is set to.
    fn monotonic(&self) -> i64;

    /// Waits so many milliseconds of this clock.
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
        static BEGAN: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
        let began = BEGAN.get_or_init(std::time::Instant::now);
        i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    #[expect(clippy::disallowed_methods, reason = "this is the clock's one home")]
    fn sleep(&self, milliseconds: i64) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let duration = Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0));
        Box::pin(tokio::time::sleep(duration))
    }
}

/// Measures a wait as [`Clock::sleep`] does: waits are real, whatever time of day it is said to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch(std::time::Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "this is the clock's one home")]
    pub(crate) fn start() -> Self {
        Self(std::time::Instant::now())
    }

    /// Milliseconds since the start.
    pub(crate) fn elapsed(self) -> i64 {
        i64::try_from(self.0.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}

/// A clock that can be moved and stopped, for dev worlds and tests. A server's clock cannot.
#[derive(Debug)]
pub struct MovableClock {
    /// Where time stands still; [`RUNS`] while it does not.
    frozen: AtomicI64,
    offset: AtomicI64,
}

/// No moment: the clock runs.
const RUNS: i64 = i64::MIN;

impl Default for MovableClock {
    fn default() -> Self {
        Self::ahead_by(0)
    }
}

impl MovableClock {
    /// A clock `offset` milliseconds ahead of the machine's.
    pub fn ahead_by(offset: i64) -> Self {
        Self { frozen: AtomicI64::new(RUNS), offset: AtomicI64::new(offset) }
    }

    /// A clock that stands still until it is moved.
    pub fn frozen_at(moment: Timestamp) -> Self {
        Self { frozen: AtomicI64::new(moment.0), offset: AtomicI64::new(0) }
    }

    /// Milliseconds this clock has been moved.
    pub fn offset(&self) -> i64 {
        self.offset.load(Ordering::SeqCst)
    }

    /// Sets by how many milliseconds this clock is moved.
    pub fn set_offset(&self, milliseconds: i64) {
        self.offset.store(milliseconds, Ordering::SeqCst);
    }

    /// The moment before all moves at which this clock stands still, if it does.
    pub fn frozen(&self) -> Option<Timestamp> {
        Some(self.frozen.load(Ordering::SeqCst)).filter(|at| *at != RUNS).map(Timestamp)
    }

    /// Stops this clock at a moment before all moves, or lets it run with the machine's.
    pub fn set_frozen(&self, at: Option<Timestamp>) {
        self.frozen.store(at.map_or(RUNS, |at| at.0), Ordering::SeqCst);
    }
}

impl Clock for MovableClock {
    fn now(&self) -> Timestamp {
        self.frozen().unwrap_or_else(|| SystemClock.now()).plus(self.offset())
    }

    /// In such a world time does pass when the clock is moved ahead.
    fn monotonic(&self) -> i64 {
        self.now().0
    }

    fn sleep(&self, milliseconds: i64) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        static REAL: SystemClock = SystemClock;
        REAL.sleep(milliseconds)
    }
}
