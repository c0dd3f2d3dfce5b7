//! Load at a constant rate, independent of the server: each request has a due time, and its latency counts from then. So
//! a stall of the server adds to the latency of all requests that were due meanwhile.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::clock;
use crate::driver::{self, Counts};
use crate::stats::{count, whole};
use crate::wire::Connection;
use crate::workload::Workload;

/// Time from the call to the first request, so that all tasks are waiting by then.
const LEAD: Duration = Duration::from_millis(20);

/// Shortest sleep of the clock. Waking for every request would cost more than sending it, on cores that the server shares.
/// Requests that become due meanwhile are sent together, and their wait counts as latency.
const TICK: Duration = Duration::from_micros(500);

/// The due times of the requests, and the next one to take.
struct Beat {
    first: Instant,
    /// Requests a second.
    rate: f64,
    total: u64,
    taken: AtomicU64,
    /// One permit for each due request that is not taken.
    due: Semaphore,
}

/// The result of a paced run.
pub(crate) struct Paced<E> {
    /// The workloads with their new state.
    pub(crate) workloads: Vec<E>,
    /// Latencies count from each request's due time.
    pub(crate) counts: Counts,
    /// Delay of our own clock at each request, in microseconds: the part of the latencies that the machine causes, and not
    /// the server.
    pub(crate) lateness: Vec<u32>,
}

/// Sends `rate` requests a second for some time. A free workload takes the next request. Without a free one the request
/// waits, and the wait counts.
pub(crate) async fn drive<E: Workload>(
    address: SocketAddr,
    workloads: Vec<E>,
    rate: f64,
    time: Duration,
) -> Result<Paced<E>> {
    let mut open = Vec::with_capacity(workloads.len());
    for _ in 0..workloads.len() {
        open.push(Connection::open(address).await?);
    }
    let total = whole(rate * time.as_secs_f64()) as u64;
    let (taken, due) = (AtomicU64::new(0), Semaphore::new(0));
    let beat = Arc::new(Beat { first: clock::now() + LEAD, rate, total, taken, due });
    let mut tasks = JoinSet::new();
    for (connection, workload) in open.into_iter().zip(workloads) {
        tasks.spawn(drive_connection(connection, workload, beat.clone()));
    }
    // A separate thread, because the runtime's timers have a resolution of a millisecond.
    let (metronome, count) = (beat.clone(), tasks.len());
    let ticking = std::thread::spawn(move || metronome.tick(count));
    let (workloads, counts) = driver::gather(tasks, beat.first).await?;
    let lateness = ticking.join().map_err(|_| anyhow!("the clock of a constant rate stopped"))?;
    Ok(Paced { workloads, counts, lateness })
}

/// Delay of the same clock while nothing else runs, in microseconds: the least latency from a due time that this machine
/// can show.
pub(crate) fn alone(rate: f64, time: Duration) -> Vec<u32> {
    let total = whole(rate * time.as_secs_f64()) as u64;
    let (taken, due) = (AtomicU64::new(0), Semaphore::new(0));
    Beat { first: clock::now() + LEAD, rate, total, taken, due }.tick(0)
}

async fn drive_connection<E: Workload>(mut line: Connection, mut workload: E, beat: Arc<Beat>) -> (E, Counts) {
    let mut counts = Counts::default();
    while let Some(due) = beat.next().await {
        let outcome = driver::exchange(&mut line, &mut workload).await;
        if !counts.enter(outcome, due) {
            break;
        }
    }
    (workload, counts)
}

impl Beat {
    /// Waits for the next request. Returns its due time, `None` after the last.
    async fn next(&self) -> Option<Instant> {
        self.due.acquire().await.ok()?.forget();
        let number = self.taken.fetch_add(1, Ordering::Relaxed);
        (number < self.total).then(|| self.due_at(number))
    }

    fn due_at(&self, number: u64) -> Instant {
        self.first + Duration::from_secs_f64(count(number) / self.rate)
    }

    /// Adds a permit for each request when it is due, and at the end one for each task, which ends it. Returns the delay
    /// of each permit.
    fn tick(&self, tasks: usize) -> Vec<u32> {
        let mut lateness = Vec::new();
        let mut given = 0;
        while given < self.total {
            let now = clock::now();
            let mut due = 0;
            while given < self.total && self.due_at(given) <= now {
                let late = now.duration_since(self.due_at(given));
                lateness.push(u32::try_from(late.as_micros()).unwrap_or(u32::MAX));
                given += 1;
                due += 1;
            }
            self.due.add_permits(due);
            if given < self.total {
                clock::pause(self.due_at(given).saturating_duration_since(clock::now()).max(TICK));
            }
        }
        self.due.add_permits(tasks);
        lateness
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_is_due_once_and_then_every_lane_ends() {
        let first = clock::now();
        let beat = Beat { first, rate: 1_000.0, total: 3, taken: AtomicU64::new(0), due: Semaphore::new(0) };
        assert_eq!(beat.tick(2).len(), 3);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            for millisecond in 0..3 {
                assert_eq!(beat.next().await, Some(first + Duration::from_millis(millisecond)));
            }
            assert_eq!((beat.next().await, beat.next().await), (None, None));
        });
        assert_eq!(beat.due.available_permits(), 0);
    }
}
