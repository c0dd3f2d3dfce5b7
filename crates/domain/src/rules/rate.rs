//! The rate of a client's calls, right across nodes (SEC 37).
//!
//! The database holds one bucket for each client. A node takes calls out of it some at a time, uses them within
//! [`LEASE`], and admits a few more on credit ([`CallRate::credit`]), which it pays back with its next lease. So in any
//! `t` seconds all nodes together admit at most
//!
//! `burst + rate × (t + 1) + credit × nodes`
//!
//! calls of a client, and in the long run exactly the rate, on whichever nodes the client calls: a node that sees all of
//! its calls gets all of the bucket. A client that calls seldom lives on credit, and no call waits for the database.

use crate::model::budget::{Budget, BudgetView, Spent};
use crate::model::change::{Change, Decision};
use crate::model::id::ClientId;
use crate::model::time::SECOND;

/// How long calls that a node has taken out of a bucket may be used, in milliseconds.
pub const LEASE: i64 = SECOND;

/// The rate of one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallRate {
    /// Calls a second; at least 1.
    pub per_second: u32,
    /// Calls at once; at least 1.
    pub burst: u32,
}

impl Default for CallRate {
    fn default() -> Self {
        Self { per_second: 100, burst: 200 }
    }
}

impl CallRate {
    /// How many calls a node admits before it has paid for them.
    pub fn credit(self) -> i64 {
        i64::from((self.burst / 10).max(1))
    }
}

/// What a node got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Granted {
    /// How many of the calls admitted on credit are paid for.
    pub paid: i64,
    /// How many more may be admitted.
    pub calls: i64,
    /// Milliseconds until there is another, where this is less than was asked for.
    pub wait: i64,
}

/// Takes calls out of a client's bucket: `debt` that were admitted already, and up to `want` more. Of what is left after
/// the debt a node gets half, so that others find something, or a tenth of a second's worth, so that it need not ask
/// all the time.
pub fn take(view: &BudgetView, client: ClientId, rate: CallRate, debt: i64, want: i64) -> Decision<Granted> {
    let per_second = i64::from(rate.per_second.max(1));
    let full = i64::from(rate.burst.max(1)) * 1_000;
    // A millisecond gives back as many thousandths as a second does calls.
    let elapsed = view.clock.since(view.spent.since).clamp(0, full);
    let missing = view.spent.taken.saturating_sub(elapsed.saturating_mul(per_second)).clamp(0, full);
    let available = (full - missing) / 1_000;
    let paid = debt.clamp(0, available);
    let left = available - paid;
    let calls = want.clamp(0, left.min((left + 1).div_euclid(2).max(per_second / 10)));
    let missing = missing + (paid + calls) * 1_000;
    let wait = (missing + 1_000 - full).max(0).div_euclid(per_second) + 1;
    let reply = Granted { paid, calls, wait };
    // A clock that was set back is followed even where there is nothing to take: the bucket would stay as it is until
    // the clock is where it was.
    if paid + calls == 0 && view.spent.since <= view.clock {
        return Decision::reply(reply);
    }
    let spent = Spent { taken: missing, since: view.clock, ..Spent::default() };
    Decision::reply(reply).with(Change::SetSpent(Budget::Calls(client), spent))
}
