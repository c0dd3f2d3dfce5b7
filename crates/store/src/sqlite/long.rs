//! Reads that may take long. They have a few threads with separate connections, so that nothing else ever waits for
//! one: look-ups run beside them, and so does the writer. A read ends when its time is over, when its caller no longer waits for its
//! answer any more, or when the store closes: in the middle of its statement, wherever that is.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::alarm::Alarm;
use super::exec::Failure;
use super::limits::CLOSED;
use super::open;
use super::readers::judged;
use crate::error::{BUSY, Error};

/// Reads that may wait for a thread; one more is refused.
const QUEUE: usize = 64;
/// Steps of SQLite's machine between two looks at the time: well under a millisecond.
const STEPS: i32 = 1_000;

type Job = Box<dyn FnOnce(&mut Reader) + Send>;

pub(super) struct Long {
    jobs: Mutex<Option<SyncSender<Job>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    closed: Arc<AtomicBool>,
    time: Duration,
}

impl Long {
    /// Starts `threads` threads. A read may take `time`.
    pub(super) fn start(
        name: &str,
        threads: usize,
        time: Duration,
        database: &Path,
        alarm: &Alarm,
    ) -> std::io::Result<Self> {
        let (jobs, waiting) = sync_channel(QUEUE);
        let waiting = Arc::new(Mutex::new(waiting));
        let closed = Arc::new(AtomicBool::new(false));
        let thread = |_| {
            let reader =
                Reader { database: database.to_owned(), alarm: alarm.clone(), closed: closed.clone(), conn: None };
            let waiting = waiting.clone();
            std::thread::Builder::new().name(name.to_owned()).spawn(move || reader.run(&waiting))
        };
        let threads = (0..threads).map(thread).collect::<Result<_, _>>()?;
        Ok(Self { jobs: Mutex::new(Some(jobs)), threads: Mutex::new(threads), closed, time })
    }

    /// Reads on one of the threads. A caller that stops waiting ends the reading.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Error> {
        let (answer, answered) = oneshot::channel();
        let waits = Waits(Arc::new(AtomicBool::new(true)));
        let (time, is_waiting) = (self.time, waits.0.clone());
        let job: Job = Box::new(move |reader| {
            if is_waiting.load(Ordering::Acquire) {
                let _ = answer.send(reader.read(now() + time, is_waiting, read));
            }
        });
        self.jobs().as_ref().ok_or(CLOSED)?.try_send(job).map_err(|_| BUSY)?;
        answered.await.unwrap_or(Err(CLOSED))
    }

    /// Ends what is being read, and the threads.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.jobs().take();
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // A panic was reported when it happened.
            let _ = thread.join();
        }
    }

    fn jobs(&self) -> std::sync::MutexGuard<'_, Option<SyncSender<Job>>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// That somebody waits for an answer.
struct Waits(Arc<AtomicBool>);

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

/// What a thread has.
struct Reader {
    database: PathBuf,
    alarm: Alarm,
    closed: Arc<AtomicBool>,
    conn: Option<Connection>,
}

impl Reader {
    fn run(mut self, waiting: &Mutex<Receiver<Job>>) {
        loop {
            let job = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(job) = job else { return };
            job(&mut self);
        }
    }

    fn read<T>(
        &mut self,
        until: Instant,
        is_waiting: Arc<AtomicBool>,
        read: impl FnOnce(&Connection) -> Result<T, Failure>,
    ) -> Result<T, Error> {
        if self.closed.load(Ordering::Acquire) || self.alarm.is_raised() {
            return Err(CLOSED);
        }
        let failed = |failure| judged(failure, &self.alarm);
        let mut conn = match self.conn.take() {
            Some(conn) => conn,
            None => open::reader(&self.database).map_err(|error| failed(error.into()))?,
        };
        let closed = self.closed.clone();
        let is_over = move || now() >= until || !is_waiting.load(Ordering::Acquire) || closed.load(Ordering::Acquire);
        conn.progress_handler(STEPS, Some(is_over)).map_err(|error| failed(error.into()))?;
        // A connection whose reading failed may be in the middle of something, and is closed.
        let answer = catch_unwind(AssertUnwindSafe(|| read(&conn))).map_err(|_| CLOSED)?.map_err(failed)?;
        conn.progress_handler(0, None::<fn() -> bool>).map_err(|error| failed(error.into()))?;
        self.conn = Some(conn);
        Ok(answer)
    }
}

#[expect(clippy::disallowed_methods, reason = "a bound on work, on which nothing durable rests")]
fn now() -> Instant {
    Instant::now()
}
