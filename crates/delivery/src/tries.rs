//! One try to send a message, and when another follows.

use std::time::Duration;

use domain::{Digest, DropReason, Message, MessageId, Timestamp};
use store::Turn;
use tokio::time::timeout;

use crate::message::OutgoingMessage;
use crate::provider::{Provider, SendError};

/// Wait before the second and the third round over all routes, in milliseconds. After them a message is given up, so each
/// route is tried three times at most (SEC 72).
pub(crate) const BACK_OFF: [i64; 2] = [1_000, 4_000];
/// What a claim outlasts the longest sending by, in milliseconds: time to record the outcome.
const LEASE_MARGIN: i64 = 20_000;
/// How long we retry recording that a message was sent, in milliseconds. It is shorter than that margin.
pub(crate) const RECORDING: i64 = 12_000;
/// Wait between two tries of that, in milliseconds.
pub(crate) const RECORD_AGAIN: i64 = 500;

/// A sending that has ended.
pub(crate) struct Sent {
    pub(crate) message: Message,
    /// As in [`Paid`](crate::accounts::Paid).
    pub(crate) price: i64,
    pub(crate) left: i64,
    /// Routes that it has passed, this one included.
    pub(crate) passed: u32,
    /// When the claim ends under which it was sent.
    pub(crate) claimed_until: Timestamp,
    /// The country of its number.
    pub(crate) country: Option<&'static str>,
    /// By which the subscription is recognised that it was sent to, if it was to one.
    pub(crate) subscription: Option<Digest>,
    pub(crate) result: Result<(), SendError>,
}

/// Hands a message to a provider, for as long as it may take.
pub async fn send(provider: &dyn Provider, message: &OutgoingMessage) -> Result<(), SendError> {
    timeout(provider.timeout(), provider.send(message)).await.unwrap_or(Err(SendError::TimedOut))
}

/// How long a claim keeps other nodes away, in milliseconds.
pub(crate) fn lease(timeout: Duration) -> i64 {
    i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX).saturating_add(LEASE_MARGIN)
}

/// Why a message is given up whose last try has failed: its subscription is over, or it cannot be delivered.
pub(crate) fn why_over(error: SendError, subscription: Option<Digest>) -> DropReason {
    let over = subscription.filter(|_| error == SendError::Gone);
    over.map_or(DropReason::Undeliverable, |mark| DropReason::Unsubscribed { mark })
}

/// Whether a message that has had so many whole rounds over all routes has no try left.
pub(crate) fn is_over(round: u32) -> bool {
    round as usize > BACK_OFF.len()
}

/// When a message whose sending failed is tried again, if it is: at once by the next route that is up, and after the
/// last by the first, after a wait. `turn` is that of the route that failed, with whether another may carry the message.
pub(crate) fn next(
    error: SendError,
    id: MessageId,
    passed: u32,
    (turn, has_others): (Turn, bool),
    now: Timestamp,
) -> Option<Timestamp> {
    let round = passed.saturating_sub(1) / turn.of;
    let ends_round = turn.position >= turn.last;
    let may_succeed =
        error.is_temporary() || (has_others && !matches!(error, SendError::Unreachable | SendError::Gone));
    match BACK_OFF.get(round as usize) {
        _ if !may_succeed => None,
        _ if !ends_round => Some(now),
        wait => wait.map(|wait| now.plus(spread(*wait, id))),
    }
}

/// A wait that is up to a quarter shorter or longer, by the message: what failed together is not tried again together.
pub(crate) fn spread(wait: i64, id: MessageId) -> i64 {
    /// Spreads neighbouring ids over all numbers (Knuth, TAOCP 6.4).
    const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
    let part = i64::from((id.0.unsigned_abs().wrapping_mul(GOLDEN) >> 54) as u16);
    wait * 3 / 4 + wait / 2 * part / 1_024
}
