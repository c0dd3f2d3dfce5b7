//! Background work: sends queued messages, cleans up, wakes long polls, keeps the time.

use tokio::sync::broadcast::error::RecvError;

use crate::{Engine, clock};

impl Engine {
    /// Background work: sends queued messages and sweeps what has expired, until the future is dropped.
    pub async fn run(&self) {
        tokio::join!(
            self.learn_pace(),
            self.run_sender(),
            self.run_clean_up(),
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
                Ok(user) => self.held.wake(user),
                Err(RecvError::Lagged(_)) => self.held.wake_all(),
                Err(RecvError::Closed) => return,
            }
        }
    }

    async fn run_sender(&self) {
        let elsewhere = self.store.wake_ups();
        loop {
            let next = match self.outbox.deliver_due(self.now()).await {
                Ok(next) => next,
                Err(error) => {
                    tracing::error!(%error, "the outbox cannot be read");
                    Some(self.now().plus(clock::RETRY))
                }
            };
            // Another node's notice can be lost, so look now and then.
            let wait = next.map_or(clock::POLL, |at| at.since(self.now()).clamp(1, clock::POLL));
            tokio::select! {
                () = self.queued.notified() => {}
                () = elsewhere.notified() => {}
                () = self.clock.sleep(wait) => {}
            }
        }
    }

    async fn run_clean_up(&self) {
        for turn in 0_u64.. {
            self.record_folded(false).await;
            if turn.is_multiple_of(clock::SIZES_EVERY) {
                self.watch_sizes().await;
            }
            match self.store.sweep(self.now()).await {
                Ok(_) => self.housekeeping.swept(self.now()),
                Err(error) => tracing::warn!(%error, "the clean-up failed and will be tried again"),
            }
            let before = self.now().plus(-domain::model::webhook::KEEP_DELIVERIES);
            if let Err(error) = self.store.sweep_deliveries(before).await {
                tracing::warn!(%error, "the log of webhooks was not cleaned up and will be next time");
            }
            self.clock.sleep(clock::SWEEP).await;
        }
    }

    /// Wakes the sender: a decision may have queued something.
    pub(crate) fn wake_outbox(&self) {
        self.queued.notify_one();
    }
}
