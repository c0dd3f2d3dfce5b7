//! What the server does now and then with what is counted.

use domain::rules::throttle;

use super::sizes::{HousekeepingStatus, passed};
use crate::Engine;
use crate::decision_name::DecisionName;

impl Engine {
    /// Writes down the refusals under a lock that were folded ten minutes ago or longer; all of them when the server stops.
    pub async fn record_folded(&self, all: bool) {
        let now = self.now();
        for key in self.folded.due(all, now) {
            let Some(count) = self.folded.take(&key) else { continue };
            let Some(user) = count.first.user else { continue };
            let (first, times) = (count.first.clone(), count.times);
            if let Err(error) = self
                .decide(DecisionName::RecordRefusals, user, move |view| {
                    throttle::record_folded(view, &first, times, now)
                })
                .await
            {
                tracing::warn!(%error, "folded refusals were not written down and will be next time");
                self.folded.put_back(count);
            }
        }
    }

    /// What is known of the sizes. Reads no database.
    pub fn housekeeping_status(&self) -> HousekeepingStatus {
        self.housekeeping.lock().clone()
    }

    /// Counts the sizes, and warns of those that have passed a bound.
    pub async fn watch_sizes(&self) {
        let sizes = match self.store.sizes().await {
            Ok(sizes) => sizes,
            Err(error) => {
                tracing::warn!(%error, "the sizes of tables were not counted and will be next time");
                return;
            }
        };
        let now = self.now();
        let before =
            self.housekeeping.lock().sizes.replace((sizes.clone(), now)).map(|(sizes, _)| sizes).unwrap_or_default();
        for (what, size, bound) in passed(&before, &sizes) {
            tracing::warn!(
                what,
                size,
                bound,
                "the database has grown beyond what is usual: see docs/operate/monitoring.md, Sizes"
            );
        }
    }
}
