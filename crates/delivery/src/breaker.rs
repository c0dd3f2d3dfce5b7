//! When a route is left alone: after failures in a row, for a while (SEC 72). Pure; the time is an argument.

use std::time::Duration;

use domain::Timestamp;

use crate::provider::Fitness;

/// Failures in a row after which a route is down.
const FAILURES: u32 = 5;
/// How long it is down, in milliseconds.
const REST: i64 = 30_000;
/// The longest rest that a provider may ask for, in milliseconds.
const LONGEST_REST: i64 = 300_000;

/// Counts failures in a row, and says whether a route may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Breaker {
    failures: u32,
    /// When the rest ends. It stays set until a message has been sent.
    down_until: Option<Timestamp>,
}

/// Whether a route may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteState {
    /// As much as its provider takes.
    Up,
    /// Its rest is over: one message tries it.
    OnTrial,
    /// Not before this moment.
    DownUntil(Timestamp),
}

impl Breaker {
    pub(crate) fn state(self, now: Timestamp) -> RouteState {
        match self.down_until {
            None => RouteState::Up,
            // A rest that is longer than any was begun under another clock.
            Some(until) if now < until && until.since(now) <= LONGEST_REST => RouteState::DownUntil(until),
            Some(_) => RouteState::OnTrial,
        }
    }

    /// What is known after a sending that ended now.
    #[must_use]
    pub(crate) fn after(self, fitness: Fitness, now: Timestamp) -> Self {
        let asked = match fitness {
            Fitness::Failing(asked) => asked,
            Fitness::Unknown => return self,
            // A sending that began before the rest does not end it: the provider has asked for it, or failed since.
            Fitness::Fit if matches!(self.state(now), RouteState::DownUntil(_)) => return self,
            Fitness::Fit => return Self::default(),
        };
        let failures = self.failures.saturating_add(1);
        let rest = match asked {
            Some(wait) => Some(milliseconds(wait).min(LONGEST_REST)),
            None if failures >= FAILURES || self.down_until.is_some() => Some(REST),
            None => None,
        };
        // A sending that began before the rest does not shorten it.
        let down_until = rest.map(|rest| now.plus(rest)).max(self.down_until);
        Self { failures, down_until }
    }
}

fn milliseconds(wait: Duration) -> i64 {
    i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000_000);
    const FAILED: Fitness = Fitness::Failing(None);

    fn after(failures: u32) -> Breaker {
        (0..failures).fold(Breaker::default(), |breaker, _| breaker.after(FAILED, NOW))
    }

    #[test]
    fn five_failures_in_a_row_take_a_route_down_for_half_a_minute() {
        assert_eq!(after(4).state(NOW), RouteState::Up);
        let down = after(5);
        assert_eq!(down.state(NOW), RouteState::DownUntil(NOW.plus(30_000)));
        assert_eq!(down.state(NOW.plus(29_999)), RouteState::DownUntil(NOW.plus(30_000)));
        assert_eq!(down.state(NOW.plus(30_000)), RouteState::OnTrial);
    }

    #[test]
    fn a_success_begins_the_count_anew() {
        let almost = after(4).after(Fitness::Fit, NOW);
        assert_eq!(almost.after(FAILED, NOW).state(NOW), RouteState::Up);
        assert_eq!(after(5).after(Fitness::Fit, NOW.plus(30_000)).state(NOW.plus(30_000)), RouteState::Up);
    }

    #[test]
    fn what_is_said_about_a_message_changes_nothing() {
        assert_eq!(after(4).after(Fitness::Unknown, NOW), after(4), "the fifth failure in a row still counts");
        let later = NOW.plus(30_000);
        assert_eq!(after(5).after(Fitness::Unknown, later).state(later), RouteState::OnTrial);
    }

    #[test]
    fn a_trial_that_fails_is_another_rest() {
        let later = NOW.plus(30_000);
        assert_eq!(after(5).after(FAILED, later).state(later), RouteState::DownUntil(later.plus(30_000)));
    }

    #[test]
    fn a_provider_may_ask_for_a_rest_of_five_minutes_at_most() {
        let asked = |seconds| Breaker::default().after(Fitness::Failing(Some(Duration::from_secs(seconds))), NOW);
        assert_eq!(asked(7).state(NOW), RouteState::DownUntil(NOW.plus(7_000)));
        assert_eq!(asked(86_400).state(NOW), RouteState::DownUntil(NOW.plus(300_000)));
    }

    #[test]
    fn a_rest_that_began_under_a_clock_that_was_ahead_is_over() {
        assert_eq!(after(5).state(NOW.plus(-300_000)), RouteState::OnTrial);
    }

    #[test]
    fn a_sending_from_before_a_rest_neither_shortens_nor_ends_it() {
        let asked = Breaker::default().after(Fitness::Failing(Some(Duration::from_secs(300))), NOW);
        assert_eq!(asked.after(Fitness::Fit, NOW).state(NOW), RouteState::DownUntil(NOW.plus(300_000)));
        assert_eq!(asked.after(FAILED, NOW).state(NOW), RouteState::DownUntil(NOW.plus(300_000)));
    }
}
