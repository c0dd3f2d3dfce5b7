//! The one home of time. Everything else is handed a [`Timestamp`].

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

/// Where the present moment comes from.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;

    /// Waits so many milliseconds of this clock.
    fn sleep(&self, milliseconds: i64) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// The machine's clock, moved by an offset that only the dev world ever sets.
#[derive(Debug, Default)]
pub struct SystemClock {
    offset: AtomicI64,
}

impl SystemClock {
    /// A clock `offset` milliseconds ahead of the machine's.
    pub fn ahead_by(offset: i64) -> Self {
        Self { offset: AtomicI64::new(offset) }
    }

    /// Milliseconds ahead of the machine's clock.
    pub fn offset(&self) -> i64 {
        self.offset.load(Ordering::SeqCst)
    }

    /// Sets how far ahead of the machine's clock this one is, in milliseconds.
    pub fn set_offset(&self, milliseconds: i64) {
        self.offset.store(milliseconds, Ordering::SeqCst);
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock's one home")]
    fn now(&self) -> Timestamp {
        let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let milliseconds = i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX);
        Timestamp(milliseconds).plus(self.offset())
    }

    #[expect(clippy::disallowed_methods, reason = "this is the clock's one home")]
    fn sleep(&self, milliseconds: i64) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let duration = Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0));
        Box::pin(tokio::time::sleep(duration))
    }
}
