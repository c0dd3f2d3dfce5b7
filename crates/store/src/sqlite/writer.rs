//! The writer: one thread that owns the only connection that writes (SEC 76, decision 8).
//!
//! It takes the first jobs handed over ([`super::orders`]), opens a transaction, runs them and all others handed over by
//! then, commits, and only then answers them all. There is no timer: while one commit reaches the disk the next group forms
//! by itself, so a lone job waits for no other and a crowd shares one sync.
//!
//! Jobs are isolated from each other (SEC 77), and pay for it only when it matters: a group first runs without
//! savepoints. If a job fails, everything is rolled back and the group runs once more with a savepoint around each job,
//! so that only the failing ones are undone. Decisions are functions of their view and may run again.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::Connection;
use rusqlite::hooks::Wal;

use super::alarm::{Alarm, PanicWatch};
use super::checkpointer::{Checkpointer, checkpoint};
use super::exec::{Failure, Session, execute};
use super::job::Tx;
use super::limits::GROUP;
use super::open;
use super::orders::{Homes, Inbox, Order, Queued};
use crate::counters::{Counters, began};
use crate::error::Error;
use crate::schema::sql;

/// Bytes of the log above which a checkpoint is due.
const CHECKPOINT_AT: i64 = 16 << 20;

/// Whether jobs of a group are kept apart by savepoints.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Isolation {
    Together,
    Savepoints,
}

/// How an attempt at a group ended.
enum Attempt {
    /// Committed; each job's own result.
    Committed(Vec<Result<(), Error>>),
    /// A job failed and nothing was kept.
    Rerun,
    /// Nothing was kept.
    Failed(Failure),
}

/// Owns the connection that writes, and the lock for as long as that is open.
pub(super) struct Writer {
    conn: Connection,
    next_audit: i64,
    log_pages: Arc<AtomicU64>,
    checkpoint_at: u64,
    counters: Arc<Counters>,
    alarm: Alarm,
    checkpointer: Checkpointer,
    _lock: File,
}

/// The writer at work: the connection with its statements.
struct Work<'c> {
    session: Session<'c>,
    next_audit: i64,
    log_pages: &'c AtomicU64,
    /// Pages of the log.
    checkpoint_at: u64,
    counters: &'c Counters,
    alarm: &'c Alarm,
    checkpointer: &'c Checkpointer,
    homes: Arc<Homes>,
}

impl Writer {
    pub(super) fn new(
        mut conn: Connection,
        checkpointer: Checkpointer,
        lock: File,
        counters: Arc<Counters>,
        alarm: Alarm,
    ) -> Result<Self, rusqlite::Error> {
        let last: Option<i64> = conn.query_row(sql::LAST_AUDIT_ID, [], |row| row.get(0))?;
        let log_pages = Arc::new(AtomicU64::new(0));
        let noted = log_pages.clone();
        conn.wal_hook(Some(move |_: &mut Wal, pages: std::ffi::c_int| {
            noted.store(u64::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        }))?;
        let page = open::get(&conn, "page_size")?.unwrap_or(open::PAGE);
        let checkpoint_at = u64::try_from(CHECKPOINT_AT / page).unwrap_or(u64::MAX);
        let next_audit = last.unwrap_or(0) + 1;
        Ok(Self { conn, next_audit, log_pages, checkpoint_at, counters, alarm, checkpointer, _lock: lock })
    }

    /// Serves until it is closed, every sender is gone, or the disk fails.
    pub(super) fn run(self, mut inbox: Inbox) {
        let _watch = PanicWatch(self.alarm.clone());
        let mut work = Work {
            session: Session::new(&self.conn),
            next_audit: self.next_audit,
            log_pages: &self.log_pages,
            checkpoint_at: self.checkpoint_at,
            counters: &self.counters,
            alarm: &self.alarm,
            checkpointer: &self.checkpointer,
            homes: inbox.homes(),
        };
        let mut group = Vec::with_capacity(GROUP);
        while let Some(order) = inbox.wait() {
            let mut next = Some(order);
            while let Some(order) = next {
                match order {
                    Order::Run(jobs) => group.extend(jobs),
                    // What was sent before is still received, and then there is no more.
                    Order::Close => inbox.close(),
                }
                next = if group.len() < GROUP { inbox.try_next() } else { None };
            }
            if group.is_empty() {
                continue;
            }
            self.alarm.begins();
            let served = work.serve(&mut group).and_then(|()| work.checkpoint_if_due());
            self.alarm.ends();
            if let Err(sentence) = served {
                inbox.close();
                while let Some(order) = inbox.wait() {
                    if let Order::Run(mut jobs) = order {
                        work.refuse(&mut jobs, BROKEN);
                    }
                }
                self.alarm.raise(&sentence);
                return;
            }
        }
        if let Err(failure) = checkpoint(&self.conn, "TRUNCATE") {
            tracing::warn!(?failure, "checkpoint at close failed; the next start repeats it");
        }
    }
}

impl Work<'_> {
    /// Runs a group, commits and answers. The error is the sentence that ends the process.
    fn serve(&mut self, group: &mut Vec<Queued>) -> Result<(), String> {
        let began = began();
        let mut attempt = self.attempt(group, Isolation::Together);
        if let Attempt::Rerun = attempt {
            self.counters.rerun();
            attempt = self.attempt(group, Isolation::Savepoints);
        }
        match attempt {
            Attempt::Committed(results) => {
                self.alarm.relieve();
                self.counters.group(group.len(), began);
                self.homes.answer(group.drain(..), results);
                Ok(())
            }
            Attempt::Rerun => Err("a group with savepoints asked to run again".to_owned()),
            Attempt::Failed(failure) => {
                let (error, sentence) = match self.alarm.judged(failure) {
                    Failure::Job(error) => (error, None),
                    Failure::Group(reason) => {
                        self.alarm.hinder(reason);
                        (Error::Unavailable(reason), None)
                    }
                    Failure::Fatal(reason) | Failure::Unwritten(reason) => {
                        (BROKEN, Some(format!("writing failed: {reason}")))
                    }
                };
                // What cannot be rolled back would become part of the next group.
                let sentence =
                    sentence.or_else(|| self.roll_back().err().map(|f| format!("rolling back failed: {f:?}")));
                self.refuse(group, error);
                sentence.map_or(Ok(()), Err)
            }
        }
    }

