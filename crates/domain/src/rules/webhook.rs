//! What follows from the answer to a webhook call, and when the call is tried again (SEC 71).

use crate::model::time::{DAY, HOUR, SECOND, Timestamp};
use crate::model::webhook::WebhookAnswer;

/// How long a batch is tried, in milliseconds.
pub const PATIENCE: i64 = DAY;
/// The wait after the first failed try, in milliseconds; it doubles up to [`LONGEST_WAIT`].
const FIRST_WAIT: i64 = 5 * SECOND;
/// The longest wait between two tries, in milliseconds, before jitter.
const LONGEST_WAIT: i64 = 2 * HOUR;
/// How far a wait is stretched or cut by chance, in thousandths.
const JITTER: i64 = 250;

/// What follows from an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Delivered,
    /// To be tried again then.
    Retry(Timestamp),
    /// Given up: it was tried for [`PATIENCE`].
    Failed,
    /// The receiver wants no more events.
    Gone,
}

/// Judges the answer to try number `attempts` (from 1) of a delivery that began at `began`. `chance` is any random number.
pub fn judge(answer: WebhookAnswer, began: Timestamp, attempts: u32, now: Timestamp, chance: u64) -> Verdict {
    match answer {
        WebhookAnswer::Status(200..=299) => Verdict::Delivered,
        WebhookAnswer::Status(410) => Verdict::Gone,
        WebhookAnswer::Status(_) | WebhookAnswer::Fault(_) => match next_try(began, attempts, now, chance) {
            Some(at) => Verdict::Retry(at),
            None => Verdict::Failed,
        },
    }
}

/// When a delivery is tried again after `attempts` failed tries (at least 1): 5 seconds, doubling up to two hours, each a
/// quarter more or less by chance, and for the last time when its [`PATIENCE`] ends.
pub fn next_try(began: Timestamp, attempts: u32, now: Timestamp, chance: u64) -> Option<Timestamp> {
    let end = began.plus(PATIENCE);
    if now >= end {
        return None;
    }
    let doublings = attempts.saturating_sub(1).min(20);
    let wait = (FIRST_WAIT << doublings).min(LONGEST_WAIT);
    let thousandths = i64::try_from(chance % (2 * JITTER.unsigned_abs() + 1)).unwrap_or(0) - JITTER;
    Some(now.plus(wait + wait * thousandths / 1_000).min(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::outbound::OutboundFault;

    #[test]
    fn tries_double_their_waits_and_end_after_a_day() {
        let began = Timestamp(1_700_000_000_000);
        for (chance, factor) in [(0, 750), (250, 1_000), (500, 1_250)] {
            let wait = |attempts| next_try(began, attempts, began, chance).unwrap().since(began);
            assert_eq!(wait(1), 5_000 * factor / 1_000);
            assert_eq!(wait(2), 10_000 * factor / 1_000);
            assert_eq!(wait(10), 2_560_000 * factor / 1_000);
            assert_eq!(wait(99), LONGEST_WAIT * factor / 1_000);
            let (mut now, mut tries) = (began, 1);
            while let Some(next) = next_try(began, tries, now, chance) {
                assert!(next > now && next <= began.plus(PATIENCE));
                (now, tries) = (next, tries + 1);
            }
            assert_eq!(now, began.plus(PATIENCE), "the last try is at the end");
            assert!((18..=32).contains(&tries), "{tries}");
        }
    }

    #[test]
    fn an_answer_is_judged_by_its_status() {
        let now = Timestamp(1_700_000_000_000);
        let judged = |answer| judge(answer, now, 1, now, 250);
        for status in [200, 202, 204, 299] {
            assert_eq!(judged(WebhookAnswer::Status(status)), Verdict::Delivered);
        }
        for status in [100, 301, 302, 307, 400, 401, 404, 429, 500, 503] {
            assert_eq!(judged(WebhookAnswer::Status(status)), Verdict::Retry(now.plus(5_000)), "{status}");
        }
        assert_eq!(judged(WebhookAnswer::Status(410)), Verdict::Gone);
        let late = judge(WebhookAnswer::Fault(OutboundFault::Late), now.plus(-PATIENCE), 20, now, 0);
        assert_eq!(late, Verdict::Failed);
    }
}
