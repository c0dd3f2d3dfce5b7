//! The judge: reads how every shot of a volley ended and reports violations. It knows no server and no network, so that it can
//! be tested with invented endings (decision 38).

use super::client::{Answer, Dropped};

/// How strict the judge is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Nothing is broken on purpose: exactly one success, no 5xx, no dropped connection.
    FaultFree,
    /// Nodes or the database are broken on purpose: at most one success; 503 and dropped connections are allowed.
    FaultExpected,
}

/// How one shot ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    Accepted,
    /// Compared and refused, or no longer open; with the status.
    Refused(u16),
    /// Not compared: locked, for this number of seconds.
    Locked(i64),
    /// Too many calls, even after waiting; with `Retry-After` in seconds.
    Limited(i64),
    Unavailable,
    /// A 5xx other than 503.
    Fault(u16),
    /// Sent, and no answer came.
    Lost,
    Unsent,
    /// A status that no answer to this question has.
    Odd(u16),
}

impl Ended {
    /// The ending of a result.
    pub(super) fn of(result: &Result<Answer, Dropped>) -> Self {
        match result {
            Ok(answer) => Self::of_status(answer.status, answer.retry_after),
            Err(Dropped::Lost) => Self::Lost,
            Err(Dropped::Unreached) => Self::Unsent,
        }
    }

    fn of_status(status: u16, retry_after: Option<i64>) -> Self {
        match (status, retry_after) {
            (200..=299, _) => Self::Accepted,
            (401, Some(seconds)) => Self::Locked(seconds),
            (400 | 401 | 404 | 422, _) => Self::Refused(status),
            (429, seconds) => Self::Limited(seconds.unwrap_or(0)),
            (503, _) => Self::Unavailable,
            (500..=599, _) => Self::Fault(status),
            _ => Self::Odd(status),
        }
    }

    /// Whether the server accepted or refused.
    pub(super) fn is_clear(self) -> bool {
        matches!(self, Self::Accepted | Self::Refused(_) | Self::Locked(_))
    }
}

/// Numbers of endings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) shots: u64,
    pub(super) accepted: u64,
    /// 401 without a lock: the answer was compared.
    pub(super) evaluated: u64,
    /// Any other refusal: the target was no longer open.
    pub(super) closed: u64,
    pub(super) locked: u64,
    pub(super) limited: u64,
    pub(super) unavailable: u64,
    pub(super) faults: u64,
    pub(super) lost: u64,
    pub(super) unsent: u64,
    pub(super) odd: u64,
}

impl Count {
    /// Counts all of these.
    pub(super) fn of(endings: &[Ended]) -> Self {
        let mut count = Self::default();
        for ended in endings {
            count.add(*ended);
        }
        count
    }

    /// Counts one more.
    pub(super) fn add(&mut self, ended: Ended) {
        self.shots += 1;
        *match ended {
            Ended::Accepted => &mut self.accepted,
            Ended::Refused(401) => &mut self.evaluated,
            Ended::Refused(_) => &mut self.closed,
            Ended::Locked(_) => &mut self.locked,
            Ended::Limited(_) => &mut self.limited,
            Ended::Unavailable => &mut self.unavailable,
            Ended::Fault(_) => &mut self.faults,
            Ended::Lost => &mut self.lost,
            Ended::Unsent => &mut self.unsent,
            Ended::Odd(_) => &mut self.odd,
        } += 1;
    }

    /// Refusals of every kind.
    pub(super) fn refused(&self) -> u64 {
        self.evaluated + self.closed + self.locked
    }

    /// Connections that broke.
    pub(super) fn dropped(&self) -> u64 {
        self.lost + self.unsent
    }
}

/// Violations that no volley may show.
fn never(count: &Count, endings: &[Ended], mode: Mode) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(Ended::Fault(status)) = endings.iter().find(|ended| matches!(ended, Ended::Fault(_))) {
        found.push(format!("{} answers were faults of the server ({status})", count.faults));
    }
    if let Some(Ended::Odd(status)) = endings.iter().find(|ended| matches!(ended, Ended::Odd(_))) {
        found.push(format!("{} answers had an unexpected status ({status})", count.odd));
    }
    if mode == Mode::FaultFree {
        if count.unavailable > 0 {
            found.push(format!("{} answers were 503 though nothing was broken", count.unavailable));
        }
        if count.dropped() > 0 {
            found.push(format!("{} connections broke though nothing was broken", count.dropped()));
        }
    }
    found
}

