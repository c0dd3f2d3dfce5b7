//! The way to the writer, and the way of its answers back.
//!
//! Handing a job to another thread costs a wake-up, and a writer that is woken for the first job of a crowd commits that
//! one alone. So a *home*, a runtime of one thread, gathers the jobs of its callers. It hands them over when enough wait,
//! half of what was open when the last answers left, and at the latest when it has run whatever else is ready: that is a
//! task of this runtime, so there is no timer, and no job waits in a thread that sleeps. A runtime of several threads gathers
//! nothing.
//!
//! The answers of a group go to each home as one message, which completes the waiting callers there.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::{Handle, Id, RuntimeFlavor};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::yield_now;

use super::job::Job;
use super::limits::{CLOSED, GROUP, QUEUE};
use crate::error::Error;

/// Most jobs that a home gathers.
const BATCH: usize = GROUP / 2;

/// What the writer is sent.
pub(super) enum Order {
    Run(Vec<Queued>),
    /// Finish what waits, and stop.
    Close,
}

/// A job and the runtime where its caller waits.
pub(super) struct Queued {
    pub(super) job: Box<dyn Job>,
    home: Handle,
}

/// The end of the callers.
#[derive(Clone)]
pub(super) struct Orders {
    sender: mpsc::UnboundedSender<Order>,
    homes: Arc<Homes>,
}

/// The end of the writer.
pub(super) struct Inbox {
    receiver: mpsc::UnboundedReceiver<Order>,
    homes: Arc<Homes>,
}

/// What both ends know of the callers.
pub(super) struct Homes {
    /// Jobs that may still be queued before callers wait.
    slots: Semaphore,
    by_id: Mutex<HashMap<Id, Home>>,
}

/// The jobs of a runtime's callers.
#[derive(Default)]
struct Home {
    /// Not handed over.
    gathered: Vec<Queued>,
    /// Not answered, gathered ones included.
    open: usize,
    /// So many gathered jobs are handed over at once.
    enough: usize,
    /// Whether a task will hand over.
    is_scheduled: bool,
}

/// Both ends of a new queue.
pub(super) fn queue() -> (Orders, Inbox) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let homes = Arc::new(Homes { slots: Semaphore::new(QUEUE), by_id: Mutex::default() });
    (Orders { sender, homes: homes.clone() }, Inbox { receiver, homes })
}

impl Orders {
    /// Queues a job. Waits while too many are queued.
    pub(super) async fn submit(&self, job: Box<dyn Job>) -> Result<(), Error> {
        self.homes.slots.acquire().await.map_err(|_| CLOSED)?.forget();
        let runtime = Handle::current();
        let id = runtime.id();
        {
            let mut homes = self.homes.lock();
            let home = homes.entry(id).or_default();
            home.open += 1;
            home.gathered.push(Queued { job, home: runtime });
            if home.gathered.len() >= home.enough {
                self.hand_over(home);
                return Ok(());
            }
            if std::mem::replace(&mut home.is_scheduled, true) {
                return Ok(());
            }
        }
        tokio::spawn(HandOver { orders: self.clone(), home: id }.at_rest());
        Ok(())
    }

    /// Sends under the lock of the homes, so that what is gathered before a closing goes before it.
    fn hand_over(&self, home: &mut Home) {
        if !home.gathered.is_empty() {
            // Without a receiver the jobs are dropped, which tells their callers.
            let _ = self.sender.send(Order::Run(std::mem::take(&mut home.gathered)));
        }
    }

    /// Lets the writer finish what is queued, and stop.
    pub(super) fn close(&self) {
        let mut homes = self.homes.lock();
        homes.values_mut().for_each(|home| self.hand_over(home));
        // If the writer is gone already, there is no receiver.
        let _ = self.sender.send(Order::Close);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Jobs that the writer has not taken.
    #[cfg(test)]
    pub(super) fn queued(&self) -> usize {
        QUEUE - self.homes.slots.available_permits()
    }
}

/// Hands over what a home has gathered when it is dropped, so also if the runtime ends first.
struct HandOver {
    orders: Orders,
    home: Id,
}

impl HandOver {
    /// Ends after all that is ready now, and all that the runtime then finds to be ready.
    async fn at_rest(self) {
        yield_now().await;
    }
}

impl Drop for HandOver {
    fn drop(&mut self) {
        if let Some(home) = self.orders.homes.lock().get_mut(&self.home) {
            home.is_scheduled = false;
            self.orders.hand_over(home);
        }
    }
}

impl Inbox {
    pub(super) fn homes(&self) -> Arc<Homes> {
        self.homes.clone()
    }

    /// The next order; `None` once there will be no more.
    pub(super) fn wait(&mut self) -> Option<Order> {
        let order = self.receiver.blocking_recv();
        order.inspect(|order| self.homes.free_slots(order))
    }

    /// The next order, if it is there.
    pub(super) fn try_next(&mut self) -> Option<Order> {
        let order = self.receiver.try_recv().ok();
        order.inspect(|order| self.homes.free_slots(order))
    }

    /// Accepts no more orders. Those already sent are still received.
    pub(super) fn close(&mut self) {
        self.receiver.close();
        self.homes.slots.close();
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        self.close();
    }
}

impl Homes {
    fn lock(&self) -> MutexGuard<'_, HashMap<Id, Home>> {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn free_slots(&self, order: &Order) {
        if let Order::Run(jobs) = order {
            self.slots.add_permits(jobs.len());
        }
    }

    /// Answers the callers of `jobs`.
    pub(super) fn answer(
        &self,
        jobs: impl IntoIterator<Item = Queued>,
        results: impl IntoIterator<Item = Result<(), Error>>,
    ) {
        let mut by_home: Vec<(Handle, Answers)> = Vec::new();
        for (Queued { job, home }, result) in jobs.into_iter().zip(results) {
            match by_home.iter_mut().find(|(known, _)| known.id() == home.id()) {
                Some((_, answers)) => answers.0.push((job, result)),
                None => by_home.push((home, Answers(vec![(job, result)]))),
            }
        }
        for (home, answers) in by_home {
            self.count_answers(&home, answers.0.len());
            // One answer wakes its home by itself.
            if answers.0.len() > 1 {
                home.spawn(async move { drop(answers) });
            }
        }
    }

    fn count_answers(&self, runtime: &Handle, answers: usize) {
        if let Some(home) = self.lock().get_mut(&runtime.id()) {
            if runtime.runtime_flavor() == RuntimeFlavor::CurrentThread {
                home.enough = (home.open / 2).min(BATCH);
            }
            home.open = home.open.saturating_sub(answers);
        }
    }
}

/// Answers when it is dropped, so also if the runtime of the callers has ended.
struct Answers(Vec<(Box<dyn Job>, Result<(), Error>)>);

impl Drop for Answers {
    fn drop(&mut self) {
        self.0.drain(..).for_each(|(job, result)| job.answer(result));
    }
}
