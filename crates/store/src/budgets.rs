//! How budgets are kept: one row each.
//!
//! | bytes | what, all big endian |
//! | --- | --- |
//! | 8 | how much is taken |
//! | 8 | since when, in milliseconds since 1970 UTC |
//! | then 16 each | when a message was counted, and the mark of its recipient; of a day's budget another day, and what was taken of it |
//!
//! A row without bytes is of a budget that nothing was taken out of.

use domain::model::budget::Sent;
use domain::{Budget, BudgetView, Spent, Timestamp};

use crate::error::Error;
use crate::schema::columns::{BUDGET, BUDGET_CLOCK};
use crate::value::Row;

const CORRUPT: Error = Error::Corrupt("a budget");

/// What is stored.
pub(crate) fn pack(spent: &Spent) -> Vec<u8> {
    let mut packed = Vec::with_capacity(16 + 16 * spent.recent.len());
    packed.extend_from_slice(&spent.taken.to_be_bytes());
    packed.extend_from_slice(&spent.since.0.to_be_bytes());
    for sent in &spent.recent {
        packed.extend_from_slice(&sent.at.0.to_be_bytes());
        packed.extend_from_slice(&sent.target);
    }
    packed
}

/// The inverse of [`pack`].
fn unpack(bytes: &[u8]) -> Result<Spent, Error> {
    if bytes.is_empty() {
        return Ok(Spent::default());
    }
    let (words, rest) = bytes.as_chunks::<8>();
    let ([taken, since, recent @ ..], []) = (words, rest) else { return Err(CORRUPT) };
    let (recent, []) = recent.as_chunks::<2>() else { return Err(CORRUPT) };
    Ok(Spent {
        recent: recent
            .iter()
            .map(|[at, target]| Sent { at: Timestamp(i64::from_be_bytes(*at)), target: *target })
            .collect(),
        taken: i64::from_be_bytes(*taken),
        since: Timestamp(i64::from_be_bytes(*since)),
    })
}

/// A budget as a decision sees it: its state, if it has one, and the database's clock.
pub(crate) fn view(row: &dyn Row) -> Result<BudgetView, Error> {
    let spent = unpack(row.opt_blob(BUDGET.state)?.unwrap_or_default())?;
    Ok(BudgetView { spent, clock: row.time(BUDGET_CLOCK)? })
}

/// Which budget a row is of.
pub(crate) fn budget(row: &dyn Row) -> Result<Budget, Error> {
    Budget::from_stored(row.int(BUDGET.kind)?, row.blob(BUDGET.subject)?).ok_or(CORRUPT)
}

/// A budget with its state.
pub(crate) fn named(row: &dyn Row) -> Result<(Budget, Spent), Error> {
    Ok((budget(row)?, unpack(row.blob(BUDGET.state)?)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_survive_packing() {
        let sent = |at| Sent { at: Timestamp(at), target: [u8::MAX; 8] };
        let day = Spent { recent: Vec::new(), taken: 80, since: Timestamp(1_700_000_000_000) };
        let block = Spent { recent: vec![sent(1), sent(i64::MAX)], taken: 0, since: Timestamp(0) };
        for spent in [day, block, Spent::default()] {
            let packed = pack(&spent);
            assert_eq!(unpack(&packed).unwrap(), spent);
            for short in 1..packed.len() {
                assert!(unpack(&packed[..short]).is_err() || short == 16 || short == 32, "{short}");
            }
        }
        assert_eq!(unpack(&[]).unwrap(), Spent::default());
    }
}
