//! A lane: a task that owns one connection and makes decisions on it, as many at once as wait.
//!
//! A decision goes to the lane of its user, so a node never contends with itself. The lane takes all that wait and runs
//! them in one transaction: while that reaches the disk the next group forms by itself. Decisions about one user follow
//! each other in waves within it, so a crowd at one user shares commits too. A group that fails is rolled back and each
//! of its decisions run alone, so that none pays for another (SEC 77).

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::time::timeout;

use super::conn::Conn;
use super::connect::{PLANNING, Target};
use super::failure::Failure;
use super::job::{self, Job};
use super::limits::DEADLINE;
use super::notices::NOTIFY;
use crate::audit_ids;
use crate::counters::{Counters, began};
use crate::error::Error;

/// Most decisions about different users that are loaded and written together.
const WAVE: usize = 64;
/// Most waves that share a transaction: how many decisions about one user do.
const WAVES: usize = 32;
/// Most decisions a lane looks through for its next group.
const LOOK_AHEAD: usize = 1024;
/// How often a decision is tried (SEC 79).
const TRIES: u32 = 5;
/// How long a lane uses a block of audit ids (see [`crate::store::follow`]).
const AUDIT_LIFE: Duration = Duration::from_millis(audit_ids::LIFE.unsigned_abs());

/// What a lane is sent.
pub(super) enum Order {
    Run(Job),
    /// Finish what waits, and stop.
    Close,
}

/// One connection for decisions.
pub(super) struct Lane {
    target: Arc<Target>,
    conn: Option<Conn>,
    audit_ids: Range<i64>,
    /// When they were reserved.
    audit_since: Option<Instant>,
    waiting: VecDeque<Job>,
    counters: Arc<Counters>,
    /// Whether the server takes notices.
    notices: Arc<AtomicBool>,
}

impl Lane {
    pub(super) fn new(target: Arc<Target>, counters: Arc<Counters>, notices: Arc<AtomicBool>) -> Self {
        Self { target, conn: None, audit_ids: 0..0, audit_since: None, waiting: VecDeque::new(), counters, notices }
    }

    /// Serves until it is closed or every sender is gone.
    pub(super) async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        loop {
            if self.waiting.is_empty() {
                let Some(order) = orders.recv().await else { return };
                self.take(order, &mut orders);
            }
            while self.waiting.len() < LOOK_AHEAD
                && let Ok(order) = orders.try_recv()
            {
                self.take(order, &mut orders);
            }
            let group = self.next_group();
            if !group.is_empty() {
                self.serve(group).await;
            }
        }
    }

    fn take(&mut self, order: Order, orders: &mut mpsc::Receiver<Order>) {
        match order {
            Order::Run(job) => self.waiting.push_back(job),
            // What was sent before is still received, and then there is no more.
            Order::Close => orders.close(),
        }
    }

    /// The first that wait, in waves of one for each subject; the others keep their order.
    fn next_group(&mut self) -> Vec<Vec<Job>> {
        let mut waves: Vec<Vec<Job>> = Vec::new();
        let mut taken = std::collections::HashMap::new();
        for job in std::mem::take(&mut self.waiting) {
            if job.rule.is_abandoned() {
                continue;
            }
            let before: &mut usize = taken.entry(job.subject.locked()).or_default();
            if *before == waves.len() && *before < WAVES {
                waves.push(Vec::new());
            }
            match waves.get_mut(*before).filter(|wave| wave.len() < WAVE) {
                Some(wave) => {
                    wave.push(job);
                    *before += 1;
                }
                None => self.waiting.push_back(job),
            }
        }
        waves
    }

    async fn serve(&mut self, mut group: Vec<Vec<Job>>) {
        if group.iter().map(Vec::len).sum::<usize>() > 1 {
            match self.attempt(&mut group).await {
                Ok(()) => return answer(group.into_iter().flatten(), Ok(())),
                // Each might have been kept, so none may be run again (SEC 80).
                Err(Failure::Unknown) => return answer(group.into_iter().flatten(), Err(Failure::Unknown.into())),
                Err(_) => self.counters.rerun(),
            }
        }
        for job in group.into_iter().flatten() {
            self.serve_alone(job).await;
        }
    }

    async fn serve_alone(&mut self, job: Job) {
        let mut group = [vec![job]];
        let mut last = Error::Unavailable("not tried");
        for attempt in 0..TRIES {
            // The caller has got the answer that the database is unavailable, and must not find it decided after all.
            if group.iter().flatten().all(|job| job.rule.is_abandoned()) {
                return;
            }
            match self.attempt(&mut group).await {
                Ok(()) => return answer(group.into_iter().flatten(), Ok(())),
                Err(failure @ Failure::Again(_)) => {
                    last = failure.into();
                    pause(attempt).await;
                }
                // An idle connection may have died unnoticed; a new one is tried once.
                Err(failure @ Failure::Lost(_)) if attempt == 0 => last = failure.into(),
                Err(failure) => return answer(group.into_iter().flatten(), Err(failure.into())),
            }
        }
        answer(group.into_iter().flatten(), Err(last));
    }

    /// Runs jobs in one transaction. The connection is kept if its state is known.
    async fn attempt(&mut self, waves: &mut [Vec<Job>]) -> Result<(), Failure> {
        let mut conn = match self.conn.take().filter(Conn::is_idle) {
            Some(conn) => conn,
            None => self.target.connect(PLANNING).await?,
        };
        let began = began();
        let count = waves.iter().map(Vec::len).sum();
        let notice = self.notices.load(Ordering::Relaxed).then_some(NOTIFY);
        if self.audit_since.is_none_or(|since| began.saturating_duration_since(since) >= AUDIT_LIFE) {
            self.audit_ids = 0..0;
        }
        let (audit_ids, audit_since) = (&mut self.audit_ids, &mut self.audit_since);
        let work = async {
            if audit_ids.end - audit_ids.start < audit_ids::LOW {
                *audit_ids = job::reserve_audit_ids(&mut conn, audit_ids::BLOCK).await?;
                // Earlier than the truth, if anything.
                *audit_since = Some(began);
            }
            job::run(&mut conn, waves, audit_ids, notice).await
        };
        let mut result = timeout(DEADLINE, work).await.unwrap_or(Err(Failure::Unknown));
        match result {
            Ok(()) => {
                self.counters.group(count, began);
                self.conn = Some(conn);
            }
            Err(Failure::Job(_) | Failure::Again(_)) => {
                let rolled_back = timeout(DEADLINE, conn.roll_back()).await.unwrap_or(Err(Failure::Unknown));
                match rolled_back {
                    Ok(()) => self.conn = Some(conn),
                    // Nothing was committed, and nothing will be without its connection.
                    Err(_) => result = Err(Failure::Lost("the connection to the database was lost")),
                }
            }
            Err(Failure::Lost(_) | Failure::Unknown) => {}
        }
        if let Err(Failure::Unknown) = result {
            // What may appear yet must not be overtaken by what has a greater id in the same block.
            self.audit_ids = 0..0;
        }
        result
    }
}

fn answer(jobs: impl IntoIterator<Item = Job>, result: Result<(), Error>) {
    for job in jobs {
        job.answer(result);
    }
}

/// Lets the transaction that was in the way finish, a little longer each time.
async fn pause(attempt: u32) {
    let pause = Duration::from_millis(5 << attempt);
    #[expect(clippy::disallowed_methods, reason = "waiting for another transaction takes real time")]
    tokio::time::sleep(pause).await;
}
