//! Threads that serve connections, each with a runtime of one thread.
//!
//! What a connection wakes is on its own thread nearly always: no lock, no other core, no system call. The scheduler of a
//! runtime with several threads costs 4–5 µs of each request, mostly for waking its threads.

use std::io;
use std::num::NonZero;
use std::thread::{JoinHandle, available_parallelism};

use tokio::runtime::{Builder, Handle};
use tokio::sync::watch;

/// Threads that serve connections. At the end they finish the poll they are at, and drop what is left.
#[derive(Debug)]
pub struct Threads {
    runtimes: Vec<Handle>,
    running: Vec<JoinHandle<()>>,
    /// Its end ends the threads.
    stop: Option<watch::Sender<()>>,
}

impl Threads {
    /// Starts so many threads, 0 for one per core.
    pub fn start(count: usize) -> io::Result<Self> {
        let count = match count {
            0 => available_parallelism().map_or(1, NonZero::get),
            count => count,
        };
        let (stop, stopped) = watch::channel(());
        let mut started = Self { runtimes: Vec::new(), running: Vec::new(), stop: Some(stop) };
        for number in 0..count {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            started.runtimes.push(runtime.handle().clone());
            let mut stopped = stopped.clone();
            let serve = move || runtime.block_on(async { while stopped.changed().await.is_ok() {} });
            started.running.push(std::thread::Builder::new().name(format!("serve-{number}")).spawn(serve)?);
        }
        Ok(started)
    }

    /// Turns of these threads.
    pub fn turns(&self) -> Turns {
        Turns { runtimes: self.runtimes.clone(), next: 0 }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        drop(self.stop.take());
        for thread in self.running.drain(..) {
            // Tasks that panic do not end a thread.
            let _ = thread.join();
        }
    }
}

/// Runtimes that take turns: each new connection goes to the next.
#[derive(Debug)]
pub struct Turns {
    runtimes: Vec<Handle>,
    next: usize,
}

impl Turns {
    /// Every turn is that of the caller's runtime.
    pub fn here() -> Self {
        Self { runtimes: vec![Handle::current()], next: 0 }
    }

    /// Whether each runtime has run a task. It waits for a runtime that hangs.
    pub async fn pass(&self) -> bool {
        for runtime in &self.runtimes {
            if runtime.spawn(async {}).await.is_err() {
                return false;
            }
        }
        true
    }

    pub(crate) fn next(&mut self) -> &Handle {
        let runtime = &self.runtimes[self.next];
        self.next = (self.next + 1) % self.runtimes.len();
        runtime
    }
}
