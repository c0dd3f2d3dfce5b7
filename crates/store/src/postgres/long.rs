//! Reads that may take long: a few connections that nothing else waits for, and a time after which the server is made to
//! stop. It stops as well once its caller has gone: a connection is free for the next list only when the server
//! is done with the last one, so no more of them run at once than there are connections.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_postgres::Row;

use super::conn::Conn;
use super::connect::{PLANNING_OF_LISTS, Target};
use super::failure::Failure;
use super::limits::CLOSED;
use super::pool::Pool;
use crate::error::{Error, TOO_LONG};
use crate::value::Value;

/// How long the server has to stop once it was asked to.
const STOPPING: Duration = Duration::from_secs(1);

/// Statements that were put together for the occasion, with their parameters.
type Texts = Vec<(String, Vec<Value>)>;

pub(super) struct Long {
    pool: Arc<Pool>,
    target: Arc<Target>,
    time: Duration,
}

impl Long {
    pub(super) fn new(target: Arc<Target>, connections: usize, time: Duration) -> Self {
        Self { pool: Arc::new(Pool::new(target.clone(), connections, PLANNING_OF_LISTS)), target, time }
    }

    /// The rows of these statements, all of one moment. A caller that stops waiting ends the reading.
    pub(super) async fn read(&self, texts: Texts) -> Result<Vec<Vec<Row>>, Failure> {
        let (mut answer, answered) = oneshot::channel();
        let (pool, target, time) = (self.pool.clone(), self.target.clone(), self.time);
        // A separate task: it outlives its caller by as long as the server takes to stop.
        tokio::spawn(async move {
            let lent = tokio::select! {
                lent = pool.lend() => lent,
                () = answer.closed() => return,
            };
            let found = match lent {
                Ok(mut conn) => read(&mut conn, &target, time, &texts, &mut answer).await,
                Err(failure) => Err(failure),
            };
            let _ = answer.send(found);
        });
        answered.await.unwrap_or(Err(Failure::Job(CLOSED)))
    }

    pub(super) fn close(&self) {
        self.pool.close();
    }
}

async fn read<T>(
    conn: &mut Conn,
    target: &Target,
    time: Duration,
    texts: &Texts,
    answer: &mut oneshot::Sender<T>,
) -> Result<Vec<Vec<Row>>, Failure> {
    let token = conn.cancel_token();
    let stopped = {
        let mut reading = pin!(statements(conn, time, texts));
        tokio::select! {
            found = &mut reading => return found,
            _ = timeout(time, answer.closed()) => {}
        }
        target.cancel(&token).await;
        timeout(STOPPING, reading).await
    };
    // What the server does not stop is stopped by its own clock.
    conn.spoil();
    match stopped {
        Ok(Ok(found)) => Ok(found),
        _ => Err(Failure::Job(Error::Unavailable(TOO_LONG))),
    }
}

async fn statements(conn: &mut Conn, time: Duration, texts: &Texts) -> Result<Vec<Vec<Row>>, Failure> {
    conn.begin_list(time).await?;
    let mut found = Vec::with_capacity(texts.len());
    for (text, params) in texts {
        found.push(conn.fetch_text(text, params).await?);
    }
    conn.roll_back().await?;
    Ok(found)
}
