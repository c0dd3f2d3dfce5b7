//! What happens when nothing more may be written: the process must end (SEC 78, SEC 81).

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::exec::{DISK_FULL, Failure};

/// How long a trouble that comes back is not logged again.
const QUIET: Duration = Duration::from_secs(60);
/// "Quota exceeded", on Linux: one more way of a disk to be full.
const EDQUOT: i32 = 122;

/// Called with one sentence, from whichever thread noticed. It should see to it that the process ends with an error
/// soon; the store answers [`crate::Error::Unavailable`] to everything from then on.
pub type Fatal = Arc<dyn Fn(&str) + Send + Sync>;

/// Raised once, never lowered; and the passing troubles beside it.
#[derive(Clone)]
pub(super) struct Alarm {
    raised: Arc<AtomicBool>,
    hindered: Arc<Trouble>,
    checkpoints: Arc<Trouble>,
    /// When the writer began what it is at, in milliseconds since `opened`; 0 while it rests.
    at_work: Arc<AtomicU64>,
    opened: Instant,
    /// The folder of the database.
    folder: PathBuf,
    hook: Option<Fatal>,
}

/// Something that fails each time it is tried, and is tried again at once: logged when it begins and when it ends, with
/// how often it has failed, and not again for a while where it comes and goes.
#[derive(Debug, Default)]
struct Trouble {
    is_on: AtomicBool,
    times: AtomicU64,
    told: AtomicBool,
    last: Mutex<Option<Instant>>,
}

impl Trouble {
    /// It has failed. Says whether to tell that.
    fn fails(&self, now: Instant) -> bool {
        self.times.fetch_add(1, Ordering::Relaxed);
        if self.is_on.swap(true, Ordering::AcqRel) {
            return false;
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|last| now.saturating_duration_since(last) < QUIET) {
            return false;
        }
        *last = Some(now);
        self.told.store(true, Ordering::Release);
        true
    }

    /// It works. Returns how often it has failed, if that is to be logged.
    fn works(&self) -> Option<u64> {
        if !self.is_on.load(Ordering::Relaxed) || !self.is_on.swap(false, Ordering::AcqRel) {
            return None;
        }
        self.told.swap(false, Ordering::AcqRel).then(|| self.times.swap(0, Ordering::Relaxed))
    }
}

impl Alarm {
    pub(super) fn new(folder: &Path, hook: Option<Fatal>) -> Self {
        Self {
            raised: Arc::default(),
            hindered: Arc::default(),
            checkpoints: Arc::default(),
            at_work: Arc::default(),
            opened: now(),
            folder: folder.to_owned(),
            hook,
        }
    }

    /// The writer begins a group.
    pub(super) fn begins(&self) {
        self.at_work.store(self.age().max(1), Ordering::Release);
    }

    /// The writer is done with it.
    pub(super) fn ends(&self) {
        self.at_work.store(0, Ordering::Release);
    }

    /// Whether the writer has been at one group for longer than this: the disk does not answer.
    pub(super) fn is_stuck(&self, time: Duration) -> bool {
        let since = self.at_work.load(Ordering::Acquire);
        since > 0 && u128::from(self.age().saturating_sub(since)) > time.as_millis()
    }

    fn age(&self) -> u64 {
        u64::try_from((now() - self.opened).as_millis()).unwrap_or(u64::MAX)
    }

    /// What a failure is, after a look at the folder where only that can tell. A write that a quota refuses is one that a
    /// full disk refuses: nothing was kept of it, and it passes (SEC 78).
    pub(super) fn judged(&self, failure: Failure) -> Failure {
        match failure {
            Failure::Unwritten(_) if is_over_quota(&self.folder) => Failure::Group(DISK_FULL),
            Failure::Unwritten(reason) => Failure::Fatal(reason),
            other => other,
        }
    }

    pub(super) fn is_raised(&self) -> bool {
        self.raised.load(Ordering::Acquire)
    }

    /// Whether the last group could not be written, for a reason that may pass: a full disk, most likely (SEC 83).
    pub(super) fn is_hindered(&self) -> bool {
        self.hindered.is_on.load(Ordering::Acquire)
    }

    /// A group could not be written. Logged once, until one can be again.
    pub(super) fn hinder(&self, reason: &str) {
        if self.hindered.fails(now()) {
            tracing::warn!(reason, "the database cannot be written; callers must retry");
        }
    }

    /// A group was written.
    pub(super) fn relieve(&self) {
        if let Some(refused) = self.hindered.works() {
            tracing::info!(refused, "the database can be written again");
        }
    }

    /// A checkpoint failed: nothing is lost, the log only grows. Logged once, until one succeeds.
    pub(super) fn checkpoint_failed(&self, failure: &Failure) {
        if self.checkpoints.fails(now()) {
            tracing::warn!(?failure, "checkpoint failed; it will be retried");
        }
    }

    /// A checkpoint succeeded.
    pub(super) fn checkpoint_succeeded(&self) {
        if let Some(failed) = self.checkpoints.works() {
            tracing::info!(failed, "checkpoint succeeded again");
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

/// Whether the system refuses a few bytes more in this folder because a quota is used up. SQLite does not tell that from
/// a broken disk.
fn is_over_quota(folder: &Path) -> bool {
    let probe = folder.join("probe");
    let tried = File::create(&probe).and_then(|mut file| {
        file.write_all(&vec![1; 256 << 10])?;
        file.sync_data()
    });
    // It holds nothing.
    let _ = std::fs::remove_file(&probe);
    tried.is_err_and(|error| error.raw_os_error() == Some(EDQUOT))
}

#[expect(clippy::disallowed_methods, reason = "how long the disk takes, on which nothing durable rests")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trouble_is_told_when_it_begins_and_when_it_ends() {
        let (trouble, start) = (Trouble::default(), now());
        assert_eq!(trouble.works(), None);
        let told = (0..10_000).filter(|_| trouble.fails(start)).count();
        assert_eq!((told, trouble.works(), trouble.works()), (1, Some(10_000), None));
        // It comes and goes with every group.
        let told = (0..1_000).filter(|_| trouble.fails(start + QUIET / 2) || trouble.works().is_some()).count();
        assert_eq!(told, 0);
        assert!(trouble.fails(start + QUIET));
        assert_eq!(trouble.works(), Some(1_001));
    }

    #[test]
    fn a_writer_is_stuck_once_it_has_been_at_one_group_for_too_long() {
        let alarm = Alarm::new(Path::new("/nowhere"), None);
        assert!(!alarm.is_stuck(Duration::ZERO));
        alarm.begins();
        while !alarm.is_stuck(Duration::from_millis(1)) {
            std::thread::yield_now();
        }
        assert!(!alarm.is_stuck(Duration::from_secs(3_600)));
        alarm.ends();
        assert!(!alarm.is_stuck(Duration::ZERO));
    }
}