    /// Answers all of a group with one error.
    fn refuse(&self, group: &mut Vec<Queued>, error: Error) {
        self.homes.answer(group.drain(..), std::iter::repeat(Err(error)));
    }

    fn attempt(&mut self, group: &mut [Queued], isolation: Isolation) -> Attempt {
        match self.try_group(group, isolation) {
            Ok(Some(results)) => Attempt::Committed(results),
            Ok(None) => match self.roll_back() {
                Ok(()) => Attempt::Rerun,
                Err(failure) => Attempt::Failed(failure),
            },
            Err(failure) => Attempt::Failed(failure),
        }
    }

    /// `None` if a job failed that nothing keeps apart from the others.
    fn try_group(
        &mut self,
        group: &mut [Queued],
        isolation: Isolation,
    ) -> Result<Option<Vec<Result<(), Error>>>, Failure> {
        let alone = group.len() == 1;
        let mut results = Vec::with_capacity(group.len());
        self.command("BEGIN IMMEDIATE")?;
        for Queued { job, .. } in group {
            if isolation == Isolation::Savepoints {
                self.command("SAVEPOINT job")?;
            }
            let ran = job.run(&mut Tx { conn: &self.session, next_audit: &mut self.next_audit });
            match ran {
                Ok(()) => results.push(Ok(())),
                Err(Failure::Job(error)) if isolation == Isolation::Savepoints => {
                    self.command("ROLLBACK TO job")?;
                    results.push(Err(error));
                }
                Err(Failure::Job(error)) if alone => return Err(Failure::Job(error)),
                Err(Failure::Job(_)) => return Ok(None),
                Err(failure) => return Err(failure),
            }
            if isolation == Isolation::Savepoints {
                self.command("RELEASE job")?;
            }
        }
        self.command("COMMIT").map_err(|failure| match failure {
            // Any other refusal to commit leaves it unknown what is on the disk (SEC 80).
            Failure::Job(error) => Failure::Fatal(format!("the commit failed: {error}")),
            failure => failure,
        })?;
        Ok(Some(results))
    }

    fn roll_back(&self) -> Result<(), Failure> {
        // SQLite has rolled back by itself after some errors.
        if self.session.conn.is_autocommit() { Ok(()) } else { self.command("ROLLBACK") }
    }

    fn command(&self, text: &'static str) -> Result<(), Failure> {
        execute(&self.session, text, &[]).map(|_| ())
    }

    /// Requests a checkpoint once the log has grown. What was added while the checkpointer ran is checkpointed here, so that
    /// the next group finds nothing in the log and begins it anew. The answers are sent already.
    fn checkpoint_if_due(&self) -> Result<(), String> {
        let finished = self.checkpointer.has_finished();
        if self.log_pages.load(Ordering::Relaxed) < self.checkpoint_at {
            return Ok(());
        }
        if !finished {
            self.checkpointer.ask();
            return Ok(());
        }
        match checkpoint(self.session.conn, "PASSIVE").map_err(|failure| self.alarm.judged(failure)) {
            Ok(()) => {
                self.alarm.checkpoint_succeeded();
                Ok(())
            }
            Err(Failure::Fatal(reason)) => Err(format!("checkpoint failed: {reason}")),
            Err(failure) => {
                // A full disk can wait.
                self.alarm.checkpoint_failed(&failure);
                Ok(())
            }
        }
    }
}

const BROKEN: Error = Error::Unavailable("the database is broken");
