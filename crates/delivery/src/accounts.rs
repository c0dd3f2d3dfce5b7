//! What messages cost and what pays for it, as senders see it (SEC 101). The rules and the caps are elsewhere.

use std::future::Future;
use std::pin::Pin;

use domain::{Channel, Charge, Message, Timestamp};
use store::Store;

use crate::route::Route;

/// A future that says whether there was enough.
pub type Taking<'a> = Pin<Box<dyn Future<Output = Result<bool, store::Error>> + Send + 'a>>;

/// The prices, and the caps of the day that pay for messages.
pub trait Accounts: Send + Sync {
    /// What a message to this number costs over this route, in micro-units; 0 where no price is known.
    fn price(&self, provider: &str, channel: Channel, to: &str) -> i64;

    /// Takes this much out of each cap that the message counts for, or nothing out of any.
    fn take<'a>(&'a self, charge: &'a Charge, micros: i64, now: Timestamp) -> Taking<'a>;

    /// Gives back what was set aside for a message that was queued at `queued_at`, and is not spent.
    fn give_back(&self, charge: Option<&Charge>, micros: i64, queued_at: Timestamp);
}

/// What a try of a message is paid with, in micro-units.
pub(crate) struct Paid {
    /// What it costs if the provider takes it.
    pub(crate) price: i64,
    /// What is set aside for the message beyond that.
    pub(crate) left: i64,
}

/// Pays for a try of a message over this route: with `free`, which is set aside for it, and with more if an earlier try may have
/// been charged by its provider. Nothing if there is not enough. What is taken is recorded before the try, so that a sender
/// that dies has counted too much, never too little.
pub(crate) async fn pay(
    accounts: &dyn Accounts,
    store: &Store,
    route: &Route,
    (message, to, free): (&Message, &str, i64),
    now: Timestamp,
) -> Result<Option<Paid>, store::Error> {
    let Some(charge) = &message.charge else { return Ok(Some(Paid { price: 0, left: 0 })) };
    let price = accounts.price(route.provider().name(), route.channel(), to);
    let missing = price - free;
    if missing > 0 {
        if !accounts.take(charge, missing, now).await? {
            let (id, channel) = (message.id.0, route.channel().name());
            let why = "message is not tried again: not enough is left of what messages may cost today";
            tracing::warn!(message = id, channel, "{why}");
            return Ok(None);
        }
        store.pay_message(message.id, missing).await?;
    }
    Ok(Some(Paid { price, left: (free - price).max(0) }))
}

#[cfg(test)]
#[path = "accounts_tests.rs"]
mod tests;