/// Judges a volley of one single-use thing and the shots `again` after it: one success in all.
pub(super) fn used_once(volley: &[Ended], again: &[Ended], mode: Mode) -> Vec<String> {
    let all: Vec<Ended> = volley.iter().chain(again).copied().collect();
    let (first, total) = (Count::of(volley), Count::of(&all));
    let mut found = never(&total, &all, mode);
    if total.accepted > 1 {
        found.push(format!(
            "accepted {} times, {} of them afterwards",
            total.accepted,
            total.accepted - first.accepted
        ));
    }
    if total.locked > 0 {
        found.push("locked without a guess".to_owned());
    }
    // A lost answer or a 503 may have been an acceptance.
    let may_be_spent = mode == Mode::FaultExpected && first.lost + first.unavailable > 0;
    let accepted = if mode == Mode::FaultFree { first.accepted } else { total.accepted };
    if accepted == 0 && !may_be_spent && total.accepted < 2 {
        found.push("refused to every caller, though it was right and unused".to_owned());
    }
    if mode == Mode::FaultExpected && !again.is_empty() && !again.iter().any(|ended| ended.is_clear()) {
        found.push("the server did not come back to show whether it is used up".to_owned());
    }
    found
}

/// Judges a volley of distinct wrong answers: exactly `limit` are compared, and the rest have to wait, for at most `longest`
/// seconds.
pub(super) fn guesses(volley: &[Ended], limit: u64, longest: i64, mode: Mode) -> Vec<String> {
    let count = Count::of(volley);
    let mut found = never(&count, volley, mode);
    if count.accepted > 0 {
        found.push(format!("{} wrong answers were accepted", count.accepted));
    }
    if count.evaluated > limit {
        found.push(format!("{} wrong answers were compared, the limit is {limit}", count.evaluated));
    }
    if mode == Mode::FaultFree && count.evaluated < limit {
        found.push(format!("only {} wrong answers were compared before the lock at {limit}", count.evaluated));
    }
    if count.closed > 0 {
        found.push(format!("{} wrong answers were neither compared nor refused for the lock", count.closed));
    }
    let strange = volley.iter().find(|ended| matches!(ended, Ended::Locked(s) if !(1..=longest).contains(s)));
    if let Some(Ended::Locked(seconds)) = strange {
        found.push(format!("a lock of {seconds} s was reported; the longest is {longest} s"));
    }
    found
}

/// Judges answers aimed at another user's device: none is compared (SEC 54).
pub(super) fn unseen(shots: &[Ended], mode: Mode) -> Vec<String> {
    let count = Count::of(shots);
    let mut found = never(&count, shots, mode);
    if count.accepted > 0 {
        found.push(format!("{} answers were accepted at devices of others", count.accepted));
    }
    if count.evaluated + count.locked > 0 {
        found.push(format!("{} answers were compared at devices of others", count.evaluated + count.locked));
    }
    found
}

