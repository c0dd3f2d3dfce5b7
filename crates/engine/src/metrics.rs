//! Counts for the metrics: answers, and decisions.

use std::sync::atomic::{AtomicU64, Ordering};

use domain::{FactorKind, Outcome};

use crate::decision_name::DecisionName;

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerEnd {
    /// Right, and used up.
    Accepted,
    /// Wrong, used, late, denied or locked.
    Refused,
    /// Still waiting for the person.
    Pending,
}

impl AnswerEnd {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Accepted, Self::Refused, Self::Pending];

    /// Its name in a metric.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Pending => "pending",
        }
    }
}

/// Counts of answers by factor, the last of which is for answers to no known device, and by end.
#[derive(Debug, Default)]
pub struct AnswerCounts([[AtomicU64; AnswerEnd::ALL.len()]; FactorKind::ALL.len() + 1]);

impl AnswerCounts {
    /// Counts an answer.
    pub(crate) fn count(&self, factor: Option<FactorKind>, outcome: &Outcome) {
        self.add(
            factor,
            match outcome {
                Outcome::Accepted { .. } => AnswerEnd::Accepted,
                Outcome::Refused(_) => AnswerEnd::Refused,
                Outcome::Pending { .. } => AnswerEnd::Pending,
            },
        );
    }

    /// Counts an answer that completed a log-in.
    pub(crate) fn granted(&self, factor: Option<FactorKind>) {
        self.add(factor, AnswerEnd::Accepted);
    }

    fn add(&self, factor: Option<FactorKind>, ended: AnswerEnd) {
        let place = FactorKind::ALL.iter().position(|known| Some(*known) == factor).unwrap_or(FactorKind::ALL.len());
        self.0[place][ended as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// What was counted.
    pub fn read(&self) -> impl Iterator<Item = (Option<FactorKind>, AnswerEnd, u64)> {
        let factors = FactorKind::ALL.into_iter().map(Some).chain([None]);
        factors.zip(&self.0).flat_map(|(factor, ends)| {
            AnswerEnd::ALL
                .into_iter()
                .zip(ends)
                .map(move |(ended, count)| (factor, ended, count.load(Ordering::Relaxed)))
        })
    }
}

/// Counts of decisions by name: those that committed, and those that failed.
#[derive(Debug)]
pub struct DecisionCounts([[AtomicU64; 2]; DecisionName::ALL.len()]);

impl Default for DecisionCounts {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Default::default()))
    }
}

impl DecisionCounts {
    pub(crate) fn count(&self, name: DecisionName, is_done: bool) {
        self.0[name as usize][usize::from(!is_done)].fetch_add(1, Ordering::Relaxed);
    }

    /// Each name, with how many of its decisions committed and how many failed.
    pub fn read(&self) -> impl Iterator<Item = (DecisionName, u64, u64)> {
        DecisionName::ALL
            .into_iter()
            .zip(&self.0)
            .map(|(name, [done, failed])| (name, done.load(Ordering::Relaxed), failed.load(Ordering::Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Reason;

    #[test]
    fn a_decision_is_counted_under_its_name() {
        let counts = DecisionCounts::default();
        for name in DecisionName::ALL {
            counts.count(name, name != DecisionName::Verify);
        }
        for (name, done, failed) in counts.read() {
            assert_eq!((done, failed), if name == DecisionName::Verify { (0, 1) } else { (1, 0) }, "{name:?}");
        }
    }

    #[test]
    fn an_answer_is_counted_once_in_its_place() {
        let counts = AnswerCounts::default();
        counts.count(Some(FactorKind::Hotp), &Outcome::Refused(Reason::WrongCode));
        counts.count(None, &Outcome::Refused(Reason::NoUser));
        let counted: Vec<_> = counts.read().filter(|(_, _, count)| *count > 0).collect();
        assert_eq!(counted, [(Some(FactorKind::Hotp), AnswerEnd::Refused, 1), (None, AnswerEnd::Refused, 1)]);
    }
}
