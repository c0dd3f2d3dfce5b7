//! How verifications end, counted for whoever watches the server.

use std::sync::atomic::{AtomicU64, Ordering};

use domain::{FactorKind, Outcome};

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Right, and used up.
    Accepted,
    /// Wrong, used, late, denied or locked.
    Refused,
    /// Still waiting for the person.
    Pending,
}

impl Ended {
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
pub struct Tally([[AtomicU64; Ended::ALL.len()]; FactorKind::ALL.len() + 1]);

impl Tally {
    /// Counts an answer.
    pub(crate) fn count(&self, factor: Option<FactorKind>, outcome: &Outcome) {
        self.add(
            factor,
            match outcome {
                Outcome::Accepted { .. } => Ended::Accepted,
                Outcome::Refused(_) => Ended::Refused,
                Outcome::Pending(_) => Ended::Pending,
            },
        );
    }

    /// Counts an answer that completed a log-in.
    pub(crate) fn granted(&self, factor: Option<FactorKind>) {
        self.add(factor, Ended::Accepted);
    }

    fn add(&self, factor: Option<FactorKind>, ended: Ended) {
        let place = FactorKind::ALL.iter().position(|known| Some(*known) == factor).unwrap_or(FactorKind::ALL.len());
        self.0[place][ended as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// What was counted.
    pub fn read(&self) -> impl Iterator<Item = (Option<FactorKind>, Ended, u64)> {
        let factors = FactorKind::ALL.into_iter().map(Some).chain([None]);
        factors.zip(&self.0).flat_map(|(factor, ends)| {
            Ended::ALL.into_iter().zip(ends).map(move |(ended, count)| (factor, ended, count.load(Ordering::Relaxed)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Reason;

    #[test]
    fn an_answer_is_counted_once_in_its_place() {
        let tally = Tally::default();
        tally.count(Some(FactorKind::Hotp), &Outcome::Refused(Reason::WrongCode));
        tally.count(None, &Outcome::Refused(Reason::NoUser));
        let counted: Vec<_> = tally.read().filter(|(_, _, count)| *count > 0).collect();
        assert_eq!(counted, [(Some(FactorKind::Hotp), Ended::Refused, 1), (None, Ended::Refused, 1)]);
    }
}
