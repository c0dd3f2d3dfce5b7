//! The checkpointer: a thread that copies the log into the database beside the writer, on a separate connection.
//!
//! A checkpoint writes each changed page once and waits for the disk. Between two groups it would delay every caller for
//! as long. Here the writer continues meanwhile, and what it adds is little enough to be checkpointed by itself
//! afterwards. Only then does the log begin anew, so it holds no more than a few seconds of work.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;

use super::alarm::{Alarm, PanicWatch};
use super::exec::{Failure, one_of};
use crate::rows;

const IDLE: u8 = 0;
const RUNNING: u8 = 1;
const DONE: u8 = 2;

/// The writer's handle of the thread. When dropped, it waits for a checkpoint under way.
pub(super) struct Checkpointer {
    orders: Option<SyncSender<()>>,
    state: Arc<AtomicU8>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    pub(super) fn start(conn: Connection, alarm: Alarm) -> std::io::Result<Self> {
        let (orders, asked) = sync_channel(1);
        let state = Arc::new(AtomicU8::new(IDLE));
        let shared = state.clone();
        let thread = std::thread::Builder::new()
            .name("checkpointer".to_owned())
            .spawn(move || serve(&conn, &asked, &shared, &alarm))?;
        Ok(Self { orders: Some(orders), state, thread: Some(thread) })
    }

    /// Requests a checkpoint, unless one is under way.
    pub(super) fn ask(&self) {
        if self.state.compare_exchange(IDLE, RUNNING, Ordering::AcqRel, Ordering::Relaxed).is_ok()
            && let Some(orders) = &self.orders
        {
            // If the thread has panicked, the alarm is raised already.
            let _ = orders.try_send(());
        }
    }

    /// Whether a checkpoint has finished since the last call.
    pub(super) fn has_finished(&self) -> bool {
        self.state.compare_exchange(DONE, IDLE, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        drop(self.orders.take());
        if let Some(thread) = self.thread.take() {
            // A panic has raised the alarm by itself.
            let _ = thread.join();
        }
    }
}

fn serve(conn: &Connection, asked: &Receiver<()>, state: &AtomicU8, alarm: &Alarm) {
    let _watch = PanicWatch(alarm.clone());
    while asked.recv().is_ok() {
        match checkpoint(conn, "PASSIVE").map_err(|failure| alarm.judged(failure)) {
            Ok(()) => alarm.checkpoint_succeeded(),
            Err(Failure::Fatal(reason)) => {
                alarm.raise(&format!("checkpoint failed: {reason}"));
                return;
            }
            // A full disk can wait.
            Err(failure) => alarm.checkpoint_failed(&failure),
        }
        state.store(DONE, Ordering::Release);
    }
}

/// Copies as much of the log as possible into the database, in SQLite's `mode`.
pub(super) fn checkpoint(conn: &Connection, mode: &str) -> Result<(), Failure> {
    one_of(conn, &format!("PRAGMA wal_checkpoint({mode})"), &[], rows::number).map(|_| ())
}
