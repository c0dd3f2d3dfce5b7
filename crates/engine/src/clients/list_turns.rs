//! Turns at lists. A list is cheap to ask for and can be expensive to answer, so few are read at once, one of each client.
//! The most expensive lists of one client delay no other client, and only lists wait for lists.

use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::{ClientId, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::list_queues::ListQueue;
use crate::{Engine, Fault};

/// Lists that one client may have asked for at once: one is read, the others wait.
const ASKED: usize = 8;
/// How long a list waits for its turn.
const WAIT: Duration = Duration::from_secs(3);
/// When a client that asks for too many at once may come back, in milliseconds.
const PAUSE: i64 = 1_000;

/// A turn at a list, over when it is dropped.
pub struct ListTurn {
    began: Instant,
    _places: (OwnedSemaphorePermit, OwnedSemaphorePermit),
    _asked: ListRequest,
}

impl ListTurn {
    /// How long it has lasted.
    pub fn lasted(&self) -> Duration {
        moment() - self.began
    }
}

/// Why a list was not read.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// The client has asked for too many at once; with the moment to come back.
    #[error("too many lists at once")]
    TooMany(Timestamp),
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// That a client has asked for a list.
struct ListRequest(Arc<Engine>, ClientId);

impl Drop for ListRequest {
    fn drop(&mut self) {
        if let Entry::Occupied(mut queue) = self.0.list_queues.clients().entry(self.1) {
            queue.get_mut().asked -= 1;
            if queue.get().asked == 0 {
                queue.remove();
            }
        }
    }
}

impl Engine {
    /// Waits for a client's turn to have a list read, and holds it until it is dropped. A client that has asked for too
    /// many already is [`ListError::TooMany`]; a turn that does not come is [`Fault::Busy`].
    pub async fn list_turn(self: &Arc<Self>, client: ClientId) -> Result<ListTurn, ListError> {
        let (asked, turn) = {
            let mut clients = self.list_queues.clients();
            let queue =
                clients.entry(client).or_insert_with(|| ListQueue { asked: 0, turn: Arc::new(Semaphore::new(1)) });
            if queue.asked >= ASKED {
                return Err(ListError::TooMany(self.now().plus(PAUSE)));
            }
            queue.asked += 1;
            (ListRequest(self.clone(), client), queue.turn.clone())
        };
        let places = async {
            let own = turn.acquire_owned().await.ok()?;
            Some((own, self.list_queues.places.clone().acquire_owned().await.ok()?))
        };
        let places = timeout(WAIT, places).await.ok().flatten().ok_or(Fault::Busy)?;
        Ok(ListTurn { began: moment(), _places: places, _asked: asked })
    }
}

#[expect(clippy::disallowed_methods, reason = "what a list costs, on which nothing durable rests")]
fn moment() -> Instant {
    Instant::now()
}
