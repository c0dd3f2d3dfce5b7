//! The folder: a thread that folds the log into the database beside the writer, on a connection of its own.
//!
//! Folding writes each changed page once and waits for the disk. Done between two groups it would hold up every caller
//! for as long; here the writer goes on meanwhile, and what it adds is little enough to be folded by itself afterwards.
//! Only then does the log begin anew, so it stays as long as a few seconds of work.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;

use super::alarm::{Alarm, PanicWatch};
use super::exec::{Failure, one_of};
use crate::rows;

const IDLE: u8 = 0;
const FOLDING: u8 = 1;
const DONE: u8 = 2;

/// The folder, as the writer sees it. Dropped, it stops once it has done what it was asked.
pub(super) struct Folder {
    orders: Option<SyncSender<()>>,
    state: Arc<AtomicU8>,
    thread: Option<JoinHandle<()>>,
}

impl Folder {
    pub(super) fn start(conn: Connection, alarm: Alarm) -> std::io::Result<Self> {
        let (orders, asked) = sync_channel(1);
        let state = Arc::new(AtomicU8::new(IDLE));
        let shared = state.clone();
        let thread = std::thread::Builder::new()
            .name("store-folder".to_owned())
            .spawn(move || serve(&conn, &asked, &shared, &alarm))?;
        Ok(Self { orders: Some(orders), state, thread: Some(thread) })
    }

    /// Asks for the log to be folded, unless that is under way.
    pub(super) fn ask(&self) {
        if self.state.compare_exchange(IDLE, FOLDING, Ordering::AcqRel, Ordering::Relaxed).is_ok()
            && let Some(orders) = &self.orders
        {
            // If the thread has panicked, the alarm is raised already.
            let _ = orders.try_send(());
        }
    }

    /// Whether the log has been folded since this was last asked.
    pub(super) fn has_folded(&self) -> bool {
        self.state.compare_exchange(DONE, IDLE, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }
}

impl Drop for Folder {
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
        match fold(conn, "PASSIVE").map_err(|failure| alarm.judged(failure)) {
            Ok(()) => alarm.folded(),
            Err(Failure::Fatal(reason)) => {
                alarm.raise(&format!("folding the log failed: {reason}"));
                return;
            }
            // A full disk can wait.
            Err(failure) => alarm.not_folded(&failure),
        }
        state.store(DONE, Ordering::Release);
    }
}

/// Folds as much of the log as can be, in SQLite's `mode`.
pub(super) fn fold(conn: &Connection, mode: &str) -> Result<(), Failure> {
    one_of(conn, &format!("PRAGMA wal_checkpoint({mode})"), &[], rows::number).map(|_| ())
}