/// Judges right answers during a lock: none is compared (SEC 26).
pub(super) fn while_locked(shots: &[Ended], mode: Mode) -> Vec<String> {
    let count = Count::of(shots);
    let mut found = never(&count, shots, mode);
    if count.accepted > 0 {
        found.push(format!("{} right codes were accepted while locked", count.accepted));
    }
    if count.evaluated + count.closed > 0 {
        found.push(format!("{} right codes were refused without naming the lock", count.evaluated + count.closed));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::Ended::{Accepted, Fault, Limited, Locked, Lost, Odd, Refused, Unavailable, Unsent};
    use super::Mode::{FaultExpected, FaultFree};
    use super::*;

    fn says(found: &[String], words: &str) -> bool {
        found.iter().any(|violation| violation.contains(words))
    }

    #[test]
    fn a_status_becomes_an_ending() {
        assert_eq!(Ended::of_status(200, None), Accepted);
        assert_eq!(Ended::of_status(401, None), Refused(401));
        assert_eq!(Ended::of_status(401, Some(60)), Locked(60));
        assert_eq!(Ended::of_status(404, None), Refused(404));
        assert_eq!(Ended::of_status(429, Some(7)), Limited(7));
        assert_eq!(Ended::of_status(503, Some(1)), Unavailable);
        assert_eq!(Ended::of_status(500, None), Fault(500));
        assert_eq!(Ended::of_status(302, None), Odd(302));
        assert_eq!(Ended::of(&Err(Dropped::Unreached)), Unsent);
    }

    #[test]
    fn one_winner_and_no_second_is_clean() {
        assert!(used_once(&[Refused(401), Accepted, Refused(404)], &[Refused(401)], FaultFree).is_empty());
        assert!(used_once(&[Accepted, Limited(1)], &[], FaultFree).is_empty());
    }

    #[test]
    fn a_second_success_is_caught_in_the_volley_and_after_it() {
        for mode in [FaultFree, FaultExpected] {
            assert!(says(&used_once(&[Accepted, Accepted], &[Refused(401)], mode), "accepted 2 times"));
            assert!(says(&used_once(&[Accepted, Refused(401)], &[Accepted], mode), "1 of them afterwards"));
            assert!(says(&used_once(&[Lost, Lost], &[Accepted, Accepted], mode), "accepted 2 times"));
        }
    }

    #[test]
    fn a_missing_success_is_caught_unless_an_answer_was_lost() {
        assert!(says(&used_once(&[Refused(401); 3], &[Refused(401)], FaultFree), "refused to every caller"));
        assert!(says(&used_once(&[Refused(401); 3], &[Accepted], FaultFree), "refused to every caller"));
        assert!(says(&used_once(&[Refused(401), Unsent], &[Refused(401)], FaultExpected), "refused to every caller"));
        assert!(used_once(&[Refused(401), Lost], &[Refused(401)], FaultExpected).is_empty());
        assert!(used_once(&[Unavailable, Unavailable], &[Refused(401)], FaultExpected).is_empty());
        assert!(used_once(&[Unsent, Unavailable], &[Accepted, Refused(401)], FaultExpected).is_empty());
    }

    #[test]
    fn faults_are_allowed_only_where_they_are_expected_and_a_500_nowhere() {
        for broken in [Unavailable, Lost, Unsent] {
            assert_eq!(used_once(&[Accepted, broken], &[], FaultFree).len(), 1, "{broken:?}");
            assert!(used_once(&[Accepted, broken], &[Refused(401)], FaultExpected).is_empty(), "{broken:?}");
        }
        for mode in [FaultFree, FaultExpected] {
            assert!(says(&used_once(&[Accepted, Fault(500)], &[Refused(401)], mode), "(500)"));
            assert!(says(&used_once(&[Accepted, Odd(403)], &[Refused(401)], mode), "(403)"));
            assert!(says(&used_once(&[Accepted, Locked(60)], &[Refused(401)], mode), "locked"));
        }
        assert!(says(&used_once(&[Lost], &[Lost, Unsent], FaultExpected), "did not come back"));
    }

    #[test]
    fn exactly_the_limit_is_compared() {
        let volley = |evaluated: usize, locked: usize| {
            let mut volley = vec![Refused(401); evaluated];
            volley.extend(vec![Locked(60); locked]);
            volley
        };
        assert!(guesses(&volley(5, 995), 5, 60, FaultFree).is_empty());
        assert!(says(&guesses(&volley(6, 994), 5, 60, FaultFree), "6 wrong answers were compared"));
        assert!(says(&guesses(&volley(6, 994), 5, 60, FaultExpected), "6 wrong answers were compared"));
        assert!(says(&guesses(&volley(4, 996), 5, 60, FaultFree), "only 4"));
        assert!(guesses(&volley(4, 996), 5, 60, FaultExpected).is_empty());
        assert!(says(&guesses(&[volley(5, 9), vec![Accepted]].concat(), 5, 60, FaultFree), "accepted"));
        assert!(says(&guesses(&[volley(5, 9), vec![Refused(404)]].concat(), 5, 60, FaultFree), "neither"));
        assert!(says(&guesses(&[volley(5, 9), vec![Locked(3_600)]].concat(), 5, 60, FaultFree), "3600 s"));
        assert!(says(&guesses(&[volley(5, 9), vec![Fault(500)]].concat(), 5, 60, FaultExpected), "(500)"));
    }

    #[test]
    fn a_right_code_is_not_compared_while_locked() {
        assert!(while_locked(&[Locked(59), Locked(58)], FaultFree).is_empty());
        assert!(says(&while_locked(&[Locked(59), Accepted], FaultFree), "accepted while locked"));
        assert!(says(&while_locked(&[Refused(401)], FaultFree), "without naming"));
    }

    #[test]
    fn answers_at_devices_of_others_are_not_compared() {
        assert_eq!(unseen(&[Ended::Refused(400), Ended::Refused(400)], Mode::FaultFree), Vec::<String>::new());
        for looked in [Ended::Accepted, Ended::Refused(401), Ended::Locked(60)] {
            assert_eq!(unseen(&[Ended::Refused(400), looked], Mode::FaultFree).len(), 1, "{looked:?}");
        }
    }
}
