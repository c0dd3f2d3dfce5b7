//! What messages may cost, and what they do (SEC 101), as operators see it.

use delivery::Accounts as _;
use domain::rules::sends::{self, Alarm};
use domain::{Budget, Channel, ClientId, Timestamp};
use store::Spending;

use crate::{Engine, Fault};

/// A day's cap on what messages cost, for metrics and reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpendBudget {
    /// Whose cap it is.
    pub owner: SpendOwner,
    /// Micro-units of the day (UTC) that nodes have taken, spent or not.
    pub taken: i64,
    /// The most of a day, in micro-units.
    pub cap: i64,
    /// What it has reached: nothing, 80 or 100, in percent.
    pub alarm: u8,
}

/// Who a cap belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpendOwner {
    Server,
    Client(ClientId),
    /// Messages to the numbers of a country.
    Country(&'static str),
}

impl Engine {
    /// How the caps of the day stand: the server's first, then those of clients and countries that were used.
    pub async fn spend_budgets(&self) -> Result<Vec<SpendBudget>, Fault> {
        let (now, caps) = (self.now(), self.settings.policy.caps);
        if !self.settings.policy.message_limits {
            return Ok(Vec::new());
        }
        let mut spent = self.store.day_budgets().await?;
        if !spent.iter().any(|(budget, _)| *budget == Budget::SpendOfServer) {
            spent.push((Budget::SpendOfServer, domain::Spent::default()));
        }
        let reading = |(budget, spent): (Budget, domain::Spent)| {
            let cap = caps.per_day(budget)?;
            let taken = sends::taken_today(&spent, now);
            let owner = match (budget.client(), budget.country()) {
                (Some(client), _) => SpendOwner::Client(client),
                (None, Some(country)) => SpendOwner::Country(country),
                (None, None) => SpendOwner::Server,
            };
            Some(SpendBudget { owner, taken, cap, alarm: Alarm::of(taken, cap).map_or(0, Alarm::percent) })
        };
        let mut budgets: Vec<_> = spent.into_iter().filter_map(reading).collect();
        budgets.sort_by_key(|budget| budget.owner != SpendOwner::Server);
        Ok(budgets)
    }

    /// What messages to telephones cost that were queued since a moment, of those that are kept: a day's (SEC 87).
    pub async fn spending(&self, since: Timestamp) -> Result<Vec<Spending>, Fault> {
        Ok(self.store.spending(since).await?)
    }

    /// The highest price of the routes that may carry a message to this number, in micro-units. A text message with a code
    /// may be called.
    pub(super) fn highest_price(&self, channel: Channel, has_code: bool, number: &str) -> i64 {
        let routes = self.routes().may_carry(channel, has_code);
        let prices = routes.map(|route| self.accounts.price(route.provider().name(), route.channel(), number));
        prices.max().unwrap_or(0)
    }
}
