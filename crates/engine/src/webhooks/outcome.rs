//! How calls of webhooks end, counted.

use std::sync::atomic::{AtomicU64, Ordering};

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryOutcome {
    Delivered,
    /// To be tried again.
    Retried,
    Failed,
    /// Not wanted any more.
    Gone,
}

impl DeliveryOutcome {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Delivered, Self::Retried, Self::Failed, Self::Gone];

    /// Its name in a metric.
    pub fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Retried => "retried",
            Self::Failed => "failed",
            Self::Gone => "gone",
        }
    }
}

/// Counts of calls by end.
#[derive(Debug, Default)]
pub struct DeliveryCounts([AtomicU64; DeliveryOutcome::ALL.len()]);

impl DeliveryCounts {
    pub(super) fn count(&self, outcome: DeliveryOutcome) {
        self.0[outcome as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// What was counted.
    pub fn read(&self) -> impl Iterator<Item = (DeliveryOutcome, u64)> {
        DeliveryOutcome::ALL.into_iter().zip(&self.0).map(|(outcome, count)| (outcome, count.load(Ordering::Relaxed)))
    }
}
