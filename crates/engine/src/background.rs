//! Background work: sends queued messages, cleans up, wakes long polls, keeps the time.

use domain::Channel;
use tokio::sync::broadcast::error::RecvError;

use crate::{Engine, clock};

impl Engine {
    /// Background work: sends queued messages and sweeps what has expired, until the future is dropped.
    pub async fn run(&self) {
        tokio::join!(
            self.learn_pace(),
            self.run_senders(),
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

    /// Sends queued messages, in a loop for each channel: a slow provider delays no other.
    async fn run_senders(&self) {
        let [sms, voice, email, push] = self.outbox.workers();
        tokio::join!(
            self.hear_of_messages(),
            self.run_sender(sms),
            self.run_sender(voice),
            self.run_sender(email),
            self.run_sender(push)
        );
    }

    async fn run_sender(&self, worker: &delivery::Worker) {
        let now = || self.now();
        // Another node's notice can be lost, so look now and then. Messages without a provider are only dropped.
        let longest = if worker.has_route() { clock::POLL } else { clock::SWEEP };
        loop {
            let next = worker.deliver_due(&now).await.unwrap_or_else(|error| {
                tracing::error!(%error, "outbox cannot be read");
                None
            });
            let wait = next.map_or(longest, |at| at.since(self.now()).clamp(1, longest));
            tokio::select! {
                () = worker.woken() => {}
                () = self.clock.sleep(wait) => {}
            }
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

    /// Wakes the worker of a channel: a decision may have queued a message.
    pub(crate) fn wake_outbox(&self, channel: Option<Channel>) {
        if let Some(channel) = channel {
            self.outbox.wake(channel);
        }
    }
}
