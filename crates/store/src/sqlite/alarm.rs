//! What happens when nothing more may be written: the process must end (SEC 78, SEC 81).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Called with one sentence, from whichever thread noticed. It should see to it that the process ends with an error
/// soon; the store answers [`crate::Error::Unavailable`] to everything from then on.
pub type Fatal = Arc<dyn Fn(&str) + Send + Sync>;

/// Raised once, never lowered; and the passing troubles beside it.
#[derive(Clone)]
pub(super) struct Alarm {
    raised: Arc<AtomicBool>,
    hindered: Arc<AtomicBool>,
    hook: Option<Fatal>,
}

impl Alarm {
    pub(super) fn new(hook: Option<Fatal>) -> Self {
        Self { raised: Arc::default(), hindered: Arc::default(), hook }
    }

    pub(super) fn is_raised(&self) -> bool {
        self.raised.load(Ordering::Acquire)
    }

    /// Whether the last group could not be written, for a reason that may pass: a full disk, most likely (SEC 83).
    pub(super) fn is_hindered(&self) -> bool {
        self.hindered.load(Ordering::Acquire)
    }

    /// A group could not be written. Told once, until one can be again.
    pub(super) fn hinder(&self, reason: &str) {
        if !self.hindered.swap(true, Ordering::AcqRel) {
            tracing::warn!(reason, "nothing can be written for now; callers are told to come back");
        }
    }

    /// A group was written.
    pub(super) fn relieve(&self) {
        if self.hindered.load(Ordering::Relaxed) && self.hindered.swap(false, Ordering::AcqRel) {
            tracing::info!("the database can be written again");
        }
    }

    /// Refuses everything from now on and ends the process, by the hook or, without one, at once.
    pub(super) fn raise(&self, sentence: &str) {
        if self.raised.swap(true, Ordering::AcqRel) {
            return;
        }
        tracing::error!(sentence, "the database can no longer be trusted");
        match &self.hook {
            Some(hook) => hook(sentence),
            None => std::process::abort(),
        }
    }
}

/// Held by the writer thread: raises the alarm if that thread panics, so that a panic can never pass for a pause.
pub(super) struct PanicWatch(pub(super) Alarm);

impl Drop for PanicWatch {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.raise("the writer panicked");
        }
    }
}
