//! What pays for messages (SEC 101): the prices, the caps of the day, and what this node has taken of them.

use std::sync::Arc;

use delivery::{Accounts, Taking};
use domain::{Channel, Charge, Prices, SpendCaps, Timestamp};

use crate::challenges::message_leases::{DayLeases, TakenOfDay};

/// The caps, the prices, and what this node has taken.
pub(crate) struct SpendAccounts {
    pub(crate) leases: DayLeases,
    pub(crate) prices: Option<Arc<Prices>>,
    pub(crate) caps: SpendCaps,
}

impl SpendAccounts {
    /// Takes this much out of each cap that a message counts for, or nothing out of any.
    pub(super) async fn take_all(
        &self,
        charge: &Charge,
        micros: i64,
        now: Timestamp,
    ) -> Result<TakenOfDay, store::Error> {
        let mut taken = Vec::new();
        for budget in charge.budgets() {
            let Some(cap) = self.caps.per_day(budget) else { continue };
            match self.leases.take(budget, cap, micros, now).await {
                Ok(TakenOfDay::Taken) => taken.push(budget),
                ended => {
                    for budget in taken {
                        self.leases.give_back(budget, micros, now);
                    }
                    return ended;
                }
            }
        }
        Ok(TakenOfDay::Taken)
    }
}

impl Accounts for SpendAccounts {
    fn price(&self, provider: &str, channel: Channel, to: &str) -> i64 {
        let price = self.prices.as_ref().and_then(|prices| prices.of(provider, channel, to));
        price.map_or(0, |price| price.micros)
    }

    fn take<'a>(&'a self, charge: &'a Charge, micros: i64, now: Timestamp) -> Taking<'a> {
        Box::pin(async move { Ok(self.take_all(charge, micros, now).await? == TakenOfDay::Taken) })
    }

    fn give_back(&self, charge: Option<&Charge>, micros: i64, queued_at: Timestamp) {
        if micros > 0 {
            for budget in charge.into_iter().flat_map(Charge::budgets) {
                self.leases.give_back(budget, micros, queued_at);
            }
        }
    }
}
