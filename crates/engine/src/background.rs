//! Background work: sends queued messages, cleans up, wakes long polls, keeps the time.

use std::future::Future;
use std::pin::Pin;

use std::sync::atomic::Ordering;

use domain::{Channel, Timestamp};
use futures_util::future::join_all;
use tokio::sync::broadcast::error::RecvError;

use crate::{Engine, clock};

/// The time as delivery reads it.
struct EngineClock<'a>(&'a Engine);

impl delivery::DeliveryClock for EngineClock<'_> {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn sleep(&self, milliseconds: i64) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.0.clock.sleep(milliseconds)
    }
}

impl Engine {
    /// Background work besides [`Self::send_messages`]: sweeps what has expired, keeps the time, until the future is dropped.
    pub async fn run(&self) {
        self.serves.store(true, Ordering::Relaxed);
        tokio::join!(
            self.learn_pace(),
            self.run_clean_up(),
            self.run_breaker(),
            self.run_listener(),
            self.run_learner(),
            self.run_time_keeper()
        );
    }

    /// Wakes the polls about users whom another node has decided about.
    async fn run_listener(&self) {
        let mut elsewhere = self.store.answered();
        loop {
            match elsewhere.recv().await {
                Ok(user) => self.held.watched().wake(user),
                Err(RecvError::Lagged(_)) => self.held.watched().wake_all(),
                Err(RecvError::Closed) => return,
            }
        }
    }

    /// Sends queued messages, in a loop for each route: a slow provider delays no other. It ends after
    /// [`Self::stop_sending`], once what is being sent is sent and recorded.
    pub async fn send_messages(&self) {
        let clock = EngineClock(self);
        let workers: Vec<_> = self.outbox.workers().collect();
        let senders = async {
            join_all(workers.iter().map(|worker| worker.run(&clock, clock::POLL))).await;
            // An installation without routes has no workers to wait for.
            self.outbox.stopped().await;
        };
        tokio::select! {
            () = self.hear_of_messages() => {}
            () = self.drop_homeless_messages(&clock) => {}
            () = senders => {}
        }
    }

    /// Begins to send nothing more, so that a planned restart sends nothing twice. What waits is left to other nodes and to
    /// the next start.
    pub fn stop_sending(&self) {
        self.outbox.stop();
    }

    /// Drops messages of channels without a route, which no worker looks at.
    async fn drop_homeless_messages(&self, clock: &EngineClock<'_>) {
        loop {
            if let Err(error) = self.outbox.drop_homeless(clock).await {
                tracing::error!(%error, "outbox cannot be read");
            }
            self.clock.sleep(clock::SWEEP).await;
        }
    }

    /// Wakes the workers when another node has queued a message.
    async fn hear_of_messages(&self) {
        let elsewhere = self.store.wake_ups();
        loop {
            elsewhere.notified().await;
            self.outbox.wake_all();
        }
    }

    async fn run_clean_up(&self) {
        for turn in 0_u64.. {
            self.record_folded(false).await;
            if turn.is_multiple_of(clock::SIZES_EVERY) {
                self.watch_sizes().await;
            }
            match self.clean_up().await {
                Ok(()) => self.housekeeping.swept(self.now()),
                Err(error) => tracing::warn!(%error, "the clean-up failed and will be tried again"),
            }
            let before = self.now().plus(-domain::model::webhook::KEEP_DELIVERIES);
            if let Err(error) = self.store.sweep_deliveries(before).await {
                tracing::warn!(%error, "the log of webhooks was not cleaned up and will be next time");
            }
            self.clock.sleep(clock::SWEEP).await;
        }
    }

    /// What clients have begun who are revoked ends first (SEC 56). Then it cleans up in small pieces, between which decisions
    /// are made, until nothing is left or it is time for something else. Neither fails with the other.
    async fn clean_up(&self) -> Result<(), store::Error> {
        let ended = self.store.sweep_begun().await;
        for _ in 0..clock::SWEEPS {
            if !self.store.sweep(self.now()).await?.more {
                break;
            }
        }
        ended
    }

    /// Wakes the workers of the channel that a decision has queued a message for, if it has.
    pub(crate) fn wake_outbox(&self, channel: Option<Channel>) {
        if let Some(channel) = channel {
            self.outbox.wake(channel);
        }
    }
}
