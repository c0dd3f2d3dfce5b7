//! Connections for whatever is not a decision, lent to one at a time.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::conn::Conn;
use super::connect::Target;
use super::failure::Failure;
use super::limits::CLOSED;
use crate::error::Error;

/// How long to wait for a connection (SEC 79).
const WAIT: Duration = Duration::from_secs(2);

pub(super) struct Pool {
    target: Arc<Target>,
    planning: &'static str,
    idle: Mutex<Vec<Conn>>,
    permits: Semaphore,
    closed: AtomicBool,
}

impl Pool {
    pub(super) fn new(target: Arc<Target>, connections: usize, planning: &'static str) -> Self {
        let permits = Semaphore::new(connections);
        Self { target, planning, idle: Mutex::default(), permits, closed: AtomicBool::new(false) }
    }

    pub(super) async fn lend(&self) -> Result<Lent<'_>, Failure> {
        let permit = match timeout(WAIT, self.permits.acquire()).await {
            Ok(Ok(permit)) => permit,
            Ok(Err(_)) => return Err(Failure::Job(CLOSED)),
            Err(_) => return Err(Failure::Job(Error::Unavailable("all connections to the database are in use"))),
        };
        let kept = self.idle().pop();
        let conn = match kept.filter(Conn::is_idle) {
            Some(conn) => conn,
            None => self.target.connect(self.planning).await?,
        };
        Ok(Lent { conn: Some(conn), pool: self, _permit: permit })
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.permits.close();
        self.idle().clear();
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Conn>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection on loan. One that is given back in the middle of a transaction is closed.
pub(super) struct Lent<'a> {
    conn: Option<Conn>,
    pool: &'a Pool,
    _permit: SemaphorePermit<'a>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let Some(conn) = self.conn.take().filter(Conn::is_idle)
            && !self.pool.closed.load(Ordering::Acquire)
        {
            self.pool.idle().push(conn);
        }
    }
}

#[expect(clippy::expect_used, reason = "taken only when dropped")]
impl Deref for Lent<'_> {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        self.conn.as_ref().expect("lent")
    }
}

#[expect(clippy::expect_used, reason = "taken only when dropped")]
impl DerefMut for Lent<'_> {
    fn deref_mut(&mut self) -> &mut Conn {
        self.conn.as_mut().expect("lent")
    }
}
